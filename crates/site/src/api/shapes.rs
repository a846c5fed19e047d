//! The shapes of answers. Additions only: a field that is here stays.
//! Spec site.md 13. Times are RFC 3339 in UTC with microseconds; runtimes are `HH:MM:SS`, or `-` where nothing began.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::clock::moment;
use crate::facts::status;
use crate::store::read;

/// A stored moment as the API writes it.
pub(super) fn time(at: i64) -> String {
    moment(at).to_string()
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ListOf<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// The value of `after` for the next page; none at the end.
    pub next: Option<String>,
    /// How many there are, up to 10,000; none above.
    pub total: Option<u64>,
}

/// A person by the names that are public.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Person {
    /// Display name.
    pub name: String,
    /// Public user name.
    pub username: String,
}

impl From<&read::Person> for Person {
    fn from(person: &read::Person) -> Self {
        Self { name: person.fullname.clone(), username: person.username.clone() }
    }
}

/// Jobs by status.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Counts {
    /// Waiting.
    pub pending: i64,
    /// Running.
    pub running: i64,
    /// Succeeded.
    pub succeeded: i64,
    /// Failed.
    pub failed: i64,
}

impl From<[i64; 4]> for Counts {
    fn from([pending, running, succeeded, failed]: [i64; 4]) -> Self {
        Self { pending, running, succeeded, failed }
    }
}

/// A job request in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestItem {
    /// The public number.
    pub number: i64,
    /// The identifier.
    pub identifier: String,
    /// The leading organisation of the project.
    pub organisation: Option<String>,
    /// Slug of the project.
    pub project: String,
    /// Name of the workspace.
    pub workspace: String,
    /// Slug of the backend.
    pub backend: String,
    /// `pending`, `running`, `failed`, `succeeded`, `nothing_to_do` or `unknown`.
    pub status: String,
    /// Whether a person stopped all that failed.
    pub cancelled: bool,
    /// Who asked.
    pub requested_by: Person,
    /// As it was asked; old records have parts of it or none.
    pub commit: Option<String>,
    /// When it was asked, by the site's clock.
    pub created_at: String,
    /// When its first job began, by the backend's clock.
    pub started_at: Option<String>,
    /// Compute time of its finished jobs.
    pub runtime: String,
    /// Its jobs by status.
    pub counts: Counts,
}

impl From<&read::ListRow> for RequestItem {
    fn from(row: &read::ListRow) -> Self {
        Self {
            number: row.number,
            identifier: row.identifier.clone(),
            organisation: row.project.org.as_ref().map(|org| org.name.clone()),
            project: row.project.slug.clone(),
            workspace: row.workspace.clone(),
            backend: row.backend.slug.clone(),
            status: row.status.clone(),
            cancelled: row.cancelled,
            requested_by: Person::from(&row.requested_by),
            commit: row.commit.clone(),
            created_at: time(row.created_at),
            started_at: row.first_started_at.map(time),
            runtime: status::runtime(row.first_started_at.is_some(), row.runtime_s),
            counts: Counts::from(row.counts),
        }
    }
}

/// Why a request has its status.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Reason {
    /// In one word; words of newer backends too.
    pub code: String,
}

/// A job request.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Request {
    /// The public number.
    pub number: i64,
    /// The identifier.
    pub identifier: String,
    /// The leading organisation of the project.
    pub organisation: Option<String>,
    /// Slug of the project.
    pub project: String,
    /// Name of the workspace.
    pub workspace: String,
    /// Slug of the backend.
    pub backend: String,
    /// Whether the backend's data are invented.
    pub synthetic: bool,
    /// `pending`, `running`, `failed`, `succeeded`, `nothing_to_do` or `unknown`.
    pub status: String,
    /// Whether a person stopped all that failed.
    pub cancelled: bool,
    /// Why, where there is a reason beyond its jobs.
    pub reason: Option<Reason>,
    /// Who asked.
    pub requested_by: Person,
    /// As it was at the time.
    pub branch: String,
    /// As it was asked; old records have parts of it or none.
    pub commit: Option<String>,
    /// The repository.
    pub repository: String,
    /// SHA-256 of the project.yaml at the commit.
    pub project_yaml_sha256: Option<String>,
    /// Whether needed actions ran again too.
    pub force_run_dependencies: bool,
    /// Exactly what was asked for, in that order.
    pub requested_actions: Vec<String>,
    /// `ok`, `stale` or `unchecked`.
    pub codelists: String,
    /// Whether it is a record of an older site.
    pub is_import: bool,
    /// When it was asked, by the site's clock.
    pub created_at: String,
    /// When its first job began, by the backend's clock.
    pub started_at: Option<String>,
    /// When its last job ended, once all have.
    pub finished_at: Option<String>,
    /// Compute time of its finished jobs.
    pub runtime: String,
    /// Its jobs by status.
    pub counts: Counts,
    /// Its jobs in plan order.
    pub jobs: Vec<Job>,
    /// The request before it of the same workspace and backend.
    pub previous: Option<i64>,
    /// The last one before it that succeeded.
    pub previous_successful: Option<i64>,
}

