//! Random histories of two backends: the tables say what a simple model says, and `rebuild` makes the same bytes.
//! Spec site.md 1 (4), 2.4, 20 (2).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::collections::BTreeMap;

use common::{North, Rig, accepted, from, job_fact, request_id, started};
use proptest::prelude::*;
use protocol::fact::FactBody;
use protocol::order::Order;
use protocol::text::ids::Ulid;
use serde_json::json;
use sqlx::AssertSqlSafe;

const ACTIONS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

#[derive(Debug, Clone, PartialEq)]
enum JobNow {
    Pending,
    Running { since: i64 },
    Ended { code: &'static str, started: Option<i64>, ended: i64, runtime: Option<i64> },
}

#[derive(Debug)]
struct ModelJob {
    request: i64,
    backend: usize,
    action: String,
    now: JobNow,
    attempts: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum Answer {
    None,
    Jobs,
    Said(&'static str, &'static str),
}

#[derive(Default, Debug)]
struct Model {
    requests: BTreeMap<i64, Answer>,
    jobs: Vec<ModelJob>,
}

/// The words of site.md 2.4, told the long way round.
fn expected(model: &Model, number: i64) -> (String, Option<String>, bool, i64, Option<i64>, Option<i64>) {
    let jobs: Vec<&JobNow> = model.jobs.iter().filter(|job| job.request == number).map(|job| &job.now).collect();
    let started = jobs.iter().filter_map(|job| match job {
        JobNow::Running { since } => Some(*since),
        JobNow::Ended { started, .. } => *started,
        JobNow::Pending => None,
    });
    let first = started.min();
    let mut runtime = 0;
    let mut last = None;
    let (mut all_pending, mut all_succeeded, mut all_ended) = (true, true, true);
    let (mut any_failed, mut only_cancelled) = (false, true);
    for job in &jobs {
        match job {
            JobNow::Pending => (all_succeeded, all_ended) = (false, false),
            JobNow::Running { .. } => (all_pending, all_succeeded, all_ended) = (false, false, false),
            JobNow::Ended { code, ended, runtime: seconds, .. } => {
                all_pending = false;
                runtime += seconds.unwrap_or(0);
                last = last.max(Some(*ended));
                if *code != "succeeded" {
                    all_succeeded = false;
                    any_failed = true;
                    only_cancelled &= *code == "cancelled_by_user";
                }
            }
        }
    }
    match &model.requests[&number] {
        Answer::None => ("pending".into(), None, false, 0, None, None),
        Answer::Said(status, reason) => ((*status).into(), Some((*reason).into()), false, 0, None, None),
        Answer::Jobs if all_pending => ("pending".into(), None, false, runtime, first, None),
        Answer::Jobs if all_succeeded => ("succeeded".into(), None, false, runtime, first, last),
        Answer::Jobs if all_ended && any_failed => {
            ("failed".into(), Some("job_failure".into()), only_cancelled, runtime, first, last)
        }
        Answer::Jobs => ("running".into(), None, false, runtime, first, None),
    }
}

struct World {
    rig: Rig,
    norths: Vec<North>,
    waiting: [Vec<(i64, FactBody)>; 2],
    orders: Vec<(i64, usize, Ulid, Order)>,
    model: Model,
    now: i64,
}

impl World {
    async fn new() -> Self {
        let rig = Rig::new().await;
        let norths = vec![rig.backend("north").await, rig.backend("south").await];
        Self { rig, norths, waiting: [Vec::new(), Vec::new()], orders: Vec::new(), model: Model::default(), now: 0 }
    }

    fn tell(&mut self, backend: usize, body: FactBody) {
        self.waiting[backend].push((self.now, body));
    }

    async fn flush(&mut self) {
        for backend in [0, 1] {
            let facts = std::mem::take(&mut self.waiting[backend]);
            self.rig.site.clock.advance(1);
            if !facts.is_empty() {
                self.rig.tell(&mut self.norths[backend], facts).await;
            }
        }
    }

    async fn step(&mut self, what: u8, which: u16, how: u8) {
        self.now += i64::from(how % 7);
        match what % 8 {
            0 | 1 => self.request(usize::from(which) % 2, how).await,
            2..=5 => self.job(usize::from(which), how),
            6 => self.other(usize::from(which), how).await,
            _ => self.flush().await,
        }
    }

