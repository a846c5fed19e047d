//! The log of a job, line by line, and on until the job ends. Spec jobs.md 21 (`logs ID -f`).

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use jobs::JobId;
use jobs::local::Desk;
use jobs::log::shown;
use serde_json::json;

use crate::terminal::Terminal;

/// How often a growing log is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(super) async fn logs(
    desk: &Desk,
    id: JobId,
    follow: bool,
    json: bool,
    terminal: &Terminal,
) -> Result<(), Box<dyn Error>> {
    let mut file = desk.log(id).await?;
    while follow && file.is_none() && desk.runs() && desk.job(id).await?.0.state().is_active() {
        tokio::time::sleep(LOOK).await;
        file = desk.log(id).await?;
    }
    let Some(file) = file else {
        return Err(format!(
            "error: there is no log of job {id}: it has not begun, or a newer run of its action wrote over it"
        )
        .into());
    };
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        // Asked before reading: what was written before the end is read after it.
        let ended = !follow || !desk.runs() || !desk.job(id).await?.0.state().is_active();
        while lines.read_until(b'\n', &mut line)? > 0 {
            // Half a line waits for its other half.
            if line.ends_with(b"\n") || ended {
                let text = shown(String::from_utf8_lossy(&line).trim_end_matches('\n'));
                terminal.line(&if json { json!({ "job": id, "line": text }).to_string() } else { text });
                line.clear();
            } else {
                break;
            }
        }
        if ended {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}
