//! The studies of a repository as far as they are about the same people: what each expects of them, and for which index
//! dates it is run. Files of all its studies then tell the same of a person (study-definitions.md 10.2.1).

use std::collections::BTreeMap;

use jiff::civil::Date;
use study::CheckOptions;
use study::simulate::Census;

use crate::Context;

use super::super::names::{self, Module};
use super::super::uses::{self, What};
use super::Sound;

/// What a simulation has to know of other files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    pub(crate) census: Census,
    dates: BTreeMap<Module, Vec<Date>>,
}

impl Repository {
    /// Asks the studies that the project's actions name, in the order of their names; of those that are `known` already
    /// nothing is recorded again. A study that cannot be read says nothing about people.
    pub(crate) fn of(known: &[&Sound], dates: &[Date], context: &mut Context<'_>) -> Self {
        let mut asked = named(context);
        for sound in known {
            let (_, all) = asked.entry(sound.module.clone()).or_default();
            all.extend(dates);
        }
        let mut repository = Self::default();
        for (module, (params, mut dates)) in asked {
            dates.sort_unstable();
            dates.dedup();
            let today = context.today;
            match known.iter().find(|sound| sound.module == module) {
                Some(sound) => repository.census.ask(&sound.study, &sound.recording, &dates, today),
                None => repository.ask(&module, &params, &dates, context),
            }
            repository.dates.insert(module, dates);
        }
        repository
    }

    fn ask(&mut self, module: &Module, params: &[(String, String)], dates: &[Date], context: &mut Context<'_>) {
        let Ok(fence) = (context.fence)() else { return };
        let request =
            study::record::Request { root: context.cwd, module: module.name(), params, backend: &context.backend };
        let recorded = study::record::record(&request, fence.as_ref()).ok();
        let checked = recorded.and_then(|recorded| {
            let options = CheckOptions { index_dates: dates.to_vec(), ..CheckOptions::new(context.today) };
            let study = study::check(&recorded.recording, &options).study?;
            Some((study, recorded.recording))
        });
        match checked {
            Some((study, recording)) => self.census.ask(&study, &recording, dates, context.today),
            None => context.log(&format!(
                "note: {} cannot be read now, so its people may differ from those of this file",
                module.name()
            )),
        }
    }

    /// All index dates of a study.
    pub(crate) fn dates(&self, module: &Module) -> Vec<Date> {
        self.dates.get(module).cloned().unwrap_or_default()
    }
}

/// Parameters and index dates.
type Asked = (Vec<(String, String)>, Vec<Date>);

/// The studies of the project's actions with their parameters and index dates.
fn named(context: &Context<'_>) -> BTreeMap<Module, Asked> {
    let mut found: BTreeMap<Module, Asked> = BTreeMap::new();
    let Some(project) = uses::project(context.cwd) else { return found };
    for one in uses::of(&project, context.today) {
        let What::Cohort { dates, .. } = one.what else { continue };
        for module in names::chosen(context.cwd, &one.study).unwrap_or_default() {
            let (params, all) = found.entry(module).or_default();
            all.extend(&dates);
            // The first action's parameters stand for those of the others.
            if params.is_empty() {
                params.clone_from(&one.params);
            }
        }
    }
    found
}