    async fn request(&mut self, backend: usize, how: u8) {
        let number = 1 + i64::try_from(self.orders.len()).unwrap();
        let actions: Vec<&str> = ACTIONS.iter().take(1 + usize::from(how % 4)).copied().collect();
        let (directive, order) = self.rig.request(&self.norths[backend], number, &actions).await;
        let answer = json!({"directive": directive, "request": order.request, "order": order});
        let (fact, now) = match how / 4 % 8 {
            0 => (None, Answer::None),
            1 => {
                let fact = json!({"answer": answer, "reason": "not_permitted"});
                (Some(FactBody::Refused(from(fact))), Answer::Said("failed", "not_permitted"))
            }
            2 => {
                let fact = json!({"answer": answer, "reason": "all_succeeded"});
                (Some(FactBody::NothingToDo(from(fact))), Answer::Said("nothing_to_do", "all_succeeded"))
            }
            3 => {
                let fact = json!({"answer": answer, "tree": "ab".repeat(20)});
                (Some(FactBody::Accepted(from(fact))), Answer::Said("nothing_to_do", "all_succeeded"))
            }
            4 => {
                let fact = json!({"request": order.request, "reason": "code_unreachable", "since": common::at(self.now).to_string()});
                (Some(FactBody::Checking(from(fact))), Answer::Said("pending", "code_unreachable"))
            }
            _ => {
                for action in &actions {
                    let action = (*action).to_owned();
                    self.model.jobs.push(ModelJob {
                        request: number,
                        backend,
                        action,
                        now: JobNow::Pending,
                        attempts: 0,
                    });
                }
                (Some(accepted(&directive, &order)), Answer::Jobs)
            }
        };
        if let Some(fact) = fact {
            self.tell(backend, fact);
        }
        self.model.requests.insert(number, now);
        self.orders.push((number, backend, directive, order));
    }

    fn job(&mut self, which: usize, how: u8) {
        let count = self.model.jobs.len();
        let at = self.now_micros();
        let Some(job) = self.model.jobs.get_mut(which % count.max(1)) else { return };
        let (request, backend, action) = (job.request, job.backend, job.action.clone());
        let ran = |since: i64| (at - since).max(0) / 1_000_000;
        let end = |code: &str, params: serde_json::Value, runtime: Option<i64>| {
            let state = if code == "succeeded" { "succeeded" } else { "failed" };
            let mut more = json!({"state": state, "code": code, "params": params});
            if params.is_null() {
                more.as_object_mut().unwrap().remove("params");
            }
            if let Some(runtime) = runtime {
                more["runtime_s"] = json!(runtime);
            }
            job_fact("job.finished", request, &action, more)
        };
        let fact = match (&job.now, how % 6) {
            (JobNow::Pending, 0) => {
                let more = json!({"code": "waiting_on_workers", "params": {"pool": "other", "weight": 1}});
                job_fact("job.waiting", request, &action, more)
            }
            (JobNow::Pending, 1) => {
                let runtime = (job.attempts > 0).then_some(4);
                job.now = JobNow::Ended { code: "cancelled_by_user", started: None, ended: at, runtime };
                end("cancelled_by_user", json!({}), runtime)
            }
            (JobNow::Pending, _) => {
                job.attempts += 1;
                job.now = JobNow::Running { since: at };
                started(request, &action, job.attempts)
            }
            (JobNow::Running { .. }, 0) => job_fact("job.stage", request, &action, json!({"code": "executing"})),
            (JobNow::Running { .. }, 1) => {
                job.now = JobNow::Pending;
                job_fact("job.reset", request, &action, json!({"code": "waiting_on_reboot"}))
            }
            (JobNow::Running { since }, 2) => {
                let (since, runtime) = (*since, ran(*since));
                job.now =
                    JobNow::Ended { code: "nonzero_exit", started: Some(since), ended: at, runtime: Some(runtime) };
                end("nonzero_exit", json!({"exit": "killed"}), Some(runtime))
            }
            (JobNow::Running { since }, 3) => {
                let (since, runtime) = (*since, ran(*since));
                job.now = JobNow::Ended {
                    code: "cancelled_by_user",
                    started: Some(since),
                    ended: at,
                    runtime: Some(runtime),
                };
                end("cancelled_by_user", json!({"by": "sample-r"}), Some(runtime))
            }
            (JobNow::Running { since }, _) => {
                let (since, runtime) = (*since, ran(*since));
                job.now = JobNow::Ended { code: "succeeded", started: Some(since), ended: at, runtime: Some(runtime) };
                end("succeeded", json!({}), Some(runtime))
            }
            // What ended never changes: kept apart.
            (JobNow::Ended { .. }, 0) => started(request, &action, 1),
            (JobNow::Ended { .. }, _) => end("killed_by_admin", serde_json::Value::Null, None),
        };
        self.tell(backend, fact);
    }

    fn now_micros(&self) -> i64 {
        common::at(self.now).microseconds()
    }

    async fn other(&mut self, which: usize, how: u8) {
        match how % 4 {
            0 if !self.orders.is_empty() => {
                let (_, backend, _, order) = self.orders[which % self.orders.len()].clone();
                let directive = self.rig.cancel(&self.norths[backend], &order, &["alpha"]).await;
                let done =
                    json!({"request": order.request, "directive": directive, "actions": {"alpha": "already_finished"}});
                self.tell(backend, FactBody::CancelDone(from(done)));
            }
            1 => {
                let mode = ["paused", "db_maintenance"][which % 2];
                self.tell(which / 2 % 2, FactBody::Mode(from(json!({"mode": mode, "kind": "manual"}))));
            }
            2 => {
                let release = Ulid::from_parts(1, u128::try_from(which % 3).unwrap());
                let body = json!({"release": release, "workspace": "winter-chest", "envelope_sha256": "ab".repeat(32), "files": 2});
                let fact = match how / 4 % 3 {
                    0 => FactBody::ReleaseDeclared(from(body)),
                    1 => FactBody::ReleaseCompleted(from(body)),
                    _ => FactBody::ReleaseRecalled(from(body)),
                };
                self.tell(which % 2, fact);
            }
            _ => {
                // Another backend's request: kept apart.
                let fact = json!({"request": request_id(999), "reason": "image_unreachable", "since": common::at(1).to_string()});
                self.tell(which % 2, FactBody::Checking(from(fact)));
            }
        }
    }

