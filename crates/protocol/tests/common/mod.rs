//! What the tests share: the golden files, and walks over values and schemas.
//! A golden file is a list of bodies of one kind of message, written by hand from the spec.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use protocol::directive::DirectiveKind;
use protocol::fact::FactKind;
use protocol::kinds::{self, Way};
use protocol::shape::{BadShape, Unknown};
use serde_json::Value;

/// Reads a body and writes it again.
pub type Again = Box<dyn Fn(&Value) -> Result<Value, BadShape>>;

/// A kind of message, whatever envelope it has.
pub struct Kind {
    pub name: String,
    pub way: Way,
    pub unknown: Unknown,
    pub schema: Value,
    pub again: Again,
}

pub fn kinds() -> Vec<Kind> {
    let facts = FactKind::ALL.iter().map(|&kind| Kind {
        name: format!("facts/{}", kind.name()),
        way: Way::Up,
        unknown: Unknown::Refused,
        schema: kind.schema().to_value(),
        again: Box::new(move |body| kinds::fact_again(kind, body)),
    });
    let directives = DirectiveKind::ALL.iter().map(|&kind| Kind {
        name: format!("directives/{}", kind.name()),
        way: Way::Down,
        unknown: Unknown::Ignored,
        schema: kind.schema().to_value(),
        again: Box::new(move |body| kinds::directive_again(kind, body)),
    });
    let messages = kinds::messages().into_iter().map(|kind| Kind {
        name: kind.name.to_owned(),
        way: kind.way,
        unknown: kind.unknown,
        schema: (kind.schema)().to_value(),
        again: Box::new(kind.again),
    });
    facts.chain(directives).chain(messages).collect()
}

pub fn room() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The golden bodies of each kind, of every released version.
pub fn golden() -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for version in fs::read_dir(room().join("golden")).unwrap() {
        let version = version.unwrap().path();
        for group in ["facts", "directives", "messages"] {
            for file in fs::read_dir(version.join(group)).unwrap() {
                let file = file.unwrap().path();
                let stem = file.file_stem().unwrap().to_str().unwrap();
                let bodies: Vec<Value> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
                found.entry(format!("{group}/{stem}")).or_default().extend(bodies);
            }
        }
    }
    found
}

/// The places of all leaves of a value. A list's entries are `[]`, an object's keys their names.
pub fn leaves(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| leaves(v, &format!("{at}[]"), found)),
        Value::Object(map) => map.iter().for_each(|(k, v)| leaves(v, &format!("{at}/{k}"), found)),
        _ => {
            found.insert(at.to_owned());
        }
    }
}

/// Pointers to every value of a kind of node.
pub fn pointers(value: &Value, wanted: fn(&Value) -> bool) -> Vec<String> {
    fn walk(value: &Value, at: &str, wanted: fn(&Value) -> bool, found: &mut Vec<String>) {
        if wanted(value) {
            found.push(at.to_owned());
        }
        match value {
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(i, v)| walk(v, &format!("{at}/{i}"), wanted, found))
            }
            Value::Object(map) => {
                let escaped = |k: &str| k.replace('~', "~0").replace('/', "~1");
                map.iter().for_each(|(k, v)| walk(v, &format!("{at}/{}", escaped(k)), wanted, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", wanted, &mut found);
    found
}

/// What a schema says may stand at each leaf: place → what, in words of the stored list.
pub fn allowed(schema: &Value, at: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let mut add = |what: String| {
        found.entry(at.to_owned()).or_default().insert(what);
    };
    if let Some(one) = schema.get("const") {
        add(one.to_string());
        return;
    }
    if let Some(Value::Array(closed)) = schema.get("enum") {
        closed.iter().for_each(|value| add(value.to_string()));
        return;
    }
    let mut known = false;
    for branches in ["oneOf", "anyOf", "allOf"] {
        for branch in schema.get(branches).and_then(Value::as_array).into_iter().flatten() {
            known = true;
            allowed(branch, at, found);
        }
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    assert!(schema.get("$ref").is_none(), "{at}: schemas are inlined");
    assert!(known || !types.is_empty(), "{at}: a schema that allows anything: {schema}");
    for one in types {
        match one {
            "null" => {
                found.entry(at.to_owned()).or_default().insert("null".into());
            }
            "boolean" => {
                found.entry(at.to_owned()).or_default().insert("true or false".into());
            }
            "integer" => {
                let (least, greatest) = (&schema["minimum"], &schema["maximum"]);
                assert!(least.is_u64() && greatest.is_u64(), "{at}: a number without bounds: {schema}");
                let what = schema["x-what"].as_str().unwrap_or_else(|| panic!("{at}: a number of no type"));
                found.entry(at.to_owned()).or_default().insert(format!("{what}, {least} to {greatest}"));
            }
            "string" => {
                let pattern = schema["pattern"].as_str().unwrap_or_else(|| panic!("{at}: a free text: {schema}"));
                let longest = schema["maxLength"].as_u64().unwrap_or_else(|| panic!("{at}: a text without an end"));
                let (what, source) = (schema["x-what"].as_str().unwrap(), schema["x-source"].as_str().unwrap());
                assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{at}: {pattern}");
                found
                    .entry(at.to_owned())
                    .or_default()
                    .insert(format!("{what} from {source}, at most {longest} characters"));
            }
            "array" => allowed(&schema["items"], &format!("{at}[]"), found),
            "object" => {
                for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    allowed(field, &format!("{at}/{name}"), found);
                }
                if let Some(names) = schema.get("propertyNames") {
                    allowed(names, &format!("{at}/*name*"), found);
                    allowed(&schema["additionalProperties"], &format!("{at}/*"), found);
                }
            }
            other => panic!("{at}: {other} is no type of a message"),
        }
    }
}
