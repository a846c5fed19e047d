//! Rows of hospitals: admissions, emergency care, outpatients, intensive care, ethnicity.
//! Spec study-definitions.md 7.3, warehouse.md 2.3.

use jiff::ToSpan;
use query::Value;

use super::super::person::day_of;
use super::{Planting, Row};
use crate::model::{
    Admission, AdmissionColumn, AdmissionFact, Codes, EmergencyFact, IcuFact, OutpatientFact, Query, SusEthnicity,
};

impl Planting<'_, '_> {
    pub(super) fn hospital(&mut self, row: Row) {
        match &row.wish.variable.query {
            Query::Admission(admission) => self.admission(&row, admission),
            Query::EmergencyCare { diagnoses, discharged_to, returning, .. } => {
                let mut dice = row.wish.what.nth(self.person.key, row.nth);
                let label = self.label(&row).filter(|_| *returning == EmergencyFact::DischargeDestination);
                let place = label.or_else(|| dice.one(discharged_to.as_deref()?).cloned());
                let diagnosis =
                    diagnoses.as_deref().and_then(|codes| dice.often(codes)).map_or("55680006", String::as_str);
                let id = self.store.id();
                let cells = [
                    ("EC_Ident", Value::Int(id)),
                    ("Arrival_Date", Value::Date(day_of(row.day))),
                    ("Discharge_Destination_SNOMED_CT", Value::text(place.as_deref().unwrap_or("306689006"))),
                ];
                self.store.push("EC", &cells);
                self.store
                    .push("EC_Diagnosis", &[("EC_Ident", Value::Int(id)), ("EC_Diagnosis_01", Value::text(diagnosis))]);
            }
            Query::Outpatient { attended, first, treatment_functions, procedures, returning, .. } => {
                let mut dice = row.wish.what.nth(self.person.key, row.nth);
                let medium = self.label(&row).filter(|_| *returning == OutpatientFact::ConsultationMediumUsed);
                let function =
                    treatment_functions.as_deref().and_then(|all| dice.one(all)).map_or("100", String::as_str);
                let id = self.store.id();
                let cells = [
                    ("OPA_Ident", Value::Int(id)),
                    ("Appointment_Date", Value::Date(day_of(row.day))),
                    ("Attendance_Status", Value::text(if *attended == Some(false) { "7" } else { "5" })),
                    ("First_Attendance", Value::text(if *first == Some(false) { "2" } else { "1" })),
                    ("Consultation_Medium_Used", Value::text(medium.as_deref().unwrap_or("01"))),
                    ("Treatment_Function_Code", Value::text(function)),
                ];
                self.store.push("OPA", &cells);
                if let Some(codes) = procedures {
                    let code = self.scene.code(codes, None, self.person.key, self.demands, &mut dice);
                    self.store.push("OPA_Proc", &[("OPA_Ident", Value::Int(id)), ("Primary_Procedure_Code", code)]);
                }
            }
            Query::Icu { returning, .. } => {
                let (basic, advanced) = match returning {
                    IcuFact::HadAdvancedRespiratorySupport => (0, 3),
                    IcuFact::HadBasicRespiratorySupport | IcuFact::HadRespiratorySupport => (2, 0),
                    IcuFact::BinaryFlag | IcuFact::DateAdmitted => (i64::from(row.day % 2 == 0), 0),
                };
                let id = self.store.id();
                let moment = self.moment(&row);
                let cells = [
                    ("ICNARC_ID", Value::Int(id)),
                    ("IcuAdmissionDateTime", moment),
                    ("BasicDays_RespiratorySupport", Value::Int(basic)),
                    ("AdvancedDays_RespiratorySupport", Value::Int(advanced)),
                ];
                self.store.push("ICNARC", &cells);
            }
            Query::EthnicityFromSus(_) => self.ethnicity(&row),
            _ => {}
        }
    }

