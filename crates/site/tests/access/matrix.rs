//! Every route with everybody: what is in `matrix.txt`, written by hand, is what happens (spec site.md 20.1).

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, StatusCode};
use site::access::secret::{self, Kind};
use site::access::{Place, Role, TokenScope};
use site::people::{RESERVED, backends, orgs};

use crate::world::{Browser, ORIGIN, World};

const WHO: &str = "apDdCOPMSVTGYBbLItrokq";
const NORTH: i64 = 1;
const SOUTH: i64 = 2;

/// What stands in a path for what varies.
fn value(name: &str) -> &'static str {
    match name {
        "project" => "winter",
        "workspace" => "snow",
        "number" | "request" => "1",
        "backend" => "north",
        "job" => "aaaabbbbccccdddd",
        "username" | "name" => "asker",
        "org" | "slug" => "northfield",
        "grant" | "alert" => "999",
        "ref" => "main",
        "path" | "*path" => "project.yaml",
        "file" => ui::assets::all()[0].name,
        other => panic!("the matrix does not know what stands for {{{other}}} in a path; add it here"),
    }
}

fn filled(path: &str) -> String {
    let mut rest = path;
    let mut filled = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap();
        filled.push_str(before);
        filled.push_str(value(name));
        rest = behind;
    }
    filled + rest
}

/// What a call of the API needs to get as far as the question who asks for what.
fn body(path: &str) -> &'static str {
    match path {
        "/api/v1/workspaces/{workspace}/check" => r#"{"backend":"north","actions":["a"]}"#,
        "/api/v1/job-requests" => r#"{"workspace":"snow","backend":"north","actions":["a"]}"#,
        _ => "{}",
    }
}

struct Row {
    method: Method,
    path: &'static str,
    cells: String,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("matrix.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
        let cells: String = words.collect();
        assert_eq!(cells.len(), WHO.len(), "{line}");
        assert!(cells.chars().all(|cell| "+sxu.".contains(cell)), "{line}");
        Row { method, path, cells }
    };
    lines.map(row).collect()
}

#[test]
fn every_route_has_one_row_and_every_row_a_route() {
    let mut known = BTreeSet::new();
    for row in rows() {
        assert!(known.insert((row.path, row.method.to_string())), "two rows for {} {}", row.method, row.path);
    }
    let routes: BTreeSet<_> = site::web::routes().table().map(|route| (route.path, route.method.to_string())).collect();
    let without: Vec<_> = routes.difference(&known).collect();
    assert!(
        without.is_empty(),
        "no row in tests/access/matrix.txt, written by hand from site.md 11.3, for: {without:?}"
    );
    let gone: Vec<_> = known.difference(&routes).collect();
    assert!(gone.is_empty(), "rows in tests/access/matrix.txt for routes that are not there: {gone:?}");
}

/// No project can be made whose addresses would be taken for others, and none is kept for nothing but what is to come.
#[test]
fn first_parts_of_addresses_are_reserved() {
    for route in site::web::routes().table() {
        let first = route.path.split('/').nth(1).unwrap();
        if !first.starts_with('{') && !first.is_empty() && !first.contains('.') {
            assert!(RESERVED.contains(&first), "{first} is not in people::RESERVED");
        }
        let mut parts = route.path.split('/').skip(1);
        if let (Some("{project}"), Some(second), Some("")) = (parts.next(), parts.next(), parts.next()) {
            let is_name = second.starts_with('{');
            assert!(is_name || site::people::RESERVED_WORKSPACES.contains(&second), "{second} could be a workspace");
        }
    }
}

/// A world in which everything that a path may name is there.
async fn world() -> World {
    let world = World::new().await;
    world.alone().await;
    assert_eq!((world.backend("north").await, world.backend("south").await), (NORTH, SOUTH));
    world.org("northfield").await;
    let (winter, summer) = (world.project("winter").await, world.project("summer").await);
    let snow = world.workspace(winter, "snow").await;
    let asker = world.account("asker").await;
    let mut change = world.site.store.change().await.unwrap();
    // Backends that are there, so that no page says 503 because one is missing.
    sqlx::query("UPDATE backend SET confirmed_at = 1, mode = 'open', mode_since = 1, last_contact_at = ?1")
        .bind(world.site.clock.microseconds())
        .execute(&mut *change)
        .await
        .unwrap();
    sqlx::query("INSERT INTO project_yaml (sha256, body) VALUES ('y', CAST('version: 3' AS BLOB))")
        .execute(&mut *change)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO job_request (number, identifier, workspace, backend, requested_by, branch, commit_id,
             project_yaml, force_run_dependencies, stale, codelists, created_at, delivery, status, news_at)
         VALUES (1, 'abcdabcdabcdabcd', ?1, 1, ?2, 'main', ?3, 'y', 0, 'keep', 'ok', 1, 'answered', 'running', 1)",
    )
    .bind(snow)
    .bind(asker)
    .bind("5".repeat(40))
    .execute(&mut *change)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO job (identifier, job_request, backend, workspace, position, action, db, status, code, created_at, updated_at)
         VALUES ('aaaabbbbccccdddd', 1, 1, ?1, 0, 'a', 0, 'running', 'executing', 1, 1)",
    )
    .bind(snow)
    .execute(&mut *change)
    .await
    .unwrap();
    change.commit().await.unwrap();
    for (name, role, place) in [
        ("D", Role::ProjectDeveloper, Place::Project(winter)),
        ("d", Role::ProjectDeveloper, Place::Project(summer)),
        ("C", Role::ProjectCollaborator, Place::Project(winter)),
        ("O", Role::OutputChecker, Place::Site),
        ("P", Role::OutputPublisher, Place::Site),
        ("M", Role::DeploymentAdministrator, Place::Site),
        ("S", Role::StaffAreaAdministrator, Place::Site),
        ("V", Role::ServiceAdministrator, Place::Site),
        ("T", Role::TechSupport, Place::Site),
        ("G", Role::SignOffRepoWithOutputs, Place::Site),
        ("Y", Role::DataAuthority, Place::Site),
        ("B", Role::BackendOperator, Place::Backend(NORTH)),
        ("b", Role::BackendOperator, Place::Backend(SOUTH)),
        ("L", Role::Auditor, Place::Site),
        ("I", Role::SiteAdministrator, Place::Site),
    ] {
        let account = world.account(&username(name)).await;
        world.role(account, role, place).await;
        // Being let in at the backend is another matter than roles; here everybody is.
        world.operate(async |change, by| backends::set_member(change, by, NORTH, account, true).await.unwrap()).await;
    }
    let person = world.account(&username("p")).await;
    world.operate(async |change, by| orgs::set_member(change, by, 1, person, true).await.unwrap()).await;
    world
}

