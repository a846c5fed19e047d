//! What a project.yaml at a commit says, for display: actions, images, needs, patterns with levels, faults in place.
//! Spec site.md 4.4. Also of files that are not valid: what could be understood is shown, nothing is planned from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pipeline::{PrivacyLevel, Severity, Span};
use ui::icon::Level;
use ui::yaml::{Mark, Meaning, anchor};

/// How many project.yaml are kept. Each is read again when it is asked for after that.
const KEPT: usize = 256;

/// One action.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) needs: Vec<String>,
    pub(crate) outputs: Vec<(Level, String)>,
    place: std::ops::Range<usize>,
}

/// A project.yaml.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// The text; where bytes are no UTF-8, with a sign instead.
    pub(crate) text: String,
    pub(crate) actions: Vec<Line>,
    /// What makes it invalid: the line, if it is about one, and the fault in words.
    pub(crate) errors: Vec<(Option<u32>, String)>,
    marks: Vec<Mark>,
}

/// What is kept between pages: a project.yaml never changes under its hash.
#[derive(Debug, Default)]
pub struct Memory {
    pipelines: Mutex<HashMap<String, Arc<Pipeline>>>,
}

impl Memory {
    /// The pipeline of these bytes, kept under their hash.
    pub(crate) fn pipeline(&self, sha256: &str, bytes: &[u8]) -> Arc<Pipeline> {
        let lock = || self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(sha256) {
            return Arc::clone(found);
        }
        let read = Arc::new(Pipeline::read(bytes));
        let mut kept = lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(sha256.to_owned(), Arc::clone(&read));
        read
    }
}

pub(crate) fn level(level: PrivacyLevel) -> Level {
    match level {
        PrivacyLevel::HighlySensitive => Level::High,
        PrivacyLevel::ModeratelySensitive => Level::Medium,
        PrivacyLevel::MinimallySensitive => Level::Low,
    }
}

fn bytes_of(span: Span) -> std::ops::Range<usize> {
    span.start.offset..span.end.offset
}

impl Pipeline {
    /// Reads the bytes; never fails.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let loaded = ::pipeline::load(bytes, "project.yaml");
        let exact = std::str::from_utf8(bytes).is_ok();
        let errors = loaded
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .map(|d| (d.span.filter(|_| exact).map(|span| span.start.line), format!("{}: {}", d.code.0, d.message)))
            .collect();
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (mut actions, mut marks) = (Vec::new(), Vec::new());
        for action in loaded.project.or(loaded.partial).into_iter().flat_map(|project| project.actions) {
            if exact {
                marks.extend(
                    action.outputs.iter().map(|output| Mark {
                        place: bytes_of(output.span),
                        meaning: Meaning::Level(level(output.level)),
                    }),
                );
            }
            actions.push(Line {
                name: action.name.as_str().to_owned(),
                image: action.runtime.to_string(),
                needs: action.needs.iter().map(|n| n.as_str().to_owned()).collect(),
                outputs: action.outputs.iter().map(|o| (level(o.level), o.pattern.as_str().to_owned())).collect(),
                place: if exact { bytes_of(action.span) } else { 0..0 },
            });
        }
        if exact {
            marks.extend(level_keys(&text));
            for fault in loaded.diagnostics.into_iter().filter(|d| d.severity == Severity::Error) {
                if let Some(span) = fault.span {
                    let words = format!("{}: {}", fault.code.0, fault.message);
                    marks.push(Mark { place: bytes_of(span), meaning: Meaning::Fault(words) });
                }
            }
        }
        Self { text, actions, errors, marks }
    }

    pub(crate) fn action(&self, name: &str) -> Option<&Line> {
        self.actions.iter().find(|line| line.name == name)
    }

    /// All marks; each action's name leads to where `job_of` says its job row is.
    pub(crate) fn marks(&self, job_of: impl Fn(&str) -> Option<String>) -> Vec<Mark> {
        let mut marks = self.marks.clone();
        for line in &self.actions {
            marks.push(Mark {
                place: line.place.clone(),
                meaning: Meaning::Action { id: anchor(&line.name), href: job_of(&line.name) },
            });
        }
        marks
    }
}

/// Where the names of levels stand as keys.
fn level_keys(text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    for level in [PrivacyLevel::HighlySensitive, PrivacyLevel::ModeratelySensitive, PrivacyLevel::MinimallySensitive] {
        let word = level.as_str();
        for (at, _) in text.match_indices(word) {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].trim_start_matches(['"', '\'', ' ']).chars().next();
            let begins = before.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '{' | ','));
            if begins && after == Some(':') {
                marks.push(Mark { place: at..at + word.len(), meaning: Meaning::Level(self::level(level)) });
            }
        }
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = "version: '3.0'\nexpectations: {population_size: 1000}\nactions:\n  a:\n    run: python:latest a.py\n    \
        outputs:\n      highly_sensitive: {x: output/a.csv}\n  b:\n    run: r:latest b.R\n    needs: [a]\n    outputs:\n      \
        moderately_sensitive:\n        t: output/b_*.csv\n";

    #[test]
    fn actions_levels_and_places_are_found() {
        let pipeline = Pipeline::read(STUDY.as_bytes());
        assert_eq!(pipeline.errors, []);
        let b = pipeline.action("b").unwrap();
        assert_eq!((b.image.as_str(), b.needs.as_slice()), ("r:latest", &["a".to_owned()][..]));
        assert_eq!(b.outputs, [(Level::Medium, "output/b_*.csv".to_owned())]);
        let marks = pipeline.marks(|name| Some(format!("#j-{name}")));
        let marked: Vec<&str> = marks.iter().map(|m| &pipeline.text[m.place.clone()]).collect();
        for text in ["highly_sensitive", "moderately_sensitive", "output/a.csv", "output/b_*.csv", "a", "b"] {
            assert!(marked.contains(&text), "{text} in {marked:?}");
        }
    }

    #[test]
    fn broken_files_are_shown_with_their_faults() {
        let pipeline = Pipeline::read(b"version: '3.0'\nactions:\n  a: [\n");
        assert!(!pipeline.errors.is_empty());
        assert!(!Pipeline::read(b"\xff\xfe\x00").text.is_empty());
        assert_eq!(Pipeline::read(b"").actions.len(), 0);
    }
}
