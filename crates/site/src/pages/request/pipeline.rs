//! What a project.yaml at a commit says, for display: actions, images, needs, patterns with levels, faults in place.
//! Spec site.md 4.4. Also of files that are not valid: what could be understood is shown, nothing is planned from it.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipeline::{PrivacyLevel, Severity, Span};
use ui::icon::Level;
use ui::yaml::{Mark, Meaning, anchor};

use crate::Site;
use crate::mirror::Place;
use crate::store::read::RequestPage;

/// How many project.yaml are kept. Each is read again when it is asked for after that.
const KEPT: usize = 256;

/// One action.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) needs: Vec<String>,
    pub(crate) outputs: Vec<(Level, String)>,
    place: Range<usize>,
    /// Words of its command that could be files of the study: the path, and where the word stands.
    files: Vec<(String, Range<usize>)>,
}

/// What a commit holds.
pub(crate) type Files = Arc<BTreeSet<String>>;

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
    /// The files of commits, and when a commit was not to be had.
    trees: Mutex<HashMap<String, Result<Files, i64>>>,
}

/// How long a page waits for the files of a commit, which it can do without.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a commit that is not in the mirrors is not looked for again, in microseconds.
const ABSENT: i64 = 10 * 60 * 1_000_000;

impl Memory {
    /// The files of a request's commit, if the site's mirror has it. No host is asked.
    pub(crate) async fn tree(&self, site: &Site, request: &RequestPage) -> Option<Files> {
        let commit = request.commit.as_ref()?;
        let lock = || self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        let now = site.clock.microseconds();
        match lock().get(commit) {
            Some(Ok(files)) => return Some(Arc::clone(files)),
            Some(Err(at)) if now.saturating_sub(*at) < ABSENT => return None,
            _ => {}
        }
        let place = Place { repo: request.repo.clone(), branch: request.branch.clone() };
        let known = site.mirrors.known(&place, commit.parse().ok()?);
        let found = match tokio::time::timeout(PATIENCE, known).await {
            Ok(Ok(study)) => Ok(Arc::new(study.files.clone())),
            // The mirror goes on reading: the next page finds it.
            Err(_) => return None,
            Ok(Err(_)) => Err(now),
        };
        let mut trees = lock();
        if trees.len() >= KEPT {
            trees.clear();
        }
        trees.insert(commit.clone(), found.clone());
        found.ok()
    }

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

fn bytes_of(span: Span) -> Range<usize> {
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
                files: if exact { files(&action.words, &action.word_spans) } else { vec![] },
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

    /// All marks; each action's name leads to where `job_of` says its job row is, each word that is a file of the commit
    /// to `code/PATH`. Without a known tree there is no link.
    pub(crate) fn marks(&self, tree: Option<&Files>, job_of: impl Fn(&str) -> Option<String>) -> Vec<Mark> {
        let mut marks = self.marks.clone();
        for line in &self.actions {
            for (path, place) in line.files.iter().filter(|(path, _)| tree.is_some_and(|tree| tree.contains(path))) {
                let meaning = Meaning::Script { href: format!("code/{}", encoded(path)) };
                marks.push(Mark { place: place.clone(), meaning });
            }
            marks.push(Mark {
                place: line.place.clone(),
                meaning: Meaning::Action { id: anchor(&line.name), href: job_of(&line.name) },
            });
        }
        marks
    }
}

/// The words of a command, without what may stand before a path in the study's folder (spec site.md 4.4).
fn files(words: &[String], spans: &[Span]) -> Vec<(String, Range<usize>)> {
    let path = |word: &str| {
        let bare =
            word.strip_prefix("/workspace/").or(word.strip_prefix("./")).or(word.strip_prefix('/')).unwrap_or(word);
        bare.to_owned()
    };
    // The first word is the image.
    words.iter().zip(spans).skip(1).map(|(word, span)| (path(word), bytes_of(*span))).collect()
}

/// A path as part of an address: everything but plain signs as `%XX`.
pub(in crate::pages) fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
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
        let marks = pipeline.marks(None, |name| Some(format!("#j-{name}")));
        let marked: Vec<&str> = marks.iter().map(|m| &pipeline.text[m.place.clone()]).collect();
        for text in ["highly_sensitive", "moderately_sensitive", "output/a.csv", "output/b_*.csv", "a", "b"] {
            assert!(marked.contains(&text), "{text} in {marked:?}");
        }
    }

    #[test]
    fn scripts_in_every_style_of_command_are_found() {
        let study = "version: '3.0'\nexpectations: {population_size: 1000}\nactions:\n  a:\n    run: >\n      python:latest\n      \
            python ./analysis/a.py\n    outputs: {highly_sensitive: {x: output/a.csv}}\n  b:\n    run: |\n      r:latest\n      \
            analysis/output b.R\n      /workspace/output/x.R\n    outputs: {highly_sensitive: {x: output/b.csv}}\n  c:\n    \
            run: \"python:latest python '/analysis/my file.py'\"\n    outputs: {highly_sensitive: {x: output/c.csv}}\n";
        let pipeline = Pipeline::read(study.as_bytes());
        assert_eq!(pipeline.errors, []);
        let tree: Files = Arc::new(
            ["analysis/a.py", "analysis/output", "output/x.R", "analysis/my file.py"]
                .map(String::from)
                .into_iter()
                .collect(),
        );
        let marks = pipeline.marks(Some(&tree), |_| None);
        let links: Vec<(&str, &str)> = marks
            .iter()
            .filter_map(|mark| match &mark.meaning {
                Meaning::Script { href } => Some((&study[mark.place.clone()], href.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(
            links,
            [
                ("./analysis/a.py", "code/analysis/a.py"),
                ("analysis/output", "code/analysis/output"),
                ("/workspace/output/x.R", "code/output/x.R"),
                ("'/analysis/my file.py'", "code/analysis/my%20file.py"),
            ]
        );
    }

    #[test]
    fn broken_files_are_shown_with_their_faults() {
        let pipeline = Pipeline::read(b"version: '3.0'\nactions:\n  a: [\n");
        assert!(!pipeline.errors.is_empty());
        assert!(!Pipeline::read(b"\xff\xfe\x00").text.is_empty());
        assert_eq!(Pipeline::read(b"").actions.len(), 0);
    }
}
