//! Delivery: over a network that drops, doubles, delays and reorders, with kills and restores of either side, what the
//! site has in the end is what the backend told, and what the backend applied is what the site ordered.
//! Spec protocol.md 3.2, 4.2, 7. The model is naive: two lists, compared at the end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::directive::body::{Notice, NoticeCode};
use protocol::directive::envelope::Draft;
use protocol::directive::inbox::{self, Arrived, Inbox, Reader};
use protocol::directive::line::{Line, LineFound, Poll};
use protocol::fact::backend::{Continues, DataKind, Mode, ModeChanged, OpenReason, Opened};
use protocol::fact::chain::Chain;
use protocol::fact::envelope::{Fact, Head};
use protocol::fact::epoch::{Former, proposal};
use protocol::fact::intake::{self, FactsRefused, FactsTaken, Sender, Stored};
use protocol::fact::outbox::{Answered, BatchLimits, Outbox};
use protocol::hello::{self, EpochPlace, Found, OwnLog, Place};
use protocol::keys::{Keys, SigningKey};
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::Ulid;
use protocol::text::names::BackendSlug;
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};

fn moment(second: i64) -> Moment {
    Moment::from_microseconds(1_800_000_000_000_000 + second * 1_000_000).unwrap()
}

fn key(byte: u8, id: &str) -> SigningKey {
    SigningKey::new(&[byte; 32], id.parse().unwrap())
}

fn keys(key: &SigningKey) -> Keys {
    Keys::from([(key.id().clone(), key.public())])
}

fn north() -> BackendSlug {
    "north".parse().unwrap()
}

/// A stored chain: on disk at either side.
#[derive(Clone, Default)]
struct Log(Vec<Fact>);

impl Log {
    fn at(&self, seq: Seq) -> Option<&Fact> {
        self.0.get(usize::try_from(seq.get()).unwrap().checked_sub(1)?)
    }
}

impl Stored for Log {
    fn head(&self) -> Head {
        self.0.last().map_or_else(Head::start, Fact::head)
    }
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        self.at(seq).map(|fact| fact.hash.clone())
    }
}

impl OwnLog for Log {
    fn epoch(&self) -> Epoch {
        Epoch::LEAST
    }
    fn head(&self) -> Head {
        Stored::head(self)
    }
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        Stored::hash_at(self, seq)
    }
}

/// What happens to the facts.
#[derive(Debug, Clone)]
enum Step {
    /// The backend has something to tell.
    Tell(Mode),
    /// The backend sends a batch of at most so many facts.
    Send(usize),
    /// A batch under way arrives; it may stay under way as well (doubled).
    ArriveUp(usize, bool),
    /// An answer under way arrives; it may stay as well.
    ArriveDown(usize, bool),
    /// A message under way is lost.
    Lose(usize, bool),
    /// The backend's process dies and starts again: only its disk is left. `hello` follows.
    RestartBackend,
    /// The site is restored to an older copy, so many facts ago.
    RestoreSite(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![Just(Mode::Open), Just(Mode::Paused), Just(Mode::DbMaintenance)];
    prop_oneof![
        4 => mode.prop_map(Step::Tell),
        4 => (1usize..4).prop_map(Step::Send),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(i, b)| Step::ArriveUp(i, b)),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(i, b)| Step::ArriveDown(i, b)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(i, b)| Step::Lose(i, b)),
        1 => Just(Step::RestartBackend),
        1 => (0usize..4).prop_map(Step::RestoreSite),
    ]
}

struct World {
    key: SigningKey,
    backend: Log,
    chain: Chain,
    outbox: Outbox,
    site: Log,
    up: Vec<String>,
    down: Vec<Answered>,
    told: Vec<Mode>,
}

fn pick<T: Clone>(list: &mut Vec<T>, i: usize, keep: bool) -> Option<T> {
    if list.is_empty() {
        return None;
    }
    let i = i % list.len();
    Some(if keep { list[i].clone() } else { list.remove(i) })
}

