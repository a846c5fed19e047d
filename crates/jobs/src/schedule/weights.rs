//! How heavy jobs are, from a file in the form of `job-resource-weights_{backend}.ini`.
//! Spec jobs.md 5: sections by workspace with `regex = number` for actions, then section `default` for commands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::Weight;
use crate::WorkspaceName;

/// The section that is matched against the expanded command of jobs that no workspace's section matches.
const DEFAULT: &str = "default";

/// Patterns with weights, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    sections: HashMap<String, Vec<(Regex, Weight)>>,
}

/// A file of weights that is refused as a whole; what was in force before stays so.
#[derive(Debug, thiserror::Error)]
pub enum BadWeights {
    /// A line that cannot be taken.
    #[error("{}, line {line}: {why}. The whole file is refused; the weights in force stay as they are", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Weights {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that cannot be taken, or the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, BadWeights> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| BadWeights::Read { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|(line, why)| BadWeights::Line { path: path.to_owned(), line, why })
    }

    /// Reads the text of a file; an error is the line, from 1, and what is wrong with it.
    ///
    /// # Errors
    /// As [`Weights::read`].
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut weights = Self::default();
        let mut section: Option<String> = None;
        for (at, line) in text.lines().enumerate() {
            let refuse = |why: String| (at + 1, why);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                let name = name.strip_suffix(']').ok_or_else(|| refuse("a section must end with `]`".to_owned()))?;
                if weights.sections.insert(name.to_owned(), Vec::new()).is_some() {
                    return Err(refuse(format!("the section [{name}] stands here twice")));
                }
                section = Some(name.to_owned());
                continue;
            }
            let (pattern, number) =
                line.split_once('=').ok_or_else(|| refuse("expected `regular expression = number`".to_owned()))?;
            let (pattern, number) = (pattern.trim(), number.trim());
            let Some(into) = section.as_ref().and_then(|name| weights.sections.get_mut(name)) else {
                return Err(refuse("a weight must stand below a section, such as [my-workspace]".to_owned()));
            };
            // In full: what matches only a part of a name is another name.
            let regex = Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| refuse(format!("`{pattern}` is no regular expression: {}", last_line(&error))))?;
            let weight =
                number.parse().ok().and_then(Weight::decimal).ok_or_else(|| {
                    refuse(format!("`{number}` is no weight: a number of workers from 0.001 to 1000000"))
                })?;
            if into.iter().any(|(known, _)| known.as_str() == regex.as_str()) {
                return Err(refuse(format!("`{pattern}` stands twice in its section")));
            }
            into.push((regex, weight));
        }
        Ok(weights)
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.sections.values().map(Vec::len).sum()
    }

    /// Whether every job weighs 1.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The weight of a job: the first match wins, and what nothing matches weighs 1.
    pub fn of(&self, workspace: &WorkspaceName, action: &str, command: &str) -> Weight {
        let first = |section: &str, text: &str| {
            let patterns = self.sections.get(section)?;
            patterns.iter().find(|(regex, _)| regex.is_match(text)).map(|(_, weight)| *weight)
        };
        first(workspace.as_str(), action).or_else(|| first(DEFAULT, command)).unwrap_or(Weight::ONE)
    }
}

/// The crate's messages draw the pattern on several lines; the last says what is wrong.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# heavy work\n\
        [my-workspace]\n\
        fit_.* = 4\n\
        fit_small=0.5\n\
        Draw = 2\n\
        \n\
        [default]\n\
        ; the whole command\n\
        stata-mp:.* = 3\n\
        .* --big = 8\n";

    fn weight(workspace: &str, action: &str, command: &str) -> String {
        Weights::parse(FILE).unwrap().of(&workspace.parse().unwrap(), action, command).to_string()
    }

    #[test]
    fn the_first_full_match_wins() {
        assert_eq!(weight("my-workspace", "fit_a", "r:latest a.R"), "4");
        assert_eq!(weight("my-workspace", "fit_small", "r:latest a.R"), "4");
        assert_eq!(weight("my-workspace", "refit_a", "r:latest a.R"), "1");
        assert_eq!(weight("other", "fit_a", "r:latest a.R"), "1");
        assert_eq!(weight("other", "fit_a", "stata-mp:latest a.do"), "3");
        assert_eq!(weight("my-workspace", "x", "stata-mp:latest a.do"), "3");
    }

    #[test]
    fn case_counts() {
        assert_eq!(weight("my-workspace", "Draw", ""), "2");
        assert_eq!(weight("my-workspace", "draw", ""), "1");
    }

    #[test]
    fn a_bad_line_refuses_the_file() {
        let bad = |text: &str| Weights::parse(text).unwrap_err();
        assert_eq!(bad("[a]\nx = 1\ny = heavy").0, 3);
        assert_eq!(bad("[a]\n(x = 1").0, 2);
        assert_eq!(bad("x = 1").0, 1);
        assert_eq!(bad("[a\nx = 1").0, 1);
        assert_eq!(bad("[a]\nx: 1").0, 2);
        assert_eq!(bad("[a]\nx = 0").0, 2);
        assert_eq!(bad("[a]\nx = -1").0, 2);
        assert_eq!(bad("[a]\nx = nan").0, 2);
        assert_eq!(bad("[a]\nx = 1\n[a]").0, 3);
        assert_eq!(bad("[a]\nx = 1\nx = 2").0, 3);
    }

    #[test]
    fn only_the_equals_sign_separates() {
        let weights = Weights::parse("[w]\na:b = 2").unwrap();
        assert_eq!(weights.of(&"w".parse().unwrap(), "a:b", "").to_string(), "2");
    }
}
