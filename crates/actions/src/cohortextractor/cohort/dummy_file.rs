//! `--dummy-data-file`: rows of the researcher's own, checked against the study and copied byte for byte.
//! Spec study-definitions.md 9.3. They are dummy data, so that values may be shown.

use std::io::BufReader;
use std::path::Path;

use cohorts::Format;
use cohorts::read::Limits;
use cohorts::validate::{self, Finding};

use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::answered::schema;
use super::{Job, Sound};
use crate::files::unreadable;

const WHAT: &str = "--dummy-data-file";

pub(crate) fn check(
    path: &Path,
    format: Format,
    sound: &Sound,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Outcome {
    let shown = path.display().to_string();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(wrong) = validate::ending(name, format) {
        return Err(vec![fault(wrong, &shown)]);
    }
    let file = workspace.open(path, WHAT, Exit::DummyBad).map_err(|mut fault| {
        if fault.code == FaultCode::FileNotFound {
            fault.code = FaultCode::Study("SD610");
        }
        vec![fault]
    })?;
    let file = BufReader::with_capacity(64 << 10, file);
    let report = validate::file(name, format, file, Limits::default(), &schema(&sound.study));
    let (faults, warnings): (Vec<Finding>, Vec<Finding>) = report.findings.into_iter().partition(Finding::is_fault);
    for warning in warnings {
        warn(context.stderr, &format!("{shown}: {warning}"));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into_iter().map(|finding| fault(finding, &shown)).collect()) }
}

fn fault(finding: Finding, shown: &str) -> Fault {
    if let Finding::Unreadable(error) = &finding {
        let mut fault = unreadable(error, shown);
        fault.exit = Exit::DummyBad;
        return fault;
    }
    let help = match &finding {
        Finding::Columns { .. } => {
            "its columns are patient_id and the columns of the study, in any order; hidden ones are left out"
        }
        Finding::BadValues { .. } => "rows count from 2, the row after the names of columns; empty cells are allowed",
        _ => "the ending of its name says which format a file has",
    };
    let code = FaultCode::Study(finding.code().unwrap_or("SD613"));
    Fault::new(code, Exit::DummyBad, format!("{shown}: {finding}")).help(help)
}

/// The file for every date.
pub(crate) fn copy(path: &Path, jobs: &[Job], workspace: &Workspace, context: &mut Context<'_>) -> Outcome {
    for job in jobs {
        if workspace.identify(path).is_some() && workspace.identify(path) == workspace.identify(&job.path) {
            warn(context.stderr, "the output is the dummy data file itself; it is left as it is");
            continue;
        }
        let copied = workspace.open(path, WHAT, Exit::DummyBad).and_then(|mut file| {
            let mut staged = workspace.stage(&job.path, "the file of patients")?;
            let what = staged.what().to_owned();
            std::io::copy(&mut file, staged.file()).map_err(|error| Fault::writing(&what, &error))?;
            staged.sync()?;
            staged.publish()
        });
        copied.map_err(|fault| vec![fault])?;
        context.log(&format!("wrote {} (a copy of {})", job.path.display(), path.display()));
    }
    Ok(())
}
