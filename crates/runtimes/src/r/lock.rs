//! The locked lists of distribution packages that ship with this program, one for each release.
//! Made by `locks/make-debian-lock.py`; another release is another file and a line in the table here. Spec cli.md 5.

use std::fs;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::store::{Stored, hex};

/// Release, machine, list.
static SOURCES: &[(&str, &str, &str)] = &[("debian-12", "x86_64", include_str!("../../locks/r-debian-12.lock.toml"))];

/// A list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Lock {
    /// `debian-12`.
    pub(crate) release: String,
    /// The version of R.
    pub(crate) r: String,
    /// Packages that studies load and the release lacks.
    pub(crate) absent: Vec<String>,
    #[serde(rename = "package")]
    pub(crate) packages: Vec<Package>,
}

/// One package of the distribution.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `amd64` or `all`.
    pub(crate) arch: String,
    /// Lower-case hex.
    pub(crate) sha256: String,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Bytes that it takes on disk, as its makers say.
    pub(crate) unpacked: u64,
}

impl Package {
    /// R itself and its packages come exactly as listed; of a library, a later one of the same release does too.
    pub(crate) fn is_r(&self) -> bool {
        self.name.starts_with("r-")
    }
}

impl Stored for Package {
    /// As the distribution's own tools name a file that they download.
    fn file(&self) -> String {
        format!("{}_{}_{}.deb", self.name, self.version.replace(':', "%3a"), self.arch)
    }
    fn sha256(&self) -> &str {
        &self.sha256
    }
    fn size(&self) -> u64 {
        self.size
    }
}

impl Lock {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("the locked list of R packages cannot be read: {error}"))
    }

    /// How many of the packages are packages of R.
    pub(crate) fn r_packages(&self) -> usize {
        self.packages.iter().filter(|package| package.name.starts_with("r-cran-")).count()
    }
}

/// SHA-256, in hex, over every package: two environments with the same value hold the same files.
pub(crate) fn identity<'p>(release: &str, packages: impl IntoIterator<Item = &'p Package>) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("cloister.environment/1\nr {release}\n"));
    for package in packages {
        hash.update(format!("{} {} {}\n", package.name, package.version, package.sha256));
    }
    hex(&hash.finalize())
}

/// What this machine is: `debian-12`, or what else its maker calls it.
pub(crate) fn release() -> String {
    release_in(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

fn release_in(text: &str) -> String {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    format!("{}-{}", value("ID"), value("VERSION_ID"))
}

/// The list for a release on this kind of machine, if there is one.
pub(crate) fn for_release(release: &str) -> Option<Result<Lock, String>> {
    let mut sources = SOURCES.iter().filter(|source| (source.0, source.1) == (release, std::env::consts::ARCH));
    sources.next().map(|source| Lock::parse(source.2))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_list_is_sound() {
        for (release, _, text) in SOURCES {
            let lock = Lock::parse(text).unwrap();
            assert_eq!(lock.release, *release);
            let names: BTreeSet<&str> = lock.packages.iter().map(|package| package.name.as_str()).collect();
            assert_eq!(names.len(), lock.packages.len(), "a package is listed twice");
            for package in &lock.packages {
                let plain = |c: char| c.is_ascii_alphanumeric() || "+-.~:".contains(c);
                assert!(package.name.chars().chain(package.version.chars()).all(plain), "{package:?}");
                assert!(package.sha256.len() == 64 && package.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
                assert!(package.size > 0 && matches!(package.arch.as_str(), "all" | "amd64"), "{package:?}");
            }
            for needed in ["r-base-core", "r-cran-dplyr", "r-cran-ggplot2", "r-cran-survival", "pandoc", "libblas3"] {
                assert!(names.contains(needed), "{release} lacks {needed}");
            }
            assert!(!names.contains("libc6"), "the machine's own C library must not be covered");
            for absent in &lock.absent {
                assert!(!names.contains(format!("r-cran-{}", absent.to_lowercase()).as_str()), "{absent} is there");
            }
            assert!(lock.r_packages() > 200);
        }
    }

    #[test]
    fn a_release_is_told_by_its_own_file() {
        assert_eq!(release_in("NAME=\"Debian\"\nVERSION_ID=\"12\"\nVERSION=x\nID=debian\n"), "debian-12");
        assert_eq!(release_in("ID=\"arch\"\nID_LIKE=debian\n"), "arch-");
        assert!(for_release("debian-").is_none());
    }

    #[test]
    fn files_are_named_as_the_distribution_names_them() {
        let package = Package {
            name: "libice6".into(),
            version: "2:1.0.10-1".into(),
            arch: "amd64".into(),
            sha256: String::new(),
            size: 1,
            unpacked: 1,
        };
        assert_eq!(package.file(), "libice6_2%3a1.0.10-1_amd64.deb");
    }
}
