//! Reads case files: sections that begin with `--- `.
//! A line that is not understood is an error with its place, so that no case tests less than it says.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::tables::{Folder, Table, add_patients};

/// A case file.
#[derive(Debug, Clone)]
pub struct Case {
    /// Relative to `cases/`, without its ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    pub tables: Folder,
    /// Files of the workspace besides the study definitions.
    pub files: Vec<(String, String)>,
    /// Names of modules and their Python; the usual names are there without imports.
    pub studies: Vec<(String, String)>,
    pub run: Run,
    pub expects: Vec<Expect>,
}

/// The words after `--- run`.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// None: one run with the study's own index date, if it has one.
    pub index_dates: Vec<Date>,
    /// The day of recording.
    pub today: Option<Date>,
    pub params: Vec<(String, String)>,
}

/// What must come out.
#[derive(Debug, Clone)]
pub enum Expect {
    /// The csv text of a real file for one index date.
    Rows { date: Option<Date>, csv: String },
    /// A fault of the check, or of the run (`D…`); fragments of its human form.
    Fault { code: String, line: Option<u32>, fragments: Vec<String> },
    /// A lint; the study still runs.
    Lint { code: String, line: Option<u32>, fragments: Vec<String> },
}

/// All case files under a folder, by name.
pub fn all(root: &Path) -> Vec<Case> {
    let mut paths = Vec::new();
    find(root, &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().with_extension("").to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(path).unwrap();
            parse(&name, &text).unwrap_or_else(|why| panic!("cases/{name}.case: {why}"))
        })
        .collect()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, paths);
        } else if path.extension().is_some_and(|e| e == "case") {
            paths.push(path);
        }
    }
}

/// Reads one case file.
pub fn parse(name: &str, text: &str) -> Result<Case, String> {
    let (title, rest) = text.split_once("\n--- ").ok_or("no section")?;
    let mut case = Case {
        name: name.into(),
        title: title.trim().into(),
        tables: Folder::new(),
        files: Vec::new(),
        studies: Vec::new(),
        run: Run::default(),
        expects: Vec::new(),
    };
    let mut ids = Vec::new();
    for section in rest.split("\n--- ") {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        let body = if body.is_empty() || body.ends_with('\n') { body.to_owned() } else { format!("{body}\n") };
        let words: Vec<&str> = head.split_whitespace().collect();
        let nothing_below = || match body.trim() {
            "" => Ok(()),
            _ => Err(format!("text under `--- {head}`")),
        };
        match words.as_slice() {
            ["patients", given @ ..] => {
                nothing_below()?;
                for id in given {
                    ids.push(id.parse::<i64>().map_err(|_| format!("{id} is no patient id"))?);
                }
            }
            ["table", table] => {
                let parsed = Table::parse(&body).map_err(|why| format!("table {table}: {why}"))?;
                if case.tables.insert((*table).into(), parsed).is_some() {
                    return Err(format!("table {table} is given twice"));
                }
            }
            ["file", path] => case.files.push(((*path).into(), body)),
            ["study"] => case.studies.push(("study_definition".into(), body)),
            ["study", name] => case.studies.push((format!("study_definition_{name}"), body)),
            ["run", options @ ..] => {
                nothing_below()?;
                case.run = run(options)?;
            }
            ["expect", "fault", code, place @ ..] => {
                let (line, fragments) = (line(place)?, fragments(&body));
                case.expects.push(Expect::Fault { code: (*code).into(), line, fragments });
            }
            ["expect", "lint", code, place @ ..] => {
                let (line, fragments) = (line(place)?, fragments(&body));
                case.expects.push(Expect::Lint { code: (*code).into(), line, fragments });
            }
            ["expect"] => {
                Table::parse(&body)?;
                case.expects.push(Expect::Rows { date: None, csv: body });
            }
            ["expect", date] => {
                Table::parse(&body)?;
                let date = Some(date.parse().map_err(|_| format!("{date} is no date"))?);
                case.expects.push(Expect::Rows { date, csv: body });
            }
            _ => return Err(format!("`--- {head}` is no section")),
        }
    }
    add_patients(&mut case.tables, &ids);
    if case.studies.is_empty() || case.expects.is_empty() {
        return Err("a case needs `--- study` and `--- expect`".into());
    }
    Ok(case)
}

fn run(options: &[&str]) -> Result<Run, String> {
    let mut run = Run::default();
    for option in options {
        let day = |value: &str| value.parse::<Date>().map_err(|_| format!("{value} is no date"));
        match option.split_once('=') {
            Some(("index_date", value)) => run.index_dates.push(day(value)?),
            Some(("today", value)) => run.today = Some(day(value)?),
            Some((key, value)) if key.starts_with("param:") => run.params.push((key[6..].into(), value.into())),
            _ => return Err(format!("`{option}` after `--- run`")),
        }
    }
    Ok(run)
}

fn line(words: &[&str]) -> Result<Option<u32>, String> {
    match words {
        [] => Ok(None),
        ["line", n] => n.parse().map(Some).map_err(|_| format!("{n} is no line")),
        _ => Err(format!("{words:?} after a code")),
    }
}

fn fragments(body: &str) -> Vec<String> {
    body.lines().map(str::trim).filter(|l| !l.is_empty()).map(Into::into).collect()
}
