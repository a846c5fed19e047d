//! Every key of cloister.toml: its type, its default, and whether a study may set it.
//! Spec cli.md 11; a new setting is a new row.

use serde_json::{Map, Value, json};

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number from 1.
    Count,
    /// A number from 1, or the word `auto`.
    CountOrAuto,
    /// Bytes, such as `4G`.
    Size,
    /// A time, such as `20m`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A text that its command understands.
    Text,
    /// A list of texts.
    Texts,
}

/// Whether the cloister.toml beside a project.yaml, which comes with code the user did not write, may set a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Study {
    /// It may.
    May,
    /// It may not: X302.
    MayNot,
    /// Only to this value, which tightens.
    Only(&'static str),
}

/// One row.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) study: Study,
}

/// The table. `runtime."name:tag".path` is not a row: its middle part is free.
pub(crate) const KEYS: &[Key] = &[
    Key { name: "run.concurrency", kind: Kind::CountOrAuto, default: "2", study: Study::May },
    Key { name: "run.memory", kind: Kind::Size, default: "4G", study: Study::May },
    Key { name: "run.cpus", kind: Kind::Count, default: "2", study: Study::May },
    Key { name: "run.stale", kind: Kind::Word(&["rerun", "keep"]), default: "rerun", study: Study::May },
    Key { name: "run.timeout", kind: Kind::Duration, default: "", study: Study::May },
    Key { name: "run.isolation", kind: Kind::Word(&["auto", "namespaces"]), default: "auto", study: Study::MayNot },
    Key { name: "actions.url", kind: Kind::Text, default: "", study: Study::MayNot },
    Key { name: "actions.org", kind: Kind::Text, default: jobs::reusable::ORGANISATION, study: Study::MayNot },
    Key { name: "check.allow", kind: Kind::Texts, default: "", study: Study::May },
    Key { name: "check.deny", kind: Kind::Texts, default: "", study: Study::May },
    // How measures print sums of truth values: 253.0 or 253 (study-definitions.md 11).
    Key { name: "cohortextractor.era", kind: Kind::Word(&["2021", "2022"]), default: "2021", study: Study::May },
    Key { name: "codelists.url", kind: Kind::Text, default: "https://www.opencodelists.org", study: Study::MayNot },
    Key { name: "codelists.mirror", kind: Kind::Text, default: "", study: Study::MayNot },
    Key { name: "codelists.parallel", kind: Kind::Count, default: "8", study: Study::May },
    Key { name: "network.offline", kind: Kind::Flag, default: "false", study: Study::Only("true") },
    Key { name: "ui.color", kind: Kind::Word(&["auto", "always", "never"]), default: "auto", study: Study::MayNot },
    Key {
        name: "ui.progress",
        kind: Kind::Word(&["auto", "bars", "plain", "none"]),
        default: "auto",
        study: Study::MayNot,
    },
];

/// The table as a JSON Schema.
pub(super) fn schema() -> Value {
    let mut sections: Map<String, Value> = Map::new();
    for key in KEYS {
        let Some((section, name)) = key.name.split_once('.') else { continue };
        let count = json!({"type": "integer", "minimum": 1});
        let mut about = match key.kind {
            Kind::Count => count,
            Kind::CountOrAuto => json!({"anyOf": [count, {"const": "auto"}]}),
            Kind::Size => json!({"type": ["string", "integer"], "description": "Bytes, such as \"4G\"; at least 64M."}),
            Kind::Duration => json!({"type": "string", "pattern": "^[0-9]+[smhd]$"}),
            Kind::Word(words) => json!({"enum": words}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Text => json!({"type": "string"}),
            Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        };
        let who = match key.study {
            Study::May => "A study may set it.".to_owned(),
            Study::MayNot => "Only in your own settings file.".to_owned(),
            Study::Only(value) => format!("A study may only set it to {value}."),
        };
        let before = about["description"].as_str().map_or(String::new(), |text| format!("{text} "));
        about["description"] = format!("{before}{who}").into();
        if !key.default.is_empty() {
            about["default"] = match key.kind {
                Kind::Flag => (key.default == "true").into(),
                Kind::Count | Kind::CountOrAuto => key.default.parse::<u64>().map_or(key.default.into(), Value::from),
                _ => key.default.into(),
            };
        }
        let section = sections
            .entry(section)
            .or_insert_with(|| json!({"type": "object", "additionalProperties": false, "properties": {}}));
        section["properties"][name] = about;
    }
    let runtime = json!({
        "description": "Runtimes of your own by name:tag. Only in your own settings file.",
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["path"],
            "properties": {"path": {"type": "string", "description": "An environment: a folder with bin/."}},
        },
    });
    sections.insert("runtime".to_owned(), runtime);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cloister.toml",
        "description": "Settings of the program cloister, of a user or of a study.",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

/// Bytes from a number with an optional fraction and K, M, G or T (powers of 1024; `B` or `iB` may follow).
pub(crate) fn size(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let number: f64 = lower[..digits].parse().ok()?;
    let unit = lower[digits..].trim();
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit);
    let factor = match unit {
        "" => 1.0,
        "k" => 1024.0,
        "m" => 1024.0 * 1024.0,
        "g" => 1024.0 * 1024.0 * 1024.0,
        "t" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * factor;
    (bytes.is_finite() && bytes < 9e18).then_some(bytes as u64)
}

/// A time from a whole number and s, m, h or d.
pub(crate) fn duration(text: &str) -> Option<std::time::Duration> {
    let text = text.trim();
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return None,
    };
    let number: u64 = text[..text.len() - 1].parse().ok()?;
    number.checked_mul(seconds).filter(|&s| s > 0 && s < 10_000_000_000).map(std::time::Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("4G"), Some(4 << 30));
        assert_eq!(size("1.5m"), Some(3 << 19));
        assert_eq!(size("64MiB"), Some(64 << 20));
        assert_eq!(size("10 kb"), Some(10240));
        assert_eq!(size("123"), Some(123));
        for bad in ["", "G", "-1G", "4X", "1..2G", "nan", "1e9"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s").map(|d| d.as_secs()), Some(90));
        assert_eq!(duration("20m").map(|d| d.as_secs()), Some(1200));
        assert_eq!(duration("6h").map(|d| d.as_secs()), Some(21600));
        for bad in ["", "s", "0s", "10", "-5m", "5 minutes", "é"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
