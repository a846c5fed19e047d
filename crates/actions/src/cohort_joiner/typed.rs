//! Files with types.
//! To come.
use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::fault::{Fault, FaultCode};
use crate::files::{Format, data_fault};
use crate::workspace::Workspace;

use super::columns::Header;
use super::inputs::{Left, Side};
use super::lines;
use super::matches::{Gathering, Keys};
use super::options::Options;
use super::tell::Counts;
use super::trouble::Trouble;

fn not_yet(path: &Path) -> Fault {
    let message = format!("{}: only csv files are joined by this version", path.display());
    data_fault(FaultCode::UnsupportedFormat, message)
}

pub(super) fn header(_: &Workspace, path: &Path, _: Format, _: &str, _: &mut dyn Write) -> Result<Header, Fault> {
    Err(not_yet(path))
}

pub(super) fn lines(_: &Workspace, side: &Side, _: Gathering<'_>, _: &mut dyn Write) -> Result<lines::Right, Trouble> {
    Err(not_yet(&side.path).into())
}

pub(super) struct Right {
    pub(super) keys: Keys,
}

impl Right {
    pub(super) fn read(_: &Workspace, side: &Side, _: usize, _: bool, _: &mut dyn Write) -> Result<Self, Trouble> {
        Err(not_yet(&side.path).into())
    }

    pub(super) fn join(
        &self,
        _: &Workspace,
        left: &Left,
        _: &Options,
        _: &mut dyn Write,
        _: &mut File,
    ) -> Result<Counts, Trouble> {
        Err(not_yet(&left.side.path).into())
    }
}
