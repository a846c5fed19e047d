//! GP events, medications, vaccinations, and what belongs to them. Spec study-definitions.md 7.2.

use super::super::call::Call;
use super::super::scope::Found;
use super::super::shown;
use super::{Built, episodes, row_fact};
use crate::fault::{Fault, did_you_mean};
use crate::functions::TypeWord;
use crate::model::{
    CodedFact, CodedRows, Codes, ColumnType, DecisionSupportFact, Part, Pick, Query, SgssFact, Statistic,
    TherapeuticsFact, VariableId,
};
use crate::recording::{CodelistItems, Value};

pub(super) fn build(call: &mut Call<'_, '_>) -> Built {
    let name = call.function.name.as_str();
    Some(match name {
        "with_these_clinical_events" => {
            let (rows, kind) = coded(call, "ignore_days_where_these_codes_occur")?;
            (Query::ClinicalEvents(rows), kind)
        }
        "with_these_medications" => {
            let (rows, kind) = coded(call, "ignore_days_where_these_clinical_codes_occur")?;
            (Query::Medications(rows), kind)
        }
        "most_recent_bmi" => {
            let (period, minimum_age) = (call.period(), call.integer("minimum_age_at_measurement"));
            call.precision();
            (Query::MostRecentBmi { period: period?, minimum_age: minimum_age? }, ColumnType::Float)
        }
        "mean_recorded_value" => recorded(call, Statistic::Mean)?,
        "min_recorded_value" => recorded(call, Statistic::Min)?,
        "max_recorded_value" => recorded(call, Statistic::Max)?,
        "date_of" => {
            let (source, kind) = (source(call, Part::Date), call.column(TypeWord::Date));
            (Query::ValueFrom { source: source?, part: Part::Date }, kind)
        }
        "comparator_from" => (value_from(call, Part::Comparator)?, ColumnType::Str),
        "reference_range_lower_bound_from" => (value_from(call, Part::LowerBound)?, ColumnType::Float),
        "reference_range_upper_bound_from" => (value_from(call, Part::UpperBound)?, ColumnType::Float),
        "with_gp_consultations" => {
            let (period, pick, fact) = (call.period(), call.pick(), row_fact(call));
            let (returning, kind) = fact?;
            (Query::GpConsultations { period: period?, pick, returning }, kind)
        }
        "with_these_decision_support_values" => decision_support(call)?,
        "with_healthcare_worker_flag_on_covid_vaccine_record" => {
            call.returning()?;
            (Query::HealthcareWorker, ColumnType::Bool)
        }
        "with_tpp_vaccination_record" => {
            let (diseases, products) = (call.texts("target_disease_matches"), call.texts("product_name_matches"));
            vaccination(call, diseases, products)?
        }
        "with_vaccination_record" => either_system(call)?,
        _ => return None,
    })
}

fn coded(call: &mut Call<'_, '_>, ignored: &str) -> Option<(CodedRows, ColumnType)> {
    let codes = call.codes("codelist");
    let period = call.period();
    let except = call.maybe_codes(ignored);
    let returning = call.returning();
    let pick = call.pick();
    let (word, kind) = returning?;
    let days = episodes(call, word);
    let codes = codes?;
    let returning = match word {
        "binary_flag" => CodedFact::BinaryFlag,
        "date" => CodedFact::Date,
        "number_of_matches_in_period" => CodedFact::NumberOfMatches,
        "number_of_episodes" => CodedFact::NumberOfEpisodes { days: days? },
        "code" => CodedFact::Code,
        "category" => category(call, &codes)?,
        _ => CodedFact::NumericValue,
    };
    days?;
    let ignore_missing_values = call.flag("ignore_missing_values");
    let rows = CodedRows { codes, period: period?, pick, ignore_missing_values, except_days_of: except?, returning };
    Some((rows, kind))
}

/// Categories need a list that has them.
fn category(call: &mut Call<'_, '_>, codes: &Codes) -> Option<CodedFact> {
    if matches!(call.list(codes)?.items, CodelistItems::Categorised(_)) {
        return Some(CodedFact::Category);
    }
    call.fault(
        Fault::new("SD404", "a category is returned, but the codelist has no categories")
            .argument("codelist")
            .fix("read it with `codelist_from_csv(…, category_column=\"…\")`, or return \"code\""),
    );
    None
}

fn recorded(call: &mut Call<'_, '_>, statistic: Statistic) -> Built {
    let (codes, period) = (call.codes("codelist"), call.period());
    let on_most_recent_day = call.flag("on_most_recent_day_of_measurement");
    call.precision();
    if call.flag("include_measurement_date") && !on_most_recent_day {
        call.fault(
            Fault::new("SD209", "several days are taken together, so there is no date of measurement")
                .argument("include_measurement_date")
                .fix("add on_most_recent_day_of_measurement=True, or leave include_measurement_date out"),
        );
        return None;
    }
    Some((Query::RecordedValue { statistic, codes: codes?, on_most_recent_day, period: period? }, ColumnType::Float))
}

fn value_from(call: &mut Call<'_, '_>, part: Part) -> Option<Query> {
    Some(Query::ValueFrom { source: source(call, part)?, part })
}

