//! Whether dummy data has the columns that the query will give on a database (actions.md 7.3).
//! Says only what can be told from the SQL; what cannot be told is no difference.

use std::collections::HashSet;
use std::io::Write;

use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;

use super::dummy::Dummy;
use super::header::warn_of_unnamed;
use super::options::Options;
use super::query_file::QueryFile;
use super::sql::{self, Column};

/// Most names listed in one message.
const LISTED: usize = 10;

pub(crate) fn check(
    query: &QueryFile,
    dummy: &mut Dummy,
    options: &Options,
    stderr: &mut dyn Write,
) -> Result<(), Fault> {
    let Some(header) = dummy.header() else { return Ok(()) };
    let columns = match sql::columns(query, options.compat) {
        Ok(found) => found.columns,
        Err(fault) => {
            let unsure = "so the columns of the dummy data could not be compared with the query's";
            if fault.code != FaultCode::HeaderUnknown || options.strict_dummy {
                warn(stderr, &format!("{}, {unsure}\n{}", fault.message, place(&fault)));
            }
            return Ok(());
        }
    };
    warn_of_unnamed(&query.name, &columns, stderr);
    let header: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let differences = differences(&columns, &header);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the columns of the dummy data file {} are not those of the query in {}: {}",
        dummy.name(),
        query.name,
        differences.join("; ")
    );
    if options.strict_dummy {
        return Err(Fault::new(FaultCode::BadColumns, Exit::DummyBad, message)
            .help("make the header of the dummy data the query's"));
    }
    warn(stderr, &message);
    Ok(())
}

fn place(fault: &Fault) -> String {
    fault.snippet.as_ref().map(|snippet| snippet.to_string().trim_end().to_owned()).unwrap_or_default()
}

/// What differs, in words. A column without a name in the query can have any name in the dummy data.
fn differences(columns: &[Column], header: &[String]) -> Vec<String> {
    let wanted: Vec<&str> = columns.iter().filter(|column| column.named).map(|column| column.name.as_str()).collect();
    let unnamed = columns.len() - wanted.len();
    let (in_wanted, in_header): (HashSet<&str>, HashSet<&str>) =
        (wanted.iter().copied().collect(), header.iter().map(String::as_str).collect());
    let missing: Vec<&str> = wanted.iter().filter(|name| !in_header.contains(*name)).copied().collect();
    let extra: Vec<&str> = header.iter().map(String::as_str).filter(|name| !in_wanted.contains(name)).collect();
    let mut found = Vec::new();
    if !missing.is_empty() {
        found.push(format!("missing {}", list(&missing)));
    }
    if extra.len() > unnamed {
        found.push(format!("not in the query {}", list(&extra)));
    }
    let kept: Vec<&str> = header.iter().map(String::as_str).filter(|name| in_wanted.contains(name)).collect();
    if missing.is_empty() && kept != wanted {
        found.push(format!("the order differs, the query has {}", list(&wanted)));
    }
    found
}

fn list(names: &[&str]) -> String {
    let mut text = names.iter().take(LISTED).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(" and more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_apart() {
        let query = |names: &[&str]| {
            let column = |name: &&str| Column { name: (*name).to_owned(), named: !name.starts_with('_') };
            names.iter().map(column).collect::<Vec<_>>()
        };
        let told = |wanted: &[&str], header: &[&str]| {
            differences(&query(wanted), &header.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).join("; ")
        };
        assert_eq!(told(&["a", "b"], &["a", "b"]), "");
        assert_eq!(told(&["a", "b"], &["b", "a"]), "the order differs, the query has 'a', 'b'");
        assert_eq!(told(&["a", "b"], &["a"]), "missing 'b'");
        assert_eq!(told(&["a"], &["a", "c"]), "not in the query 'c'");
        assert_eq!(told(&["a"], &["A"]), "missing 'a'; not in the query 'A'");
        assert_eq!(told(&["a", "_col_1"], &["a", "whatever"]), "");
    }
}
