//! The words of `study` and `init`. Spec study-definitions.md 12, cli.md 10.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Study {
    #[command(subcommand)]
    pub(crate) command: StudyWords,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct StudyWhich {
    /// study_definition_x, x, or analysis/study_definition_x.py
    pub(crate) name: String,
    /// A value that the study reads as params["NAME"]
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) param: Vec<String>,
    /// Index dates, such as "2021-01-01 to 2021-06-01 by month"
    #[arg(long, value_name = "RANGE")]
    pub(crate) index_date_range: Option<String>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum StudyWords {
    /// What a study definition asks, as JSON
    Record {
        #[command(flatten)]
        which: StudyWhich,
        /// A file for it [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Every fault of a study definition, and what may surprise
    Check {
        #[command(flatten)]
        which: StudyWhich,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// The query that a study definition becomes
    Explain {
        #[command(flatten)]
        which: StudyWhich,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Work a recording out on a folder of patient tables; no Python runs
    Run {
        /// Of `study record`
        #[arg(long, value_name = "FILE")]
        recording: PathBuf,
        /// Synthetic or loose tables: <Table>.csv or .parquet
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The file of patients; with several dates {date} stands in its name
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// May be repeated [default: the study's own]
        #[arg(long, value_name = "DATE")]
        index_date: Vec<String>,
    },
    /// Simulated patients of a study definition as a folder of tables
    Tables {
        #[command(flatten)]
        which: StudyWhich,
        /// A new folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// How many patients the population is to have
        #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
        population: u64,
        /// Other patients
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Share of patients with untidy rows, 0 to 1 [default: 0.05]
        #[arg(long, value_name = "SHARE", value_parser = share)]
        mess: Option<f64>,
    },
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a share from 0 to 1, such as 0.05".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder of the new study
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Its name [default: that of the folder]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How it extracts patients
    #[arg(long, value_enum, default_value = "cohortextractor")]
    pub(crate) extraction: Extraction,
    /// Make no git repository
    #[arg(long)]
    pub(crate) no_git: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Extraction {
    /// Study definitions, in a project of version 3
    Cohortextractor,
    /// Not in this version yet
    Ehrql,
}
