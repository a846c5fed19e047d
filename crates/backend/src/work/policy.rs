//! What may be asked for here, told when it changes: `backend.policy`.
//! Spec protocol.md 4.3.

use jiff::Timestamp;
use jobs::AnalysisScope;
use jobs::schedule::{Pool as PoolName, Weight};
use jobs::state::{Answer, StateError};
use pipeline::{RuntimeKind, TagStatus};
use protocol::fact::FactBody;
use protocol::fact::backend::{JobLimits, Policy, PoolCapacity, Runtime};
use protocol::fact::codes::Pool;
use protocol::text::hashes::Sha256Hex;
use protocol::text::list::List;
use protocol::text::whole::{Count, Megabytes, Seconds};

use super::Bench;
use crate::orders::Rules;
use crate::settings::Profile;

/// Tags that are looked for: what studies write.
const TAGS: [&str; 5] = ["v1", "v2", "v3", "v4", "latest"];
/// The flag that remembers what was told last.
const TOLD: &str = "policy_told";

/// What these rules let anybody ask for.
pub fn policy(rules: &Rules) -> Policy {
    let capacity =
        |pool: Pool, limit: Weight| Some(PoolCapacity { pool, capacity: Count::try_from(limit.whole()).ok()? });
    let pools = [
        capacity(Pool::Db, rules.capacity.of(PoolName::Db)),
        capacity(Pool::Other, rules.capacity.of(PoolName::Other)),
    ];
    let limits = &rules.running.limits;
    Policy {
        runtimes: list(runtimes_of(rules)),
        permissions: list(AnalysisScope::known().filter_map(|code| code.parse().ok()).collect()),
        pools: list(pools.into_iter().flatten().collect()),
        limits: JobLimits {
            limit_s: limits.time.and_then(|time| Seconds::try_from(time.as_secs()).ok()),
            limit_mb: Megabytes::try_from(limits.memory >> 20).ok(),
        },
        data_version: rules.data_version.clone(),
    }
}

fn list<T, const MAX: usize>(mut entries: Vec<T>) -> List<T, 0, MAX> {
    entries.truncate(MAX);
    entries.try_into().unwrap_or_default()
}

fn runtimes_of(rules: &Rules) -> Vec<Runtime> {
    let mut all = Vec::new();
    for (name, entry) in runtimes::catalogue().runtimes {
        let engines = &rules.runtimes.builtins.engines;
        let allowed = match entry.kind {
            RuntimeKind::Platform => rules.profile == Profile::Demo && name != "stata-mp",
            RuntimeKind::Builtin => engines.iter().any(|engine| engine.name == name),
            _ => false,
        };
        let is_tag = |tag: &&&str| !matches!((entry.tag)(tag), TagStatus::Unknown { .. });
        let tags: Vec<_> = TAGS.iter().filter(is_tag).filter_map(|tag| tag.parse().ok()).collect();
        if let (true, Ok(name), Ok(tags)) = (allowed, name.parse(), tags.try_into()) {
            all.push(Runtime { name, tags });
        }
    }
    all
}

/// Tells the policy if it is not the one that was told last.
pub(super) async fn tell(bench: &Bench) -> Result<(), StateError> {
    let state = bench.server.state();
    let body = FactBody::from(policy(&bench.rules)).write();
    let body = body.map_err(|error| StateError::Stored(error.to_string()))?;
    let hash = Sha256Hex::of(&[body.to_string().as_bytes()]).to_string();
    let known = state.flags().await?.into_iter().any(|flag| flag.name == TOLD && flag.value.as_ref() == Some(&hash));
    if !known {
        let answer = Answer { kind: "backend.policy", answers: None, body: &body };
        state.answer(&answer, Timestamp::now()).await?;
        state.set_flag(TOLD, Some(&hash), Timestamp::now()).await?;
    }
    Ok(())
}
