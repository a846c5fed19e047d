//! Person, registration, place. Spec study-definitions.md 7.1.
//! Dates as of which something is asked, and the few facts that are known for one day only.

use jiff::civil::Date;

use super::super::call::Call;
use super::super::shown;
use super::Built;
use crate::fault::Fault;
use crate::functions::TypeWord;
use crate::model::{AddressFact, Cases, ColumnType, DateExpr, Expr, HouseholdFact, PracticeFact, Query, Scalar};
use crate::recording::Value;

pub(super) fn build(call: &mut Call<'_, '_>) -> Built {
    let query = match call.function.name.as_str() {
        "all" => (Query::AllPatients, ColumnType::Bool),
        "random_sample" => {
            let percent = call.number("percent", |p| p > 0.0 && p <= 100.0)?;
            (Query::RandomSample { percent }, ColumnType::Bool)
        }
        "sex" => (Query::Sex, ColumnType::Str),
        "age_as_of" => (Query::AgeAsOf(call.date("reference_date")?), ColumnType::Int),
        "date_of_birth" => (Query::DateOfBirth, birth(call)?),
        "registered_as_of" => {
            let start = call.date("reference_date")?;
            (Query::Registered { end: start.clone(), start, gone_live: false }, ColumnType::Bool)
        }
        name @ ("registered_with_one_practice_between" | "with_complete_gp_consultation_history_between") => {
            let (start, end) = (call.date("start_date"), call.date("end_date"));
            let gone_live = name == "with_complete_gp_consultation_history_between";
            (Query::Registered { start: start?, end: end?, gone_live }, ColumnType::Bool)
        }
        "date_deregistered_from_all_supported_practices" => {
            let (period, kind) = (call.period(), call.column(TypeWord::Date));
            (Query::Deregistered(period?), kind)
        }
        "registered_practice_as_of" => {
            let (date, returning) = (call.date("date"), call.returning());
            let (word, kind) = returning?;
            (Query::Practice { date: date?, returning: practice(word) }, kind)
        }
        "address_as_of" => address(call)?,
        "care_home_status_as_of" => {
            let (date, cases) = (call.date("date"), care_home(call));
            let (cases, kind) = cases?;
            (Query::CareHome { date: date?, cases }, kind)
        }
        "household_as_of" => household(call)?,
        _ => return None,
    };
    Some(query)
}

/// The day of birth is never given (1.2); Python refuses it already, a tuple written by hand does not.
fn birth(call: &mut Call<'_, '_>) -> Option<ColumnType> {
    let kind = call.column(TypeWord::Date);
    if kind == ColumnType::Date(cohorts::DatePrecision::Day) {
        let message = "the day of birth is not available";
        call.fault(Fault::new("SD204", message).argument("date_format").fix("write \"YYYY-MM\" or \"YYYY\""));
        return None;
    }
    Some(kind)
}

fn practice(word: &str) -> PracticeFact {
    match word {
        "nuts1_region_name" => PracticeFact::Nuts1RegionName,
        "stp_code" => PracticeFact::StpCode,
        "pseudo_id" => PracticeFact::PseudoId,
        word => match word.strip_prefix("rct__").and_then(|rest| rest.split_once("__")) {
            Some((trial, "enrolled")) => PracticeFact::TrialEnrolled { trial: trial.to_owned() },
            Some((trial, "trial_arm")) => PracticeFact::TrialArm { trial: trial.to_owned() },
            Some((trial, property)) => {
                PracticeFact::TrialProperty { trial: trial.to_owned(), property: property.to_owned() }
            }
            None => PracticeFact::MsoaCode,
        },
    }
}

fn address(call: &mut Call<'_, '_>) -> Built {
    let (date, returning) = (call.date("date"), call.returning());
    let (word, kind) = returning?;
    let returning = match word {
        "index_of_multiple_deprivation" => AddressFact::IndexOfMultipleDeprivation,
        "rural_urban_classification" => AddressFact::RuralUrbanClassification,
        _ => AddressFact::Msoa,
    };
    let round = call.value("round_to_nearest").clone();
    let fix = match (returning, &round) {
        (AddressFact::IndexOfMultipleDeprivation, Value::Int(100)) => None,
        (AddressFact::IndexOfMultipleDeprivation, _) => Some("write round_to_nearest=100"),
        (AddressFact::RuralUrbanClassification, Value::Null) | (AddressFact::Msoa, _) => None,
        (AddressFact::RuralUrbanClassification, _) => Some("leave round_to_nearest out"),
    };
    if let Some(fix) = fix {
        let message = format!("{word} is not given with round_to_nearest {}", shown(&round));
        call.fault(Fault::new("SD209", message).argument("round_to_nearest").fix(fix));
        return None;
    }
    Some((Query::Address { date: date?, returning }, kind))
}

fn care_home(call: &mut Call<'_, '_>) -> Option<(Cases, ColumnType)> {
    use crate::model::CareHomeColumn::IsPotentialCareHome;
    match call.value("categorised_as").clone() {
        Value::Null => {
            let flag = Expr::Truth(Box::new(Expr::CareHome(IsPotentialCareHome)));
            let branches = vec![(Scalar::Bool(true), flag)];
            Some((Cases { branches, default: Scalar::Bool(false) }, ColumnType::Bool))
        }
        value => call.cases("categorised_as", &value, true),
    }
}

fn household(call: &mut Call<'_, '_>) -> Built {
    let (date, returning) = (call.date("reference_date"), call.returning());
    let date: Option<DateExpr> = date.filter(|date| {
        let day = date.resolve(call.scope.index_date, call.scope.options.today);
        let known = Date::constant(2020, 2, 1);
        if matches!(day, Ok(Some(day)) if day == known) && !date.is_on_index_date() {
            return true;
        }
        call.fault(
            Fault::new("SD208", "households are only known for 2020-02-01")
                .argument("reference_date")
                .part(&date.text, 0..date.text.len())
                .fix("write \"2020-02-01\""),
        );
        false
    });
    let (word, kind) = returning?;
    date?;
    let fact = match word {
        "pseudo_id" => HouseholdFact::PseudoId,
        "household_size" => HouseholdFact::HouseholdSize,
        "is_prison" => HouseholdFact::IsPrison,
        "has_members_in_other_ehr_systems" => HouseholdFact::HasMembersInOtherEhrSystems,
        "percentage_of_members_with_data_in_this_backend" => HouseholdFact::PercentageOfMembersWithDataInThisBackend,
        _ => HouseholdFact::Msoa,
    };
    Some((Query::Household(fact), kind))
}
