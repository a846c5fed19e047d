//! Random events against a model of the state that is nothing but maps (spec jobs.md 25). Before any event the state may
//! be dropped and opened again, as after a kill.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;

use common::store::{Store, at, claim, definition, done, name, names, request_of};
use jobs::state::{Attempt, AttemptEnd, NewJob, StateError, Status};
use jobs::{JobId, Pin, PinnedNeed, StatusCode};
use proptest::prelude::*;

const ACTIONS: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Debug, Clone)]
enum Event {
    /// Plans these actions; bit `i` of `needs` says whether the one before is needed.
    Plan {
        actions: u8,
        needs: u8,
    },
    Claim(usize),
    Stage(usize, StatusCode),
    Wait(usize, StatusCode),
    PutBack(usize, StatusCode),
    Finish(usize, StatusCode),
    /// By an attempt that may be an old one.
    FinishOld(usize),
    Cancel(usize),
    /// All jobs of the request that this one belongs to.
    CancelAll(usize),
    GiveUp(usize, StatusCode),
    Interrupt,
    Reopen,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    use StatusCode as C;
    let code = |codes: &'static [C]| proptest::sample::select(codes);
    const ANY: &[C] = C::ALL;
    const FINAL: &[C] =
        &[C::Succeeded, C::Succeeded, C::NonzeroExit, C::UnmatchedPatterns, C::CancelledByUser, C::JobError];
    const RESET: &[C] = &[C::WaitingOnNewTask, C::WaitingOnReboot, C::WaitingDbMaintenance, C::Paused];
    let event = prop_oneof![
        4 => (any::<u8>(), any::<u8>()).prop_map(|(actions, needs)| Event::Plan { actions, needs }),
        8 => any::<usize>().prop_map(Event::Claim),
        8 => (any::<usize>(), code(&[C::Preparing, C::Executing, C::Executing, C::Executed])).prop_map(|(i, c)| Event::Stage(i, c)),
        2 => (any::<usize>(), code(ANY)).prop_map(|(i, c)| Event::Stage(i, c)),
        2 => (any::<usize>(), code(ANY)).prop_map(|(i, c)| Event::Wait(i, c)),
        2 => (any::<usize>(), code(RESET)).prop_map(|(i, c)| Event::PutBack(i, c)),
        8 => (any::<usize>(), code(FINAL)).prop_map(|(i, c)| Event::Finish(i, c)),
        2 => any::<usize>().prop_map(Event::FinishOld),
        3 => any::<usize>().prop_map(Event::Cancel),
        2 => any::<usize>().prop_map(Event::CancelAll),
        1 => (any::<usize>(), code(ANY)).prop_map(|(i, c)| Event::GiveUp(i, c)),
        1 => Just(Event::Interrupt),
        1 => Just(Event::Reopen),
    ];
    proptest::collection::vec(event, 1..40)
}

struct ModelJob {
    id: JobId,
    request: u8,
    action: &'static str,
    pins: Vec<JobId>,
    code: StatusCode,
    cancelled: bool,
    fence: i64,
    outputs: usize,
    attempts: Vec<Attempt>,
}

#[derive(Default)]
struct Model {
    jobs: Vec<ModelJob>,
    requests: u8,
}

impl Model {
    fn pick(&mut self, i: usize) -> Option<&mut ModelJob> {
        let n = self.jobs.len();
        if n == 0 { None } else { self.jobs.get_mut(i % n) }
    }
    fn code(&self, id: JobId) -> StatusCode {
        self.jobs.iter().find(|job| job.id == id).unwrap().code
    }
    fn latest(&self, action: &str) -> Option<&ModelJob> {
        self.newest(action, |_| true)
    }
    fn newest(&self, action: &str, also: impl Fn(&ModelJob) -> bool) -> Option<&ModelJob> {
        self.jobs.iter().rev().find(|job| job.action == action && !job.cancelled && also(job))
    }
    /// Every pending job that reaches a failed one through pins fails.
    fn fail_dependants(&mut self) {
        loop {
            let doomed = self.jobs.iter().position(|job| {
                job.code.state() == jobs::JobState::Pending
                    && job.pins.iter().any(|pin| self.code(*pin).state() == jobs::JobState::Failed)
            });
            let Some(i) = doomed else { return };
            self.jobs[i].code = StatusCode::DependencyFailed;
        }
    }
}

