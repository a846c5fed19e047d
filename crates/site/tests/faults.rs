//! The site on a bad day: the database locked by another process, no space, a folder that cannot be written, queries and
//! requests that take too long. Reads go on; writes are 503 with a request id; nothing is half done; health says which.
//! Spec site.md 16, 19.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test stops at its first surprise")]

#[path = "access/world.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of access")]
mod world;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use site::access::{Place, Role, TokenScope};
use site::store::StoreError;
use sqlx::{ConnectOptions, Connection};

use world::{Browser, World};

const READS: &[&str] =
    &["/", "/event-log/", "/status/", "/organisations/", "/winter/", "/winter/snow/", "/api/v1/orgs"];

/// Somebody who may add organisations, and a program of theirs; both have not been seen for a while, so that each of their
/// requests is a reason to write that down.
async fn staff(world: &World) -> (Browser, Browser) {
    world.alone().await;
    let ann = world.account("ann").await;
    world.role(ann, Role::ServiceAdministrator, Place::Site).await;
    let project = world.project("winter").await;
    world.workspace(project, "snow").await;
    let browser = world.sign_in("ann").await;
    let token = world.token(ann, TokenScope::ALL, &[]).await;
    (browser, token)
}

async fn orgs(world: &World) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM org").fetch_one(world.site.store.readers()).await.unwrap()
}

async fn health(world: &World) -> (StatusCode, String) {
    // An answer counts for half a second.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let answer = world.get(&Browser::default(), "/health/ready").await;
    (answer.status, answer.text)
}

