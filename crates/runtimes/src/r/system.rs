//! An R that was not built here, with whatever packages it has: the system's, where no locked list can serve, or one
//! that the user names. Spec cli.md 5 (a, c; X201).

use std::path::{Path, PathBuf};
use std::process::Command;

use sandbox::Root;
use sha2::{Digest, Sha256};

use super::environment::{located, other_packages, r_variables};
use super::locate::Request;
use crate::command::output_of;
use crate::program::{Program, Start, is_executable, search};
use crate::store::hex;

/// Prints the version, R's own folder, and every package it finds.
const ASK: &str = "cat(as.character(getRversion()), R.home(), sort(unique(list.files(.libPaths()))), sep = '\\n')";
/// Packages that most studies load; the warning names those that are missing.
const USUAL: [&str; 12] = [
    "data.table",
    "dplyr",
    "ggplot2",
    "glue",
    "here",
    "lubridate",
    "optparse",
    "readr",
    "rmarkdown",
    "survival",
    "tidyr",
    "yaml",
];
/// The oldest R whose scripts read like those of the tags.
const OLDEST: (u32, u32) = (4, 0);

/// What an R says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    version: String,
    home: PathBuf,
    packages: Vec<String>,
}

/// The first Rscript in the places that works. `Err` is a verdict for people.
pub(super) fn r(request: &Request<'_>) -> Result<Program, String> {
    let folders = &request.options.places.folders;
    let mut verdict = format!("no Rscript in {} folders", folders.len());
    for executable in folders.iter().map(|folder| folder.join("Rscript")).filter(|path| is_executable(path)) {
        match named(request, &executable) {
            Ok(program) => return Ok(program),
            Err(error) => verdict = format!("{}: {error}", executable.display()),
        }
    }
    Err(verdict)
}

/// The program of one Rscript.
pub(super) fn named(request: &Request<'_>, executable: &Path) -> Result<Program, String> {
    if !executable.is_absolute() || !is_executable(executable) {
        return Err(format!("{} is not a program", executable.display()));
    }
    let answer = ask(executable)?;
    let own: Vec<PathBuf> = executable.parent().map(PathBuf::from).into_iter().collect();
    let real = executable.canonicalize().unwrap_or_else(|_| executable.to_path_buf());
    // The prefix of R, as /opt/R/4.4.1 of /opt/R/4.4.1/bin/Rscript and /opt/R/4.4.1/lib/R.
    let prefix = real.parent().and_then(Path::parent).filter(|prefix| answer.home.starts_with(prefix));
    let folders = prefix.map_or_else(|| vec![answer.home.clone()], |prefix| vec![prefix.to_path_buf()]);
    let mut prefixes: Vec<PathBuf> = Vec::new();
    for folder in folders.into_iter().chain(own.iter().cloned()) {
        if !folder.starts_with("/usr")
            && folder != Path::new("/bin")
            && !prefixes.iter().any(|one| folder.starts_with(one))
        {
            prefixes.push(folder);
        }
    }
    let missing: Vec<String> =
        USUAL.iter().filter(|one| !answer.packages.iter().any(|p| p == *one)).map(|one| (*one).into()).collect();
    let packages = format!("the {} packages that {} has", answer.packages.len(), executable.display());
    let warning = other_packages(&request.resolved, &answer.version, &packages, &missing);
    let title = format!("R {} of {}", answer.version, executable.display());
    let located = located(request.reference, &request.resolved, title, warning, identity(&answer));
    Ok(Program {
        located,
        root: Root::Host { prefixes, overlays: Vec::new() },
        // Its own settings say where its packages are.
        env: r_variables(&own, ""),
        start: Start::Environment { default: "Rscript".to_owned(), search: search(&own, &[]), overlays: Vec::new() },
    })
}

/// For provenance: the version and the names of the packages; their versions are not ours to know.
fn identity(answer: &Answer) -> String {
    let packages = answer.packages.join("\n");
    let text = format!("cloister.system/1\nr {}\n{}\n{packages}\n", answer.version, answer.home.display());
    format!("host:{}", hex(&Sha256::digest(text.as_bytes())))
}

fn ask(executable: &Path) -> Result<Answer, String> {
    let mut command = Command::new(executable);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("R_")) {
        command.env_remove(name);
    }
    // The run has no library of the user's own either.
    command.args(["--vanilla", "-e", ASK]).env("R_LIBS_USER", "NULL").current_dir("/");
    parse(&output_of(command)?)
}

fn parse(text: &str) -> Result<Answer, String> {
    let mut lines = text.lines().map(str::to_owned);
    let unclear = || "its answer is not understood".to_owned();
    let version = lines.next().ok_or_else(unclear)?;
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return Err(unclear()) };
    if (major, minor) < OLDEST {
        return Err(format!("R {version} is older than {}.{}", OLDEST.0, OLDEST.1));
    }
    let home = lines.next().map(PathBuf::from).filter(|home| home.is_absolute()).ok_or_else(unclear)?;
    Ok(Answer { version, home, packages: lines.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged() {
        let answer = parse("4.2.2\n/usr/lib/R\nbase\ndplyr\n").unwrap();
        assert_eq!(answer.packages, ["base", "dplyr"]);
        assert_eq!(answer.home, Path::new("/usr/lib/R"));
        assert!(parse("3.6.3\n/usr/lib/R\n").unwrap_err().contains("older than 4.0"));
        for text in ["", "R\n", "4\n/usr", "4.1.0", "4.1.0\nrelative"] {
            assert!(parse(text).unwrap_err().contains("not understood"), "{text}");
        }
    }
}
