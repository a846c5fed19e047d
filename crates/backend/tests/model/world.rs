//! One life of a backend and its site: steps, then rest, then what must be the case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::desk::{Contact, Desk, Office, Readings, Starts};
use backend::identity::Identity;
use backend::line::ground::Ground;
use backend::line::{Line, Parts};
use backend::log::shelf::Shelf;
use backend::log::{ContinueAt, Log, Memory};
use protocol::apply::book::Outcome;
use protocol::apply::job::Status;
use protocol::directive::body::{Cancel, Credential, Resend, RightsChanged, Token};
use protocol::enrol::Enrolled;
use protocol::fact::FactBody;
use protocol::fact::backend::OpenReason;
use protocol::fact::envelope::Fact;
use protocol::fact::words::RefusedReason;
use protocol::order::Order;
use protocol::text::ids::{JobId, RequestId, Ulid};
use protocol::text::whole::{Epoch, Seq};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::common::{beginning, key, moment, north, who};
use crate::desk::Simple;
use crate::net::{Net, Virtual, Weather};
use crate::site::{self, Shared, Site, held};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Kills,
    BackendRestored,
    SiteRestored,
    BothRestored,
}

#[derive(Debug, Clone)]
pub enum Step {
    /// A request of so many actions.
    Order(usize),
    /// An earlier request in another directive.
    Again(usize),
    /// Of an earlier request; perhaps with an action that it does not have.
    Cancel(usize, bool),
    /// Milliseconds.
    Wait(u64),
    Weather(Weather),
    /// Dies and starts again; perhaps taking over from itself, whose lease still lives.
    KillBackend(bool),
    RestoreBackend(usize),
    KillSite,
    RestoreSite(usize),
    /// A copy of both disks is made.
    Copy,
    Resend(usize),
    Rights,
    Credential,
    /// The site has no time for so many seconds, and says so.
    Busy(u64),
    /// Facts in a batch.
    Limits(u64),
    /// Another process of the same backend takes over while this one lives; then dies, and this one is started again.
    TakeOver,
}

struct Running {
    line: JoinHandle<()>,
    desk: JoinHandle<()>,
    log: Arc<Log>,
    contact: watch::Receiver<Contact>,
    readings: watch::Sender<Readings>,
}

struct World {
    kind: Kind,
    ground: Arc<Virtual>,
    net: Arc<Net>,
    site: Shared,
    shelf: Arc<Memory>,
    /// The folder of a record on the disk.
    folder: Option<tempfile::TempDir>,
    desk: Simple,
    identity: Arc<Identity>,
    boots: u64,
    running: Option<Running>,
    orders: Vec<Order>,
    backend_copies: Vec<(Memory, crate::desk::Disk)>,
    site_copies: Vec<site::Disk>,
    /// What was seen as final at the site, since its last restore.
    finals: BTreeMap<JobId, String>,
    answers: BTreeMap<RequestId, String>,
    lost: bool,
    /// Whether there ever was a second process, which has a ledger of its own.
    two: bool,
}

pub fn live(kind: Kind, steps: &[Step], seed: u64, disk: bool) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(kind, seed, disk);
        world.start(false).await;
        for step in steps {
            world.step(step).await?;
            world.look()?;
        }
        world.rest().await?;
        world.judge().await
    })
}

impl World {
    fn new(kind: Kind, seed: u64, disk: bool) -> Self {
        let ground = Arc::new(Virtual::new(seed));
        let site: Shared = Arc::new(Mutex::new(Site::new()));
        let net = Arc::new(Net { site: site.clone(), ground: ground.clone(), weather: Mutex::new(Weather::Fine) });
        let enrolled = Enrolled {
            backend: north(),
            token: Token::new("t".repeat(40).parse().unwrap()),
            token_ends_at: moment(90 * 24 * 3600),
            key: "north-1".parse().unwrap(),
            site_key: "site-1".parse().unwrap(),
            site_public_key: key(2, "site-1").public().text(),
        };
        Self {
            kind,
            net,
            site,
            shelf: Arc::default(),
            folder: disk.then(|| tempfile::tempdir().unwrap()),
            desk: Simple { disk: Arc::default(), ground: ground.clone() },
            ground,
            identity: Arc::new(Identity::in_memory(&[1; 32], enrolled).unwrap()),
            boots: 0,
            running: None,
            orders: Vec::new(),
            backend_copies: Vec::new(),
            site_copies: Vec::new(),
            finals: BTreeMap::new(),
            answers: BTreeMap::new(),
            lost: false,
            two: false,
        }
    }

