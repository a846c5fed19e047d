//! The finished log of an attempt: the supervisor's lines and the summary, first beside the volume, then where people look.
//! Spec jobs.md 15, 9 (step 9).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Cursor, Write};
use std::path::Path;

use jiff::Timestamp;

use crate::collect::Collected;
use crate::log::{LogLimits, Summary, Tail, tail, write_log};
use crate::metadata::exit_code as exit_text;
use crate::state::{Job, Status, StatusCode};

/// What the finished log is called inside a volume.
pub(crate) const FILE: &str = "job.log";
/// What the supervisor writes inside a volume, while the command runs.
pub(crate) const LINES: &str = "log";
/// Lines that reports show.
const SHOWN: usize = 32;

/// Writes the finished log into the volume.
#[allow(clippy::too_many_arguments, reason = "each is a line of the summary")]
pub(super) fn finish_log(
    volume: &Path,
    job: &Job,
    image: &str,
    exit_code: Option<i32>,
    status: &Status,
    collected: &Collected,
    completed_at: Timestamp,
    limits: LogLimits,
) -> io::Result<()> {
    let definition = &job.definition;
    let created = Timestamp::from_second(job.times.created_at).map(|at| at.to_string()).unwrap_or_default();
    let unmatched = status.code == StatusCode::UnmatchedPatterns;
    let summary = Summary {
        job_definition_id: job.id.to_string(),
        job_definition_rap_id: job.request.to_string(),
        commit: definition.code.commit().map(ToString::to_string).unwrap_or_default(),
        docker_image_id: image.to_owned(),
        exit_code: exit_text(exit_code),
        created_at: created,
        completed_at: completed_at.to_string(),
        database_name: if definition.is_database { "dummy".to_owned() } else { String::new() },
        status_message: status.message.clone(),
        hint: if unmatched { hint(collected) } else { String::new() },
        outputs: collected.outputs.iter().map(|o| (o.path.clone(), o.level)).collect(),
        excluded: collected.outputs.iter().filter_map(|o| Some((o.path.clone(), o.excluded.clone()?))).collect(),
    };
    std::fs::create_dir_all(volume)?;
    let mut out = BufWriter::new(File::create(volume.join(FILE))?);
    match File::open(volume.join(LINES)) {
        Ok(lines) => write_log(&mut BufReader::new(lines), &summary, limits, &mut out)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_log(&mut Cursor::new(b""), &summary, limits, &mut out)?;
        }
        Err(error) => return Err(error),
    }
    out.flush()
}

fn hint(collected: &Collected) -> String {
    let patterns: String = collected.unmatched_patterns.iter().map(|p| format!("\n   - {p}")).collect();
    let found = collected.hint.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("No file matches these declared outputs:{patterns}\n{found}")
}

/// The last lines the command printed.
pub(super) fn read_tail(volume: &Path) -> io::Result<Tail> {
    tail(&mut File::open(volume.join(LINES))?, SHOWN)
}
