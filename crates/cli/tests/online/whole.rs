//! What must hold when all has come to rest after kills: every record of site and backend, each against the others.
//! Spec protocol.md 7.3; jobs.md 8, 9.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kills::Asked;
use crate::rig::{House, PROJECT, said};
use crate::tables::{number, rows};
use crate::wire::Answer;

/// What was there.
pub struct Found {
    pub jobs: usize,
    /// Attempts behind the first of their job.
    pub again: usize,
}

/// Waits until each request is finished at the site and everything that the backend told is there.
pub fn quiet(house: &House, asked: &BTreeMap<i64, Asked>) {
    let [told, jobs] = house.at_backend();
    let open = "SELECT number, status, delivery, jobs_pending, jobs_running FROM job_request
                WHERE delivery <> 'answered' OR status IN ('pending', 'running')";
    let begin = Instant::now();
    let seconds = 120 + 4 * asked.len() as u64;
    loop {
        let waiting = rows(&house.at_site(), open);
        let sent = number(&told, "SELECT count(*) FROM fact");
        let here = number(&house.at_site(), "SELECT count(*) FROM backend_fact");
        let untold = number(&jobs, "SELECT count(*) FROM outbox WHERE delivered_at IS NULL");
        let unfinished = number(&jobs, "SELECT count(*) FROM attempt WHERE published = 0 OR cleaned = 0");
        if waiting.is_empty() && sent == here && untold == 0 && unfinished == 0 {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(seconds),
            "not quiet after {seconds} s: {waiting:?}; {sent} facts told, {here} at the site, {untold} untold, {unfinished} \
             attempts not cleaned up; at the backend {:?}",
            rows(&jobs, "SELECT request, action, state, code, message FROM job WHERE state IN ('pending', 'running')")
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The code with which a job of this action must end, whatever died meanwhile.
fn right(action: &str) -> &'static str {
    match action {
        "fails" => "nonzero_exit",
        "endless" => "cancelled_by_user",
        _ => "succeeded",
    }
}

/// All that must hold in the end. Ends both programs.
pub fn whole(house: &mut House, asked: &BTreeMap<i64, Asked>, cancelled: usize) -> Found {
    let there = requests(house, asked);
    let told = Told::read(&facts(house));
    let ids: BTreeMap<String, usize> = there.values().map(|id| (id.clone(), 1)).collect();
    assert_eq!(told.answers, ids, "each request is answered once");
    let directives = rows(&house.at_site(), "SELECT id FROM directive WHERE kind = 'cancel' ORDER BY id");
    let directives: BTreeMap<String, usize> = directives.into_iter().map(|row| (row[0].clone(), 1)).collect();
    assert_eq!(directives.len(), cancelled, "each cancel is one directive, however often it was asked");
    assert_eq!(told.cancels, directives, "each cancel is answered once");
    let found = jobs(house, asked, &told);
    attempts(house, &told);
    pages(house, asked, &there, &told);
    house.kill_backend();
    house.kill_site();
    let verify = house.cloister(&["backend", "verify", "--state", "state"]);
    for mut command in [verify, house.site_command("audit-verify")] {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", said(&output));
    }
    let before = dump(house);
    let kept = |table: &str| before.iter().any(|line| line.starts_with(&format!("{table}: ")));
    assert!(["job", "job_attempt", "job_request", "cancellation", "request_words"].into_iter().all(kept));
    let output = house.site_command("rebuild").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for (old, new) in before.iter().zip(dump(house)) {
        assert_eq!(old, &new, "a rebuild makes the same tables");
    }
    assert_eq!(crate::rig::names(&house.path("high/volumes")), [""; 0], "a sandbox is left");
    assert_eq!(house.left(), [""; 0]);
    found
}

/// No request is lost, none is there twice. Gives their long ids.
fn requests(house: &House, asked: &BTreeMap<i64, Asked>) -> BTreeMap<i64, String> {
    let query = "SELECT r.number, w.name, r.identifier FROM job_request r JOIN workspace w ON w.id = r.workspace";
    let there = rows(&house.at_site(), query);
    let numbers: BTreeMap<i64, &str> = there.iter().map(|row| (row[0].parse().unwrap(), row[1].as_str())).collect();
    let wanted: BTreeMap<i64, &str> = asked.iter().map(|(number, one)| (*number, one.workspace.as_str())).collect();
    assert_eq!(numbers, wanted);
    there.iter().map(|row| (row[0].parse().unwrap(), row[2].clone())).collect()
}

/// What the site holds is what the backend told, to the byte, and all of it counts.
fn facts(house: &House) -> Vec<Value> {
    let [told, _] = house.at_backend();
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
    facts.iter().map(|fact| serde_json::from_str(&fact[3]).unwrap()).collect()
}

/// What the facts say, read in their order.
#[derive(Default)]
struct Told {
    /// How often each request was answered.
    answers: BTreeMap<String, usize>,
    /// How often each cancel was answered, by its directive.
    cancels: BTreeMap<String, usize>,
    /// The attempts of each job.
    starts: BTreeMap<String, i64>,
    /// Job and number of each attempt that another one followed, and why.
    put_back: BTreeMap<(String, i64), String>,
    /// The code of each job's end.
    ends: BTreeMap<String, String>,
}

impl Told {
    fn read(facts: &[Value]) -> Self {
        let mut told = Self::default();
        for fact in facts {
            let (kind, body) = (fact["type"].as_str().unwrap(), &fact["body"]);
            let job = body["job"].as_str().unwrap_or_default().to_owned();
            let count = |counts: &mut BTreeMap<String, usize>, id: &Value| {
                *counts.entry(id.as_str().unwrap().to_owned()).or_default() += 1;
            };
            match kind {
                "request.accepted" | "request.nothing_to_do" | "request.refused" => {
                    assert_eq!(kind, "request.accepted", "{fact}");
                    count(&mut told.answers, &body["answer"]["request"]);
                }
                "cancel.done" => count(&mut told.cancels, &body["directive"]),
                "job.started" => {
                    let attempt = body["attempt"].as_i64().unwrap();
                    assert!(!told.ends.contains_key(&job), "started after its end: {fact}");
                    let before = told.starts.insert(job.clone(), attempt).unwrap_or(0);
                    assert_eq!(attempt, before + 1, "one start for each attempt: {fact}");
                    let why = told.put_back.contains_key(&(job, before));
                    assert_eq!(why, before > 0, "every attempt behind the first has its reason: {fact}");
                }
                "job.reset" => {
                    let code = body["code"].as_str().unwrap().to_owned();
                    assert!(!told.ends.contains_key(&job), "{fact}");
                    let attempt = told.starts[&job];
                    if code == "waiting_on_new_task" {
                        assert_eq!(body["params"]["attempt"].as_i64(), Some(attempt), "{fact}");
                    }
                    assert_eq!(told.put_back.insert((job, attempt), code), None, "put back twice: {fact}");
                }
                "job.finished" => {
                    let code = body["code"].as_str().unwrap().to_owned();
                    assert_eq!(told.ends.insert(job, code), None, "finished twice: {fact}");
                }
                _ => {}
            }
        }
        told
    }
}

/// The end of every job: the backend's own record, the fact and the site's table say the same, and it is right.
fn jobs(house: &House, asked: &BTreeMap<i64, Asked>, told: &Told) -> Found {
    let [_, own] = house.at_backend();
    let query =
        |table: &str, id: &str, state: &str| format!("SELECT {id}, action, {state}, code FROM {table} ORDER BY {id}");
    let ours = rows(&own, &query("job", "id", "state"));
    let theirs = rows(&house.at_site(), &query("job", "identifier", "status"));
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), asked.values().map(|one| one.jobs.len()).sum::<usize>());
    for job in &ours {
        assert_eq!(told.ends.get(&job[0]), Some(&job[3]), "{job:?}");
        let about = || {
            let job = &job[0];
            let record =
                format!("SELECT message, reason, numbers, cancel_requested_at, attempts FROM job WHERE id = '{job}'");
            let tried = format!("SELECT number, ended_as, reason, exit_code FROM attempt WHERE job = '{job}'");
            (rows(&own, &record), rows(&own, &tried))
        };
        assert_eq!(job[3], right(&job[1]), "{job:?}: {:?}", about());
    }
    // By request: which jobs, and the state that follows from theirs.
    let query = "SELECT j.job_request, j.action FROM job j ORDER BY j.job_request, j.action";
    let mut by_request: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for row in rows(&house.at_site(), query) {
        by_request.entry(row[0].parse().unwrap()).or_default().push(row[1].clone());
    }
    let query = "SELECT number, status, jobs_pending, jobs_running, jobs_succeeded, jobs_failed FROM job_request";
    for row in rows(&house.at_site(), query) {
        let number: i64 = row[0].parse().unwrap();
        let wanted = asked[&number].jobs;
        assert_eq!(by_request[&number], wanted, "request {number}");
        let good = wanted.iter().filter(|action| right(action) == "succeeded").count();
        let status = if good == wanted.len() { "succeeded" } else { "failed" };
        let counts = ["0".into(), "0".into(), good.to_string(), (wanted.len() - good).to_string()];
        assert_eq!((row[1].as_str(), &row[2..]), (status, &counts[..]), "request {number}");
    }
    // A job that was cancelled says who wanted that.
    for row in rows(&house.at_site(), "SELECT action, params FROM job WHERE code = 'cancelled_by_user'") {
        let params: Value = serde_json::from_str(&row[1]).unwrap();
        assert_eq!(params["by"], "sample-0", "{row:?}");
    }
    let results = rows(&house.at_site(), "SELECT DISTINCT action, result FROM cancellation");
    assert_eq!(results, [["endless", "stopped"]]);
    let again = told.starts.values().map(|last| usize::try_from(last - 1).unwrap()).sum();
    Found { jobs: ours.len(), again }
}

