//! Hospital admissions, emergency care, outpatients and intensive care.
//! Spec study-definitions.md 7.3.

use query::{Collation, Frame, JoinKind, Joined, Series, Then, Type};

use super::{Answer, LowerError, Lowering, by};
use crate::model::{
    Admission, AdmissionColumn, AdmissionFact, Codes, EmergencyFact, IcuFact, OutpatientFact, Period, Pick, Query,
};

impl Lowering<'_> {
    pub(super) fn admission(&mut self, admission: &Admission) -> Result<Answer, LowerError> {
        let (spells, derived) = (self.q.table("APCS"), self.q.table("APCS_Der"));
        let on = &[("APCS_Ident", "APCS_Ident")];
        let all = self.q.join(spells, derived, &Joined { on, kind: JoinKind::Inner, name: "der" });
        let day = self.q.column(all, "Admission_Date");
        let within = self.within(day, &admission.period)?;
        let rows = self.keep(all, [within]);
        let rows = self.admission_filters(rows, admission)?;
        let value = |this: &mut Self, column: &str| {
            let row = this.pick(rows, admission.pick, "Admission_Date", by("APCS_Ident"));
            this.q.column(row, column)
        };
        Ok(match admission.returning {
            AdmissionFact::BinaryFlag => Answer::value(self.q.exists(rows)),
            AdmissionFact::NumberOfMatches => Answer::value(self.q.count(rows)),
            AdmissionFact::DateAdmitted => self.extreme_of(rows, "Admission_Date", admission.pick),
            AdmissionFact::DateDischarged => self.extreme_of(rows, "Discharge_Date", admission.pick),
            AdmissionFact::PrimaryDiagnosis => Answer::value(value(self, "der.Spell_Primary_Diagnosis")),
            AdmissionFact::Column(column) => Answer::value(value(self, column_of(column))),
            AdmissionFact::DurationOfElectiveWait => {
                let days = value(self, "Duration_of_Elective_Wait");
                Answer::value(self.q.cast(days, Type::Str))
            }
            AdmissionFact::DaysInCriticalCare => Answer::value(value(self, "der.Spell_PbR_CC_Day")),
            AdmissionFact::TotalBedDays => {
                let (nights, one) = (self.q.column(rows, "Der_Spell_LoS"), self.q.value(1));
                let days = self.q.add(nights, one);
                Answer::value(self.total(rows, days))
            }
            AdmissionFact::TotalCriticalCareDays => {
                let days = self.critical_care_days(rows);
                Answer::value(self.total(rows, days))
            }
        })
    }

    /// The greatest number of each day of admission, summed.
    fn total(&mut self, rows: Frame, of: Series) -> Series {
        let day = self.q.column(rows, "Admission_Date");
        self.q.sum_of_group_max(day, of)
    }

    fn extreme_of(&mut self, rows: Frame, column: &str, pick: Pick) -> Answer {
        let day = self.day_of(rows, column);
        Answer::day(self.extreme(day, pick))
    }

    /// Days in critical care are text; '' is no day at all.
    fn critical_care_days(&mut self, rows: Frame) -> Series {
        let text = self.q.column(rows, "der.Spell_PbR_CC_Day");
        self.q.cast(text, Type::Int)
    }

    fn admission_filters(&mut self, mut rows: Frame, admission: &Admission) -> Result<Frame, LowerError> {
        for (codes, column, at_start) in [
            (&admission.diagnoses, "Der_Diagnosis_All", false),
            (&admission.primary_diagnoses, "der.Spell_Primary_Diagnosis", true),
            (&admission.procedures, "Der_Procedure_All", false),
        ] {
            let Some(codes) = codes else { continue };
            let (text, list) = (self.q.column(rows, column), self.code_set(codes)?);
            let found = if at_start {
                self.q.starts_with(text, list, Collation::Ci)
            } else {
                self.q.contains_after_boundary(text, list, Collation::Ci)
            };
            rows = self.q.filter(rows, found);
        }
        for (column, texts) in &admission.columns {
            let equal = self.among(rows, column_of(*column), texts);
            rows = self.q.filter(rows, equal);
        }
        if admission.critical_care {
            // last, so that only what is left is read as a number
            let (days, none) = (self.critical_care_days(rows), self.q.value(0));
            let some = self.q.gt(days, none);
            rows = self.q.filter(rows, some);
        }
        Ok(rows)
    }

    pub(super) fn emergency(
        &mut self,
        period: &Period,
        pick: Pick,
        diagnoses: Option<&[String]>,
        discharged_to: Option<&[String]>,
        returning: EmergencyFact,
    ) -> Result<Answer, LowerError> {
        let (visits, found) = (self.q.table("EC"), self.q.table("EC_Diagnosis"));
        let on = &[("EC_Ident", "EC_Ident")];
        let all = self.q.join(visits, found, &Joined { on, kind: JoinKind::Inner, name: "diagnosis" });
        let day = self.q.column(all, "Arrival_Date");
        let within = self.within(day, period)?;
        let mut rows = self.keep(all, [within]);
        if let Some(codes) = diagnoses {
            let columns: Vec<String> = (1..=24).map(|n| format!("diagnosis.EC_Diagnosis_{n:02}")).collect();
            let each: Vec<Series> = columns.iter().map(|column| self.among(rows, column, codes)).collect();
            let any = self.q.or(each);
            rows = self.q.filter(rows, any);
        }
        if let Some(places) = discharged_to {
            let there = self.among(rows, "Discharge_Destination_SNOMED_CT", places);
            rows = self.q.filter(rows, there);
        }
        Ok(match returning {
            EmergencyFact::BinaryFlag => Answer::value(self.q.exists(rows)),
            EmergencyFact::NumberOfMatches => Answer::value(self.q.count(rows)),
            EmergencyFact::DateArrived => self.extreme_of(rows, "Arrival_Date", pick),
            EmergencyFact::DischargeDestination => {
                let row = self.pick(rows, pick, "Arrival_Date", by("EC_Ident"));
                Answer::value(self.q.column(row, "Discharge_Destination_SNOMED_CT"))
            }
        })
    }

    pub(super) fn outpatient(&mut self, query: &Query) -> Result<Answer, LowerError> {
        let Query::Outpatient { period, pick, attended, first, treatment_functions, procedures, returning } = query
        else {
            return self.unsupported("no question about outpatients");
        };
        let all = self.appointments(procedures.as_ref())?;
        let day = self.q.column(all, "Appointment_Date");
        let within = self.within(day, period)?;
        let seen = attended.map(|wanted| self.one_of(all, "Attendance_Status", &["5", "6"], wanted));
        let new = first.map(|wanted| self.one_of(all, "First_Attendance", &["1", "3"], wanted));
        let treated = treatment_functions.as_ref().map(|f| self.among(all, "Treatment_Function_Code", f));
        let rows = self.keep(all, [within, seen, new, treated]);
        Ok(match returning {
            OutpatientFact::BinaryFlag => Answer::value(self.q.exists(rows)),
            OutpatientFact::NumberOfMatches => Answer::value(self.q.count(rows)),
            OutpatientFact::Date => self.extreme_of(rows, "Appointment_Date", *pick),
            OutpatientFact::ConsultationMediumUsed => {
                let row = self.pick(rows, *pick, "Appointment_Date", Then::EveryColumn);
                Answer::value(self.q.column(row, "Consultation_Medium_Used"))
            }
        })
    }

    fn appointments(&mut self, procedures: Option<&Codes>) -> Result<Frame, LowerError> {
        let all = self.q.table("OPA");
        let Some(codes) = procedures else { return Ok(all) };
        let done = self.q.table("OPA_Proc");
        let on = &[("OPA_Ident", "OPA_Ident")];
        let all = self.q.join(all, done, &Joined { on, kind: JoinKind::Inner, name: "procedure" });
        let (text, list) = (self.q.column(all, "procedure.Primary_Procedure_Code"), self.code_set(codes)?);
        let found = self.q.contains(text, list, Collation::Ci);
        Ok(self.q.filter(all, found))
    }

    fn one_of(&mut self, frame: Frame, column: &str, texts: &[&str], wanted: bool) -> Series {
        let (column, texts) = (self.q.column(frame, column), self.texts(texts));
        let found = self.q.is_in(column, texts, Collation::Ci);
        if wanted { found } else { self.q.not(found) }
    }

    pub(super) fn icu(&mut self, period: &Period, pick: Pick, returning: IcuFact) -> Result<Answer, LowerError> {
        let all = self.q.table("ICNARC");
        let (admitted, original) =
            (self.day_of(all, "IcuAdmissionDateTime"), self.day_of(all, "OriginalIcuAdmissionDate"));
        let day = self.q.min_of([admitted, original], Collation::Exact);
        let within = self.within(day, period)?;
        let rows = self.keep(all, [within]);
        let days = |this: &mut Self, column: &str| {
            let days = this.q.column(rows, column);
            this.q.sum(days)
        };
        let (basic, advanced) = ("BasicDays_RespiratorySupport", "AdvancedDays_RespiratorySupport");
        let total = match returning {
            IcuFact::BinaryFlag => return Ok(Answer::value(self.q.exists(rows))),
            IcuFact::DateAdmitted => {
                let (admitted, original) =
                    (self.day_of(rows, "IcuAdmissionDateTime"), self.day_of(rows, "OriginalIcuAdmissionDate"));
                let day = self.q.min_of([admitted, original], Collation::Exact);
                return Ok(Answer::day(self.extreme(day, pick)));
            }
            IcuFact::HadBasicRespiratorySupport => days(self, basic),
            IcuFact::HadAdvancedRespiratorySupport => days(self, advanced),
            IcuFact::HadRespiratorySupport => {
                let (basic, advanced) = (days(self, basic), days(self, advanced));
                self.q.add(basic, advanced)
            }
        };
        let none = self.q.value(0);
        Ok(Answer::value(self.q.gt(total, none)))
    }
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
