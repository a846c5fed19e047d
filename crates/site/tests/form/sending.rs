//! From the form to a signed order; what makes one request of two, and what makes none.

use http::StatusCode;
use serde_json::Value;

use crate::rig::{Rig, STUDY};

pub(crate) const PAGE: &str = "/winter-pressures/winter-chest/run-jobs/";

#[tokio::test]
async fn a_sent_form_is_an_order_for_the_commit_that_it_showed() {
    let rig = Rig::new().await;
    let shown = rig.repo.commit("main", &[("project.yaml", STUDY.as_bytes()), ("analysis/tidy.py", b"print(1)\n")]);
    let page = rig.get(1, PAGE).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.field("commit"), shown);
    // The branch moves while the form is open.
    let newer = rig.repo.commit("main", &[("project.yaml", b"version: '4.0'\nactions: {}\n")]);
    let fields = [
        ("form_key", page.field("form_key")),
        ("commit", page.field("commit")),
        ("backend", "tpp".to_owned()),
        ("action", "tidy".to_owned()),
        ("action", "table".to_owned()),
        ("note", "first look".to_owned()),
        ("do", "submit".to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = rig.post(1, PAGE, &fields).await;
    assert_eq!((sent.status, sent.location.as_str()), (StatusCode::SEE_OTHER, "/winter-pressures/winter-chest/1/"));

    let order: Value = serde_json::from_str(&rig.one("SELECT text FROM directive WHERE backend = 1").await).unwrap();
    assert_eq!(order["type"], "job_request");
    let body = &order["body"];
    assert_eq!(body["commit"], shown);
    assert_ne!(body["commit"], newer);
    assert_eq!(body["requested_actions"], serde_json::json!(["tidy", "table"]));
    assert_eq!(body["number"], 1);
    assert_eq!(body["requested_by"]["username"], "sample-r");
    assert_eq!(body["project"]["number"], "POS-2026-0412");
    assert_eq!(body["orgs"], serde_json::json!(["northfield"]));
    assert_eq!(body["codelists"], "ok");
    let identifier = rig.one("SELECT identifier FROM job_request WHERE number = 1").await;
    assert_eq!(body["request"], identifier.as_str());
    assert!(identifier.len() == 16 && identifier.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')));
    let row = "SELECT status || ' ' || delivery || ' ' || note || ' ' || codelists FROM job_request";
    assert_eq!(rig.one(row).await, "pending waiting first look ok");
    assert_eq!(rig.one("SELECT body FROM project_yaml").await, STUDY);
    assert_eq!(rig.one("SELECT count(*) FROM audit_event WHERE action = 'request_made'").await, "1");

    // A reload after the submit, and a second tab with the same form: one request.
    let again = rig.post(1, PAGE, &fields).await;
    assert_eq!(again.location, sent.location);
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "1");
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "1");
}

/// Fills the form in as the page has it, with these further fields.
pub(crate) async fn fill(rig: &Rig, more: &[(&str, &str)]) -> crate::rig::Answer {
    let page = rig.get(1, PAGE).await;
    let (key, commit) = (page.field("form_key"), page.field("commit"));
    let mut fields = vec![("form_key", key.as_str()), ("commit", commit.as_str())];
    fields.extend(more);
    rig.post(1, PAGE, &fields).await
}

pub(crate) async fn study() -> Rig {
    let rig = Rig::new().await;
    rig.repo.commit("main", &[("project.yaml", STUDY.as_bytes())]);
    rig
}

#[tokio::test]
async fn a_preview_says_why_and_stores_nothing() {
    let rig = study().await;
    let commit = "1".repeat(40);
    rig.ran(7, "extract", "succeeded", &commit, false).await;
    rig.ran(7, "tidy", "failed", &commit, false).await;
    let page = fill(&rig, &[("backend", "tpp"), ("action", "table"), ("note", "keep me"), ("do", "preview")]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.has("2 jobs on TPP one, as far as this site knows. The backend's own plan decides.");
    page.has("needed, and it failed before in <a href=\"/winter-pressures/winter-chest/7/\">request 7</a>");
    page.has("request 7</a>; the backend says whether that is up to date");
    page.has("you name it, so it runs whatever was made before");
    page.has("value=\"table\" checked");
    page.has("keep me</textarea>");
    assert!(page.body.find("<code>extract</code><td>").unwrap() < page.body.find("<code>tidy</code><td>").unwrap());
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "0");
    // Old records do not count for planning, but are shown.
    rig.run("UPDATE job_request SET is_import = 1").await;
    let page = fill(&rig, &[("backend", "tpp"), ("action", "table"), ("do", "preview")]).await;
    page.has("3 jobs on TPP one");
    page.has("in <a href=\"/winter-pressures/winter-chest/7/\">request 7</a>");
}

