//! The tables of a FROM clause in order, each with the names it answers to and its columns.
//! This is what `*` and `t.*` are written out from.

use sqlparser::ast::Spanned as _;
use sqlparser::ast::{ObjectName, TableAlias, TableFactor, TableWithJoins};

use super::scope::{Scope, Table, renamed, unknown};

/// One table as the select list sees it.
pub(super) struct Relation {
    /// Lower-case name parts, outermost first; an alias is the only part it has.
    names: Vec<String>,
    pub(super) table: Table,
}

impl Relation {
    /// `t.*` may leave outer parts of the table's name away.
    pub(super) fn answers_to(&self, name: &ObjectName) -> bool {
        let asked = lower_parts(name);
        !asked.is_empty() && self.names.ends_with(&asked)
    }
}

fn lower_parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()).collect()
}

pub(super) fn of(scope: &mut Scope, from: &[TableWithJoins]) -> Vec<Relation> {
    let mut found = Vec::new();
    for tables in from {
        gather(scope, tables, &mut found);
    }
    found
}

fn gather(scope: &mut Scope, tables: &TableWithJoins, found: &mut Vec<Relation>) {
    factor(scope, &tables.relation, found);
    for join in &tables.joins {
        factor(scope, &join.relation, found);
    }
}

fn factor(scope: &mut Scope, table: &TableFactor, found: &mut Vec<Relation>) {
    let (names, table, alias) = match table {
        TableFactor::Table { name, alias, args, .. } => {
            let parts = lower_parts(name);
            // `t (NOLOCK)` looks like a function call; a function proper is never one of the script's own tables.
            let columns = match (args, parts.as_slice()) {
                (Some(_), [function]) if function == "string_split" || function == "generate_series" => {
                    Table::own(Ok(vec![Some("value".to_owned())]))
                }
                _ => scope.table(name),
            };
            (parts, columns, alias.as_ref())
        }
        TableFactor::Derived { subquery, alias, .. } => (Vec::new(), Table::own(scope.query(subquery)), alias.as_ref()),
        TableFactor::NestedJoin { table_with_joins, alias: None } => return gather(scope, table_with_joins, found),
        TableFactor::OpenJsonTable { columns, alias, .. } => {
            let names = match columns.as_slice() {
                [] => ["key", "value", "type"].map(|name| Some(name.to_owned())).to_vec(),
                columns => columns.iter().map(|column| Some(column.name.value.clone())).collect(),
            };
            (Vec::new(), Table::own(Ok(names)), alias.as_ref())
        }
        TableFactor::Pivot { alias, .. } | TableFactor::Unpivot { alias, .. } => {
            let why = "the columns of a pivoted table are not worked out, so * cannot be written out";
            (Vec::new(), Table::own(Err(unknown(why.to_owned(), table.span()))), alias.as_ref())
        }
        other => {
            let why = "the columns of this table are not known, so * cannot be written out";
            (Vec::new(), Table::own(Err(unknown(why.to_owned(), other.span()))), None)
        }
    };
    found.push(match alias {
        Some(alias) => Relation { names: vec![alias.name.value.to_lowercase()], table: named(table, alias) },
        None => Relation { names, table },
    });
}

fn named(table: Table, alias: &TableAlias) -> Table {
    Table { columns: renamed(table.columns, alias), ..table }
}
