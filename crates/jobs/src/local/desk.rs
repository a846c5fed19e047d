//! The operator's desk of a project: what runs and waits, modes, kills and cancels, while a run goes on or not.
//! Spec jobs.md 6, 7, 21.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pipeline::ActionName;
use sandbox::folder::SafeFolder;
use serde_json::json;

use super::LocalError;
use super::study::{Places, give_to_owner};
use crate::engine::{LINES, ring, volume};
use crate::lock::Lock;
use crate::log::log_name;
use crate::schedule::Modes;
use crate::server::{Folders, ServerError};
use crate::state::{Act, Binding, Cancelled, Flag, Job, Kill, Operator, PastAttempt, State};
use crate::{JobId, JobState, RequestId, StatusCode, WorkspaceName};

/// The state of a project folder, open to look and to act, beside whoever runs it.
pub struct Desk {
    state: State,
    at: Whereabouts,
    by: Operator,
}

/// Where the things lie that an operator looks at.
struct Whereabouts {
    lock: PathBuf,
    bell: PathBuf,
    volumes: PathBuf,
    logs: Logs,
}

/// Where finished logs are.
enum Logs {
    /// Of a laptop: below the project folder, the newest of each action.
    Project(PathBuf),
    /// Of a backend: each job's own, below its high folder.
    High(PathBuf),
}

/// What there is to see at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Whether a process runs this folder now.
    pub runs: bool,
    /// What operators have set.
    pub modes: Modes,
    /// The same with since when.
    pub flags: Vec<Flag>,
    /// What the site's staff wish, as they said it; shown and nothing else.
    pub wish: Option<String>,
    /// The site's last word to the operator, as it came.
    pub notice: Option<String>,
    /// Whether it is a backend: what was left when it went down goes on when it comes back.
    pub is_backend: bool,
    /// Pending and running jobs, in the order of their plans. Without a run they were left by a killed one.
    pub open: Vec<Job>,
}

/// What became of an operator's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The run that goes on has been told.
    Told,
    /// A run goes on that could not be told, because another account started it: it notices within a minute.
    Later,
    /// No run goes on; it holds for the next one.
    Noted,
}

/// The flag under which a backend notes what the site's staff wish (spec protocol.md 3.3, `pause_wish`).
pub const WISH: &str = "pause_wish";
/// The flag under which a backend notes the site's last word to its operator (spec protocol.md 3.3, `notice`).
pub const NOTICE: &str = "site_notice";

impl Desk {
    /// Opens it. `None` if nothing ever ran here. `runs` is the folder given to [`super::Study::open`].
    ///
    /// # Errors
    /// The folder or the state cannot be opened.
    pub async fn at(project: &Path, runs: &Path, by: Operator) -> Result<Option<Self>, LocalError> {
        let Some((places, folder)) = Places::of_past(project, runs)? else { return Ok(None) };
        places.forget_journal_unless_running(&folder)?;
        let state = State::open(&places.state()).await.map_err(|source| LocalError::of_state(source, &places))?;
        give_to_owner(&folder, &places.home)?;
        let (lock, bell, volumes) = (places.lock(), places.bell(), places.volumes());
        let at = Whereabouts { lock, bell, volumes, logs: Logs::Project(places.project) };
        Ok(Some(Self { state, at, by }))
    }

    /// Opens the desk of the backend whose records are in this folder (`state` in its settings). `None` if none ever ran.
    ///
    /// # Errors
    /// The state cannot be opened.
    pub async fn of_backend(state: &Path, by: Operator) -> Result<Option<Self>, LocalError> {
        let folders = match Folders::of_state(state) {
            Ok(folders) => folders,
            Err(ServerError::NotThere(_)) => return Ok(None),
            Err(error) => return Err(LocalError::Fault(error.to_string())),
        };
        let records = folders.records();
        if !records.exists() {
            return Ok(None);
        }
        let state = State::open(&records).await?.holding();
        let (lock, bell, volumes) = (folders.lock(), folders.bell(), folders.volumes());
        let at = Whereabouts { lock, bell, volumes, logs: Logs::High(folders.high) };
        Ok(Some(Self { state, at, by }))
    }

