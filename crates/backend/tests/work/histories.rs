//! Random histories of one backend: orders, cancels, modes, archived workspaces, restarts and kills in any order. Whatever
//! happens, the site's book takes every fact, each order and cancel has one answer, and in the end book and records agree.
//! Spec protocol.md 7.3, 11.

use jobs::local::Desk;
use jobs::schedule::Modes;
use jobs::state::{Kill, Operator};
use protocol::apply::book::Outcome;
use protocol::apply::job::Status;
use protocol::directive::DirectiveBody;
use serde_json::{Value, json};

use crate::rig::{Rig, project};

/// Numbers that look random and are the same for each seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const WORDS: [&str; 8] = ["ok", "ok", "ok", "fail", "hold", "patients", "nothing", "lose"];

fn any_project(chance: &mut Chance) -> String {
    let mut actions: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for (n, name) in NAMES.iter().enumerate() {
        let needs: Vec<_> = NAMES[..n].iter().filter(|_| chance.below(3) == 0).copied().collect();
        actions.push((name, chance.one(&WORDS), needs));
    }
    let actions: Vec<_> = actions.iter().map(|(name, word, needs)| (*name, *word, needs.as_slice())).collect();
    project(&actions)
}

async fn desk(rig: &Rig) -> Desk {
    let by = Operator { who: "uid 0".into(), why: String::new() };
    Desk::of_backend(&rig.folder.path().join("state"), by).await.unwrap().unwrap()
}

async fn live(seed: u64) {
    let mut chance = Chance(seed);
    let mut rig = Rig::new().await;
    let mut yaml = any_project(&mut chance);
    let mut commit = rig.push(&yaml);
    let mut requests: Vec<String> = Vec::new();
    rig.start();
    // The records are there from here on.
    rig.until("it begins", |rig| !rig.facts.is_empty()).await;
    while !rig.folder.path().join("state/state.sqlite").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for _ in 0..25 {
        match chance.below(20) {
            0..=5 => {
                let request = format!("{}{:015}", chance.one(&["a", "b", "c"]), requests.len());
                let mut order = rig.order(&request, &commit, &yaml, &[chance.one(&NAMES), "run_all"]);
                if chance.below(3) > 0 {
                    let one = vec![chance.one(&NAMES).parse().unwrap()];
                    order.requested_actions = one.try_into().unwrap();
                }
                order.force_run_dependencies = chance.below(4) == 0;
                order.stale = (chance.below(3) == 0).then_some(protocol::order::Stale::Rerun);
                order.workspace = chance.one(&["winter-chest", "elsewhere"]).parse().unwrap();
                rig.send(DirectiveBody::JobRequest(order)).await;
                requests.push(request);
            }
            6..=8 if !requests.is_empty() => {
                let request = requests[chance.below(requests.len() as u64) as usize].clone();
                let mut actions = vec![chance.one(&NAMES)];
                if chance.below(6) == 0 {
                    actions.push("z");
                }
                rig.cancel(&request, &actions).await;
            }
            9 => {
                yaml = any_project(&mut chance);
                commit = rig.push(&yaml);
            }
            10 => {
                let body = json!({"name": "elsewhere", "archived": chance.below(2) == 0, "project_retired": false});
                rig.send(DirectiveBody::Workspace(serde_json::from_value(body).unwrap())).await;
            }
            11 | 12 => {
                let desk = desk(&rig).await;
                let flag = chance.one(&[Modes::PAUSED, Modes::DRAINING, Modes::MAINTENANCE]);
                let value = (chance.below(2) == 0).then_some(Modes::MANUAL);
                desk.set(flag, value).await.unwrap();
                desk.close().await.unwrap();
            }
            13 => {
                let desk = desk(&rig).await;
                let open = desk.overview().await.unwrap().open;
                if !open.is_empty() {
                    let job = open[chance.below(open.len() as u64) as usize].id;
                    let kill = if chance.below(2) == 0 { Kill::Fail } else { Kill::Retry };
                    // It may have ended in between.
                    let _ = desk.kill(job, kill).await;
                }
                desk.close().await.unwrap();
            }
            14 => {
                rig.kill().await;
                rig.start();
            }
            15 => {
                rig.end().await;
                rig.start();
            }
            16 => {
                let revision = chance.one(&["project_developer", "project_developer", "project_collaborator"]);
                rig.roster(revision).await;
            }
            _ => tokio::time::sleep(std::time::Duration::from_millis(chance.below(120))).await,
        }
        rig.read().await;
    }
    // Everything may go on, and what holds is let go.
    rig.double.release();
    let open = desk(&rig).await;
    for flag in [Modes::PAUSED, Modes::DRAINING, Modes::MAINTENANCE] {
        open.set(flag, None).await.unwrap();
    }
    rig.until("every order, cancel and job has its end", |rig| {
        let answered = |outcome: &Outcome| !matches!(outcome, Outcome::Sent | Outcome::Checking(_));
        rig.book.requests.values().all(|request| answered(&request.outcome))
            && rig.book.cancels.values().all(|cancel| cancel.done.is_some())
            && rig.book.jobs.values().all(|job| job.ended().is_some())
    })
    .await;
    let mut checked = 0;
    for (id, job) in &rig.book.jobs {
        let (stored, attempts) = open.job(id.as_str().parse().unwrap()).await.unwrap();
        let Status::Ended { finished, ran, .. } = &job.status else { panic!() };
        let told: Value = serde_json::to_value(&finished.how).unwrap();
        assert_eq!(told["code"], json!(stored.status.code), "{id}");
        let tried = job.earlier.len() + usize::from(ran.is_some());
        assert_eq!(tried, attempts.len(), "{id}: every attempt was told");
        checked += 1;
    }
    assert_eq!(open.overview().await.unwrap().open.len(), 0);
    assert_eq!(open.newest(10_000).await.unwrap().len(), checked, "no job is without its facts");
    open.close().await.unwrap();
    rig.end().await;
    assert_eq!(std::fs::read_dir(rig.high("volumes")).unwrap().count(), 0, "nothing is left of any sandbox");
}

/// `CLOISTER_HISTORIES=FIRST..LAST` for more of them.
fn seeds() -> std::ops::Range<u64> {
    let text = std::env::var("CLOISTER_HISTORIES").unwrap_or_else(|_| "0..4".to_owned());
    let (first, last) = text.split_once("..").unwrap();
    first.parse().unwrap()..last.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn book_and_records_agree_after_any_history() {
    let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(3));
    let mut lives = tokio::task::JoinSet::new();
    for seed in seeds() {
        let turns = turns.clone();
        lives.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            (seed, tokio::spawn(live(seed)).await)
        });
    }
    let mut wrong = Vec::new();
    while let Some(lived) = lives.join_next().await {
        let (seed, lived) = lived.unwrap();
        if let Err(fault) = lived {
            let words = fault.into_panic();
            let words = words.downcast_ref::<String>().cloned().unwrap_or_default();
            wrong.push(format!("history {seed}: {}", words.chars().take(6000).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
