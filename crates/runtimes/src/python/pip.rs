//! Starting pip: the interpreter's own, else another interpreter's with `--python`. What the user has set for the index,
//! certificates and proxies holds when wheels are fetched; nothing of it when they are installed. Spec cli.md 12.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::interpreter::{self, Interpreter};
use super::lock::{Minor, Package};
use crate::command::{Fault, clean, finish};
use crate::options::Places;

/// The first pip that knows `--python`.
const KNOWS_PYTHON: (u32, u32) = (22, 3);
/// Settings that change what is fetched or where it goes, and not from where.
const UNWANTED: &[&str] = &[
    "PIP_CONSTRAINT",
    "PIP_DEST",
    "PIP_NO_BINARY",
    "PIP_ONLY_BINARY",
    "PIP_PLATFORM",
    "PIP_PREFER_BINARY",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_PYTHON_VERSION",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
];

/// A way to run pip for an interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pip {
    /// The interpreter that has pip.
    runner: PathBuf,
}

impl Pip {
    /// A pip that can serve `target`. `Err` is a verdict for people.
    pub(crate) fn find(target: &Interpreter, places: &Places) -> Result<Self, String> {
        if target.pip.as_deref().is_some_and(new_enough) {
            return Ok(Self { runner: target.executable.clone() });
        }
        // The target's minor version first: a newer pip may no longer run on an older Python.
        let others = (8..=20).map(|minor| (minor != target.minor.1, minor)).collect::<std::collections::BTreeSet<_>>();
        for (_, minor) in others {
            for runner in interpreter::named(places, Minor(minor)) {
                if runner == target.executable {
                    continue;
                }
                let serves = interpreter::ask(&runner).is_ok_and(|other| other.pip.as_deref().is_some_and(new_enough));
                let pip = Self { runner };
                if serves && pip.runs_on(&target.executable) {
                    return Ok(pip);
                }
            }
        }
        Err(match &target.pip {
            Some(version) => format!("its pip {version} is older than 22.3, and no other interpreter has a newer one"),
            None => "it has no pip, nor has another interpreter one that could serve it".to_owned(),
        })
    }

    fn runs_on(&self, target: &Path) -> bool {
        let mut command = self.command(target, Path::new("/"));
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Fetches exactly these wheels into `destination`, which must be empty. `held` becomes pip's standard input.
    pub(crate) fn fetch(
        &self,
        target: &Path,
        packages: &[&Package],
        settings: &[(String, String)],
        destination: &Path,
        held: &File,
    ) -> Result<(), Fault> {
        let list = destination.join("requirements.txt");
        let mut text = String::new();
        for package in packages {
            text.push_str(&format!("{}=={} --hash=sha256:{}\n", package.name, package.version, package.sha256));
        }
        File::create(&list)?.write_all(text.as_bytes())?;
        let mut command = self.command(target, destination);
        for name in UNWANTED {
            command.env_remove(name);
        }
        command.args(["download", "--no-input", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
        command.args(["--disable-pip-version-check", "--progress-bar", "off", "--dest", ".", "-r", "requirements.txt"]);
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        finish(command, held)
    }

    /// Installs exactly these files into the environment of `target`, without any connection.
    pub(crate) fn install(
        &self,
        target: &Path,
        wheels: &[(PathBuf, &Package)],
        folder: &Path,
        held: &File,
    ) -> Result<(), Fault> {
        let list = folder.join("cloister-requirements.txt");
        let mut text = String::new();
        for (path, package) in wheels {
            text.push_str(&format!("{} --hash=sha256:{}\n", path.display(), package.sha256));
        }
        File::create(&list)?.write_all(text.as_bytes())?;
        let mut command = self.command(target, folder);
        command.args(["--isolated", "install", "--no-input", "--quiet", "--no-deps", "--no-index", "--no-compile"]);
        command.args(["--disable-pip-version-check", "--no-warn-script-location", "--only-binary", ":all:"]);
        command.args(["--no-cache-dir", "--ignore-installed", "--require-hashes", "-r"]).arg(&list);
        finish(command, held)
    }

    fn command(&self, target: &Path, folder: &Path) -> Command {
        let mut command = Command::new(&self.runner);
        command.args(["-m", "pip"]).arg("--python").arg(target);
        clean(&mut command, folder);
        command
    }
}

/// The command that gives this machine a pip.
pub(crate) fn install_line(interpreter: &Interpreter) -> String {
    if Path::new("/etc/debian_version").exists() && interpreter.base_prefix == Path::new("/usr") {
        "apt-get install python3-pip".to_owned()
    } else {
        format!("{} -m ensurepip", interpreter.executable.display())
    }
}

/// What to look at, going by pip's messages.
pub(crate) fn hint(messages: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| messages.contains(word));
    if says(&["DO NOT MATCH THE HASHES"]) {
        "The package index serves other bytes than the locked list names: is another index set in pip's settings?"
    } else if says(&["CERTIFICATE", "SSLError", "certificate"]) {
        "The package index could not be trusted: set the certificates of your network in pip's settings (PIP_CERT)."
    } else if says(&["connection", "Connection", "timed out", "resolve", "resolution", "ProxyError"]) {
        "The package index could not be reached: is there a connection, does it need a proxy?"
    } else if says(&["No matching distribution", "Could not find a version"]) {
        "The package index does not have them: is another index set in pip's settings?"
    } else {
        "pip says why:"
    }
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let number = |one: Option<u32>| one.unwrap_or(0);
    (number(numbers.next()), number(numbers.next())) >= KNOWS_PYTHON
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_is_new_enough_from_22_3() {
        for (version, expected) in
            [("22.3", true), ("22.2.2", false), ("23.0.1", true), ("9.0.3", false), ("", false), ("25.1b1", true)]
        {
            assert_eq!(new_enough(version), expected, "{version}");
        }
    }
}
