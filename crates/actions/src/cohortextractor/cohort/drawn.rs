//! Dummy rows drawn from a study's expectations, one set for each index date (study-definitions.md 10.1).
//! A value file brings its own patients; it is opened as every file of the workspace is.

use std::io::{self, Read};
use std::path::Path;

use study::expectations::{self, FileFault, Settings};

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::{Job, Sound};

pub(crate) fn prepare(
    sound: &Sound,
    jobs: Vec<Job>,
    patients: u64,
    seed: Option<u64>,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Vec<(Job, expectations::Cohort)>, Vec<Fault>> {
    let open = |path: &str| -> io::Result<Box<dyn Read>> {
        match workspace.open(Path::new(path), "the value file", Exit::DummyBad) {
            Ok(file) => Ok(Box::new(file)),
            Err(fault) => Err(io::Error::other(fault.message)),
        }
    };
    let files = expectations::read_files(&sound.study, &open).map_err(|fault| vec![of_file(&fault)])?;
    let mut drawn = Vec::with_capacity(jobs.len());
    for job in jobs {
        let seed = seed.unwrap_or(expectations::SEED);
        let index_date = job.index_date(sound);
        let settings = Settings { index_date, today: context.today, patients, seed };
        match expectations::Cohort::new(&sound.study, &sound.recording, &settings, files.clone()) {
            Ok(cohort) => drawn.push((job, cohort)),
            // The same columns are at fault for every other date.
            Err(found) => return Err(super::super::record::told(&found, &sound.recording, Exit::Unreadable, context)),
        }
    }
    if let Some((_, cohort)) = drawn.first() {
        super::super::record::told(cohort.lints(), &sound.recording, Exit::Unreadable, context);
    }
    Ok(drawn)
}

fn of_file(fault: &FileFault) -> Fault {
    let text = fault.to_string();
    let message = text.strip_prefix("D511: ").unwrap_or(&text);
    Fault::new(FaultCode::Study("D511"), Exit::DummyBad, message)
        .help("a value file is a csv with one row per patient: patient_id and the columns that the study reads")
}
