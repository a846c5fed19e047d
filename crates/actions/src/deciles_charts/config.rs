//! `config:` of the action: what it may hold, merged over the defaults of a version (actions.md 6.1).
//! Every fault names the path of its key; all of them are told at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::fault::{Exit, Fault, FaultCode};

use super::profile::{Knows, Profile};

/// Longest title or axis label, in characters.
const MAX_TEXT: usize = 200;
/// Most keys below `measures`; a file can be no more than so many measures either.
const MAX_MEASURES: usize = 10_000;

/// The two formats of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    Png,
    Svg,
}

impl Format {
    /// How the names of its files end.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }
}

/// Words on a chart; empty = none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) title: String,
    pub(super) y_label: String,
}

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) outer: bool,
    pub(super) tables: bool,
    pub(super) charts: bool,
    /// Without repeats.
    pub(super) formats: Vec<Format>,
    labels: Labels,
    /// By measure; `None` where the general label holds.
    measures: BTreeMap<String, (Option<String>, Option<String>)>,
    pub(super) minimum_groups: u64,
}

impl Config {
    pub(super) fn defaults(profile: &Profile) -> Self {
        Self {
            outer: false,
            tables: profile.knows == Knows::Everything,
            charts: true,
            formats: if profile.svg { vec![Format::Png, Format::Svg] } else { vec![Format::Png] },
            labels: Labels::default(),
            measures: BTreeMap::new(),
            minimum_groups: profile.minimum_groups,
        }
    }

    /// The words on the chart of one measure.
    pub(super) fn labels(&self, id: &str) -> Labels {
        let (title, y_label) = self.measures.get(id).cloned().unwrap_or_default();
        Labels {
            title: title.unwrap_or_else(|| self.labels.title.clone()),
            y_label: y_label.unwrap_or_else(|| self.labels.y_label.clone()),
        }
    }

    /// The measures that have words of their own.
    pub(super) fn named_measures(&self) -> impl Iterator<Item = &str> {
        self.measures.keys().map(String::as_str)
    }
}

/// Reads the JSON. The warnings are to be said whatever the result.
pub(super) fn read(json: &str, profile: &Profile) -> (Result<Config, Vec<Fault>>, Vec<String>) {
    let mut reader = Reader { config: Config::defaults(profile), faults: Vec::new(), warnings: Vec::new() };
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(root)) => reader.root(&root, profile.knows),
        Ok(other) => reader.wrong("config", &other, "an object of keys, such as {\"charts\": {\"output\": true}}"),
        Err(error) => {
            let message = format!("--config is not JSON: {error}");
            reader.faults.push(bad_config(message).help("write config: in project.yaml, or JSON in quotes by hand"));
        }
    }
    match reader.faults.is_empty() {
        true => (Ok(reader.config), reader.warnings),
        false => (Err(reader.faults), reader.warnings),
    }
}