#[tokio::test]
async fn a_request_that_would_do_nothing_says_so_before_it_is_made() {
    let rig = study().await;
    for action in ["extract", "tidy", "table"] {
        rig.ran(7, action, "succeeded", &"1".repeat(40), false).await;
    }
    let said = fill(&rig, &[("backend", "tpp"), ("action", "run_all"), ("do", "submit")]).await;
    assert_eq!(said.status, StatusCode::OK);
    said.has("Nothing would run: everything that you chose has already succeeded.");
    said.has("value=anyway>Send all the same");
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "0");
    let forced = fill(&rig, &[("backend", "tpp"), ("action", "run_all"), ("force", "1"), ("do", "preview")]).await;
    forced.has("everything that is needed is run again");
    forced.has("3 jobs on TPP one");
    let anyway = fill(&rig, &[("backend", "tpp"), ("action", "run_all"), ("do", "anyway")]).await;
    assert_eq!(anyway.location, "/winter-pressures/winter-chest/8/");
}

#[tokio::test]
async fn everything_wrong_is_said_at_once_and_what_was_chosen_stays() {
    let rig = study().await;
    let note = "n".repeat(501);
    let fields = [
        ("backend", "south"),
        ("action", "tabel"),
        ("action", "tidy"),
        ("force", "1"),
        ("note", &note),
        ("do", "submit"),
    ];
    let page = fill(&rig, &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.has("<title>Error: Run jobs");
    page.has("3 things have to be changed");
    page.has("href=\"#backend\">You may not use that backend");
    page.has("href=\"#note\">The note has 501 characters; at most 500 are kept.");
    page.has("`tabel` is not an action of this project. Did you mean `table`?");
    page.has("value=\"tidy\" checked");
    page.has("name=force value=1 checked");
    page.has(&note);
    let none = fill(&rig, &[("do", "submit")]).await;
    none.has("Choose a backend.");
    none.has("Tick at least one action");
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "0");
}

#[tokio::test]
async fn a_form_sent_again_with_other_boxes_asks_first() {
    let rig = study().await;
    let page = rig.get(1, PAGE).await;
    let (key, commit) = (page.field("form_key"), page.field("commit"));
    let send = async |action: &str| {
        let fields =
            [("form_key", key.as_str()), ("commit", &commit), ("backend", "tpp"), ("action", action), ("do", "submit")];
        rig.post(1, PAGE, &fields).await
    };
    assert_eq!(send("tidy").await.status, StatusCode::SEE_OTHER);
    let other = send("table").await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    other.has("became <a href=\"/winter-pressures/winter-chest/1/\">request 1</a>");
    other.has("value=\"table\" checked");
    assert_ne!(other.field("form_key"), key);
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "1");
    // Another person's form with the same key is another request.
    let fields =
        [("form_key", key.as_str()), ("commit", &commit), ("backend", "tpp"), ("action", "table"), ("do", "submit")];
    assert_eq!(rig.post(3, PAGE, &fields).await.location, "/winter-pressures/winter-chest/2/");
}

