//! The columns of a query, with `*` expanded as far as the script itself says what the tables hold.
//! CTEs, subqueries and temporary tables are known; of the tables of the database those that the catalogue has.

use std::collections::{BTreeSet, HashMap};

use query::Catalogue;
use sqlparser::ast::{
    Ident, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned as _, TableAlias,
};
use sqlparser::tokenizer::{Location, Span};

use crate::csv::MAX_COLUMNS;
use crate::fault::FaultCode;

use super::naming;
use super::relations::{self, Relation};
use super::{Place, Trouble};

/// Columns, or why they are not known. A table with unknown columns is no fault until its `*` is asked for.
pub(super) type Known = Result<Vec<Option<String>>, Trouble>;

/// The tables that the script makes itself, by lower-case name, and the CTEs in force, innermost last.
#[derive(Default)]
pub(super) struct Scope {
    made: HashMap<String, Known>,
    ctes: Vec<(String, Known)>,
    /// Tables of the catalogue of which all columns were asked for.
    assumed: BTreeSet<String>,
}

/// A table that was looked up.
pub(super) struct Table {
    pub(super) columns: Known,
    /// Its name in the catalogue, if the columns are from there.
    pub(super) assumed: Option<String>,
}

impl Table {
    /// A table whose columns the script itself says.
    pub(super) fn own(columns: Known) -> Self {
        Self { columns, assumed: None }
    }
}

pub(super) fn unknown(message: String, span: Span) -> Trouble {
    let help = "name the columns in the SELECT list, or give --dummy-data-file";
    let trouble = Trouble::new(FaultCode::HeaderUnknown, message, help);
    match span.start {
        Location { line: 0, .. } => trouble,
        Location { line, column } => {
            let width = if span.end.line == line { span.end.column.saturating_sub(column) } else { 1 };
            trouble.at(Place { line, column, width: usize::try_from(width).unwrap_or(1).max(1) })
        }
    }
}

impl Scope {
    pub(super) fn make(&mut self, table: &str, columns: Known) {
        self.made.insert(table.to_lowercase(), columns);
    }

    pub(super) fn drop_table(&mut self, table: &str) {
        self.made.remove(&table.to_lowercase());
    }

    /// Tables whose columns are taken from the catalogue; a database may have others.
    pub(super) fn assumed(self) -> BTreeSet<String> {
        self.assumed
    }

    /// The columns of a table by name: a CTE hides a table of the same name.
    pub(super) fn table(&self, name: &ObjectName) -> Table {
        let shown = name.to_string();
        let not_known = || {
            Table::own(Err(unknown(
                format!("the columns of {shown} are not known, so * cannot be written out"),
                name.span(),
            )))
        };
        let Some(last) = name.0.last().and_then(|part| part.as_ident()) else { return not_known() };
        let key = last.value.to_lowercase();
        if name.0.len() == 1
            && let Some((_, known)) = self.ctes.iter().rev().find(|(cte, _)| *cte == key)
        {
            return Table::own(known.clone());
        }
        let own = key.starts_with('#') || (name.0.len() == 1 && key.starts_with('@'));
        if own {
            return self.made.get(&key).map_or_else(not_known, |known| Table::own(known.clone()));
        }
        match Catalogue::tpp().table(&key).filter(|table| !table.open) {
            Some(table) => Table {
                columns: Ok(table.columns.iter().map(|column| Some(column.name.clone())).collect()),
                assumed: Some(table.name.clone()),
            },
            None => not_known(),
        }
    }

    pub(super) fn query(&mut self, query: &Query) -> Known {
        let outer = self.ctes.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let known = renamed(self.query(&cte.query), &cte.alias);
            self.ctes.push((cte.alias.name.value.to_lowercase(), known));
        }
        let known = self.body(&query.body);
        self.ctes.truncate(outer);
        known
    }

    /// Set operations take the names of their first branch.
    fn body(&mut self, mut body: &SetExpr) -> Known {
        loop {
            match body {
                SetExpr::Select(select) => return self.select(select),
                SetExpr::Query(query) => return self.query(query),
                SetExpr::SetOperation { left, .. } => body = left,
                SetExpr::Values(values) => {
                    return Ok(values.rows.first().map_or_else(Vec::new, |row| vec![None; row.content.len()]));
                }
                other => return Err(unknown("this is not a query whose columns can be told".to_owned(), other.span())),
            }
        }
    }

    fn select(&mut self, select: &Select) -> Known {
        // Tables are looked at only when a `*` needs them.
        let mut relations: Option<Vec<Relation>> = None;
        let mut columns = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => columns.push(naming::of(expr)),
                SelectItem::ExprWithAlias { alias, .. } => columns.push(alias_name(alias)),
                SelectItem::ExprWithAliases { aliases, .. } => columns.extend(aliases.iter().map(alias_name)),
                SelectItem::Wildcard(_) => {
                    let relations = relations.get_or_insert_with(|| relations::of(self, &select.from));
                    for relation in relations {
                        self.assumed.extend(relation.table.assumed.clone());
                        extend(&mut columns, relation.table.columns.clone()?)?;
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let relations = relations.get_or_insert_with(|| relations::of(self, &select.from));
                    let found = relations.iter().find(|relation| relation.answers_to(name));
                    let Some(found) = found else {
                        return Err(unknown(
                            format!("no table here is called {name}, so {name}.* means nothing"),
                            name.span(),
                        ));
                    };
                    self.assumed.extend(found.table.assumed.clone());
                    extend(&mut columns, found.table.columns.clone()?)?;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                    return Err(unknown("* of an expression cannot be written out".to_owned(), expr.span()));
                }
            }
            within_limit(&columns)?;
        }
        Ok(columns)
    }
}

fn alias_name(alias: &Ident) -> Option<String> {
    (!alias.value.is_empty()).then(|| alias.value.clone())
}

/// Columns as an alias with a column list renames them.
pub(super) fn renamed(known: Known, alias: &TableAlias) -> Known {
    match alias.columns.as_slice() {
        [] => known,
        columns => Ok(columns.iter().map(|column| alias_name(&column.name)).collect()),
    }
}

/// Each `*` may double what came before, so the sum is watched.
fn extend(columns: &mut Vec<Option<String>>, more: Vec<Option<String>>) -> Result<(), Trouble> {
    columns.extend(more);
    within_limit(columns)
}

fn within_limit(columns: &[Option<String>]) -> Result<(), Trouble> {
    if columns.len() <= MAX_COLUMNS {
        return Ok(());
    }
    let message = format!("the query has more than {MAX_COLUMNS} columns");
    Err(Trouble::new(FaultCode::TooLarge, message, "name only the columns that are needed"))
}
