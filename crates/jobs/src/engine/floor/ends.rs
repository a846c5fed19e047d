//! What follows when an attempt's task ends: the job's end, another attempt, or a later look.
//! Spec jobs.md 8.

use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError};

use super::super::again;
use super::super::attempt::{Ended, attempt_of, fault_of, now};
use super::super::{Event, JobReport, Work};
use super::{Floor, Task};
use crate::JobState;
use crate::schedule::{Cause, Held, Next};
use crate::state::{Finished, JobResult, StateError, Status, StatusCode};

impl Floor {
    /// Takes in an ended attempt; says whether its job failed.
    pub(super) async fn ended(
        &mut self,
        joined: Result<(Id, Result<Ended, StateError>), JoinError>,
    ) -> Result<bool, StateError> {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(Task { work, .. }) = self.tasks.remove(&id) else { return Ok(false) };
        let ended = match joined {
            // Another attempt is the job's by now: this one's news are refused.
            Ok((_, Err(error))) if error.is_of_one_job() => {
                Ended::untold(&work, Finished::as_is(StatusCode::InternalError), error.to_string())
            }
            Ok((_, ended)) => ended?,
            Err(fault) => self.panicked(&work, &fault).await?,
        };
        let job = work.job.id;
        match ended {
            Ended::PutBack { wait, for_reboot, message } => {
                let not_before = wait.map(|wait| self.now() + wait);
                self.queue.put_back(job, not_before, for_reboot);
                // It may have been cancelled between its end and here, by Ctrl-C or by an operator.
                match self.shop.state.outside(&[job]).await?.remove(&job) {
                    Some(row) if row.code.state() == JobState::Failed => self.drop_waiting(job, row.code, &row.message),
                    _ => {
                        let action = work.job.definition.action.clone();
                        let _ = self.events.send(Event::PutBack { action, message });
                    }
                }
                Ok(false)
            }
            Ended::Lacks { held, message } => self.lacks(&work, held, message).await,
            Ended::Finished { finished, report } => Ok(self.finished(&work, finished, *report)),
        }
    }

    /// Takes in the end of a job; says whether it failed.
    fn finished(&mut self, work: &Work, finished: Finished, report: JobReport) -> bool {
        let job = work.job.id;
        if finished.code.state() == JobState::Succeeded {
            self.queue.succeeded(job);
        } else {
            self.queue.ended(job);
        }
        self.forget(job);
        for dependant in finished.failed_dependants {
            let message = format!("Needs {}, which failed", report.action);
            self.drop_waiting(dependant, StatusCode::DependencyFailed, &message);
        }
        self.tell(&report);
        let failed = !report.succeeded();
        if self.keeps {
            let place = self.starts.get(&job).copied().unwrap_or(usize::MAX);
            self.reports.insert(place, report);
        }
        failed
    }

    /// A job that could not begin is looked at again later, or fails if that has been so for too long; says whether it
    /// failed.
    async fn lacks(&mut self, work: &Work, held: Held, message: String) -> Result<bool, StateError> {
        let job = work.job.id;
        let lack = self.lacks.entry(job).or_default();
        lack.looks += 1;
        if lack.since.is_none() {
            lack.since_at = now().as_second();
        }
        let waited = lack.since.get_or_insert_with(Instant::now).elapsed();
        match self.shop.settings.tries.next(Cause::Outage, lack.looks, waited, 0.5) {
            Next::Again { wait, .. } => {
                let status = self.lacking(job, Status::new(held.code(), message.clone()));
                self.shop.state.set_codes(&[(job, status)], now()).await?;
                self.told.insert(job, held.code());
                self.queue.put_back(job, None, false);
                self.queue.hold(job, Some(held), Some(self.now() + wait));
                let action = work.job.definition.action.clone();
                let _ = self.events.send(Event::PutBack { action, message });
                Ok(false)
            }
            Next::GiveUp { code, reason } => {
                let status = again::given_up(code, reason, 1, &message);
                let finished = self.shop.state.give_up(job, &status, now()).await?;
                let action = work.job.definition.action.clone();
                let report = JobReport::not_started(action, finished.code, status.message);
                Ok(self.finished(work, finished, report))
            }
        }
    }

    /// A fault of this program concerns one job: its sandbox is ended, and it is tried once more.
    async fn panicked(&self, work: &Work, fault: &JoinError) -> Result<Ended, StateError> {
        let passing = fault_of(fault);
        let job = self.shop.state.job(work.job.id).await?;
        let Some(attempt) = attempt_of(&job) else {
            let code = job.status.code;
            if code.state() == JobState::Pending {
                let wait = Some(Duration::from_secs(1));
                return Ok(Ended::PutBack { wait, for_reboot: false, message: passing.why });
            }
            return Ok(Ended::untold(work, Finished::as_is(code), job.status.message));
        };
        match again::after(&self.shop, work, &attempt, &passing).await? {
            Ok(ended) => Ok(ended),
            Err(status) => {
                let message = status.message.clone();
                let (outputs, components) = (Vec::new(), None);
                let result =
                    JobResult { status, outputs, components, exit_code: None, milliseconds: None, peak_bytes: None };
                let finished = self.shop.state.finish(&attempt, &result, now()).await?;
                again::discard(&self.shop, &attempt).await?;
                Ok(Ended::untold(work, finished, message))
            }
        }
    }
}
