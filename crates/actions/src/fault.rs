//! Faults: what an action prints and how it ends when it cannot do what was asked.
//! One fault, one message: what is wrong, where, and what to do (actions.md 1, 2.5, 2.6).

use std::fmt::{self, Write as _};
use std::io;

use crate::text::clean;

/// The stable name of a fault (actions.md 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// A version of a built-in that never existed.
    UnknownVersion,
    /// Something is wrong with the arguments.
    BadArgument,
    /// A habit of the original that would disclose real data.
    CompatRefused,
    /// A pattern where only a plain name may stand.
    GlobNotAllowed,
    /// A `config:` that an action does not take, or that is wrong.
    BadConfig,
    /// No file that an action could use fits the pattern.
    NoInputMatched,
    /// A named file is not there, or is not a file.
    FileNotFound,
    /// Columns that a result cannot have.
    BadColumns,
    /// A path that leads out of the workspace.
    OutsideWorkspace,
    /// Results would stand among the files they are made from.
    OutputDirHoldsInput,
    /// Two results would get one name.
    OutputCollision,
    /// A file whose ending names no format that is read here.
    UnsupportedFormat,
    /// A csv file that breaks the rules of csv.
    MalformedCsv,
    /// Another file that cannot be read as what its name says.
    MalformedFile,
    /// A column that a file must have is not there.
    MissingColumn,
    /// An identifier that must be there once is there more often.
    DuplicateKey,
    /// Two columns of a result would have one name.
    ColumnClash,
    /// A value that a format has no place for.
    CannotRepresent,
    /// A date that is none.
    BadDate,
    /// A value that is no number.
    NotNumeric,
    /// SQL that does not parse.
    SqlSyntax,
    /// SQL of which more than one statement returns rows.
    SeveralResults,
    /// The column names cannot be told from the SQL.
    HeaderUnknown,
    /// The SQL does not say how it treats type 1 opt-outs.
    T1ooUndeclared,
    /// Database credentials in the arguments of a job.
    DsnInArguments,
    /// A database was asked for and cannot be reached.
    DatabaseUnavailable,
    /// Over a fixed limit (actions.md 10).
    TooLarge,
    /// The disk is full.
    OutOfSpace,
    /// Reading or writing failed for a reason of the machine's. Not in actions.md 2.6, which names none for it.
    IoError,
    /// This version of the program has no engine for the request. Not in actions.md 2.6: it goes when the engines come.
    NoEngine,
    /// A fault of a study definition or of its files, such as `SD305` (study-definitions.md 13).
    Study(&'static str),
}

impl FaultCode {
    /// The code as printed, such as `bad_argument`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownVersion => "unknown_version",
            Self::GlobNotAllowed => "glob_not_allowed",
            Self::CompatRefused => "compat_refused",
            Self::BadArgument => "bad_argument",
            Self::BadConfig => "bad_config",
            Self::NoInputMatched => "no_input_matched",
            Self::FileNotFound => "file_not_found",
            Self::BadColumns => "bad_columns",
            Self::OutputDirHoldsInput => "output_dir_holds_input",
            Self::OutsideWorkspace => "outside_workspace",
            Self::OutputCollision => "output_collision",
            Self::UnsupportedFormat => "unsupported_format",
            Self::MalformedCsv => "malformed_csv",
            Self::MalformedFile => "malformed_file",
            Self::CannotRepresent => "cannot_represent",
            Self::ColumnClash => "column_clash",
            Self::DuplicateKey => "duplicate_key",
            Self::MissingColumn => "missing_column",
            Self::BadDate => "bad_date",
            Self::NotNumeric => "not_numeric",
            Self::SqlSyntax => "sql_syntax",
            Self::SeveralResults => "several_results",
            Self::HeaderUnknown => "header_unknown",
            Self::T1ooUndeclared => "t1oo_undeclared",
            Self::DsnInArguments => "dsn_in_arguments",
            Self::DatabaseUnavailable => "database_unavailable",
            Self::TooLarge => "too_large",
            Self::OutOfSpace => "out_of_space",
            Self::IoError => "io_error",
            Self::NoEngine => "no_engine",
            Self::Study(code) => code,
        }
    }
}

/// How an action ends (actions.md 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// A fault in data or run.
    Data,
    Arguments,
    /// A database fault that waiting does not mend.
    Database,
    /// The SQL, or the study definition, cannot be read.
    Unreadable,
    DummyBad,
    NotPermitted,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Data => 1,
            Self::Arguments => 2,
            Self::Database => 5,
            Self::Unreadable => 10,
            Self::DummyBad => 11,
            Self::NotPermitted => 12,
        }
    }
}

