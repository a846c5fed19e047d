//! What can be told from the text of a query alone: the names of its columns (actions.md 7.4).
//! The text is hostile: parsing has bounds on size, nesting, stack and time, and never panics.

mod dialect;
mod naming;
mod parse;
mod relations;
mod scope;
mod script;
mod split;

use std::sync::mpsc;
use std::time::Duration;

use crate::fault::{Exit, Fault, FaultCode, Snippet};

use super::query_file::QueryFile;
use crate::files::Compat;

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name, or `_col_` and its position.
    pub(crate) name: String,
    /// Whether the query gives it a name.
    pub(crate) named: bool,
}

/// What the text of a query tells of its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) columns: Vec<Column>,
    /// Tables whose `*` was written out by this program's list of their columns; a database may have others.
    pub(crate) assumed: Vec<String>,
}

/// A place in the text, in lines and characters, both from 1, and how many characters it spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    line: u64,
    column: u64,
    width: usize,
}

/// Why there are no names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    code: FaultCode,
    message: String,
    help: String,
    place: Option<Place>,
}

impl Trouble {
    fn new(code: FaultCode, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), place: None }
    }

    fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// Room for the deepest expression that a file of 1 MiB within the token limit can hold. Only what is used is touched.
const STACK: usize = 256 << 20;
/// No real query takes a second; this ends texts made to be slow.
const DEADLINE: Duration = Duration::from_secs(20);

/// The columns that the query gives, as far as its text tells.
pub(crate) fn columns(query: &QueryFile, compat: Compat) -> Result<Columns, Fault> {
    let text = query.text.clone();
    let (sender, receiver) = mpsc::channel();
    let worker = std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK).spawn(move || {
        let _ = sender.send(script::columns(&text, compat));
    });
    let slow = || Trouble::new(FaultCode::TooLarge, "the SQL takes too long to understand", "make its nesting flatter");
    let result = match worker {
        Ok(_) => receiver.recv_timeout(DEADLINE).unwrap_or_else(|_| Err(slow())),
        Err(error) => {
            let message = format!("cannot start reading the SQL: {error}");
            return Err(Fault::new(FaultCode::IoError, Exit::Data, message));
        }
    };
    result.map_err(|trouble| fault(trouble, query))
}

fn fault(trouble: Trouble, query: &QueryFile) -> Fault {
    let message = match trouble.place {
        Some(_) => trouble.message,
        None => format!("{}: {}", query.name, trouble.message),
    };
    let fault = Fault::new(trouble.code, Exit::Unreadable, message).help(trouble.help);
    let Some(place) = trouble.place else { return fault };
    let line = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let text = query.text.split('\n').nth(line).unwrap_or_default().trim_end_matches('\r').to_owned();
    fault.at(Snippet { file: query.name.clone(), line: place.line, column: place.column, text, width: place.width })
}
