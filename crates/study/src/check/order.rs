//! Faults in the order of the source: the module first, then its helpers; a fault told twice is told once.
//! Spec study-definitions.md 13: all faults at once, in source order.

use crate::fault::Fault;
use crate::recording::Recording;

/// Sorts by file, line and column; what has no place comes first.
pub(super) fn sort(recording: &Recording, faults: &mut Vec<Fault>) {
    let place = |fault: &Fault| {
        let source = fault.src.and_then(|src| recording.sources.get(src.0 as usize));
        source.map(|s| (s.file != recording.file, s.file.as_str(), s.line, s.span.map_or(0, |span| span.column)))
    };
    faults.sort_by(|a, b| place(a).cmp(&place(b)));
    let mut kept: Vec<Fault> = Vec::with_capacity(faults.len());
    for fault in faults.drain(..) {
        if !kept.iter().rev().take(20).any(|other| *other == fault) {
            kept.push(fault);
        }
    }
    *faults = kept;
}
