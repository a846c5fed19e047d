//! What a published output was made of, for the disclosure checks and for nobody else (actions.md 9).
//! The shape of a sidecar and how it is written; each action says its own cells.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::Context;
use crate::text::warn;

const SCHEMA: &str = "cloister.evidence/1";

/// Most cells of an output: with more, a sidecar is larger than the 64 MiB that a job takes.
pub(crate) const MOST_CELLS: usize = (64 << 20) / 50;

/// What the table of a csv file is called.
pub(crate) const CSV: Cow<'static, str> = Cow::Borrowed("csv");

/// What is counted in an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Patients,
    Events,
    Practices,
    Groups,
}

/// How a cell stands in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    Exact,
    Rounded,
    /// It is small.
    Hidden,
    /// It is not small, but something small would follow from it.
    HiddenSecond,
    /// It follows from other cells.
    Derived,
    /// It is the value at a place in an order, or lies between two such.
    Position,
}

/// Something that was done to all numbers of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub(crate) enum Rule {
    /// To the nearest multiple.
    Round { base: u64 },
    /// Numbers up to this are hidden.
    HideAtMost { n: u64 },
    /// Dates with fewer values are blank.
    MinimumGroups { n: u64 },
    /// Nothing is counted: each row is about one patient.
    PatientRows,
}

/// A picture and the file that holds its numbers, both from the workspace on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Figure {
    image: String,
    data: String,
}

/// What is known of one cell. Rows of data count from 1, and so do columns, with that of the labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cell {
    pub(crate) table: Cow<'static, str>,
    pub(crate) row: u64,
    pub(crate) col: u64,
    /// People behind it, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<u64>,
    /// Practices behind it, or groups of another kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n_groups: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) numerator: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) denominator: Option<u64>,
    /// Values that were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n_missing: Option<u64>,
    pub(crate) shown: Shown,
}

impl Cell {
    /// A cell of which nothing is known yet.
    pub(crate) const fn at(table: Cow<'static, str>, row: u64, col: u64, shown: Shown) -> Self {
        Self { table, row, col, n: None, n_groups: None, numerator: None, denominator: None, n_missing: None, shown }
    }

    /// A cell that so many people are behind.
    pub(crate) fn of(table: Cow<'static, str>, (row, col): (u64, u64), n: u64, shown: Shown) -> Self {
        Self { n: Some(n), ..Self::at(table, row, col, shown) }
    }
}

/// How the patients of a file of patients were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct PatientRows {
    pub(crate) rows: u64,
    pub(crate) matched: u64,
    pub(crate) unmatched: u64,
    /// Identifiers that the right side has more than once.
    pub(crate) duplicate_ids: u64,
}

/// What an action says of one output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Made {
    pub(crate) unit: Unit,
    /// Its cells are about single practices.
    pub(crate) organisation_level: bool,
    /// In the order in which they were applied.
    pub(crate) rules: Vec<Rule>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) cells: Vec<Cell>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patient_rows: Option<PatientRows>,
}

impl Made {
    /// An output of which nothing is known yet.
    pub(crate) fn of(unit: Unit) -> Self {
        let (rules, figures, cells) = (Vec::new(), Vec::new(), Vec::new());
        Self { unit, organisation_level: false, rules, figures, cells, patient_rows: None }
    }
}

#[derive(Serialize)]
struct Sidecar<'a> {
    schema: &'static str,
    action: &'static str,
    profile: &'a str,
    program_version: &'static str,
    path: &'a str,
    content_hash: &'a str,
    #[serde(flatten)]
    made: &'a Made,
}

/// Writes the sidecars of one run.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    folder: PathBuf,
    /// The workspace, as given and with all links resolved.
    roots: [PathBuf; 2],
    action: &'static str,
    profile: String,
}

impl Writer {
    /// `None` where nobody asks for evidence. `profile`: its name and revision.
    pub(crate) fn of(context: &Context<'_>, action: &'static str, profile: (&str, u32)) -> Option<Self> {
        let folder = context.evidence.clone()?;
        let root = context.cwd.to_path_buf();
        let resolved = root.canonicalize().unwrap_or_else(|_| root.clone());
        let profile = format!("{} revision {}", profile.0, profile.1);
        Some(Self { folder, roots: [root, resolved], action, profile })
    }

    /// Picture and data, by the paths under which they were made.
    pub(crate) fn figure(&self, image: &Path, data: &Path) -> Option<Figure> {
        Some(Figure { image: self.inside(image)?, data: self.inside(data)? })
    }

    /// Writes what is known of an output that stands under its name. `hash` is that of its bytes.
    ///
    /// The run is done by then: what goes wrong here is told and changes nothing.
    pub(crate) fn write(&self, output: &Path, hash: io::Result<String>, made: &Made, stderr: &mut dyn Write) {
        if let Err(error) = hash.and_then(|hash| self.try_write(output, &hash, made)) {
            warn(stderr, &format!("no disclosure evidence for {}: {error}", output.display()));
        }
    }

