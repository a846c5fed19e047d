//! The state file as a file: whose it is, what reading it leaves behind, and what a prepared one can do (spec jobs.md 9).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::store::{Store, at, name, names};
use jobs::StatusCode;
use jobs::state::{State, StateError};
use sqlx::Connection;

/// Runs statements in a file as another program would.
async fn change(path: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Every file of a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // A connection that was dropped closes on a thread of its own and takes its files away.
    paths.filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes))).collect()
}

/// The files of a state that a killed writer left: what it committed is in the log, not in the file.
async fn left_by_a_killed_writer(folder: &Path) -> (PathBuf, jobs::RequestId) {
    let store = Store::new().await;
    let request = store.plan(1, &[("a", &[]), ("b", &["a"])]).await;
    let from = store.state.path();
    let path = folder.join("state.sqlite");
    for end in ["", "-wal", "-shm"] {
        let name = |path: &Path| format!("{}{end}", path.display());
        std::fs::copy(name(from), name(&path)).unwrap();
    }
    assert!(std::fs::metadata(format!("{}-wal", path.display())).unwrap().len() > 0);
    (path, request.id)
}

#[tokio::test]
async fn files_of_others_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    State::open(&path).await.unwrap().close().await.unwrap();
    change(&path, "PRAGMA user_version = 99").await;
    let newer = State::open(&path).await.unwrap_err();
    assert!(matches!(newer, StateError::NewerSchema { found: 99, known: 3, .. }), "{newer}");

    let foreign = folder.path().join("foreign.sqlite");
    change(&foreign, "CREATE TABLE theirs (x)").await;
    let before = std::fs::read(&foreign).unwrap();
    assert!(matches!(State::open(&foreign).await.unwrap_err(), StateError::NotOurs { .. }));
    assert!(matches!(State::open_to_read(&foreign).await.unwrap_err(), StateError::NotOurs { .. }));
    assert_eq!(contents(folder.path())[&foreign], before, "not even the mode of its journal");

    let damaged = folder.path().join("damaged.sqlite");
    std::fs::write(&damaged, [b'x'; 8192]).unwrap();
    assert!(matches!(State::open(&damaged).await.unwrap_err(), StateError::Open { .. }));
    assert!(matches!(State::open_to_read(&damaged).await.unwrap_err(), StateError::Open { .. }));
    assert_eq!(std::fs::read(&damaged).unwrap(), [b'x'; 8192]);
}

#[tokio::test]
async fn reading_alone_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    assert!(State::open_to_read(&path).await.unwrap().is_none());
    assert!(!path.exists());
    std::fs::write(&path, b"").unwrap();
    assert!(State::open_to_read(&path).await.unwrap().is_none(), "killed before its first table");

    let store = Store::new().await;
    let r = store.plan(1, &[("a", &[])]).await;
    let reader = State::open_to_read(store.state.path()).await.unwrap().unwrap();
    assert_eq!(reader.jobs_of(r.id).await.unwrap().len(), 1);
    assert!(reader.interrupt_leftovers(at(2)).await.is_err());
    assert_eq!(store.code(reader.jobs_of(r.id).await.unwrap()[0].id).await, StatusCode::Created);
    // What is written later is seen by who looks later.
    store.plan(2, &[("b", &[])]).await;
    assert_eq!(reader.open_jobs().await.unwrap().len(), 1);
    let reader = State::open_to_read(store.state.path()).await.unwrap().unwrap();
    assert_eq!(reader.open_jobs().await.unwrap().len(), 2);
}

#[tokio::test]
async fn reading_leaves_the_folder_as_it_was() {
    // Closed: all is in the file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd #?%20 name.sqlite");
    State::open(&path).await.unwrap().close().await.unwrap();
    let before = contents(folder.path());
    assert_eq!(before.keys().collect::<Vec<_>>(), [&path]);
    let reader = State::open_to_read(&path).await.unwrap().unwrap();
    assert!(reader.open_jobs().await.unwrap().is_empty());
    assert!(reader.set_flag("paused", Some("on"), at(1)).await.is_err());
    assert_eq!(contents(folder.path()), before, "while it is open");
    reader.close().await.unwrap();
    assert_eq!(contents(folder.path()), before);

    // Killed: what was committed last is in the log.
    let folder = tempfile::tempdir().unwrap();
    let (path, request) = left_by_a_killed_writer(folder.path()).await;
    let before = contents(folder.path());
    assert_eq!(before.len(), 3);
    let reader = State::open_to_read(&path).await.unwrap().unwrap();
    assert_eq!(reader.path(), path);
    assert_eq!(reader.jobs_of(request).await.unwrap().len(), 2);
    assert!(reader.set_flag("paused", Some("on"), at(1)).await.is_err());
    assert_eq!(contents(folder.path()), before, "while it is open");
    drop(reader);
    assert_eq!(contents(folder.path()), before);

    // An empty log is none.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    State::open(&path).await.unwrap().close().await.unwrap();
    std::fs::write(folder.path().join("state.sqlite-wal"), b"").unwrap();
    let before = contents(folder.path());
    assert!(State::open_to_read(&path).await.unwrap().is_some());
    assert_eq!(contents(folder.path()), before);
}

