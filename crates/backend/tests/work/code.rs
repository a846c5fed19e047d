//! A code host in a folder: repositories made by git itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bare repository.
pub struct Repository(PathBuf);

impl Repository {
    pub fn new(path: &Path) -> Self {
        std::fs::create_dir_all(path).unwrap();
        let repository = Self(path.to_owned());
        repository.git(&["init", "-q", "--bare", "--initial-branch=main"], b"");
        repository
    }

    pub fn git(&self, words: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(words)
            .env("GIT_DIR", &self.0)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "git {words:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// A commit of these files alone, on a branch; gives its name.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let mut stream = format!("commit refs/heads/{branch}\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n");
        let there = Command::new("git")
            .args(["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}")])
            .env("GIT_DIR", &self.0)
            .output()
            .unwrap();
        if there.status.success() {
            stream += &format!("from refs/heads/{branch}^0\n");
        }
        stream += "deleteall\n";
        for (path, text) in files {
            stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
        self.git(&["fast-import", "--quiet", "--force"], stream.as_bytes());
        self.git(&["rev-parse", &format!("refs/heads/{branch}")], b"")
    }
}