/// A job of a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Job {
    /// The identifier.
    pub identifier: String,
    /// What it runs.
    pub action: String,
    /// `pending`, `running`, `succeeded`, `failed` or `unknown`.
    pub status: String,
    /// Exactly what is the case.
    pub code: String,
    /// What goes with the code.
    pub params: Value,
    /// Which attempt this is; 0 before the first.
    pub attempt: i64,
    /// What it ran in: a digest, or `host:` and a hash of a native environment.
    pub image: Option<String>,
    /// When it was planned.
    pub created_at: String,
    /// When its last attempt began.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// By the backend's own measure.
    pub runtime: String,
    /// The jobs whose outputs it reads.
    pub needs: Vec<Need>,
    /// What its action declares.
    pub outputs: Vec<Output>,
}

/// A job that another one reads from.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Need {
    /// The needed job.
    pub job: String,
    /// Its action.
    pub action: String,
    /// Its request, if it is another one and the site knows it.
    pub request: Option<i64>,
    /// `waits` or `reuses`.
    pub kind: String,
}

/// A declared output.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// The privacy level.
    pub level: &'static str,
    /// The pattern of file names.
    pub pattern: String,
}

/// A job with its request.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct JobOfRequest {
    /// The public number of its request.
    pub request: i64,
    /// Name of the workspace.
    pub workspace: String,
    /// Slug of the backend.
    pub backend: String,
    /// As the backend resolved it.
    pub run_command: Option<String>,
    /// Identifiers of jobs that read from it.
    pub needed_by: Vec<String>,
    /// The job.
    #[serde(flatten)]
    pub job: Job,
}

/// A workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Workspace {
    /// Its name.
    pub name: String,
    /// Slug of its project.
    pub project: String,
    /// The leading organisation.
    pub organisation: Option<String>,
    /// Its repository.
    pub repository: String,
    /// Whether the code is not public.
    pub is_private: bool,
    /// Its branch.
    pub branch: String,
    /// What it is for.
    pub purpose: String,
    /// When it was archived.
    pub archived_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// The newest run of an action of a workspace on one backend.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ActionNow {
    /// The action.
    pub action: String,
    /// Slug of the backend.
    pub backend: String,
    /// Identifier of the newest job.
    pub job: String,
    /// Its status.
    pub status: String,
    /// Its code.
    pub code: String,
    /// The number of its request.
    pub request: i64,
    /// The last news of it.
    pub updated_at: String,
    /// The number of the request whose run last succeeded.
    pub succeeded_in: Option<i64>,
}

/// A project in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProjectItem {
    /// In addresses.
    pub slug: String,
    /// Its public number, if it has one.
    pub number: Option<String>,
    /// Its name.
    pub name: String,
    /// The leading organisation.
    pub organisation: Option<String>,
}

/// An organisation in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OrgItem {
    /// In addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How many projects it has.
    pub projects: i64,
}

/// A backend now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Backend {
    /// In addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether its data are invented.
    pub synthetic: bool,
    /// `open`, `paused` or `db_maintenance`, if it was told.
    pub mode: Option<String>,
    /// Since when.
    pub mode_since: Option<String>,
    /// Its last contact.
    pub last_contact_at: Option<String>,
    /// Whether it has been silent for too long.
    pub missing: bool,
    /// Its program.
    pub version: Option<String>,
    /// The operator's label of its data.
    pub data_version: Option<String>,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that wait.
    pub waiting: i64,
}

/// The actions of a request's project.yaml.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Graph {
    /// The public number of the request.
    pub number: i64,
    /// Its identifier.
    pub identifier: String,
    /// In the order of the file; then those of jobs that the file, as the site has it, does not tell of.
    pub actions: Vec<GraphNode>,
}

/// One action.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct GraphNode {
    /// Its name.
    pub action: String,
    /// How it takes part.
    pub part: Part,
    /// Actions whose outputs it reads.
    pub needs: Vec<String>,
    /// The privacy levels of its outputs.
    pub levels: Vec<&'static str>,
    /// The job that ran it, here or elsewhere.
    pub job: Option<String>,
    /// The request of that job, if the site knows it.
    pub request: Option<i64>,
    /// The job's status.
    pub status: Option<String>,
    /// The job's code.
    pub code: Option<String>,
}

/// How an action takes part in a request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// Somebody asked for it, by name or by `run_all`.
    Requested,
    /// It ran because something that was asked for needs it.
    PulledIn,
    /// A job of another request was used.
    Reused,
    /// It did not run.
    #[serde(rename = "not_part")]
    Outside,
}