    /// What there is to see at a glance.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn overview(&self) -> Result<Overview, LocalError> {
        let flags = self.state.flags().await?;
        let modes = Modes::of_flags(&flags);
        let noted = |name: &str| flags.iter().find(|flag| flag.name == name).and_then(|flag| flag.value.clone());
        let (wish, notice) = (noted(WISH), noted(NOTICE));
        let is_backend = matches!(self.at.logs, Logs::High(_));
        let flags = flags.into_iter().filter(|flag| flag.value.is_some() && Modes::FLAGS.contains(&flag.name.as_str()));
        let (runs, open) = (self.runs(), self.state.open_jobs().await?);
        Ok(Overview { runs, modes, flags: flags.collect(), wish, notice, is_backend, open })
    }

    /// What operators did lately, newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn acts(&self) -> Result<Vec<Act>, LocalError> {
        Ok(self.state.acts(200).await?)
    }

    /// Whether a process runs this folder now.
    pub fn runs(&self) -> bool {
        Lock::is_held(&self.at.lock)
    }

    /// The newest jobs, newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn newest(&self, limit: u32) -> Result<Vec<Job>, LocalError> {
        Ok(self.state.newest_jobs(limit).await?)
    }

    /// The jobs whose ids begin so: one is found, more are ambiguous, at most three are given.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn jobs_beginning(&self, prefix: &str) -> Result<Vec<JobId>, LocalError> {
        Ok(self.state.jobs_beginning(prefix).await?)
    }

    /// The newest job of an action that is not cancelled.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn newest_of(&self, action: &ActionName) -> Result<Option<JobId>, LocalError> {
        let workspace = WorkspaceName::local();
        let latest = self.state.latest_jobs(&workspace, [action]).await?;
        Ok(latest.rows.get(action).map(|row| row.job))
    }

    /// The requests whose ids begin so, as for jobs.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn requests_beginning(&self, prefix: &str) -> Result<Vec<RequestId>, LocalError> {
        Ok(self.state.requests_beginning(prefix).await?)
    }

    /// A job and its attempts.
    ///
    /// # Errors
    /// There is no such job, or the state cannot be read.
    pub async fn job(&self, id: JobId) -> Result<(Job, Vec<PastAttempt>), LocalError> {
        Ok((self.state.job(id).await?, self.state.attempts_of(id).await?))
    }

    /// The log of a job: of its running attempt as it is being written, otherwise the finished one of the newest run of its
    /// action. `None` if there is none, or a newer job of the action has written over it.
    ///
    /// # Errors
    /// There is no such job, the state cannot be read, or a link stands where the log must be.
    pub async fn log(&self, id: JobId) -> Result<Option<Box<dyn Read>>, LocalError> {
        let job = self.state.job(id).await?;
        if job.state() == JobState::Running {
            let path = volume(&self.at.volumes, id.attempt(job.attempts)).join(LINES);
            return match File::open(&path) {
                Ok(file) => Ok(Some(Box::new(file))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(LocalError::io(&path)(error)),
            };
        }
        let found = match &self.at.logs {
            Logs::High(high) => {
                let folder = Folders::log_of(job.times.created_at, &id.to_string());
                SafeFolder::at(high)?.open(format!("logs/{folder}/logs.txt"))
            }
            Logs::Project(project) => {
                let action = &job.definition.action;
                let newest = self.state.latest_jobs(&job.definition.workspace, [action]).await?;
                if newest.rows.get(action).is_none_or(|row| row.job != id) {
                    return Ok(None);
                }
                SafeFolder::at(project)?.open(format!("metadata/{}", log_name(action)))
            }
        };
        match found {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets or takes back a mode: one of [`Modes::FLAGS`].
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn set(&self, flag: &str, value: Option<&str>) -> Result<(Flag, Answer), LocalError> {
        let flag = self.state.set_flag_by(&self.by, flag, value, Timestamp::now()).await?;
        Ok((flag, self.tell()))
    }

    /// Ends the running attempt of a job. Gives where the job stands.
    ///
    /// # Errors
    /// The job has ended, or the state cannot be written.
    pub async fn kill(&self, job: JobId, kill: Kill) -> Result<(StatusCode, Answer), LocalError> {
        let now = Timestamp::now();
        self.state.audit(&self.by, "kill", json!({ "job": job, "fail": kill == Kill::Fail }), now).await?;
        let code = self.state.kill(job, kill, now).await?;
        Ok((code, self.tell()))
    }

    /// Cancels jobs of a request: these actions, or all.
    ///
    /// # Errors
    /// The request has no such action: nothing is cancelled. Or the state cannot be written.
    pub async fn cancel(&self, request: RequestId, actions: &[ActionName]) -> Result<(Cancelled, Answer), LocalError> {
        let now = Timestamp::now();
        let all: Vec<_>;
        let actions = if actions.is_empty() {
            let jobs = self.state.jobs_of(request).await?;
            all = jobs.into_iter().map(|job| job.definition.action).collect();
            &all
        } else {
            actions
        };
        self.state.audit(&self.by, "cancel", json!({ "request": request, "actions": actions }), now).await?;
        let cancelled = self.state.cancel(request, actions, now).await?;
        Ok((cancelled, self.tell()))
    }

    /// Writes down what was done elsewhere by the operator's will, as who and why.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn note(&self, did: &str, what: serde_json::Value) -> Result<(), LocalError> {
        Ok(self.state.audit(&self.by, did, what, Timestamp::now()).await?)
    }

    /// Lets the next request bind a workspace anew: to its repository and its project. Gives what it was bound to; nothing is
    /// done if that is nothing.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn rebind(&self, workspace: &WorkspaceName) -> Result<Option<Binding>, LocalError> {
        let bound = self.state.binding(workspace).await?;
        if bound.repo_url.is_none() && bound.project.is_none() {
            return Ok(None);
        }
        let what = json!({ "workspace": workspace, "repo_url": bound.repo_url, "project": bound.project });
        self.state.audit(&self.by, "rebind", what, Timestamp::now()).await?;
        self.state.rebind(workspace, Timestamp::now()).await?;
        Ok(Some(bound))
    }

    fn tell(&self) -> Answer {
        match (ring(&self.at.bell), self.runs()) {
            (true, _) => Answer::Told,
            (false, true) => Answer::Later,
            (false, false) => Answer::Noted,
        }
    }

    /// Closes the state.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn close(self) -> Result<(), LocalError> {
        Ok(self.state.close().await?)
    }
}
