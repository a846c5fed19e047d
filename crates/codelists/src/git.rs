//! What git's last commit has of a file. Only the name of an object is asked for, and git is called so that nothing
//! the repository's settings name is ever run (spec cli.md 12).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha1::Digest;

/// Every one of these decides against a setting of the repository or of the caller.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("HOME", "/dev/null"),
    ("XDG_CONFIG_HOME", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    // A missing object is not fetched. Git older than the first variable obeys the second: there is no such protocol.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
];
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "core.sshCommand=false",
    "core.pager=cat",
    "credential.helper=",
    "protocol.allow=never",
];

/// What the last commit has of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// Exactly this content.
    Same,
    /// The file with another content.
    Other,
    /// Nothing that git tells: no repository, no such file in it, one that belongs to somebody else, or no git.
    Unknown,
}

impl Committed {
    /// What git has of the file `path` (relative to `folder`, which is in the repository's tree), compared with
    /// `content`. Runs nothing but the `git` of an absolute folder of `PATH`, whatever the repository's settings say.
    pub fn of(folder: &Path, path: &str, content: &[u8]) -> Self {
        let Some(mut git) = git() else { return Self::Unknown };
        git.args(["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("HEAD:./{path}")]);
        let Ok(answer) = git.current_dir(folder).output() else { return Self::Unknown };
        let mut hash = sha1::Sha1::new();
        hash.update(format!("blob {}\0", content.len()));
        hash.update(content);
        if !answer.status.success() {
            Self::Unknown
        } else if String::from_utf8_lossy(&answer.stdout).trim() == data_encoding::HEXLOWER.encode(&hash.finalize()) {
            Self::Same
        } else {
            Self::Other
        }
    }
}

/// The git of an absolute folder of `PATH`, with nothing of the caller's environment.
fn git() -> Option<Command> {
    let folders = std::env::var_os("PATH")?;
    let absolute = std::env::split_paths(&folders).filter(|folder| folder.is_absolute());
    let program: PathBuf = absolute.map(|folder| folder.join("git")).find(|program| program.is_file())?;
    let mut path = program.parent()?.as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let mut git = Command::new(program);
    git.env_clear().env("PATH", path).envs(ENVIRONMENT.iter().copied()).stdin(Stdio::null()).stderr(Stdio::null());
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    Some(git)
}
