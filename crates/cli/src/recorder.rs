//! Where the Python of study definitions runs: in a job as one more process of its sandbox, by hand in a sandbox of its own.
//! Spec study-definitions.md 1.1, 14.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtimes::Places;
use sandbox::Native;
use study::record::{ChildFence, Fence, Python, SandboxFence};

/// In a job: the interpreter that was put into its sandbox.
const IN_A_JOB: &str = "CLOISTER_RECORDER_PYTHON";
/// The newest one first: it tells the place of a fault to the letter.
const MINORS: std::ops::RangeInclusive<u8> = 8..=19;

/// The fence of this process.
pub(crate) fn fence() -> Result<Box<dyn Fence>, String> {
    if let Some(python) = std::env::var_os(IN_A_JOB).map(PathBuf::from) {
        return Ok(Box::new(ChildFence::new(Python::at(python))));
    }
    let here = std::env::current_dir().ok();
    let python = located(here.as_deref()).ok_or(
        "no Python 3.8 or newer was found, which reads study definitions: install one, such as the system's python3",
    )?;
    Ok(Box::new(SandboxFence::new(Python::at(python), Arc::new(Native::default()))))
}

fn located(study: Option<&Path>) -> Option<PathBuf> {
    let places = Places::here(study);
    let names = MINORS.rev().map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]);
    names.flat_map(|name| places.folders.iter().map(move |folder| folder.join(&name))).find(|file| file.is_file())
}
