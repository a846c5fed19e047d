//! Facts that answer orders: accepted, checking, nothing to do, refused, cancelled.
//! Spec protocol.md 3.2, 4.3, 4.4; jobs.md 2, 3, 17. Long ones come in parts (11).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::Pool;
use super::words::{Cancelled, CheckingReason, Decided, NeedKind, NothingReason, ReasonCode, RefusedReason};
use crate::order::Order;
use crate::shape::{Broken, Shape, unique};
use crate::text::hashes::TreeId;
use crate::text::ids::{JobId, RequestId, Ulid};
use crate::text::list::List;
use crate::text::names::{ActionName, FaultCode, RunCommand};
use crate::text::time::Moment;
use crate::text::whole::{PartNumber, Place, Weight};

/// Which part of a long fact this is. A fact that is whole has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Part {
    /// From 1.
    pub part: PartNumber,
    /// How many there are, at least 2.
    pub parts: PartNumber,
}

/// `request.accepted`: the order was planned; these jobs are new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Accepted {
    /// What is answered.
    pub answer: Answer,
    /// The tree of the commit.
    pub tree: TreeId,
    /// New jobs in plan order.
    #[serde(default, skip_serializing_if = "none")]
    pub jobs: List<NewJob, 0, 10_000>,
    /// Unfinished jobs of earlier requests that this one waits for (`already_active`).
    #[serde(default, skip_serializing_if = "none")]
    pub attached: List<KeptJob, 0, 10_000>,
    /// Jobs of earlier requests whose outputs are used again (`succeeded`).
    #[serde(default, skip_serializing_if = "none")]
    pub reused: List<KeptJob, 0, 10_000>,
    /// Why each visited action runs or does not.
    #[serde(default, skip_serializing_if = "none")]
    pub decisions: List<Decision, 0, 10_000>,
}

/// `request.nothing_to_do`: every visited action is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NothingToDo {
    /// What is answered.
    pub answer: Answer,
    /// Why.
    pub reason: NothingReason,
    /// Unfinished jobs of earlier requests.
    #[serde(default, skip_serializing_if = "none")]
    pub attached: List<KeptJob, 0, 10_000>,
    /// Jobs of earlier requests that succeeded.
    #[serde(default, skip_serializing_if = "none")]
    pub reused: List<KeptJob, 0, 10_000>,
}

/// `request.refused`: nothing was made of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Refused {
    /// What is answered.
    pub answer: Answer,
    /// Why.
    pub reason: RefusedReason,
    /// Faults of project.yaml by code and place; their text is made outside.
    #[serde(default, skip_serializing_if = "none")]
    pub faults: List<Fault, 0, 10_000>,
}

/// The order that a fact answers. The first part (or the whole) holds the order; further parts hold only what of its
/// list of actions did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Answer {
    /// The directive that brought the order.
    pub directive: Ulid,
    /// The request.
    pub request: RequestId,
    /// Which part this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The order; in the first part with the first of its requested actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Further requested actions, in later parts.
    #[serde(default, skip_serializing_if = "none")]
    pub more_actions: List<ActionName, 0, 10_000>,
}

/// `request.checking`: the backend cannot decide yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Checking {
    /// The request.
    pub request: RequestId,
    /// What cannot be reached.
    pub reason: CheckingReason,
    /// Since when.
    pub since: Moment,
}

/// `cancel.done`: what became of each action of a `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CancelDone {
    /// The request.
    pub request: RequestId,
    /// The directive that asked for it.
    pub directive: Ulid,
    /// Which part this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Each action and what became of it.
    #[schemars(schema_with = "outcomes")]
    pub actions: BTreeMap<ActionName, Cancelled>,
}

fn outcomes(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let (names, outcome) = (generator.subschema_for::<ActionName>(), generator.subschema_for::<Cancelled>());
    schemars::json_schema!({
        "type": "object", "propertyNames": names, "additionalProperties": outcome,
        "minProperties": 1, "maxProperties": 10_000
    })
}

