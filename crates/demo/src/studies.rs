//! The stand-in studies as the program carries them, and as local git repositories.
//! Spec protocol.md 12; `studies/README.md` says what each shows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Every file of every study: `study/path`, bytes. Listed in `studies.txt`.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/studies.rs"));

/// Who commits, and when: always the same, so that the same program makes the same commits.
const COMMITTER: &str = "Cloister demo <demo@example.org> 1767225600 +0000";

/// The study that is asked for three times: short, and its environment is the smallest.
pub(crate) const SHOWN: &str = "ons-cis-short-data-report";

/// The study whose published request ran on a backend of EMIS.
pub(crate) const OF_EMIS: &str = "flucats";

/// The branch of every repository.
pub(crate) const BRANCH: &str = "main";

/// A branch of [`SHOWN`] whose report takes five minutes, so that there is something to watch and to cancel.
pub(crate) const SLOW: &str = "slow-report";

/// A branch of [`SHOWN`] whose second action fails, so that there is something to understand and to mend.
pub(crate) const BROKEN: &str = "broken-table";

/// Why a repository could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// git is not there.
    #[error("git cannot be started: {0}; install it (on Debian or Ubuntu: apt-get install git)")]
    NoGit(std::io::Error),
    /// git refused.
    #[error("git could not make the repository {path}: {says}")]
    Refused {
        /// Where.
        path: PathBuf,
        /// Its own words.
        says: String,
    },
    /// The disk refused.
    #[error("the repository {path} cannot be written: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The names of the studies.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = FILES.iter().filter_map(|(path, _)| Some(path.split_once('/')?.0)).collect();
    names.dedup();
    names
}

fn files(study: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().filter_map(move |(path, bytes)| {
        let (of, path) = path.split_once('/')?;
        (of == study).then_some((path, *bytes))
    })
}

/// Makes a bare repository of a study below `folder` and gives its place. One that is there already stays as it is.
pub(crate) fn repository(study: &str, folder: &Path) -> Result<PathBuf, RepositoryError> {
    let path = folder.join(study);
    if path.join("HEAD").exists() {
        return Ok(path);
    }
    std::fs::create_dir_all(&path).map_err(|source| RepositoryError::Io { path: path.clone(), source })?;
    git(&path, &["init", "--quiet", "--bare", "--initial-branch", BRANCH, "."], &[])?;
    git(&path, &["fast-import", "--quiet"], &history(study))?;
    Ok(path)
}

/// The whole history as git reads it from a stream.
fn history(study: &str) -> Vec<u8> {
    let mut stream = Vec::new();
    commit(&mut stream, BRANCH, None, "Begin the study", files(study));
    if study == SHOWN {
        let script = |path| files(study).find(|(of, _)| *of == path).map(|(_, bytes)| bytes).unwrap_or_default();
        let slow = [b"import time\n\ntime.sleep(300)\n".as_slice(), script(REPORT)].concat();
        commit(&mut stream, SLOW, Some(BRANCH), "Take five minutes for the report", [(REPORT, slow.as_slice())]);
        let broken = b"raise SystemExit(\"error: a column that the table does not have was asked for\")\n";
        commit(&mut stream, BROKEN, Some(BRANCH), "Ask for a column that is not there", [(TABLE, broken.as_slice())]);
    }
    stream
}

const REPORT: &str = "analysis/render_report.py";
const TABLE: &str = "analysis/make_safe.py";

fn commit<'a>(
    stream: &mut Vec<u8>,
    branch: &str,
    from: Option<&str>,
    message: &str,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) {
    let mut head = String::new();
    // Writing into a String cannot fail.
    let _ = write!(head, "commit refs/heads/{branch}\ncommitter {COMMITTER}\ndata {}\n{message}\n", message.len());
    if let Some(from) = from {
        let _ = writeln!(head, "from refs/heads/{from}");
    }
    stream.extend_from_slice(head.as_bytes());
    for (path, bytes) in files {
        stream.extend_from_slice(format!("M 100644 inline {path}\ndata {}\n", bytes.len()).as_bytes());
        stream.extend_from_slice(bytes);
        stream.push(b'\n');
    }
    stream.push(b'\n');
}

/// The SQL of [`SHOWN`], which is older than the rule that SQL says how it treats type 1 opt-outs.
pub(crate) struct OldSql {
    /// Whose it is.
    pub(crate) action: &'static str,
    /// The file.
    pub(crate) bytes: &'static [u8],
    /// Each branch with its commit.
    pub(crate) commits: Vec<(&'static str, String)>,
}

/// What needs a waiver in the repository that [`repository`] made below `folder`.
pub(crate) fn old_sql(folder: &Path) -> Result<OldSql, RepositoryError> {
    let bytes = files(SHOWN).find(|(path, _)| *path == SQL).map(|(_, bytes)| bytes).unwrap_or_default();
    let commits = [BRANCH, SLOW, BROKEN].into_iter().map(|branch| {
        let commit = git(&folder.join(SHOWN), &["rev-parse", "--verify", branch], &[])?;
        Ok((branch, commit.trim().to_owned()))
    });
    Ok(OldSql { action: "visit_num", bytes, commits: commits.collect::<Result<_, _>>()? })
}

const SQL: &str = "analysis/visit_num.sql";

/// Gives what git prints.
fn git(folder: &Path, words: &[&str], input: &[u8]) -> Result<String, RepositoryError> {
    let io = |source| RepositoryError::Io { path: folder.to_owned(), source };
    let mut child = Command::new("git")
        .args(words)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CEILING_DIRECTORIES", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(RepositoryError::NoGit)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A git that ends early says why itself.
        let _ = pipe.write_all(input);
    }
    let ended = child.wait_with_output().map_err(io)?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let says = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(RepositoryError::Refused { path: folder.to_owned(), says })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use super::*;

    fn says(folder: &Path, words: &[&str]) -> String {
        let out = Command::new("git").args(words).current_dir(folder).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn the_program_carries_every_file_of_the_studies_and_no_other() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let listed = says(&root, &["ls-files", "studies"]);
        let listed = listed.lines().filter_map(|path| path.strip_prefix("studies/"));
        let expected: Vec<&str> = listed.filter(|p| !p.starts_with("tests/") && *p != "README.md").collect();
        let carried: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(carried, expected, "write crates/demo/studies.txt anew from `git ls-files studies`");
    }

    #[test]
    fn repositories_hold_the_studies_and_are_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let again = tempfile::tempdir().unwrap();
        for study in names() {
            let path = repository(study, folder.path()).unwrap();
            let other = repository(study, again.path()).unwrap();
            assert_eq!(says(&path, &["rev-parse", BRANCH]), says(&other, &["rev-parse", BRANCH]));
            let project = says(&path, &["show", "main:project.yaml"]);
            let original = files(study).find(|(path, _)| *path == "project.yaml").unwrap().1;
            assert_eq!(project, std::str::from_utf8(original).unwrap().trim());
            let count = says(&path, &["ls-tree", "-r", "--name-only", BRANCH]).lines().count();
            assert_eq!(count, files(study).count());
        }
        let ours = folder.path().join(SHOWN);
        assert!(says(&ours, &["show", &format!("{SLOW}:{REPORT}")]).starts_with("import time"));
        assert_eq!(says(&ours, &["diff", "--name-only", BRANCH, BROKEN]), TABLE);
    }
}
