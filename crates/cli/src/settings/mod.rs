//! Settings from files, environment and defaults, each with where it came from. Spec cli.md 11.
//! Options of the command line win over all of these; each command applies its own.

mod keys;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keys::{KEYS, Key, Kind, Study};
pub(crate) use keys::{duration, size};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Environment(String),
}

/// A settings file that cannot be used (X303), or a value that makes no sense.
#[derive(Debug, Clone, thiserror::Error)]
#[error("error[X303]: {place}: {message}\n  = help: {help}")]
pub(crate) struct Fault {
    place: String,
    message: String,
    help: String,
}

/// All effective settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    values: BTreeMap<&'static str, (Vec<String>, Source)>,
    /// X301 and X302, to be shown once.
    pub(crate) warnings: Vec<String>,
    /// X303: what cannot be used; the key keeps the value that it had before.
    pub(crate) faults: Vec<Fault>,
    /// Paths of the user's own environments by `name:tag`.
    pub(crate) runtimes: BTreeMap<String, PathBuf>,
}

impl Settings {
    /// Reads the user's file (or `instead`), the study's file, then the environment; later wins.
    pub(crate) fn read(instead: Option<&Path>, study: Option<&Path>) -> Self {
        let mut settings = Self::default();
        for key in KEYS {
            let default = if key.default.is_empty() { Vec::new() } else { vec![key.default.to_owned()] };
            settings.values.insert(key.name, (default, Source::Default));
        }
        match instead {
            Some(path) => settings.take(path, false, true),
            None => {
                if let Some(path) = user_file() {
                    settings.take(&path, false, false);
                }
            }
        }
        if let Some(folder) = study {
            settings.take(&folder.join("cloister.toml"), true, false);
        }
        for key in KEYS {
            let name = format!("CLOISTER_{}", key.name.to_ascii_uppercase().replace('.', "_"));
            if let Ok(text) = std::env::var(&name) {
                let values = match key.kind {
                    Kind::Texts => text.split(',').map(|part| part.trim().to_owned()).collect(),
                    _ => vec![text],
                };
                match check(key, &values, &name) {
                    Ok(()) => {
                        settings.values.insert(key.name, (values, Source::Environment(name)));
                    }
                    Err(fault) => settings.faults.push(fault),
                }
            }
        }
        settings
    }

    /// Reads a file; one that cannot be read at all is a fault like any other.
    fn take(&mut self, path: &Path, of_study: bool, must_exist: bool) {
        if let Err(fault) = self.file(path, of_study, must_exist) {
            self.faults.push(fault);
        }
    }

