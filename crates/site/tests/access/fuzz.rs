//! Any path, query, body and header, asked by anybody: never our fault. Spec site.md 19 (no 500 for any input), 20.7.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use proptest::prelude::*;
use proptest::sample::select;
use site::access::{Place, Role, TokenScope};
use tower::ServiceExt;

use crate::world::{Browser, HOST, ORIGIN, World};

/// What stands in a path for what varies: what is there, what is not, and what cannot be.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "winter",
            "snow",
            "1",
            "north",
            "asker",
            "northfield",
            "0",
            "-1",
            "+1",
            "01",
            "1.0",
            "99999999999999999999",
            "9223372036854775807",
            "%00",
            "%ff",
            "%2e%2e",
            "..%2f..",
            "%F0%9F%92%A9",
            "a%00b",
            "null",
            "*",
            "'",
            "%25",
            "aaaaaaaaaaaaaaa1",
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9._~%-]{0,24}",
    ]
}

fn query() -> impl Strategy<Value = String> {
    let key = select(vec![
        "q",
        "status",
        "backend",
        "org",
        "project",
        "workspace",
        "user",
        "action",
        "code",
        "from",
        "to",
        "after",
        "limit",
        "page",
        "show",
        "actor",
        "next",
        "ref",
        "actions",
        "view",
        "x",
    ]);
    let value = prop_oneof![
        select(vec![
            "",
            "0",
            "-1",
            "+1",
            "01",
            "1",
            "9223372036854775808",
            "%00",
            "%ff",
            "%",
            "failed",
            "2027-02-30",
            "0000-01-01",
            "9999-12-31",
            "%22",
            "a*%20OR%20b",
            "NEAR(",
            "-",
            "%2B"
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,30}".prop_map(|text| form_urlencoded::byte_serialize(text.as_bytes()).collect()),
    ];
    prop::collection::vec((key, value).prop_map(|(key, value)| format!("{key}={value}")), 0..4)
        .prop_map(|all| all.join("&"))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![
        select(vec![
            r#"{"workspace":"snow","backend":"north","actions":["a"]}"#,
            r#"{"workspace":"snow","backend":"north","actions":["a"],"colour":"red"}"#,
            r#"{"actions":[]}"#,
            "{}",
            "[]",
            "null",
            "",
            "{",
            r#"{"actions":["\u0000"]}"#,
            r#"{"reason":"\ud800"}"#,
            r#"{"workspace":1e999}"#,
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        // Deeper than any stack.
        Just([b"[".repeat(50_000), b"]".repeat(50_000)].concat()),
    ];
    let field = select(vec![
        "csrf", "username", "reason", "name", "slug", "role", "place", "expires", "code", "actions", "password",
    ]);
    let fields = prop::collection::vec((field, "[a-z0-9%&+-]{0,20}"), 0..6);
    let form =
        fields.prop_map(|all| all.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&").into_bytes());
    prop_oneof![json, form, prop::collection::vec(any::<u8>(), 0..200)]
}

fn extra() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let name = select(vec![
        "accept",
        "content-type",
        "if-none-match",
        "idempotency-key",
        "range",
        "last-event-id",
        "x-forwarded-for",
        "cookie",
        "authorization",
        "x-csrf-token",
        "origin",
        "referer",
        "sec-fetch-site",
        "content-encoding",
        "accept-language",
        "host",
    ]);
    let value = prop_oneof![
        select(vec![
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "*",
            "W/\"a\", *",
            "gzip",
            "-1",
            "cloister=x",
            "Bearer clo_x",
            "bytes=0-",
            "a b",
            ","
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        "[ -~]{0,40}".prop_map(String::into_bytes),
        Just(vec![0xff, 0xfe]),
    ];
    prop::collection::vec((name, value), 0..3)
}

#[derive(Debug, Clone)]
struct Shot {
    route: prop::sample::Index,
    values: Vec<String>,
    query: String,
    body: Vec<u8>,
    json: bool,
    extra: Vec<(&'static str, Vec<u8>)>,
    who: usize,
}

fn shot() -> impl Strategy<Value = Shot> {
    let parts = (
        any::<prop::sample::Index>(),
        prop::collection::vec(value(), 4),
        query(),
        body(),
        any::<bool>(),
        extra(),
        0..3usize,
    );
    parts.prop_map(|(route, values, query, body, json, extra, who)| Shot {
        route,
        values,
        query,
        body,
        json,
        extra,
        who,
    })
}

async fn world() -> (World, [Browser; 3]) {
    let world = World::new().await;
    world.alone().await;
    let asker = world.account("asker").await;
    world.org("northfield").await;
    let project = world.project("winter").await;
    world.workspace(project, "snow").await;
    world.backend("north").await;
    for role in [
        Role::StaffAreaAdministrator,
        Role::ServiceAdministrator,
        Role::SiteAdministrator,
        Role::Auditor,
        Role::DataAuthority,
    ] {
        world.role(asker, role, Place::Site).await;
    }
    world.role(asker, Role::ProjectDeveloper, Place::Project(project)).await;
    let mut change = world.site.store.change().await.unwrap();
    sqlx::query("INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id, force_run_dependencies,
         stale, codelists, created_at, delivery, status, news_at) VALUES (1, 'aaaaaaaaaaaaaaa1', 1, 1, 1, 'main', NULL, 0, 'keep', 'ok', 5, 'waiting', 'pending', 5)")
        .execute(&mut *change)
        .await
        .unwrap();
    change.commit().await.unwrap();
    let browser = world.sign_in("asker").await;
    let program = world.token(asker, TokenScope::ALL, &[]).await;
    (world, [Browser::default(), browser, program])
}

fn path(template: &str, values: &[String]) -> String {
    let (mut rest, mut filled, mut values) = (template, String::new(), values.iter().cycle());
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        filled.push_str(values.next().map_or("", String::as_str));
        rest = after.split_once('}').unwrap().1;
    }
    filled + rest
}

/// The request, if http itself can say it.
fn request(shot: &Shot, method: &Method, template: &str, who: &Browser) -> Option<Request<Body>> {
    let address = format!("{}?{}", path(template, &shot.values), shot.query);
    let mut request = Request::builder().method(method.clone()).uri(address).header(header::HOST, HOST);
    let kind = if shot.json { "application/json" } else { "application/x-www-form-urlencoded" };
    request = request.header(header::CONTENT_TYPE, kind).header("idempotency-key", "k").header("origin", ORIGIN);
    if !who.cookie.is_empty() {
        request = request.header(header::COOKIE, &who.cookie).header("x-csrf-token", &who.csrf);
    }
    if !who.token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", who.token));
    }
    let body =
        if shot.json { shot.body.clone() } else { [format!("csrf={}&", who.csrf).as_bytes(), &shot.body].concat() };
    let mut request = request.body(Body::from(body)).ok()?;
    for (name, value) in &shot.extra {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?);
    }
    Some(request)
}

/// Acts that would end what the test goes on with, and streams that do not end.
const LEFT_OUT: &[&str] = &["/logout/", "/events"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_input_is_our_fault(shots in prop::collection::vec(shot(), 150)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (world, people) = world().await;
            let routes: Vec<(Method, &str)> = site::web::routes()
                .table()
                .filter(|route| !LEFT_OUT.iter().any(|left_out| route.path.ends_with(left_out)))
                .map(|route| (route.method.clone(), route.path))
                .collect();
            for shot in shots {
                let (method, template) = shot.route.get(&routes);
                let Some(request) = request(&shot, method, template, &people[shot.who]) else { continue };
                let answer = world.router.clone().oneshot(request).await.unwrap();
                let status = answer.status();
                let text = answer.into_body().collect().await.unwrap().to_bytes();
                // What a monitor asks: the answer is about a backend, not about the request (site.md 3).
                let is_told = status == StatusCode::SERVICE_UNAVAILABLE && template.starts_with("/status/{backend}/");
                assert!(
                    !status.is_server_error() || is_told,
                    "{method} {template} {status} {}\n{shot:?}",
                    String::from_utf8_lossy(&text)
                );
            }
            site::audit::verify(&world.site.store).await.unwrap();
        });
    }
}

/// The rows of the table of site.md 19 about addresses, each on every list and page that it is about.
#[tokio::test]
async fn numbers_are_written_in_one_way() {
    let (world, people) = world().await;
    let nobody = &people[0];
    for list in [
        "/event-log/",
        "/winter/logs/",
        "/winter/snow/logs/",
        "/orgs/northfield/logs/",
        "/api/v1/job-requests",
        "/api/v2/job-requests/",
    ] {
        assert_eq!(world.get(nobody, list).await.status, StatusCode::OK, "{list}");
        for forged in ["0", "-1", "%2B1", "01", "1.0", "x", "9223372036854775808", "99999999999999999999"] {
            let status = world.get(nobody, &format!("{list}?after={forged}")).await.status;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{list}?after={forged}");
        }
        for odd in ["%ff", "%00", "a%00b", "%zz", "%e2%28"] {
            for query in [format!("{list}?q={odd}"), format!("{list}?{odd}=1"), format!("{list}?after={odd}")] {
                assert_eq!(world.get(nobody, &query).await.status, StatusCode::BAD_REQUEST, "{query}");
            }
        }
    }
    assert_eq!(world.get(nobody, "/winter/snow/1/").await.status, StatusCode::OK);
    for wrong in ["0", "-1", "+1", "%2B1", "01", "1.0", "9223372036854775808", "99999999999999999999", "1%20", "%D9%A1"]
    {
        for path in [
            format!("/winter/snow/{wrong}/"),
            format!("/job-requests/{wrong}/"),
            format!("/winter/snow/{wrong}/project.yaml"),
            format!("/api/v1/job-requests/{wrong}"),
            format!("/api/v1/job-requests/{wrong}/graph"),
        ] {
            assert_eq!(world.get(nobody, &path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