async fn play(events: Vec<Event>) {
    let mut store = Store::new().await;
    let mut model = Model::default();
    for (step, event) in events.into_iter().enumerate() {
        let now = at(100 + step as i64);
        match event {
            Event::Plan { actions, needs } => {
                model.requests += 1;
                let request = request_of(model.requests);
                let chosen: Vec<_> =
                    ACTIONS.iter().enumerate().filter(|(i, _)| actions >> i & 1 == 1).map(|(_, a)| *a).collect();
                let mut new = Vec::new();
                for (i, action) in chosen.iter().enumerate() {
                    let mut pins = Vec::new();
                    if i > 0 && needs >> i & 1 == 1 {
                        pins.push(PinnedNeed { action: name(chosen[i - 1]), pin: Pin::New });
                    }
                    // And an earlier job of the next action, if it has one that did not fail.
                    let other = ACTIONS[(i + 1) % ACTIONS.len()];
                    let earlier = model.latest(other).filter(|j| j.code.state() != jobs::JobState::Failed);
                    if let Some(job) = earlier.filter(|_| needs >> (4 + i) & 1 == 1) {
                        pins.push(PinnedNeed { action: name(other), pin: Pin::Existing(job.id) });
                    }
                    new.push(NewJob { definition: definition(action), pins });
                }
                let seen = store.state.latest_jobs(&request.workspace, &names(&ACTIONS)).await.unwrap();
                store.state.record_plan(&request, &new, &seen, now).await.unwrap();
                for (job, action) in new.iter().zip(&chosen) {
                    let id = |action: &pipeline::ActionName| JobId::of(&request.id, action);
                    let pin = |p: &PinnedNeed| if let Pin::Existing(job) = p.pin { job } else { id(&p.action) };
                    model.jobs.push(ModelJob {
                        id: id(&job.definition.action),
                        request: model.requests,
                        action,
                        pins: job.pins.iter().map(pin).collect(),
                        code: StatusCode::Created,
                        cancelled: false,
                        fence: 0,
                        outputs: 0,
                        attempts: vec![],
                    });
                }
            }
            Event::Claim(i) => {
                let Some((id, pins, code)) = model.pick(i).map(|j| (j.id, j.pins.clone(), j.code)) else { continue };
                let ready = code.state() == jobs::JobState::Pending
                    && pins.iter().all(|pin| model.code(*pin) == StatusCode::Succeeded);
                let claimed = store.state.claim(id, &claim(), now).await;
                assert_eq!(claimed.is_ok(), ready, "{claimed:?}");
                if let Ok(attempt) = claimed {
                    let job = model.pick(i).unwrap();
                    (job.code, job.fence) = (StatusCode::Initiated, job.fence + 1);
                    assert_eq!((attempt.fence, attempt.id.number as usize), (job.fence, job.attempts.len() + 1));
                    job.attempts.push(attempt);
                }
            }
            Event::Stage(i, code) => {
                let Some(job) = model.pick(i) else { continue };
                let Some(attempt) = job.attempts.last() else { continue };
                let running = job.code.state() == jobs::JobState::Running && code.state() == jobs::JobState::Running;
                let may = running && (job.code == code || job.code.may_become(code));
                let did = store.state.set_stage(attempt, &Status::new(code, "x"), now).await;
                assert_eq!(did.is_ok(), may, "{did:?}");
                if may {
                    job.code = code;
                }
            }
            Event::Wait(i, code) => {
                let Some(job) = model.pick(i) else { continue };
                let pending = job.code.state() == jobs::JobState::Pending && code.state() == jobs::JobState::Pending;
                let may = pending && (job.code == code || job.code.may_become(code));
                let did = store.state.set_code(job.id, &Status::new(code, "x"), now).await;
                assert_eq!(did.is_ok(), may, "{did:?}");
                if may {
                    job.code = code;
                }
            }
            Event::PutBack(i, code) => {
                let Some(job) = model.pick(i) else { continue };
                let Some(attempt) = job.attempts.last().cloned() else { continue };
                let may = job.code.state() == jobs::JobState::Running && code.is_reset();
                let did = store.state.put_back(&attempt, &Status::new(code, "x"), &AttemptEnd::default(), now).await;
                assert_eq!(did.is_ok(), may, "{did:?}");
                if may {
                    job.code = if job.cancelled { StatusCode::CancelledByUser } else { code };
                    model.fail_dependants();
                }
            }
            Event::Finish(i, code) => {
                let Some(job) = model.pick(i) else { continue };
                let Some(attempt) = job.attempts.last().cloned() else { continue };
                let end = if job.cancelled { StatusCode::CancelledByUser } else { code };
                let may = job.code.state() == jobs::JobState::Running && job.code.may_become(end);
                let did = store.state.finish(&attempt, &done(code, &["o.csv", "p.csv"]), now).await;
                assert_eq!(did.is_ok(), may, "{did:?}");
                if may {
                    assert_eq!(did.unwrap().code, end);
                    job.code = end;
                    job.cancelled |= end == StatusCode::CancelledByUser;
                    job.outputs = if job.cancelled { 0 } else { 2 };
                    model.fail_dependants();
                }
            }
            Event::FinishOld(i) => {
                let Some(job) = model.pick(i) else { continue };
                let Some(attempt) = job.attempts.first().cloned().filter(|a| a.fence != job.fence) else { continue };
                let did = store.state.finish(&attempt, &done(StatusCode::Succeeded, &["old.csv"]), now).await;
                assert!(matches!(did, Err(StateError::OldFence { .. })), "{did:?}");
            }
            Event::Cancel(i) => {
                let Some((request, action)) = model.pick(i).map(|job| (job.request, job.action)) else { continue };
                store.state.cancel(request_of(request).id, &names(&[action]), now).await.unwrap();
                let job = model.pick(i).unwrap();
                if job.code.state().is_active() {
                    job.cancelled = true;
                }
                if job.code.state() == jobs::JobState::Pending {
                    job.code = StatusCode::CancelledByUser;
                }
                model.fail_dependants();
            }
            Event::CancelAll(i) => {
                let Some(request) = model.pick(i).map(|job| job.request) else { continue };
                let of_request = model.jobs.iter_mut().filter(|job| job.request == request);
                let mut actions = Vec::new();
                for job in of_request {
                    actions.push(job.action);
                    job.cancelled |= job.code.state().is_active();
                    if job.code.state() == jobs::JobState::Pending {
                        job.code = StatusCode::CancelledByUser;
                    }
                }
                store.state.cancel(request_of(request).id, &names(&actions), now).await.unwrap();
                model.fail_dependants();
            }
            Event::GiveUp(i, code) => {
                let Some(job) = model.pick(i) else { continue };
                let may = job.code.state() == jobs::JobState::Pending
                    && !code.state().is_active()
                    && job.code.may_become(code);
                let did = store.state.give_up(job.id, &Status::new(code, "x"), now).await;
                assert_eq!(did.is_ok(), may, "{did:?}");
                if may {
                    job.code = code;
                    job.cancelled |= code == StatusCode::CancelledByUser;
                    model.fail_dependants();
                }
            }
            Event::Interrupt => {
                let open: Vec<_> = model.jobs.iter().filter(|j| j.code.state().is_active()).map(|j| j.id).collect();
                assert_eq!(store.state.interrupt_leftovers(now).await.unwrap(), open);
                for job in model.jobs.iter_mut().filter(|job| job.code.state().is_active()) {
                    (job.code, job.cancelled) = (StatusCode::CancelledByUser, true);
                }
            }
            Event::Reopen => store = store.reopen().await,
        }
    }
    agree(&store, &model).await;
}

