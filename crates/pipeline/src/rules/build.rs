//! From drafts to the typed project that other rooms work with.
//! Called also when there are errors: the result is then for display only.

use std::collections::HashSet;

use super::Draft;
use super::top::Top;
use crate::source::Source;
use crate::{Action, ActionName, Config, Output, Pattern, Project, RuntimeRef};

/// Builds the project of what could be understood.
pub(crate) fn project(source: &Source<'_>, top: &Top<'_, '_>, drafts: &[Draft<'_>]) -> Project {
    let mut project = Project {
        version: top.version.clone(),
        population: top.population,
        actions: drafts.iter().map(|draft| action(source, draft)).collect(),
        index: Default::default(),
    };
    project.rebuild_index();
    project
}

fn action(source: &Source<'_>, draft: &Draft<'_>) -> Action {
    let words = draft.run.as_ref().map(|run| run.words.clone()).unwrap_or_default();
    let first = words.first().map_or("", String::as_str);
    let (name, tag) = first.split_once(':').unwrap_or((first, ""));
    let mut seen = HashSet::new();
    let needs = draft.needs.iter().filter(|need| seen.insert(need.name.as_str()));
    let output = |o: &super::OutputDraft<'_>| Output {
        level: o.level,
        name: o.name.clone(),
        pattern: Pattern::new(o.path),
        span: source.span(o.place),
    };
    Action {
        name: ActionName::new(draft.name.clone()),
        runtime: RuntimeRef { name: name.to_owned(), tag: tag.to_owned() },
        outputs: draft.outputs.iter().map(output).collect(),
        needs: needs.map(|need| ActionName::new(need.name.clone())).collect(),
        config: draft.config.clone().map(Config),
        dummy_data_file: draft.dummy_data_file.as_ref().map(|(file, _)| file.clone()),
        dummy_data_file_span: draft.dummy_data_file.as_ref().map(|(_, place)| source.span(*place)),
        span: source.span(draft.place),
        word_spans: draft
            .run
            .as_ref()
            .map(|run| run.places.iter().map(|&place| source.span(place)).collect())
            .unwrap_or_default(),
        words,
    }
}
