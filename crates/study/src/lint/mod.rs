//! Lints: what is allowed and probably not meant. They never block.
//! Spec study-definitions.md 13, SD901-SD920.

use jiff::civil::Date;

use crate::check::CheckOptions;
use crate::check::expression::{Node, Problem};
use crate::check::scope::Scope;
use crate::fault::Fault;
use crate::model::Variable;
use crate::recording::Recording;

/// Lints of one expression.
pub(crate) fn expression(_node: &Node, _scope: &Scope<'_>, _problems: &mut Vec<Problem>) {}

/// Lints of a whole study.
pub(crate) fn study(
    _recording: &Recording,
    _options: &CheckOptions,
    _index_date: Option<Date>,
    _variables: &[Variable],
    _faults: &mut Vec<Fault>,
) {
}
