//! Reads the compiled-in files of the function table.
//! A word that means nothing is an error, so that a slip in a file fails the first test.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::signature::{self, Slot};
use super::{ArgumentKind, Form, Function, Group, Mark, Parameter, Returned, Returns, Table, TypeWord};
use crate::model::System;

const PARAMETERS: &str = include_str!("../../functions/parameters.toml");
const ISARIC: &str = include_str!("../../functions/isaric.toml");
const GROUPS: [(Group, &str); 4] = [
    (Group::Person, include_str!("../../functions/person.toml")),
    (Group::Events, include_str!("../../functions/events.toml")),
    (Group::Hospital, include_str!("../../functions/hospital.toml")),
    (Group::Computed, include_str!("../../functions/computed.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParametersFile {
    groups: BTreeMap<String, String>,
    parameters: BTreeMap<String, ParameterEntry>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct ParameterEntry {
    kind: Option<ArgumentKind>,
    systems: Option<Vec<String>>,
    choices: Option<Vec<String>>,
    says: Option<String>,
    deprecated: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    function: Vec<FunctionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionEntry {
    name: String,
    query: Option<String>,
    part: Option<String>,
    uses: u32,
    mark: Option<String>,
    #[serde(default)]
    emis: bool,
    unavailable: Option<String>,
    summary: String,
    signature: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    period: Option<String>,
    example: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, ParameterEntry>,
    #[serde(default)]
    returning: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReturnedEntry {
    #[serde(rename = "type")]
    kind: String,
    uses: Option<u32>,
    says: String,
}

/// The whole table.
pub(super) fn load() -> Result<Table, String> {
    let shared: ParametersFile = toml::from_str(PARAMETERS).map_err(|e| e.to_string())?;
    let mut functions = Vec::new();
    for (group, text) in GROUPS {
        let file: GroupFile = toml::from_str(text).map_err(|e| e.to_string())?;
        for entry in file.function {
            let name = entry.name.clone();
            functions.push(function(entry, group, &shared).map_err(|e| format!("{name}: {e}"))?);
        }
    }
    Ok(Table { functions, isaric: isaric()? })
}

fn function(entry: FunctionEntry, group: Group, shared: &ParametersFile) -> Result<Function, String> {
    let slots = signature::parse(&entry.signature, &shared.groups)?;
    let parameters: Result<Vec<Parameter>, String> =
        slots.into_iter().map(|slot| parameter(slot, &entry.parameters, &shared.parameters)).collect();
    let parameters = parameters?;
    if let Some(stray) = entry.parameters.keys().find(|key| !parameters.iter().any(|p| p.name == **key)) {
        return Err(format!("no parameter {stray}"));
    }
    let returns = match (&entry.kind, entry.returning.is_empty()) {
        (Some(word), true) => returns(word)?,
        (None, false) => Returns::Choice(choices(entry.returning)?),
        _ => return Err("either `type` or `returning`".to_owned()),
    };
    let mark = match entry.mark.as_deref() {
        None => Mark::Must,
        Some("S") => Mark::Should,
        Some(other) => return Err(format!("mark {other}")),
    };
    Ok(Function {
        query: entry.query.unwrap_or_else(|| entry.name.clone()),
        name: entry.name,
        part: entry.part,
        group,
        uses: entry.uses,
        mark,
        emis: entry.emis,
        unavailable: entry.unavailable,
        summary: entry.summary,
        parameters,
        returns,
        period: entry.period,
        example: entry.example,
    })
}

fn parameter(
    slot: Slot,
    own: &BTreeMap<String, ParameterEntry>,
    shared: &BTreeMap<String, ParameterEntry>,
) -> Result<Parameter, String> {
    let both = [own.get(&slot.name), shared.get(&slot.name)];
    fn of<T>(both: [Option<&ParameterEntry>; 2], part: impl Fn(&ParameterEntry) -> Option<T>) -> Option<T> {
        both.into_iter().flatten().find_map(part)
    }
    let kind = of(both, |p| p.kind).ok_or_else(|| format!("no kind for {}", slot.name))?;
    let systems = of(both, |p| p.systems.clone()).unwrap_or_default();
    let systems: Option<Vec<System>> = systems.iter().map(|s| System::of(s)).collect();
    Ok(Parameter {
        kind,
        systems: systems.ok_or_else(|| format!("system of {}", slot.name))?,
        choices: of(both, |p| p.choices.clone()).unwrap_or_default(),
        says: of(both, |p| p.says.clone()).ok_or_else(|| format!("no words for {}", slot.name))?,
        deprecated: of(both, |p| p.deprecated.clone()),
        name: slot.name,
        form: slot.form,
        default: match slot.form {
            Form::Plain => slot.default,
            Form::Positional | Form::Keywords => None,
        },
    })
}

fn returns(word: &str) -> Result<Returns, String> {
    Ok(match word {
        "keys" => Returns::Keys,
        "inputs" => Returns::Inputs,
        "value" => Returns::Value,
        "returning_type" => Returns::ReturningType,
        "isaric" => Returns::Isaric,
        word => Returns::Always(type_word(word)?),
    })
}

fn choices(table: toml::Table) -> Result<Vec<Returned>, String> {
    let entries = table.into_iter().map(|(name, value)| {
        let entry: ReturnedEntry = value.try_into().map_err(|e: toml::de::Error| e.to_string())?;
        Ok(Returned { name, kind: type_word(&entry.kind)?, uses: entry.uses, says: entry.says })
    });
    entries.collect()
}

fn type_word(word: &str) -> Result<TypeWord, String> {
    Ok(match word {
        "bool" => TypeWord::Bool,
        "int" => TypeWord::Int,
        "float" => TypeWord::Float,
        "str" => TypeWord::Str,
        "date" => TypeWord::Date,
        "category 0" => TypeWord::Category(0),
        "category -1" => TypeWord::Category(-1),
        other => return Err(format!("type {other}")),
    })
}

fn isaric() -> Result<BTreeMap<String, TypeWord>, String> {
    let lists: BTreeMap<String, Vec<String>> = toml::from_str(ISARIC).map_err(|e| e.to_string())?;
    let mut columns = BTreeMap::new();
    for (word, names) in lists {
        let kind = type_word(&word)?;
        for name in names {
            let mut parts = name.splitn(2, '{');
            let before = parts.next().unwrap_or_default();
            let Some((middle, after)) = parts.next().and_then(|rest| rest.split_once('}')) else {
                columns.insert(name, kind);
                continue;
            };
            columns.extend(middle.split(' ').map(|middle| (format!("{before}{middle}{after}"), kind)));
        }
    }
    Ok(columns)
}
