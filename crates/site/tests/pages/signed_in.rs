//! What somebody who signed in sees more than the public: their own work, and what they may do with a request.
//! Spec site.md 4.1 (buttons), 18.

use axum::body::Body;
use http::{Request, header};
use http_body_util::BodyExt;
use site::Opened;
use tower::ServiceExt;

use super::{page, request_path, site};

/// The page as this account sees it.
async fn page_for(site: &Opened, account: i64, path: &str) -> String {
    let now = site.clock.microseconds();
    let mut change = site.store.change().await.unwrap();
    let begun =
        site::access::session::begin(&mut change, &site.settings, account, "test", "192.0.2.0/24", now).await.unwrap();
    change.commit().await.unwrap();
    let cookie = begun.cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let answer = site::router(site.clone()).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), http::StatusCode::OK, "{path}");
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn buttons_are_for_those_who_may() {
    let (_folder, site) = site().await;
    let (running, failed) = (request_path(3), request_path(2));
    // The public is offered nothing.
    for path in [&running, &failed] {
        let html = page(&site, path).await;
        assert!(!html.contains("Run again") && !html.contains("Cancel</"), "{path}");
    }
    // Who asked may cancel, and as a member run again.
    let html = page_for(&site, 1, &running).await;
    assert!(html.contains("<a class=\"b stop\" href=\"cancel/\">Cancel</a>"));
    assert!(html.contains("href=\"../run-jobs/?from=3\">Run again</a>"));
    let html = page_for(&site, 1, &failed).await;
    assert!(html.contains("href=\"../run-jobs/?from=2&amp;only=failed\">Run what failed</a>"));
    assert!(!html.contains("Cancel</"), "nothing is left to cancel");
    // Somebody without a role in this project sees what the public sees.
    let html = page_for(&site, 2, &running).await;
    assert!(!html.contains("Run again") && !html.contains("Cancel</"));
}

/// The page of the job of an action.
async fn job_path(site: &Opened, number: i64, action: &str) -> String {
    let sql = "SELECT identifier FROM job WHERE job_request = ? AND action = ?";
    let (id,): (String,) = sqlx::query_as(sql).bind(number).bind(action).fetch_one(site.store.readers()).await.unwrap();
    format!("{}{id}/", request_path(number))
}

#[tokio::test]
async fn one_action_can_be_cancelled_and_what_failed_before_it_run_again() {
    let (_folder, site) = site().await;
    let waits = job_path(&site, 3, "generate_study_population_2").await;
    let blocked = job_path(&site, 2, "generate_plots").await;
    for path in [&waits, &blocked] {
        let html = page(&site, path).await;
        assert!(!html.contains("Cancel this action") && !html.contains("and this</a>"), "{path}");
    }
    let html = page_for(&site, 1, &waits).await;
    assert!(html.contains("href=\"../cancel/?action=generate_study_population_2\">Cancel this action</a>"));
    let html = page_for(&site, 1, &format!("{}cancel/?action=generate_study_population_2", request_path(3))).await;
    let ticked: Vec<&str> = html.split("<input type=checkbox name=action value=\"").skip(1).collect();
    assert!(ticked.len() > 1, "all that is unfinished is listed");
    for action in ticked {
        assert_eq!(action.contains("\" checked>"), action.starts_with("generate_study_population_2\""), "{action}");
    }
    let html = page_for(&site, 1, &blocked).await;
    let link = "../../run-jobs/?backend=tpp&amp;action=calculate_numerators&amp;action=generate_plots";
    assert!(html.contains(&format!("href=\"{link}\">Run calculate_numerators and this</a>")));
    assert!(!html.contains("Cancel this action"), "it has ended");
}

#[tokio::test]
async fn members_run_edit_switch_and_archive_from_the_page_of_a_workspace() {
    let (_folder, site) = site().await;
    let (open, closed) = ("/hazardous-prescribing/pincer-measures/", "/hazardous-prescribing/old-measures/");
    for path in [open, closed] {
        let html = page(&site, path).await;
        assert!(!html.contains("<form method=post") && !html.contains("run-jobs/"), "{path}");
    }
    let html = page_for(&site, 1, open).await;
    for part in [
        "href=\"run-jobs/\"",
        "href=\"edit/\"",
        "action=\"notifications/\"",
        "action=\"archive/\"",
        "Archive this workspace",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let html = page_for(&site, 1, closed).await;
    assert!(html.contains("Open this workspace again") && !html.contains("run-jobs/"));
    assert!(!html.contains("notifications/"), "nothing will end there");
}

#[tokio::test]
async fn roles_and_use_of_the_machine_are_for_those_who_may_see_them() {
    let (_folder, site) = site().await;
    let used = "UPDATE job SET metrics = '{\"cpu_mean\":80,\"cpu_peak\":190,\"mem_mb_mean\":300,\"mem_mb_peak\":700}'
        WHERE job_request = 1";
    let mut change = site.store.change().await.unwrap();
    sqlx::query(used).execute(&mut *change).await.unwrap();
    change.commit().await.unwrap();
    let job = job_path(&site, 1, "generate_plots").await;
    assert!(!page(&site, &job).await.contains("700 MB"));
    assert!(!page_for(&site, 2, &job).await.contains("700 MB"));
    let html = page_for(&site, 1, &job).await;
    assert!(html.contains("80% on average, 190% at most") && html.contains("several processors"));
    // Who has no public request is no name for the public.
    let html = page(&site, "/hazardous-prescribing/").await;
    assert!(!html.contains("Nobody Yet") && !html.contains("ProjectDeveloper"));
    let html = page_for(&site, 1, "/hazardous-prescribing/").await;
    assert!(html.contains("Nobody Yet <span class=soft>ProjectDeveloper</span>"));
}

#[tokio::test]
async fn the_home_page_shows_their_own_work() {
    let (_folder, site) = site().await;
    let html = page_for(&site, 1, "/").await;
    assert!(
        html.contains("My unfinished requests") && html.contains("/hazardous-prescribing/pincer-measures/run-jobs/")
    );
    assert!(!page(&site, "/").await.contains("My unfinished requests"));
}

#[tokio::test]
async fn the_page_stays_small() {
    let (_folder, site) = site().await;
    let bytes = page_for(&site, 1, &request_path(1)).await.len();
    assert!(bytes < 28_000, "{bytes} bytes");
}
