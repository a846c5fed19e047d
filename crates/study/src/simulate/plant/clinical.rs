//! Rows of the practice: coded events, measurements, medicines, appointments, vaccines.
//! Spec study-definitions.md 7.2, warehouse.md 2.2.

use query::Value;

use super::super::dice::Dice;
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
        let mut dice = row.wish.what.nth(self.person.key, row.nth);
        let code = self.scene.code(codes, label.as_deref(), self.person.key, self.demands, &mut dice);
        let number = match row.odd && dice.chance(0.5) {
            true => Value::Null,
            false => number.map_or(Value::Float(0.0), Value::Float),
        };
        let id = self.coded(row, codes.system, code, number);
        self.range(row, id, &mut dice);
    }

    /// Sign and bounds of an event's number.
    fn range(&mut self, row: &Row, event: i64, dice: &mut Dice) {
        let sign = row.wish.comparators.as_ref().and_then(|signs| signs.label(dice.bits()));
        let sign = sign.and_then(|sign| ["~", "=", ">=", ">", "<", "<="].iter().position(|known| *known == sign));
        let bounds = row.wish.bounds.each_ref().map(|bound| {
            let (share, values) = bound.as_ref()?;
            dice.chance(*share).then(|| values.number(dice.bits())).flatten()
        });
        if sign.is_none() && bounds == [None, None] {
            return;
        }
        let id = self.store.id();
        let [lower, upper] = bounds.map(|bound| bound.map_or(Value::Null, Value::Float));
        let cells = [
            ("CodedEventRange_ID", Value::Int(id)),
            ("CodedEvent_ID", Value::Int(event)),
            ("LowerBound", lower),
            ("UpperBound", upper),
            ("Comparator", sign.map_or(Value::Null, |place| Value::Int(place as i64 + 3))),
        ];
        self.store.push("CodedEventRange", &cells);
    }

    /// Adds an event and gives its number.
    fn coded(&mut self, row: &Row, system: System, code: Value, number: Value) -> i64 {
        let (id, moment) = (self.store.id(), self.moment(row));
        let mut cells = vec![("CodedEvent_ID", Value::Int(id)), ("ConsultationDate", moment), ("NumericValue", number)];
        match system {
            System::Ctv3 => {
                cells.push(("CTV3Code", code));
                self.store.push("CodedEvent", &cells);
            }
            _ => {
                cells.extend([("ConceptId", code), ("CodeSystemId", Value::Int(0))]);
                self.store.push("CodedEvent_SNOMED", &cells);
            }
        }
        id
    }

    /// Weight and height that give the index.
    fn body_mass(&mut self, row: &Row) {
        let index = self.number(row).unwrap_or(27.0).max(5.0);
        let tall = 1.5 + 0.4 * self.person.dice(self.scene.base).unit();
        let weight = index * tall * tall;
        self.coded(row, System::Ctv3, Value::text("X76C7"), Value::Float(weight));
        self.coded(row, System::Ctv3, Value::text("XM01E"), Value::Float(tall));
    }

    fn issue(&mut self, row: &Row, codes: &Codes) {
        let label = self.label(row);
        let mut dice = row.wish.what.nth(self.person.key, row.nth);
        let code = self.scene.code(codes, label.as_deref(), self.person.key, self.demands, &mut dice);
        let (id, moment) = (self.store.id(), self.moment(row));
        let drug = match &code {
            Value::Str(code) => Value::text(format!("drug {code}")),
            _ => Value::Null,
        };
        let cells = [
            ("MedicationIssue_ID", Value::Int(id)),
            ("MultilexDrug_ID", drug.clone()),
            ("Quantity", Value::text("28 tablets")),
            ("StartDate", moment.clone()),
            ("MedicationStatus", Value::Int(4)),
            ("ConsultationDate", moment),
        ];
        self.store.push("MedicationIssue", &cells);
        if self.store.is_new("MedicationDictionary", &drug) {
            self.store.push("MedicationDictionary", &[("MultilexDrug_ID", drug), ("DMD_ID", code)]);
        }
    }

    pub(super) fn practice_row(&mut self, row: Row) {
        let (id, moment) = (self.store.id(), self.moment(&row));
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
                self.store.push("Appointment", &cells);
            }
            Query::DecisionSupport { .. } => {
                let number = self.number(&row).map_or(Value::Float(0.1), Value::Float);
                self.store.push(
                    "DecisionSupportValue",
                    &[("AlgorithmType", Value::Int(1)), ("CalculationDateTime", moment), ("NumericValue", number)],
                );
            }
            Query::Vaccination { diseases, products, .. } => {
                let mut dice = row.wish.what.nth(self.person.key, row.nth);
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
                self.store.push("Vaccination", &cells);
                let known = [
                    ("VaccinationName_ID", name.clone()),
                    ("VaccinationName", Value::text(&product)),
                    ("VaccinationContent", Value::text(disease)),
                ];
                if self.store.is_new("VaccinationReference", &name) {
                    self.store.push("VaccinationReference", &known);
                }
            }
            _ => self.store.push("HealthCareWorker", &[("HealthCareWorker", Value::text("Y"))]),
        }
    }
}
