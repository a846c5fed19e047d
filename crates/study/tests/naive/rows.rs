//! Rows of tables by the names of their columns; cells are text until they are asked for.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::civil::{Date, DateTime};
use study::model::{ColumnType, Pick};

use super::{Raw, Res, Stop};
use crate::support::tables::{Table, moment};

/// One row: cells that are not NULL, by lower-case names.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(Rc<BTreeMap<String, String>>);

pub fn all(table: Option<&Table>) -> Vec<Row> {
    let Some(table) = table else { return Vec::new() };
    let names: Vec<String> = table.columns.iter().map(|c| c.to_ascii_lowercase()).collect();
    let row = |cells: &Vec<Option<String>>| {
        let cells = names.iter().zip(cells).filter_map(|(name, cell)| Some((name.clone(), cell.clone()?)));
        Row(Rc::new(cells.collect()))
    };
    table.rows.iter().map(row).collect()
}

impl Row {
    pub fn text(&self, column: &str) -> Option<&str> {
        self.0.get(&column.to_ascii_lowercase()).map(String::as_str)
    }

    pub fn int(&self, column: &str) -> Option<i64> {
        self.text(column).map(|t| t.parse().unwrap_or_else(|_| panic!("{column} {t}")))
    }

    pub fn float(&self, column: &str) -> Option<f64> {
        self.text(column).map(|t| t.parse().unwrap_or_else(|_| panic!("{column} {t}")))
    }

    pub fn bool(&self, column: &str) -> Option<bool> {
        self.text(column).map(|t| matches!(t.to_ascii_lowercase().as_str(), "1" | "true" | "t"))
    }

    pub fn moment(&self, column: &str) -> Option<DateTime> {
        self.text(column).map(moment)
    }

    pub fn day(&self, column: &str) -> Option<Date> {
        self.moment(column).map(DateTime::date)
    }

    /// With other cells where it has none.
    pub fn filled(&self, more: &BTreeMap<String, Option<String>>) -> Row {
        let mut cells = (*self.0).clone();
        for (column, cell) in more {
            cells.entry(column.clone()).or_insert_with(|| cell.clone().unwrap_or_default());
        }
        Row(Rc::new(cells))
    }

    /// Both rows' cells, those of the other under `name.`.
    pub fn with(&self, other: &Row, name: &str) -> Row {
        let mut cells = (*self.0).clone();
        for (column, cell) in other.0.iter() {
            cells.insert(format!("{name}.{column}"), cell.clone());
        }
        Row(Rc::new(cells))
    }
}

/// Every pair of rows with equal cells, NULL equal to nothing.
pub fn join(left: &[Row], right: &[Row], l: &str, r: &str, name: &str, outer: bool) -> Vec<Row> {
    let mut pairs = Vec::new();
    for a in left {
        let before = pairs.len();
        for b in right {
            if a.text(l).is_some() && a.text(l) == b.text(r) {
                pairs.push(a.with(b, name));
            }
        }
        if outer && pairs.len() == before {
            pairs.push(a.clone());
        }
    }
    pairs
}

/// The first or last row by a moment, null lowest, then by other things ascending.
pub fn pick(
    mut rows: Vec<Row>,
    pick: Pick,
    moment: impl Fn(&Row) -> Option<DateTime>,
    then: impl Fn(&Row, &Row) -> Ordering,
) -> Option<Row> {
    rows.sort_by(|a, b| {
        let by_moment = moment(a).cmp(&moment(b));
        let by_moment = if pick == Pick::First { by_moment } else { by_moment.reverse() };
        by_moment.then_with(|| then(a, b))
    });
    rows.into_iter().next()
}

/// Ascending by an id.
pub fn by_id(column: &str) -> impl Fn(&Row, &Row) -> Ordering + use<'_> {
    move |a, b| a.int(column).cmp(&b.int(column))
}

/// Ascending by texts (or ISO days), one after the other; null lowest.
pub fn by_texts<'a>(columns: &'a [&'a str]) -> impl Fn(&Row, &Row) -> Ordering + use<'a> {
    move |a, b| columns.iter().map(|c| a.text(c).cmp(&b.text(c))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

/// A whole number in a text: blanks trimmed, '' is none, anything else stops the run.
pub fn whole(text: &str) -> Res<Option<i64>> {
    let text = text.trim_matches(' ');
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Stop("D513"));
    }
    text.parse().map(Some).map_err(|_| Stop("D513"))
}

/// A number in a text, likewise.
pub fn decimal(text: &str) -> Res<Option<f64>> {
    let text = text.trim_matches(' ');
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    match text.parse::<f64>() {
        Ok(number) if plain && number.is_finite() => Ok(Some(number)),
        _ => Err(Stop("D513")),
    }
}

/// A cell of a file as a column's type says.
pub fn read(cell: &str, kind: ColumnType) -> Res<Raw> {
    Ok(match kind {
        ColumnType::Bool => Raw::Bool(matches!(cell.to_ascii_lowercase().as_str(), "1" | "true" | "t")),
        ColumnType::Int | ColumnType::IntCategory { .. } => super::int(whole(cell)?),
        ColumnType::Float => super::float(decimal(cell)?),
        ColumnType::Str => Raw::Text(cell.to_owned()),
        ColumnType::Date(_) => Raw::Day(cell.parse().map_err(|_| Stop("D511"))?),
    })
}