fn bad_config(message: String) -> Fault {
    Fault::new(FaultCode::BadConfig, Exit::Arguments, message)
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing (null)".to_owned(),
        Value::Bool(b) => format!("{b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

struct Reader {
    config: Config,
    faults: Vec<Fault>,
    warnings: Vec<String>,
}

impl Reader {
    fn wrong(&mut self, path: &str, found: &Value, expected: &str) {
        self.faults.push(bad_config(format!("`{path}` is {}; expected {expected}", kind(found))));
    }

    fn unknown(&mut self, path: &str, key: &str, known: &[&str]) {
        let full = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let short: String = key.chars().take(64).collect();
        let near = known.iter().map(|name| (strsim::damerau_levenshtein(&short.to_lowercase(), name), *name)).min();
        let fault = bad_config(format!("`{full}` is not a key of this action's config"));
        self.faults.push(match near {
            Some((distance, name)) if distance <= 3.max(name.len() / 2) => {
                fault.help(format!("did you mean `{name}`? known here: {}", known.join(", ")))
            }
            _ => fault.help(format!("known here: {}", known.join(", "))),
        });
    }

    fn flag(&mut self, path: &str, value: &Value) -> Option<bool> {
        match value {
            Value::Bool(flag) => Some(*flag),
            other => {
                self.wrong(path, other, "true or false");
                None
            }
        }
    }

    fn text(&mut self, path: &str, value: &Value) -> Option<String> {
        let expected = format!("a text of at most {MAX_TEXT} characters");
        match value {
            Value::String(text) if text.chars().count() <= MAX_TEXT => {
                Some(text.chars().map(|c| if crate::text::is_hostile(c) { ' ' } else { c }).collect())
            }
            Value::String(_) => {
                self.faults.push(bad_config(format!("`{path}` is too long; expected {expected}")));
                None
            }
            other => {
                self.wrong(path, other, &expected);
                None
            }
        }
    }

    fn object<'a>(&mut self, path: &str, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong(path, value, "an object of keys");
        }
        object
    }

    /// Whether the version knew a key; a newer key is taken and does nothing (actions.md 2.3).
    fn knew(&mut self, path: &str, knows: Knows, since: Knows) -> bool {
        if knows < since {
            self.warnings.push(format!("this version does not know `{path}` in its config; it does nothing"));
        }
        knows >= since
    }

    fn root(&mut self, root: &Map<String, Value>, knows: Knows) {
        const KEYS: &[&str] = &["show_outer_percentiles", "tables", "charts", "measures", "minimum_groups"];
        for (key, value) in root {
            let before = self.config.clone();
            let since = match key.as_str() {
                "show_outer_percentiles" => {
                    self.config.outer = self.flag(key, value).unwrap_or_default();
                    Knows::OuterPercentiles
                }
                "tables" => {
                    self.tables(value);
                    Knows::Everything
                }
                "charts" => {
                    self.charts(value, knows);
                    Knows::Charts
                }
                "measures" => {
                    self.measures(value);
                    Knows::Everything
                }
                "minimum_groups" => {
                    match value.as_u64() {
                        Some(minimum) => self.config.minimum_groups = minimum,
                        None => self.wrong(key, value, "a whole number, 0 or more"),
                    }
                    Knows::Everything
                }
                _ => {
                    self.unknown("", key, KEYS);
                    continue;
                }
            };
            if !self.knew(key, knows, since) {
                self.config = before;
            }
        }
    }

    fn tables(&mut self, value: &Value) {
        let Some(keys) = self.object("tables", value) else { return };
        for (key, value) in keys {
            match key.as_str() {
                "output" => self.config.tables = self.flag("tables.output", value).unwrap_or_default(),
                _ => self.unknown("tables", key, &["output"]),
            }
        }
    }

    fn charts(&mut self, value: &Value, knows: Knows) {
        let Some(keys) = self.object("charts", value) else { return };
        for (key, value) in keys {
            let path = format!("charts.{key}");
            let newer = matches!(key.as_str(), "formats" | "title" | "y_label");
            let before = self.config.clone();
            match key.as_str() {
                "output" => self.config.charts = self.flag(&path, value).unwrap_or_default(),
                "formats" => self.formats(&path, value),
                "title" => self.config.labels.title = self.text(&path, value).unwrap_or_default(),
                "y_label" => self.config.labels.y_label = self.text(&path, value).unwrap_or_default(),
                _ => self.unknown("charts", key, &["output", "formats", "title", "y_label"]),
            }
            if newer && knows == Knows::Charts && !self.knew(&path, knows, Knows::Everything) {
                self.config = before;
            }
        }
    }

    fn formats(&mut self, path: &str, value: &Value) {
        const EXPECTED: &str = "a list of \"png\" and \"svg\"";
        let Some(list) = value.as_array() else { return self.wrong(path, value, EXPECTED) };
        let mut formats = Vec::new();
        for (at, item) in list.iter().enumerate() {
            match item.as_str() {
                Some("png") => formats.push(Format::Png),
                Some("svg") => formats.push(Format::Svg),
                Some(_) => {
                    let message = format!("`{path}[{at}]` is no format of a chart; expected \"png\" or \"svg\"");
                    self.faults.push(bad_config(message));
                }
                None => self.wrong(&format!("{path}[{at}]"), item, "\"png\" or \"svg\""),
            }
        }
        if list.is_empty() {
            let fault = bad_config(format!("`{path}` is an empty list; expected {EXPECTED}"));
            self.faults.push(fault.help("`charts.output: false` makes no charts"));
        }
        formats.sort_unstable();
        formats.dedup();
        self.config.formats = formats;
    }

    fn measures(&mut self, value: &Value) {
        let Some(ids) = self.object("measures", value) else { return };
        if ids.len() > MAX_MEASURES {
            return self.faults.push(bad_config(format!("`measures` has more than {MAX_MEASURES} keys")));
        }
        for (id, value) in ids {
            let path = format!("measures.{id}");
            let Some(keys) = self.object(&path, value) else { continue };
            let (mut title, mut y_label) = (None, None);
            for (key, value) in keys {
                let path = format!("{path}.{key}");
                match key.as_str() {
                    "title" => title = self.text(&path, value),
                    "y_label" => y_label = self.text(&path, value),
                    _ => self.unknown(&format!("measures.{id}"), key, &["title", "y_label"]),
                }
            }
            self.config.measures.insert(id.clone(), (title, y_label));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::{newest, resolve};
    use super::*;

    fn good(json: &str) -> Config {
        let (config, warnings) = read(json, newest());
        assert_eq!(warnings, Vec::<String>::new(), "{json}");
        config.unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
    }

    fn bad(json: &str) -> Vec<String> {
        read(json, newest()).0.expect_err(json).iter().map(Fault::render).collect()
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let defaults = Config::defaults(newest());
        assert!(defaults.tables && defaults.charts && !defaults.outer);
        for json in ["{}", r#"{"charts":{}}"#, r#"{"tables":{},"charts":{}}"#, r#"{"measures":{}}"#] {
            assert_eq!(good(json), defaults, "{json}");
        }
        let config = good(r#"{"charts":{"output":false},"show_outer_percentiles":true}"#);
        assert_eq!((config.charts, config.tables, config.outer), (false, true, true));
    }

    #[test]
    fn labels_of_a_measure_go_before_the_general_ones() {
        let config =
            good(r#"{"charts":{"title":"All","y_label":"Rate"},"measures":{"bp":{"title":"BP"},"x":{"title":""}}}"#);
        let labels = |id| (config.labels(id).title, config.labels(id).y_label);
        assert_eq!(labels("bp"), ("BP".to_owned(), "Rate".to_owned()));
        assert_eq!(labels("x"), (String::new(), "Rate".to_owned()));
        assert_eq!(labels("other"), ("All".to_owned(), "Rate".to_owned()));
    }

    #[test]
    fn formats_are_a_set() {
        assert_eq!(good(r#"{"charts":{"formats":["svg","png","svg"]}}"#).formats, [Format::Png, Format::Svg]);
        assert!(bad(r#"{"charts":{"formats":[]}}"#)[0].contains("`charts.formats` is an empty list"));
        assert!(bad(r#"{"charts":{"formats":["pdf"]}}"#)[0].contains("`charts.formats[0]`"));
    }

    #[test]
    fn faults_name_path_found_and_expected_and_come_together() {
        let faults = bad(r#"{"charts":{"outptu":true,"output":"yes"},"tables":1,"minimum_groups":-1,"xyz":0}"#);
        assert_eq!(faults.len(), 5);
        assert_eq!(
            faults[0],
            "error[bad_config]: `charts.outptu` is not a key of this action's config\n  \
             help: did you mean `output`? known here: output, formats, title, y_label\n"
        );
        assert_eq!(faults[1], "error[bad_config]: `charts.output` is a text; expected true or false\n");
        assert_eq!(faults[2], "error[bad_config]: `tables` is the number 1; expected an object of keys\n");
        assert!(faults[3].contains("`minimum_groups` is the number -1; expected a whole number, 0 or more"));
        assert!(faults[4].contains("help: known here: show_outer_percentiles, tables"), "{}", faults[4]);
        for json in ["", "{", "[]", "null", "1", "\"x\"", "{\"a\":1}{}"] {
            assert_eq!(bad(json).len(), 1, "{json}");
        }
        let long = format!(r#"{{"charts":{{"title":"{}"}}}}"#, "x".repeat(201));
        assert!(bad(&long)[0].contains("at most 200 characters"));
    }

    #[test]
    fn an_old_version_takes_newer_keys_and_does_nothing_with_them() {
        let json = r#"{"show_outer_percentiles":true,"tables":{"output":true},"charts":{"output":false,"title":"T"}}"#;
        let old = |version: &str| {
            let profile = resolve(Some(version)).expect("a version").profile;
            let (config, warnings) = read(json, profile);
            let config = config.expect("it is accepted");
            (config.outer, config.tables, config.charts, config.labels("x").title, warnings.len())
        };
        assert_eq!(old("v0.0.11"), (false, false, true, String::new(), 3));
        assert_eq!(old("v0.0.13"), (true, false, true, String::new(), 2));
        assert_eq!(old("v0.0.14"), (true, false, false, String::new(), 2));
        assert_eq!(old("v0.0.15"), (true, true, false, "T".to_owned(), 0));
    }
}