    /// A visit without a diagnosis row, which no variable of emergency care sees.
    fn ethnicity(&mut self, row: &Row) {
        let letter = |group: usize, groups: &[&str]| {
            groups.get(group.wrapping_sub(1)).and_then(|letters| letters.chars().next()).map(String::from)
        };
        let sixteen: Vec<String> = "ABCDEFGHJKLMNPRS".chars().map(String::from).collect();
        let sixteen: Vec<&str> = sixteen.iter().map(String::as_str).collect();
        let drawn = self.labelled(row);
        let label = self.label(row);
        let code = match (drawn.map(|wish| &wish.variable.query), label) {
            (Some(Query::EthnicityFromSus(SusEthnicity::Code)), Some(label)) => Some(label),
            (Some(Query::EthnicityFromSus(SusEthnicity::Group16)), Some(label)) => {
                label.parse().ok().and_then(|group| letter(group, &sixteen))
            }
            (_, Some(label)) => {
                label.parse().ok().and_then(|group| letter(group, &["ABC", "DEFG", "HJKL", "MNP", "RS"]))
            }
            (_, None) => Some("A".into()),
        };
        let Some(code) = code else { return };
        let id = self.store.id();
        let cells = [
            ("EC_Ident", Value::Int(id)),
            ("Arrival_Date", Value::Date(day_of(row.day.min(self.scene.as_of)))),
            ("Ethnic_Category", Value::text(code)),
        ];
        self.store.push("EC", &cells);
    }

    fn admission(&mut self, row: &Row, admission: &Admission) {
        let mut dice = row.wish.what.nth(self.person.key, row.nth);
        let label = self.label(row);
        let drawn = self.labelled(row);
        let means = drawn.and_then(|wish| match &wish.variable.query {
            Query::Admission(admission) => Some(admission.returning),
            _ => None,
        });
        let mut code = |codes: &Option<Codes>, otherwise: &str| {
            codes.as_ref().map_or_else(
                || otherwise.to_owned(),
                |codes| match self.scene.code(codes, None, self.person.key, self.demands, &mut dice) {
                    Value::Str(code) => code.to_string(),
                    _ => otherwise.to_owned(),
                },
            )
        };
        let secondary = code(&admission.diagnoses, "R69X");
        let mut primary = code(&admission.primary_diagnoses, &secondary);
        let procedure = code(&admission.procedures, "X999");
        if let (Some(AdmissionFact::PrimaryDiagnosis), Some(label)) = (means, &label) {
            primary.clone_from(label);
        }
        let nights = 1 + dice.below(6) as i64;
        let care = i64::from(admission.critical_care || means == Some(AdmissionFact::DaysInCriticalCare));
        let care = match (means, &label) {
            (Some(AdmissionFact::DaysInCriticalCare), Some(label)) => label.clone(),
            _ => care.to_string(),
        };
        let id = self.store.id();
        let day = day_of(row.day);
        let mut cells = vec![
            ("APCS_Ident", Value::Int(id)),
            ("Admission_Date", Value::Date(day)),
            ("Discharge_Date", Value::Date(day.saturating_add(nights.days()))),
            ("Der_Spell_LoS", Value::Int(nights)),
            ("Der_Diagnosis_All", Value::text(format!("||{primary} ,{secondary}"))),
            ("Der_Procedure_All", Value::text(format!("||{procedure}"))),
            ("Duration_of_Elective_Wait", Value::Int(dice.below(120) as i64)),
        ];
        if row.odd {
            cells.extend([("Der_Diagnosis_All", Value::Null), ("Der_Spell_LoS", Value::Null)]);
        }
        for (column, name, usual) in COLUMNS {
            let asked = admission.columns.iter().find(|(of, _)| *of == column).and_then(|(_, texts)| texts.first());
            let labelled = label.as_ref().filter(|_| means == Some(AdmissionFact::Column(column)));
            let text = labelled.or(asked).map_or(usual, String::as_str);
            cells.push((name, Value::text(text)));
        }
        self.store.push("APCS", &cells);
        let cells = [
            ("APCS_Ident", Value::Int(id)),
            ("Spell_Primary_Diagnosis", Value::text(primary)),
            ("Spell_PbR_CC_Day", Value::text(care)),
        ];
        self.store.push("APCS_Der", &cells);
    }
}

const COLUMNS: [(AdmissionColumn, &str, &str); 6] = [
    (AdmissionColumn::AdmissionMethod, "Admission_Method", "21"),
    (AdmissionColumn::SourceOfAdmission, "Source_of_Admission", "19"),
    (AdmissionColumn::DischargeDestination, "Discharge_Destination", "19"),
    (AdmissionColumn::PatientClassification, "Patient_Classification", "1"),
    (AdmissionColumn::AdmissionTreatmentFunctionCode, "Der_Admit_Treatment_Function_Code", "300"),
    (AdmissionColumn::AdministrativeCategory, "Administrative_Category", "01"),
];
