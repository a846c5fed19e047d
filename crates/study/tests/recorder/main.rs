//! The recorder as it really runs: Python, over copies of small studies, behind both fences.
//! `faults/NAME.py` is a study that cannot be recorded; its first line says what must come of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod environments;
mod faults;
mod hostile;
mod language;
mod rig;
mod versions;
mod workspace;
