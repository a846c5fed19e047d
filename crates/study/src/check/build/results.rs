//! Tests, ethnicity, treatments and registries. Spec study-definitions.md 7.3, second half.
//! Which answers are known for which tests is told before any row is read.

use super::super::call::Call;
use super::{Built, episodes, hospital, row_fact};
use crate::fault::Fault;
use crate::functions::table;
use crate::model::{Query, SgssFact, SusEthnicity, TestResult, TherapeuticsFact, UkrrFact};
use crate::recording::Value;

pub(super) fn build(call: &mut Call<'_, '_>) -> Built {
    match call.function.name.as_str() {
        "with_test_result_in_sgss" => sgss(call),
        "with_ethnicity_from_sus" => ethnicity(call),
        "with_covid_therapeutics" => therapeutics(call),
        "with_record_in_ukrr" => ukrr(call),
        "with_high_cost_drugs" => {
            let (drugs, period, pick, fact) =
                (call.texts("drug_name_matches"), call.period(), call.pick(), row_fact(call));
            hospital::month(call)?;
            let (returning, kind) = fact?;
            Some((Query::HighCostDrugs { drugs: drugs?, period: period?, pick, returning }, kind))
        }
        "with_an_isaric_record" => isaric(call),
        _ => None,
    }
}

fn sgss(call: &mut Call<'_, '_>) -> Built {
    let (pathogen, result) = (call.text("pathogen"), call.text("test_result"));
    let (period, pick) = (call.period(), call.pick());
    let earliest_only = call.flag("restrict_to_earliest_specimen_date");
    let (word, kind) = call.returning()?;
    pathogen?;
    let result = match result? {
        "positive" => TestResult::Positive,
        "negative" => TestResult::Negative,
        _ => TestResult::Any,
    };
    let returning = match word {
        "date" => SgssFact::Date,
        "number_of_matches_in_period" => SgssFact::NumberOfMatches,
        "s_gene_target_failure" => SgssFact::SGeneTargetFailure,
        "case_category" => SgssFact::CaseCategory,
        "variant" => SgssFact::Variant,
        "variant_detection_method" => SgssFact::VariantDetectionMethod,
        "symptomatic" => SgssFact::Symptomatic,
        _ => SgssFact::BinaryFlag,
    };
    let fix = match returning {
        SgssFact::CaseCategory if !(earliest_only && result == TestResult::Positive) => {
            Some("write test_result=\"positive\" and leave restrict_to_earliest_specimen_date out")
        }
        SgssFact::NumberOfMatches | SgssFact::Variant | SgssFact::VariantDetectionMethod | SgssFact::Symptomatic
            if earliest_only =>
        {
            Some("add restrict_to_earliest_specimen_date=False")
        }
        _ => None,
    };
    if let Some(fix) = fix {
        let message = format!("{word} is not known for the tests that are asked for");
        call.fault(Fault::new("SD203", message).argument("returning").fix(fix));
        return None;
    }
    Some((Query::Sgss { result, earliest_only, period: period?, pick, returning }, kind))
}

fn ethnicity(call: &mut Call<'_, '_>) -> Built {
    let returning = call.returning();
    if !call.flag("use_most_frequent_code") {
        let message = "ethnicity from hospitals is only given as the most frequent code";
        call.fault(
            Fault::new("SD203", message).argument("use_most_frequent_code").fix("add use_most_frequent_code=True"),
        );
        return None;
    }
    let (word, kind) = returning?;
    let how = match word {
        "group_6" => SusEthnicity::Group6,
        "group_16" => SusEthnicity::Group16,
        _ => SusEthnicity::Code,
    };
    Some((Query::EthnicityFromSus(how), kind))
}

fn therapeutics(call: &mut Call<'_, '_>) -> Built {
    let statuses = call.texts("with_these_statuses");
    let therapeutics = call.texts("with_these_therapeutics");
    let indications = call.texts("with_these_indications");
    let (period, pick) = (call.period(), call.pick());
    let (word, kind) = call.returning()?;
    let days = episodes(call, word)?;
    let returning = match word {
        "date" => TherapeuticsFact::Date,
        "number_of_matches_in_period" => TherapeuticsFact::NumberOfMatches,
        "number_of_episodes" => TherapeuticsFact::NumberOfEpisodes { days },
        "therapeutic" => TherapeuticsFact::Therapeutic,
        "risk_group" => TherapeuticsFact::RiskGroup,
        "region" => TherapeuticsFact::Region,
        _ => TherapeuticsFact::BinaryFlag,
    };
    let query = Query::CovidTherapeutics {
        statuses: statuses?,
        therapeutics: therapeutics?,
        indications: indications?,
        period: period?,
        pick,
        returning,
    };
    Some((query, kind))
}

fn ukrr(call: &mut Call<'_, '_>) -> Built {
    let (dataset, period) = (call.text("from_dataset"), call.period());
    let (word, kind) = call.returning()?;
    let dataset = match dataset? {
        "2019_prevalence" => "2019prev",
        "2020_prevalence" => "2020prev",
        "2021_prevalence" => "2021prev",
        "2020_incidence" => "2020inc",
        _ => "2020ckd",
    };
    let returning = match word {
        "renal_centre" => UkrrFact::RenalCentre,
        "treatment_modality_start" => UkrrFact::TreatmentModalityStart,
        "treatment_modality_prevalence" => UkrrFact::TreatmentModalityPrevalence,
        "latest_creatinine" => UkrrFact::LatestCreatinine,
        "latest_egfr" => UkrrFact::LatestEgfr,
        "rrt_start_date" => UkrrFact::RrtStartDate,
        _ => UkrrFact::BinaryFlag,
    };
    Some((Query::Ukrr { dataset, period: period?, returning }, kind))
}

fn isaric(call: &mut Call<'_, '_>) -> Built {
    let (column, period) = (call.text("returning"), call.period());
    let filter = match call.value("date_filter_column") {
        Value::Null => None,
        _ => Some(call.text("date_filter_column")?),
    };
    let bounded = !matches!(call.value("between"), Value::Null);
    let column = column?;
    let period = period?;
    let wrong = match filter {
        None if bounded => Some("`between` needs `date_filter_column`, the date that it applies to"),
        Some(_) if !bounded => Some("`date_filter_column` needs `between`"),
        Some(name) if table().isaric(name) != crate::functions::TypeWord::Date => {
            Some("`date_filter_column` is no column of dates")
        }
        _ => None,
    };
    if let Some(message) = wrong {
        call.fault(Fault::new("SD203", message).argument("date_filter_column").fix("give both, or neither"));
        return None;
    }
    let kind = call.column(table().isaric(column));
    let filter = filter.map(|name| (name.to_owned(), period));
    Some((Query::Isaric { column: column.to_owned(), filter }, kind))
}
