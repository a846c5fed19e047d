//! Constructors of frames: tables, files, filters, orders, picks, joins, unions.
//! Names of tables and columns are taken in any case and kept as the catalogue writes them.

use std::collections::BTreeMap;

use super::Builder;
use crate::graph::{Branch, Direction, Frame, Inline, JoinKind, On, Op, Series, Ties};
use crate::value::Type;

/// One key of a pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// Series of the frame.
    pub by: Series,
    /// Direction; NULL is lowest.
    pub direction: Direction,
}

/// What decides between rows that are equal in all keys of a pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Row order: rows of a table as supplied.
    RowOrder,
    /// Every column ascending, in catalogue order; then nothing can differ.
    EveryColumn,
    /// These columns ascending.
    Columns(Vec<String>),
}

/// How two frames are joined.
#[derive(Debug, Clone)]
pub struct Joined<'a> {
    /// Pairs of columns, left and right, that must be equal; NULL is equal to nothing.
    pub on: &'a [(&'a str, &'a str)],
    /// What becomes of a left row without match.
    pub kind: JoinKind,
    /// The columns of the right side are named `<name>.<column>`.
    pub name: &'a str,
}

impl Builder<'_> {
    /// Rows of a table of the catalogue.
    pub fn table(&mut self, name: &str) -> Frame {
        let table = self.catalogue.table(name).map_or_else(|| name.to_owned(), |t| t.name.clone());
        self.frame(Op::Table { table })
    }

    /// A file of the study with one row per patient: path relative to the workspace, columns with their types.
    pub fn inline(&mut self, file: &str, columns: BTreeMap<String, Type>) -> Frame {
        self.frame(Op::Inline(Inline { file: file.to_owned(), columns }))
    }

    /// Rows for which the condition is TRUE.
    pub fn filter(&mut self, frame: Frame, condition: Series) -> Frame {
        self.frame(Op::Filter { frame, condition })
    }

    /// The same rows in another order: stable, so the last sort applied is the first key.
    pub fn sort(&mut self, frame: Frame, by: Series, direction: Direction) -> Frame {
        self.frame(Op::Sort { frame, by, direction })
    }

    /// The first row after the sorts beneath; ties as the graph says.
    pub fn pick_first(&mut self, frame: Frame) -> Frame {
        let ties = self.default_ties(frame);
        self.frame(Op::PickFirst { frame, ties })
    }

    /// The last row of the order that [`Builder::pick_first`] has, all keys and ties reversed.
    pub fn pick_last(&mut self, frame: Frame) -> Frame {
        let ties = self.default_ties(frame);
        self.frame(Op::PickLast { frame, ties })
    }

    /// v1's PickBy: the first row by the keys, the first key counting most, and then by `then`.
    pub fn pick_by(&mut self, frame: Frame, keys: &[SortKey], then: Then) -> Frame {
        let ties = match then {
            Then::RowOrder => Vec::new(),
            Then::EveryColumn => self.columns(frame),
            Then::Columns(columns) => columns.iter().map(|c| self.column_name(frame, c)).collect(),
        };
        let sorted = keys.iter().rev().fold(frame, |sorted, key| self.sort(sorted, key.by, key.direction));
        self.frame(Op::PickFirst { frame: sorted, ties })
    }

    /// The only row of each patient; a second one stops the run (D511).
    pub fn one_row(&mut self, frame: Frame) -> Frame {
        self.frame(Op::OneRow { frame })
    }

    /// Pairs of rows with equal columns, within a patient or with a reference table; several matches multiply rows.
    pub fn join(&mut self, left: Frame, right: Frame, joined: &Joined<'_>) -> Frame {
        let pairs = joined.on.iter();
        let on =
            pairs.map(|(l, r)| On { left: self.column_name(left, l), right: self.column_name(right, r) }).collect();
        self.frame(Op::Join { left, right, on, kind: joined.kind, name: joined.name.to_owned() })
    }

    /// Rows of all branches, each giving one series per column.
    pub fn union(&mut self, columns: &[&str], branches: Vec<(Frame, Vec<Series>)>) -> Frame {
        let branches = branches.into_iter().map(|(frame, values)| Branch { frame, values }).collect();
        self.frame(Op::Union { columns: columns.iter().map(|c| (*c).to_owned()).collect(), branches })
    }

    /// One of each set of rows that are equal in every column.
    pub fn distinct(&mut self, frame: Frame) -> Frame {
        self.frame(Op::Distinct { frame })
    }

    /// The name of a column of a frame as the catalogue writes it; unknown names stay.
    pub(crate) fn column_name(&self, frame: Frame, name: &str) -> String {
        self.shapes.column(frame, name).map_or_else(|| name.to_owned(), |c| c.name.clone())
    }

    fn default_ties(&self, frame: Frame) -> Vec<String> {
        match self.ties {
            // decided when the graph is finished, and known only then
            Ties::V1 | Ties::Ehrql => Vec::new(),
            Ties::Table => self.columns(frame),
        }
    }
}

impl SortKey {
    /// Least first.
    pub fn asc(by: Series) -> Self {
        SortKey { by, direction: Direction::Asc }
    }

    /// Greatest first.
    pub fn desc(by: Series) -> Self {
        SortKey { by, direction: Direction::Desc }
    }
}
