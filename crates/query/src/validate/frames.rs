//! Rules of frames: which columns they have, whose rows they are, what may filter and sort them.
//! D301, D303, D304, D305, D306 of warehouse.md 5.1, 5.5, 5.7.

use std::sync::Arc;

use super::fault::{Code, Problem};
use super::limits::{COLUMNS_OF_A_FRAME, COLUMNS_OF_JOINS, JOINS_OF_A_FRAME};
use super::shape::{ColumnShape, FrameShape, Problems, SeriesShape, Shapes, nearest};
use crate::catalogue::Class;
use crate::graph::{Branch, Frame, Inline, NodeId, On, Op, Series};
use crate::value::Type;

impl Shapes<'_> {
    pub(super) fn frame_shape(&mut self, node: NodeId, op: &Op, problems: &mut Problems) -> Option<FrameShape> {
        match op {
            Op::Table { table } => self.table(node, table, problems),
            Op::Inline(file) => inline(file, problems),
            Op::Filter { frame, condition } => {
                let mut shape = self.need_frame(*frame, "frame", problems)?;
                let series = self.need_series(*condition, "condition", problems)?;
                expect_type(&series, &[Type::Bool], "condition", problems)?;
                self.condition(&shape, &series, "condition", problems)?;
                if let Some(parent) = shape.lineage {
                    self.adopt(node, parent, problems);
                    shape.lineage = Some(node);
                    if !shape.label.ends_with(" filtered") {
                        shape.label = label(format!("{} filtered", shape.label));
                    }
                }
                Some(shape)
            }
            Op::Sort { frame, by, .. } => self.sort(*frame, *by, problems),
            Op::PickFirst { frame, ties } | Op::PickLast { frame, ties } => {
                let shape = self.need_frame(*frame, "frame", problems)?;
                if !shape.sorted && ties.is_empty() {
                    problems.push(Problem::new(Code::D303, "frame", "a pick from rows that are not sorted"));
                }
                for column in ties {
                    self.need_column(*frame, column, "ties", problems)?;
                }
                one(self.of_patients(shape, problems)?)
            }
            Op::OneRow { frame } => {
                let shape = self.need_frame(*frame, "frame", problems)?;
                one(self.of_patients(shape, problems)?)
            }
            Op::Join { left, right, on, name, .. } => self.join(node, *left, *right, on, name, problems),
            Op::Union { columns, branches } => self.union(node, columns, branches, problems),
            Op::Distinct { frame } => {
                let shape = self.need_frame(*frame, "frame", problems)?;
                let lineage = shape.lineage.map(|_| node);
                Some(FrameShape { lineage, sorted: false, label: label(format!("distinct {}", shape.label)), ..shape })
            }
            _ => None,
        }
    }

    fn table(&self, node: NodeId, name: &str, problems: &mut Problems) -> Option<FrameShape> {
        let Some(table) = self.catalogue.table(name).filter(|t| t.name == name) else {
            let near = nearest(name, self.catalogue.tables().iter().map(|t| t.name.as_str()));
            problems.push(Problem::new(Code::D304, "table", format!("no table {name} in the catalogue{near}")));
            return None;
        };
        let columns = table.columns.iter();
        Some(FrameShape {
            columns: columns.map(|c| ColumnShape { name: c.name.clone(), kind: Some(c.kind.value_type()) }).collect(),
            open: table.open,
            lineage: (table.class != Class::OnePerPatient).then_some(node),
            reference: table.class == Class::Reference,
            sorted: false,
            joins: 0,
            label: name.into(),
        })
    }

    fn sort(&self, frame: Frame, by: Series, problems: &mut Problems) -> Option<FrameShape> {
        let shape = self.need_frame(frame, "frame", problems)?;
        let series = self.need_series(by, "by", problems)?;
        if series.set {
            problems.push(Problem::new(Code::D306, "by", "rows cannot be sorted by a set"));
        } else if shape.lineage.is_none() {
            problems.push(Problem::new(Code::D303, "frame", format!("{} has one row: nothing to sort", shape.label)));
        } else if series.lineage.is_none() {
            problems.push(Problem::new(Code::D303, "by", "sorted by what is equal for all rows of a patient"));
        } else {
            self.condition(&shape, &series, "by", problems)?;
        }
        Some(FrameShape { sorted: true, ..shape })
    }

    /// A condition, key or branch value must belong to the frame's rows, or to rows that the frame filters.
    fn condition(
        &self,
        frame: &FrameShape,
        series: &SeriesShape,
        argument: &'static str,
        problems: &mut Problems,
    ) -> Option<()> {
        let fits = match (series.lineage, frame.lineage) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(series), Some(frame)) => self.prefix(series, frame),
        };
        if !fits {
            let other = series.lineage.map_or("a patient", |l| self.label(l));
            let message = format!("rows of {} with rows of {other}", frame.label);
            problems.push(Problem::new(Code::D301, argument, message));
            return None;
        }
        if frame.reference && series.patient {
            let message = format!("rows of {}, which belong to no patient, with values of a patient", frame.label);
            problems.push(Problem::new(Code::D301, argument, message));
            return None;
        }
        Some(())
    }

    /// Rows of a reference table reach a patient only through a join.
    pub(super) fn of_patients(&self, shape: FrameShape, problems: &mut Problems) -> Option<FrameShape> {
        if shape.reference {
            let message = format!("rows of {} belong to no patient: join them to rows that do", shape.label);
            problems.push(Problem::new(Code::D301, "frame", message));
            return None;
        }
        Some(shape)
    }

    fn join(
        &mut self,
        node: NodeId,
        left: Frame,
        right: Frame,
        on: &[On],
        name: &str,
        problems: &mut Problems,
    ) -> Option<FrameShape> {
        let (l, r) = (self.need_frame(left, "left", problems), self.need_frame(right, "right", problems));
        let (l, r) = (self.of_patients(l?, problems)?, r?);
        if on.is_empty() || name.is_empty() {
            problems.push(Problem::new(Code::D304, "on", "a join needs columns that are equal, and a name"));
            return None;
        }
        for pair in on {
            let a = self.need_column(left, &pair.left, "on", problems)?;
            let b = self.need_column(right, &pair.right, "on", problems)?;
            if let (Some(a), Some(b)) = (a.kind, b.kind)
                && a != b
            {
                let message = format!("{} ({a}) joined to {} ({b})", pair.left, pair.right);
                problems.push(Problem::new(Code::D306, "on", message));
            }
        }
        let joins = l.joins + r.joins + 1;
        self.joined_columns += l.columns.len() + r.columns.len();
        let wide = l.columns.len() + r.columns.len() > COLUMNS_OF_A_FRAME || self.joined_columns > COLUMNS_OF_JOINS;
        if joins > JOINS_OF_A_FRAME || wide {
            let message = format!("over {JOINS_OF_A_FRAME} joins on one another, or over {COLUMNS_OF_A_FRAME} columns");
            problems.push(Problem::new(Code::D309, "right", message));
            return None;
        }
        let renamed = r.columns.iter().map(|c| ColumnShape { name: format!("{name}.{}", c.name), kind: c.kind });
        let columns: Arc<[ColumnShape]> = l.columns.iter().cloned().chain(renamed).collect();
        if let Some(twice) = repeated(columns.iter().map(|c| c.name.as_str())) {
            problems.push(Problem::new(Code::D304, "name", format!("the join has a column {twice} already")));
            return None;
        }
        let many = l.lineage.is_some() || r.lineage.is_some();
        let label = label(format!("{} joined with {}", l.label, r.label));
        let open = l.open || r.open;
        Some(FrameShape { columns, open, lineage: many.then_some(node), reference: false, sorted: false, joins, label })
    }

    fn union(
        &self,
        node: NodeId,
        columns: &[String],
        branches: &[Branch],
        problems: &mut Problems,
    ) -> Option<FrameShape> {
        let broken = branches.is_empty() || columns.is_empty() || columns.iter().any(String::is_empty);
        if broken || branches.iter().any(|b| b.values.len() != columns.len()) {
            let message = "a union needs branches, columns, and one value per column in each branch";
            problems.push(Problem::new(Code::D304, "branches", message));
            return None;
        }
        if let Some(twice) = repeated(columns.iter().map(String::as_str)) {
            problems.push(Problem::new(Code::D304, "columns", format!("two columns {twice}")));
            return None;
        }
        let mut kinds: Vec<Option<Type>> = vec![None; columns.len()];
        let mut labels: Vec<Arc<str>> = Vec::new();
        let mut reference = None;
        for branch in branches {
            let frame = self.need_frame(branch.frame, "branches", problems)?;
            if *reference.get_or_insert(frame.reference) != frame.reference {
                let message = "rows of patients with rows of a reference table";
                problems.push(Problem::new(Code::D301, "branches", message));
                return None;
            }
            for (value, (kind, column)) in branch.values.iter().zip(kinds.iter_mut().zip(columns)) {
                let series = self.need_series(*value, "branches", problems)?;
                self.condition(&frame, &series, "branches", problems)?;
                match (series.kind, &kind) {
                    (Some(found), Some(wanted)) if found != *wanted => {
                        let message = format!("column {column} is {wanted} in one branch and {found} in another");
                        problems.push(Problem::new(Code::D306, "branches", message));
                    }
                    (found, _) => *kind = kind.or(found),
                }
            }
            if labels.len() < 4 {
                labels.push(frame.label);
            }
        }
        let columns = columns.iter().zip(kinds).map(|(name, kind)| ColumnShape { name: name.clone(), kind }).collect();
        let label = label(labels.join(" and "));
        let reference = reference.unwrap_or(false);
        Some(FrameShape { columns, open: false, lineage: Some(node), reference, sorted: false, joins: 0, label })
    }
}

