//! What can be wrong with the expectations of a column, before it has a name and a place.
//! Spec study-definitions.md 10.1 and 13 (SD601-SD607, SD913).

use crate::fault::{Fault, Kind, Severity};
use crate::model::Variable;

/// A fault without its variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) kind: Kind,
    /// Follows the name of the variable and a colon.
    pub(crate) message: String,
    pub(crate) fix: Option<String>,
    /// A date expression that is meant, and the bytes of it.
    pub(crate) excerpt: Option<(String, Option<(usize, usize)>)>,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let (message, fix) = (message.into(), Some(fix.into()));
        Self { code, severity: Severity::Fault, kind: Kind::ValueError, message, fix, excerpt: None }
    }

    pub(crate) fn nothing(what: &str) -> Self {
        let message = format!("{what}: nothing says what dummy values look like");
        Self::new("SD601", message, "add it to return_expectations here, or to default_expectations of the study")
    }

    pub(crate) fn unknown_key(key: &str, known: &[&str]) -> Self {
        let problem =
            Self::new("SD602", format!("expectations have no key {key}"), format!("keys are {}", known.join(", ")));
        Self { kind: Kind::AssertionError, ..problem }
    }

    pub(crate) fn unused_key(key: &str, known: &[&str]) -> Self {
        let problem = Self::unknown_key(key, known);
        Self { severity: Severity::Lint, message: format!("{key} has no effect on dummy values"), ..problem }
    }

    pub(crate) fn not_understood(message: &str) -> Self {
        Self::new("SD602", message, "correct it in return_expectations or default_expectations")
    }

    pub(crate) fn incidence(found: String) -> Self {
        let fix =
            "give the share of patients that have a value, from 0 to 1, or \"rate\": \"universal\" if all have one";
        Self { kind: Kind::AssertionError, ..Self::new("SD603", found, fix) }
    }

    pub(crate) fn rate(found: &str) -> Self {
        Self::new("SD604", format!("dates cannot have the rate {found}"), "use \"exponential_increase\" or \"uniform\"")
    }

    pub(crate) fn category(found: String) -> Self {
        let fix = "give \"category\": {\"ratios\": {label: share, …}} with shares that add up to 1";
        Self::new("SD606", found, fix)
    }

    /// With its variable and place.
    pub(crate) fn at(self, variable: &Variable) -> Fault {
        let (excerpt, part) = self.excerpt.map_or((None, None), |(text, part)| (Some(text), part));
        Fault {
            code: self.code,
            severity: self.severity,
            kind: self.kind,
            message: self.message,
            variable: Some(variable.name.clone()),
            argument: Some("return_expectations".into()),
            src: Some(variable.src),
            via: variable.via.clone(),
            part,
            excerpt,
            fix: self.fix,
            other: None,
        }
    }
}
