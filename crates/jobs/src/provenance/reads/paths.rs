//! From names to the paths they may stand for.
//! Spec project-yaml.md 5.3; cli.md 5 (where Python looks).

use super::{Reference, Start};
use crate::provenance::CodeTree;

/// A path from the root of the workspace with `/`, without `.`, `..` and doubled separators. `None` if it leads out.
pub(super) fn normal(path: &str) -> Option<String> {
    let path = match path.strip_prefix("/workspace/") {
        Some(inside) => inside,
        None if path.starts_with('/') => return None,
        None => path,
    };
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            name => segments.push(name),
        }
    }
    (!segments.is_empty()).then(|| segments.join("/"))
}

/// The folder of a path; empty for the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Every path that words or the texts of a config may name: whole words, what follows `=`, and study definitions.
/// Most are no paths at all; only those that the tree holds, or held, will matter.
pub(super) fn named_by(words: &[String], config: Option<&str>) -> Vec<String> {
    let mut named = Vec::new();
    for word in words.iter().skip(1) {
        named.extend(normal(word));
        if let Some((_, value)) = word.split_once('=') {
            named.extend(normal(value));
        }
    }
    for (i, word) in words.iter().enumerate() {
        let study = match word.strip_prefix("--study-definition") {
            Some("") => words.get(i + 1).map(String::as_str),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        named.extend(study.and_then(|study| normal(&format!("analysis/{study}.py"))));
    }
    let mut values: Vec<serde_json::Value> =
        config.and_then(|json| serde_json::from_str(json).ok()).into_iter().collect();
    while let Some(value) = values.pop() {
        match value {
            serde_json::Value::String(text) => named.extend(normal(&text)),
            serde_json::Value::Array(items) => values.extend(items),
            serde_json::Value::Object(map) => values.extend(map.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    // A path has a bound (spec project-yaml.md 14); longer words are texts.
    named.retain(|path| path.len() <= 1024);
    named
}

/// Where a reference stands.
pub(super) struct Place<'a> {
    pub(super) tree: &'a CodeTree,
    /// The file that holds it; empty if it stands in the command.
    pub(super) file: &'a str,
    /// The folder of the script that was started.
    pub(super) script_folder: &'a str,
}

impl Place<'_> {
    /// The paths that a reference may lead to, those that are looked at before the one that is there included.
    pub(super) fn candidates(&self, reference: &Reference) -> Vec<String> {
        match reference {
            Reference::File { path, from } => self.file_candidates(path, *from),
            Reference::Module { name, dots: 0, names } => {
                let mut candidates = Vec::new();
                let mut bases = vec![self.script_folder, ""];
                bases.dedup();
                for base in bases {
                    module_candidates(base, name, names, &mut candidates);
                    let top = join(base, name.split('.').next().unwrap_or(name));
                    if self.tree.get(&format!("{top}.py")).is_some() || self.has_folder(&top) {
                        break;
                    }
                }
                candidates
            }
            Reference::Module { name, dots, names } => {
                let mut package = parent(self.file);
                for _ in 1..*dots {
                    package = parent(package);
                }
                let mut candidates = vec![join(package, "__init__.py")];
                module_candidates(package, name, names, &mut candidates);
                candidates
            }
        }
    }

    fn file_candidates(&self, path: &str, from: Start) -> Vec<String> {
        let root = normal(path);
        let beside = if path.starts_with('/') { None } else { normal(&join(parent(self.file), path)) };
        let order = match from {
            Start::Root => [root, None],
            Start::RootThenBeside => [root, beside],
            Start::BesideThenRoot => [beside, root],
        };
        let mut candidates = Vec::new();
        for candidate in order.into_iter().flatten() {
            let is_there = self.tree.get(&candidate).is_some();
            candidates.push(candidate);
            if is_there {
                break;
            }
        }
        candidates
    }

    fn has_folder(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        let files = self.tree.files();
        let at = files.partition_point(|file| file.path < prefix);
        files.get(at).is_some_and(|file| file.path.starts_with(&prefix))
    }
}

/// `a.b` with the names taken from it, looked for in one folder: each part as a module or a package.
fn module_candidates(base: &str, name: &str, names: &[String], candidates: &mut Vec<String>) {
    let mut folder = base.to_owned();
    for part in name.split('.').filter(|part| !part.is_empty()) {
        folder = join(&folder, part);
        candidates.push(format!("{folder}/__init__.py"));
        candidates.push(format!("{folder}.py"));
    }
    for name in names {
        let inner = join(&folder, name);
        candidates.push(format!("{inner}/__init__.py"));
        candidates.push(format!("{inner}.py"));
    }
}
