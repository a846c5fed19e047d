//! The words of the command line, as clap reads them. Spec cli.md 1-6, 9.
//! Nothing is decided here; each command's own file does that.

mod check;
mod codelists;
mod env;
mod exec;
mod machine;
mod online;
mod study;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;

use crate::completions::{actions, actions_and_all};

pub(crate) use crate::site::args::Site;
pub(crate) use check::{Check, CheckFormat, CheckPart};
pub(crate) use env::{Env, EnvCommand};
pub(crate) use exec::Exec;
pub(crate) use machine::{Completions, Schema, SchemaName, Shell};
pub(crate) use online::{Demo, Studies};
pub(crate) use study::{Extraction, Init, Study, StudyWhich, StudyWords};

pub(crate) use codelists::{Codelists, CodelistsCommand, CodelistsCommon};

/// Run studies of health records: write the code against dummy data, let the code travel to the data.
#[derive(Debug, Parser)]
#[command(
    name = "cloister",
    version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("CLOISTER_COMMIT"), ")"),
    disable_help_subcommand = false,
    subcommand_required = false,
    after_help = "A first run:\n  cloister check            every fault of this study, without running anything\n  cloister plan             what would run, and why\n  cloister run run_all      run every action that has not run yet or is out of date\n\nExit codes: 0 done, 1 the answer is no or it could not be done, 2 usage, 130 ended by Ctrl-C."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Print causes of errors; `run` also keeps its sandboxes
    #[arg(short = 'd', long, global = true)]
    pub(crate) debug: bool,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN")]
    pub(crate) color: Option<ColorChoice>,
    /// Open no network connection
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    /// Read this settings file instead of the user's own; `info --config` shows every setting
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1)]
    pub(crate) config: Option<Option<PathBuf>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find every fault of a study, without running anything
    Check(Check),
    /// Run actions of a study, and whatever they need
    Run(Run),
    /// Show what would run, and why
    Plan(Plan),
    /// Codelists of a study: add, update, check
    Codelists(Codelists),
    /// Run one command in a runtime, on this folder
    Exec(Exec),
    /// Print the log of an action
    Logs(Logs),
    /// Remove what killed runs left behind; never outputs, logs or codelists
    Clean(Clean),
    /// Native runtimes of this machine: list, install
    Env(Env),
    /// Versions, machine, isolation, runtimes, settings
    Info(Info),
    /// Turn .gz outputs into plain files
    Unzip(Unzip),
    /// Make a new study that checks and runs
    Init(Init),
    /// One study definition: record, check, explain, run on tables, make tables
    Study(Study),
    /// A whole platform on this machine: a site, two backends, studies, people
    Demo(Demo),
    /// The public jobs site: serve it, back it up, do what its staff do
    Site(Site),
    /// What an operator sees and does: status, pause, kill, verify, snapshot, restore, ...
    Backend(crate::backend::args::Backend),
    /// Print the JSON Schema of project.yaml or of an output, for editors and programs
    Schema(Schema),
    /// Print what makes a shell complete commands, options, actions, runtimes and codes
    Completions(Completions),
    /// Run a built-in action on files of this folder, without a sandbox
    #[command(disable_help_flag = true)]
    Action(Action),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// Names of actions, or run_all
    #[arg(value_name = "ACTION", add = ArgValueCandidates::new(actions_and_all))]
    pub(crate) actions: Vec<String>,
    /// Also run every needed action again
    #[arg(short, long)]
    pub(crate) force_run_dependencies: bool,
    /// The study folder [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) project_dir: Option<PathBuf>,
    /// What to do with results that are out of date by content [default: rerun]
    #[arg(long, value_enum)]
    pub(crate) stale: Option<Stale>,
    /// How many dummy patients a study definition gets [default: population_size of project.yaml]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) population: Option<u64>,
    /// How dummy patients of a study definition are made [default: expectations]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) dummy: Option<DummyKind>,
    /// Run study definitions on the patient tables of a folder of this study: <Table>.csv or .parquet
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dummy", "population"])]
    pub(crate) dummy_tables: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DummyKind {
    /// Column by column from return_expectations
    Expectations,
    /// Patients with events, so that columns, dates and files agree
    Simulated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stale {
    /// Make them again and say why
    Rerun,
    /// Use them and say so
    Keep,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Show the id that each new job would have in this job request
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<jobs::RequestId>,
    /// Explain why this action runs or is reused, back to the first cause
    #[arg(long, value_name = "ACTION", add = ArgValueCandidates::new(actions))]
    pub(crate) why: Option<String>,
    /// Fetch the reusable actions it names
    #[arg(long)]
    pub(crate) resolve: bool,
    /// Show the command of each action as it would run
    #[arg(long)]
    pub(crate) expand: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: PlanFormat,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cloister run run_all            every action that has not run yet or is out of date\n  cloister run report             report, and what it needs if that is missing or out of date\n  cloister run -f report          report and everything it needs, again\n  cloister run run_all -c 4 -m 8G four jobs at a time, 8 GB each"
)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// After a failure go on with all that does not depend on it
    #[arg(long)]
    pub(crate) continue_on_error: bool,
    /// Jobs at the same time; auto: processors divided by --cpus [default: 2]
    #[arg(short, long, value_name = "N|auto")]
    pub(crate) concurrency: Option<String>,
    /// Memory of each job, such as 4G or 512M; at least 64M [default: 4G]
    #[arg(short, long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Processors of each job [default: 2]
    #[arg(long, alias = "cpu", value_name = "N")]
    pub(crate) cpus: Option<u32>,
    /// Longest time of each job, such as 90s, 20m or 6h [default: none]
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// What actions run in
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) runtime: RuntimeChoice,
    /// How study code is shut in; none: not at all, for machines that can do no better
    #[arg(long, value_enum)]
    pub(crate) isolation: Option<Isolation>,
    /// Begin each line with the time (UTC)
    #[arg(long)]
    pub(crate) timestamps: bool,
    /// Group the output for GitHub's workflow logs
    #[arg(long)]
    pub(crate) format_output_for_github: bool,
    /// human, or one JSON object per line
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: TextFormat,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
    /// What is shown meanwhile [default: auto]
    #[arg(long, value_enum)]
    pub(crate) progress: Option<Progress>,
    /// Only say what would run: the same as `plan`
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuntimeChoice {
    /// Whatever this machine has
    Auto,
    /// Environments of this machine
    Native,
    /// Container images (not in this version yet)
    Container,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Isolation {
    /// The best this machine has, or a refusal
    Auto,
    /// Linux namespaces, Landlock and a system call filter
    Namespaces,
    /// A container (not in this version yet)
    Container,
    /// A temporary folder and nothing else: study code can read and change your files
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Bars on a terminal, lines elsewhere
    Auto,
    /// A row per running job
    Bars,
    /// A line per change
    Plain,
    /// Nothing
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Whose log
    #[arg(value_name = "ACTION", add = ArgValueCandidates::new(actions))]
    pub(crate) action: String,
    /// Only the last lines
    #[arg(long, value_name = "N")]
    pub(crate) lines: Option<usize>,
    /// Go on until the job ends
    #[arg(short, long, conflicts_with = "lines")]
    pub(crate) follow: bool,
    /// The study folder [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) project_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Only list what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also remove the records and the store of this project: the next run makes everything anew
    #[arg(long)]
    pub(crate) state: bool,
    /// Also remove the native runtimes of this machine; they are built again when needed
    #[arg(long)]
    pub(crate) all: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// The study folder [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) project_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    Human,
    Json,
    Mermaid,
    Dot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    /// What each runtime of this project is on this machine
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) project: Option<Option<PathBuf>>,
    /// Print only the name:tag of each runtime of the project in this folder
    #[arg(long)]
    pub(crate) list_project_images: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Unzip {
    /// A .gz file, or a folder
    pub(crate) path: PathBuf,
    /// Overwrite newer files
    #[arg(short, long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Action {
    /// The version of the project.yaml that names the action
    #[arg(long, hide = true, value_name = "VERSION")]
    pub(crate) project_version: Option<f64>,
    /// How measures print sums of truth values: 2021 (253.0) or 2022 (253) [default: the setting cohortextractor.era]
    #[arg(long, hide = true, value_name = "YEAR")]
    pub(crate) era: Option<String>,
    /// On a backend: SQL files that hold a waiver, each by its SHA-256, joined by commas
    #[arg(long, hide = true, value_name = "SHA256,...")]
    pub(crate) waived_sql: Option<String>,
    /// In a job: the folder for what only the disclosure checks may read of each output
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) evidence: Option<PathBuf>,
    /// Such as sqlrunner or sqlrunner:v1, then its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME[:TAG] ARG")]
    pub(crate) words: Vec<String>,
}
