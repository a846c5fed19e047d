//! The fence behind which tests record study definitions.

use std::path::PathBuf;

/// The Python of this machine, as in a job.
pub fn fence() -> Result<Box<dyn study::record::Fence>, String> {
    let ask = std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let answer = ask.map_err(|error| format!("this test needs python3: {error}"))?.stdout;
    let python = PathBuf::from(String::from_utf8_lossy(&answer).trim());
    let python = python.canonicalize().map_err(|error| error.to_string())?;
    Ok(Box::new(study::record::ChildFence::new(study::record::Python::at(python))))
}
