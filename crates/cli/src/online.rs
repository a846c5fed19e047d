//! What `demo` and `backend serve` tell the backend of this machine and program: runtimes, engines, isolation.

use std::error::Error;

use backend::orders::Machine;
use sandbox::{Native, Runtime};

use crate::args::Global;
use crate::check::settings;
use crate::env;
use crate::terminal::Terminal;

/// Where runtimes are, and which engines this program has.
pub(crate) fn machine(global: &Global, terminal: &Terminal) -> Result<Machine, Box<dyn Error>> {
    let settings = settings(global, None, terminal)?;
    Ok(Machine { runtimes: env::options(&settings, global, None, None)?, lacks: actions::lacks })
}

/// What shuts study code in here.
///
/// # Errors
/// What this machine lacks for it.
pub(crate) fn isolation() -> Result<Native, Box<dyn Error>> {
    let native = Native::default();
    let found = native.probe();
    let missing: Vec<String> =
        found.missing().map(|(name, why)| format!("\n  {name}: {}", why.replace('\n', "\n    "))).collect();
    if missing.is_empty() {
        return Ok(native);
    }
    Err(format!("error[X204]: this machine cannot shut study code in:{}", missing.concat()).into())
}
