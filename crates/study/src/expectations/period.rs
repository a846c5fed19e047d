//! The period of a variable as far as it is the same for every patient: dates outside it become missing.
//! Spec study-definitions.md 10.1 "STATIC period".

use super::Settings as Run;
use super::dates::{day_number, resolve};
use super::problem::Problem;
use crate::model::{ColumnType, DateExpr, Period, Query};

/// First and last day of what a date column asks for; `None` when nothing bounds it. Bounds that hang on a column are
/// open here.
pub(crate) fn fixed(query: &Query, kind: ColumnType, run: &Run) -> Result<Option<(i32, i32)>, Problem> {
    let (ColumnType::Date(_), Some(period)) = (kind, of(query)) else { return Ok(None) };
    let end = |end: &Option<DateExpr>| match end {
        Some(end) => resolve(end, run).map(|day| day.map(day_number)),
        None => Ok(None),
    };
    let (from, to) = (end(&period.from)?, end(&period.to)?);
    Ok((from.is_some() || to.is_some()).then(|| (from.unwrap_or(i32::MIN), to.unwrap_or(i32::MAX))))
}

/// The period in a variable's arguments.
pub(crate) fn of(query: &Query) -> Option<&Period> {
    match query {
        Query::Deregistered(period)
        | Query::MostRecentBmi { period, .. }
        | Query::RecordedValue { period, .. }
        | Query::GpConsultations { period, .. }
        | Query::DecisionSupport { period, .. }
        | Query::Vaccination { period, .. }
        | Query::DeathCertificate { period, .. }
        | Query::CpnsDeath { period, .. }
        | Query::PrimaryCareDeath { period, .. }
        | Query::EmergencyCare { period, .. }
        | Query::Outpatient { period, .. }
        | Query::Icu { period, .. }
        | Query::Sgss { period, .. }
        | Query::CovidTherapeutics { period, .. }
        | Query::Ukrr { period, .. }
        | Query::HighCostDrugs { period, .. } => Some(period),
        Query::ClinicalEvents(rows) | Query::Medications(rows) => Some(&rows.period),
        Query::Admission(admission) => Some(&admission.period),
        Query::Isaric { filter, .. } => filter.as_ref().map(|(_, period)| period),
        _ => None,
    }
}
