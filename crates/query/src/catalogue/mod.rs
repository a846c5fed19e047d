//! The tables a flavour has, their columns, types and keys (warehouse.md 2): data, compiled in, read once.
//! Names match without case; some columns have a second name.

mod parse;

use std::collections::HashMap;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::value::Type;

/// Tables of one flavour.
#[derive(Debug)]
pub struct Catalogue {
    tables: Vec<Table>,
    by_name: HashMap<String, usize>,
    aliases: HashMap<String, String>,
    sha256: String,
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Canonical name.
    pub name: String,
    /// What its rows belong to.
    pub class: Class,
    /// Column that orders the rows of a patient.
    pub order: Option<String>,
    /// Whether columns beyond these may be supplied; they are text.
    pub open: bool,
    /// The permission that a run over real data needs for it (warehouse.md 9).
    pub permission: Option<String>,
    /// In catalogue order; `Patient_ID` first where there is one.
    pub columns: Vec<Column>,
}

/// What the rows of a table belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// To patients, any number each.
    Patient,
    /// To patients, at most one each: the universe.
    OnePerPatient,
    /// To nobody.
    Reference,
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Canonical name.
    pub name: String,
    /// Kind of its values.
    pub kind: ColumnKind,
    /// Whether it is the primary key.
    pub key: bool,
    /// Table whose rows it names.
    pub refers: Option<String>,
}

/// Kind of a column, as warehouse.md 2.1 letters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// `I`.
    Int64,
    /// `i`.
    Int32,
    /// `f`.
    Double,
    /// `r`: a double whose usual source is a 32-bit float.
    Real,
    /// `b`.
    Bool,
    /// `d`.
    Date,
    /// `t`.
    Time,
    /// `s`.
    Text,
    /// `S`: codes that compare byte by byte.
    Code,
    /// `C`: codes that compare without case.
    CodeCi,
}

impl ColumnKind {
    /// Type of its series.
    pub fn value_type(self) -> Type {
        match self {
            ColumnKind::Int64 | ColumnKind::Int32 => Type::Int,
            ColumnKind::Double | ColumnKind::Real => Type::Float,
            ColumnKind::Bool => Type::Bool,
            ColumnKind::Date => Type::Date,
            ColumnKind::Time => Type::DateTime,
            ColumnKind::Text | ColumnKind::Code | ColumnKind::CodeCi => Type::Str,
        }
    }
}

/// The column that every table of patients has.
pub const PATIENT_ID: &str = "Patient_ID";

static TPP: LazyLock<Catalogue> = LazyLock::new(|| {
    #[allow(clippy::expect_used, reason = "a test reads the file that is compiled in")]
    parse::parse(include_str!("../../catalogue/tpp.txt")).expect("the catalogue that is compiled in is read")
});

impl Catalogue {
    /// The TPP flavour.
    pub fn tpp() -> &'static Catalogue {
        &TPP
    }

    /// Reads a catalogue in the form of `catalogue/tpp.txt`, whose head describes it.
    ///
    /// # Errors
    /// The first line that cannot be read, with its number.
    pub fn parse(text: &str) -> Result<Catalogue, CatalogueError> {
        parse::parse(text)
    }

    /// All tables, in the order of the file.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// A table by its name in any case.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.by_name.get(&name.to_ascii_lowercase()).map(|at| &self.tables[*at])
    }

    /// A column by its name in any case or by its second name. A column of an open table that is not listed is `None`.
    pub fn column<'a>(&self, table: &'a Table, name: &str) -> Option<&'a Column> {
        let find = |name: &str| table.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name));
        find(name).or_else(|| find(self.alias(name)?))
    }

    /// The canonical name of a column that has a second name.
    pub fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The table whose rows are the patients.
    pub fn universe(&self) -> Option<&Table> {
        self.tables.iter().find(|t| t.class == Class::OnePerPatient)
    }

    /// sha256 of the file, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    fn new(tables: Vec<Table>, aliases: HashMap<String, String>, text: &str) -> Self {
        let by_name = tables.iter().enumerate().map(|(at, t)| (t.name.to_ascii_lowercase(), at)).collect();
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
        Catalogue { tables, by_name, aliases, sha256 }
    }
}

impl Table {
    /// The primary key.
    pub fn key(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.key)
    }
}

/// A catalogue that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("catalogue, line {line}: {what}")]
pub struct CatalogueError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}
