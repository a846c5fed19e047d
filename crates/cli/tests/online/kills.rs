//! `kill -9` of site and backend at random instants while requests come in and jobs run. Afterwards nothing is lost and
//! nothing doubled, and both records say the same. Spec protocol.md 7.3.
//! `CLOISTER_ONLINE_KILLS` says how many; `scripts/soak` asks for 300.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::rig::{House, can_isolate, said, until};
use crate::tables::{number, rows};

const IN_CI: usize = 12;

const ACTIONS: &str = "  first:
    run: python:v2 analysis/work.py first
    outputs:
      moderately_sensitive: {o: output/first.txt}
  second:
    needs: [first]
    run: python:v2 analysis/work.py second
    outputs:
      moderately_sensitive: {o: output/second.txt}
  fails:
    run: python:v2 analysis/work.py fails
    outputs:
      moderately_sensitive: {o: output/fails.txt}
";

const WORK: &str = "import sys, time\n\
    time.sleep(0.2)\n\
    if sys.argv[1] == 'fails':\n    sys.exit(3)\n\
    open(f'output/{sys.argv[1]}.txt', 'w').write('done')\n";

/// Places of an attempt (spec jobs.md 9) at which every third kill of the backend is aimed: a job can be caught between
/// its start and its sandbox only there.
const PLACES: [&str; 14] = [
    "claim.after",
    "launch.before",
    "prepare.after",
    "launch.after",
    "result.before",
    "plan.after",
    "collect.inside",
    "publish.before",
    "exit.after",
    "claim.before",
    "prepare.before",
    "result.after",
    "publish.after",
    "plan.before",
];

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Asks until the site has answered, as a program does that must know its request's number.
fn request(house: &mut House, chance: &mut Chance, workspace: &str, killed: &mut usize) -> i64 {
    // The answer may be lost behind the commit: a kill while it is asked.
    if chance.below(3) == 0 {
        let wait = Duration::from_millis(chance.below(60));
        let asked = std::thread::scope(|scope| {
            let (at, headers, body) = house.asking(workspace, &["run_all"]);
            let asking = scope.spawn(move || crate::wire::ask(at, "POST", "/api/v1/job-requests", &headers, &body));
            std::thread::sleep(wait);
            house.kill_site();
            asking.join().unwrap()
        });
        *killed += 1;
        house.start_site();
        if let Ok(answer) = asked
            && matches!(answer.status, 200 | 201)
        {
            return answer.json()["number"].as_i64().unwrap();
        }
    }
    let mut number = None;
    until("the site answers", 60, || {
        number = house.request(workspace, &["run_all"]);
        number.is_some()
    });
    number.unwrap()
}

