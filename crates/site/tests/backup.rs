//! Backups of a site that serves: put back they are some instant of it, and no byte of them can change unseen.
//! Spec site.md 17.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Rig, accepted, failed, started, succeeded};
use serde_json::json;
use site::audit::{self, fields};
use site::backup::{self, BackupError};
use site::facts::{self, FactsError};
use site::people::By;
use site::store::Store;
use site::{Settings, Site};
use sqlx::Row;

/// A site with history, and the files that a site has beside its tables.
async fn site() -> (Rig, common::North) {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let (directive, order) = rig.request(&north, 812, &["tabulate", "plot"]).await;
    rig.tell(&mut north, vec![(1, accepted(&directive, &order)), (5, started(812, "tabulate", 1))]).await;
    let mirror = rig.folder.path().join("mirrors/git/somewhere.git");
    for folder in ["refs/heads", "objects/pack", "objects/info"] {
        fs::create_dir_all(mirror.join(folder)).unwrap();
    }
    for (name, text) in [("HEAD", "ref: refs/heads/main\n"), ("packed-refs", "x\n"), ("objects/pack/p.pack", "PACK")] {
        fs::write(mirror.join(name), text).unwrap();
    }
    fs::write(mirror.join("objects/pack/tmp_pack_1"), "half").unwrap();
    (rig, north)
}

fn elsewhere(rig: &Rig, data: &Path) -> Settings {
    Settings { data: data.to_owned(), ..rig.site.settings.clone() }
}

