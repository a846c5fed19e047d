//! The backend's record: stored before it is acknowledged, told once, signed, and every change of it is found.
//! Spec protocol.md 3.2, 4.1, 7.3, 9 (d). Every case is lived on the disk and in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::sync::Arc;

use backend::log::{ContinueAt, Log, LogError, Memory};
use common::*;
use protocol::fact::FactBody;
use protocol::fact::backend::{Mode, RejectedCode};
use protocol::fact::envelope::Fact;
use protocol::text::whole::{Cursor, Epoch, Seq};
use serde_json::Value;

async fn bodies(log: &Log) -> Vec<FactBody> {
    let epoch = log.standing().await.unwrap().epoch;
    let facts: Vec<Fact> = log.facts(epoch, Seq::LEAST.next(), 1000).await.unwrap();
    facts.iter().map(|fact| fact.content().unwrap().body).collect()
}

fn rejected(bodies: &[FactBody]) -> Vec<(u64, RejectedCode)> {
    let why = |body: &FactBody| match body {
        FactBody::DirectiveRejected(why) => Some((why.cursor.get(), why.code)),
        _ => None,
    };
    bodies.iter().filter_map(why).collect()
}

async fn waiting(log: &Log) -> Vec<u64> {
    log.waiting().await.unwrap().iter().map(|one| one.cursor.get()).collect()
}

async fn what_is_told_is_told_once(log: Log) {
    let epoch = Epoch::LEAST;
    log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused))]).await.unwrap();
    log.tell("outbox:1", vec![(moment(2), mode(Mode::Open))]).await.unwrap();
    log.tell("outbox:2", vec![(moment(3), mode(Mode::Open))]).await.unwrap();
    let all = bodies(&log).await;
    assert!(matches!(all[0], FactBody::Opened(_)));
    assert_eq!(all[1..], [mode(Mode::Paused), mode(Mode::Open)]);
    let facts = log.facts(epoch, Seq::LEAST.next(), 9).await.unwrap();
    assert!(facts.iter().all(|fact| fact.verify(&keys(&key(1, "north-1")))));
    assert!(facts.windows(2).all(|pair| pair[1].prev == pair[0].hash));
    assert_eq!(log.told().borrow().seq.get(), 3);
}

async fn directives_are_applied_once(log: Log) {
    let mut arrived = log.arrived();
    let answer: Vec<Value> = (1..=3).map(|n| signed(&draft(n, cancel("a")))).collect();
    let noted = log.take_in(Cursor::LEAST, &answer, moment(1)).await.unwrap();
    assert_eq!((noted.cursor.get(), noted.ask_again, noted.stopped), (3, false, false));
    assert!(arrived.has_changed().unwrap() && arrived.borrow_and_update().get() == 3);
    // The same answer again, as after a lost acknowledgement.
    log.take_in(Cursor::LEAST, &answer, moment(2)).await.unwrap();
    assert_eq!(waiting(&log).await, [1, 2, 3]);
    log.applied(&id(2), vec![(moment(2), mode(Mode::Paused))]).await.unwrap();
    log.applied(&id(2), vec![(moment(3), mode(Mode::Open))]).await.unwrap();
    assert_eq!(waiting(&log).await, [1, 3]);
    assert_eq!(bodies(&log).await[1..], [mode(Mode::Paused)]);
    assert!(matches!(log.applied(&id(9), vec![]).await, Err(LogError::UnknownDirective(_))));
    // The id of an applied directive at a new place: it has its place and nothing else.
    let again = protocol::directive::envelope::Draft { cursor: 4.try_into().unwrap(), ..draft(2, cancel("a")) };
    let noted = log.take_in(3.try_into().unwrap(), &[signed(&again)], moment(3)).await.unwrap();
    assert_eq!(noted.cursor.get(), 4);
    assert_eq!(waiting(&log).await, [1, 3]);
}

async fn bad_directives_stop_nobody(log: Log) {
    let mut forged = signed(&draft(1, cancel("a")));
    forged["body"]["requested_by"] = "other".into();
    let elsewhere = protocol::directive::envelope::Draft { backend: "south".parse().unwrap(), ..draft(2, cancel("a")) };
    let late = protocol::directive::envelope::Draft { expires_at: moment(-400), ..draft(3, cancel("a")) };
    let answer = [forged, signed(&elsewhere), signed(&late), Value::Null, signed(&draft(5, cancel("a")))];
    let noted = log.take_in(Cursor::LEAST, &answer, moment(1)).await.unwrap();
    assert_eq!(noted.cursor.get(), 5);
    assert_eq!(waiting(&log).await, [5]);
    use RejectedCode::{BadSignature, Expired, Malformed, WrongBackend};
    assert_eq!(rejected(&bodies(&log).await), [(1, BadSignature), (2, WrongBackend), (3, Expired), (4, Malformed)]);
    // The real one with the id of the forged one is applied: a forger cannot use up ids.
    let real = protocol::directive::envelope::Draft { cursor: 6.try_into().unwrap(), ..draft(1, cancel("a")) };
    log.take_in(5.try_into().unwrap(), &[signed(&real)], moment(1)).await.unwrap();
    assert_eq!(waiting(&log).await, [5, 6]);
}

