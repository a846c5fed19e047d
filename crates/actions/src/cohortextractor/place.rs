//! Where the files of patients go: folder, name and format (study-definitions.md 9.1).
//! `{dir}/{input|name}{suffix}{_DATE}.{format}`.

use std::path::{Component, Path, PathBuf};

use cohorts::Format;
use jiff::civil::Date;

use crate::args::{Parsed, bad_argument};
use crate::fault::Fault;

use super::names::Module;

/// What `--output-dir`, `--output-format` and `--output-file` say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    folder: PathBuf,
    /// Of `--output-file`: it stands for `input` and the suffix of the study.
    name: Option<String>,
    pub(crate) format: Format,
}

impl Place {
    pub(crate) fn of(parsed: &Parsed, faults: &mut Vec<Fault>) -> Option<Self> {
        let format = match parsed.value("--output-format") {
            None => None,
            Some(given) => match Format::ALL.into_iter().find(|format| format.extension() == given) {
                Some(format) => Some(format),
                None => {
                    let fault = bad_argument(format!("--output-format cannot be '{}'", given.display()));
                    faults.push(fault.help(format!("choose from {}", formats())));
                    return None;
                }
            },
        };
        let folder = parsed.value("--output-dir").filter(|folder| !folder.is_empty()).map(Path::new);
        let Some(file) = parsed.value("--output-file") else {
            let folder = folder.unwrap_or(Path::new("output")).to_owned();
            return Some(Self { folder, name: None, format: format.unwrap_or(Format::Csv) });
        };
        let path = Path::new(file);
        let named = path.file_name().and_then(|name| name.to_str()).and_then(Format::of_name);
        let Some((stem, of_file)) = named else {
            let fault = bad_argument(format!("--output-file {} does not end in a known format", path.display()));
            faults.push(fault.help(format!("end the name in one of {}", formats())));
            return None;
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        if let Some(folder) = folder.filter(|folder| plain(folder) != plain(parent)) {
            let message =
                format!("--output-dir {} is not the folder of --output-file {}", folder.display(), path.display());
            faults.push(
                bad_argument(message).help("in an action all outputs then lie in one folder: that of --output-file"),
            );
        }
        if format.is_some_and(|format| format != of_file) {
            let message = format!("--output-format is not the format of --output-file {}", path.display());
            faults.push(bad_argument(message).help("leave --output-format out"));
        }
        Some(Self { folder: parent.to_owned(), name: Some(stem.to_owned()), format: of_file })
    }

    /// Whether the name is one file's, whatever the study.
    pub(crate) fn is_one_file(&self) -> bool {
        self.name.is_some()
    }

    /// The file of one study and index date, from the root of the workspace.
    pub(crate) fn file(&self, module: &Module, date: Option<Date>) -> PathBuf {
        let date = date.map(|date| format!("_{date}")).unwrap_or_default();
        let stem = match &self.name {
            Some(name) => name.clone(),
            None => format!("input{}", module.suffix()),
        };
        self.folder.join(format!("{stem}{date}.{}", self.format.extension()))
    }
}

fn formats() -> String {
    Format::ALL.map(Format::extension).join(", ")
}

/// A path without `.` and doubled slashes.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{self, value};
    use std::ffi::OsString;

    fn read(line: &[&str]) -> (Option<Place>, Vec<String>) {
        let args: Vec<OsString> = line.iter().map(OsString::from).collect();
        let specs = [value("--output-dir"), value("--output-format"), value("--output-file")];
        let mut faults = Vec::new();
        let place = Place::of(&args::parse(&args, &specs), &mut faults);
        (place, faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn names_of_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["analysis", "codelists"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["study_definition.py", "study_definition_x.py"] {
            std::fs::write(folder.path().join("analysis").join(name), "").unwrap();
        }
        let modules = super::super::names::chosen(folder.path(), &super::super::names::Choice::All).unwrap();
        let date = Some(jiff::civil::date(2020, 3, 1));
        let rows: &[(&[&str], usize, Option<Date>, &str)] = &[
            (&[], 0, None, "output/input.csv"),
            (&[], 1, None, "output/input_x.csv"),
            (&["--output-format=feather"], 0, date, "output/input_2020-03-01.feather"),
            (&["--output-dir=a/b", "--output-format=dta.gz"], 1, date, "a/b/input_x_2020-03-01.dta.gz"),
            (&["--output-dir=."], 0, None, "./input.csv"),
            (&["--output-file=out/x.csv"], 1, date, "out/x_2020-03-01.csv"),
            (&["--output-file=x.y.csv.gz", "--output-dir=."], 1, None, "x.y.csv.gz"),
            (&["--output-file=./out//x.csv", "--output-dir=out/", "--output-format=csv"], 0, None, "./out//x.csv"),
        ];
        for (line, module, date, expected) in rows {
            let (place, faults) = read(line);
            assert!(faults.is_empty(), "{line:?} {faults:?}");
            assert_eq!(place.unwrap().file(&modules[*module], *date), Path::new(expected), "{line:?}");
        }
    }

    #[test]
    fn what_contradicts_is_a_fault() {
        assert_eq!(read(&["--output-format=xls"]).1.len(), 1);
        assert_eq!(read(&["--output-file=x.xls"]).1.len(), 1);
        assert_eq!(read(&["--output-file=out/.csv"]).1.len(), 1);
        assert_eq!(read(&["--output-file=out/"]).1.len(), 1);
        assert_eq!(read(&["--output-file=out/x.csv", "--output-dir=other", "--output-format=dta"]).1.len(), 2);
        assert_eq!(read(&["--output-file=x.csv.gz", "--output-format=csv"]).1.len(), 1);
    }
}
