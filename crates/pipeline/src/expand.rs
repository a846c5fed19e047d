//! What a command becomes before it runs, and the other questions that running and planning ask of a project.
//! Spec project-yaml.md 5.3, 7.4, 8, 9, 13.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Action, ActionName, DataKind, DummyRows, Expansion, Project, SpecialCommand};

/// The special command that a list of words begins (spec project-yaml.md 8), by its first two words.
pub(crate) fn special(words: &[String]) -> Option<SpecialCommand> {
    let name = words.first()?.split(':').next()?;
    let command = words.get(1).map_or("", String::as_str);
    match (name, command) {
        ("ehrql" | "databuilder", "generate-dataset" | "generate_dataset") => Some(SpecialCommand::GenerateDataset),
        ("ehrql" | "databuilder", "generate-measures" | "generate_measures") => Some(SpecialCommand::EhrqlMeasures),
        ("sqlrunner", _) => Some(SpecialCommand::Sqlrunner),
        ("cohortextractor", "generate_cohort") => Some(SpecialCommand::GenerateCohort),
        ("cohortextractor", "generate_codelist_report") => Some(SpecialCommand::GenerateCodelistReport),
        _ => None,
    }
}

/// The values of an option given as `--name value` or `--name=value` before a bare `--`:
/// position of the option, position of its value, the value (`None` when it is missing).
pub(crate) fn option_values<'w>(words: &'w [String], name: &str) -> Vec<(usize, usize, Option<&'w str>)> {
    let mut found = Vec::new();
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|w| *w != "--") {
        if word == name {
            found.push((at, at + 1, words.get(at + 1).map(String::as_str)));
            at += 1;
        } else if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            found.push((at, at, Some(value)));
        }
        at += 1;
    }
    found
}

impl Action {
    /// The special command this action runs, judged by its words (spec project-yaml.md 8).
    pub fn special(&self) -> Option<SpecialCommand> {
        special(&self.words)
    }

    /// Whether the command reads patients: only such a command may be given patient data.
    pub fn is_database(&self) -> bool {
        self.special().is_some()
    }

    /// The folder that all outputs share: empty for the root, `None` when they differ.
    pub fn output_folder(&self) -> Option<&str> {
        let mut folders = self.outputs.iter().map(|o| o.pattern.parent_folder());
        let first = folders.next()?;
        folders.all(|f| f == first).then_some(first)
    }

    /// The words that run (spec project-yaml.md 7.4): those of `run`, then `--config`, then for
    /// `cohortextractor generate_cohort` where its dummy data come from and where its files go.
    pub fn expand(&self, project: &Project, data: DataKind) -> Expansion {
        let mut words = self.words.clone();
        if let Some(config) = &self.config {
            words.push("--config".to_owned());
            words.push(config.0.clone());
        }
        if self.special() == Some(SpecialCommand::GenerateCohort) {
            if data == DataKind::Dummy {
                match (&project.dummy, &self.dummy_data_file) {
                    (DummyRows::Tables(folder), _) => words.push(format!("--dummy-tables={folder}")),
                    (_, Some(file)) => words.push(format!("--dummy-data-file={file}")),
                    (how, None) => {
                        words.push(format!("--expectations-population={}", project.population.0));
                        if *how == DummyRows::Simulated {
                            words.push("--dummy=simulated".to_owned());
                        }
                    }
                }
            }
            if let Some(folder) = self.output_folder() {
                words.push(format!("--output-dir={}", if folder.is_empty() { "." } else { folder }));
            }
        }
        Expansion { words }
    }
}

impl Project {
    /// Sorted, distinct `name:tag` of all actions, `latest` shown as `v1` (spec project-yaml.md 9).
    pub fn images(&self) -> Vec<String> {
        let image = |a: &Action| {
            let tag = if a.runtime.tag == "latest" { "v1" } else { &a.runtime.tag };
            format!("{}:{tag}", a.runtime.name)
        };
        self.actions.iter().map(image).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The actions that `run_all` stands for: all in file order, except one of that name (spec project-yaml.md 13).
    pub fn run_all(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|a| !a.name.is_run_all())
    }

    /// The actions that a request for these comes to: they, and what they need, at any distance. Names of nothing are left out.
    pub fn reached<'a>(&'a self, requested: &'a [ActionName]) -> BTreeSet<&'a ActionName> {
        let all = requested.iter().any(ActionName::is_run_all);
        let mut open: Vec<&ActionName> = requested.iter().filter(|name| !name.is_run_all()).collect();
        open.extend(self.run_all().filter(|_| all).map(|action| &action.name));
        let mut reached = BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some(action) = self.action(name) else { continue };
            if reached.insert(&action.name) {
                open.extend(&action.needs);
            }
        }
        reached
    }

    /// How many needs there are in all.
    pub fn edges(&self) -> usize {
        self.actions.iter().map(|a| a.needs.len()).sum()
    }

    /// The length of the longest chain of needs, in actions: the number of waves. 0 without actions.
    pub fn depth(&self) -> usize {
        self.waves().into_iter().max().unwrap_or(0)
    }

    /// For each action, in file order, 1 + the largest wave of its needs. No recursion; an action in a cycle
    /// (which no loaded project holds) counts 0.
    pub fn waves(&self) -> Vec<usize> {
        let place: BTreeMap<&ActionName, usize> = self.actions.iter().enumerate().map(|(i, a)| (&a.name, i)).collect();
        let mut waiting: Vec<usize> = vec![0; self.actions.len()];
        let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); self.actions.len()];
        for (i, action) in self.actions.iter().enumerate() {
            for need in action.needs.iter().filter_map(|n| place.get(n)) {
                waiting[i] += 1;
                dependants[*need].push(i);
            }
        }
        let mut waves = vec![0; self.actions.len()];
        let mut ready: Vec<usize> = (0..self.actions.len()).filter(|&i| waiting[i] == 0).collect();
        for &i in &ready {
            waves[i] = 1;
        }
        while let Some(i) = ready.pop() {
            for &next in &dependants[i] {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.push(next);
                }
                waves[next] = waves[next].max(waves[i] + 1);
            }
        }
        waves.iter().zip(&waiting).map(|(&wave, &left)| if left == 0 { wave } else { 0 }).collect()
    }

    /// Fills `index` again, which is not serialised. Of two actions with one name the first counts.
    pub fn rebuild_index(&mut self) {
        self.index.clear();
        for (i, action) in self.actions.iter().enumerate() {
            self.index.entry(action.name.clone()).or_insert(i);
        }
    }
}