#[test]
fn nothing_is_lost_or_doubled_by_kills() {
    if !can_isolate() {
        return;
    }
    let kills: usize = std::env::var("CLOISTER_ONLINE_KILLS").ok().map_or(IN_CI, |count| count.parse().unwrap());
    let seed = std::env::var("CLOISTER_SEED").ok().map_or(20_260_101, |seed| seed.parse().unwrap());
    let mut chance = Chance(seed);
    let workspaces: Vec<String> = (0..kills).map(|n| format!("kills-{n}")).collect();
    let mut house = House::of(ACTIONS, &[("analysis/work.py", WORK)], &workspaces);
    house.start_site();
    house.enrol(house.site_at);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    let (mut of_site, mut of_backend, mut aimed, mut at_places) = (0, 0, 0, 0);
    let mut asked: BTreeMap<i64, String> = BTreeMap::new();
    let mut names = workspaces.iter();
    while of_site + of_backend < kills {
        // One request for every two kills or so: some are still on their way when the next one comes.
        if chance.below(2) == 0
            && let Some(name) = names.next()
        {
            let number = request(&mut house, &mut chance, name, &mut of_site);
            let before = asked.insert(number, name.clone());
            assert_eq!(before, None, "two requests are one");
        }
        std::thread::sleep(Duration::from_millis(chance.below(1500)));
        let which = chance.below(5);
        if which != 0 {
            house.kill_backend();
            of_backend += 1;
            if of_backend % 3 == 1 {
                // Work that is new to it, so that it passes there.
                if let Some(name) = names.next() {
                    let number = request(&mut house, &mut chance, name, &mut of_site);
                    assert_eq!(asked.insert(number, name.clone()), None, "two requests are one");
                }
                let place = PLACES[aimed % PLACES.len()];
                at_places += usize::from(house.backend_dies_at(place, Duration::from_secs(5)));
                aimed += 1;
                of_backend += 1;
            }
        }
        if which < 2 {
            house.kill_site();
            of_site += 1;
            // How long it stays away; the backend may begin without it.
            std::thread::sleep(Duration::from_millis(chance.below(300)));
            if which != 0 && chance.below(2) == 0 {
                house.start_backend();
                house.start_site();
                continue;
            }
            house.start_site();
        }
        if which != 0 {
            house.start_backend();
        }
    }
    // A request made when all is well again, so that there is at least one.
    let last = names.next().map(|name| (house.request(name, &["run_all"]).unwrap(), name.clone()));
    asked.extend(last);
    println!(
        "{of_site} kills of the site, {of_backend} of the backend ({at_places} of {aimed} aimed ones at their place), {} requests (seed {seed})",
        asked.len()
    );
    assert!(at_places > 0, "no place was passed: nothing is tried there");
    quiet(&house, &asked);
    let jobs = whole(&house, &asked);
    println!("{jobs} jobs: none lost, none doubled");
    house.kill_backend();
    let verify = house.cloister(&["backend", "verify", "--state", "state"]);
    for mut command in [verify, house.site_command("audit-verify")] {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", said(&output));
    }
}