/// Every row of every table, as text.
async fn rows(store: &Store) -> Vec<String> {
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('session', 'audit_event', 'audit_text',
         'one_time_code') AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'request_words_%' ORDER BY name",
    )
    .fetch_all(store.readers())
    .await
    .unwrap();
    let mut all = Vec::new();
    for (name,) in names {
        let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info(?)")
            .bind(&name)
            .fetch_all(store.readers())
            .await
            .unwrap();
        let columns: Vec<String> = columns.iter().map(|(column,)| format!("quote(\"{column}\")")).collect();
        let sql = format!("SELECT {} AS line FROM \"{name}\" ORDER BY 1", columns.join(" || ',' || "));
        let found = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(store.readers()).await.unwrap();
        all.extend(found.iter().map(|row| format!("{name}: {}", row.try_get::<String, _>("line").unwrap())));
    }
    all
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_is_put_back_is_what_was_there_and_backends_send_the_rest() {
    let (rig, mut north) = site().await;
    let out = tempfile::tempdir().unwrap();
    let made = backup::make(&rig.site.settings, &out.path().join("b"), None).await.unwrap();
    let then = rows(&rig.site.store).await;
    // What happens after the backup is not in it.
    let later = [succeeded(812, "tabulate", 372), started(812, "plot", 1), failed(812, "plot", 0)]
        .map(|body| north.fact(378, &body));
    assert_eq!(rig.facts(&north, &later).await.0.as_u16(), 200);
    let now = rows(&rig.site.store).await;
    assert_ne!(then, now);

    let new = out.path().join("new/site");
    let whole = backup::restore(&elsewhere(&rig, &new), &out.path().join("b"), None).await.unwrap();
    assert_eq!((whole.facts, &whole.manifest), (2, &made.manifest));
    let store = Store::open(&new.join("site.sqlite")).await.unwrap();
    assert_eq!(rows(&store).await, then);
    let last: String = sqlx::query_scalar("SELECT record FROM audit_event ORDER BY seq DESC LIMIT 1")
        .fetch_one(store.readers())
        .await
        .unwrap();
    assert!(last.contains("\"backup_restored\"") && last.contains(&made.manifest.name()), "{last}");
    store.close().await;
    let said: String = rig.one("SELECT record FROM audit_event ORDER BY seq DESC LIMIT 1").await;
    assert!(said.contains("\"backup_made\"") && said.contains("\"operator@"), "{said}");

    // The files: the same bytes; nobody else reads the key; nothing half done; folders that git needs.
    let old_key = fs::read(rig.folder.path().join("site.key")).unwrap();
    assert_eq!(fs::read(new.join("site.key")).unwrap(), old_key);
    assert_eq!(fs::metadata(new.join("site.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let mirror = new.join("mirrors/git/somewhere.git");
    assert_eq!(fs::read_to_string(mirror.join("HEAD")).unwrap(), "ref: refs/heads/main\n");
    assert!(mirror.join("refs/heads").is_dir() && mirror.join("objects/info").is_dir());
    assert!(!mirror.join("objects/pack/tmp_pack_1").exists());

    // A site from it: the backend says where it is, and sends what the site has lost.
    let restored = Site::open(elsewhere(&rig, &new)).await.unwrap();
    let rig = Rig { router: site::router(restored.clone()), site: restored, folder: rig.folder };
    let (status, hello) = rig.hello(&mut north).await;
    assert_eq!((status.as_u16(), &hello["head"]["seq"]), (200, &json!(2)));
    let (status, answer) = rig.facts(&north, &later).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    assert_eq!(rig.one::<String>("SELECT status FROM job_request").await, "failed");
    assert_eq!(facts::verify(&rig.site.store).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_write_load_a_backup_is_one_instant() {
    let (rig, _) = site().await;
    rig.run("CREATE TABLE left_side (n INTEGER PRIMARY KEY) STRICT; CREATE TABLE right_side (n INTEGER PRIMARY KEY) STRICT;")
        .await;
    let out = tempfile::tempdir().unwrap();
    let (site, stop) = (rig.site.clone(), std::sync::Arc::new(AtomicBool::new(false)));
    let stopping = stop.clone();
    let writer = tokio::spawn(async move {
        let mut n = 0_i64;
        while !stopping.load(Ordering::Relaxed) {
            n += 1;
            let mut change = site.store.change().await.unwrap();
            for sql in ["INSERT INTO left_side VALUES (?)", "INSERT INTO right_side VALUES (?)"] {
                sqlx::query(sql).bind(n).execute(&mut *change).await.unwrap();
            }
            let act = By::operator().act("counted").after(fields([("n", json!(n))]));
            audit::record(&mut change, act).await.unwrap();
            change.commit().await.unwrap();
        }
        n
    });
    let count = "SELECT count(*) FROM left_side";
    for turn in 0..4 {
        let before: i64 = rig.one(count).await;
        let made = backup::make(&rig.site.settings, &out.path().join("b"), None).await.unwrap();
        let after: i64 = rig.one(count).await;
        let new = out.path().join(format!("new-{turn}"));
        let name = made.manifest.name();
        backup::restore(&elsewhere(&rig, &new), &out.path().join("b"), Some(&name)).await.unwrap();
        let store = Store::open(&new.join("site.sqlite")).await.unwrap();
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM left_side) AS l, (SELECT count(*) FROM right_side) AS r,
                    (SELECT coalesce(max(n), 0) FROM left_side) AS last,
                    (SELECT count(*) FROM audit_event WHERE action = 'counted') AS acts",
        );
        let row = row.fetch_one(store.readers()).await.unwrap();
        let numbers: Vec<i64> = ["l", "r", "last", "acts"].iter().map(|name| row.try_get(*name).unwrap()).collect();
        assert!(numbers.iter().all(|n| *n == numbers[0]), "{numbers:?}");
        assert!((before..=after).contains(&numbers[0]), "{before} {numbers:?} {after}");
        store.close().await;
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0);
    assert_eq!(backup::names(&out.path().join("b")).unwrap().len(), 4);
}

#[tokio::test]
async fn a_changed_byte_anywhere_is_found_and_named() {
    let (rig, _) = site().await;
    let out = tempfile::tempdir().unwrap();
    backup::make(&rig.site.settings, out.path(), None).await.unwrap();
    let settings = elsewhere(&rig, &out.path().join("none"));
    backup::verify(&settings, out.path(), None).await.unwrap();
    let all: Vec<PathBuf> = files(out.path()).into_iter().filter(|path| !path.ends_with(".lock")).collect();
    assert!(all.len() > 4, "{all:?}");
    for path in &all {
        let bytes = fs::read(path).unwrap();
        let mut broken: Vec<Vec<u8>> = Vec::new();
        for place in [0, 1, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= 1;
            }
            broken.push(changed);
        }
        broken.push(bytes[..bytes.len() - 1].to_vec());
        broken.push([&bytes[..], b"\n"].concat());
        broken.push(Vec::new());
        for changed in broken {
            fs::write(path, &changed).unwrap();
            let told = backup::verify(&settings, out.path(), None).await.unwrap_err();
            let BackupError::Damaged { path: named, .. } = &told else { panic!("{}: {told}", path.display()) };
            assert_eq!(named, path, "{told}");
            // Nor is it put back, not even in part.
            let new = out.path().join("new");
            assert!(backup::restore(&elsewhere(&rig, &new), out.path(), None).await.is_err() && !new.exists());
        }
        fs::write(path, &bytes).unwrap();
        if path.extension().is_none() {
            fs::remove_file(path).unwrap();
            let told = backup::verify(&settings, out.path(), None).await.unwrap_err().to_string();
            assert!(told.contains("missing") && told.contains(path.to_str().unwrap()), "{told}");
            fs::write(path, &bytes).unwrap();
        }
    }
    backup::verify(&settings, out.path(), None).await.unwrap();
    assert!(!files(out.path()).iter().any(|path| path.to_string_lossy().contains(".trial-")));
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_old_backups_go() {
    let (rig, _) = site().await;
    let out = tempfile::tempdir().unwrap();
    // What a backup that was killed has left.
    fs::create_dir_all(out.path().join(".trial-left")).unwrap();
    fs::write(out.path().join(".half"), "half").unwrap();
    let first = backup::make(&rig.site.settings, out.path(), None).await.unwrap();
    let second = backup::make(&rig.site.settings, out.path(), None).await.unwrap();
    assert!(first.added > first.manifest.database.bytes);
    assert_eq!(second.added, second.manifest.database.bytes, "only the tables have changed");
    let third = backup::make(&rig.site.settings, out.path(), Some(2)).await.unwrap();
    assert_eq!(third.removed, 1);
    let kept = [second.manifest.name(), third.manifest.name()];
    assert_eq!(backup::names(out.path()).unwrap(), kept);
    let first_copy = &first.manifest.database.sha256;
    assert!(!files(out.path()).iter().any(|path| path.ends_with(first_copy)), "its bytes are gone");
    for name in &kept {
        let whole = backup::verify(&rig.site.settings, out.path(), Some(name)).await.unwrap();
        assert_eq!(&whole.manifest.name(), name);
    }
    assert!(!out.path().join(".trial-left").exists());
    let said: String = rig.one("SELECT record FROM audit_event ORDER BY seq DESC LIMIT 1").await;
    assert!(said.contains("\"backup_verified\""), "{said}");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_words() {
    let (rig, _) = site().await;
    let out = tempfile::tempdir().unwrap();
    let told = |error: BackupError| error.to_string();
    let none = elsewhere(&rig, &out.path().join("none"));
    assert!(told(backup::make(&none, out.path(), None).await.unwrap_err()).contains("--data"));
    let inside = rig.folder.path().join("backups");
    assert!(told(backup::make(&rig.site.settings, &inside, None).await.unwrap_err()).contains("inside"));
    assert!(told(backup::verify(&none, out.path(), None).await.unwrap_err()).contains("no backup"));
    let made = backup::make(&rig.site.settings, out.path(), None).await.unwrap();
    let why = told(backup::restore(&none, out.path(), Some("2020")).await.unwrap_err());
    assert!(why.ends_with("called 2020"), "{why}");
    let why = told(backup::restore(&rig.site.settings, out.path(), None).await.unwrap_err());
    assert!(why.contains("not empty"), "{why}");
    // A place that is there, and empty, will do.
    fs::create_dir(out.path().join("none")).unwrap();
    backup::restore(&none, out.path(), Some(&made.manifest.name())).await.unwrap();
    // Neither a link nor another odd thing is followed.
    std::os::unix::fs::symlink("/etc/passwd", rig.folder.path().join("mirrors/odd")).unwrap();
    let why = told(backup::make(&rig.site.settings, out.path(), None).await.unwrap_err());
    assert!(why.contains("mirrors/odd"), "{why}");
}

#[tokio::test]
async fn every_change_to_a_fact_is_named_with_its_place() {
    for (sql, place) in [
        ("UPDATE backend_fact SET text = replace(text, '\"tabulate\"', '\"tabulatx\"') WHERE seq = 1", 1),
        ("UPDATE backend_fact SET text = text || ' ' WHERE seq = 2", 2),
        ("UPDATE backend_fact SET kind = 'job.finished' WHERE seq = 2", 2),
        ("UPDATE backend_fact SET text = 'x' WHERE seq = 3", 3),
        ("UPDATE backend_fact SET hash = (SELECT hash FROM backend_fact WHERE seq = 1) WHERE seq = 3", 3),
        ("UPDATE backend_fact SET text = NULL, hash = lower(hex(zeroblob(32))) WHERE seq = 1", 2),
        ("DELETE FROM backend_fact WHERE seq = 2", 2),
        ("DELETE FROM backend_fact WHERE seq = 3", 2),
        ("UPDATE backend_key SET confirmed_at = NULL", 1),
        ("UPDATE backend_key SET public_key = (SELECT public_key FROM backend_key WHERE backend = 2)", 1),
    ] {
        let (rig, mut north) = site().await;
        rig.enrolled("south", 7).await;
        rig.tell(&mut north, vec![(377, succeeded(812, "tabulate", 372))]).await;
        assert_eq!(facts::verify(&rig.site.store).await.unwrap(), 3);
        rig.run(sql).await;
        match facts::verify(&rig.site.store).await {
            Err(FactsError::Broken { seq, backend, .. }) => {
                assert_eq!((seq, backend.as_str()), (place, "north"), "{sql}")
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
}
