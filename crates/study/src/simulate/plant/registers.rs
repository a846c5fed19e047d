//! Rows of registers: tests, therapeutics, renal registry, high cost drugs.
//! Spec study-definitions.md 7.3, warehouse.md 2.3.

use query::Value;

use super::super::person::day_of;
use super::{Planting, Row};
use crate::expectations::draw::Draw;
use crate::model::{Query, SgssFact, TestResult, TherapeuticsFact, UkrrFact};

impl Planting<'_, '_> {
    pub(super) fn register_row(&mut self, row: Row) {
        let day = day_of(row.day);
        let mut dice = row.wish.what.nth(self.person.key, row.nth);
        match &row.wish.variable.query {
            Query::Sgss { result, earliest_only, .. } => self.test(&row, *result, *earliest_only),
            Query::CovidTherapeutics { statuses, therapeutics, indications, .. } => {
                let moment = self.moment(&row);
                let mut one = |texts: &Option<Vec<String>>, otherwise: &str| {
                    texts
                        .as_deref()
                        .and_then(|texts| dice.one(texts))
                        .map_or_else(|| otherwise.to_owned(), Clone::clone)
                };
                let (status, mut drug, why) = (
                    one(statuses, "Approved"),
                    one(therapeutics, "Molnupiravir"),
                    one(indications, "non_hospitalised"),
                );
                let label = self.label(&row);
                let (mut risk, mut region) = ("Patients with a renal disease".to_owned(), "London".to_owned());
                let drawn = self.labelled(&row);
                if let (Some(label), Some(Query::CovidTherapeutics { returning, .. })) =
                    (label, drawn.map(|wish| &wish.variable.query))
                {
                    match returning {
                        TherapeuticsFact::Therapeutic => drug = label,
                        TherapeuticsFact::RiskGroup => risk = label,
                        TherapeuticsFact::Region => region = label,
                        _ => {}
                    }
                }
                let cells = [
                    ("Intervention", Value::text(drug)),
                    ("COVID_indication", Value::text(why)),
                    ("CurrentStatus", Value::text(status)),
                    ("TreatmentStartDate", moment.clone()),
                    ("Received", moment),
                    ("MOL1_high_risk_cohort", Value::text(risk)),
                    ("Region", Value::text(region)),
                ];
                self.store.push("Therapeutics", &cells);
            }
            Query::Ukrr { dataset, .. } => self.renal(&row, dataset),
            Query::HighCostDrugs { drugs, .. } => {
                let drug = drugs.as_deref().and_then(|all| dice.one(all)).map_or("adalimumab", String::as_str);
                // Months are counted from April; the year is that of the April before.
                let month = (day.month() + 8) % 12 + 1;
                let year = i64::from(day.year()) - i64::from(month > 9);
                let cells = [
                    ("DrugName", Value::text(drug)),
                    ("FinancialYear", Value::text(format!("{year}{:02}", (year + 1) % 100))),
                    ("FinancialMonth", Value::text(month.to_string())),
                ];
                self.store.push("HighCostDrugs", &cells);
            }
            _ => {}
        }
    }

    fn test(&mut self, row: &Row, result: TestResult, earliest_only: bool) {
        let positive = result != TestResult::Negative;
        let label = self.label(row);
        let drawn = self.labelled(row);
        let column = drawn.and_then(|wish| match &wish.variable.query {
            Query::Sgss { returning, .. } => match returning {
                SgssFact::SGeneTargetFailure => Some("SGTF"),
                SgssFact::CaseCategory => Some("CaseCategory"),
                SgssFact::Variant => Some("Variant"),
                SgssFact::VariantDetectionMethod => Some("VariantDetectionMethod"),
                SgssFact::Symptomatic => Some("Symptomatic"),
                _ => None,
            },
            _ => None,
        });
        let (table, when) = match (earliest_only, positive) {
            (true, true) => ("SGSS_Positive", "Earliest_Specimen_Date"),
            (true, false) => ("SGSS_Negative", "Earliest_Specimen_Date"),
            (false, true) => ("SGSS_AllTests_Positive", "Specimen_Date"),
            (false, false) => ("SGSS_AllTests_Negative", "Specimen_Date"),
        };
        let day = Value::Date(day_of(row.day));
        let mut cells =
            vec![(when, day.clone()), ("Lab_Report_Date", day), ("Organism_Species_Name", Value::text("SARS-CoV-2"))];
        let known = query::Catalogue::tpp().table(table);
        if let (Some(column), Some(label)) = (column, label)
            && known.is_some_and(|table| table.columns.iter().any(|known| known.name == column))
        {
            cells.push((column, Value::text(label)));
        }
        self.store.push(table, &cells);
    }

    fn renal(&mut self, row: &Row, dataset: &str) {
        // A second row of a patient in one register stops a run.
        if !self.planted[row.wish.rows].is_empty() {
            return;
        }
        let label = self.label(row);
        let drawn = self.labelled(row);
        let text = |wanted: UkrrFact, usual: &str| {
            let asked = drawn.is_some_and(
                |wish| matches!(&wish.variable.query, Query::Ukrr { returning, .. } if *returning == wanted),
            );
            Value::text(label.as_deref().filter(|_| asked).unwrap_or(usual))
        };
        let same = self.scene.wishes.iter().filter(|wish| wish.rows == row.wish.rows);
        let creatinine = same.into_iter().find_map(|wish| match wish.values.as_ref()? {
            draw @ (Draw::WholeNormal { .. } | Draw::Poisson { .. }) => draw.number(self.person.dice(wish.what).bits()),
            _ => None,
        });
        let cells = [
            ("dataset", Value::text(dataset)),
            ("renal_centre", text(UkrrFact::RenalCentre, "RRK02")),
            ("rrt_start", Value::Date(day_of(row.day))),
            ("mod_start", text(UkrrFact::TreatmentModalityStart, "ICHD")),
            ("mod_prev", text(UkrrFact::TreatmentModalityPrevalence, "Tx")),
            ("creat", Value::Float(creatinine.unwrap_or(400.0).trunc())),
            ("eGFR_ckdepi", Value::Float(self.number(row).unwrap_or(12.0))),
        ];
        self.store.push("UKRR", &cells);
    }
}
