//! The result when there is neither database nor dummy data: the header of the query and one row of blanks.
//! Only the names of the columns are known then (actions.md 7.1, 7.4).

use std::collections::HashMap;
use std::io::Write;

use crate::csv::{LineEnd, RecordWriter};
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;

use super::options::Options;
use super::output::Stop;
use super::query_file::QueryFile;
use super::sql::{self, Column};

/// The column names of the query, fit for a csv file.
pub(crate) fn of_query(query: &QueryFile, options: &Options, stderr: &mut dyn Write) -> Result<Vec<String>, Fault> {
    let sql::Columns { columns, assumed } = sql::columns(query, options.compat)?;
    warn_of_unnamed(&query.name, &columns, stderr);
    if !assumed.is_empty() {
        let tables = assumed.join(", ");
        let message = format!("* in {} stands for the columns that are known of {tables}", query.name);
        warn(stderr, &format!("{message}; a database may have others\n  help: name the columns in the SELECT list"));
    }
    let mut first_at = HashMap::new();
    for (at, column) in columns.iter().enumerate() {
        if let Some(first) = first_at.insert(column.name.as_str(), at) {
            let (first, second) = (first + 1, at + 1);
            let message = format!(
                "columns {first} and {second} of the query in {} have the same name '{}'",
                query.name, column.name
            );
            let fault = Fault::new(FaultCode::BadColumns, Exit::Unreadable, message);
            return Err(fault.help("give one of them another name with AS"));
        }
    }
    Ok(columns.into_iter().map(|column| column.name).collect())
}

pub(crate) fn warn_of_unnamed(file: &str, columns: &[Column], stderr: &mut dyn Write) {
    for (at, column) in columns.iter().enumerate().filter(|(_, column)| !column.named) {
        let message =
            format!("column {} of the query in {file} has no name; here it is called {}", at + 1, column.name);
        warn(stderr, &format!("{message}, but a database run will refuse it\n  help: give it a name with AS"));
    }
}

pub(crate) fn write(names: &[String], out: &mut dyn Write) -> Result<(), Stop> {
    let mut writer = RecordWriter::new(out, LineEnd::CrLf);
    writer.record(names.iter().map(String::as_bytes))?;
    Ok(writer.record(names.iter().map(|_| b"".as_slice()))?)
}
