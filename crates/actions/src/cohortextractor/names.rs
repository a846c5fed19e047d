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
    /// A module by a name that was checked before.
    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_owned())
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
    let found = study::record::modules(root).map_err(|error| match error.as_fault() {
        Some(fault) => {
            let code = study::fault::rule(&fault.code).map_or("SD001", |rule| rule.code);
            let made = Fault::new(FaultCode::Study(code), Exit::Unreadable, fault.message.clone());
            vec![match &fault.fix {
                Some(fix) => made.help(fix.clone()),
                None => made,
            }]
        }
        None => vec![Fault::new(FaultCode::IoError, Exit::Data, error.to_string())],
    })?;
    let modules: Vec<Module> = found.into_iter().map(Module).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

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
