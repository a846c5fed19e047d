//! Rules that look at the whole file: equal commands, duplicate keys and dates anywhere.
//! Spec project-yaml.md 2 (P005, P703), 4 (P208, P211).

use std::collections::hash_map::Entry;
use std::hash::Hash;

use super::{Ctx, Draft};
use crate::fault::{Fault, quoted};
use crate::hash::HashMap;
use crate::source::Range;
use crate::yaml::node::{Kind, Style};
use crate::yaml::scalar::{Plain, resolve};
use crate::{ActionName, Severity};

/// Words and config of a command.
type Words<'w> = (&'w [String], Option<&'w str>);

/// P208 for the same text, P211 for the same words and config in other spacing.
pub(crate) fn commands(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>]) {
    let mut texts: HashMap<&str, (&str, Range)> = HashMap::with_capacity_and_hasher(drafts.len(), Default::default());
    let mut words: HashMap<Words<'_>, (&str, Range)> =
        HashMap::with_capacity_and_hasher(drafts.len(), Default::default());
    for draft in drafts {
        let Some(run) = &draft.run else { continue };
        let here = (draft.name.as_str(), run.place);
        let same_text = first_of(&mut texts, run.text, here);
        let same_words = first_of(&mut words, (run.words.as_slice(), draft.config.as_deref()), here);
        let fault = if let Some((first, place)) = same_text {
            let line = ctx.source.position(place.0).line;
            Some(
                Fault::new("P208", run.place, format!("actions {} and {} run the same command", quoted(first), quoted(&draft.name)))
                    .label("the same command again")
                    .help(format!("each command runs once: remove one of the actions, or change its arguments; the first is on line {line}"))
                    .see(place, "the first one"),
            )
        } else {
            same_words.map(|(first, place)| {
                Fault::new(
                    "P211",
                    run.place,
                    format!(
                        "actions {} and {} run the same command, spaced differently",
                        quoted(first),
                        quoted(&draft.name)
                    ),
                )
                .label("the same words again")
                .help("remove one of the actions if this is not intended")
                .see(place, "the first one")
            })
        };
        if let Some(fault) = fault {
            ctx.faults.push(fault.action(&draft.name).at(draft.at(&["run"])));
        }
    }
}

/// What was kept for this key before; keeps it when it is new.
fn first_of<K: Hash + Eq, V: Copy>(map: &mut HashMap<K, V>, key: K, value: V) -> Option<V> {
    match map.entry(key) {
        Entry::Occupied(first) => Some(*first.get()),
        Entry::Vacant(empty) => {
            empty.insert(value);
            None
        }
    }
}

/// P005 in every mapping that no rule of its own has judged, `<<` of no mapping, and dates outside `config`.
pub(crate) fn every_mapping(ctx: &mut Ctx<'_, '_>) {
    let doc = ctx.doc;
    for (id, node) in doc.nodes.iter().enumerate() {
        let id = u32::try_from(id).unwrap_or(u32::MAX);
        match &node.kind {
            Kind::Map(pairs) => {
                let judged = ctx.judged.contains(&id);
                mapping(ctx, pairs, judged);
            }
            Kind::Scalar(text, Style::Plain)
                if node.tag.is_none()
                    && text.len() >= 10
                    && text.starts_with(|c: char| c.is_ascii_digit())
                    && !ctx.judged.contains(&id)
                    && resolve(text) == Plain::Date =>
            {
                let place = (node.range.0 as usize, node.range.1 as usize);
                let fault = Fault::new("P703", place, format!("the date {} is read as text", quoted(text)))
                    .severity(Severity::Note)
                    .label("kept as it is written");
                ctx.faults.push(fault);
            }
            _ => {}
        }
    }
}

fn mapping(ctx: &mut Ctx<'_, '_>, pairs: &[(u32, u32)], judged: bool) {
    let doc = ctx.doc;
    let range = |id: u32| {
        let (start, end) = doc.nodes[id as usize].range;
        (start as usize, end as usize)
    };
    let mut seen = Seen { few: Vec::with_capacity(pairs.len().min(FEW)), many: HashMap::default() };
    for &(key, value) in pairs {
        let target = if let Kind::Alias(target) = doc.nodes[key as usize].kind { target } else { key };
        let Kind::Scalar(text, style) = &doc.nodes[target as usize].kind else { continue };
        let merge = text == "<<" && *style == Style::Plain;
        if merge {
            merge_value(ctx, value, range(value));
        }
        match seen.first(text, (key, merge)) {
            Some((first, was_merge)) if merge == was_merge => {
                if judged && !merge {
                    continue;
                }
                let line = ctx.source.position(range(first).0).line;
                let fault =
                    Fault::new("P005", range(key), format!("the key {} stands twice in one mapping", quoted(text)))
                        .label("the same key again")
                        .help(format!("remove or rename one of them; the first is on line {line}"))
                        .see(range(first), "the first one");
                ctx.faults.push(fault);
            }
            _ => {}
        }
    }
}

/// Keys of a mapping that are kept in a list.
const FEW: usize = 16;

/// The keys of one mapping so far: a list while there are few, as there nearly always are.
struct Seen<'t> {
    few: Vec<(&'t str, (u32, bool))>,
    many: HashMap<&'t str, (u32, bool)>,
}

impl<'t> Seen<'t> {
    /// What was kept for this key before; keeps it when it is new.
    fn first(&mut self, text: &'t str, value: (u32, bool)) -> Option<(u32, bool)> {
        if self.many.is_empty() {
            if let Some((_, first)) = self.few.iter().find(|(t, _)| *t == text) {
                return Some(*first);
            }
            if self.few.len() < FEW {
                self.few.push((text, value));
                return None;
            }
            self.many.extend(self.few.drain(..));
        }
        let first = self.many.get(text).copied();
        if first.is_none() {
            self.many.insert(text, value);
        }
        first
    }
}

/// What `<<` may bring in.
fn merge_value(ctx: &mut Ctx<'_, '_>, value: u32, place: Range) {
    let doc = ctx.doc;
    let target = |id: u32| match doc.nodes[id as usize].kind {
        Kind::Alias(target) => &doc.nodes[target as usize].kind,
        ref kind => kind,
    };
    let fine = match target(value) {
        Kind::Map(_) => true,
        Kind::Seq(items) => items.iter().all(|&item| matches!(target(item), Kind::Map(_))),
        _ => false,
    };
    if !fine {
        let fault = Fault::new("P002", place, "`<<` can only bring in a mapping, or a list of mappings")
            .label("not a mapping")
            .help("write `<<: *name`, where `&name` marks a mapping");
        ctx.faults.push(fault);
    }
}

/// Says to which action a fault belongs that was found without knowing.
pub(crate) fn name_actions(ctx: &mut Ctx<'_, '_>, drafts: &[Draft<'_>]) {
    let mut wholes: Vec<(usize, usize, &str)> =
        drafts.iter().map(|d| (d.whole.0, d.whole.1, d.name.as_str())).collect();
    wholes.sort_unstable();
    let starts: Vec<usize> = wholes.iter().map(|w| ctx.source.position(w.0).offset).collect();
    let ends: Vec<usize> = wholes.iter().map(|w| ctx.source.position(w.1).offset).collect();
    for diagnostic in ctx.faults.list_mut() {
        let (None, Some(span)) = (&diagnostic.action, diagnostic.span) else { continue };
        let slot = starts.partition_point(|&s| s <= span.start.offset);
        if let Some(slot) = slot.checked_sub(1).filter(|&s| span.start.offset < ends[s]) {
            diagnostic.action = Some(ActionName::new(wholes[slot].2));
        }
    }
}
