//! Which files of the code an action is known to read: the ones its command names, and the local modules that these load
//! by a literal name, transitively. Spec jobs.md 17.

mod lex;
mod notebook;
mod paths;
mod python;
mod rlang;
mod stata;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{CodeTree, KnownRead};
use paths::{Place, normal, parent};

/// Something a file loads by a literal name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reference {
    /// A Python module: its dotted name (empty for `from . import x`), how many leading dots, and the names taken from
    /// it, any of which may be a module too.
    Module { name: String, dots: usize, names: Vec<String> },
    /// A file.
    File { path: String, from: Start },
}

/// Where a path is looked for, in order; the first place that has the file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// The root of the workspace only.
    Root,
    /// The root, where commands run; then beside the file that names it.
    RootThenBeside,
    /// Beside the file that names it, where documents run; then the root.
    BesideThenRoot,
}

/// What kind of code a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    R,
    RMarkdown,
    Notebook,
    Stata,
}

impl Language {
    fn of(path: &str) -> Option<Self> {
        Some(match path.rsplit_once('.')?.1 {
            "py" => Self::Python,
            "R" | "r" => Self::R,
            "Rmd" | "rmd" | "qmd" => Self::RMarkdown,
            "ipynb" => Self::Notebook,
            "do" => Self::Stata,
            _ => return None,
        })
    }

    fn references(self, text: &str) -> Vec<Reference> {
        match self {
            Self::Python => python::references(text),
            Self::R => rlang::references(text, Start::RootThenBeside),
            Self::RMarkdown => notebook::in_markdown(text),
            Self::Notebook => notebook::in_json(text),
            Self::Stata => stata::references(text),
        }
    }
}

/// Files above this are data, whatever they are called: they are known to be read, but not looked into.
const LARGEST: usize = 1 << 20;

/// Gives the bytes of a file of the tree.
type Reader<'a> = dyn FnMut(&str) -> Option<Vec<u8>> + 'a;

/// Finds out what actions read. Each file is read and taken apart once, however many actions load it.
pub struct ReadScanner<'a> {
    tree: &'a CodeTree,
    read: Box<Reader<'a>>,
    parsed: BTreeMap<String, Arc<[Reference]>>,
}

impl<'a> ReadScanner<'a> {
    /// `read` gives the bytes of a file of the tree; `None` if it cannot.
    pub fn new(tree: &'a CodeTree, read: impl FnMut(&str) -> Option<Vec<u8>> + 'a) -> Self {
        Self { tree, read: Box::new(read), parsed: BTreeMap::new() }
    }

    /// What a command with these words, the first one `name:tag`, and this config is known to read. `more` are files known
    /// otherwise: a dummy data file, what a recording has read.
    ///
    /// Paths that do not exist are among them where their appearing would change what is read.
    pub fn known_read<'w>(
        &mut self,
        words: &[String],
        config: Option<&str>,
        more: impl IntoIterator<Item = &'w str>,
    ) -> KnownRead {
        let mut found = BTreeSet::new();
        let mut to_visit: Vec<(String, String)> = Vec::new();
        let name = |path: String, found: &mut BTreeSet<String>, to_visit: &mut Vec<_>| {
            let folder = parent(&path).to_owned();
            if found.insert(path.clone()) {
                to_visit.push((path, folder));
            }
        };
        for path in paths::named_by(words, config).into_iter().chain(more.into_iter().filter_map(normal)) {
            name(path, &mut found, &mut to_visit);
        }
        // Code and modules that stand in the command itself run from the root.
        let runtime = words.first().map_or("", |word| word.split(':').next().unwrap_or(""));
        let mut references = Vec::new();
        for pair in words.windows(2) {
            match (runtime, pair[0].as_str()) {
                ("python" | "jupyter", "-m") => {
                    let (name, names) = (pair[1].clone(), vec!["__main__".to_owned()]);
                    references.push(Reference::Module { name, dots: 0, names });
                }
                ("python" | "jupyter", "-c") => references.extend(python::references(&pair[1])),
                ("r", "-e") => references.extend(rlang::references(&pair[1], Start::RootThenBeside)),
                _ => {}
            }
        }
        let mut visited = BTreeSet::new();
        self.follow(&references, "", "", &mut found, &mut to_visit);
        while let Some((path, script_folder)) = to_visit.pop() {
            if !visited.insert((path.clone(), script_folder.clone())) {
                continue;
            }
            let references = self.references(&path);
            self.follow(&references, &path, &script_folder, &mut found, &mut to_visit);
        }
        found.into_iter().collect()
    }

    fn references(&mut self, path: &str) -> Arc<[Reference]> {
        if let Some(known) = self.parsed.get(path) {
            return known.clone();
        }
        let language = Language::of(path).filter(|_| self.tree.get(path).is_some());
        let found: Arc<[Reference]> = match language {
            Some(language) => match (self.read)(path) {
                Some(bytes) if bytes.len() <= LARGEST => language.references(&String::from_utf8_lossy(&bytes)).into(),
                _ => [].into(),
            },
            None => [].into(),
        };
        self.parsed.insert(path.to_owned(), found.clone());
        found
    }

    /// Adds where each reference of the file at `path` may lead, and queues what is there. `script_folder` is where the
    /// first script lies: Python looks there, not beside the module that imports.
    fn follow(
        &self,
        references: &[Reference],
        path: &str,
        script_folder: &str,
        found: &mut BTreeSet<String>,
        to_visit: &mut Vec<(String, String)>,
    ) {
        for reference in references {
            let place = Place { tree: self.tree, file: path, script_folder };
            for candidate in place.candidates(reference) {
                found.insert(candidate.clone());
                if self.tree.get(&candidate).is_some() {
                    // What is sourced or rendered runs as a script of its own; a module stays in its script's world.
                    let folder = match reference {
                        Reference::Module { .. } => script_folder.to_owned(),
                        Reference::File { .. } => parent(&candidate).to_owned(),
                    };
                    to_visit.push((candidate, folder));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