/// The source of a value: an earlier variable that has such a row.
fn source(call: &mut Call<'_, '_>, part: Part) -> Option<VariableId> {
    let Value::Str(name) = call.value("source") else {
        let message = format!("{} is no name of a column", shown(call.value("source")));
        call.fault(Fault::new("SD104", message).argument("source").fix("write the name in quotes"));
        return None;
    };
    let (id, sound) = match call.scope.find(name) {
        Found::Earlier(id, sound) => (id, sound),
        Found::Later => {
            let own = *name == call.variable.name;
            let message = if own {
                format!("`{name}` uses itself")
            } else {
                format!("`{name}` is defined later than what is taken from it")
            };
            let fix =
                if own { "name another column".to_owned() } else { format!("move `{name}` up, before this variable") };
            call.fault(Fault::new("SD106", message).argument("source").fix(fix));
            return None;
        }
        Found::Unknown => {
            let near = did_you_mean(&call.scope.nearest(name));
            let fix = near.unwrap_or_else(|| format!("define `{name}` before"));
            call.fault(Fault::new("SD104", format!("there is no column `{name}`")).argument("source").fix(fix));
            return None;
        }
    };
    if !sound {
        return None;
    }
    let source = call.scope.variable(id);
    let called = source.called.clone();
    let (able, fix) = match part {
        Part::Date => (
            has_day(&source.query),
            "dates can be taken of events, medications, BMI, values on the most recent day, consultations, tests, vaccinations and treatments, not of counts of tests, expressions or aggregates",
        ),
        _ => (
            matches!(&source.query, Query::ClinicalEvents(rows) if rows.returning == CodedFact::NumericValue),
            "only `with_these_clinical_events(…, returning=\"numeric_value\")` has it",
        ),
    };
    if !able {
        let what = match part {
            Part::Date => "date",
            Part::Comparator => "comparator",
            Part::LowerBound | Part::UpperBound => "reference range",
        };
        let message = format!("`{name}` (`patients.{called}`) has no {what} to take");
        call.fault(Fault::new("SD207", message).argument("source").fix(fix));
        return None;
    }
    Some(id)
}

/// Whether a day belongs to the value (7.2, date_of).
fn has_day(query: &Query) -> bool {
    match query {
        Query::ClinicalEvents(rows) | Query::Medications(rows) => {
            !matches!(rows.returning, CodedFact::NumberOfEpisodes { .. })
        }
        Query::MostRecentBmi { .. }
        | Query::GpConsultations { .. }
        | Query::Vaccination { .. }
        | Query::DecisionSupport { .. } => true,
        Query::RecordedValue { on_most_recent_day, .. } => *on_most_recent_day,
        Query::Sgss { returning, .. } => *returning != SgssFact::NumberOfMatches,
        Query::CovidTherapeutics { returning, .. } => {
            !matches!(returning, TherapeuticsFact::NumberOfMatches | TherapeuticsFact::NumberOfEpisodes { .. })
        }
        _ => false,
    }
}

fn decision_support(call: &mut Call<'_, '_>) -> Built {
    let (algorithm, period, returning) = (call.text("algorithm"), call.period(), call.returning());
    if call.flag("find_first_match_in_period") && call.flag("find_last_match_in_period") {
        call.fault(
            Fault::new("SD203", "both the first and the last match are asked for")
                .argument("find_last_match_in_period")
                .fix("leave one of them out"),
        );
        return None;
    }
    let pick = if call.flag("find_first_match_in_period") { Pick::First } else { Pick::Last };
    let (word, kind) = returning?;
    algorithm?;
    let returning = match word {
        "binary_flag" => DecisionSupportFact::BinaryFlag,
        "date" => DecisionSupportFact::Date,
        "number_of_matches_in_period" => DecisionSupportFact::NumberOfMatches,
        _ => DecisionSupportFact::NumericValue,
    };
    let ignore_missing_values = call.flag("ignore_missing_values");
    Some((Query::DecisionSupport { period: period?, pick, ignore_missing_values, returning }, kind))
}

type MaybeTexts = Option<Option<Vec<String>>>;

fn vaccination(call: &mut Call<'_, '_>, diseases: MaybeTexts, products: MaybeTexts) -> Built {
    let (period, pick, fact) = (call.period(), call.pick(), row_fact(call));
    let (returning, kind) = fact?;
    Some((Query::Vaccination { diseases: diseases?, products: products?, period: period?, pick, returning }, kind))
}

/// The arguments of `tpp` count; those of `emis` only have to be a dictionary.
fn either_system(call: &mut Call<'_, '_>) -> Built {
    let known =
        [("tpp", ["target_disease_matches", "product_name_matches"]), ("emis", ["procedure_codes", "product_codes"])];
    let mut found: [MaybeTexts; 2] = [Some(None), Some(None)];
    for (argument, keys) in known {
        let Value::Map(entries) = call.value(argument) else {
            let message = format!(
                "{} cannot be the {argument} of `patients.with_vaccination_record`",
                shown(call.value(argument))
            );
            let fix = format!("write {argument}={{\"{}\": …}}", keys[0]);
            call.fault(Fault::new("SD212", message).argument(argument).fix(fix));
            found[0] = None;
            continue;
        };
        for (key, value) in entries {
            let place = keys.iter().position(|known| matches!(key, Value::Str(key) if key == known));
            let Some(place) = place else {
                let message = format!("{argument} has no key {}", shown(key));
                call.fault(
                    Fault::new("SD212", message).argument(argument).fix(format!("possible: {}", keys.join(", "))),
                );
                found[0] = None;
                continue;
            };
            if argument == "tpp" {
                found[place] = texts(value);
                if found[place].is_none() {
                    let message = format!("{} cannot be {}", shown(value), keys[place]);
                    call.fault(Fault::new("SD212", message).argument(argument).fix("write a text, or a list of texts"));
                }
            }
        }
    }
    let [diseases, products] = found;
    vaccination(call, diseases, products)
}

fn texts(value: &Value) -> MaybeTexts {
    let text = |value: &Value| match value {
        Value::Str(text) => Some(text.clone()),
        _ => None,
    };
    match value {
        Value::Null => Some(None),
        Value::List(items) if !items.is_empty() => items.iter().map(text).collect::<Option<Vec<_>>>().map(Some),
        value => text(value).map(|text| Some(vec![text])),
    }
}