/// A line of a text file with the offending part underlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: u64,
    /// In characters, counted from 1.
    pub(crate) column: u64,
    pub(crate) text: String,
    /// Characters underlined, at least 1.
    pub(crate) width: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) code: FaultCode,
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) snippet: Option<Box<Snippet>>,
    pub(crate) help: Option<String>,
    /// The reader of stdout has gone: there is nobody to tell, and nothing wrong with the study.
    quiet: bool,
}

impl Fault {
    pub(crate) fn new(code: FaultCode, exit: Exit, message: impl Into<String>) -> Self {
        Self { code, exit, message: message.into(), snippet: None, help: None, quiet: false }
    }

    /// A fault of which all has been said; only how the run ends is left.
    pub(crate) fn told(exit: Exit) -> Self {
        Self { quiet: true, ..Self::new(FaultCode::Study("SD"), exit, String::new()) }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn at(mut self, snippet: Snippet) -> Self {
        self.snippet = Some(Box::new(snippet));
        self
    }

    /// A failed write: a full disk has a code of its own, since what to do about it is different.
    pub(crate) fn writing(what: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::new(FaultCode::OutOfSpace, Exit::Data, format!("no space left while writing {what}"))
                    .help("free some space and run again; nothing was written under the final name")
            }
            io::ErrorKind::FileTooLarge => Self::new(
                FaultCode::TooLarge,
                Exit::Data,
                format!("{what} is larger than this machine allows a file to be"),
            ),
            kind => {
                let fault = Self::new(FaultCode::IoError, Exit::Data, format!("cannot write {what}: {error}"));
                Self { quiet: kind == io::ErrorKind::BrokenPipe, ..fault }
            }
        }
    }

    /// The message as a person reads it, with a line end.
    pub(crate) fn render(&self) -> String {
        if self.quiet {
            return String::new();
        }
        let mut text = format!("error[{}]: {}\n", self.code.as_str(), clean(&self.message));
        if let Some(snippet) = &self.snippet {
            let _ = write!(text, "{snippet}");
        }
        if let Some(help) = &self.help {
            let _ = writeln!(text, "  help: {}", clean(help));
        }
        text
    }
}

/// Longest part of a source line that is shown; the rest says nothing more and may be megabytes.
const SHOWN: usize = 160;

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = usize::try_from(self.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let skip = at.saturating_sub(SHOWN / 2);
        // Every character is made one column wide, so that the marks stand under what they mean.
        let line: String = self.text.chars().skip(skip).take(SHOWN).map(one_column).collect();
        let marks = self.width.max(1).min(SHOWN.saturating_sub(at - skip).max(1));
        let gutter = self.line.to_string().len();
        writeln!(f, "{:gutter$}--> {}:{}:{}", " ", clean(&self.file), self.line, self.column)?;
        writeln!(f, "{:gutter$} |", " ")?;
        writeln!(f, "{} | {}", self.line, line.trim_end())?;
        writeln!(f, "{:gutter$} | {}{}", " ", " ".repeat(at - skip), "^".repeat(marks))
    }
}

fn one_column(c: char) -> char {
    match c {
        '\t' => ' ',
        c if crate::text::is_hostile(c) => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_place_and_help() {
        let fault = Fault::new(FaultCode::SqlSyntax, Exit::Unreadable, "expected an expression, found FROM")
            .at(Snippet { file: "a.sql".into(), line: 12, column: 11, text: "SELECT a,\tFROM t".into(), width: 4 })
            .help("remove the comma");
        insta::assert_snapshot!(fault.render(), @r"
        error[sql_syntax]: expected an expression, found FROM
          --> a.sql:12:11
           |
        12 | SELECT a, FROM t
           |           ^^^^
          help: remove the comma
        ");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let text = "x".repeat(1_000_000);
        let shown = Snippet { file: "f".into(), line: 1, column: 500_000, text, width: 1_000_000 }.to_string();
        assert!(shown.len() < 600, "{}", shown.len());
        assert!(shown.contains('^'));
    }

    #[test]
    fn a_full_disk_has_its_own_code() {
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(Fault::writing("output", &full).code, FaultCode::OutOfSpace);
        assert_eq!(Fault::writing("output", &io::Error::from_raw_os_error(5)).code, FaultCode::IoError);
    }
}
