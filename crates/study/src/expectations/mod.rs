//! Dummy data by expectations: each column by itself, from `return_expectations` and a seed.
//! Spec study-definitions.md 10.1.

pub(crate) mod dates;
pub(crate) mod draw;
mod files;
pub(crate) mod normal;
mod pass;
pub(crate) mod period;
mod plan;
mod problem;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod weighted;

use std::error::Error;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use cohorts::{Field, Kind, Schema, Source};
use jiff::civil::Date;

pub use files::{FileColumns, FileFault, read_files};

use crate::fault::{Fault, Severity};
use crate::model::Study;
use crate::recording::Recording;

/// The seed of runs that give none: files of all studies and dates link.
pub const SEED: u64 = 0;

/// What dummy data are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Of this run; wins over the study's in every expectation and period.
    pub index_date: Option<Date>,
    /// Day of the run, for `today`.
    pub today: Date,
    /// N. Value files bring their own.
    pub patients: u64,
    /// [`SEED`] unless the user gives one.
    pub seed: u64,
}

/// The rows of one file of dummy data. Every pass makes them again, in blocks: memory does not grow with N.
///
/// Values hang on the seed, N, a column's name and its own settings; other columns and, where the settings do not
/// mention it, the index date change nothing.
#[derive(Debug, Clone)]
pub struct Cohort {
    plan: plan::Plan,
    schema: Schema,
    arrow: SchemaRef,
    files: Option<FileColumns>,
    patients: u64,
    seed: u64,
    lints: Vec<Fault>,
}

impl Cohort {
    /// Dummy data for one index date. `files` is what the value files hold, `None` exactly when no column of the
    /// study [reads one](reads_files).
    ///
    /// # Errors
    /// All faults of the expectations (SD601-SD607, dates SD301-SD304) and lints, in order of the variables.
    pub fn new(
        study: &Study,
        recording: &Recording,
        settings: &Settings,
        files: Option<FileColumns>,
    ) -> Result<Self, Vec<Fault>> {
        let (plan, lints) = plan::plan(study, recording, settings, files.as_ref());
        if lints.iter().any(|fault| fault.severity == Severity::Fault) {
            return Err(lints);
        }
        let patient = || Field { name: "patient_id".into(), kind: Kind::Int };
        let field = |place: &Option<usize>| place.map_or_else(patient, |place| plan.columns[place].field.clone());
        let schema = Schema { fields: plan.written.iter().map(field).collect() };
        let arrow = Arc::new(ArrowSchema::new(schema.fields.iter().map(arrow_field).collect::<Vec<_>>()));
        let patients = files.as_ref().map_or(settings.patients, |files| files.patients.len() as u64);
        Ok(Self { plan, schema, arrow, files, patients, seed: settings.seed, lints })
    }

    /// SD913 and settings without effect.
    pub fn lints(&self) -> &[Fault] {
        &self.lints
    }

    /// How many rows there are.
    pub fn patients(&self) -> u64 {
        self.patients
    }
}

/// What is wrong with a study's expectations, without its value files: faults (SD601-SD607, dates) and lints (SD913).
pub fn check(study: &Study, recording: &Recording, settings: &Settings) -> Vec<Fault> {
    let (_, faults) = plan::plan(study, recording, settings, None);
    faults.into_iter().filter(|fault| fault.code != plan::UNREAD).collect()
}

impl Source for Cohort {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn batches(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, Box<dyn Error + Send + Sync>>> + '_> {
        Box::new(pass::Pass::new(self))
    }
}

fn arrow_field(field: &Field) -> ArrowField {
    let kind = match field.kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int | Kind::IntCategory { .. } => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Str => DataType::Utf8,
        Kind::Date(_) => DataType::Date32,
    };
    ArrowField::new(&field.name, kind, true)
}
