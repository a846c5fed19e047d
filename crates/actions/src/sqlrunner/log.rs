//! The log lines of sqlrunner: JSON objects that tools of today read (actions.md 7.1).
//! They say that something happened, never how many rows it concerned.

use std::io::Write as _;
use std::path::Path;

use crate::Context;
use crate::fault::Fault;
use crate::staged::Staged;
use crate::workspace::Workspace;

/// The log of one run, with its copy in a file if one was asked for.
pub(crate) struct Log {
    file: Option<Staged>,
}

impl Log {
    pub(crate) fn start(workspace: &Workspace, path: Option<&Path>) -> Result<Self, Fault> {
        let file = path.map(|path| workspace.stage(path, "--log-file")).transpose()?;
        Ok(Self { file })
    }

    /// Says one event. The stream is best effort, the file is not.
    pub(crate) fn event(&mut self, context: &mut Context<'_>, to_stderr: bool, event: &str) -> Result<(), Fault> {
        let line = serde_json::json!({
            "event": event,
            "logger": "sqlrunner.main",
            "level": "info",
            "timestamp": jiff::Timestamp::now().to_string(),
            "filename": "main.rs",
            "func_name": "write_results",
            "lineno": line!(),
        });
        let text = format!("{line}\n");
        let stream = if to_stderr { &mut context.stderr } else { &mut context.stdout };
        let _ = stream.write_all(text.as_bytes());
        match &mut self.file {
            Some(staged) => {
                let result = staged.file().write_all(text.as_bytes());
                result.map_err(|error| Fault::writing(staged.what(), &error))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn sync(&self) -> Result<(), Fault> {
        self.file.as_ref().map_or(Ok(()), Staged::sync)
    }

    pub(crate) fn publish(self) -> Result<(), Fault> {
        self.file.map_or(Ok(()), Staged::publish)
    }
}
