//! The rules of the language over a document that could be read (spec project-yaml.md 3 to 8).
//! Each room of rules reads its part into a draft and reports; what spans actions is judged over all drafts at the end.

mod action;
mod build;
mod config;
mod cycles;
mod displaced;
mod expectations;
mod first_word;
mod names;
mod needs;
mod outputs;
mod overlap;
mod overlap_faults;
mod paths;
mod run;
mod special;
mod top;
mod whole;

use crate::fault::Faults;
use crate::hash::HashSet;
use crate::source::{Range, Source};
use crate::yaml::recover::Damage;
use crate::yaml::{Doc, View};
use crate::{Loaded, PathStep, PrivacyLevel};

/// What every rule may look at, and where it reports.
pub(crate) struct Ctx<'d, 'a> {
    pub(crate) source: &'d Source<'d>,
    pub(crate) doc: &'d Doc<'a>,
    pub(crate) damage: &'d Damage,
    pub(crate) faults: Faults<'d, 'd>,
    /// Mappings whose duplicate keys and dates are judged by a rule of their own.
    pub(crate) judged: HashSet<u32>,
    /// Commands with the tag `latest`, with their actions: one note for all.
    pub(crate) latest: Vec<(Range, String)>,
}

/// The command of an action.
pub(crate) struct RunDraft<'d> {
    pub(crate) text: &'d str,
    /// Where the value is used.
    pub(crate) place: Range,
    /// Where each word stands.
    pub(crate) places: Vec<Range>,
    /// The words, for the rules that look at tokens.
    pub(crate) words: Vec<String>,
}

/// One declared output.
pub(crate) struct OutputDraft<'d> {
    pub(crate) level: PrivacyLevel,
    pub(crate) name: &'d str,
    pub(crate) path: &'d str,
    pub(crate) place: Range,
    /// No structural fault: it can be compared with others.
    pub(crate) sound: bool,
}

/// One need, with the name it is read as.
pub(crate) struct NeedDraft {
    pub(crate) name: String,
    pub(crate) place: Range,
    /// Its number in the list, from 0.
    pub(crate) index: usize,
}

/// One action as far as it could be understood.
pub(crate) struct Draft<'d> {
    pub(crate) name: String,
    pub(crate) place: Range,
    /// Key and value.
    pub(crate) whole: Range,
    pub(crate) run: Option<RunDraft<'d>>,
    pub(crate) outputs: Vec<OutputDraft<'d>>,
    /// Levels that hold at least one entry, with the place of their key.
    pub(crate) levels: Vec<(PrivacyLevel, Range)>,
    pub(crate) needs: Vec<NeedDraft>,
    /// The whole list, for edits.
    pub(crate) needs_place: Range,
    pub(crate) config: Option<String>,
    pub(crate) dummy_data_file: Option<(String, Range)>,
    /// It asks for a matrix, which stands for other actions.
    pub(crate) matrix: bool,
}

impl Draft<'_> {
    pub(crate) fn is_run_all(&self) -> bool {
        self.name == "run_all"
    }

    /// The path of keys to something in this action.
    pub(crate) fn at(&self, keys: &[&str]) -> Vec<PathStep> {
        path(&self.name, keys)
    }
}

/// The path of keys below an action.
pub(crate) fn path(action: &str, keys: &[&str]) -> Vec<PathStep> {
    ["actions", action].iter().chain(keys).map(|k| PathStep::Key((*k).to_owned())).collect()
}

/// Applies every rule and builds the project.
pub(crate) fn judge<'s>(
    source: &'s Source<'s>,
    doc: &Doc<'_>,
    damage: &Damage,
    mut faults: Faults<'s, 's>,
    source_name: &str,
) -> Loaded {
    let version = faults.version;
    let mut ctx = Ctx {
        source,
        doc,
        damage,
        faults: std::mem::replace(&mut faults, Faults::new(None)),
        judged: HashSet::default(),
        latest: Vec::new(),
    };
    ctx.faults.version = version;
    let Some(top) = top::read(&mut ctx, source_name) else {
        return Loaded { project: None, partial: None, diagnostics: ctx.faults.finish() };
    };
    let drafts = action::read_all(&mut ctx, &top);
    first_word::note_latest(&mut ctx);
    needs::judge(&mut ctx, &drafts);
    cycles::judge(&mut ctx, &drafts);
    whole::commands(&mut ctx, &drafts);
    overlap_faults::judge(&mut ctx, &drafts);
    for draft in &drafts {
        special::judge(&mut ctx, draft);
    }
    whole::every_mapping(&mut ctx);
    whole::name_actions(&mut ctx, &drafts);
    let ok = !ctx.faults.has_errors();
    let project = Some(build::project(source, &top, drafts));
    let (project, partial) = if ok { (project, None) } else { (None, project) };
    Loaded { project, partial, diagnostics: ctx.faults.finish() }
}

/// Where to point for a value: at the key when the value is empty and has no place of its own.
pub(crate) fn place_of(key: View<'_, '_>, value: View<'_, '_>) -> Range {
    let range = value.range();
    if range.0 >= range.1 { key.range() } else { range }
}