    async fn log(&self) -> Arc<Log> {
        let shelf: Arc<dyn Shelf> = match &self.folder {
            None => self.shelf.clone(),
            Some(folder) => Arc::new(crate::steady::Steady::open(&folder.path().join("backend.sqlite")).await),
        };
        let log = Log::on(shelf, who()).await.unwrap();
        log.begin(&beginning()).await.unwrap();
        Arc::new(log)
    }

    async fn line(&mut self, log: &Arc<Log>, take_over: bool, readings: watch::Receiver<Readings>) -> Arc<Line> {
        self.boots += 1;
        let parts = Parts {
            log: log.clone(),
            identity: self.identity.clone(),
            transport: self.net.clone(),
            ground: self.ground.clone(),
            site: "https://jobs.example.org".parse().unwrap(),
            program: "1.4.0".parse().unwrap(),
            boot: Ulid::from_parts(self.boots, 0),
            take_over,
            minimal_gauges: false,
            offline_start: 72 * 3600,
        };
        Arc::new(Line::new(parts, readings).await.unwrap())
    }

    async fn start(&mut self, take_over: bool) {
        let log = self.log().await;
        let readings = watch::Sender::new(Readings::default());
        let line = self.line(&log, take_over, readings.subscribe()).await;
        let contact = line.contact();
        // Nothing stops them but an end without warning.
        let stop = watch::Sender::new(false);
        let office =
            Office { log: log.clone(), contact: contact.clone(), readings: readings.clone(), stop: stop.subscribe() };
        let desk = self.desk.clone();
        let desk = tokio::spawn(async move { desk.run(office).await.unwrap() });
        let line = tokio::spawn(async move {
            line.run(stop.subscribe()).await.unwrap();
            drop(stop);
        });
        self.running = Some(Running { line, desk, log, contact, readings });
    }

    async fn kill(&mut self) {
        let Some(running) = self.running.take() else { return };
        for task in [running.line, running.desk] {
            task.abort();
            if let Err(ended) = task.await
                && ended.is_panic()
            {
                std::panic::resume_unwind(ended.into_panic());
            }
        }
    }

