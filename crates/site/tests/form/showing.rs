//! What the form shows, and to whom; which code it is for; what cannot be chosen.

use http::StatusCode;

use crate::rig::{Rig, STUDY};
use crate::sending::{PAGE, fill, study};

#[tokio::test]
async fn only_who_may_run_sees_it_and_the_others_learn_why_not() {
    let rig = study().await;
    let nobody = rig.get(0, PAGE).await;
    assert!(nobody.status.is_redirection() && nobody.location.starts_with("/login/?next="), "{}", nobody.location);
    let other = rig.get(2, PAGE).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    other.has("job_run");
    assert_eq!(rig.get(1, "/winter-pressures/nothing/run-jobs/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(rig.get(1, "/other/winter-chest/run-jobs/").await.status, StatusCode::NOT_FOUND);
    for (sql, words, back) in [
        (
            "UPDATE workspace SET archived_at = 5, archived_by = 1",
            "is archived, so nothing new runs in it",
            "UPDATE workspace SET archived_at = NULL, archived_by = NULL",
        ),
        ("UPDATE project SET status = 'retired'", "is retired", "UPDATE project SET status = 'ongoing'"),
        ("UPDATE backend SET is_active = 0", "You may not use any backend", "UPDATE backend SET is_active = 1"),
    ] {
        // Between the form and the submit, too.
        let page = rig.get(1, PAGE).await;
        rig.run(sql).await;
        let closed = rig.get(1, PAGE).await;
        assert_eq!(closed.status, StatusCode::FORBIDDEN, "{sql}");
        closed.has(words);
        let (key, commit) = (page.field("form_key"), page.field("commit"));
        let fields =
            [("form_key", key.as_str()), ("commit", &commit), ("backend", "tpp"), ("action", "tidy"), ("do", "submit")];
        assert_eq!(rig.post(1, PAGE, &fields).await.status, StatusCode::FORBIDDEN, "{sql}");
        rig.run(back).await;
    }
    let page = rig.get(1, PAGE).await;
    let (key, commit) = (page.field("form_key"), page.field("commit"));
    rig.run("UPDATE role_grant SET revoked_at = 5, revoked_by = 3 WHERE account = 1").await;
    let fields =
        [("form_key", key.as_str()), ("commit", &commit), ("backend", "tpp"), ("action", "tidy"), ("do", "submit")];
    let ended = rig.post(1, PAGE, &fields).await;
    assert_eq!(ended.status, StatusCode::FORBIDDEN);
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "0");
}

#[tokio::test]
async fn actions_stand_in_file_order_with_needs_levels_and_last_status() {
    let rig = study().await;
    rig.ran(7, "tidy", "failed", &"1".repeat(40), false).await;
    let page = rig.get(1, PAGE).await;
    let at = |text: &str| page.body.find(text).unwrap_or_else(|| panic!("{text} in {}", page.body));
    assert!(at("value=run_all") < at("value=\"extract\"") && at("value=\"extract\"") < at("value=\"tidy\""));
    assert!(at("value=\"tidy\"") < at("value=\"table\""));
    page.has("reads the database");
    page.has("</b> <span class=hint>highly sensitive</span> <span class=hint>· reads the database</span>");
    page.has("</b> <span class=hint>moderately sensitive</span>");
    page.has("Needs 1");
    // Both backends, for none is chosen yet; each with what it is and what it reads.
    page.has("TPP one: <span class=\"s bad\">");
    page.has("EMIS one: has not run here");
    page.has("TPP · dummy data");
    page.has("EMIS · dummy data");
    page.has("It has never made contact.");
    page.has_not("checked><span><strong>TPP one");
    let filled = rig.get(1, &format!("{PAGE}?from=7")).await;
    filled.has("value=\"tpp\" checked");
    rig.run("DELETE FROM backend_member WHERE backend = 2").await;
    rig.get(1, PAGE).await.has("value=\"tpp\" checked");
}

#[tokio::test]
async fn a_backend_that_cannot_answer_now_is_named_as_such() {
    let rig = study().await;
    let now = rig.site.clock.microseconds();
    rig.run(&format!("UPDATE backend SET last_contact_at = {now}, mode = 'paused', mode_since = 1700000000000000"))
        .await;
    let page = rig.get(1, PAGE).await;
    page.has("Its operator paused it since");
    page.has("14 Nov 2023 22:13:20 UTC");
    rig.run("UPDATE backend SET mode = 'db_maintenance'").await;
    rig.get(1, PAGE).await.has("Its database is under maintenance since");
    rig.run("UPDATE backend SET mode = 'open'").await;
    rig.get(1, PAGE).await.has_not("will wait");
    // A thousand unanswered orders are many, one more is too many.
    rig.run(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
         INSERT INTO directive (backend, cursor, id, kind, text, at, expires_at)
         SELECT 1, 1000 + n, 'order-' || n, 'job_request', '{}', 1, 1 FROM n",
    )
    .await;
    rig.get(1, PAGE).await.has_not("It is behind");
    rig.run(
        "INSERT INTO directive (backend, cursor, id, kind, text, at, expires_at)
         VALUES (1, 9000, 'one', 'job_request', '{}', 1, 1), (1, 9001, 'two', 'cancel', '{}', 1, 1)",
    )
    .await;
    rig.get(1, PAGE).await.has("It is behind");
    rig.run("UPDATE directive SET answered_at = 1 WHERE id = 'one'").await;
    rig.get(1, PAGE).await.has_not("It is behind");
    rig.run(&format!("UPDATE backend SET last_contact_at = {}", now - 301_000_000)).await;
    rig.get(1, PAGE).await.has("No contact since");
}

#[tokio::test]
async fn a_project_file_with_faults_takes_the_place_of_the_form() {
    let rig = Rig::new().await;
    let bad = STUDY
        .replace("needs: [tidy]", "needs: [tidi]")
        .replace("  table:", "  table :")
        .replace("output/tidy.csv", "../t.csv");
    rig.repo.commit("main", &[("project.yaml", bad.as_bytes())]);
    let page = rig.get(1, PAGE).await;
    assert_eq!(page.status, StatusCode::OK);
    page.has("project.yaml has to be mended first");
    for found in pipeline::load(bad.as_bytes(), "project.yaml").diagnostics {
        let span = found.span.unwrap();
        let place = format!("<code>{}</code> · line {}, column {}", found.code.0, span.start.line, span.start.column);
        page.has(&place);
    }
    page.has("<mark class=x>tidi</mark>");
    page.has_not("name=action");
    let commit = rig.repo.commit("main", &[("readme", b"x")]);
    let none = rig.get(1, PAGE).await;
    none.has("This commit cannot run");
    none.has(&format!("commit {commit} has no file `project.yaml`"));
    let large = vec![b'#'; (8 << 20) + 1];
    rig.repo.commit("main", &[("project.yaml", &large)]);
    rig.get(1, PAGE).await.has("at most 8388608 are read");
    rig.repo.commit("main", &[("project.yaml", b"version: \xff")]);
    rig.get(1, PAGE).await.has("P00");
    // And nobody gets around the page.
    let page = rig.get(1, PAGE).await;
    let commit = page.body.split("title=\"").nth(1).unwrap()[..40].to_owned();
    let fields = [("commit", commit.as_str()), ("backend", "tpp"), ("action", "run_all"), ("do", "submit")];
    assert_eq!(rig.post(1, PAGE, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "0");
}

#[tokio::test]
async fn names_become_commits_only_if_the_branch_has_them() {
    let rig = study().await;
    let old = rig.repo.commit("main", &[("project.yaml", STUDY.as_bytes()), ("a", b"1")]);
    let new = rig.repo.commit("main", &[("project.yaml", STUDY.as_bytes()), ("a", b"2")]);
    let aside = rig.repo.commit("aside", &[("project.yaml", STUDY.as_bytes()), ("a", b"3")]);
    rig.repo.set("refs/tags/v1", &old);
    for name in ["v1", &old] {
        let page = rig.get(1, &format!("{PAGE}{name}/")).await;
        assert_eq!(page.field("commit"), old);
        page.has("The branch has moved: its newest commit is");
    }
    assert_eq!(rig.get(1, PAGE).await.field("commit"), new);
    assert_eq!(rig.get(1, &format!("{PAGE}main/")).await.field("commit"), new);
    for (name, words) in [
        (aside.as_str(), "is not on the branch `main`"),
        ("aside", "is not on the branch `main`"),
        ("nothing", "has no tag or branch `nothing`"),
        ("0123456789012345678901234567890123456789", "has no commit"),
        ("-x", "it begins with `-`"),
    ] {
        let page = rig.get(1, &format!("{PAGE}{name}/")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        page.has(words);
    }
    let asked = rig.get(1, &format!("{PAGE}?ref=a+b%2Fc")).await;
    assert_eq!(asked.location, format!("{PAGE}a%20b%2Fc/"));
    // The form for the old commit, and back to the newest with the boxes kept.
    let fields =
        [("commit", old.as_str()), ("backend", "emis"), ("action", "tidy"), ("note", "mine"), ("do", "newest")];
    let newest = rig.post(1, PAGE, &fields).await;
    assert_eq!(newest.field("commit"), new);
    newest.has("value=\"tidy\" checked");
    newest.has("value=\"emis\" checked");
    newest.has("mine</textarea>");
    // A commit of another branch is not run by writing it into the form.
    let fields = [("commit", aside.as_str()), ("backend", "tpp"), ("action", "tidy"), ("do", "submit")];
    assert_eq!(rig.post(1, PAGE, &fields).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(rig.one("SELECT count(*) FROM job_request").await, "0");
}

#[tokio::test]
async fn a_repository_that_is_away_is_shown_as_last_known_with_its_age() {
    let rig = study().await;
    let known = rig.get(1, PAGE).await.field("commit");
    let (here, away) = (rig.repo.0.clone(), rig.repo.0.with_extension("away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::write(&here, "not a repository").unwrap();
    rig.site.clock.advance(3 * 3600);
    let page = rig.get(1, PAGE).await;
    assert_eq!((page.status, page.field("commit")), (StatusCode::OK, known));
    page.has("The repository does not answer, so newer commits may be missing here.");
    page.has("3 hours ago");
    let sent = fill(&rig, &[("backend", "tpp"), ("action", "tidy"), ("do", "submit")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    // After a new start the age is still known; of a branch that was never heard of there is nothing to show.
    let again = site::mirror::Mirrors::open(&rig.site.settings).unwrap();
    let place =
        |branch: &str| site::mirror::Place { repo: format!("file://{}", here.display()), branch: branch.to_owned() };
    assert_eq!(again.last_heard(&place("main")).unwrap().0.to_string(), page.field("commit"));
    rig.run("UPDATE workspace SET branch = 'other'").await;
    let nothing = rig.get(1, PAGE).await;
    assert_eq!(nothing.status, StatusCode::SERVICE_UNAVAILABLE);
    nothing.has("no commit of this branch is known here yet");
}

#[tokio::test]
async fn what_was_asked_for_is_kept_when_the_branch_is_rewritten() {
    let rig = study().await;
    let asked = rig.get(1, PAGE).await.field("commit");
    assert_eq!(
        fill(&rig, &[("backend", "tpp"), ("action", "tidy"), ("do", "submit")]).await.status,
        StatusCode::SEE_OTHER
    );
    let other = rig.repo.commit("fresh", &[("project.yaml", STUDY.as_bytes()), ("b", b"1")]);
    rig.repo.set("refs/heads/main", &other);
    assert_eq!(rig.get(1, PAGE).await.field("commit"), other);
    // Still there, still proven: the form for it opens, and says that the branch went elsewhere.
    let page = rig.get(1, &format!("{PAGE}{asked}/?from=1")).await;
    assert_eq!(page.field("commit"), asked);
    page.has("value=\"tidy\" checked");
}

#[tokio::test]
async fn database_actions_need_codelists_as_they_were_published() {
    let rig = Rig::new().await;
    let sha = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"; // of the four letters `test`
    let manifest = format!(
        "{{\"files\":{{\"org-list.csv\":{{\"id\":\"org/list/v1\",\"url\":\"https://www.opencodelists.org/codelist/org/list/v1/\",\
         \"downloaded_at\":\"2026-01-02 03:04:05.000000Z\",\"sha\":\"{sha}\"}}}}}}"
    );
    let files = |csv: &'static [u8]| -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("project.yaml", STUDY.as_bytes().to_vec()),
            ("codelists/codelists.txt", b"org/list/v1\n".to_vec()),
            ("codelists/codelists.json", manifest.clone().into_bytes()),
            ("codelists/org-list.csv", csv.to_vec()),
        ]
    };
    let commit = |files: Vec<(&'static str, Vec<u8>)>| {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect();
        rig.repo.commit("main", &files)
    };
    commit(files(b"test"));
    let good = rig.get(1, PAGE).await;
    good.has_not("codelists are not as they were published");
    commit(files(b"changed"));
    let stale = rig.get(1, PAGE).await;
    stale.has("The codelists are not as they were published");
    stale.has("<code>C205</code>");
    stale.has("cloister codelists update");
    stale.has("value=\"extract\" disabled");
    stale.has_not("value=\"tidy\" disabled");
    let pulled_in = fill(&rig, &[("backend", "tpp"), ("action", "tidy"), ("do", "submit")]).await;
    assert_eq!(pulled_in.status, StatusCode::UNPROCESSABLE_ENTITY);
    pulled_in.has("`extract` would run");
    rig.ran(7, "extract", "succeeded", &"1".repeat(40), false).await;
    let reused = fill(&rig, &[("backend", "tpp"), ("action", "tidy"), ("do", "submit")]).await;
    assert_eq!(reused.status, StatusCode::SEE_OTHER);
    assert_eq!(rig.one("SELECT codelists FROM job_request WHERE number = 8").await, "stale");
    rig.one("SELECT text FROM directive").await.contains("\"codelists\":\"stale\"").then_some(()).unwrap();
}

#[tokio::test]
async fn an_action_that_needs_a_permission_says_who_can_approve_it() {
    let rig = Rig::new().await;
    let yaml = "version: '4.0'\nactions:\n  query:\n    run: sqlrunner:latest --output out/rows.csv analysis/q.sql\n    outputs:\n      highly_sensitive:\n        rows: out/rows.csv\n";
    rig.repo.commit("main", &[("project.yaml", yaml.as_bytes()), ("analysis/q.sql", b"SELECT 1\n")]);
    rig.run(
        "INSERT INTO role_grant (account, role, scope, scope_id, reason, created_at, approved_at)
             VALUES (3, 'DataAuthority', 'site', 0, 'is one', 1, 1);
         INSERT OR IGNORE INTO permission_kind (kind, code, title, explanation)
             VALUES ('action', 'sqlrunner', 'SQL Runner', 'Queries in SQL.');
         INSERT INTO permission_grant (project, permission_kind, reason, proposed_by, proposed_at, approved_by, approved_at,
             expires_at) SELECT 1, id, 'needed', 1, 1, 3, 1, 1700000000000000 FROM permission_kind WHERE code = 'sqlrunner'",
    )
    .await;
    let page = rig.get(1, PAGE).await;
    page.has("value=\"query\" disabled");
    page.has("ended on 14 Nov 2023; Third Person can approve it");
    for ticked in ["query", "run_all"] {
        let refused = fill(&rig, &[("backend", "tpp"), ("action", ticked), ("do", "submit")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{ticked}");
        refused.has("`query` cannot run: the project&#39;s permission");
    }
    rig.run("UPDATE permission_grant SET expires_at = 4000000000000000").await;
    rig.get(1, PAGE).await.has_not("value=\"query\" disabled");
    assert_eq!(
        fill(&rig, &[("backend", "tpp"), ("action", "query"), ("do", "submit")]).await.status,
        StatusCode::SEE_OTHER
    );
    let order: serde_json::Value = serde_json::from_str(&rig.one("SELECT text FROM directive").await).unwrap();
    let permission = &order["body"]["permissions"][0];
    assert_eq!((permission["code"].as_str(), permission["approved_by"].as_str()), (Some("sqlrunner"), Some("third")));
    assert!(permission["ends_at"].is_string());
}

#[tokio::test]
async fn a_form_is_filled_in_from_an_earlier_request() {
    let rig = study().await;
    rig.ran(7, "extract", "succeeded", &"1".repeat(40), false).await;
    rig.ran(7, "tidy", "failed", &"1".repeat(40), false).await;
    rig.run("INSERT INTO requested_action VALUES (7, 0, 'run_all'), (7, 1, 'gone'); UPDATE job_request SET note = 'as before'").await;
    let same = rig.get(1, &format!("{PAGE}?from=7")).await;
    same.has("value=run_all checked");
    same.has("as before</textarea>");
    same.has_not("gone");
    let failed = rig.get(1, &format!("{PAGE}?from=7&only=failed")).await;
    failed.has("value=\"tidy\" checked");
    failed.has_not("value=run_all checked");
    failed.has("href=\"/winter-pressures/winter-chest/run-jobs/?from=7\">All that it asked for");
    same.has(&format!("href=\"{PAGE}{}/?from=7\">At the same commit", "1".repeat(40)));
    same.has("Only what failed or did not start");
    failed.has_not("value=\"extract\" checked");
    let elsewhere = rig.get(1, &format!("{PAGE}?from=7&backend=emis")).await;
    elsewhere.has("value=\"emis\" checked");
    for odd in [
        "?from=0",
        "?from=-7",
        "?from=99999999999999999999",
        "?from=8",
        "?backend=%3Cscript%3E",
        "?action=%3Cscript%3E",
    ] {
        assert_eq!(rig.get(1, &format!("{PAGE}{odd}")).await.status, StatusCode::OK, "{odd}");
    }
    assert_eq!(rig.get(1, &format!("{PAGE}?from=%00")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(rig.get(1, &format!("{PAGE}?from=%ff")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn more_actions_than_can_be_read_are_listed_by_their_names() {
    let rig = Rig::new().await;
    let mut yaml = "version: '4.0'\nactions:\n".to_owned();
    for n in 0..700 {
        yaml.push_str(&format!(
            "  step_{n:03}:\n    run: python:v2 a.py {n}\n    outputs:\n      highly_sensitive:\n        x: out/{n}.csv\n"
        ));
    }
    rig.repo.commit("main", &[("project.yaml", yaml.as_bytes()), ("a.py", b"")]);
    let page = rig.get(1, PAGE).await;
    page.has("500 of 700 actions are listed.");
    page.has_not("value=\"step_500\"");
    let commit = page.field("commit");
    let fields = [
        ("commit", commit.as_str()),
        ("backend", "tpp"),
        ("action", "step_001"),
        ("filter", "step_69"),
        ("do", "filter"),
    ];
    let filtered = rig.post(1, PAGE, &fields).await;
    filtered.has("10 of 700 actions are listed. Also chosen: <code>step_001</code>.");
    filtered.has("type=hidden name=action value=\"step_001\"");
    filtered.has("value=\"step_699\"");
}

#[tokio::test]
async fn a_preview_tells_what_jobs_wait_for_and_nothing_that_the_backend_has_not_told() {
    let rig = study().await;
    let plain = fill(&rig, &[("backend", "tpp"), ("action", "tidy"), ("do", "preview")]).await;
    plain.has("waits for a database worker");
    plain.has("waits for a worker");
    plain.has_not("places taken");
}
