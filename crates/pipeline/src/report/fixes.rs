//! Applies the edits that need no decision: the `sure` fixes of `check --fix`.
//! Spec project-yaml.md 11; whoever writes the result checks it again first (spec cli.md 3).

use std::collections::BTreeMap;

use super::in_order;
use crate::{Applicability, Diagnostic, Edit, Fix};

/// A mended text and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The whole text.
    pub text: String,
    /// Titles of the fixes, in order of position.
    pub applied: Vec<String>,
}

/// Applies the first `sure` fix of each diagnostic. A fix that touches an edit taken before it is left for the next
/// round, as is one that does not fit the text; a fix is applied whole or not at all. `None`: nothing to apply.
pub fn apply_fixes(source: &str, diagnostics: &[Diagnostic]) -> Option<Fixed> {
    let mut taken = Taken::default();
    let mut applied = Vec::new();
    for d in in_order(diagnostics) {
        if let Some(fix) = d.fixes.iter().find(|f| f.applicability == Applicability::Sure)
            && taken.add(fix, source)
        {
            applied.push(fix.title.clone());
        }
    }
    let mut text = String::with_capacity(source.len() + 64);
    let mut at = 0;
    for ((start, end), new) in taken.0 {
        text.push_str(&source[at..start]);
        text.push_str(new);
        at = end;
    }
    text.push_str(&source[at..]);
    (text != source).then_some(Fixed { text, applied })
}

/// Edits that do not touch each other, by the bytes they replace.
#[derive(Default)]
struct Taken<'a>(BTreeMap<(usize, usize), &'a str>);

impl<'a> Taken<'a> {
    /// Takes all edits of a fix, or none.
    fn add(&mut self, fix: &'a Fix, source: &str) -> bool {
        for (i, edit) in fix.edits.iter().enumerate() {
            let range = range(edit);
            if source.get(range.0..range.1).is_none() || self.touches(range) {
                for undone in &fix.edits[..i] {
                    self.0.remove(&self::range(undone));
                }
                return false;
            }
            self.0.insert(range, &edit.text);
        }
        !fix.edits.is_empty()
    }

    /// Whether a taken edit shares a byte with the range, or stands so that the order of the two texts would be open.
    /// Taken edits are apart and sorted, so only the last few before the end of the range can touch it.
    fn touches(&self, (start, end): (usize, usize)) -> bool {
        let before = self.0.range(..=(end, usize::MAX)).rev().map(|(taken, _)| *taken);
        before.take_while(|taken| taken.1 >= start).any(|taken| {
            let insertion = start == end || taken.0 == taken.1;
            insertion || (taken.0 < end && start < taken.1)
        })
    }
}

fn range(edit: &Edit) -> (usize, usize) {
    (edit.span.start.offset, edit.span.end.offset)
}