impl World {
    fn new() -> Self {
        Self {
            key: key(1, "north-1"),
            backend: Log::default(),
            chain: Chain::new(north(), Epoch::LEAST),
            outbox: Outbox::new(Epoch::LEAST, Seq::LEAST),
            site: Log::default(),
            up: Vec::new(),
            down: Vec::new(),
            told: Vec::new(),
        }
    }

    fn tell(&mut self, mode: Mode) {
        let body = ModeChanged { mode, kind: None, ends_at: None }.into();
        let fact = self.chain.append(moment(self.told.len() as i64), &body, &self.key).unwrap();
        self.backend.0.push(fact);
        self.told.push(mode);
    }

    fn send(&mut self, facts: usize) {
        let Some(from) = self.outbox.next(&Stored::head(&self.backend)) else { return };
        let waiting = &self.backend.0[usize::try_from(from.get()).unwrap() - 1..];
        let limits = BatchLimits { facts, ..BatchLimits::default() };
        let count = Outbox::batch(waiting.iter().map(|fact| fact.text().len()), limits);
        self.up.push(intake::write_batch(waiting[..count].iter().map(Fact::text)));
    }

    fn arrive_at_site(&mut self, batch: &str) {
        let sender = Sender { backend: north(), epoch: Epoch::LEAST, keys: keys(&self.key) };
        let facts = intake::read_batch(batch.as_bytes()).unwrap();
        let answer = match intake::take_in(&sender, &self.site, facts) {
            Ok(intake) => {
                self.site.0.extend(intake.new.into_iter().map(|taken| taken.fact));
                Answered::Taken(intake.answer)
            }
            Err(FactsRefused::Gap { expected }) => Answered::Gap { expected },
            Err(other) => panic!("an honest batch is refused: {other}"),
        };
        self.down.push(answer);
    }

    fn arrive_at_backend(&mut self, answer: &Answered) {
        let head = Stored::head(&self.backend);
        self.outbox.answered(answer, &head, |seq| Stored::hash_at(&self.backend, seq));
        assert_eq!(self.outbox.stopped(), None, "honest sides never stop");
    }

