//! Reads a catalogue file; its form is described at its own head.
//! Strict: an unknown word, a repeated name or a reference to no table is an error with its line.

use std::collections::{HashMap, HashSet};

use super::{Catalogue, CatalogueError, Class, Column, ColumnKind, PATIENT_ID, Table};

pub(super) fn parse(text: &str) -> Result<Catalogue, CatalogueError> {
    let mut tables: Vec<Table> = Vec::new();
    let mut aliases = HashMap::new();
    let mut names = HashSet::new();
    for (at, line) in text.lines().enumerate() {
        let fail = |what: String| CatalogueError { line: at + 1, what };
        let words: Vec<&str> = line.split_whitespace().collect();
        let [first, rest @ ..] = words.as_slice() else { continue };
        if first.starts_with('#') {
            continue;
        }
        if line.starts_with(' ') {
            let table = tables.last_mut().ok_or_else(|| fail("columns before the first table".into()))?;
            for word in words {
                columns(word, table).map_err(fail)?;
            }
            continue;
        }
        match (*first, rest) {
            ("P" | "R", [name, flags @ ..]) => tables.push(table(first, name, flags).map_err(fail)?),
            ("copy", [name, of]) => {
                let original = tables.iter().find(|t| t.name == *of).ok_or_else(|| fail(format!("no table {of}")))?;
                tables.push(Table { name: (*name).into(), ..original.clone() });
            }
            ("alias", [other, name]) => {
                aliases.insert(other.to_ascii_lowercase(), (*name).to_owned());
                continue;
            }
            _ => return Err(fail(format!("cannot read {line:?}"))),
        }
        if let Some(table) = tables.last()
            && !names.insert(table.name.to_ascii_lowercase())
        {
            return Err(fail(format!("table {} stands here twice", table.name)));
        }
    }
    for table in &tables {
        let lost = table.columns.iter().filter_map(|c| c.refers.as_ref());
        if let Some(lost) = lost.into_iter().find(|t| !names.contains(&t.to_ascii_lowercase())) {
            return Err(CatalogueError {
                line: 0,
                what: format!("{} refers to {lost}, which is no table", table.name),
            });
        }
    }
    Ok(Catalogue::new(tables, aliases, text))
}

fn table(class: &str, name: &str, flags: &[&str]) -> Result<Table, String> {
    let mut table = Table {
        name: name.into(),
        class: if class == "P" { Class::Patient } else { Class::Reference },
        order: None,
        open: false,
        permission: None,
        columns: Vec::new(),
    };
    if class == "P" {
        table.columns.push(Column { name: PATIENT_ID.into(), kind: ColumnKind::Int64, key: false, refers: None });
    }
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match *flag {
            "one" => table.class = Class::OnePerPatient,
            "open" => table.open = true,
            "needs" => table.permission = Some(flags.next().ok_or("needs without permission")?.to_string()),
            "by" => table.order = Some(flags.next().ok_or("by without column")?.to_string()),
            other => return Err(format!("unknown word {other}")),
        }
    }
    Ok(table)
}

fn columns(word: &str, table: &mut Table) -> Result<(), String> {
    let (name, kind) = word.split_once(':').ok_or_else(|| format!("{word} has no type"))?;
    let (kind, refers) = match kind.split_once('>') {
        Some((kind, refers)) => (kind, Some(refers.to_owned())),
        None => (kind, None),
    };
    let kind = letter(kind).ok_or_else(|| format!("{kind} is no type"))?;
    let (name, key) = match name.strip_suffix('!') {
        Some(name) => (name, true),
        None => (name, false),
    };
    for name in expand(name)? {
        let column = Column { name: name.clone(), kind, key, refers: refers.clone() };
        match table.columns.iter_mut().find(|c| c.name.eq_ignore_ascii_case(&name)) {
            // the universe says that its Patient_ID is the key
            Some(known) if known.name == PATIENT_ID && key => *known = column,
            Some(_) => return Err(format!("{} has {name} twice", table.name)),
            None => table.columns.push(column),
        }
    }
    Ok(())
}

fn letter(letter: &str) -> Option<ColumnKind> {
    Some(match letter {
        "I" => ColumnKind::Int64,
        "i" => ColumnKind::Int32,
        "f" => ColumnKind::Double,
        "r" => ColumnKind::Real,
        "b" => ColumnKind::Bool,
        "d" => ColumnKind::Date,
        "t" => ColumnKind::Time,
        "s" => ColumnKind::Text,
        "S" => ColumnKind::Code,
        "C" => ColumnKind::CodeCi,
        _ => return None,
    })
}