/// A job that a request makes. Its outputs are those that project.yaml declares; they are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct NewJob {
    /// The hash of request and action.
    pub job: JobId,
    /// The action.
    pub action: ActionName,
    /// Its command, derived from public code.
    pub run_command: RunCommand,
    /// Whether it uses the database.
    pub db: bool,
    /// Where it runs.
    pub pool: Pool,
    /// How many places it takes.
    pub weight: Weight,
    /// The jobs whose outputs it reads.
    pub needs: List<Need, 0, 5_000>,
}

/// A job whose outputs another one reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Need {
    /// The job.
    pub job: JobId,
    /// Its action.
    pub action: ActionName,
    /// Whether it is waited for.
    pub kind: NeedKind,
}

/// A job of an earlier request that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct KeptJob {
    /// The action.
    pub action: ActionName,
    /// The job.
    pub job: JobId,
}

/// Why an action runs or does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Decision {
    /// The action.
    pub action: ActionName,
    /// What was decided.
    pub decision: Decided,
    /// The rule that decided, then the components that differ.
    pub reasons: List<Reason, 1, 100>,
}

/// A reason; the action is the one whose change or state it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Reason {
    /// In one word.
    pub code: ReasonCode,
    /// Another action that it comes from. Never a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionName>,
}

/// A fault of project.yaml by code and place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Fault {
    /// `P205`.
    pub code: FaultCode,
    /// From 1.
    pub line: Place,
    /// From 1.
    pub column: Place,
    /// The action in whose lines it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionName>,
}

pub(super) fn none<T, const MAX: usize>(list: &List<T, 0, MAX>) -> bool {
    list.is_empty()
}

impl Part {
    pub(super) fn check(&self) -> Result<(), Broken> {
        if self.parts.get() < 2 || self.part > self.parts {
            return Err(Broken("a part's number is beyond their count, or there is only one"));
        }
        Ok(())
    }
}

impl Answer {
    fn check(&self) -> Result<(), Broken> {
        if let Some(part) = &self.part {
            part.check()?;
        }
        let first = self.part.is_none_or(|p| p.part.get() == 1);
        match &self.order {
            None if first => return Err(Broken("the first part has the order")),
            Some(_) if !first => return Err(Broken("only the first part has the order")),
            Some(order) if order.request != self.request => return Err(Broken("the order is of another request")),
            Some(order) => order.check()?,
            None => {}
        }
        if first && !self.more_actions.is_empty() {
            return Err(Broken("further actions are in later parts"));
        }
        if unique(&self.more_actions) { Ok(()) } else { Err(Broken("an action is named twice")) }
    }
}

impl Shape for Accepted {
    fn check(&self) -> Result<(), Broken> {
        self.answer.check()?;
        for job in &self.jobs {
            if job.job != JobId::of(&self.answer.request, &job.action) {
                return Err(Broken("a job's id is not the hash of request and action"));
            }
            if job.db != (job.pool == Pool::Db) {
                return Err(Broken("database jobs and only they are in the pool `db`"));
            }
        }
        Ok(())
    }
}

impl Shape for NothingToDo {
    fn check(&self) -> Result<(), Broken> {
        self.answer.check()
    }
}

impl Shape for Refused {
    fn check(&self) -> Result<(), Broken> {
        self.answer.check()
    }
}

impl Shape for Checking {}

impl Shape for CancelDone {
    fn check(&self) -> Result<(), Broken> {
        if self.actions.is_empty() || self.actions.len() > 10_000 {
            return Err(Broken("1 to 10,000 actions are answered"));
        }
        let unknown = self.actions.values().filter(|outcome| **outcome == Cancelled::Unknown).count();
        if unknown != 0 && unknown != self.actions.len() {
            return Err(Broken("with an unknown action nothing is cancelled, and only unknown ones are named"));
        }
        self.part.map_or(Ok(()), |part| part.check())
    }
}
