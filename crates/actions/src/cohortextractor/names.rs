//! Which study definitions a workspace has, and which of them a command means.
//! `analysis/study_definition(_\w+)?.py`; the part after `study_definition` goes into the names of files (9.1, 11).

use std::path::Path;

use crate::args::bad_argument;
use crate::fault::{Exit, Fault, FaultCode};

/// One study definition by its module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Module(String);

const STEM: &str = "study_definition";

impl Module {
    fn of_file(name: &str) -> Option<Self> {
        let module = name.strip_suffix(".py")?;
        let suffix = module.strip_prefix(STEM)?;
        let word = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || c == '_');
        (suffix.is_empty() || suffix.strip_prefix('_').is_some_and(word)).then(|| Self(module.to_owned()))
    }

    /// `study_definition_x`.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// `_x`, or nothing.
    pub(crate) fn suffix(&self) -> &str {
        self.0.get(STEM.len()..).unwrap_or_default()
    }
}

/// What `--study-definition` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    All,
    Named(String),
}

/// The modules meant, at least one.
pub(crate) fn chosen(root: &Path, choice: &Choice) -> Result<Vec<Module>, Vec<Fault>> {
    needs_folders(root)?;
    let modules = all(root);
    let names = || modules.iter().map(Module::name).collect::<Vec<_>>().join(", ");
    match choice {
        _ if modules.is_empty() => {
            let fault = Fault::new(FaultCode::Study("SD001"), Exit::Unreadable, "analysis/ has no study definition");
            Err(vec![fault.help(
                "a study definition is a file analysis/study_definition.py or analysis/study_definition_NAME.py",
            )])
        }
        Choice::All => Ok(modules),
        Choice::Named(name) => match modules.iter().find(|module| module.name() == name) {
            Some(module) => Ok(vec![module.clone()]),
            None => {
                let fault = bad_argument(format!("--study-definition: there is no analysis/{name}.py"));
                Err(vec![fault.help(format!("choose from all, {}", names()))])
            }
        },
    }
}

fn all(root: &Path) -> Vec<Module> {
    let entries = std::fs::read_dir(root.join("analysis")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| Module::of_file(entry.file_name().to_str()?));
    let mut modules: Vec<Module> = names.collect();
    modules.sort();
    modules
}

fn needs_folders(root: &Path) -> Result<(), Vec<Fault>> {
    let missing: Vec<&str> = ["codelists", "analysis"].into_iter().filter(|name| !root.join(name).is_dir()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("this folder has no {}/", missing.join("/ and no "));
    let fault = Fault::new(FaultCode::Study("SD002"), Exit::Unreadable, message);
    Err(vec![
        fault.help("a study keeps its code in analysis/ and its codelists in codelists/; the folders may be empty"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_study_definitions() {
        let of =
            |name: &str| Module::of_file(name).map(|module| (module.name().to_owned(), module.suffix().to_owned()));
        let some = |name: &str, suffix: &str| Some((name.to_owned(), suffix.to_owned()));
        assert_eq!(of("study_definition.py"), some("study_definition", ""));
        assert_eq!(of("study_definition_a_1.py"), some("study_definition_a_1", "_a_1"));
        for name in
            ["study_definition_.py", "study_definitions.py", "study_definition_a-b.py", "study_definition.txt", "x.py"]
        {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn one_many_or_none_are_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let codes = |choice: &Choice| chosen(root, choice).map_err(|faults| faults[0].code.as_str());
        assert_eq!(codes(&Choice::All), Err("SD002"));
        for name in ["analysis", "codelists"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        assert_eq!(codes(&Choice::All), Err("SD001"));
        for name in ["study_definition_b.py", "study_definition.py", "measures.py"] {
            std::fs::write(root.join("analysis").join(name), "").unwrap();
        }
        let names: Vec<String> = chosen(root, &Choice::All).unwrap().iter().map(|m| m.name().to_owned()).collect();
        assert_eq!(names, ["study_definition", "study_definition_b"]);
        assert_eq!(codes(&Choice::Named("study_definition_c".into())), Err("bad_argument"));
        assert_eq!(codes(&Choice::Named("study_definition_b".into())).unwrap().len(), 1);
    }
}
