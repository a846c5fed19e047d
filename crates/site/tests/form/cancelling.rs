//! Stopping a request: at once where no backend can know of it, else by an ask; twice is once.

use http::StatusCode;
use protocol::directive::envelope::open;
use protocol::fact::backend::RejectedCode;
use protocol::keys::Keys;
use protocol::text::time::Moment;
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::sending::{fill, study};

const REQUEST: &str = "/winter-pressures/winter-chest/1/";

async fn asked(actions: &[&str]) -> Rig {
    let rig = study().await;
    let mut fields = vec![("backend", "tpp"), ("do", "submit")];
    fields.extend(actions.iter().map(|action| ("action", *action)));
    assert_eq!(fill(&rig, &fields).await.location, REQUEST);
    rig
}

/// The backend has the order, and made jobs of it.
async fn accepted(rig: &Rig, jobs: &[(&str, &str)]) {
    let now = rig.site.clock.microseconds();
    rig.run(&format!(
        "UPDATE backend SET last_contact_at = {now}; UPDATE directive SET delivered_at = {now};
         UPDATE job_request SET delivery = 'answered', answered_at = {now}, status = 'running'"
    ))
    .await;
    for (n, (action, status)) in jobs.iter().enumerate() {
        let identifier = format!("jjjjjjjjjjjjjjj{}", char::from(b'a' + u8::try_from(n).unwrap()));
        rig.run(&format!(
            "INSERT INTO job (identifier, job_request, backend, workspace, position, action, db, status, code, created_at,
                updated_at) VALUES ('{identifier}', 1, 1, 1, {n}, '{action}', 0, '{status}', '{status}', 1, 1)"
        ))
        .await;
    }
}

#[tokio::test]
async fn an_order_that_was_never_sent_ends_at_once_and_never_runs() {
    let rig = asked(&["tidy", "table"]).await;
    let page = rig.get(1, &format!("{REQUEST}cancel/")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.has("value=\"tidy\" checked");
    page.has("value=\"table\" checked");
    let fields = [("action", "tidy"), ("action", "table"), ("reason", "wrong commit")];
    let done = rig.post(1, &format!("{REQUEST}cancel/"), &fields).await;
    assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, REQUEST));
    let row = "SELECT status || ' ' || reason || ' ' || cancelled || ' ' || delivery FROM job_request";
    assert_eq!(rig.one(row).await, "failed cancelled_before_start 1 answered");
    assert_eq!(
        rig.one("SELECT count(*) FROM cancellation WHERE result = 'stopped' AND reason = 'wrong commit'").await,
        "2"
    );
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "1");
    // The line stays whole, and a backend that comes back does not take the order.
    let text: Value = serde_json::from_str(&rig.one("SELECT text FROM directive").await).unwrap();
    let keys = Keys::from_iter([("site-1".parse().unwrap(), rig.site.line.public_key())]);
    let now = Moment::from_microseconds(rig.site.clock.microseconds()).unwrap();
    let opened = open(&text, &"tpp".parse().unwrap(), &keys, now);
    assert_eq!(opened.unwrap_err().0, RejectedCode::Expired);
    assert_eq!(text["body"]["request"], rig.one("SELECT identifier FROM job_request").await.as_str());
    // Once more: nothing left, nothing changed.
    assert_eq!(rig.post(1, &format!("{REQUEST}cancel/"), &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(rig.one("SELECT count(*) FROM cancellation").await, "2");
    rig.get(1, &format!("{REQUEST}cancel/")).await.has("Nothing of this request is left to cancel.");
    assert_eq!(rig.one("SELECT count(*) FROM audit_event WHERE action = 'request_cancelled'").await, "1");
}

/// A site that was started again may have been restored from a copy that is older than the delivery.
#[tokio::test]
async fn an_order_from_before_the_start_is_cancelled_by_the_backend() {
    let rig = asked(&["tidy"]).await;
    rig.run("UPDATE directive SET at = at - 3600000000").await;
    let done = rig.post(1, &format!("{REQUEST}cancel/"), &[("action", "tidy"), ("reason", "wrong commit")]).await;
    assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, REQUEST));
    assert_eq!(rig.one("SELECT status || ' ' || delivery FROM job_request").await, "pending waiting");
    assert_eq!(
        rig.one("SELECT group_concat(kind) FROM (SELECT kind FROM directive ORDER BY cursor)").await,
        "job_request,cancel"
    );
}

