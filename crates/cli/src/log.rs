//! The log of a server: one JSON object a line, each request with its id, path, status and time; never a secret.
//! Spec site.md 17; the site itself keeps tokens, passwords and queries of addresses out of it (11.6).

use std::error::Error;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Begins to write what this program does into the file, after what is in it; `-` is standard error. Nothing without one.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn begin(file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let Some(path) = file else { return Ok(()) };
    let writer = if path == Path::new("-") {
        BoxMakeWriter::new(std::io::stderr)
    } else {
        let opened = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let opened = opened.map_err(|error| format!("error: the log {} cannot be written: {error}", path.display()))?;
        BoxMakeWriter::new(Mutex::new(opened))
    };
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    log.with_writer(writer).try_init().map_err(|error| format!("error: {error}").into())
}
