//! Lints: what is allowed and probably not meant. They never block.
//! Spec study-definitions.md 13, SD901-SD920; SD913 is told with the expectations, SD910, SD918 and SD919 where they arise.

mod codelists;
mod expressions;
mod study;

pub(crate) use codelists::codelist;
pub(crate) use expressions::{branches, expression};
pub(crate) use study::study;
