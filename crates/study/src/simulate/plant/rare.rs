//! Rows that few studies ask for: trials of practices, the study of people in hospital with COVID-19.
//! Spec study-definitions.md 7.1, 7.3.

use std::collections::BTreeMap;

use query::{Catalogue, Value};

use super::super::dice::Purpose;
use super::super::person::day_of;
use super::{Planting, settled_elsewhere};
use crate::expectations::draw::Draw;
use crate::model::{ColumnType, PracticeFact, Query};

const ISARIC: &str = "ISARIC_Patient_Data_TopLine";

impl Planting<'_, '_> {
    /// The part of a practice that is new in trials; all of its patients see the same.
    pub(in super::super) fn trials(&mut self, organisation: &Value) {
        let scene = self.scene;
        let Value::Int(key) = organisation else { return };
        for wish in &scene.wishes {
            let Query::Practice { returning, .. } = &wish.variable.query else { continue };
            let (PracticeFact::TrialEnrolled { trial }
            | PracticeFact::TrialArm { trial }
            | PracticeFact::TrialProperty { trial, .. }) = returning
            else {
                continue;
            };
            // One die for the trial, so that who has an arm or a property takes part.
            let share = Purpose::new(0, trial).of(key.unsigned_abs()).unit();
            if share >= wish.incidence {
                continue;
            }
            let number = Value::Int(Purpose::new(0, trial).of(0).below(1 << 20) as i64 + 1);
            if self.store.is_new("ClusterRandomisedTrialReference", &number) {
                let cells = [("TrialNumber", number.clone()), ("TrialName", Value::text(trial))];
                self.store.push("ClusterRandomisedTrialReference", &cells);
            }
            let label = wish.values.as_ref().and_then(|draw| draw.label(wish.what.of(key.unsigned_abs()).bits()));
            let label = Value::text(label.as_deref().unwrap_or("1"));
            let part = Value::text(format!("{key} {trial}"));
            if let PracticeFact::TrialProperty { property, .. } = returning {
                let cells = [
                    ("Organisation_ID", organisation.clone()),
                    ("TrialNumber", number.clone()),
                    ("Property", Value::text(property)),
                    ("PropertyValue", label.clone()),
                ];
                self.store.push("ClusterRandomisedTrialDetail", &cells);
            }
            let arm = scene.wishes.iter().find(|wish| {
                matches!(&wish.variable.query, Query::Practice { returning: PracticeFact::TrialArm { trial: of }, .. } if of == trial)
            });
            let arm = arm
                .filter(|arm| share < arm.incidence)
                .and_then(|arm| arm.values.as_ref()?.label(arm.what.of(key.unsigned_abs()).bits()));
            if self.store.is_new("ClusterRandomisedTrial", &part) {
                let cells = [
                    ("Organisation_ID", organisation.clone()),
                    ("TrialNumber", number),
                    ("TrialArm", arm.map_or(Value::Null, Value::text)),
                ];
                self.store.push("ClusterRandomisedTrial", &cells);
            }
        }
    }

    /// One row with all columns that are asked for. A column that the catalogue does not know cannot be supplied, and then
    /// no row is: a table without it would stop the study.
    pub(super) fn isaric(&mut self) {
        let scene = self.scene;
        let mut cells: BTreeMap<&str, String> = BTreeMap::new();
        for wish in &scene.wishes {
            let Query::Isaric { column, filter } = &wish.variable.query else { continue };
            if !scene.present(wish, self.person.key, self.demands) {
                continue;
            }
            let Some((from, to)) = self.period(wish, 0) else { continue };
            let day = wish.day(self.person.key, 0, from, to, scene.as_of).map(day_of);
            let Some(day) = day.map(|day| format!("{:02}/{:02}/{:04}", day.day(), day.month(), day.year())) else {
                continue;
            };
            let bits = self.person.dice(wish.what).bits();
            let values = wish.values.as_ref();
            let text = match wish.variable.kind {
                ColumnType::Date(_) => Some(day.clone()),
                ColumnType::Float => values.and_then(|draw| draw.number(bits)).map(|number| format!("{number:.2}")),
                ColumnType::Int | ColumnType::IntCategory { .. } => {
                    let number = values.and_then(|draw| draw.number(bits)).map(|number| format!("{number:.0}"));
                    number.or_else(|| values.and_then(|draw: &Draw| draw.label(bits)))
                }
                _ => values.and_then(|draw| draw.label(bits)),
            };
            if let Some((date, _)) = filter {
                cells.entry(date).or_insert(day);
            }
            cells.entry(column).or_insert(text.unwrap_or_else(|| "1".to_owned()));
        }
        let known = |column: &str| {
            let table = Catalogue::tpp().table(ISARIC);
            table.is_some_and(|table| table.columns.iter().any(|known| known.name == column))
        };
        let asked = scene.wishes.iter().filter_map(|wish| match &wish.variable.query {
            Query::Isaric { column, filter } => Some([Some(column), filter.as_ref().map(|(date, _)| date)]),
            _ => None,
        });
        if cells.is_empty() || !asked.flatten().flatten().all(|column| known(column)) {
            return;
        }
        let cells: Vec<(&str, Value)> = cells.into_iter().map(|(column, text)| (column, Value::text(text))).collect();
        self.store.push(ISARIC, &cells);
    }
}

/// Whether no event is planted for a query.
pub(super) fn has_no_events(query: &Query) -> bool {
    settled_elsewhere(query) || matches!(query, Query::Isaric { .. })
}