/// Reads by everybody go on.
async fn reads_go_on(world: &World, who: &[&Browser]) {
    for path in READS {
        for browser in [&Browser::default()].iter().chain(who) {
            let answer = world.get(browser, path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        }
    }
    assert_eq!(world.get(who[0], "/staff/orgs/").await.status, StatusCode::OK);
}

/// A form and a call are answered 503, with the id that the log has.
async fn writes_are_refused(world: &World, browser: &Browser, program: &Browser) {
    let answer = world.post(browser, "/staff/orgs/", &[("slug", "east"), ("name", "East"), ("description", "")]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    let id = answer.header("x-request-id");
    assert!(id.len() == 16 && answer.text.contains(id), "the page tells its id\n{}", answer.text);
    let answer = world
        .ask(
            program,
            Method::POST,
            "/login/",
            Body::from("username=a&password=b"),
            &[("content-type", "application/x-www-form-urlencoded"), ("origin", world::ORIGIN)],
        )
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
    let body = r#"{"code":"a","public_key":"b"}"#;
    let answer = world.ask(&Browser::default(), Method::POST, "/backend/v1/enrol", Body::from(body), &[]).await;
    assert!(!answer.status.is_success() && answer.status != StatusCode::INTERNAL_SERVER_ERROR);
}

async fn writes_work_again(world: &World, browser: &Browser) {
    let answer = world.post(browser, "/staff/orgs/", &[("slug", "west"), ("name", "West"), ("description", "")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(orgs(world).await, 1, "only what was answered as done was done");
    site::audit::verify(&world.site.store).await.unwrap();
    assert_eq!(health(world).await, (StatusCode::OK, "ok\n".to_owned()));
}

/// Another process that holds the write lock until its input ends.
struct Holder(Child);

impl Holder {
    fn of(database: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "holds_the_lock", "--nocapture"])
            .env("HELD", database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.map(Result::unwrap).find(|line| line.contains("it is held")).unwrap();
        Self(child)
    }

    fn let_go(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[tokio::test]
#[ignore = "the other process of the tests below"]
async fn holds_the_lock() {
    let path = std::env::var_os("HELD").expect("the tests below say which database");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(PathBuf::from(path));
    let mut held = options.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut held).await.unwrap();
    println!("it is held");
    std::io::stdout().flush().unwrap();
    std::io::stdin().lines().for_each(drop);
    sqlx::query("ROLLBACK").execute(&mut held).await.unwrap();
    held.close().await.unwrap();
}

#[tokio::test]
async fn another_process_holds_the_lock() {
    let world = World::new().await;
    let (browser, program) = staff(&world).await;
    let holder = Holder::of(&world.site.settings.database());
    world.site.clock.advance(120);
    reads_go_on(&world, &[&browser, &program]).await;
    assert!(matches!(world.site.store.change().await, Err(StoreError::Busy)));
    writes_are_refused(&world, &browser, &program).await;
    assert_eq!(health(&world).await, (StatusCode::SERVICE_UNAVAILABLE, "locked\n".to_owned()));
    assert_eq!(world.get(&Browser::default(), "/health/live").await.status, StatusCode::OK);
    holder.let_go();
    writes_work_again(&world, &browser).await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_ends() {
    let world = World::with(|settings| settings.times.request = Duration::from_millis(300)).await;
    let (browser, program) = staff(&world).await;
    let holder = Holder::of(&world.site.settings.database());
    writes_are_refused(&world, &browser, &program).await;
    holder.let_go();
    // What was given up does not happen later either.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(orgs(&world).await, 0);
}

#[tokio::test]
async fn the_database_may_not_grow() {
    let world = World::new().await;
    let (browser, program) = staff(&world).await;
    let long = "x".repeat(9_000);
    for turn in 0..5 {
        // The one writer's connection: as when the disk is full, each write that needs a page fails.
        let mut change = world.site.store.change().await.unwrap();
        let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(&mut *change).await.unwrap();
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(limit).execute(&mut *change).await.unwrap();
        change.rollback().await.unwrap();
        let slug = format!("east-{turn}");
        let fields = [("slug", slug.as_str()), ("name", slug.as_str()), ("description", long.as_str())];
        let answer = world.post(&browser, "/staff/orgs/", &fields).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
        assert!(answer.text.contains(answer.header("x-request-id")));
        assert_eq!(orgs(&world).await, turn, "{slug} is half written");
        // It is not for ever: what comes after it finds another connection.
        let answer = world.post(&browser, "/staff/orgs/", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    }
    reads_go_on(&world, &[&browser, &program]).await;
    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_event WHERE action = 'org_added'")
        .fetch_one(world.site.store.readers())
        .await
        .unwrap();
    assert_eq!(done, orgs(&world).await, "each organisation has its record");
    site::audit::verify(&world.site.store).await.unwrap();
}

/// A small file system of its own, if this process may make one.
struct Small(PathBuf);

impl Small {
    fn at(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(folder).status();
        made.is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn the_disk_is_full() {
    let place = tempfile::tempdir().unwrap();
    let Some(small) = Small::at(&place.path().join("small")) else {
        eprintln!("left out: a file system of its own cannot be mounted here");
        return;
    };
    let data = small.0.join("data");
    let world = World::with(|settings| settings.data.clone_from(&data)).await;
    let (browser, program) = staff(&world).await;
    let filler = small.0.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    world.site.clock.advance(120);
    reads_go_on(&world, &[&browser, &program]).await;
    writes_are_refused(&world, &browser, &program).await;
    assert_eq!(orgs(&world).await, 0);
    let (status, said) = health(&world).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && said.contains("disk"), "{said}");
    std::fs::remove_file(&filler).unwrap();
    writes_work_again(&world, &browser).await;
}

#[tokio::test]
async fn nothing_can_be_written_beside_the_database() {
    let world = World::new().await;
    let (browser, program) = staff(&world).await;
    let data = world.site.settings.data.clone();
    // Root may write everywhere but into a folder that is marked so; everybody else is stopped by its mode.
    let marked = |mark: &str| Command::new("chattr").arg(mark).arg(&data).status().is_ok_and(|status| status.success());
    let mode = |bits| {
        std::fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(bits)).unwrap();
    };
    let is_marked = marked("+i");
    if !is_marked {
        mode(0o555);
        if std::fs::write(data.join("probe"), "x").is_ok() {
            mode(0o755);
            eprintln!("left out: no folder can be closed here");
            return;
        }
    }
    reads_go_on(&world, &[&browser, &program]).await;
    let said = health(&world).await;
    if is_marked {
        marked("-i");
    } else {
        mode(0o755);
    }
    assert_eq!(said, (StatusCode::SERVICE_UNAVAILABLE, "files\n".to_owned()));
    writes_work_again(&world, &browser).await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_ends_and_the_next_one_works() {
    let world = World::with(|settings| settings.times.query = Duration::from_millis(200)).await;
    let (browser, _) = staff(&world).await;
    let endless = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c";
    for _ in 0..10 {
        // More often than there are readers: none is lost.
        let ended = sqlx::query(endless).fetch_one(world.site.store.readers()).await;
        assert!(ended.unwrap_err().to_string().contains("interrupted"));
    }
    reads_go_on(&world, &[&browser]).await;
}

#[tokio::test]
async fn a_page_whose_query_takes_too_long_is_503_with_its_id() {
    let world = World::new().await;
    staff(&world).await;
    let mut change = world.site.store.change().await.unwrap();
    for n in 0..1_500 {
        sqlx::query("INSERT INTO org (slug, name, created_at) VALUES (?1, ?1, 1)")
            .bind(format!("org-{n}"))
            .execute(&mut *change)
            .await
            .unwrap();
    }
    change.commit().await.unwrap();
    let mut settings = world.site.settings.clone();
    settings.times.query = Duration::ZERO;
    let site = site::Site::open(settings).await.unwrap();
    let mut hurried = World::new().await;
    (hurried.router, hurried.site) = (site::router(site.clone()), site);
    for path in ["/organisations/", "/api/v1/orgs"] {
        let answer = hurried.get(&Browser::default(), path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.text.contains(answer.header("x-request-id")), "{path}: {}", answer.text);
    }
}
