//! This test program started again as another process: with a hostile environment, as another user, or to be killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use repositories::{Limits, Mirrors};
use tempfile::TempDir;

use crate::https::allowed;
use crate::rig::{Got, Keep, Source, branch, settings};

const NAME: &str = "child::does_what_its_environment_says";

/// A copy of this program that any user can start.
pub(crate) fn program(dir: &Path) -> PathBuf {
    let copy = dir.join("child");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    copy
}

/// The command that ensures and reads a commit of a source; what it found is in `root/report` afterwards.
pub(crate) fn command(mut command: Command, root: &Path, source: &Source, commit: &str) -> Command {
    command.args(["--exact", NAME, "--nocapture"]);
    command.env("CHILD_ROOT", root).env("CHILD_SOURCE", &source.path).env("CHILD_COMMIT", commit);
    command
}

/// What a child has found, line by line.
pub(crate) fn report(root: &Path) -> Vec<String> {
    std::fs::read_to_string(root.join("report")).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn does_what_its_environment_says() {
    let Ok(root) = std::env::var("CHILD_ROOT") else { return };
    let root = PathBuf::from(root);
    let source = Source { path: std::env::var("CHILD_SOURCE").unwrap().into() };
    let commit = std::env::var("CHILD_COMMIT").unwrap().parse().unwrap();
    let mut lines = Vec::new();
    let mut wanted = settings(&root.join("mirrors"));
    wanted.ca_file = std::env::var_os("CHILD_CA").map(PathBuf::from);
    if let Ok(seconds) = std::env::var("CHILD_LIMIT") {
        wanted.time_limit = Duration::from_secs(seconds.parse().unwrap());
    }
    let repo = match std::env::var("CHILD_URL") {
        Ok(url) => allowed(&url),
        Err(_) => source.repo(),
    };
    match Mirrors::open(wanted).unwrap().ensure(&repo, &branch("main"), commit) {
        Err(error) => lines.push(format!("refused: {error}")),
        Ok(found) => {
            let mut keep = Keep::default();
            match found.read_tree(&Limits::BACKEND, &mut keep) {
                Err(error) => lines.push(format!("tree: {error}")),
                Ok(summary) => lines.push(format!("files {} links {}", summary.files, summary.links)),
            }
            for (path, got) in &keep.all {
                let path = String::from_utf8_lossy(path);
                lines.push(match got {
                    Got::File { bytes, .. } => {
                        format!("{path} = {}", repositories::visible(&bytes[..bytes.len().min(200)]))
                    }
                    Got::Link(target) => format!("{path} -> {}", repositories::visible(target)),
                });
            }
            lines.push(match found.project_file() {
                Ok(project) => format!("project: {} bytes", project.bytes.len()),
                Err(error) => format!("project: {error}"),
            });
        }
    }
    std::fs::write(root.join("report"), lines.join("\n")).unwrap();
}

/// This program as an ordinary user: as nobody if root runs the tests.
fn ordinary(dir: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program(dir));
    }
    let mut start = Command::new("setpriv");
    start.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]).arg(program(dir));
    start
}

#[test]
fn the_rows_hold_for_an_ordinary_user() {
    let dir = TempDir::new_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let done = ordinary(dir.path()).arg("hostile::row_4").env("HOME", "/dev/null").current_dir("/").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("\ntest result: ok. 8 passed"), "{said}");
}

/// Runs one as an ordinary user. Panics where that cannot be done, so that it is never skipped unseen.
#[test]
fn an_ordinary_user_ensures_and_reads() {
    let dir = TempDir::new_in("/tmp").unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 20);
    let root = dir.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&root, everyone).unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let start = ordinary(dir.path());
    let done = command(start, &root, &source, &line[10].to_string()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // The source belongs to somebody else then, and is read all the same.
    assert_eq!(report(&root), ["files 1 links 0", "project.yaml = version: 3 # 10\\n", "project: 16 bytes"]);
}