/// User names are compared without case, columns are not.
fn username(column: &str) -> String {
    let kind = if column.chars().all(char::is_uppercase) { "great" } else { "small" };
    format!("{kind}-{}", column.to_lowercase())
}

async fn everybody(world: &World) -> BTreeMap<char, Browser> {
    let developer = site::people::accounts::find(&world.site.store, &username("D")).await.unwrap().unwrap();
    let mut all = BTreeMap::new();
    for who in WHO.chars() {
        let browser = match who {
            'a' => Browser::default(),
            't' => world.token(developer, TokenScope::ALL, &[]).await,
            'r' => world.token(developer, &[TokenScope::Read], &[]).await,
            'o' => world.token(developer, TokenScope::ALL, &[2]).await,
            'k' => agent(world, NORTH).await,
            'q' => agent(world, SOUTH).await,
            person => world.sign_in(&username(&person.to_string())).await,
        };
        all.insert(who, browser);
    }
    all
}

async fn agent(world: &World, backend: i64) -> Browser {
    let token = secret::token(Kind::Backend).unwrap();
    let mut change = world.site.store.change().await.unwrap();
    sqlx::query(
        "INSERT INTO backend_token (hash, backend, created_at, valid_from, expires_at) VALUES (?1, ?2, 1, 1, 9000000000000000)",
    )
    .bind(secret::hash(&token).to_vec())
    .bind(backend)
    .execute(&mut *change)
    .await
    .unwrap();
    change.commit().await.unwrap();
    Browser { token, ..Browser::default() }
}

async fn outcome(world: &World, row: &Row, browser: &Browser) -> char {
    let (path, own) = (filled(row.path), [("origin", ORIGIN), ("sec-fetch-site", "same-origin")]);
    let answer = if row.method == Method::GET {
        world.head(browser, Method::GET, &path, Body::empty(), &[]).await
    } else if row.path.starts_with("/api/") {
        let headers = [
            own[0],
            own[1],
            ("content-type", "application/json"),
            ("x-csrf-token", browser.csrf.as_str()),
            ("idempotency-key", "one"),
        ];
        world.head(browser, Method::POST, &path, Body::from(body(row.path)), &headers).await
    } else if row.path.starts_with("/backend/") {
        world.head(browser, Method::POST, &path, Body::from("{}"), &[("content-type", "application/json")]).await
    } else {
        let form = format!("csrf={}", browser.csrf);
        let headers = [own[0], own[1], ("content-type", "application/x-www-form-urlencoded")];
        world.head(browser, Method::POST, &path, Body::from(form), &headers).await
    };
    match answer.status {
        StatusCode::SEE_OTHER if answer.header("location").starts_with("/login/?next=") => 's',
        StatusCode::FORBIDDEN => 'x',
        StatusCode::UNAUTHORIZED => 'u',
        StatusCode::NOT_FOUND => '.',
        StatusCode::METHOD_NOT_ALLOWED => '!',
        // The study's folder is not there, which is not a matter of access.
        StatusCode::SERVICE_UNAVAILABLE if row.path.contains("run-jobs") || row.path.contains("/api/v1/") => '+',
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => '!',
        _ => '+',
    }
}

#[tokio::test]
async fn everybody_gets_what_the_matrix_says() {
    let world = world().await;
    let all = everybody(&world).await;
    let known: BTreeSet<_> = site::web::routes().table().map(|route| (route.path, route.method.clone())).collect();
    let mut wrong = Vec::new();
    for row in rows().into_iter().filter(|row| known.contains(&(row.path, row.method.clone()))) {
        let mut happened = String::new();
        for who in WHO.chars() {
            // Signing out ends what the other rows need.
            let own = if row.path == "/logout/" && !all[&who].cookie.is_empty() {
                &world.sign_in(&username(&who.to_string())).await
            } else {
                &all[&who]
            };
            happened.push(outcome(&world, &row, own).await);
        }
        if happened != row.cells {
            wrong.push(format!(
                "{} {}\n  who      {WHO}\n  written  {}\n  happened {happened}",
                row.method, row.path, row.cells
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