/// In a process of its own, that writes: with this variable the test is that process.
const WRITER: &str = "CLOISTER_TEST_WRITER";

/// So many rounds that the log is moved into the file and begun again several times (each round writes about 60 pages).
const ROUNDS: u8 = 100;

fn padded(round: usize) -> String {
    format!("{round} {}", char::from(b'a' + u8::try_from(round % 26).unwrap()).to_string().repeat(200_000))
}

#[tokio::test]
async fn reading_while_another_program_writes_sees_one_moment() {
    if std::env::var_os(WRITER).is_some() {
        let store = Store::new().await;
        store.state.set_flag("round", Some(&padded(0)), at(1)).await.unwrap();
        println!("\npath: {}", store.state.path().display());
        for number in 1..=ROUNDS {
            store.plan(number, &[("a", &[]), ("b", &["a"]), ("c", &["b"])]).await;
            store.state.set_flag("round", Some(&padded(number.into())), at(1)).await.unwrap();
        }
        // The folder stays until whoever started this has seen the end.
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reading_while_another_program_writes_sees_one_moment", "--nocapture"])
        .env(WRITER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept until the end: a program whose output nobody takes fails.
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    let path = lines.find_map(|line| Some(PathBuf::from(line.strip_prefix("path: ")?))).unwrap();
    let (mut plans, mut looks) = (0, 0);
    while plans < usize::from(ROUNDS) {
        let reader = State::open_to_read(&path).await.unwrap().unwrap();
        let jobs = reader.open_jobs().await.unwrap().len();
        assert!(jobs % 3 == 0 && jobs / 3 >= plans, "{jobs} after {plans} plans");
        plans = jobs / 3;
        let flag = reader.flags().await.unwrap().remove(0).value.unwrap();
        assert!(flag == padded(plans) || plans > 0 && flag == padded(plans - 1), "{plans}: {}", &flag[..9]);
        assert_eq!(reader.verify_chain().await.unwrap().events, i64::try_from(plans).unwrap());
        looks += 1;
    }
    assert!(looks > 1);
    drop(writer.stdin.take());
    assert!(writer.wait().unwrap().success());
    println!("{looks} looks");
}

/// In a process of its own, as a user who may not write: with this variable the test is that process.
const FOLDER: &str = "CLOISTER_TEST_READ_ONLY_FOLDER";

#[tokio::test]
async fn a_read_only_folder_can_be_read_by_an_ordinary_user() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        std::fs::write(folder.join("x"), "").unwrap_err();
        for (state, jobs) in [("closed", 0), ("killed", 2)] {
            let path = folder.join(state).join("state.sqlite");
            std::fs::write(folder.join(state).join("x"), "").unwrap_err();
            let reader = State::open_to_read(&path).await.unwrap().unwrap();
            assert_eq!(reader.open_jobs().await.unwrap().len(), jobs, "{state}");
        }
        println!("both were read");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (folder, temporary) = (home.path().join("study"), home.path().join("tmp"));
    let mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for made in [&folder, &temporary, &folder.join("closed"), &folder.join("killed")] {
        std::fs::create_dir(made).unwrap();
    }
    State::open(&folder.join("closed/state.sqlite")).await.unwrap().close().await.unwrap();
    left_by_a_killed_writer(&folder.join("killed")).await;
    // Where the build folder is closed to others, the program itself must be brought out.
    let program = home.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    mode(home.path(), 0o755);
    mode(&temporary, 0o777);
    mode(&program, 0o755);
    for closed in [&folder.join("closed"), &folder.join("killed"), &folder] {
        mode(closed, 0o555);
    }
    let mut command = Command::new(&program);
    command.args(["--exact", "a_read_only_folder_can_be_read_by_an_ordinary_user", "--nocapture"]);
    command.env(FOLDER, &folder).env("TMPDIR", &temporary).current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.gid(65_534).uid(65_534);
    }
    let ran = command.output();
    mode(&folder, 0o755);
    for closed in [folder.join("closed"), folder.join("killed")] {
        mode(&closed, 0o755);
    }
    let done = match ran {
        Ok(done) => done,
        Err(error) => {
            eprintln!("SKIPPED: no program can be started as an ordinary user here: {error}");
            return;
        }
    };
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && out.contains("both were read"), "{out}\n{err}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "the private copy is gone");
}

#[tokio::test]
async fn links_are_not_followed_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (real, _) = left_by_a_killed_writer(elsewhere.path()).await;
    let path = folder.path().join("state.sqlite");
    symlink(&real, &path).unwrap();
    assert!(matches!(State::open_to_read(&path).await.unwrap_err(), StateError::NotOurs { .. }));
    std::fs::remove_file(&path).unwrap();
    std::fs::copy(&real, &path).unwrap();
    symlink(format!("{}-wal", real.display()), folder.path().join("state.sqlite-wal")).unwrap();
    assert!(matches!(State::open_to_read(&path).await.unwrap_err(), StateError::Open { .. }));
}

