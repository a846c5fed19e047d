//! What is the case at a backend now: unsigned, no history, the newest counts.
//! Spec protocol.md 6.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::backend::Mode;
use crate::fact::codes::Pool;
use crate::limits::QUEUE;
use crate::message::Message;
use crate::shape::{Broken, Shape, Unknown, codes};
use crate::text::ids::{JobId, Ulid};
use crate::text::list::List;
use crate::text::names::ProgramVersion;
use crate::text::time::Moment;
use crate::text::whole::{Count, Cursor, Epoch, Seq};

/// What is the case now. A backend in `minimal` mode leaves out `pools`, `queue` and `disk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Gauges {
    /// When, by the backend's clock.
    pub at: Moment,
    /// Which process start.
    pub boot: Ulid,
    /// What it does.
    pub mode: Mode,
    /// Its program.
    pub version: ProgramVersion,
    /// How full the pools are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pools: Option<List<PoolGauge, 0, 2>>,
    /// Places of waiting jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<List<Queued, 0, QUEUE>>,
    /// Waiting jobs beyond those of `queue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_more: Option<Count>,
    /// Space for outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// The last stored directive.
    pub directive_cursor: Cursor,
    /// The last fact.
    pub fact_head: FactHead,
}

/// How full a pool is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct PoolGauge {
    /// Which.
    pub pool: Pool,
    /// Places.
    pub capacity: Count,
    /// Running jobs.
    pub running: Count,
    /// Waiting jobs.
    pub waiting: Count,
    /// Places taken.
    pub weight_running: Count,
}

/// The place of a waiting job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Queued {
    /// The job.
    pub job: JobId,
    /// Where it waits.
    pub pool: Pool,
    /// From 1.
    pub position: Count,
}

/// A place in a chain without its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct FactHead {
    /// The epoch.
    pub epoch: Epoch,
    /// The last fact.
    pub seq: Seq,
}

codes!(
    /// Space for outputs, in one word.
    Disk {
        /// Enough.
        Ok,
        /// Little.
        Low,
        /// None: no new starts.
        Full,
    }
);

impl Shape for Gauges {
    fn check(&self) -> Result<(), Broken> {
        if self.queue_more.is_some() && self.queue.as_ref().is_none_or(|queue| queue.len() < QUEUE) {
            return Err(Broken("only a full queue has more behind it"));
        }
        Ok(())
    }
}

impl Message for Gauges {
    const UNKNOWN: Unknown = Unknown::Refused;
}

impl Gauges {
    /// Whether these replace what is shown: the newest of a process counts, and a later process before an earlier one.
    pub fn replaces(&self, shown: &Self) -> bool {
        (&self.boot, self.at) > (&shown.boot, shown.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_counts() {
        let gauges = |boot: u64, at: i64| Gauges {
            at: Moment::from_microseconds(at).unwrap(),
            boot: Ulid::from_parts(boot, 0),
            mode: Mode::Open,
            version: ProgramVersion::t("1.4.0"),
            pools: None,
            queue: None,
            queue_more: None,
            disk: None,
            directive_cursor: Cursor::LEAST,
            fact_head: FactHead { epoch: Epoch::LEAST, seq: Seq::LEAST },
        };
        assert!(gauges(1, 2).replaces(&gauges(1, 1)));
        assert!(!gauges(1, 1).replaces(&gauges(1, 1)));
        assert!(!gauges(1, 1).replaces(&gauges(1, 2)));
        assert!(gauges(2, 1).replaces(&gauges(1, 2)), "the clock was set back before a new start");
        assert!(Gauges { queue_more: Some(Count::t(1)), ..gauges(1, 1) }.check().is_err());
    }
}
