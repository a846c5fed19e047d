//! What people read on each page, in every state. Look at every change: `cargo insta review`.

use http::header;

use super::html::text;
use super::{answer, get, page, request_path, site};

#[tokio::test]
async fn requests_in_every_state() {
    let (_folder, site) = site().await;
    for (number, state) in [
        (1, "succeeded"),
        (2, "failed"),
        (3, "running"),
        (4, "refused"),
        (5, "nothing-to-do"),
        (6, "cancelled"),
        (7, "waiting"),
        (8, "unknown"),
        (9, "hostile"),
    ] {
        let html = page(&site, &request_path(number)).await;
        insta::assert_snapshot!(format!("request-{state}"), text(&html));
    }
}

#[tokio::test]
async fn other_pages() {
    let (_folder, site) = site().await;
    let job = page(&site, &request_path(2)).await;
    let id = job.split("<li id=\"j-").nth(3).unwrap().split('"').next().unwrap();
    for (path, name) in [
        ("/".to_owned(), "home"),
        ("/event-log/?status=failed".to_owned(), "log"),
        ("/status/".to_owned(), "status"),
        ("/hazardous-prescribing/".to_owned(), "project"),
        ("/hazardous-prescribing/pincer-measures/".to_owned(), "workspace"),
        ("/hazardous-prescribing/old-measures/".to_owned(), "archived"),
        ("/orgs/northfield/".to_owned(), "organisation"),
        ("/users/sample-r/".to_owned(), "person"),
        (format!("{}{id}/", request_path(2)), "job"),
        (format!("{}project.yaml?view=actions", request_path(1)), "actions"),
    ] {
        let html = page(&site, &path).await;
        insta::assert_snapshot!(name, text(&html));
    }
}

#[tokio::test]
async fn the_file_is_byte_for_byte() {
    let (_folder, site) = site().await;
    let (_, text) = get(&site, &format!("{}project.yaml", request_path(1))).await;
    assert_eq!(text, super::world::study("pincer-measures"));
}

#[tokio::test]
async fn an_unchanged_page_costs_nothing() {
    let (_folder, site) = site().await;
    for path in [
        "/".to_owned(),
        "/event-log/".to_owned(),
        "/hazardous-prescribing/".to_owned(),
        "/hazardous-prescribing/pincer-measures/".to_owned(),
        "/hazardous-prescribing/old-measures/".to_owned(),
        "/orgs/northfield/".to_owned(),
        "/users/sample-r/".to_owned(),
        request_path(1),
        request_path(2),
    ] {
        let tag = answer(&site, &path).await.headers()[header::ETAG].clone();
        // An hour later it is the same day still.
        site.clock.advance(3_600);
        let ask = async || {
            let request = http::Request::get(&path).header(header::IF_NONE_MATCH, &tag);
            let request = request.body(axum::body::Body::empty()).unwrap();
            tower::ServiceExt::oneshot(site::router(site.clone()), request).await.unwrap().status()
        };
        if path == "/" {
            // By then the backends would be missed.
            site.clock.advance(-3_600);
        }
        assert_eq!(ask().await, http::StatusCode::NOT_MODIFIED, "{path}");
        site.clock.advance(86_400);
        // These two tell of nothing that was today.
        if !["/hazardous-prescribing/old-measures/", "/orgs/northfield/"].contains(&path.as_str()) {
            assert_eq!(ask().await, http::StatusCode::OK, "{path}: it says “yesterday” now");
        }
        super::at_noon(&site);
    }
}

#[tokio::test]
async fn monitors_read_one_word() {
    let (_folder, site) = site().await;
    // Within five minutes of its last contact, 09:15:00.
    assert_eq!(get(&site, "/status/tpp/").await, (http::StatusCode::OK, "ok\n".to_owned()));
    assert_eq!(get(&site, "/status/emis/").await, (http::StatusCode::OK, "maintenance\n".to_owned()));
    site.clock.advance(3_600);
    assert_eq!(get(&site, "/status/tpp/").await, (http::StatusCode::SERVICE_UNAVAILABLE, "missing\n".to_owned()));
}

#[tokio::test]
async fn a_person_has_their_own_workspaces_and_unfinished_requests() {
    use site::store::read::{Filter, requests, workspaces_of};
    let (_folder, site) = site().await;
    let now = site.clock.microseconds();
    let mine = workspaces_of(site.store.readers(), 1, now).await.unwrap();
    assert_eq!(
        mine,
        [("hazardous-prescribing".to_owned(), "pincer-measures".to_owned())],
        "archived ones are left out"
    );
    assert!(workspaces_of(site.store.readers(), 2, now).await.unwrap().is_empty(), "no role, no workspace");
    let filter = Filter { user: Some("sample-r".into()), open: true, ..Filter::default() };
    let open = requests(site.store.readers(), &filter, 10).await.unwrap();
    assert_eq!(open.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [7, 3]);
}
