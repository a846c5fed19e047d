//! Where the Python of study definitions runs: in a job as one more process of its sandbox, by hand in a sandbox of its own.
//! Spec study-definitions.md 1.1, 14.

use std::path::PathBuf;
use std::sync::Arc;

use sandbox::Native;
use study::record::{ChildFence, Fence, Python, SandboxFence};

use crate::args::Global;
use crate::check::settings;
use crate::env;
use crate::terminal::Terminal;

/// What a job's environment names it by.
const RECORDER_PYTHON: &str = "CLOISTER_RECORDER_PYTHON";
const NONE: &str =
    "no Python was found to read study definitions with: install Python 3.8 or newer, such as the system's python3";

/// The fence of this process.
pub(crate) fn fence(in_a_job: bool, global: &Global, terminal: &Terminal) -> Result<Box<dyn Fence>, String> {
    if in_a_job {
        let python = std::env::var_os(RECORDER_PYTHON).map(PathBuf::from).ok_or(NONE)?;
        return Ok(Box::new(ChildFence::new(Python::at(python))));
    }
    by_hand(global, terminal).map(|fence| Box::new(fence) as Box<dyn Fence>)
}

/// A sandbox of its own, with a Python of this machine.
pub(crate) fn by_hand(global: &Global, terminal: &Terminal) -> Result<SandboxFence, String> {
    let here = std::env::current_dir().ok();
    let settings = settings(global, here.as_deref(), terminal).map_err(|error| error.to_string())?;
    let options = env::options(&settings, global, here.as_deref(), None).map_err(|error| error.to_string())?;
    let python = runtimes::recorder_python(&options).ok_or(NONE)?;
    let python = Python { executable: python.executable, prefixes: python.prefixes };
    Ok(SandboxFence::new(python, Arc::new(Native::default())))
}