/// Whichever statement is the last that happens: a whole request or none, and the same form sent again makes one.
#[tokio::test]
async fn a_submit_that_is_cut_off_leaves_nothing() {
    let rig = study().await;
    let page = rig.get(1, PAGE).await;
    let (key, commit) = (page.field("form_key"), page.field("commit"));
    let fields = [
        ("form_key", key.as_str()),
        ("commit", &commit),
        ("backend", "tpp"),
        ("action", "tidy"),
        ("action", "table"),
        ("do", "submit"),
    ];
    let written = "(SELECT count(*) FROM job_request) + (SELECT count(*) FROM directive) + (SELECT count(*) FROM project_yaml)
        + (SELECT count(*) FROM requested_action) + (SELECT count(*) FROM audit_event) + (SELECT line_last FROM backend WHERE id = 1)
        + (SELECT count(*) FROM request_words) + (SELECT count(first_run_at) FROM repo)";
    let cuts = [
        ("INSERT", "project_yaml", ""),
        ("INSERT", "job_request", ""),
        ("INSERT", "requested_action", "WHEN NEW.position = 0"),
        ("INSERT", "requested_action", "WHEN NEW.position = 1"),
        ("UPDATE", "repo", ""),
        ("UPDATE", "backend", ""),
        ("INSERT", "directive", ""),
        ("INSERT", "audit_event", ""),
    ];
    for (what, table, when) in cuts {
        for moment in ["BEFORE", "AFTER"] {
            let cut =
                format!("CREATE TRIGGER cut {moment} {what} ON {table} {when} BEGIN SELECT RAISE(ABORT, 'cut'); END");
            rig.run(&cut).await;
            let answer = rig.post(1, PAGE, &fields).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{moment} {what} {table}");
            assert_eq!(rig.one(written).await, "0", "{moment} {what} {table}");
            rig.run("DROP TRIGGER cut").await;
        }
    }
    let whole = rig.post(1, PAGE, &fields).await;
    assert_eq!(whole.location, "/winter-pressures/winter-chest/1/");
    assert_eq!(rig.one(written).await, "9");
}

#[tokio::test]
async fn nobody_makes_more_requests_than_may_be() {
    let rig = study().await;
    let many = |state: &str, age: i64| {
        format!(
            "DELETE FROM job_request;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
             INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
                force_run_dependencies, stale, codelists, created_at, delivery, status, news_at)
             SELECT i, 'q' || (1000000000000000 + i), 1, 1, 1, 'main', NULL, 0, 'keep', 'ok', {age}, 'waiting',
                CASE WHEN i <= 50 THEN '{state}' ELSE 'succeeded' END, 1 FROM n"
        )
    };
    let fields = [("backend", "tpp"), ("action", "tidy"), ("do", "submit")];
    rig.run(&many("pending", 1)).await;
    let open = fill(&rig, &fields).await;
    assert_eq!(open.status, StatusCode::TOO_MANY_REQUESTS);
    open.has("You have 50 requests that are not finished; at most 50 are allowed at once.");
    open.has("value=\"tidy\" checked");
    rig.run("UPDATE job_request SET status = 'failed' WHERE number = 1").await;
    assert_eq!(fill(&rig, &fields).await.status, StatusCode::SEE_OTHER);
    rig.run("DELETE FROM requested_action; DELETE FROM audit_text WHERE 0;").await;
    rig.run(&many("failed", rig.site.clock.microseconds())).await;
    let made = fill(&rig, &fields).await;
    assert_eq!(made.status, StatusCode::TOO_MANY_REQUESTS);
    made.has("You made 60 requests within an hour");
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "60");
}

#[tokio::test]
async fn what_is_out_of_date_is_said_and_made_again_if_wished() {
    let rig = Rig::new().await;
    let files = |tidy: &'static [u8]| -> [(&str, &[u8]); 4] {
        [
            ("project.yaml", STUDY.as_bytes()),
            ("analysis/study_definition.py", b"x = 1\n"),
            ("analysis/tidy.py", tidy),
            ("analysis/table.py", b"print(2)\n"),
        ]
    };
    let first = rig.repo.commit("main", &files(b"import os\n"));
    rig.get(1, PAGE).await;
    for action in ["extract", "tidy", "table"] {
        rig.ran(7, action, "succeeded", &first, false).await;
    }
    let wish = [("backend", "tpp"), ("action", "table"), ("do", "preview")];
    fill(&rig, &wish).await.has("request 7</a>, and nothing that it is known to depend on has changed since");
    rig.repo.commit("main", &files(b"import sys\n"));
    let kept = fill(&rig, &wish).await;
    kept.has("request 7</a>, but is out of date: analysis/tidy.py changed");
    kept.has("One job on TPP one");
    let again = [wish[0], wish[1], ("rerun", "1"), wish[2]];
    let made = fill(&rig, &again).await;
    made.has("2 jobs on TPP one");
    made.has("and is perhaps out of date: analysis/tidy.py changed, which it is not known to read");
    // The command, too: the same script in another version of its runtime.
    let other = STUDY.replace("python:v2 analysis/tidy.py", "python:v1 analysis/tidy.py");
    let mut changed = files(b"import os\n");
    changed[0].1 = other.as_bytes();
    rig.repo.commit("main", &changed);
    fill(&rig, &again).await.has("but is out of date: command: `python:v1` instead of `python:v2`");
}