#[tokio::test]
async fn an_order_that_may_be_on_its_way_is_cancelled_by_the_backend() {
    let rig = asked(&["run_all"]).await;
    let now = rig.site.clock.microseconds();
    rig.run(&format!("UPDATE backend SET last_contact_at = {now}")).await;
    let done = rig.post(1, &format!("{REQUEST}cancel/"), &[("action", "run_all")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert_eq!(rig.one("SELECT status FROM job_request").await, "pending");
    let cancel: Value = serde_json::from_str(&rig.one("SELECT text FROM directive WHERE cursor = 2").await).unwrap();
    assert_eq!(cancel["type"], "cancel");
    // No job is called run_all: the expected jobs are named.
    assert_eq!(cancel["body"]["actions"], json!(["extract", "table", "tidy"]));
    assert_eq!(cancel["body"]["requested_by"], "sample-r");
}

#[tokio::test]
async fn some_actions_then_the_rest_and_each_only_once() {
    let rig = asked(&["run_all"]).await;
    accepted(&rig, &[("extract", "succeeded"), ("tidy", "running"), ("table", "pending")]).await;
    rig.run(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
            force_run_dependencies, stale, codelists, created_at, delivery, status, news_at)
         VALUES (2, 'zzzzzzzzzzzzzzzz', 1, 1, 3, 'main', NULL, 0, 'keep', 'ok', 1, 'answered', 'pending', 1);
         INSERT INTO job (identifier, job_request, backend, workspace, position, action, db, status, code, created_at, updated_at)
            VALUES ('kkkkkkkkkkkkkkkk', 2, 1, 1, 0, 'paper', 0, 'pending', 'waiting_on_dependencies', 1, 1);
         INSERT INTO job_need (job, position, action, needed, kind) VALUES
            ('kkkkkkkkkkkkkkkk', 0, 'tidy', 'jjjjjjjjjjjjjjjb', 'waits');",
    )
    .await;
    let page = rig.get(1, &format!("{REQUEST}cancel/")).await;
    page.has("<code>paper</code> of <a href=\"/winter-pressures/winter-chest/2/\">request 2</a>");
    page.has("Finished, and left alone");
    page.has_not("value=\"extract\"");
    let path = format!("{REQUEST}cancel/");
    let none = rig.post(1, &path, &[("reason", "keep this")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    none.has("Tick at least one action to cancel.");
    none.has("keep this</textarea>");
    let unknown = rig.post(1, &path, &[("action", "tidy"), ("action", "paper")]).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    unknown.has("This request has no action paper; nothing was cancelled.");
    assert_eq!(rig.one("SELECT count(*) FROM directive").await, "1");

    for _ in 0..2 {
        let fields = [("action", "tidy"), ("action", "extract")];
        assert_eq!(rig.post(1, &path, &fields).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(rig.one("SELECT count(*) FROM directive WHERE kind = 'cancel'").await, "1");
    let rows = "SELECT group_concat(action || ':' || coalesce(result, 'asked'), ' ') FROM (SELECT * FROM cancellation ORDER BY action)";
    assert_eq!(rig.one(rows).await, "extract:already_finished tidy:asked");
    rig.get(1, &path).await.has("by Sample Researcher. The backend's answer decides.");
    assert_eq!(rig.post(1, &path, &[("action", "table")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(rig.one("SELECT count(*) FROM directive WHERE kind = 'cancel'").await, "2");
}

#[tokio::test]
async fn only_the_requester_and_those_who_may_cancel_others() {
    let rig = asked(&["tidy"]).await;
    let path = format!("{REQUEST}cancel/");
    assert!(rig.get(0, &path).await.location.starts_with("/login/"));
    assert_eq!(rig.get(2, &path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(rig.post(2, &path, &[("action", "tidy")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(rig.call(2, "/api/v1/job-requests/1/cancel", None, &json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(rig.get(3, &path).await.status, StatusCode::OK, "a developer of the project");
    // The requester may, also without any role left.
    rig.run("UPDATE role_grant SET revoked_at = 5, revoked_by = 3 WHERE account = 1").await;
    assert_eq!(rig.get(1, &path).await.status, StatusCode::OK);
    assert_eq!(rig.get(1, "/winter-pressures/winter-chest/9/cancel/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(rig.one("SELECT count(*) FROM cancellation").await, "0");
}

#[tokio::test]
async fn the_api_cancels_what_is_left() {
    let rig = asked(&["run_all"]).await;
    accepted(&rig, &[("extract", "succeeded"), ("tidy", "running"), ("table", "pending")]).await;
    let path = "/api/v1/job-requests/1/cancel";
    assert_eq!(rig.call(1, path, None, &json!({"all": true})).await.status, StatusCode::BAD_REQUEST);
    let unknown = rig.call(1, path, None, &json!({"actions": ["nothing"]})).await;
    assert_eq!(
        (unknown.status, &unknown.json()["errors"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("unknown_action"))
    );
    let done = rig.call(1, path, None, &json!({"reason": "enough"})).await;
    assert_eq!(done.status, StatusCode::ACCEPTED, "{}", done.body);
    assert_eq!((&done.json()["asked"], &done.json()["at_once"]), (&json!(["tidy", "table"]), &json!(false)));
    let again = rig.call(1, path, None, &json!({})).await.json();
    assert_eq!(again["asked"], json!(["tidy", "table"]));
    assert_eq!(rig.one("SELECT count(*) FROM directive WHERE kind = 'cancel'").await, "1");
}

#[tokio::test]
async fn a_request_that_nobody_came_for_ends_after_fourteen_days() {
    let rig = asked(&["tidy"]).await;
    rig.site.clock.advance(14 * 24 * 3600 + 240);
    assert_eq!(site::form::expire::expire(&rig.site).await.unwrap(), 0, "backends have five minutes of tolerance");
    rig.site.clock.advance(120);
    assert_eq!(site::form::expire::expire(&rig.site).await.unwrap(), 1);
    let row = "SELECT status || ' ' || reason || ' ' || cancelled FROM job_request";
    assert_eq!(rig.one(row).await, "failed expired_before_start 0");
    assert_eq!(site::form::expire::expire(&rig.site).await.unwrap(), 0);
    // One that a backend has taken is the backend's.
    let rig = asked(&["tidy"]).await;
    rig.run("UPDATE job_request SET delivery = 'delivered'").await;
    rig.site.clock.advance(15 * 24 * 3600);
    assert_eq!(site::form::expire::expire(&rig.site).await.unwrap(), 0);
}
