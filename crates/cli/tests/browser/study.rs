//! A stand-in study in a git repository of a researcher's own, who changes it while a test runs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with one of the stand-in studies on its branch `main`.
pub(crate) struct Study {
    folder: tempfile::TempDir,
}

impl Study {
    /// The study of this name, committed as it is.
    pub(crate) fn new(name: &str) -> Self {
        let study = Self { folder: tempfile::tempdir().unwrap() };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(name), study.folder.path());
        study.git(&["init", "--quiet", "--initial-branch", "main", "."]);
        study.commit("Begin the study");
        study
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Puts these lines before the last one of the file that is this.
    pub(crate) fn before(&self, file: &str, line: &str, lines: &str) -> &Self {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        let (head, tail) = text.rsplit_once(line).unwrap();
        self.write(file, &format!("{head}{lines}{line}{tail}"))
    }

    pub(crate) fn write(&self, file: &str, text: &str) -> &Self {
        std::fs::write(self.path(file), text).unwrap();
        self
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=A Researcher", "-c", "user.email=nobody@example.org", "commit", "-qm", message]);
    }

    fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.args(words).current_dir(self.folder.path());
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        let out = git.output().unwrap();
        assert!(out.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