/// Waits until each request is finished at the site and everything that the backend told is there.
fn quiet(house: &House, asked: &BTreeMap<i64, String>) {
    let [told, jobs] = house.at_backend();
    let open = "SELECT number, status, delivery, jobs_pending, jobs_running FROM job_request
                WHERE delivery <> 'answered' OR status IN ('pending', 'running')";
    let begin = std::time::Instant::now();
    let seconds = 90 + 4 * asked.len() as u64;
    loop {
        let waiting = rows(&house.at_site(), open);
        let sent = number(&told, "SELECT count(*) FROM fact");
        let here = number(&house.at_site(), "SELECT count(*) FROM backend_fact");
        let untold = number(&jobs, "SELECT count(*) FROM outbox WHERE delivered_at IS NULL");
        if waiting.is_empty() && sent == here && untold == 0 {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(seconds),
            "not quiet after {seconds} s: {waiting:?}; {sent} facts told, {here} at the site, {untold} untold; at the backend {:?}",
            rows(&jobs, "SELECT request, action, state, code, message FROM job WHERE state IN ('pending', 'running')")
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// All that must hold in the end. Gives the number of jobs.
fn whole(house: &House, asked: &BTreeMap<i64, String>) -> usize {
    let [told, own] = house.at_backend();
    // No request is lost, none is there twice.
    let there = rows(
        &house.at_site(),
        "SELECT r.number, w.name, r.identifier FROM job_request r JOIN workspace w ON w.id = r.workspace",
    );
    let numbers: BTreeMap<i64, String> = there.iter().map(|row| (row[0].parse().unwrap(), row[1].clone())).collect();
    assert_eq!(&numbers, asked);

    // What the site holds is what the backend told, to the byte, and all of it counts.
    let facts = rows(&told, "SELECT epoch, seq, hash, text FROM fact ORDER BY epoch, seq");
    let taken = rows(&house.at_site(), "SELECT epoch, seq, hash, text FROM backend_fact ORDER BY epoch, seq");
    assert_eq!(facts.len(), taken.len());
    for (fact, taken) in facts.iter().zip(&taken) {
        assert_eq!(fact, taken);
    }
    let apart = rows(&house.at_site(), "SELECT seq, text, not_applied FROM backend_fact WHERE not_applied IS NOT NULL");
    assert!(apart.is_empty(), "{apart:?}");
    let rejected = rows(&house.at_site(), "SELECT cursor, rejected FROM directive WHERE rejected IS NOT NULL");
    assert!(rejected.is_empty(), "{rejected:?}");

    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    let mut attempts: BTreeMap<String, i64> = BTreeMap::new();
    let mut put_back: BTreeSet<String> = BTreeSet::new();
    let mut finished: BTreeMap<String, String> = BTreeMap::new();
    let mut again = 0;
    for fact in &facts {
        let fact: Value = serde_json::from_str(&fact[3]).unwrap();
        let (kind, body) = (fact["type"].as_str().unwrap(), &fact["body"]);
        let job = body["job"].as_str().unwrap_or_default().to_owned();
        match kind {
            "request.accepted" | "request.nothing_to_do" | "request.refused" => {
                let id = body["answer"]["request"].as_str().unwrap().to_owned();
                *answers.entry(id).or_default() += 1;
            }
            "job.reset" => {
                assert!(body["code"].is_string(), "{fact}");
                assert!(attempts.contains_key(&job) && !finished.contains_key(&job), "{fact}");
                put_back.insert(job);
            }
            "job.started" => {
                let attempt = body["attempt"].as_i64().unwrap();
                assert!(!finished.contains_key(&job), "started after its end: {fact}");
                let before = attempts.insert(job.clone(), attempt);
                assert_eq!(attempt, before.unwrap_or(0) + 1, "one start for each attempt: {fact}");
                if before.is_some() {
                    again += 1;
                    assert!(put_back.remove(&job), "no reason for a second attempt: {fact}");
                }
            }
            "job.finished" => {
                let code = body["code"].as_str().unwrap().to_owned();
                assert_eq!(finished.insert(job, code), None, "finished twice: {fact}");
            }
            _ => {}
        }
    }
    let identifiers: BTreeMap<String, usize> = there.iter().map(|row| (row[2].clone(), 1)).collect();
    assert_eq!(answers, identifiers, "each request is answered once");

    // The end of every job: the backend's own record, the fact and the site's table say the same, and it is right.
    let query =
        |table: &str, id: &str, state: &str| format!("SELECT {id}, action, {state}, code FROM {table} ORDER BY {id}");
    let ours = rows(&own, &query("job", "id", "state"));
    let theirs = rows(&house.at_site(), &query("job", "identifier", "status"));
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 3 * asked.len());
    for job in &ours {
        assert_eq!(finished.get(&job[0]), Some(&job[3]), "{job:?}");
        let right = if job[1] == "fails" { "nonzero_exit" } else { "succeeded" };
        let about = || {
            let job = &job[0];
            let record =
                format!("SELECT message, reason, numbers, cancel_requested_at, attempts FROM job WHERE id = '{job}'");
            let tried = format!("SELECT number, ended_as, reason, exit_code FROM attempt WHERE job = '{job}'");
            let told = facts.iter().map(|fact| &fact[3]).filter(|text| text.contains(job.as_str()));
            (rows(&own, &record), rows(&own, &tried), told.collect::<Vec<_>>())
        };
        assert_eq!(job[3], right, "{job:?}: {:?}", about());
    }
    let kept = rows(&house.at_site(), "SELECT job, max(attempt) FROM job_attempt GROUP BY job");
    let kept: BTreeMap<String, i64> = kept.into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect();
    assert_eq!(kept, attempts);
    let own_attempts = rows(&own, "SELECT job, max(number) FROM attempt GROUP BY job");
    let own_attempts: BTreeMap<String, i64> =
        own_attempts.into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect();
    assert_eq!(own_attempts, attempts, "every attempt was told");
    println!("{again} second attempts, each with its reason");
    ours.len()
}
