//! Deaths, stays and attendances. Spec study-definitions.md 7.3, first half.
//! Filters by columns are kept as data, so that a new column is a line.

use super::super::call::Call;
use super::Built;
use crate::fault::Fault;
use crate::functions::TypeWord;
use crate::model::{
    Admission, AdmissionColumn, AdmissionFact, CertificateCodes, ColumnType, DeathFact, EmergencyFact, IcuFact,
    OutpatientFact, Query,
};

/// A function of this group.
pub(super) fn build(call: &mut Call<'_, '_>) -> Built {
    match call.function.name.as_str() {
        "died_from_any_cause" => {
            let (period, fact) = (call.period(), death(call));
            let (returning, kind) = fact?;
            Some((Query::DeathCertificate { period: period?, codes: None, returning }, kind))
        }
        "with_these_codes_on_death_certificate" => {
            let (codes, period, fact) = (call.codes("codelist"), call.period(), death(call));
            let only_underlying = call.flag("match_only_underlying_cause");
            let (returning, kind) = fact?;
            let codes = Some(CertificateCodes { codes: codes?, only_underlying });
            Some((Query::DeathCertificate { period: period?, codes, returning }, kind))
        }
        "with_death_recorded_in_cpns" => {
            let (period, fact) = (call.period(), death(call));
            let (returning, kind) = fact?;
            Some((Query::CpnsDeath { period: period?, returning }, kind))
        }
        "with_death_recorded_in_primary_care" => {
            let (period, fact) = (call.period(), death(call));
            let (returning, kind) = fact?;
            Some((Query::PrimaryCareDeath { period: period?, returning }, kind))
        }
        "admitted_to_hospital" => admission(call),
        "attended_emergency_care" => emergency(call),
        "outpatient_appointment_date" => outpatient(call),
        "admitted_to_icu" => icu(call),
        _ => super::results::build(call),
    }
}

fn death(call: &mut Call<'_, '_>) -> Option<(DeathFact, ColumnType)> {
    let (word, kind) = call.returning()?;
    let fact = match word {
        "date_of_death" => DeathFact::DateOfDeath,
        "underlying_cause_of_death" => DeathFact::UnderlyingCause,
        "place_of_death" => DeathFact::Place,
        _ => DeathFact::BinaryFlag,
    };
    Some((fact, kind))
}

const COLUMNS: [(&str, AdmissionColumn); 6] = [
    ("admission_method", AdmissionColumn::AdmissionMethod),
    ("source_of_admission", AdmissionColumn::SourceOfAdmission),
    ("discharge_destination", AdmissionColumn::DischargeDestination),
    ("patient_classification", AdmissionColumn::PatientClassification),
    ("admission_treatment_function_code", AdmissionColumn::AdmissionTreatmentFunctionCode),
    ("administrative_category", AdmissionColumn::AdministrativeCategory),
];

fn admission(call: &mut Call<'_, '_>) -> Built {
    let period = call.period();
    let pick = call.pick();
    let diagnoses = call.maybe_codes("with_these_diagnoses");
    let primary = call.maybe_codes("with_these_primary_diagnoses");
    let procedures = call.maybe_codes("with_these_procedures");
    let filters: Vec<_> = COLUMNS.iter().map(|(name, column)| (*column, call.texts(&format!("with_{name}")))).collect();
    let (word, kind) = call.returning()?;
    let returning = match word {
        "binary_flag" => AdmissionFact::BinaryFlag,
        "date_admitted" => AdmissionFact::DateAdmitted,
        "date_discharged" => AdmissionFact::DateDischarged,
        "number_of_matches_in_period" => AdmissionFact::NumberOfMatches,
        "primary_diagnosis" => AdmissionFact::PrimaryDiagnosis,
        "duration_of_elective_wait" => AdmissionFact::DurationOfElectiveWait,
        "days_in_critical_care" => AdmissionFact::DaysInCriticalCare,
        "total_bed_days_in_period" => AdmissionFact::TotalBedDays,
        "total_critical_care_days_in_period" => AdmissionFact::TotalCriticalCareDays,
        word => AdmissionFact::Column(COLUMNS.iter().find(|(name, _)| *name == word)?.1),
    };
    if matches!(returning, AdmissionFact::TotalBedDays | AdmissionFact::TotalCriticalCareDays) {
        let picks = ["find_first_match_in_period", "find_last_match_in_period"];
        call.exclude(&picks, &format!("with returning=\"{word}\", which adds all stays up"))?;
    }
    let mut columns = Vec::new();
    for (column, texts) in filters {
        columns.extend(texts?.map(|texts| (column, texts)));
    }
    let admission = Admission {
        period: period?,
        pick,
        diagnoses: diagnoses?,
        primary_diagnoses: primary?,
        procedures: procedures?,
        columns,
        critical_care: call.flag("with_at_least_one_day_in_critical_care"),
        returning,
    };
    Some((Query::Admission(admission), kind))
}

fn emergency(call: &mut Call<'_, '_>) -> Built {
    let (period, pick) = (call.period(), call.pick());
    let (diagnoses, discharged_to) = (call.texts("with_these_diagnoses"), call.texts("discharged_to"));
    let (word, kind) = call.returning()?;
    let returning = match word {
        "date_arrived" => EmergencyFact::DateArrived,
        "number_of_matches_in_period" => EmergencyFact::NumberOfMatches,
        "discharge_destination" => EmergencyFact::DischargeDestination,
        _ => EmergencyFact::BinaryFlag,
    };
    let (diagnoses, discharged_to) = (diagnoses?, discharged_to?);
    Some((Query::EmergencyCare { period: period?, pick, diagnoses, discharged_to, returning }, kind))
}

fn outpatient(call: &mut Call<'_, '_>) -> Built {
    let (period, pick) = (call.period(), call.pick());
    let functions = call.texts("with_these_treatment_function_codes");
    let procedures = call.maybe_codes("with_these_procedures");
    let (word, kind) = call.returning()?;
    let returning = match word {
        "date" => OutpatientFact::Date,
        "number_of_matches_in_period" => OutpatientFact::NumberOfMatches,
        "consultation_medium_used" => OutpatientFact::ConsultationMediumUsed,
        _ => OutpatientFact::BinaryFlag,
    };
    let query = Query::Outpatient {
        period: period?,
        pick,
        attended: call.maybe_flag("attended"),
        first: call.maybe_flag("is_first_attendance"),
        treatment_functions: functions?,
        procedures: procedures?,
        returning,
    };
    Some((query, kind))
}

fn icu(call: &mut Call<'_, '_>) -> Built {
    let (period, pick) = (call.period(), call.pick());
    let (word, kind) = call.returning()?;
    let returning = match word {
        "had_respiratory_support" => IcuFact::HadRespiratorySupport,
        "had_basic_respiratory_support" => IcuFact::HadBasicRespiratorySupport,
        "had_advanced_respiratory_support" => IcuFact::HadAdvancedRespiratorySupport,
        "date_admitted" => IcuFact::DateAdmitted,
        _ => IcuFact::BinaryFlag,
    };
    Some((Query::Icu { period: period?, pick, returning }, kind))
}

/// High-cost drugs know months only; Python refuses days already, a tuple written by hand does not.
pub(super) fn month(call: &mut Call<'_, '_>) -> Option<()> {
    if call.column(TypeWord::Date) == ColumnType::Date(cohorts::DatePrecision::Day) {
        let message = "high-cost drugs are known by month only";
        call.fault(Fault::new("SD204", message).argument("date_format").fix("write \"YYYY-MM\" or \"YYYY\""));
        return None;
    }
    Some(())
}
