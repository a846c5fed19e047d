//! From drafts to the typed project that other rooms work with.
//! Called also when there are errors: the result is then for display only.

use super::Draft;
use super::top::Top;
use crate::hash::HashSet;
use crate::source::Source;
use crate::{Action, ActionName, Config, Output, Pattern, Project, RuntimeRef};

/// Builds the project of what could be understood.
pub(crate) fn project(source: &Source<'_>, top: &Top<'_, '_>, drafts: Vec<Draft<'_>>) -> Project {
    let mut project = Project {
        version: top.version.clone(),
        population: top.population,
        dummy: Default::default(),
        actions: drafts.into_iter().map(|draft| action(source, draft)).collect(),
        index: Default::default(),
    };
    project.rebuild_index();
    project
}

fn action(source: &Source<'_>, draft: Draft<'_>) -> Action {
    let (words, places) = draft.run.map(|run| (run.words, run.places)).unwrap_or_default();
    let first = words.first().map_or("", String::as_str);
    let (name, tag) = first.split_once(':').unwrap_or((first, ""));
    let runtime = RuntimeRef { name: name.to_owned(), tag: tag.to_owned() };
    let mut seen = HashSet::with_capacity_and_hasher(draft.needs.len(), Default::default());
    let repeated: Vec<bool> = draft.needs.iter().map(|need| !seen.insert(need.name.as_str())).collect();
    let output = |o: super::OutputDraft<'_>| Output {
        level: o.level,
        name: o.name.to_owned(),
        pattern: Pattern::new(o.path),
        span: source.span(o.place),
    };
    Action {
        name: ActionName::new(draft.name),
        words,
        runtime,
        reusable: None,
        outputs: draft.outputs.into_iter().map(output).collect(),
        needs: draft
            .needs
            .into_iter()
            .zip(repeated)
            .filter(|(_, r)| !r)
            .map(|(n, _)| ActionName::new(n.name))
            .collect(),
        config: draft.config.map(Config),
        dummy_data_file_span: draft.dummy_data_file.as_ref().map(|(_, place)| source.span(*place)),
        dummy_data_file: draft.dummy_data_file.map(|(file, _)| file),
        span: source.span(draft.place),
        word_spans: places.into_iter().map(|place| source.span(place)).collect(),
    }
}
