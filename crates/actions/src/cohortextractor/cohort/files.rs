//! Files of patients written beside their place and renamed, several at a time (study-definitions.md 9.1).
//! A date that fails leaves no file; those complete stay, and both are listed.

use std::io::{BufWriter, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cohorts::{Format, Source, WriteError};

use crate::fault::{Exit, Fault, FaultCode};
use crate::text::about;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::Job;

/// Most files that are written at the same time.
const AT_ONCE: usize = 8;
const BUFFER: usize = 256 << 10;

/// Writes all files of a study.
pub(crate) fn write<S: Source + Sync>(
    made: &[(Job, S)],
    format: Format,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Outcome {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Mutex<Vec<Option<Result<u64, Fault>>>> = Mutex::new(made.iter().map(|_| None).collect());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(AT_ONCE).min(made.len());
    let worker = || {
        while let Some((at, (job, source))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, made.get(at)?)))
        {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let result = one(job, source, format, workspace);
            stop.fetch_or(result.is_err(), Ordering::Relaxed);
            let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(slot) = results.get_mut(at) {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (mut faults, mut complete, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for ((job, _), result) in made.iter().zip(results) {
        let path = job.path.display();
        match result {
            Some(Ok(rows)) => {
                context.log(&format!("wrote {path} ({} patients)", about(rows)));
                complete.push(path.to_string());
            }
            Some(Err(fault)) => {
                open.push(path.to_string());
                faults.push(fault);
            }
            None => open.push(path.to_string()),
        }
    }
    if !faults.is_empty() && made.len() > 1 {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        context.log(&format!("complete: {}", list(&complete)));
        context.log(&format!("not made: {}", list(&open)));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn one(job: &Job, source: &dyn Source, format: Format, workspace: &Workspace) -> Result<u64, Fault> {
    let mut staged = workspace.stage(&job.path, "the file of patients")?;
    let what = staged.what().to_owned();
    let mut out = BufWriter::with_capacity(BUFFER, staged.file());
    let written = cohorts::write(format, source, &mut out).map_err(|error| of_writing(error, &what))?;
    out.flush().map_err(|error| Fault::writing(&what, &error))?;
    drop(out);
    staged.sync()?;
    staged.publish()?;
    Ok(written.rows)
}

fn of_writing(error: WriteError, what: &str) -> Fault {
    match error {
        WriteError::Io(error) => Fault::writing(what, &error),
        WriteError::Duplicate { .. } => {
            let message = format!("{what}: two rows for one patient");
            Fault::new(FaultCode::Study("D511"), Exit::DummyBad, message)
        }
        WriteError::Source(source) => match source.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(source) => Fault::new(FaultCode::IoError, Exit::Data, format!("{what}: {source}")),
        },
        other => Fault::new(FaultCode::IoError, Exit::Data, format!("{what}: {other}")),
    }
}