    fn file(&mut self, path: &Path, of_study: bool, must_exist: bool) -> Result<(), Fault> {
        let place = path.display().to_string();
        // A person may keep settings behind a link; what a study brings is opened as such.
        let read = if of_study {
            crate::project::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        } else {
            std::fs::read_to_string(path)
        };
        let text = match read {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_exist => return Ok(()),
            Err(e) => {
                let help = "name a readable TOML file".to_owned();
                return Err(Fault { place, message: format!("cannot be read: {e}"), help });
            }
        };
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Fault {
                place: format!("{place}:{line}"),
                message: format!("not valid TOML: {}", e.message()),
                help: "mend this line; `cloister schema config` lists every key".to_owned(),
            }
        })?;
        for (section, value) in &table {
            match value {
                toml::Value::Table(entries) if section == "runtime" => {
                    self.runtime_paths(entries, of_study, path, &text);
                }
                toml::Value::Table(entries) => {
                    for (name, value) in entries {
                        self.entry(&format!("{section}.{name}"), value, of_study, path, &text);
                    }
                }
                _ => self.unknown(section, &format!("{place}:{}", line_of(&text, section))),
            }
        }
        Ok(())
    }

    fn entry(&mut self, name: &str, value: &toml::Value, of_study: bool, path: &Path, text: &str) {
        let line = line_of(text, name.rsplit('.').next().unwrap_or(name));
        let place = format!("{}:{line}", path.display());
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            self.unknown(name, &place);
            return;
        };
        let values: Vec<String> = match (key.kind, value) {
            (Kind::Texts, toml::Value::Array(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            (_, toml::Value::String(text)) => vec![text.clone()],
            (Kind::Count | Kind::CountOrAuto | Kind::Size, toml::Value::Integer(n)) => vec![n.to_string()],
            (Kind::Flag, toml::Value::Boolean(b)) => vec![b.to_string()],
            _ => vec![value.to_string()],
        };
        let allowed = match key.study {
            Study::May => true,
            Study::MayNot => !of_study,
            Study::Only(word) => !of_study || values == [word],
        };
        // What a study may not set is ignored, whatever stands there.
        if !allowed {
            self.warnings.push(format!(
                "warning[X302]: {place}: a study may not set `{name}`; ignored. Set it in your own settings file."
            ));
            return;
        }
        match check(key, &values, &place) {
            Ok(()) => {
                self.values.insert(key.name, (values, Source::File { path: path.to_owned(), line }));
            }
            Err(fault) => self.faults.push(fault),
        }
    }

    fn runtime_paths(&mut self, entries: &toml::Table, of_study: bool, path: &Path, text: &str) {
        for (reference, value) in entries {
            let place = format!("{}:{}", path.display(), line_of(text, reference));
            match value.get("path").and_then(toml::Value::as_str) {
                _ if of_study => self
                    .warnings
                    .push(format!("warning[X302]: {place}: a study may not set `runtime.\"{reference}\"`; ignored.")),
                Some(folder) => {
                    self.runtimes.insert(reference.clone(), PathBuf::from(folder));
                }
                None => self.unknown(&format!("runtime.\"{reference}\" without a path"), &place),
            }
        }
    }

    fn unknown(&mut self, name: &str, place: &str) {
        let near = pipeline::nearest(name, KEYS.iter().map(|key| key.name));
        let hint = near.first().map_or(String::new(), |near| format!(" Did you mean `{near}`?"));
        self.warnings.push(format!("warning[X301]: {place}: there is no setting `{name}`; ignored.{hint}"));
    }

    /// The values of a list, or the one value, of a key of the table.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], |(values, _)| values)
    }

    /// The value of a key of the table, if it has one.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.list(name).first().map(String::as_str)
    }

    /// Every key with its value and source, for `info --config`.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &[String], &Source)> {
        self.values.iter().map(|(name, (values, source))| (*name, values.as_slice(), source))
    }
}

fn check(key: &Key, values: &[String], place: &str) -> Result<(), Fault> {
    let good = |value: &String| match key.kind {
        Kind::Count => value.parse::<u32>().is_ok_and(|n| n > 0),
        Kind::CountOrAuto => value == "auto" || value.parse::<u32>().is_ok_and(|n| n > 0),
        Kind::Size => size(value).is_some_and(|bytes| bytes >= 64 << 20),
        Kind::Duration => duration(value).is_some(),
        Kind::Word(words) => words.contains(&value.as_str()),
        Kind::Flag => value == "true" || value == "false",
        Kind::Text | Kind::Texts => true,
    };
    let Some(bad) = values.iter().find(|value| !good(value)) else { return Ok(()) };
    let expected = match key.kind {
        Kind::Count => "a whole number from 1".to_owned(),
        Kind::CountOrAuto => "a whole number from 1, or \"auto\"".to_owned(),
        Kind::Size => "a size of at least 64M, such as \"512M\" or \"4G\"".to_owned(),
        Kind::Duration => "a time such as \"90s\", \"20m\" or \"6h\"".to_owned(),
        Kind::Word(words) => format!("one of {}", words.join(", ")),
        Kind::Flag => "true or false".to_owned(),
        Kind::Text | Kind::Texts => "text".to_owned(),
    };
    let mut help = format!("`{}` takes {expected}", key.name);
    if key.name == "run.isolation" && bad == "none" {
        help.push_str("; running without isolation must be asked for each time, with --isolation none");
    }
    Err(Fault { place: place.to_owned(), message: format!("`{} = {bad}` makes no sense", key.name), help })
}

/// The JSON Schema of cloister.toml, from the table of keys.
pub(crate) fn schema() -> serde_json::Value {
    keys::schema()
}

fn line_of(text: &str, word: &str) -> usize {
    text.lines()
        .position(|line| line.trim_start().trim_start_matches(['[', '"']).starts_with(word))
        .map_or(1, |i| i + 1)
}

fn user_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(folder.join("cloister").join("cloister.toml"))
}
