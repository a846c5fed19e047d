//! The system's git program, called so that nothing but our own words decides what it does.
//! Spec jobs.md 20: no hooks, filters, submodules, system or user configuration, prompts; https only.

mod call;
mod judge;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use call::{Call, Done, contains};
pub(crate) use judge::{Fault, judge};

use crate::Error;
use crate::settings::{Settings, TOKEN_USER};
use crate::url::Place;

/// The oldest git that has `cat-file --batch-command`.
const OLDEST: (u32, u32) = (2, 36);
/// Variables of the caller that git gets: how to reach a network.
const PASSED_ON: [&str; 8] =
    ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
/// The users and passwords in these variables.
pub(crate) fn proxy_users() -> Vec<String> {
    let values = PASSED_ON.iter().filter_map(std::env::var_os).map(|value| value.to_string_lossy().into_owned());
    let user_of = |value: String| {
        let rest = value.split_once("://").map_or(value.as_str(), |(_, rest)| rest);
        rest.rsplit_once('@').map(|(user, _)| user.to_owned())
    };
    let users = values.filter_map(user_of);
    users.flat_map(|user| [user.rsplit(':').next().unwrap_or_default().to_owned(), user]).collect()
}

/// What is true of every call. The order is no matter.
const CONFIG: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("core.logAllRefUpdates", "false"),
    ("core.fsync", "committed,reference"),
    ("core.bigFileThreshold", "16m"),
    // Twice what a path can have, so that the tree is judged here and not by git.
    ("core.maxTreeDepth", "4096"),
    ("core.packedGitWindowSize", "32m"),
    ("core.packedGitLimit", "512m"),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.unpackLimit", "1"),
    ("fetch.writeCommitGraph", "false"),
    // A fault of an old commit must not close a whole repository: trees are judged when they are read.
    ("fetch.fsckObjects", "false"),
    ("gc.auto", "0"),
    ("http.followRedirects", "false"),
    // Silence ends a call; a server that counts for long sends a few bytes now and then.
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "60"),
    ("http.sslVerify", "true"),
    ("init.templateDir", ""),
    ("init.defaultBranch", "main"),
    ("maintenance.auto", "false"),
    ("pack.threads", "2"),
    ("protocol.allow", "never"),
    ("protocol.version", "2"),
    ("submodule.recurse", "false"),
    ("transfer.bundleURI", "false"),
];
/// Asked by git for the credentials of one host. Only words of the shell itself: the token is no argument of a program.
const TOKEN_HELPER: &str = "!f() { test \"$1\" = get || exit 0; IFS= read -r token <\"$CLOISTER_TOKEN_FILE\"; \
                            printf 'username=%s\\npassword=%s\\n' \"$CLOISTER_TOKEN_USER\" \"$token\"; }; f";

/// The program, found once.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    program: PathBuf,
    path: OsString,
}

impl Git {
    /// The first `git` in the folders of `PATH` that are absolute.
    pub(crate) fn find() -> Result<Self, Error> {
        let folders = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let found = std::env::split_paths(&folders)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("git"))
            .find(|program| program.is_file());
        let program = found.ok_or_else(|| Error::NoGit { why: "no such program in PATH".to_owned() })?;
        let mut path = program.parent().map(Path::as_os_str).unwrap_or_default().to_owned();
        path.push(":/usr/bin:/bin");
        let git = Self { program, path };
        git.check_version()?;
        Ok(git)
    }

    fn check_version(&self) -> Result<(), Error> {
        let said = self.command(Path::new("/"), &Access::Nothing).arg("--version").output();
        let said = said.map_err(|e| Error::NoGit { why: format!("{}: {e}", self.program.display()) })?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let mut numbers = text.trim_start_matches("git version ").split('.').map_while(|n| n.parse::<u32>().ok());
        match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(()),
            _ => Err(Error::NoGit { why: format!("{} says {:?}", self.program.display(), text.trim()) }),
        }
    }

    /// git on one bare repository, with nothing of the caller's environment.
    pub(crate) fn command(&self, repository: &Path, access: &Access<'_>) -> Command {
        let mut command = Command::new(&self.program);
        self.dress(&mut command, repository, access);
        command
    }

    pub(crate) fn program(&self) -> &OsStr {
        self.program.as_os_str()
    }

    /// Gives a command (git, or a shell that becomes it) the environment that decides what git does.
    pub(crate) fn dress(&self, command: &mut Command, repository: &Path, access: &Access<'_>) {
        command.env_clear().current_dir("/");
        for name in PASSED_ON {
            if let (Some(value), Access::Fetch { .. }) = (std::env::var_os(name), access) {
                command.env(name, value);
            }
        }
        command
            .env("PATH", &self.path)
            .env("LC_ALL", "C")
            // Nothing can be below a device, so no netrc, no configuration and no credentials of anybody.
            .env("HOME", "/dev/null")
            .env("XDG_CONFIG_HOME", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_PROTOCOL_FROM_USER", "0")
            .env("GIT_DIR", repository)
            .env("GIT_ALLOW_PROTOCOL", access.protocol());
        let mut config: Vec<(String, OsString)> =
            CONFIG.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        match access {
            Access::Fetch { place: Place::Https(https), settings } => {
                config.push(("protocol.https.allow".to_owned(), "always".into()));
                if let Some(file) = &settings.ca_file {
                    config.push(("http.sslCAInfo".to_owned(), file.into()));
                }
                if let Some(file) = settings.tokens.file(&https.host, https.port) {
                    let port = https.port.map(|port| format!(":{port}")).unwrap_or_default();
                    config.push((format!("credential.https://{}{port}.helper", https.host), TOKEN_HELPER.into()));
                    command.env("CLOISTER_TOKEN_FILE", file).env("CLOISTER_TOKEN_USER", TOKEN_USER);
                }
            }
            Access::Fetch { place: Place::Local(_), .. } => {
                config.push(("protocol.file.allow".to_owned(), "always".into()));
            }
            Access::Nothing => {}
        }
        command.env("GIT_CONFIG_COUNT", config.len().to_string());
        for (n, (key, value)) in config.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), key).env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
    }
}

/// What a call may reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access<'a> {
    /// Only the repository itself.
    Nothing,
    /// One place to fetch from.
    Fetch { place: &'a Place, settings: &'a Settings },
}

impl Access<'_> {
    fn protocol(&self) -> &'static str {
        match self {
            // The name of no protocol: an empty list would allow none as well, but reads like a mistake.
            Self::Nothing => "none",
            Self::Fetch { place: Place::Https(_), .. } => "https",
            Self::Fetch { place: Place::Local(_), .. } => "file",
        }
    }
}
