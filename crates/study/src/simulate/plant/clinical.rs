//! Rows of the practice: coded events, measurements, medicines, appointments, vaccines.
//! Spec study-definitions.md 7.2, warehouse.md 2.2.

use query::Value;

use super::{Planting, Row};
use crate::model::{Codes, Query, Statistic, System};

impl Planting<'_, '_> {
    pub(super) fn clinical(&mut self, row: Row) {
        match &row.wish.variable.query {
            Query::ClinicalEvents(rows) => {
                let number = self.number(&row);
                self.event(&row, &rows.codes, number);
            }
            Query::RecordedValue { codes, statistic, .. } => {
                // Means and extremes are those of one row.
                let number = self.number(&row).or(Some(if *statistic == Statistic::Mean { 1.0 } else { 2.0 }));
                self.event(&row, codes, number);
            }
            Query::Medications(rows) => self.issue(&row, &rows.codes),
            _ => self.body_mass(&row),
        }
    }

    fn event(&mut self, row: &Row, codes: &Codes, number: Option<f64>) {
        let label = self.label(row);
        let mut dice = row.wish.what.of(self.person.number.wrapping_add((row.nth + 1) << 20));
        let code = self.scene.code(codes, label.as_deref(), &self.person, self.demands, &mut dice);
        let number = match row.odd && dice.chance(0.5) {
            true => Value::Null,
            false => number.map_or(Value::Float(0.0), Value::Float),
        };
        let id = self.coded(row, codes.system, code, number);
        let sign = row.wish.comparators.as_ref().and_then(|signs| signs.label(dice.bits()));
        let sign = sign.and_then(|sign| ["~", "=", ">=", ">", "<", "<="].iter().position(|known| *known == sign));
        if let Some(place) = sign {
            let range = self.person.store.id();
            let cells = [
                ("CodedEventRange_ID", Value::Int(range)),
                ("CodedEvent_ID", Value::Int(id)),
                ("LowerBound", Value::Float(-1.0)),
                ("UpperBound", Value::Float(-1.0)),
                ("Comparator", Value::Int(place as i64 + 3)),
            ];
            self.person.push("CodedEventRange", &cells);
        }
    }

    /// Adds an event and gives its number.
    fn coded(&mut self, row: &Row, system: System, code: &str, number: Value) -> i64 {
        let (id, moment) = (self.person.store.id(), self.moment(row));
        let mut cells = vec![("CodedEvent_ID", Value::Int(id)), ("ConsultationDate", moment), ("NumericValue", number)];
        match system {
            System::Ctv3 => {
                cells.push(("CTV3Code", Value::text(code)));
                self.person.push("CodedEvent", &cells);
            }
            _ => {
                cells.extend([("ConceptId", Value::text(code)), ("CodeSystemId", Value::Int(0))]);
                self.person.push("CodedEvent_SNOMED", &cells);
            }
        }
        id
    }

    /// Weight and height that give the index.
    fn body_mass(&mut self, row: &Row) {
        let index = self.number(row).unwrap_or(27.0).max(5.0);
        let tall = 1.5 + 0.4 * self.person.dice(self.scene.base).unit();
        let weight = index * tall * tall;
        self.coded(row, System::Ctv3, "X76C7", Value::Float(weight));
        self.coded(row, System::Ctv3, "XM01E", Value::Float(tall));
    }

    fn issue(&mut self, row: &Row, codes: &Codes) {
        let label = self.label(row);
        let mut dice = row.wish.what.of(self.person.number.wrapping_add((row.nth + 1) << 20));
        let code = self.scene.code(codes, label.as_deref(), &self.person, self.demands, &mut dice);
        let (id, moment) = (self.person.store.id(), self.moment(row));
        let drug = Value::text(format!("drug {code}"));
        let cells = [
            ("MedicationIssue_ID", Value::Int(id)),
            ("MultilexDrug_ID", drug.clone()),
            ("Quantity", Value::text("28 tablets")),
            ("StartDate", moment.clone()),
            ("MedicationStatus", Value::Int(4)),
            ("ConsultationDate", moment),
        ];
        self.person.push("MedicationIssue", &cells);
        self.person.store.once("MedicationDictionary", &[("MultilexDrug_ID", drug), ("DMD_ID", Value::text(code))]);
    }

    pub(super) fn practice_row(&mut self, row: Row) {
        let (id, moment) = (self.person.store.id(), self.moment(&row));
        match &row.wish.variable.query {
            Query::GpConsultations { .. } => {
                let status = Value::Int(if row.odd { 2 } else { 4 });
                let cells = [
                    ("Appointment_ID", Value::Int(id)),
                    ("BookedDate", moment.clone()),
                    ("StartDate", moment.clone()),
                    ("SeenDate", moment),
                    ("Status", status),
                ];
                self.person.push("Appointment", &cells);
            }
            Query::DecisionSupport { .. } => {
                let number = self.number(&row).map_or(Value::Float(0.1), Value::Float);
                self.person.push(
                    "DecisionSupportValue",
                    &[("AlgorithmType", Value::Int(1)), ("CalculationDateTime", moment), ("NumericValue", number)],
                );
            }
            Query::Vaccination { diseases, products, .. } => {
                let mut dice = row.wish.what.of(self.person.number.wrapping_add((row.nth + 1) << 20));
                let disease =
                    diseases.as_deref().and_then(|all| dice.one(all)).map_or("Another disease", String::as_str);
                let product = products
                    .as_deref()
                    .and_then(|all| dice.one(all))
                    .map_or_else(|| format!("Vaccine against {disease}"), Clone::clone);
                let name = Value::Int(
                    super::super::dice::Purpose::new(0, &format!("{disease}|{product}")).of(0).below(1 << 31) as i64,
                );
                let cells = [
                    ("Vaccination_ID", Value::Int(id)),
                    ("VaccinationDate", moment),
                    ("VaccinationName", Value::text(&product)),
                    ("VaccinationName_ID", name.clone()),
                    ("VaccinationSchedulePart", Value::Int(1)),
                ];
                self.person.push("Vaccination", &cells);
                let known = [
                    ("VaccinationName_ID", name),
                    ("VaccinationName", Value::text(&product)),
                    ("VaccinationContent", Value::text(disease)),
                ];
                self.person.store.once("VaccinationReference", &known);
            }
            _ => self.person.push("HealthCareWorker", &[("HealthCareWorker", Value::text("Y"))]),
        }
    }
}