/// `a_{x,y}` and `a_{01..24}` to all names; without braces the name itself.
fn expand(name: &str) -> Result<Vec<String>, String> {
    let Some((before, rest)) = name.split_once('{') else { return Ok(vec![name.to_owned()]) };
    let (inside, after) = rest.split_once('}').ok_or_else(|| format!("{name} has no closing brace"))?;
    let parts: Vec<String> = match inside.split_once("..") {
        None => inside.split(',').map(str::to_owned).collect(),
        Some((from, to)) => {
            let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text} is no number"));
            let width = if from.starts_with('0') && from.len() > 1 { from.len() } else { 0 };
            (number(from)?..=number(to)?).map(|n| format!("{n:0width$}")).collect()
        }
    };
    Ok(parts.iter().map(|part| format!("{before}{part}{after}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;

    fn count(name: &str) -> usize {
        Catalogue::tpp().table(name).unwrap().columns.len()
    }

    #[test]
    fn tpp_has_the_columns_that_the_specification_counts() {
        assert_eq!([count("APCS"), count("EC"), count("OPA")], [27, 28, 25]);
        assert_eq!([count("CPNS"), count("ICNARC")], [33, 39]);
        assert_eq!(count("EC_Diagnosis"), 51);
        assert_eq!(count("MSOA_PopulationEstimates_2019"), 95);
    }

    #[test]
    fn names_match_without_case_and_by_alias() {
        let tpp = Catalogue::tpp();
        let snomed = tpp.table("codedevent_snomed").unwrap();
        assert_eq!(tpp.column(snomed, "CONCEPTID").unwrap().name, "ConceptId");
        assert_eq!(tpp.column(snomed, "codingsystem").unwrap().name, "CodeSystemId");
        assert!(tpp.column(snomed, "CTV3Code").is_none());
        let deaths = tpp.table("ONS_Deaths").unwrap();
        assert_eq!(tpp.column(deaths, "ICD10015").unwrap().kind.value_type(), Type::Str);
        assert_eq!(tpp.column(deaths, "ICD10U").unwrap().name, "icd10u");
    }

    #[test]
    fn each_patient_table_begins_with_the_patient() {
        for table in Catalogue::tpp().tables() {
            let first = table.columns.first().map(|c| c.name.as_str());
            assert_eq!(table.class != Class::Reference, first == Some(PATIENT_ID), "{}", table.name);
            if let Some(order) = &table.order {
                assert!(table.columns.iter().any(|c| c.name == *order), "{}", table.name);
            }
        }
        assert_eq!(Catalogue::tpp().universe().unwrap().name, "Patient");
        assert!(Catalogue::tpp().universe().unwrap().key().is_some());
    }

    /// The list of warehouse.md 9; archived copies of hospital tables are not restricted.
    #[test]
    fn restricted_tables_name_their_permission() {
        let tables = Catalogue::tpp().tables().iter();
        let mut found: Vec<_> = tables.filter_map(|t| Some((t.permission.as_deref()?, t.name.as_str()))).collect();
        found.sort_unstable();
        let expected = [
            ("appointments", "Appointment"),
            ("covid_therapeutics", "Therapeutics"),
            ("icnarc", "ICNARC"),
            ("isaric", "ISARIC_New"),
            ("isaric", "ISARIC_Patient_Data_TopLine"),
            ("occupation_on_covid_vaccine_record", "HealthCareWorker"),
            ("open_prompt", "OpenPROMPT"),
            ("sgss_covid_all_tests", "SGSS_AllTests_Negative"),
            ("sgss_covid_all_tests", "SGSS_AllTests_Positive"),
            ("ukrr", "UKRR"),
            ("waiting_list", "WL_ClockStops"),
            ("waiting_list", "WL_Diagnostics"),
            ("waiting_list", "WL_OpenPathways"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_broken_catalogue_names_its_line() {
        let line = |text: &str| parse(text).unwrap_err().line;
        assert_eq!(line("  a:I"), 1);
        assert_eq!(line("P T\n  a:Q"), 2);
        assert_eq!(line("P T\n  a:I A:I"), 2);
        assert_eq!(line("P T\nP t"), 2);
        assert_eq!(line("P T\n  a_{1..x}:I"), 2);
        assert_eq!(line("P T\n  a:I>Nowhere"), 0);
        assert_eq!(line("P T needs"), 1);
        assert_eq!(line("Q T"), 1);
    }
}