async fn agree(store: &Store, model: &Model) {
    let mut open = Vec::new();
    let mut last_change: BTreeMap<JobId, i64> = BTreeMap::new();
    for expected in &model.jobs {
        let job = store.state.job(expected.id).await.unwrap();
        assert_eq!((job.status.code, job.fence), (expected.code, expected.fence), "{}", expected.action);
        assert_eq!(job.pins.iter().map(|pin| pin.job).collect::<Vec<_>>(), expected.pins);
        assert_eq!(job.times.completed_at.is_some(), !expected.code.state().is_active());
        match job.state() {
            jobs::JobState::Pending => assert_eq!(job.times.started_at, None),
            jobs::JobState::Running | jobs::JobState::Succeeded => assert!(job.times.started_at.is_some()),
            jobs::JobState::Failed => {}
        }
        let outputs = store.state.outputs_of(&[job.id]).await.unwrap();
        assert_eq!(outputs.get(&job.id).map_or(0, Vec::len), expected.outputs);
        if expected.code.state().is_active() {
            open.push(job.id);
        }
        last_change.insert(job.id, job.times.status_code_updated_at);
    }
    assert_eq!(store.state.open_jobs().await.unwrap().iter().map(|job| job.id).collect::<Vec<_>>(), open);
    let latest = store.state.latest_jobs(&request_of(1).workspace, &names(&ACTIONS)).await.unwrap();
    let ended = store.state.latest_ended_jobs(&request_of(1).workspace, &names(&ACTIONS)).await.unwrap();
    for action in ACTIONS {
        let newest_ended = model.newest(action, |job| !job.code.state().is_active());
        assert_eq!(ended.rows.get(&name(action)).map(|row| row.job), newest_ended.map(|job| job.id), "{action}");
        let stored = latest.rows.get(&name(action)).map(|row| (row.job, row.code));
        assert_eq!(stored, model.latest(action).map(|job| (job.id, job.code)), "{action}");
    }
    store.state.verify_chain().await.unwrap();
    // The last message of each job tells where it stands.
    let told: BTreeMap<String, (String, i64)> = store
        .state
        .outgoing(100_000)
        .await
        .unwrap()
        .into_iter()
        .filter(|message| message.kind == "job.state")
        .map(|m| {
            let text = |key: &str| m.body[key].as_str().unwrap().to_owned();
            (text("job"), (text("code"), m.body["at_ns"].as_i64().unwrap()))
        })
        .collect();
    for job in &model.jobs {
        if let Some((code, at_ns)) = told.get(&job.id.to_string()) {
            assert_eq!((code.as_str(), *at_ns), (job.code.as_str(), last_change[&job.id]));
        } else {
            assert_eq!(job.code, StatusCode::Created);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 300, ..ProptestConfig::default() })]
    #[test]
    fn the_state_is_what_the_events_make_of_it(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(events));
    }
}
