//! What the machine's own package lists offer, and fetching from where they say: apt decides which mirror and checks
//! its signature; the bytes are checked against the locked list besides. Needs no privilege. Spec cli.md 12.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use super::lock::Package;
use crate::command::{Fault, finish, output_of};
use crate::program::is_executable;

/// Programs of Debian and its kin that a build needs, with the package of each.
const NEEDED: [(&str, &str); 3] = [("apt-get", "apt"), ("apt-cache", "apt"), ("dpkg-deb", "dpkg")];

/// The machine's package lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Options for apt on top of the machine's: where tests have their lists.
    pub(crate) settings: Vec<String>,
}

/// The packages to take, and whether the lists offer all of them.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) packages: Vec<Package>,
    /// Why some are not to be had; a verdict for people.
    pub(crate) gap: Option<String>,
}

/// The packages of those programs that this machine lacks.
pub(crate) fn lacking() -> Vec<&'static str> {
    let has = |name: &str| ["/usr/bin", "/bin"].iter().any(|folder| is_executable(&Path::new(folder).join(name)));
    NEEDED.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect()
}

impl Index {
    fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(self.settings.iter().flat_map(|setting| ["-o", setting]));
        command.env("LC_ALL", "C").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(folder);
        command
    }

    /// Which of the listed packages the machine's lists offer: as listed, or of a library a later one.
    ///
    /// `settled` are those whose files are here already, and which need no look.
    pub(crate) fn offer(&self, listed: &[Package], settled: impl Fn(&Package) -> bool) -> Offer {
        let open: Vec<&Package> = listed.iter().filter(|package| !settled(package)).collect();
        if open.is_empty() {
            return Offer { packages: listed.to_vec(), gap: None };
        }
        let mut command = self.command("apt-cache", Path::new("/"));
        command.args(["--quiet", "show"]).args(open.iter().map(|package| &package.name));
        // It fails if it knows none of them.
        let records = output_of(command).map(|answer| parse(&answer)).unwrap_or_default();
        choose(listed, &records, settled)
    }

    /// Fetches exactly these into `destination`.
    pub(crate) fn fetch(&self, packages: &[&Package], destination: &Path, held: &File) -> Result<(), Fault> {
        let mut command = self.command("apt-get", destination);
        command.args(["--quiet", "--quiet", "download"]);
        command.args(packages.iter().map(|package| format!("{}={}", package.name, package.version)));
        finish(command, held)
    }
}

/// Of each name, every version that the lists offer, best first.
fn parse(answer: &str) -> BTreeMap<String, Vec<Package>> {
    let mut found: BTreeMap<String, Vec<Package>> = BTreeMap::new();
    for record in answer.split("\n\n") {
        let field = |key: &str| {
            let line = record.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
            line.map(|value| value.trim().to_owned())
        };
        let package = || {
            Some(Package {
                name: field("Package")?,
                version: field("Version")?,
                arch: field("Architecture")?,
                // What is merely installed has no hash: it can no longer be fetched.
                sha256: field("SHA256")
                    .filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))?,
                size: field("Size")?.parse().ok()?,
                unpacked: field("Installed-Size")?.parse::<u64>().ok()?.checked_mul(1024)?,
            })
        };
        if let Some(package) = package() {
            found.entry(package.name.clone()).or_default().push(package);
        }
    }
    found
}

fn choose(listed: &[Package], records: &BTreeMap<String, Vec<Package>>, settled: impl Fn(&Package) -> bool) -> Offer {
    let (mut unknown, mut other, mut first) = (0, 0, String::new());
    let mut note = |count: &mut usize, package: &Package| {
        *count += 1;
        if first.is_empty() {
            first = format!("{} {}", package.name, package.version);
        }
    };
    let packages = listed
        .iter()
        .map(|package| {
            let offered = records.get(&package.name).map_or(&[][..], Vec::as_slice);
            if settled(package) || offered.iter().any(|one| one.sha256 == package.sha256) {
                return package.clone();
            }
            match offered.first() {
                Some(later) if !package.is_r() => return later.clone(),
                Some(_) => note(&mut other, package),
                None => note(&mut unknown, package),
            }
            package.clone()
        })
        .collect();
    let gap = match (unknown, other) {
        (0, 0) => None,
        (0, other) => {
            Some(format!("the package lists of this machine have other versions of {other} R packages, as {first}"))
        }
        (unknown, _) => Some(format!(
            "the package lists of this machine do not offer {unknown} of {} packages, as {first}; they may be empty or old",
            listed.len()
        )),
    };
    Offer { packages, gap }
}

/// What to look at, going by apt's messages.
pub(crate) fn hint(messages: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| messages.contains(word));
    if says(&["404", "Hash Sum mismatch", "was not found"]) {
        "The mirror no longer has what this machine's package lists name: `apt-get update` as root renews them."
    } else if says(&["resolv", "Could not connect", "Connection", "timed out", "proxy"]) {
        "The package mirror could not be reached: is there a connection, does it need a proxy?"
    } else {
        "apt says why:"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, digit: char) -> Package {
        let sha256 = digit.to_string().repeat(64);
        Package { name: name.into(), version: version.into(), arch: "all".into(), sha256, size: 7, unpacked: 2048 }
    }

    fn record(package: &Package) -> String {
        format!(
            "Package: {}\nStatus: x\nInstalled-Size: 2\nArchitecture: all\nVersion: {}\nDescription: a\n b\n .\n c\n\
             Size: 7\nSHA256: {}\n\n",
            package.name, package.version, package.sha256
        )
    }

    #[test]
    fn libraries_may_be_later_and_r_packages_may_not() {
        let listed = [package("r-cran-a", "1-1", 'a'), package("libb", "2-1", 'b'), package("libc", "3-1", 'c')];
        let offered = [
            package("r-cran-a", "1-1", 'a'),
            package("libb", "2-1+u1", 'd'),
            package("libc", "3-2", 'e'),
            package("libc", "3-1", 'c'),
        ];
        let installed = "Package: libb\nVersion: 2-9\nArchitecture: all\nInstalled-Size: 1\n\n";
        let text: String = std::iter::once(installed.to_owned()).chain(offered.iter().map(record)).collect();
        let records = parse(&text);
        let offer = choose(&listed, &records, |_| false);
        assert_eq!(offer.packages, [listed[0].clone(), offered[1].clone(), listed[2].clone()]);
        assert_eq!(offer.gap, None);
        // What is here already is taken as listed, whatever the lists say.
        assert_eq!(choose(&listed, &records, |one| one.name == "libb").packages, listed);

        let other = parse(&record(&package("r-cran-a", "1-2", 'f')));
        let gap = choose(&listed[..1], &other, |_| false).gap.unwrap();
        assert!(gap.contains("other versions of 1 R packages, as r-cran-a 1-1"), "{gap}");
        let gap = choose(&listed, &BTreeMap::new(), |_| false).gap.unwrap();
        assert!(gap.contains("3 of 3 packages, as r-cran-a 1-1"), "{gap}");
        assert_eq!(choose(&listed, &BTreeMap::new(), |_| true).gap, None);
    }

    #[test]
    fn odd_records_are_passed_over() {
        for text in [
            "",
            "\n\n\n",
            "Package: a",
            "Package: a\nVersion: 1\nArchitecture: all\nSHA256: zz\nSize: 1\nInstalled-Size: 1",
            "Package: a\nVersion: 1\nArchitecture: all\nInstalled-Size: 99999999999999999999\nSize: 1\nSHA256: 00",
        ] {
            assert!(parse(text).is_empty(), "{text}");
        }
    }
}