    async fn check(&self) {
        let readers = self.rig.site.store.readers();
        type Row = (i64, String, Option<String>, bool, i64, Option<i64>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT number, status, reason, cancelled, runtime_s, first_started_at, last_finished_at FROM job_request",
        )
        .fetch_all(readers)
        .await
        .unwrap();
        assert_eq!(rows.len(), self.model.requests.len());
        for (number, status, reason, cancelled, runtime, first, last) in rows {
            assert_eq!(
                (status, reason, cancelled, runtime, first, last),
                expected(&self.model, number),
                "request {number}"
            );
        }
        // The newest of each action, and what came after a failed one.
        let rows: Vec<(i64, String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT backend, action, job, coalesce(planned, '-'), succeeded FROM last_job ORDER BY 1, 2",
        )
        .fetch_all(readers)
        .await
        .unwrap();
        let mut naive = Vec::new();
        for backend in 0..2 {
            let mut actions = ACTIONS;
            actions.sort_unstable();
            for action in actions {
                let mut of: Vec<&ModelJob> =
                    self.model.jobs.iter().filter(|job| job.backend == backend && job.action == action).collect();
                of.sort_by_key(|job| std::cmp::Reverse(job.request));
                let id = |job: &&ModelJob| common::job_id(job.request, &job.action).to_string();
                let code = |job: &&ModelJob| if let JobNow::Ended { code, .. } = job.now { code } else { "" };
                let Some(first) = of.first() else { continue };
                let planned = of.iter().find(|job| code(job) != "cancelled_by_user").map_or("-".into(), id);
                let succeeded = of.iter().find(|job| code(job) == "succeeded").map(id);
                naive.push((i64::try_from(backend).unwrap() + 1, action.to_owned(), id(first), planned, succeeded));
                for pair in of.windows(2) {
                    let failed = !["", "succeeded"].contains(&code(&pair[1]));
                    let (after,): (Option<String>,) =
                        sqlx::query_as("SELECT superseded_by FROM job WHERE identifier = ?")
                            .bind(id(&pair[1]))
                            .fetch_one(readers)
                            .await
                            .unwrap();
                    assert_eq!(after, failed.then(|| id(&pair[0])));
                }
            }
        }
        assert_eq!(rows, naive);
    }
}

/// Every row that facts make or change, as text.
async fn dump(rig: &Rig) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "backend",
        "backend_fact",
        "directive",
        "job_request",
        "requested_action",
        "decision",
        "job",
        "job_attempt",
        "job_need",
        "kept_job",
        "last_job",
        "cancellation",
        "backend_release",
        "request_words",
    ] {
        let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(rig.site.store.readers())
            .await
            .unwrap();
        let columns: Vec<String> = columns.into_iter().map(|(name,)| format!("quote({name})")).collect();
        let sql = format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || '|' || "));
        let rows: Vec<(String,)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(rig.site.store.readers()).await.unwrap();
        all.extend(rows.into_iter().map(|(row,)| format!("{table}: {row}")));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn tables_are_what_the_model_says_and_rebuild_makes_them_again(steps in prop::collection::vec(any::<(u8, u16, u8)>(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for (what, which, how) in steps {
                world.step(what, which, how).await;
            }
            world.flush().await;
            world.check().await;
            let before = dump(&world.rig).await;
            let rebuilt = site::facts::rebuild(&world.rig.site).await.unwrap();
            let facts: i64 = world.rig.one("SELECT count(*) FROM backend_fact").await;
            assert_eq!(rebuilt.facts, u64::try_from(facts).unwrap());
            let after = dump(&world.rig).await;
            for (old, new) in before.iter().zip(&after) {
                assert_eq!(old, new);
            }
            assert_eq!(before.len(), after.len());
        });
    }
}

/// One batch or many, the tables are the same.
#[tokio::test]
async fn a_rebuild_mends_what_was_damaged() {
    let mut world = World::new().await;
    for n in 0..60u16 {
        world.step(u8::try_from(n % 8).unwrap(), n * 7, u8::try_from(n * 3 % 250).unwrap()).await;
    }
    world.flush().await;
    let before = dump(&world.rig).await;
    world.rig.run("UPDATE job SET status = 'failed', code = 'x'; DELETE FROM last_job; UPDATE job_request SET runtime_s = 99, status = 'unknown';
        DELETE FROM job_attempt; UPDATE backend SET mode = NULL").await;
    assert_ne!(dump(&world.rig).await, before);
    site::facts::rebuild(&world.rig.site).await.unwrap();
    assert_eq!(dump(&world.rig).await, before);
}