fn inline(file: &Inline, problems: &mut Problems) -> Option<FrameShape> {
    let path = &file.file;
    let outside = path.is_empty()
        || path.starts_with('/')
        || path.contains(['\\', '\0'])
        || path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if outside {
        let message = format!("{path:?} is no path inside the workspace");
        problems.push(Problem::new(Code::D304, "file", message));
        return None;
    }
    let columns = file.columns.iter().map(|(name, kind)| ColumnShape { name: name.clone(), kind: Some(*kind) });
    Some(FrameShape {
        columns: columns.collect(),
        open: false,
        lineage: None,
        reference: false,
        sorted: false,
        joins: 0,
        label: label(path.clone()),
    })
}

/// What a frame is called in messages; unions of unions would double it.
fn label(words: String) -> Arc<str> {
    if words.len() > 200 { "many tables".into() } else { words.into() }
}

fn one(shape: FrameShape) -> Option<FrameShape> {
    Some(FrameShape { lineage: None, sorted: false, ..shape })
}

fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().find(|name| !seen.insert(name.to_ascii_lowercase()))
}

/// A series of one of some types, and no set.
pub(super) fn expect_type(
    series: &SeriesShape,
    wanted: &[Type],
    argument: &'static str,
    problems: &mut Problems,
) -> Option<()> {
    let found = match series.kind {
        Some(kind) if series.set => format!("a set of {kind}"),
        Some(kind) if !wanted.contains(&kind) => kind.to_string(),
        None if !series.set => return None,
        _ => return Some(()),
    };
    let words: Vec<String> = wanted.iter().map(Type::to_string).collect();
    problems.push(Problem::new(
        Code::D306,
        argument,
        format!("{argument} is {found}, {} is wanted", words.join(" or ")),
    ));
    None
}
