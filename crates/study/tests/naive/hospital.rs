//! 7.3: admissions, emergency care, outpatients, intensive care, deaths.

use std::collections::BTreeMap;

use jiff::civil::Date;
use study::model::{
    Admission, AdmissionColumn, AdmissionFact, CertificateCodes, Codes, DeathFact, EmergencyFact, IcuFact,
    OutpatientFact, Period, Pick, Query,
};

use super::events::among;
use super::expressions::fold;
use super::rows::{by_id, join, pick, whole};
use super::{Patient, Raw, Res, Row, Stop, day, mm, text};

impl Patient<'_> {
    pub fn admission(&self, asked: &Admission) -> Res<Raw> {
        let mut rows = join(&self.rows("APCS"), &self.rows("APCS_Der"), "APCS_Ident", "APCS_Ident", "der", false);
        let window = self.window(&asked.period)?;
        rows.retain(|r| window.holds(r.day("Admission_Date")));
        let texts = |codes: &Codes| self.world.list(codes).into_keys().map(|c| fold(&c)).collect::<Vec<_>>();
        if let Some(codes) = &asked.diagnoses {
            rows.retain(|r| after_boundary(r.text("Der_Diagnosis_All"), &texts(codes)));
        }
        if let Some(codes) = &asked.primary_diagnoses {
            rows.retain(|r| {
                r.text("der.Spell_Primary_Diagnosis")
                    .is_some_and(|t| texts(codes).iter().any(|c| fold(t).starts_with(c)))
            });
        }
        if let Some(codes) = &asked.procedures {
            rows.retain(|r| after_boundary(r.text("Der_Procedure_All"), &texts(codes)));
        }
        for (column, wanted) in &asked.columns {
            rows.retain(|r| among(r.text(column_of(*column)), wanted));
        }
        let days_of = |r: &Row| r.text("der.Spell_PbR_CC_Day").map_or(Ok(None), |t| Ok(Some(whole(t)?.unwrap_or(0))));
        if asked.critical_care {
            let mut kept = Vec::new();
            for row in rows {
                if days_of(&row)?.is_some_and(|days| days > 0) {
                    kept.push(row);
                }
            }
            rows = kept;
        }
        let first = || pick(rows.clone(), asked.pick, |r| r.moment("Admission_Date"), by_id("APCS_Ident"));
        let value = |column: &str| text(first().as_ref().and_then(|r| r.text(column)));
        Ok(match asked.returning {
            AdmissionFact::BinaryFlag => Raw::Bool(!rows.is_empty()),
            AdmissionFact::NumberOfMatches => count(&rows),
            AdmissionFact::DateAdmitted => day(mm(rows.iter().map(|r| r.day("Admission_Date")), asked.pick)),
            AdmissionFact::DateDischarged => day(mm(rows.iter().map(|r| r.day("Discharge_Date")), asked.pick)),
            AdmissionFact::PrimaryDiagnosis => value("der.Spell_Primary_Diagnosis"),
            AdmissionFact::Column(column) => value(column_of(column)),
            AdmissionFact::DurationOfElectiveWait => value("Duration_of_Elective_Wait"),
            AdmissionFact::DaysInCriticalCare => value("der.Spell_PbR_CC_Day"),
            AdmissionFact::TotalBedDays => {
                let mut stays = BTreeMap::new();
                for row in &rows {
                    if let Some(nights) = row.int("Der_Spell_LoS") {
                        greatest(&mut stays, row.day("Admission_Date"), nights);
                    }
                }
                total(&stays, 1)
            }
            AdmissionFact::TotalCriticalCareDays => {
                let mut stays = BTreeMap::new();
                for row in &rows {
                    if let Some(days) = days_of(row)? {
                        greatest(&mut stays, row.day("Admission_Date"), days);
                    }
                }
                total(&stays, 0)
            }
        })
    }

    pub fn emergency(&self, query: &Query) -> Res<Raw> {
        let Query::EmergencyCare { period, pick: which, diagnoses, discharged_to, returning } = query else { panic!() };
        let mut rows = join(&self.rows("EC"), &self.rows("EC_Diagnosis"), "EC_Ident", "EC_Ident", "d", false);
        let window = self.window(period)?;
        rows.retain(|r| window.holds(r.day("Arrival_Date")));
        if let Some(codes) = diagnoses {
            rows.retain(|r| (1..=24).any(|n| among(r.text(&format!("d.EC_Diagnosis_{n:02}")), codes)));
        }
        if let Some(places) = discharged_to {
            rows.retain(|r| among(r.text("Discharge_Destination_SNOMED_CT"), places));
        }
        Ok(match returning {
            EmergencyFact::BinaryFlag => Raw::Bool(!rows.is_empty()),
            EmergencyFact::NumberOfMatches => count(&rows),
            EmergencyFact::DateArrived => day(mm(rows.iter().map(|r| r.day("Arrival_Date")), *which)),
            EmergencyFact::DischargeDestination => {
                let row = pick(rows, *which, |r| r.moment("Arrival_Date"), by_id("EC_Ident"));
                text(row.as_ref().and_then(|r| r.text("Discharge_Destination_SNOMED_CT")))
            }
        })
    }

    pub fn outpatient(&self, query: &Query) -> Res<Raw> {
        let Query::Outpatient { period, pick: which, attended, first, treatment_functions, procedures, returning } =
            query
        else {
            panic!()
        };
        let mut rows = self.rows("OPA");
        if let Some(codes) = procedures {
            rows = join(&rows, &self.rows("OPA_Proc"), "OPA_Ident", "OPA_Ident", "p", false);
            let codes: Vec<String> = self.world.list(codes).into_keys().map(|c| fold(&c)).collect();
            rows.retain(|r| {
                r.text("p.Primary_Procedure_Code").is_some_and(|t| codes.iter().any(|c| fold(t).contains(c.as_str())))
            });
        }
        let window = self.window(period)?;
        rows.retain(|r| window.holds(r.day("Appointment_Date")));
        let status = |r: &Row, column: &str, yes: [&str; 2], wanted: Option<bool>| {
            wanted.is_none_or(|wanted| r.text(column).is_some_and(|t| yes.contains(&t) == wanted))
        };
        rows.retain(|r| status(r, "Attendance_Status", ["5", "6"], *attended));
        rows.retain(|r| status(r, "First_Attendance", ["1", "3"], *first));
        if let Some(functions) = treatment_functions {
            rows.retain(|r| among(r.text("Treatment_Function_Code"), functions));
        }
        Ok(match returning {
            OutpatientFact::BinaryFlag => Raw::Bool(!rows.is_empty()),
            OutpatientFact::NumberOfMatches => count(&rows),
            OutpatientFact::Date => day(mm(rows.iter().map(|r| r.day("Appointment_Date")), *which)),
            OutpatientFact::ConsultationMediumUsed => {
                // OPA_Ident is the first of the columns and the key
                let row = pick(rows, *which, |r| r.moment("Appointment_Date"), by_id("OPA_Ident"));
                text(row.as_ref().and_then(|r| r.text("Consultation_Medium_Used")))
            }
        })
    }

    pub fn icu(&self, period: &Period, which: Pick, fact: IcuFact) -> Res<Raw> {
        let mut rows = self.rows("ICNARC");
        let earlier =
            |r: &Row| [r.day("IcuAdmissionDateTime"), r.day("OriginalIcuAdmissionDate")].into_iter().flatten().min();
        let window = self.window(period)?;
        rows.retain(|r| window.holds(earlier(r)));
        let sum = |column: &str| {
            let days: Vec<i64> = rows.iter().filter_map(|r| r.int(column)).collect();
            (!days.is_empty()).then(|| days.iter().sum::<i64>())
        };
        let (basic, advanced) = (sum("BasicDays_RespiratorySupport"), sum("AdvancedDays_RespiratorySupport"));
        let positive = |days: Option<i64>| Raw::Bool(days.unwrap_or(0) > 0);
        Ok(match fact {
            IcuFact::BinaryFlag => Raw::Bool(!rows.is_empty()),
            IcuFact::DateAdmitted => day(mm(rows.iter().map(earlier), which)),
            IcuFact::HadBasicRespiratorySupport => positive(basic),
            IcuFact::HadAdvancedRespiratorySupport => positive(advanced),
            IcuFact::HadRespiratorySupport => positive(basic.zip(advanced).map(|(a, b)| a + b)),
        })
    }

    pub fn death(&self, query: &Query) -> Res<Raw> {
        match query {
            Query::DeathCertificate { period, codes, returning } => {
                let mut rows = self.rows("ONS_Deaths");
                let window = self.window(period)?;
                rows.retain(|r| window.holds(r.day("dod")));
                if let Some(codes) = codes {
                    rows.retain(|r| self.certified(r, codes));
                }
                let least = |column: &str| text(rows.iter().filter_map(|r| r.text(column)).min());
                Ok(match returning {
                    DeathFact::BinaryFlag => Raw::Bool(!rows.is_empty()),
                    DeathFact::DateOfDeath => day(rows.iter().filter_map(|r| r.day("dod")).min()),
                    DeathFact::UnderlyingCause => least("icd10u"),
                    DeathFact::Place => least("Place_of_occurrence"),
                })
            }
            Query::CpnsDeath { period, returning } => {
                let window = self.window(period)?;
                let mut rows = self.rows("CPNS");
                rows.retain(|r| window.holds(r.day("DateOfDeath")));
                let mut days: Vec<Date> = rows.iter().filter_map(|r| r.day("DateOfDeath")).collect();
                days.dedup();
                if days.len() > 1 {
                    return Err(Stop("D510"));
                }
                Ok(match returning {
                    DeathFact::DateOfDeath => day(days.first().copied()),
                    _ => Raw::Bool(!rows.is_empty()),
                })
            }
            Query::PrimaryCareDeath { period, returning } => {
                let window = self.window(period)?.of_centuries();
                let died = self.row().day("DateOfDeath").filter(|day| window.holds(Some(*day)));
                Ok(match returning {
                    DeathFact::DateOfDeath => day(died),
                    _ => Raw::Bool(died.is_some()),
                })
            }
            other => panic!("{other:?}"),
        }
    }

    fn certified(&self, row: &Row, codes: &CertificateCodes) -> bool {
        let others = (1..=15).map(|n| format!("ICD10{n:03}")).filter(|_| !codes.only_underlying);
        std::iter::once("icd10u".to_owned()).chain(others).any(|c| self.is_listed(row.text(&c), &codes.codes))
    }
}

