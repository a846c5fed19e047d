//! What is different inside for a command in a person's terminal: the live folder, the terminal, perhaps the network.
//! Spec cli.md 8. A job has no visit.

use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::process::ioctl_tiocsctty;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use super::mounts::{AttributesOf, NewRoot, Tree};
use super::root::{Access, Grants};
use crate::failure::{Failure, Step};
use crate::interactive::Network;

/// Standard input, output and error of the command.
pub(crate) enum Streams {
    /// Those of this process, as they are.
    Inherited,
    /// A terminal of its own for some of standard input, output and error; the others as they are.
    Terminal { side: OwnedFd, stands_for: [bool; 3] },
}

/// All of it.
pub(crate) struct Visit {
    /// The folder that is shown as `/workspace`.
    pub(crate) project: PathBuf,
    /// The same, taken by root with translated ids.
    pub(crate) taken: Option<Tree>,
    pub(crate) streams: Streams,
    pub(crate) network: Network,
    /// User and group inside.
    pub(crate) user: (u32, u32),
}

impl Visit {
    /// Descriptors that must stay open until the command is executed.
    pub(super) fn kept(&self) -> Vec<RawFd> {
        let taken = self.taken.as_ref().map(|tree| tree.as_fd().as_raw_fd());
        let side = match &self.streams {
            Streams::Inherited => None,
            Streams::Terminal { side, .. } => Some(side.as_raw_fd()),
        };
        taken.into_iter().chain(side).collect()
    }

    /// The folder, before the new root is mounted.
    pub(super) fn workspace(&self) -> Result<Tree, Failure> {
        let step = || format!("show {} as /workspace", self.project.display());
        let tree = match &self.taken {
            Some(taken) => taken.try_clone(),
            None => Tree::bind(&self.project),
        };
        tree.and_then(|tree| tree.set(AttributesOf::Writable)).step_with(step)
    }

    /// Files of `/etc` that are not a job's: how names are resolved, where there is a network.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        if self.network == Network::Off {
            return Vec::new();
        }
        let own = |name: &str| std::fs::read_to_string(Path::new("/etc").join(name)).unwrap_or_default();
        let lookup =
            "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n";
        vec![("hosts", own("hosts")), ("resolv.conf", own("resolv.conf")), ("nsswitch.conf", lookup.to_owned())]
    }

    /// The name by which programs find their own terminal, whichever it is.
    pub(super) fn devices(&self, root: &NewRoot, grants: &mut Grants) -> Result<(), Failure> {
        if matches!(self.streams, Streams::Inherited) {
            return Ok(());
        }
        let path = Path::new("/dev/tty");
        let tree = Tree::bind(path).and_then(|tree| tree.set(AttributesOf::Device));
        tree.and_then(|tree| root.attach_file(path, tree)).step("mount /dev/tty")?;
        grants.push((path.to_owned(), Access::Use));
        Ok(())
    }

    /// In the leader of a new session: its terminal and its first three descriptors.
    pub(super) fn open_streams(&self) -> Result<(), Failure> {
        let Streams::Terminal { side, stands_for: [input, output, error] } = &self.streams else { return Ok(()) };
        let side: BorrowedFd<'_> = side.as_fd();
        ioctl_tiocsctty(side).step("controlling terminal")?;
        if *input {
            dup2_stdin(side).step("standard input")?;
        }
        if *output {
            dup2_stdout(side).step("standard output")?;
        }
        if *error {
            dup2_stderr(side).step("standard error")?;
        }
        Ok(())
    }
}
