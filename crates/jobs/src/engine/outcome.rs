//! What became of a job, in a code and words: from how the sandbox ended and what was collected.
//! Spec jobs.md 4, 8, 11.

use sandbox::{Exit, Limit, LimitHit, Limits, OutOfMemory};

use std::time::Duration;

use super::again::Passing;
use super::prepare::PrepareError;
use crate::collect::{CollectError, Collected};
use crate::explain::duration;
use crate::schedule::Cause;
use crate::state::{ExitKind, Reason, Status, StatusCode};
use crate::tree::LayoutError;

/// A code of `reason`; the words are from the fixed list, so that they parse.
fn because(status: Status, reason: &str) -> Status {
    match reason.parse::<Reason>() {
        Ok(reason) => status.because(reason),
        Err(_) => status,
    }
}

/// `4.0 GB`, in powers of 1024.
fn size(bytes: u64) -> String {
    let gib = bytes as f64 / f64::from(1 << 30);
    if gib >= 1.0 { format!("{gib:.1} GB") } else { format!("{} MB", bytes >> 20) }
}

/// What the exit code of a database action's engine means (spec jobs.md 4).
fn database_words(code: i32) -> Option<&'static str> {
    Some(match code {
        2 => "the arguments of the command are wrong",
        3 => "a passing error of the database",
        4 => "data are being imported into the database",
        5 => "a problem of the database",
        6 => "the query is too complex",
        10 => "the definition has faults, told in the log",
        11 => "a data file cannot be read",
        12 => "no permission",
        13 => "tests of the definition failed",
        14 => "no progress for too long",
        _ => return None,
    })
}

/// How the command ended, if that alone decides; `None` if it ended well.
pub(super) fn of_exit(exit: &Exit, limits: &Limits, is_database: bool) -> Option<Status> {
    let failed = |kind: ExitKind, message: String| {
        let status = Status::new(StatusCode::NonzeroExit, message).with("exit_code", exit.code.into());
        status.telling(|tells| tells.exit = Some(kind))
    };
    Some(match exit.ended_by {
        LimitHit::Limit(Limit::Time) => {
            let limit = limits.time.unwrap_or_default().as_secs_f64();
            let message = format!("Ran longer than its limit of {}", duration(limit));
            Status::new(StatusCode::TimedOut, message).telling(|tells| tells.limit_s = Some(limit as u64))
        }
        LimitHit::Limit(Limit::Disk) => {
            let message = format!(
                "Wrote more than it may: the limit is {} and {} files, temporary ones included",
                size(limits.disk),
                limits.files
            );
            let status = because(Status::new(StatusCode::JobError, message), "disk_limit");
            status.telling(|tells| tells.limit_mb = Some(limits.disk >> 20))
        }
        LimitHit::Stopped => Status::cancelled(),
        LimitHit::None => match exit {
            Exit { out_of_memory: OutOfMemory::Yes, .. } => {
                let limit = size(limits.memory);
                let message = format!("Ran out of memory: its limit was {limit}. Give it more, or read less at once");
                let status = because(failed(ExitKind::OutOfMemory, message), "out_of_memory");
                status.telling(|tells| tells.limit_mb = Some(limits.memory >> 20))
            }
            Exit { code: 0, .. } => return None,
            Exit { code, signal: Some(signal), .. } => {
                failed(ExitKind::Killed, format!("The command was killed by signal {signal} (exit code {code})"))
            }
            Exit { code, .. } => match database_words(*code).filter(|_| is_database) {
                Some(words) => {
                    let message = format!("The command failed with exit code {code}: {words}");
                    failed(ExitKind::Error, message).telling(|tells| tells.engine_exit = u8::try_from(*code).ok())
                }
                None => failed(ExitKind::Error, format!("The command failed with exit code {code}")),
            },
        },
    })
}

/// An end that another attempt may mend: what the engine of a database action says of the database. Study code that
/// happens to exit with the same number is a plain failure.
pub(super) fn passing_exit(exit: &Exit, is_database: bool) -> Option<Passing> {
    let cause = match exit.code {
        3 => Cause::Database,
        4 => Cause::Import,
        _ => return None,
    };
    let plain = exit.ended_by == LimitHit::None && exit.signal.is_none();
    let why = database_words(exit.code).unwrap_or_default().to_owned();
    (is_database && plain).then_some(Passing { cause, why: format!("the command says: {why}") })
}

/// Of a step of our own that had to end; which one, and its limit.
pub(super) fn of_slowness(what: &str, limit: Duration) -> Status {
    let words = duration(limit.as_secs_f64());
    Status::new(StatusCode::TimedOut, format!("Its limit of {words} for {what} was reached"))
        .telling(|tells| tells.limit_s = Some(limit.as_secs()))
}

