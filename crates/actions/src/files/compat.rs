//! `--compat`: which harmful habits of the original programs come back (actions.md 2.4).
//! One word for all actions; a person who calls one by hand may also set a variable.

use std::ffi::OsStr;

use crate::Context;
use crate::args::{OptionSpec, Parsed, bad_argument, value};
use crate::context::Ambient;
use crate::fault::Fault;

/// How far an action goes back to what the original did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Compat {
    /// Not at all.
    #[default]
    Safe,
    /// As the original of today.
    Original,
    /// As the original with its libraries of 2022.
    Original2022,
}

impl Compat {
    /// The option, for the table of an action's options.
    pub(crate) const OPTION: OptionSpec = value("--compat");
    /// Read where a person calls an action by hand, never in a job.
    pub(crate) const VARIABLE: &str = "CLOISTER_ACTION_COMPAT";

    const WORDS: [(&str, Self); 3] =
        [("safe", Self::Safe), ("original", Self::Original), ("original-2022", Self::Original2022)];

    /// What the arguments ask for, else `variable` (see [`Compat::variable`]). A word that is none is a fault.
    pub(crate) fn asked(parsed: &Parsed, variable: Option<&OsStr>, faults: &mut Vec<Fault>) -> Self {
        let (name, given) = match parsed.value(Self::OPTION.name) {
            Some(given) => (Self::OPTION.name, given),
            None => match variable {
                Some(given) => (Self::VARIABLE, given),
                None => return Self::Safe,
            },
        };
        match Self::WORDS.iter().find(|(word, _)| OsStr::new(word) == given) {
            Some((_, compat)) => *compat,
            None => {
                let words = Self::WORDS.map(|(word, _)| word).join(", ");
                let fault = bad_argument(format!("{name} cannot be '{}'", given.display()));
                faults.push(fault.help(format!("choose from {words}")));
                Self::Safe
            }
        }
    }

    /// The variable of a call by hand. In a job nothing but its arguments counts.
    pub(crate) fn variable<'a>(context: &Context<'_>, ambient: &'a Ambient) -> Option<&'a OsStr> {
        ambient.compat.as_deref().filter(|_| context.project_version.is_none())
    }

    /// Whether any habit of the original is wanted.
    pub(crate) fn is_original(self) -> bool {
        self != Self::Safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    fn asked(args: &[&str], variable: Option<&str>) -> Result<Compat, String> {
        let args: Vec<_> = args.iter().map(std::ffi::OsString::from).collect();
        let parsed = args::parse(&args, &[Compat::OPTION]);
        let mut faults = Vec::new();
        let compat = Compat::asked(&parsed, variable.map(OsStr::new), &mut faults);
        faults.first().map_or(Ok(compat), |fault| Err(fault.to_string()))
    }

    #[test]
    fn arguments_come_before_the_variable() {
        assert_eq!(asked(&[], None), Ok(Compat::Safe));
        assert_eq!(asked(&["--compat", "original"], None), Ok(Compat::Original));
        assert_eq!(asked(&["--comp=original-2022"], Some("safe")), Ok(Compat::Original2022));
        assert_eq!(asked(&["--compat=safe"], Some("original")), Ok(Compat::Safe));
        assert_eq!(asked(&[], Some("original")), Ok(Compat::Original));
        assert_eq!(asked(&["--compat=new"], Some("original")).unwrap_err(), "--compat cannot be 'new'");
        assert!(asked(&[], Some("x")).unwrap_err().starts_with("CLOISTER_ACTION_COMPAT"));
        assert!(asked(&["--compat="], None).is_err());
    }

    #[test]
    fn a_job_does_not_look_at_the_variable() {
        let ambient = Ambient { compat: Some("original".into()), ..Ambient::default() };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut context = Context::by_hand(std::path::Path::new("."), &mut out, &mut err);
        assert_eq!(Compat::variable(&context, &ambient), Some(OsStr::new("original")));
        context.project_version = Some(3.0);
        assert_eq!(Compat::variable(&context, &ambient), None);
    }
}