/// Each attempt is on record at both, and each that another one followed says why.
fn attempts(house: &House, told: &Told) {
    let [_, own] = house.at_backend();
    let starts: BTreeSet<(String, i64)> =
        told.starts.iter().flat_map(|(job, last)| (1..=*last).map(|number| (job.clone(), number))).collect();
    let ours = rows(&own, "SELECT job, number, ended_as, coalesce(reason, '') FROM attempt");
    let theirs = rows(&house.at_site(), "SELECT job, attempt, code, params FROM job_attempt");
    let places = |rows: &[Vec<String>]| -> BTreeSet<(String, i64)> {
        rows.iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect()
    };
    assert_eq!(places(&ours), starts, "every attempt was told");
    assert_eq!(places(&theirs), starts);
    assert_eq!((ours.len(), theirs.len()), (starts.len(), starts.len()), "none is there twice");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &ours {
        let place = (row[0].clone(), row[1].parse().unwrap());
        let last = told.starts[&place.0] == place.1;
        let Some(code) = told.put_back.get(&place) else {
            assert!(last && told.ends[&place.0] == row[2], "the last attempt ends as its job: {row:?}");
            continue;
        };
        assert_eq!(&row[2], code, "{row:?}");
        // Nothing but a loss happens here: nobody pauses, no database is asked, no image is missing.
        assert_eq!((code.as_str(), row[3].as_str()), ("waiting_on_new_task", "lost"), "{row:?}");
        *reasons.entry(row[3].as_str()).or_default() += 1;
    }
    for row in &theirs {
        if let Some(code) = told.put_back.get(&(row[0].clone(), row[1].parse().unwrap())) {
            assert_eq!(&row[2], code, "{row:?}");
        }
    }
    println!("attempts that another one followed, by their reason: {reasons:?}");
}

