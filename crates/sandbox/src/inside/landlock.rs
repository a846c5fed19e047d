//! The second wall: what the kernel's Landlock lets a run touch, built from the same list as its mounts.
//! Where the kernel has them, device control, abstract sockets and signals beyond the sandbox are refused too.

use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};

use super::root::{Access, Grants};
use crate::failure::{Failure, Step};

/// The newest rights that we ask for; an older kernel gives those it has.
const NEWEST: ABI = ABI::V6;

/// Whether this kernel enforces Landlock at all.
pub(crate) fn support() -> Result<(), String> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Whether device control can be refused, and sockets and signals kept inside.
pub(crate) fn newer_support() -> (Result<(), String>, Result<(), String>) {
    let hard = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let device = hard().handle_access(AccessFs::IoctlDev).and_then(Ruleset::create).map(drop);
    let scope = hard().scope(Scope::Signal).and_then(Ruleset::create).map(drop);
    (device.map_err(|error| error.to_string()), scope.map_err(|error| error.to_string()))
}

fn rights(access: Access, folder: bool) -> BitFlags<AccessFs> {
    let all = AccessFs::from_all(NEWEST);
    let rights = match access {
        Access::List => AccessFs::ReadDir.into(),
        Access::Read => AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute,
        Access::Use => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate,
        Access::Write => all & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev),
    };
    // The kernel refuses rights over folders for a rule on a file.
    if folder { rights } else { rights & AccessFs::from_file(NEWEST) }
}

/// Restricts this process and all it starts, for good.
pub(super) fn restrict(grants: &Grants) -> Result<(), Failure> {
    let step = "landlock";
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .step(step)?;
    for (path, access) in grants {
        let beneath = PathFd::new(path).step_with(|| format!("landlock: {}", path.display()))?;
        let folder = Path::is_dir(path);
        ruleset = ruleset
            .add_rule(PathBeneath::new(beneath, rights(*access, folder)))
            .step_with(|| format!("landlock: {}", path.display()))?;
    }
    let status = ruleset.restrict_self().step(step)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err(Failure::new(step, "this kernel does not enforce it")),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