    fn hello(&mut self) {
        let (site, backend) = (Stored::head(&self.site), Stored::head(&self.backend));
        let place = EpochPlace { epoch: Epoch::LEAST, seq: site.seq, hash: site.hash };
        let found = hello::at_backend(&self.backend, &place);
        assert!(matches!(found, Found::Same | Found::SiteBehind { .. }), "{found:?}");
        let place = Place { seq: backend.seq, hash: backend.hash };
        assert_eq!(hello::at_site(&self.site, Epoch::LEAST, &place), found);
        self.outbox = Outbox::new(Epoch::LEAST, site.seq);
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Tell(mode) => self.tell(mode),
            Step::Send(count) => self.send(count),
            Step::ArriveUp(i, keep) => {
                if let Some(batch) = pick(&mut self.up, i, keep) {
                    self.arrive_at_site(&batch);
                }
            }
            Step::ArriveDown(i, keep) => {
                if let Some(answer) = pick(&mut self.down, i, keep) {
                    self.arrive_at_backend(&answer);
                }
            }
            Step::Lose(i, true) => drop(pick(&mut self.up, i, false)),
            Step::Lose(i, false) => drop(pick(&mut self.down, i, false)),
            Step::RestartBackend => self.hello(),
            Step::RestoreSite(facts) => {
                let left = self.site.0.len().saturating_sub(facts);
                self.site.0.truncate(left);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_site_has_what_the_backend_told(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
            // Never anything but a beginning of what was told, in its order.
            let told: Vec<&str> = world.backend.0.iter().map(Fact::text).collect();
            let stored: Vec<&str> = world.site.0.iter().map(Fact::text).collect();
            prop_assert!(told.starts_with(&stored));
        }
        // The network is well again: every old message arrives, then a hello and batches as long as there are any.
        while let Some(batch) = world.up.pop() {
            world.arrive_at_site(&batch);
        }
        world.hello();
        for _ in 0..world.told.len() {
            world.send(3);
            if let Some(batch) = world.up.pop() {
                world.arrive_at_site(&batch);
                let answer = world.down.pop().unwrap();
                world.arrive_at_backend(&answer);
            }
        }
        let stored: Vec<&str> = world.site.0.iter().map(Fact::text).collect();
        let told: Vec<&str> = world.backend.0.iter().map(Fact::text).collect();
        prop_assert_eq!(stored, told);
        prop_assert_eq!(world.outbox.next(&Stored::head(&world.backend)), None);
        // And it says the same: what was told, in its order.
        let said: Vec<Mode> = world.site.0.iter().map(|fact| match fact.content().unwrap().body {
            protocol::fact::FactBody::Mode(changed) => changed.mode,
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(said, world.told);
    }
}

#[test]
fn a_resend_goes_back_and_an_answer_that_does_not_fit_stops() {
    let mut world = World::new();
    (0..5).for_each(|_| world.tell(Mode::Open));
    let head = Stored::head(&world.backend);
    let seq = |n: u64| Seq::try_from(n).unwrap();
    let taken = |n: u64, log: &Log| FactsTaken {
        epoch: Epoch::LEAST,
        through: seq(n),
        hash: Stored::hash_at(log, seq(n)).unwrap(),
    };
    world.outbox.answered(&Answered::Taken(taken(4, &world.backend)), &head, |s| Stored::hash_at(&world.backend, s));
    assert_eq!(world.outbox.next(&head), Some(seq(5)));
    world.outbox.answered(&Answered::Taken(taken(2, &world.backend)), &head, |s| Stored::hash_at(&world.backend, s));
    assert_eq!(world.outbox.next(&head), Some(seq(5)), "an old answer takes nothing back");
    world.outbox.resend(Epoch::LEAST, seq(2));
    assert_eq!(world.outbox.next(&head), Some(seq(2)));
    world.outbox.resend(Epoch::LEAST.next(), seq(1));
    assert_eq!(world.outbox.next(&head), Some(seq(2)), "another epoch is another chain");
    let wrong = FactsTaken { hash: Sha256Hex::of(&[b"x"]), ..taken(3, &world.backend) };
    world.outbox.answered(&Answered::Taken(wrong), &head, |s| Stored::hash_at(&world.backend, s));
    assert_eq!(world.outbox.next(&head), None);
    assert!(world.outbox.stopped().is_some());
}

#[test]
fn two_histories_are_found_and_nothing_is_stored() {
    let (mut one, mut two) = (World::new(), World::new());
    for (n, mode) in [Mode::Open, Mode::Paused, Mode::Open].into_iter().enumerate() {
        one.tell(mode);
        two.tell(if n == 1 { Mode::DbMaintenance } else { mode });
    }
    let sender = Sender { backend: north(), epoch: Epoch::LEAST, keys: keys(&one.key) };
    let batch = |world: &World, from: usize| {
        intake::read_batch(intake::write_batch(world.backend.0[from..].iter().map(Fact::text)).as_bytes()).unwrap()
    };
    let seq = |n: u64| Seq::try_from(n).unwrap();
    let site = Log(one.backend.0[..2].to_vec());
    let conflict = |n| Err(FactsRefused::ChainConflict { seq: seq(n) });
    assert_eq!(intake::take_in(&sender, &site, batch(&two, 0)).map(|_| ()), conflict(2));
    assert_eq!(intake::take_in(&sender, &site, batch(&two, 2)).map(|_| ()), conflict(2), "it follows another fact");
    assert_eq!(
        intake::take_in(&sender, &Log(one.backend.0[..1].to_vec()), batch(&one, 2)).map(|_| ()),
        Err(FactsRefused::Gap { expected: seq(2) })
    );
    let other = Sender { backend: "south".parse().unwrap(), ..sender.clone() };
    assert_eq!(intake::take_in(&other, &site, batch(&one, 2)).map(|_| ()), Err(FactsRefused::WrongBackend));
    let later = Sender { epoch: Epoch::LEAST.next(), ..sender.clone() };
    assert!(matches!(intake::take_in(&later, &site, batch(&one, 2)), Err(FactsRefused::WrongEpoch { .. })));
    let stranger = Sender { keys: keys(&key(9, "north-1")), ..sender };
    assert_eq!(
        intake::take_in(&stranger, &site, batch(&one, 2)).map(|_| ()),
        Err(FactsRefused::BadChain { seq: seq(3) })
    );
}

#[test]
fn a_restored_backend_goes_on_in_a_new_epoch() {
    let mut world = World::new();
    (0..5).for_each(|_| world.tell(Mode::Open));
    world.send(9);
    let batch = world.up.pop().unwrap();
    world.arrive_at_site(&batch);
    // Only the first three facts are in the copy.
    let old = Log(world.backend.0[..3].to_vec());
    let (site, own) = (Stored::head(&world.site), Stored::head(&old));
    let place = EpochPlace { epoch: Epoch::LEAST, seq: site.seq, hash: site.hash.clone() };
    assert_eq!(hello::at_backend(&old, &place), Found::BackendRestored);
    let place = Place { seq: own.seq, hash: own.hash.clone() };
    assert_eq!(hello::at_site(&world.site, Epoch::LEAST, &place), Found::BackendRestored);

    let next = Epoch::LEAST.next();
    let opened = Opened {
        epoch: next,
        continues: Some(Continues { epoch: Epoch::LEAST, seq: own.seq, hash: own.hash }),
        reason: OpenReason::Restored,
        data_kind: DataKind::Synthetic,
        flavour: None,
        version: "1.4.0".parse().unwrap(),
        public_key: world.key.public().text(),
    };
    let mut chain = Chain::new(north(), next);
    let first = chain.append(moment(9), &opened.clone().into(), &world.key).unwrap();
    let told = ModeChanged { mode: Mode::Paused, kind: None, ends_at: None };
    let second = chain.append(moment(9), &told.into(), &world.key).unwrap();
    let again = Opened { epoch: next, continues: None, ..opened };
    assert!(chain.append(moment(9), &again.into(), &world.key).is_err(), "an epoch opens with its first fact alone");

    let hash_at = |seq| Stored::hash_at(&world.site, seq);
    let former = Former { epoch: Epoch::LEAST, head: site, hash_at: &hash_at };
    let proposed = proposal(&north(), Some(&former), &keys(&world.key), &first).unwrap();
    assert_eq!((proposed.lost_by_backend, proposed.new_key), (2, false));
    // Before staff confirm, nothing of it is taken; after that, nothing of the old epoch.
    let batch = || vec![first.clone(), second.clone()];
    let before = Sender { backend: north(), epoch: Epoch::LEAST, keys: keys(&world.key) };
    assert!(matches!(intake::take_in(&before, &world.site, batch()), Err(FactsRefused::WrongEpoch { .. })));
    let after = Sender { epoch: next, keys: proposed.keys, ..before };
    let taken = intake::take_in(&after, &Log::default(), batch()).unwrap();
    assert_eq!((taken.new.len(), taken.answer.epoch), (2, next));
    let late = world.backend.0[3..].to_vec();
    assert!(matches!(intake::take_in(&after, &Log(batch()), late), Err(FactsRefused::WrongEpoch { .. })));
}

/// What happens to the directives.
#[derive(Debug, Clone)]
enum Order {
    Make,
    Poll,
    Arrive(usize, bool),
    Lose(usize),
    RestartBackend,
    /// The site is restored to an older copy, so many directives ago; the backend says hello.
    RestoreSite(usize),
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        4 => Just(Order::Make),
        4 => Just(Order::Poll),
        5 => (any::<usize>(), any::<bool>()).prop_map(|(i, b)| Order::Arrive(i, b)),
        1 => any::<usize>().prop_map(Order::Lose),
        1 => Just(Order::RestartBackend),
        1 => (0usize..3).prop_map(Order::RestoreSite),
    ]
}

struct Orders {
    key: SigningKey,
    line: Line,
    /// The site's disk: cursor, id, text.
    stored: Vec<(Cursor, Ulid, String)>,
    inbox: Inbox,
    applied: Vec<Ulid>,
    /// Under way: behind which cursor was asked, and the answer.
    down: Vec<(Cursor, String)>,
    made: u64,
}

impl Orders {
    fn make(&mut self) {
        self.made += 1;
        let id = Ulid::from_parts(self.made, 0);
        let draft = Draft {
            cursor: self.line.take(),
            id: id.clone(),
            backend: north(),
            at: moment(0),
            expires_at: moment(1000),
            critical: vec!["code"],
            body: Notice { code: NoticeCode::UpgradeNeeded, date: moment(0) }.into(),
        };
        self.stored.push((draft.cursor, id, draft.sign(&self.key).unwrap()));
    }

    fn poll(&mut self) {
        if let Poll::From(from) = self.line.poll(self.inbox.cursor) {
            let waiting: Vec<&str> = self.stored.iter().filter(|s| s.0 >= from).map(|s| s.2.as_str()).collect();
            let count = Line::answer(waiting.iter().map(|text| text.len())).min(2);
            self.down.push((self.inbox.cursor, inbox::write_answer(waiting[..count].iter().copied())));
        }
    }

    fn arrive(&mut self, (after, answer): &(Cursor, String)) {
        let (me, keys) = (north(), keys(&self.key));
        let list = inbox::read_answer(answer.as_bytes()).unwrap();
        let reader = Reader { me: &me, keys: &keys, now: moment(1) };
        let ids: Vec<(Cursor, Ulid)> = self.stored.iter().map(|s| (s.0, s.1.clone())).collect();
        let received =
            self.inbox.receive(*after, &list, reader, |at| ids.iter().find(|s| s.0 == at).map(|s| s.1.clone()));
        for arrived in received.arrived {
            match arrived {
                Arrived::Apply(directive) => self.applied.push(directive.id),
                Arrived::Reject(why) => panic!("an honest directive is rejected: {why:?}"),
            }
        }
    }

    fn hello(&mut self) {
        let ids = self.stored.clone();
        let at = |cursor| ids.iter().find(|s| s.0 == cursor).map(|s| s.1.clone());
        let found = self.line.hello(self.inbox.cursor, self.inbox.id.as_ref(), at);
        assert_ne!(found, LineFound::TooFar);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn each_directive_is_applied_once_and_in_order(steps in prop::collection::vec(order(), 0..60)) {
        let mut world = Orders {
            key: key(2, "site-1"),
            line: Line::new(),
            stored: Vec::new(),
            inbox: Inbox::new(),
            applied: Vec::new(),
            down: Vec::new(),
            made: 0,
        };
        for step in &steps {
            match *step {
                Order::Make => world.make(),
                Order::Poll => world.poll(),
                Order::Arrive(i, keep) => {
                    if let Some(answer) = pick(&mut world.down, i, keep) {
                        world.arrive(&answer);
                    }
                }
                Order::Lose(i) => drop(pick(&mut world.down, i, false)),
                Order::RestartBackend => world.hello(),
                Order::RestoreSite(count) => {
                    let left = world.stored.len().saturating_sub(count);
                    world.stored.truncate(left);
                    let last = world.stored.last().map_or(Cursor::LEAST, |s| s.0);
                    world.line = Line::stored(last, last);
                    // A restored site speaks to nobody before hello, and what it sent before does not arrive later:
                    // the connection of each was cut.
                    world.down.clear();
                    world.hello();
                }
            }
            prop_assert!(!world.inbox.stopped);
        }
        for _ in 0..=world.stored.len() {
            world.poll();
            while let Some(answer) = world.down.pop() {
                world.arrive(&answer);
            }
        }
        let once: BTreeSet<&Ulid> = world.applied.iter().collect();
        prop_assert_eq!(once.len(), world.applied.len(), "applied twice");
        prop_assert!(world.applied.windows(2).all(|pair| pair[0] < pair[1]), "out of order");
        // All that the site has was applied.
        prop_assert!(world.stored.iter().all(|s| once.contains(&s.1)));
    }
}