/// Of a command that ended well.
pub(super) fn of_collected(collected: &Collected, exit: &Exit) -> Status {
    let mut status = match collected.unmatched_patterns.as_slice() {
        [] if collected.outputs.iter().any(|output| output.excluded.is_some()) => Status::new(
            StatusCode::Succeeded,
            "Completed successfully, but some moderately_sensitive outputs are not shown to reviewers: the log says why",
        )
        .telling(|tells| tells.excluded = true),
        [] => Status::new(StatusCode::Succeeded, "Completed successfully"),
        [one] => Status::new(StatusCode::UnmatchedPatterns, format!("No file matches the output {one}")),
        many => {
            Status::new(StatusCode::UnmatchedPatterns, format!("No files match {} of the declared outputs", many.len()))
        }
    };
    if exit.children_out_of_memory > 0 {
        let n = exit.children_out_of_memory;
        status.message.push_str(&format!(" ({n} of its processes were ended because memory ran out)"));
    }
    status
}

/// A job that this program could not run as it should.
pub(super) fn internal(error: &dyn std::fmt::Display) -> Status {
    Status::new(StatusCode::InternalError, format!("Could not be run: {error}"))
}

pub(super) fn of_prepare(error: &PrepareError) -> Status {
    let refused = |message: String, reason| because(Status::new(StatusCode::JobError, message), reason);
    match error {
        PrepareError::Layout(LayoutError::Unsafe(path)) => {
            refused(format!("An input cannot be placed: {path}"), "unsafe_output")
        }
        PrepareError::Layout(LayoutError::Object { path, source }) => {
            refused(format!("The file {path} is no longer stored: {source}"), "missing_input")
        }
        other => internal(other),
    }
}

pub(super) fn of_collect(error: &CollectError) -> Status {
    match error.reason() {
        Some(reason) => because(Status::new(StatusCode::JobError, error.to_string()), reason),
        None => internal(error),
    }
}

/// An output cannot be put into its place.
pub(super) fn of_refusal(refused: &crate::Unsafe) -> Status {
    because(Status::new(StatusCode::JobError, refused.to_string()), "unsafe_output")
}

/// A needed action's file is not in the store any more.
pub(super) fn of_missing_input(file: &crate::provenance::InputFile) -> Status {
    let message = format!(
        "{} of {} is no longer stored; run {} again",
        crate::log::visible(&file.path),
        crate::log::visible(file.action.as_str()),
        crate::log::visible(file.action.as_str())
    );
    because(Status::new(StatusCode::JobError, message), "missing_input")
        .telling(|tells| tells.needed = Some(file.action.clone()))
}

#[cfg(test)]
mod tests {
    use sandbox::{IsolationLevel, Usage};

    use super::*;

    fn exit(code: i32) -> Exit {
        Exit {
            code,
            signal: None,
            out_of_memory: OutOfMemory::No,
            children_out_of_memory: 0,
            ended_by: LimitHit::None,
            started: 0.0,
            ended: 1.0,
            usage: Usage::default(),
            isolation: IsolationLevel::Full,
        }
    }

    const LIMITS: Limits = Limits {
        memory: 4 << 30,
        cpus: 2,
        processes: 10,
        disk: 1 << 30,
        files: 10,
        time: Some(std::time::Duration::from_secs(90)),
        log: 1,
    };

    #[test]
    fn causes_are_told_apart() {
        let of = |exit: Exit, database| of_exit(&exit, &LIMITS, database).map(|status| (status.code, status.message));
        assert_eq!(of(exit(0), false), None);
        assert_eq!(of(exit(3), false).unwrap().1, "The command failed with exit code 3");
        assert_eq!(
            of(exit(3), true).unwrap().1,
            "The command failed with exit code 3: a passing error of the database"
        );
        let killed = Exit { signal: Some(9), ..exit(137) };
        assert!(of(killed.clone(), false).unwrap().1.contains("killed by signal 9"));
        let memory = of(Exit { out_of_memory: OutOfMemory::Yes, ..killed }, false).unwrap();
        assert_eq!(memory.0, StatusCode::NonzeroExit);
        assert!(memory.1.contains("4.0 GB"), "{}", memory.1);
        let time = of(Exit { ended_by: LimitHit::Limit(Limit::Time), ..exit(143) }, false).unwrap();
        assert_eq!(time.0, StatusCode::TimedOut);
        let passing = |code, database| passing_exit(&exit(code), database).map(|passing| passing.cause);
        assert_eq!(passing(3, true), Some(Cause::Database));
        assert_eq!(passing(4, true), Some(Cause::Import));
        assert_eq!((passing(3, false), passing(5, true)), (None, None));
        let stopped = of(Exit { ended_by: LimitHit::Stopped, ..exit(0) }, false).unwrap();
        assert_eq!(stopped.0, StatusCode::CancelledByUser);
    }
}