#[tokio::test]
async fn what_a_prepared_file_would_run_is_refused() {
    let prepared = [
        ("CREATE TRIGGER evil AFTER INSERT ON request BEGIN DELETE FROM job; END", "trigger `evil`"),
        ("CREATE VIEW evil AS SELECT * FROM job", "view `evil`"),
        ("CREATE TABLE evil (x)", "table `evil`"),
        ("CREATE INDEX evil ON job (message)", "index `evil`"),
        ("DROP TRIGGER event_is_never_changed", "trigger `event_is_never_changed` is missing"),
        (
            "DROP TABLE latest_job; CREATE VIEW latest_job AS SELECT workspace, action, id AS job FROM job",
            "view `latest_job`",
        ),
        ("ALTER TABLE flag ADD COLUMN evil TEXT GENERATED ALWAYS AS (upper(name))", "table `flag`"),
        ("CREATE VIEW \"\u{1b}[2Jevil\nx\" AS SELECT 1", "view `\\u{1b}[2Jevil\\nx`"),
    ];
    for (sql, named) in prepared {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        State::open(&path).await.unwrap().close().await.unwrap();
        change(&path, sql).await;
        let before = contents(folder.path());
        for error in [State::open_to_read(&path).await.unwrap_err(), State::open(&path).await.unwrap_err()] {
            let text = error.to_string();
            assert!(matches!(error, StateError::Altered { .. }), "{sql}: {text}");
            assert!(text.contains(named) && text.contains("`cloister clean --state`"), "{sql}: {text}");
        }
        assert_eq!(contents(folder.path())[&path], before[&path], "{sql}");
    }
}

#[tokio::test]
async fn a_version_that_does_not_fit_what_is_there_is_refused() {
    for sql in ["PRAGMA user_version = 0", "PRAGMA user_version = -1"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        State::open(&path).await.unwrap().close().await.unwrap();
        change(&path, sql).await;
        assert!(matches!(State::open(&path).await.unwrap_err(), StateError::Altered { .. }), "{sql}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    change(&path, "PRAGMA user_version = 1").await;
    assert!(matches!(State::open(&path).await.unwrap_err(), StateError::Altered { .. }), "no tables at all");
}

#[tokio::test]
async fn messages_show_control_characters_and_the_way_out() {
    let clean = |error: &StateError, what: &[&str]| {
        let text = error.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.contains("`cloister clean --state` removes the records of this project"), "{text}");
        assert!(what.iter().all(|part| text.contains(part)), "{text}");
    };
    let path = PathBuf::from("a\u{1b}[31m/state.sqlite");
    let source = sqlx::Error::Protocol("no such column: \u{1b}]0;x\u{7}\n".into());
    clean(&StateError::Open { path: path.clone(), source }, &["a\\u{1b}[31m/state.sqlite", "\\u{1b}]0;x\\u{7}\\n"]);
    clean(&StateError::NewerSchema { path: path.clone(), found: 9, known: 1 }, &["version 9", "\\u{1b}"]);
    clean(&StateError::NotOurs { path: path.clone() }, &["\\u{1b}"]);
    clean(&StateError::Altered { path: path.clone(), what: "x\r".into() }, &["\\u{1b}", "x\\r"]);
    clean(&StateError::Stored("a\u{202e}b\n".into()), &["a\\u{202e}b\\n"]);
    let older = StateError::OlderSchema { path, found: 1, known: 3 }.to_string();
    assert!(!older.chars().any(char::is_control), "{older:?}");
    let database = StateError::Database(sqlx::Error::Protocol("x\u{9b}".into())).to_string();
    assert_eq!(database, "the state file: encountered unexpected or invalid data: x\\u{9b}");
}

#[tokio::test]
async fn a_value_of_a_prepared_file_is_named_without_its_control_characters() {
    let folder = tempfile::tempdir().unwrap();
    let (path, request) = left_by_a_killed_writer(folder.path()).await;
    change(&path, "UPDATE job SET code = 'evil' || char(27) || '[2J' WHERE action = 'a'").await;
    let reader = State::open_to_read(&path).await.unwrap().unwrap();
    let workspace = reader.request(request).await.unwrap().unwrap().0.workspace;
    for error in
        [reader.latest_jobs(&workspace, &names(&["a"])).await.unwrap_err(), reader.jobs_of(request).await.unwrap_err()]
    {
        assert!(matches!(error, StateError::Stored(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains("evil\\u{1b}[2J") && !text.chars().any(char::is_control), "{text:?}");
    }
    assert_eq!(reader.latest_jobs(&workspace, &[name("b")]).await.unwrap().rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_may_be_opened_by_several_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let open = |path: PathBuf| tokio::spawn(async move { State::open(&path).await });
        let all: Vec<_> = (0..4).map(|_| open(path.clone())).collect();
        for one in all {
            one.await.unwrap().unwrap().set_flag("paused", None, at(1)).await.unwrap();
        }
        assert_eq!(State::open_to_read(&path).await.unwrap().unwrap().flags().await.unwrap().len(), 1);
    }
}
