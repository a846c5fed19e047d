//! The locked lists that ship with this program: every wheel of an environment by version and SHA-256.
//! Made by `locks/make-lock.py`; which list serves which request is the table here. Spec cli.md 5.

use std::fmt;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::store::{Stored, hex};

/// `major.minor` of CPython; the tag of an image stands for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Minor(pub(crate) u8);

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.0)
    }
}

/// What a script imports, or that and the notebook programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Group {
    Python,
    Jupyter,
}

impl Group {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Jupyter => "jupyter",
        }
    }
}

/// A list before it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// The generation of packages: `v1` or `v2`.
    pub(crate) generation: &'static str,
    pub(crate) python: Minor,
    text: &'static str,
}

macro_rules! source {
    ($generation:literal, $minor:literal) => {
        Source {
            generation: $generation,
            python: Minor($minor),
            text: include_str!(concat!("../../locks/python-", $generation, "-3.", $minor, ".lock.toml")),
        }
    };
}

static SOURCES: &[Source] = &[
    source!("v1", 8),
    source!("v1", 9),
    source!("v1", 10),
    source!("v1", 11),
    source!("v2", 10),
    source!("v2", 11),
    source!("v2", 12),
    source!("v2", 13),
];

/// The lists that can serve a generation, best first: its own, the nearest interpreter first, then newer generations
/// for newer interpreters. An older interpreter than the tag stands for is never taken.
pub(crate) fn serving(generation: &str) -> Vec<Source> {
    let own = || SOURCES.iter().filter(|source| source.generation == generation);
    let newest_own = own().map(|source| source.python).max();
    let newer = SOURCES.iter().filter(|source| source.generation > generation && Some(source.python) > newest_own);
    own().chain(newer).copied().collect()
}

/// A list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Lock {
    /// `linux-x86_64`.
    pub(crate) platform: String,
    #[serde(rename = "package")]
    packages: Vec<Package>,
}

/// One wheel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Package {
    group: Group,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The file's name as published.
    pub(crate) wheel: String,
    /// Lower-case hex.
    pub(crate) sha256: String,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Bytes of what is in it.
    pub(crate) unpacked: u64,
}

/// A list that cannot be read; a fault of this program.
#[derive(Debug, thiserror::Error)]
#[error("the locked list of packages {generation} for Python {python} cannot be read: {reason}")]
pub(crate) struct BadLock {
    generation: &'static str,
    python: Minor,
    reason: String,
}

impl Source {
    pub(crate) fn read(&self) -> Result<Lock, BadLock> {
        Lock::parse(self.text).map_err(|reason| BadLock { generation: self.generation, python: self.python, reason })
    }
}

impl Lock {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The packages of one group, without those of the groups it builds on.
    pub(crate) fn of(&self, group: Group) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |package| package.group == group)
    }

    /// The version of a package, if it is listed.
    pub(crate) fn version(&self, name: &str) -> Option<&str> {
        self.packages.iter().find(|package| package.name == name).map(|package| package.version.as_str())
    }

    /// SHA-256, in hex, of every package up to and including `group`, and the interpreter's version: two environments
    /// with the same value hold the same files.
    pub(crate) fn identity(&self, group: Group, interpreter: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("cloister.environment/1\n{interpreter}\n{}\n", self.platform));
        for package in self.packages.iter().filter(|package| package.group <= group) {
            hash.update(format!("{} {} {}\n", package.name, package.version, package.sha256));
        }
        hex(&hash.finalize())
    }
}

impl Stored for Package {
    fn file(&self) -> String {
        self.wheel.clone()
    }
    fn sha256(&self) -> &str {
        &self.sha256
    }
    fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_nearest_interpreter_of_the_generation_comes_first() {
        let served =
            |tag: &str| serving(tag).iter().map(|one| format!("{} {}", one.generation, one.python)).collect::<Vec<_>>();
        assert_eq!(served("v1"), ["v1 3.8", "v1 3.9", "v1 3.10", "v1 3.11", "v2 3.12", "v2 3.13"]);
        assert_eq!(served("v2"), ["v2 3.10", "v2 3.11", "v2 3.12", "v2 3.13"]);
    }

    #[test]
    fn every_list_is_sound() {
        for source in SOURCES {
            let lock = source.read().unwrap();
            assert_eq!(lock.platform, "linux-x86_64");
            let names: BTreeSet<_> = lock.packages.iter().map(|package| &package.name).collect();
            assert_eq!(names.len(), lock.packages.len(), "a package is listed twice");
            for package in &lock.packages {
                assert!(package.wheel.ends_with(".whl") && !package.wheel.contains('/'), "{package:?}");
                assert!(package.sha256.len() == 64 && package.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
                assert!(package.size > 0 && package.unpacked > 0, "{package:?}");
            }
            for needed in ["pandas", "numpy", "matplotlib", "scipy", "jinja2", "nbconvert", "ipykernel", "pytest"] {
                let found = lock.of(Group::Python).any(|package| package.name == needed);
                assert!(found, "{} {} lacks {needed}", source.generation, source.python);
            }
            assert!(lock.of(Group::Jupyter).any(|package| package.name == "notebook"));
        }
    }

    #[test]
    fn the_tags_own_generation_is_the_original_one() {
        let lock = serving("v1")[0].read().unwrap();
        for (name, version) in
            [("pandas", "1.0.1"), ("numpy", "1.18.1"), ("matplotlib", "3.1.3"), ("nbconvert", "5.6.1")]
        {
            assert_eq!(lock.version(name), Some(version));
        }
        assert_eq!(serving("v2")[0].read().unwrap().version("pandas"), Some("2.1.3"));
    }

    #[test]
    fn identity_follows_packages_group_and_interpreter() {
        let text = |sha: &str| {
            format!(
                "platform = 'linux-x86_64'\npackage = [\n{{ group = 'python', name = 'a', version = '1', wheel = 'a.whl', \
                 sha256 = '{sha}', size = 1, unpacked = 1 }},\n{{ group = 'jupyter', name = 'b', version = '1', \
                 wheel = 'b.whl', sha256 = '00', size = 1, unpacked = 1 }},\n]"
            )
        };
        let [one, other] = ["01", "02"].map(|sha| Lock::parse(&text(sha)).unwrap());
        let all = [
            one.identity(Group::Python, "3.8.18"),
            one.identity(Group::Python, "3.8.19"),
            one.identity(Group::Jupyter, "3.8.18"),
            other.identity(Group::Python, "3.8.18"),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(all[0], Lock::parse(&text("01")).unwrap().identity(Group::Python, "3.8.18"));
    }
}
