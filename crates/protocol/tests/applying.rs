//! What the site makes of facts, as cases: a file of `cases/` holds directives sent, facts in order, and what is the case
//! after each. Spec protocol.md 4.2, 4.3.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::fs;

use common::{golden, room};
use proptest::prelude::*;
use protocol::apply::NotApplied;
use protocol::apply::book::{Book, Outcome};
use protocol::apply::job::Status;
use protocol::directive::{DirectiveBody, DirectiveKind};
use protocol::fact::envelope::Content;
use protocol::fact::parts::Parted;
use protocol::fact::request::{Accepted, Answer, CancelDone, NewJob, Refused};
use protocol::fact::{FactBody, FactKind};
use protocol::text::ids::{JobId, RequestId, Ulid};
use protocol::text::names::ActionName;
use protocol::text::time::Moment;
use serde_json::{Value, json};

fn at(second: u64) -> Moment {
    Moment::from_microseconds(1_800_000_000_000_000 + 1_000_000 * i64::try_from(second).unwrap()).unwrap()
}

fn id(n: u64) -> Ulid {
    Ulid::from_parts(n, 0)
}

/// A line of a case: `sent TYPE BODY` or `fact TYPE BODY -> WORD`. In bodies `$order`, `$job NAME` stand for what is long.
fn filled(text: &str, order: &Value) -> Value {
    let request: RequestId = order["request"].as_str().unwrap().parse().unwrap();
    let mut text = text.replace("$order", &order.to_string()).replace("$request", request.as_str());
    while let Some(start) = text.find("$job(") {
        let end = start + text[start..].find(')').unwrap();
        let action: ActionName = text[start + 5..end].parse().unwrap();
        text.replace_range(start..=end, JobId::of(&request, &action).as_str());
    }
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn word(result: Result<(), NotApplied>) -> String {
    match result {
        Ok(()) => "applied".into(),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn cases() {
    let order = golden()["directives/job_request"][0].clone();
    let mut files: Vec<_> = fs::read_dir(room().join("cases")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let mut book = Book::default();
        for (n, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let place = format!("{}:{}", file.display(), n + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (what, rest) = line.split_once(' ').unwrap();
            match what {
                "sent" => {
                    let (number, rest) = rest.split_once(' ').unwrap();
                    let (kind, body) = rest.split_once(' ').unwrap();
                    let kind = DirectiveKind::named(kind).unwrap();
                    let body =
                        DirectiveBody::read(kind, &filled(body, &order)).unwrap_or_else(|e| panic!("{place}: {e}"));
                    book.sent(&id(number.parse().unwrap()), &body);
                }
                "recovering" => book.recovering = rest == "yes",
                "fact" => {
                    let (rest, expected) = rest.rsplit_once(" -> ").unwrap();
                    let (kind, body) = rest.split_once(' ').unwrap();
                    let kind = FactKind::named(kind).unwrap_or_else(|| panic!("{place}: {kind}"));
                    let body = FactBody::read(kind, &filled(body, &order)).unwrap_or_else(|e| panic!("{place}: {e}"));
                    let before = book.clone();
                    let result = book.apply(&Content { at: at(n as u64), body });
                    assert_eq!(word(result), expected, "{place}");
                    if result.is_err() && result != Err(NotApplied::WrongPart) {
                        assert_eq!(book, before, "{place}: a fact that is not applied changes nothing");
                    }
                }
                "job" => {
                    let (action, expected) = rest.split_once(' ').unwrap();
                    let job = book.jobs.values().find(|job| job.action.as_str() == action).unwrap();
                    let now = match &job.status {
                        Status::Pending(_) => "pending".to_owned(),
                        Status::Running { started, .. } => format!("running {}", started.attempt),
                        Status::Ended { finished, .. } => format!("{:?}", finished.state).to_lowercase(),
                    };
                    assert_eq!(format!("{now}, {} before", job.earlier.len()), expected, "{place}");
                }
                "request" => {
                    let now = book.requests.values().next().map(|request| match request.outcome {
                        Outcome::Sent => "sent",
                        Outcome::Checking(_) => "checking",
                        Outcome::Accepted(_) => "accepted",
                        Outcome::Answered => "answered",
                        Outcome::NothingToDo(_) => "nothing_to_do",
                        Outcome::Refused(_) => "refused",
                    });
                    assert_eq!(now.unwrap_or("unknown"), rest, "{place}");
                }
                other => panic!("{place}: {other}"),
            }
        }
    }
}

fn long_answer(jobs: usize) -> Accepted {
    let order = golden()["directives/job_request"][1].clone();
    let DirectiveBody::JobRequest(mut order) = DirectiveBody::read(DirectiveKind::JobRequest, &order).unwrap() else {
        panic!()
    };
    let names: Vec<ActionName> = (0..jobs).map(|n| format!("action_{n:05}").parse().unwrap()).collect();
    order.requested_actions = names.clone().try_into().unwrap();
    let job = |action: &ActionName| NewJob {
        job: JobId::of(&order.request, action),
        action: action.clone(),
        run_command: format!("python:v2 python analysis/{action}.py").parse().unwrap(),
        db: false,
        pool: protocol::fact::codes::Pool::Other,
        weight: 1.try_into().unwrap(),
        needs: Vec::new().try_into().unwrap(),
    };
    let new: Vec<NewJob> = names.iter().map(job).collect();
    Accepted {
        answer: Answer {
            directive: id(1),
            request: order.request.clone(),
            part: None,
            order: Some(order),
            more_actions: Vec::new().try_into().unwrap(),
        },
        tree: "c0de".repeat(10).parse().unwrap(),
        jobs: new.try_into().unwrap(),
        attached: Vec::new().try_into().unwrap(),
        reused: Vec::new().try_into().unwrap(),
        decisions: Vec::new().try_into().unwrap(),
    }
}

#[test]
fn a_long_answer_is_split_joined_and_applied_at_its_last_part() {
    for (jobs, bytes) in [(1, 1 << 18), (40, 8 << 10), (10_000, 1 << 18)] {
        let whole = long_answer(jobs);
        let parts = whole.clone().split_at(bytes).unwrap();
        assert_eq!(parts.len() == 1, jobs == 1);
        let mut book = Book::default();
        book.sent(&id(1), &whole.answer.order.clone().unwrap().into());
        for (n, part) in parts.iter().enumerate() {
            assert!(book.jobs.is_empty(), "nothing is applied before the last part");
            let body: FactBody = part.clone().into();
            let value = body.write().unwrap();
            assert!(value.to_string().len() <= bytes, "part {n} of {jobs}: {}", value.to_string().len());
            assert_eq!(FactBody::read(FactKind::Accepted, &value).unwrap(), body);
            book.apply(&Content { at: at(0), body }).unwrap();
        }
        assert_eq!(book.jobs.len(), jobs);
        assert_eq!(Accepted::join(parts.clone()).unwrap(), whole);
        if parts.len() > 1 {
            assert!(Accepted::join(parts[1..].to_vec()).is_err());
            assert!(Accepted::join(parts[..parts.len() - 1].to_vec()).is_err());
            let turned: Vec<Accepted> = parts.iter().rev().cloned().collect();
            assert!(Accepted::join(turned).is_err());
            // A part that is missing: what follows is not applied.
            let mut book = Book::default();
            book.sent(&id(1), &whole.answer.order.clone().unwrap().into());
            book.apply(&Content { at: at(0), body: parts[0].clone().into() }).unwrap();
            let mut broken = book.clone();
            let other = json!({"mode": "open"});
            let other = FactBody::read(FactKind::Mode, &other).unwrap();
            broken.apply(&Content { at: at(0), body: other }).unwrap();
            let second = Content { at: at(0), body: parts[1].clone().into() };
            assert_eq!(broken.apply(&second), Err(NotApplied::WrongPart), "another fact stood between them");
            for part in &parts[2..] {
                assert_eq!(book.apply(&Content { at: at(0), body: part.clone().into() }), Err(NotApplied::WrongPart));
            }
        }
    }
    let mut huge = long_answer(1);
    let mut job = huge.jobs[0].clone();
    job.run_command = "x".repeat(60_000).parse().unwrap();
    huge.jobs = vec![job].try_into().unwrap();
    assert!(huge.split_at(32 << 10).is_err(), "one entry is larger than a part");
}

#[test]
fn other_long_facts_are_split_and_joined() {
    let whole = long_answer(300);
    let refused = json!({"answer": serde_json::to_value(&whole.answer).unwrap(), "reason": "project_invalid",
        "faults": (1..200).map(|n| json!({"code": "P205", "line": n, "column": 1})).collect::<Vec<_>>()});
    let refused: Refused = serde_json::from_value(refused).unwrap();
    let parts = refused.clone().split_at(8 << 10).unwrap();
    assert!(parts.len() > 1);
    assert_eq!(Refused::join(parts).unwrap(), refused);
    let actions: serde_json::Map<String, Value> = (0..500).map(|n| (format!("action_{n}"), json!("stopped"))).collect();
    let done = json!({"request": whole.answer.request, "directive": id(2), "actions": actions});
    let done: CancelDone = serde_json::from_value(done).unwrap();
    let parts = done.clone().split_at(8 << 10).unwrap();
    assert!(parts.len() > 1);
    assert_eq!(CancelDone::join(parts).unwrap(), done);
}

/// A job as a naive model has it: does it run, how many attempts began, has it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Naive {
    running: bool,
    began: u64,
    ended: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any facts of a job in any order: those that follow from what is the case are applied, all others change nothing.
    #[test]
    fn a_job_lives_as_the_naive_one(facts in prop::collection::vec((0u8..7, 1u64..4), 0..40)) {
        let whole = long_answer(1);
        let (request, job) = (whole.answer.request.as_str().to_owned(), whole.jobs[0].job.as_str().to_owned());
        let mut book = Book::default();
        book.sent(&id(1), &whole.answer.order.clone().unwrap().into());
        book.apply(&Content { at: at(0), body: whole.into() }).unwrap();
        let mut model = Naive::default();
        for (n, (what, attempt)) in facts.into_iter().enumerate() {
            let mut body = json!({"request": request, "job": job});
            let mut add = |more: Value| body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let (kind, expected) = match what {
                0 => {
                    add(json!({"code": "paused"}));
                    (FactKind::JobWaiting, (!model.running).then_some(model))
                }
                1 => {
                    add(json!({"attempt": attempt, "image": null}));
                    let next = Naive { running: true, began: attempt, ended: false };
                    (FactKind::JobStarted, (!model.running && attempt == model.began + 1).then_some(next))
                }
                2 => {
                    add(json!({"code": "executing"}));
                    (FactKind::JobStage, model.running.then_some(model))
                }
                3 => {
                    add(json!({"code": "waiting_on_reboot"}));
                    (FactKind::JobReset, model.running.then_some(Naive { running: false, ..model }))
                }
                4 => {
                    add(json!({"state": "succeeded", "code": "succeeded", "params": {}, "runtime_s": 1}));
                    (FactKind::JobFinished, model.running.then_some(Naive { running: false, ended: true, ..model }))
                }
                5 => {
                    add(json!({"state": "failed", "code": "dependency_failed", "params": {"blocked_by": [job]}}));
                    (FactKind::JobFinished, (model.began == 0).then_some(Naive { ended: true, ..model }))
                }
                _ => {
                    add(json!({"state": "failed", "code": "killed_by_admin"}));
                    (FactKind::JobFinished, (!model.running).then_some(Naive { ended: true, ..model }))
                }
            };
            let expected = expected.filter(|_| !model.ended);
            let before = book.clone();
            let body = FactBody::read(kind, &body).unwrap();
            let applied = book.apply(&Content { at: at(n as u64), body });
            prop_assert_eq!(applied.is_ok(), expected.is_some(), "{:?} {:?}", model, applied);
            match expected {
                Some(next) => model = next,
                None => prop_assert_eq!(&book, &before),
            }
            let now = book.jobs.values().next().unwrap();
            let (running, ended) = match &now.status {
                Status::Pending(_) => (false, false),
                Status::Running { started, .. } => {
                    prop_assert_eq!(started.attempt.get(), model.began);
                    (true, false)
                }
                Status::Ended { .. } => (false, true),
            };
            prop_assert_eq!((running, ended), (model.running, model.ended));
        }
    }
}