async fn a_gap_is_asked_again_and_a_second_history_stops(log: Log) {
    let noted = log.take_in(Cursor::LEAST, &[signed(&draft(2, cancel("a")))], moment(1)).await.unwrap();
    assert_eq!((noted.cursor.get(), noted.ask_again), (0, true));
    let both = [signed(&draft(1, cancel("a"))), signed(&draft(2, cancel("a")))];
    log.take_in(Cursor::LEAST, &both, moment(1)).await.unwrap();
    let other = protocol::directive::envelope::Draft { id: id(77), ..draft(1, cancel("b")) };
    let noted = log.take_in(Cursor::LEAST, &[signed(&other), signed(&draft(3, cancel("a")))], moment(1)).await.unwrap();
    assert!(noted.stopped);
    assert_eq!(rejected(&bodies(&log).await), [(1, RejectedCode::CursorConflict)]);
    // It stays stopped, tells it once, and goes on when the operator says so.
    let noted = log.take_in(2.try_into().unwrap(), &[signed(&draft(3, cancel("a")))], moment(1)).await.unwrap();
    assert!(noted.stopped && noted.cursor.get() == 2);
    log.resume_line().await.unwrap();
    let noted = log.take_in(2.try_into().unwrap(), &[signed(&draft(3, cancel("a")))], moment(1)).await.unwrap();
    assert_eq!((noted.cursor.get(), noted.stopped), (3, false));
}

async fn the_ledger_holds_exact_bytes(log: Log) {
    for (n, bytes) in [&b"one"[..], b"", b"\x00\xff"].into_iter().enumerate() {
        log.leaves(moment(n as i64), "POST facts", bytes).await.unwrap();
    }
    let sent = log.sent(1, 9).await.unwrap();
    assert_eq!(sent.iter().map(|one| one.bytes.as_slice()).collect::<Vec<_>>(), [&b"one"[..], b"", b"\x00\xff"]);
    let mut before = None;
    for one in &sent {
        one.check(before).unwrap();
        before = Some(one);
    }
    for changed in [
        backend::log::egress::Sent { bytes: b"two".to_vec(), ..sent[0].clone() },
        backend::log::egress::Sent { at: moment(9), ..sent[0].clone() },
        backend::log::egress::Sent { call: "POST gauges".into(), ..sent[0].clone() },
    ] {
        assert!(changed.check(None).is_err());
    }
    assert_eq!(log.sent(3, 9).await.unwrap().len(), 1);
    assert_eq!(log.verify().await.unwrap().sent, 3);
}

async fn an_epoch_continues_the_one_before(log: Log) {
    log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused))]).await.unwrap();
    let end = log.standing().await.unwrap().head;
    log.new_epoch(&beginning(), protocol::fact::backend::OpenReason::Restored, ContinueAt::Head).await.unwrap();
    log.begin(&beginning()).await.unwrap();
    log.tell("outbox:2", vec![(moment(2), mode(Mode::Open))]).await.unwrap();
    let all = bodies(&log).await;
    let FactBody::Opened(opened) = &all[0] else { panic!("{:?}", all[0]) };
    let continues = opened.continues.as_ref().unwrap();
    assert_eq!((opened.epoch.get(), continues.seq, &continues.hash), (2, end.seq, &end.hash));
    assert_eq!(all.len(), 2);
    assert_eq!(log.verify().await.unwrap().facts, 4);
}

macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod disk {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                super::$case(super::on_disk(folder.path()).await).await;
            })*
        }
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::in_memory(&std::sync::Arc::default()).await).await;
            })*
        }
    };
}
on_both!(
    what_is_told_is_told_once,
    directives_are_applied_once,
    bad_directives_stop_nobody,
    a_gap_is_asked_again_and_a_second_history_stops,
    the_ledger_holds_exact_bytes,
    an_epoch_continues_the_one_before,
);

#[tokio::test]
async fn a_restart_finds_everything_and_two_processes_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let log = on_disk(folder.path()).await;
    log.take_in(Cursor::LEAST, &[signed(&draft(1, cancel("a")))], moment(1)).await.unwrap();
    log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused))]).await.unwrap();
    log.leaves(moment(1), "POST facts", b"x").await.unwrap();
    assert!(matches!(Log::open(folder.path(), who()).await, Err(LogError::Held { .. })));
    let before = log.standing().await.unwrap();
    drop(log);
    let log = on_disk(folder.path()).await;
    assert_eq!(log.standing().await.unwrap(), before);
    assert_eq!(waiting(&log).await, [1]);
    log.tell("outbox:1", vec![(moment(2), mode(Mode::Open))]).await.unwrap();
    assert_eq!(log.standing().await.unwrap().head, before.head);
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::metadata(folder.path().join("backend.sqlite")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

/// A step that is dropped while it is stored leaves all of it or nothing, and the next one goes on from what is the case.
#[tokio::test]
async fn a_dropped_step_is_whole_or_nothing() {
    for polls in 0..4 {
        let shelf: Arc<Memory> = Arc::default();
        let log = in_memory(&shelf).await;
        let mut step = Box::pin(log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused))]));
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| std::task::Poll::Ready(step.as_mut().poll(context)));
            if once.await.is_ready() {
                break;
            }
        }
        drop(step);
        log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused))]).await.unwrap();
        log.tell("outbox:2", vec![(moment(2), mode(Mode::Open))]).await.unwrap();
        assert_eq!(bodies(&log).await[1..], [mode(Mode::Paused), mode(Mode::Open)], "dropped after {polls} polls");
        log.verify().await.unwrap();
    }
}