    fn now_running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let now = self.ground.now();
        match step {
            Step::Order(actions) => {
                let n = self.orders.len() as u64 + 1;
                let order = order(n, *actions);
                self.orders.push(order.clone());
                held(&self.site).order(order.into(), now);
            }
            Step::Again(nth) => {
                if let Some(order) = pick(&self.orders, *nth) {
                    let order = order.clone();
                    held(&self.site).order(order.into(), now);
                }
            }
            Step::Cancel(nth, unknown) => {
                if let Some(order) = pick(&self.orders, *nth) {
                    let mut actions = order.requested_actions.to_vec();
                    if *unknown {
                        actions.push("nowhere".parse().unwrap());
                    }
                    let body = Cancel {
                        request: order.request.clone(),
                        actions: actions.try_into().unwrap(),
                        requested_by: "sample-r".parse().unwrap(),
                        at: now,
                    };
                    held(&self.site).order(body.into(), now);
                }
            }
            Step::Wait(milliseconds) => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
            Step::Weather(weather) => *self.net.weather.lock().unwrap() = *weather,
            Step::KillBackend(take_over) => {
                self.kill().await;
                self.start(*take_over).await;
            }
            Step::RestoreBackend(nth) => {
                let Some((shelf, desk)) = pick(&self.backend_copies, *nth).map(|copy| (copy.0.copy(), copy.1.clone()))
                else {
                    return Ok(());
                };
                self.kill().await;
                (self.shelf, self.desk.disk) = (Arc::new(shelf), Arc::new(Mutex::new(desk)));
                self.lost = true;
                self.start(true).await;
            }
            Step::KillSite => held(&self.site).kill(None),
            Step::RestoreSite(nth) => {
                if let Some(copy) = pick(&self.site_copies, *nth).cloned() {
                    held(&self.site).kill(Some(copy));
                    self.finals.clear();
                    self.answers.clear();
                    self.lost = true;
                }
            }
            Step::Copy => {
                self.backend_copies.push((self.shelf.copy(), self.desk.disk.lock().unwrap().clone()));
                self.site_copies.push(held(&self.site).disk.clone());
            }
            Step::Resend(nth) => {
                let mut site = held(&self.site);
                let (epoch, length) = (site.disk.epoch, site.disk.chain().len());
                let from_seq = (nth % (length + 2) + 1).try_into().map(|n: u64| Seq::try_from(n).unwrap()).unwrap();
                site.order(Resend { epoch, from_seq }.into(), now);
            }
            Step::Rights => {
                let mut site = held(&self.site);
                site.disk.revision += 1;
                let revision = site.disk.revision.try_into().unwrap();
                site.order(RightsChanged { users: Default::default(), revision }.into(), now);
            }
            // A site that was restored does not know newer tokens: its staff enrol the backend anew.
            Step::Credential if self.kind == Kind::Kills => {
                let mut site = held(&self.site);
                let text = format!("{}{}", "n".repeat(40), site.tokens.len() + self.orders.len());
                if site.tokens.len() == 1 && !site.tokens.contains(&text) {
                    site.tokens.push(text.clone());
                    let token = Token::new(text.parse().unwrap());
                    site.order(Credential { token, valid_from: now }.into(), now);
                }
            }
            Step::Credential => {}
            Step::Busy(seconds) => {
                held(&self.site).busy = Some(*seconds);
                tokio::time::sleep(Duration::from_secs(*seconds)).await;
                held(&self.site).busy = None;
            }
            Step::Limits(facts) => held(&self.site).limits = (*facts, 4096),
            Step::TakeOver => self.take_over().await?,
        }
        self.operate().await;
        Ok(())
    }

    /// A second process, elsewhere, with a copy of the record (none of one on the disk), ends the first: which must then start no more jobs.
    async fn take_over(&mut self) -> Result<(), String> {
        // Only a connected process is told that it was ended; another one waits for the lease.
        let connected = self.now_running().contact.borrow().connected && held(&self.site).met;
        if *self.net.weather.lock().unwrap() != Weather::Fine || !connected {
            return Ok(());
        }
        let log = Log::on(Arc::new(self.shelf.copy()), who()).await.unwrap();
        log.begin(&beginning()).await.unwrap();
        let log = Arc::new(log);
        self.two = true;
        let readings = self.now_running().readings.subscribe();
        let second = self.line(&log, true, readings).await;
        let never = watch::Sender::new(false);
        let stop = never.subscribe();
        let task = tokio::spawn(async move { drop(second.run(stop).await) });
        let mut contact = self.now_running().contact.clone();
        // It hears of it at its next call, at the latest when its poll ends; a halted one may only ask each minute.
        let stopped = contact.wait_for(|contact| contact.starts == Starts::Elsewhere);
        let heard = tokio::time::timeout(Duration::from_secs(200), stopped).await.is_ok();
        task.abort();
        let _ = task.await;
        self.kill().await;
        self.start(true).await;
        if heard { Ok(()) } else { Err("a process that was ended by a take-over did not stop".to_owned()) }
    }

    /// The operator of the backend and the staff of the site: a new epoch where only that goes on.
    async fn operate(&mut self) {
        held(&self.site).confirm();
        let running = self.now_running();
        if running.contact.borrow().starts != Starts::Stopped {
            return;
        }
        let standing = running.log.standing().await.unwrap();
        let (epoch, theirs) = {
            let site = held(&self.site);
            (site.disk.epoch, site.disk.chain().to_vec())
        };
        let from = if epoch > standing.epoch {
            ContinueAt::Nowhere { site: epoch }
        } else if epoch == standing.epoch {
            let ours = running.log.facts(epoch, Seq::LEAST.next(), usize::MAX).await.unwrap();
            let common = ours.iter().zip(&theirs).take_while(|(a, b)| a.hash == b.hash).count() as u64;
            if common == standing.head.seq.get() {
                ContinueAt::Head
            } else {
                ContinueAt::Common(common.try_into().unwrap())
            }
        } else {
            return;
        };
        running.log.new_epoch(&beginning(), OpenReason::Restored, from).await.unwrap();
    }

    /// At any moment: what was final at the site is so still.
    fn look(&mut self) -> Result<(), String> {
        let site = held(&self.site);
        if let Some(broken) = &site.broken {
            return Err(broken.clone());
        }
        for (id, job) in &site.disk.book.jobs {
            if let Status::Ended { .. } = job.status {
                let now = format!("{:?}", job.status);
                let before = self.finals.entry(id.clone()).or_insert_with(|| now.clone());
                if *before != now {
                    return Err(format!("the final state of {id} changed from {before} to {now}"));
                }
            }
        }
        for (id, request) in &site.disk.book.requests {
            if !matches!(request.outcome, Outcome::Sent | Outcome::Checking(_)) {
                let now = format!("{:?}", request.outcome);
                let before = self.answers.entry(id.clone()).or_insert_with(|| now.clone());
                if *before != now {
                    return Err(format!("the answer to {id} changed from {before} to {now}"));
                }
            }
        }
        Ok(())
    }

    /// The network is well again; all that is under way comes to rest.
    async fn rest(&mut self) -> Result<(), String> {
        *self.net.weather.lock().unwrap() = Weather::Fine;
        for _ in 0..400 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            self.operate().await;
            self.look()?;
            if self.at_rest().await {
                return Ok(());
            }
        }
        let running = self.now_running();
        let standing = running.log.standing().await.unwrap();
        let site = held(&self.site);
        Err(format!(
            "no rest after half an hour: contact {:?}, log {standing:?}, waiting {:?}, site epoch {} head {} line {:?}, tasks {} {}, calls {:?}",
            *running.contact.borrow(),
            self.desk.disk.lock().unwrap().jobs,
            site.disk.epoch,
            site.disk.chain().len(),
            site.disk.line,
            running.line.is_finished(),
            running.desk.is_finished(),
            site.calls,
        ))
    }

    async fn at_rest(&self) -> bool {
        let running = self.now_running();
        let standing = running.log.standing().await.unwrap();
        let idle = running.log.waiting().await.unwrap().is_empty() && self.desk.idle();
        let site = held(&self.site);
        idle && running.contact.borrow().connected
            && running.contact.borrow().starts == Starts::Allowed
            && site.disk.epoch == standing.epoch
            && site.disk.chain().last().map(Fact::head) == Some(standing.head)
            && site.disk.line.last() == standing.inbox.cursor
            && running.log.roster().is_some_and(|roster| roster.revision.get() == site.disk.revision)
    }

    async fn judge(&mut self) -> Result<(), String> {
        let log = self.now_running().log.clone();
        let standing = log.standing().await.unwrap();
        log.verify().await.map_err(|bad| bad.to_string())?;
        let mut told: Vec<Fact> = Vec::new();
        let mut epoch = Epoch::LEAST;
        while epoch <= standing.epoch {
            told.extend(log.facts(epoch, Seq::LEAST.next(), usize::MAX).await.unwrap());
            epoch = epoch.next();
        }
        let sent = log.sent(1, usize::MAX).await.unwrap();
        let mut site = held(&self.site);
        let bodies: Vec<FactBody> = told.iter().map(|fact| fact.content().unwrap().body).collect();

        // Both have the same open epoch, byte for byte.
        let ours: Vec<&str> = told.iter().filter(|fact| fact.epoch == standing.epoch).map(Fact::text).collect();
        let theirs: Vec<&str> = site.disk.chain().iter().map(Fact::text).collect();
        check(ours == theirs, || format!("the chains differ: {ours:?} {theirs:?}"))?;

        // What the ledger says is what left: every fact the site has is in a batch of it.
        let left: BTreeSet<&[u8]> =
            sent.iter().filter(|one| one.call == "POST facts").map(|one| &one.bytes[..]).collect();
        let in_ledger = |text: &str| left.iter().any(|bytes| std::str::from_utf8(bytes).unwrap().contains(text));
        check(self.lost || self.two || theirs.iter().all(|text| in_ledger(text)), || {
            "a fact left beside the ledger".to_owned()
        })?;

        // Each order is answered; once, unless histories were lost.
        for order in &self.orders {
            let answered = bodies.iter().filter(|body| answers(body) == Some(&order.request)).count();
            let request = site.disk.book.requests.get(&order.request);
            let known = request.is_some();
            check(known || self.lost, || format!("{} is lost", order.request))?;
            let open = request.is_some_and(|request| matches!(request.outcome, Outcome::Sent | Outcome::Checking(_)));
            check(!open, || format!("{} was not answered", order.request))?;
            check(answered <= 1 || self.lost, || format!("{} was answered {answered} times", order.request))?;
        }
        for (id, cancel) in &site.disk.book.cancels {
            let known = site.disk.book.requests.contains_key(&cancel.request);
            check(cancel.done.is_some() || !known, || format!("cancel {id} was not answered"))?;
        }
        // Nothing is rejected, for both are honest.
        check(site.disk.book.rejected.is_empty(), || format!("rejected: {:?}", site.disk.book.rejected))?;

        // Every job ended, at both, and started once for each attempt.
        for (id, job) in &site.disk.book.jobs {
            let ended = matches!(job.status, Status::Ended { .. });
            // Of a history that was lost the site may know a start that the backend does not: an end without a runtime
            // does not fit it, and the site keeps that fact apart for its staff.
            let apart = site.disk.apart.iter().any(|(text, _)| text.contains(id.as_str()));
            // An order that both have lost is carried out by nobody, though its answer was repeated to the site.
            let forgotten = self.kind == Kind::BothRestored && !self.desk.disk.lock().unwrap().jobs.contains_key(id);
            check(ended || (self.lost && apart) || forgotten, || format!("{id} did not end: {:?}", job.status))?;
        }
        let starts = |id: &JobId| {
            bodies.iter().filter(|body| matches!(body, FactBody::JobStarted(started) if started.job == *id)).count()
        };
        let ends = |id: &JobId| {
            bodies.iter().filter(|body| matches!(body, FactBody::JobFinished(done) if done.job == *id)).count()
        };
        for id in self.desk.disk.lock().unwrap().jobs.keys() {
            let (starts, ends) = (starts(id), ends(id));
            check(self.lost || (starts <= 1 && ends == 1), || {
                format!("{id} started {starts} times, ended {ends} times")
            })?;
        }
        if !self.lost {
            check(site.disk.apart.is_empty(), || format!("kept apart: {:?}", site.disk.apart))?;
            check(site.conflicts == 0, || "a conflict of histories without a restore".to_owned())?;
        }
        site.calls.clear();
        Ok(())
    }
}

fn answers(body: &FactBody) -> Option<&RequestId> {
    match body {
        FactBody::Accepted(body) => Some(&body.answer.request),
        FactBody::NothingToDo(body) => Some(&body.answer.request),
        FactBody::Refused(body) if body.reason != RefusedReason::InconsistentRequest => Some(&body.answer.request),
        _ => None,
    }
}

fn check(good: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if good { Ok(()) } else { Err(why()) }
}

fn pick<T>(list: &[T], nth: usize) -> Option<&T> {
    list.get(nth.checked_rem(list.len())?)
}

fn order(n: u64, actions: usize) -> Order {
    let golden = include_str!("../../../protocol/golden/1.0/directives/job_request.json");
    let all: Vec<serde_json::Value> = serde_json::from_str(golden).unwrap();
    let mut order: Order = serde_json::from_value(all[0].clone()).unwrap();
    order.request = RequestId::from_random(std::array::from_fn(|i| if i == 9 { n as u8 } else { 7 }));
    order.number = n.try_into().unwrap();
    let names: Vec<_> = ["tabulate", "plot", "report"].iter().take(actions).map(|name| name.parse().unwrap()).collect();
    order.requested_actions = names.try_into().unwrap();
    order
}
