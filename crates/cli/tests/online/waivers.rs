//! SQL that does not say how it treats type 1 opt-outs, on a backend: refused, run by a waiver for its very bytes, refused
//! again once the waiver is over. Spec actions.md 7.5.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::rig::{House, PROJECT, can_isolate, said, until};
use crate::tables::{number, rows};
use crate::wire::ask;

/// The version of the project is an old one, with which a laptop lets such SQL run.
const STUDY: &str = "version: \"3.0\"
expectations: {population_size: 10}
actions:
  query:
    run: sqlrunner:latest --output output/rows.csv analysis/query.sql
    outputs:
      highly_sensitive: {rows: output/rows.csv}
";
const SQL: &str = "SELECT sex, COUNT(*) AS n FROM Patient GROUP BY sex\n";
/// One byte more.
const CHANGED: &str = "SELECT sex, COUNT(*) AS n FROM Patient GROUP BY sex \n";

/// The commit of a repository of the house.
fn commit(house: &House, repository: &str) -> String {
    let git = Command::new("git").args(["rev-parse", "main"]).current_dir(house.path(repository)).output().unwrap();
    String::from_utf8(git.stdout).unwrap().trim().to_owned()
}

fn add(house: &House, (workspace, repository): (&str, &str), (action, sql): (&str, &PathBuf), more: &[&str]) -> Output {
    let place = format!("file://{}", house.path(repository).display());
    let commit = commit(house, repository);
    let mut command = house.cloister(&["backend", "waiver", "add", "--state", "state", "--mode", "assume-excluded"]);
    command.args(["--workspace", workspace, "--repository", &place, "--commit", &commit, "--action", action]);
    command.arg("--sql").arg(sql).args(["--why", "older than the rule", "--proposed-by", "Ann", "--json"]);
    command.args(more).output().unwrap()
}

/// Lets the SQL file of an action run; the workspace and its repository have one name. Gives the waiver.
pub fn waive(house: &House, study: &str, action: &str, sql: &str) -> Value {
    let file = house.path(&format!("made-{study}")).join(sql);
    let begin = jiff::Timestamp::now().to_string();
    let year: i32 = begin[..4].parse().unwrap();
    // A day less than a year, whatever the day is.
    let end = format!("{}-01-01", year + 1);
    let output = add(house, (study, study), (action, &file), &["--approved-by", "Ben", "--until", &end]);
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is known of a job that ended.
struct Seen {
    code: String,
    /// What it printed.
    log: String,
    /// Its page, for everybody.
    page: String,
}

/// The one job of a new request, to its end.
fn run(house: &House, workspace: &str) -> Seen {
    let request = house.request(workspace, &["run_all"]).unwrap();
    let over =
        format!("SELECT count(*) FROM job_request WHERE number = {request} AND status NOT IN ('pending', 'running')");
    until(&format!("the request of {workspace} has ended"), 120, || number(&house.at_site(), &over) == 1);
    let job =
        rows(&house.at_site(), &format!("SELECT identifier, code FROM job WHERE job_request = {request}")).remove(0);
    let log = house.cloister(&["backend", "logs", &job[0], "--state", "state"]).output().unwrap();
    let page = format!("/{PROJECT}/{workspace}/{request}/{}/", job[0]);
    let page = ask(house.site_at, "GET", &page, "", "").unwrap();
    assert_eq!(page.status, 200);
    Seen { code: job[1].clone(), log: said(&log), page: page.body }
}

#[test]
fn undeclared_sql_runs_by_a_waiver_for_its_very_bytes_alone() {
    if !can_isolate() {
        return;
    }
    let files = |sql: &str| {
        let pairs = [("project.yaml", STUDY), ("analysis/query.sql", sql)];
        pairs.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).to_vec()
    };
    let names = ["without", "waived", "changed", "revoked"];
    let repositories = names.map(|name| (name, files(if name == "changed" { CHANGED } else { SQL })));
    let mut house = House::with(&repositories, &names.map(|name| (name, name)));
    house.start_site();
    house.enrol(house.site_at);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);

    let sql = house.path("made-without/analysis/query.sql");
    for (more, why) in [
        (["--approved-by", "ann", "--until", "2999-01-01"], "another person must"),
        (["--approved-by", "Ben", "--until", "2999-01-01"], "a year at most"),
        (["--approved-by", "Ben", "--until", "2020-01-01"], "before it begins"),
        (["--approved-by", "Ben", "--until", "soon"], "is no day"),
    ] {
        let output = add(&house, ("waived", "waived"), ("query", &sql), &more);
        assert!(!output.status.success() && said(&output).contains(why), "{more:?}: {}", said(&output));
    }

    let Seen { code, log, page } = run(&house, "without");
    assert_eq!(code, "nonzero_exit", "{log}");
    assert!(log.contains("t1oo_undeclared") && log.contains("no waiver for it (SHA-256 "), "{log}");
    assert!(page.contains("sqlrunner of cloister") && !page.contains("<dt>Waiver"), "{page}");

    let waived = waive(&house, "waived", "query", "analysis/query.sql");
    let Seen { code, log, page } = run(&house, "waived");
    assert_eq!(code, "succeeded", "{log}");
    assert!(log.contains("this backend has a waiver for these very bytes"), "{log}");
    let named = page.split("<dt>Waiver<dd>").nth(1).and_then(|rest| rest.split("<dt>").next()).unwrap_or_default();
    assert!(named.contains("results are taken to be without these patients"), "{named}: {page}");

    // The waiver of this one names the bytes of the others.
    let more = ["--approved-by", "Ben", "--until", waived["terms"]["until"].as_str().unwrap()];
    assert!(add(&house, ("changed", "changed"), ("query", &sql), &more).status.success());
    let Seen { code, log, page } = run(&house, "changed");
    assert_eq!(code, "nonzero_exit", "{log}");
    assert!(!page.contains("<dt>Waiver"), "no file has the bytes of the waiver: {page}");

    let kept = waive(&house, "revoked", "query", "analysis/query.sql");
    let revoke = ["backend", "waiver", "revoke", kept["id"].as_str().unwrap(), "--state", "state"];
    let without_why = house.cloister(&revoke).output().unwrap();
    assert!(!without_why.status.success() && said(&without_why).contains("--why"), "{}", said(&without_why));
    let done = house.cloister(&[&revoke[..], &["--why", "mended"]].concat()).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let Seen { code, log, page } = run(&house, "revoked");
    assert_eq!(code, "nonzero_exit", "{log}");
    assert!(!page.contains("<dt>Waiver"), "{page}");

    let listed = house.cloister(&["backend", "waiver", "list", "--state", "state"]).output().unwrap();
    let listed = said(&listed);
    for words in ["3 waivers", "holds until", "revoked on", "proposed by Ann, approved by Ben", "assume_excluded"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let [_, jobs] = house.at_backend();
    let did = "SELECT record->'body'->>'did' FROM event WHERE record->>'kind' = 'operator' ORDER BY seq";
    let did: Vec<String> = rows(&jobs, did).into_iter().flatten().collect();
    assert_eq!(did, ["waiver_add", "waiver_add", "waiver_add", "waiver_revoke"]);
}
