//! The words of `cloister check`, as clap reads them. Spec cli.md 3.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;

use crate::completions::codes;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A study folder or a project file; - reads the file from standard input
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: CheckFormat,
    /// Count warnings as errors
    #[arg(long)]
    pub(crate) strict: bool,
    /// Raise this warning or note to an error (repeatable)
    #[arg(long, value_delimiter = ',', value_name = "CODE", add = ArgValueCandidates::new(codes))]
    pub(crate) deny: Vec<String>,
    /// Hide this warning or note; errors cannot be hidden (repeatable)
    #[arg(long, value_delimiter = ',', value_name = "CODE", add = ArgValueCandidates::new(codes))]
    pub(crate) allow: Vec<String>,
    /// Apply the fixes that are sure, and print the difference
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: print the difference, write nothing
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    /// With --fix: also change a file with uncommitted changes
    #[arg(long, requires = "fix")]
    pub(crate) allow_dirty: bool,
    /// Fetch the reusable actions it names, and check them
    #[arg(long)]
    pub(crate) resolve: bool,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub(crate) only: Vec<CheckPart>,
    /// Explain a code, with an example of the fault and its correction
    #[arg(long, value_name = "CODE", add = ArgValueCandidates::new(codes))]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    Human,
    Short,
    Json,
    Github,
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckPart {
    /// What project.yaml says
    Project,
    /// Runtimes, tags, scripts and dummy data files it names
    Files,
    /// Whether codelists/ is as it was downloaded
    Codelists,
    /// Study definitions that actions name, recorded without data
    Studies,
}

impl CheckPart {
    /// It is about other files than project.yaml.
    pub(crate) fn is_beside(self) -> bool {
        matches!(self, Self::Codelists | Self::Studies)
    }
}
