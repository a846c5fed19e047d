//! Landlock around a child of this process: it reads the system, its Python and its copy, writes only its copy, and
//! reaches no network. The restriction is a thread's: that of the thread from which the child is started.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, Scope,
};

/// The newest rights that we ask for; an older kernel gives those it has.
const NEWEST: ABI = ABI::V6;
/// Where an interpreter's own files, libraries and the system's data lie; of `/proc` only what is of no process: Landlock
/// keeps others' memory closed, but not from a reader with privileges.
const SYSTEM: [&str; 9] = ["/usr", "/lib", "/lib64", "/lib32", "/etc", "/sys", "/bin", "/sbin", "/opt"];
const KERNEL: [&str; 3] = ["/proc/cpuinfo", "/proc/meminfo", "/proc/sys"];
/// What the kernel itself opens to start a program that is linked to libraries.
const LOADERS: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/lib32"];
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What is allowed.
#[derive(Debug, Default)]
pub(super) struct Walls {
    pub(super) read: Vec<PathBuf>,
    pub(super) execute: Vec<PathBuf>,
    pub(super) write: Vec<PathBuf>,
}

impl Walls {
    /// Restricts the calling thread and all that it starts, for good. A kernel without Landlock restricts nothing: the
    /// sandbox of the job is then the only wall.
    pub(super) fn close(&self) -> Result<(), RulesetError> {
        let all = AccessFs::from_all(NEWEST);
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let write = all & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
        let rules = [
            (SYSTEM.map(PathBuf::from).to_vec(), read),
            (KERNEL.map(PathBuf::from).to_vec(), read),
            (self.read.clone(), read),
            (LOADERS.map(PathBuf::from).to_vec(), AccessFs::Execute.into()),
            (self.execute.clone(), read | AccessFs::Execute),
            (DEVICES.map(PathBuf::from).to_vec(), AccessFs::ReadFile | AccessFs::WriteFile),
            (self.write.clone(), write),
        ];
        let mut ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?;
        for (paths, rights) in rules {
            for path in paths {
                // What is not there needs no rule.
                let Ok(beneath) = PathFd::new(&path) else { continue };
                ruleset = ruleset.add_rule(PathBeneath::new(beneath, fitting(&path, rights)))?;
            }
        }
        ruleset.restrict_self().map(drop)
    }
}

/// The kernel refuses rights over folders for a rule on a file.
fn fitting(path: &Path, rights: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    if path.is_dir() { rights } else { rights & AccessFs::from_file(NEWEST) }
}