    fn try_write(&self, output: &Path, hash: &str, made: &Made) -> io::Result<()> {
        if made.cells.len() > MOST_CELLS {
            return Err(io::Error::other(format!("it has more than {MOST_CELLS} cells")));
        }
        let path = self.inside(output).ok_or_else(|| io::Error::other("its path is no text inside the workspace"))?;
        let file = self.folder.join(format!("{path}.json"));
        let folder = file.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder)?;
        let temporary = folder.join(format!(".cloister-{}.tmp", std::process::id()));
        let sidecar = Sidecar {
            schema: SCHEMA,
            action: self.action,
            profile: &self.profile,
            program_version: env!("CARGO_PKG_VERSION"),
            path: &path,
            content_hash: hash,
            made,
        };
        let written = store(&temporary, &sidecar).and_then(|()| std::fs::rename(&temporary, &file));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }

    /// A path from the workspace on, with `/` and without `.` and `..`.
    fn inside(&self, path: &Path) -> Option<String> {
        let path = self.roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        let mut parts = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop()?),
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

/// A name that stands already is never followed.
fn store(path: &Path, sidecar: &Sidecar<'_>) -> io::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut out = BufWriter::with_capacity(64 << 10, file);
    serde_json::to_writer(&mut out, sidecar)?;
    out.write_all(b"\n")?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(folder: &Path, root: &Path) -> Writer {
        let root = root.to_path_buf();
        let profile = "v1 revision 2".to_owned();
        Writer { folder: folder.to_path_buf(), roots: [root.clone(), root], action: "an-action", profile }
    }

    #[test]
    fn a_sidecar_has_the_fields_of_the_contract_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder.path().join("e"), Path::new("/ws"));
        let mut made = Made::of(Unit::Patients);
        made.rules = vec![Rule::Round { base: 5 }, Rule::HideAtMost { n: 5 }, Rule::MinimumGroups { n: 10 }];
        made.figures.extend(writer.figure(Path::new("out/a.png"), Path::new("/ws/out/a.csv")));
        made.cells.push(Cell::of(CSV, (1, 2), 7, Shown::HiddenSecond));
        let mut stderr = Vec::new();
        writer.write(Path::new("./x/../out/a.csv"), Ok("ab".to_owned()), &made, &mut stderr);
        assert_eq!(String::from_utf8_lossy(&stderr), "");
        let text = std::fs::read_to_string(folder.path().join("e/out/a.csv.json")).unwrap();
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "schema": "cloister.evidence/1",
            "action": "an-action",
            "profile": "v1 revision 2",
            "program_version": env!("CARGO_PKG_VERSION"),
            "path": "out/a.csv",
            "content_hash": "ab",
            "unit": "patients",
            "organisation_level": false,
            "rules": [
                {"rule": "round", "base": 5}, {"rule": "hide_at_most", "n": 5}, {"rule": "minimum_groups", "n": 10},
            ],
            "figures": [{"image": "out/a.png", "data": "out/a.csv"}],
            "cells": [{"table": "csv", "row": 1, "col": 2, "n": 7, "shown": "hidden_second"}],
        });
        assert_eq!(found, expected);
        assert_eq!(std::fs::read_dir(folder.path().join("e/out")).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_cannot_be_written_is_told_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let made = Made::of(Unit::Events);
        let cases = [
            (folder.path().join("file/below"), "out/a.csv", Ok(String::new())),
            (folder.path().join("e"), "../a.csv", Ok(String::new())),
            (folder.path().join("e"), "/elsewhere/a.csv", Ok(String::new())),
            (folder.path().join("e"), "a.csv", Err(io::Error::other("unreadable"))),
        ];
        for (at, output, hash) in cases {
            let mut stderr = Vec::new();
            writer(&at, Path::new("/ws")).write(Path::new(output), hash, &made, &mut stderr);
            let said = String::from_utf8(stderr).unwrap();
            assert!(said.starts_with("warning: no disclosure evidence for") && said.lines().count() == 1, "{said}");
            assert!(!folder.path().join("e").exists());
        }
    }

    #[test]
    fn more_cells_than_a_job_takes_are_told_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = Made::of(Unit::Events);
        made.cells = vec![Cell::at(CSV, 1, 1, Shown::Exact); MOST_CELLS + 1];
        let mut stderr = Vec::new();
        writer(folder.path(), Path::new("/ws")).write(Path::new("a.csv"), Ok(String::new()), &made, &mut stderr);
        assert!(String::from_utf8(stderr).unwrap().contains("more than 1342177 cells"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