fn greatest(stays: &mut BTreeMap<Option<Date>, i64>, day: Option<Date>, days: i64) {
    let stay = stays.entry(day).or_insert(days);
    *stay = (*stay).max(days);
}

/// No stay that tells its length: missing.
fn total(stays: &BTreeMap<Option<Date>, i64>, more: i64) -> Raw {
    if stays.is_empty() { Raw::Null } else { Raw::Int(stays.values().map(|days| days + more).sum()) }
}

pub fn count(rows: &[Row]) -> Raw {
    Raw::Int(i64::try_from(rows.len()).unwrap())
}

/// A code right after a character that is neither letter nor digit.
fn after_boundary(text: Option<&str>, codes: &[String]) -> bool {
    let Some(text) = text.map(fold) else { return false };
    let chars: Vec<char> = text.chars().collect();
    (0..chars.len()).any(|at| {
        let rest: String = chars[at + 1..].iter().collect();
        !chars[at].is_alphanumeric() && codes.iter().any(|c| rest.starts_with(c.as_str()))
    })
}

fn column_of(column: AdmissionColumn) -> &'static str {
    match column {
        AdmissionColumn::AdmissionMethod => "Admission_Method",
        AdmissionColumn::SourceOfAdmission => "Source_of_Admission",
        AdmissionColumn::DischargeDestination => "Discharge_Destination",
        AdmissionColumn::PatientClassification => "Patient_Classification",
        AdmissionColumn::AdmissionTreatmentFunctionCode => "Der_Admit_Treatment_Function_Code",
        AdmissionColumn::AdministrativeCategory => "Administrative_Category",
    }
}