/// The answer to a question, asked again as often as it was one too many in a short time.
fn shown(ask: impl Fn() -> std::io::Result<Answer>) -> Answer {
    let mut answer = ask().unwrap();
    for _ in 0..60 {
        if answer.status != 429 {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
        answer = ask().unwrap();
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// What people and programs are shown is what the records say.
fn pages(house: &House, asked: &BTreeMap<i64, Asked>, there: &BTreeMap<i64, String>, told: &Told) {
    for (number, one) in asked {
        let listed = shown(|| house.ask("GET", &format!("/api/v1/job-requests/{number}"), "x", "")).json();
        assert_eq!(listed["identifier"], there[number].as_str());
        let jobs = listed["jobs"].as_array().unwrap();
        assert_eq!(jobs.len(), one.jobs.len());
        for job in jobs {
            let id = job["identifier"].as_str().unwrap();
            assert_eq!(job["code"], told.ends[id].as_str(), "{job}");
            let last = told.starts.get(id).copied().unwrap_or(0);
            assert_eq!(job["attempt"].as_i64(), Some(last), "{job}");
            if last < 2 {
                continue;
            }
            let page = format!("/{PROJECT}/{}/{number}/{id}/", one.workspace);
            let page = shown(|| crate::wire::ask(house.site_at, "GET", &page, "", ""));
            for attempt in 1..last {
                let row = page.body.split(&format!("<th scope=row>{attempt}<td>")).nth(1);
                let row = row.and_then(|rest| rest.split("<tr>").next()).unwrap_or_default();
                let why = "A passing reason on the backend: it was tried again";
                assert!(row.contains(why), "attempt {attempt} of {id} has no reason on its page: {row}");
            }
        }
    }
}

/// Every row of every table of the site, but how an index of words lies on its pages.
fn dump(house: &House) -> Vec<String> {
    let site = house.at_site();
    let mut lines = Vec::new();
    let tables = "SELECT name FROM sqlite_master t WHERE type = 'table' AND NOT EXISTS (
        SELECT 1 FROM sqlite_master v WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%' AND t.name LIKE v.name || '!_%' ESCAPE '!')
        ORDER BY name";
    for table in rows(&site, tables) {
        let table = &table[0];
        let columns = rows(&site, &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"));
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{}\")", column[0])).collect();
        let mut all: Vec<String> = rows(&site, &format!("SELECT {} FROM \"{table}\"", quoted.join(", ")))
            .into_iter()
            .map(|row| format!("{table}: {}", row.join(", ")))
            .collect();
        all.sort();
        lines.extend(all);
    }
    lines
}
