use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::functions::{Function, table};
use crate::model::VariableId;
use crate::recording::{Codelist, CodelistId, CodelistItems, Source, SourceId, StudyCall, Variable};

/// Texts that mean something somewhere.
const WORDS: [&str; 40] = [
    "",
    "a",
    "b",
    "c",
    "d",
    "a_date",
    "b_date_measured",
    "nothing",
    "index_date",
    "today",
    "2020-01-31",
    "2020-02-30",
    "index_date + 1 month",
    "last_day_of_month(a_date) - 2 years",
    "index_date - 9999 years",
    "a + 1 week",
    "binary_flag",
    "date",
    "number_of_matches_in_period",
    "number_of_episodes",
    "category",
    "code",
    "numeric_value",
    "YYYY",
    "YYYY-MM",
    "YYYY-MM-DD",
    "a AND b",
    "a > 3 OR NOT (b < 'x')",
    "c = '' AND d / 0 = 1",
    "((",
    "DEFAULT",
    "nuts1_region_name",
    "index_of_multiple_deprivation",
    "SARS-CoV-2",
    "positive",
    "group_6",
    "series of events each <= 3 days apart",
    "2020_ckd",
    "int",
    "é 'x",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(vec![0, 1, 16, 100, i64::MAX, i64::MIN]).prop_map(Value::Int),
        prop::sample::select(vec![0.0, 0.5, -1.0, f64::NAN, f64::INFINITY]).prop_map(Value::Float),
        prop::sample::select(WORDS.to_vec()).prop_map(|word| Value::Str(word.to_owned())),
        prop::sample::select(vec!["ctv3", "snomed", "icd10", "opcs4", "categorised", "none"])
            .prop_map(|id| Value::Codelist(CodelistId(id.to_owned()))),
        Just(Value::Date(date(2020, 2, 29))),
        Just(Value::Unsupported("Frame".to_owned())),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec((inner.clone(), inner), 0..3).prop_map(Value::Map),
        ]
    })
}

/// A call of any function; each argument is given in half of the cases.
fn call() -> impl Strategy<Value = Variable> {
    let names = prop::sample::select(vec!["a", "b", "c", "d", "patient_id", "fixed_value_1", "a_date"]);
    let functions = prop::sample::select(table().functions().iter().collect::<Vec<&'static Function>>());
    let arguments = prop::collection::vec(prop::option::of(value()), 20);
    (names, functions, arguments).prop_map(|(name, function, values)| {
        let mut arguments: Vec<(String, Value)> = function
            .parameters
            .iter()
            .zip(values.clone())
            .filter_map(|(parameter, value)| Some((parameter.name.clone(), value?)))
            .collect();
        if function.query == "aggregate_of" {
            let names = values.into_iter().take(3).flatten().collect();
            arguments = vec![("column_names".to_owned(), Value::List(names))];
        }
        Variable {
            name: name.to_owned(),
            function: function.query.clone(),
            called: Some(function.name.clone()),
            args: arguments,
            extra: Vec::new(),
            src: SourceId(0),
            via: vec![SourceId(7)],
            name_src: None,
        }
    })
}

fn nested() -> impl Strategy<Value = Variable> {
    (call(), prop::collection::vec(call(), 0..2)).prop_map(|(mut call, extra)| {
        call.extra = extra;
        call
    })
}

fn recording(variables: Vec<Variable>, population: Variable, index_date: Value) -> Recording {
    let text = |code: &str| Value::Str(code.to_owned());
    let list = |system: &str| {
        let items = CodelistItems::Plain(vec![text("XaJ4P"), text("XaJ4P")]);
        (CodelistId(system.to_owned()), Codelist { system: system.to_owned(), items, origin: Vec::new() })
    };
    let mut codelists: BTreeMap<_, _> = ["ctv3", "snomed", "icd10", "opcs4"].map(list).into();
    let items = CodelistItems::Categorised(vec![(text("XaJ4P"), text("1"))]);
    let categorised = Codelist { system: "ctv3".to_owned(), items, origin: Vec::new() };
    codelists.insert(CodelistId("categorised".to_owned()), categorised);
    Recording {
        recorder: "1.0.0".to_owned(),
        python: "3.11.9".to_owned(),
        module: "study_definition".to_owned(),
        file: "analysis/study_definition.py".to_owned(),
        date: date(2021, 3, 31),
        params_given: Vec::new(),
        params_read: Vec::new(),
        sources: vec![Source { file: "analysis/study_definition.py".to_owned(), line: 3, span: None }],
        codelists,
        study: Some(StudyCall {
            src: SourceId(0),
            index_date,
            default_expectations: Value::Null,
            population,
            variables,
        }),
        measures: None,
        files_read: Vec::new(),
        faults: Vec::new(),
        exception: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_recording_ends_in_a_sound_study_or_in_faults(
        variables in prop::collection::vec(nested(), 0..6),
        population in nested(),
        index_date in value(),
        dates in prop::bool::ANY,
    ) {
        let recording = recording(variables, Variable { name: "population".to_owned(), ..population }, index_date);
        let mut options = CheckOptions::new(recording.date);
        if dates {
            options.index_dates = vec![date(2020, 2, 29), date(2021, 3, 31)];
        }
        let checked = check(&recording, &options);
        let faulty = checked.faults.iter().any(|fault| fault.severity == Severity::Fault);
        prop_assert_eq!(checked.study.is_none(), faulty);
        for fault in &checked.faults {
            prop_assert!(crate::fault::rule(fault.code).is_some());
            if let (Some(excerpt), Some((from, to))) = (&fault.excerpt, fault.part) {
                prop_assert!(excerpt.get(from..to).is_some(), "{:?}", fault);
            }
        }
        let texts = crate::fault::Texts::read(&recording, &checked.faults, |_| Some("x\n\n  a=(\"index_date\n".to_owned()));
        let told = crate::fault::human(&recording, &checked.faults, &texts, &Default::default());
        prop_assert_eq!(told.is_empty(), checked.faults.is_empty());
        if let Some(study) = checked.study {
            for (i, variable) in study.variables.iter().enumerate() {
                prop_assert!(variable.uses().iter().all(|id| id.0 < i), "{:?}", variable);
            }
            prop_assert_eq!(&study[study.population()].name, "population");
            prop_assert!(study.columns().all(|id| id < VariableId(study.variables.len() - 1)));
        }
    }
}

#[test]
fn the_order_of_the_specification() {
    // a (with its date), b = satisfying("c AND a", c=…), m = minimum_of("a_date", "2021-06-15"): section 2.2.
    let call = |name: &str, function: &str, args: Vec<(&str, Value)>, extra: Vec<Variable>| Variable {
        name: name.to_owned(),
        function: function.to_owned(),
        called: None,
        args: args.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        extra,
        src: SourceId(0),
        via: Vec::new(),
        name_src: None,
    };
    let text = |t: &str| Value::Str(t.to_owned());
    let cases = |t: &str| Value::Map(vec![(Value::Int(1), text(t)), (Value::Int(0), text("DEFAULT"))]);
    let variables = vec![
        call(
            "a",
            "with_these_clinical_events",
            vec![
                ("codelist", Value::Codelist(CodelistId("ctv3".to_owned()))),
                ("include_date_of_match", Value::Bool(true)),
                ("date_format", text("YYYY-MM-DD")),
            ],
            Vec::new(),
        ),
        call(
            "b",
            "categorised_as",
            vec![("category_definitions", cases("c AND a"))],
            vec![call("c", "sex", vec![], vec![])],
        ),
        call(
            "m",
            "aggregate_of",
            vec![
                ("aggregate_function", text("MIN")),
                ("column_names", Value::List(vec![text("a_date"), text("2021-06-15")])),
            ],
            Vec::new(),
        ),
    ];
    let population = call(
        "population",
        "categorised_as",
        vec![("category_definitions", cases("b AND d"))],
        vec![call("d", "all", vec![], vec![])],
    );
    let recording = recording(variables, population, Value::Null);
    let study = check(&recording, &CheckOptions::new(recording.date)).study.unwrap();
    let names: Vec<&str> = study.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["a", "a_date", "c", "b", "fixed_value_1", "m", "d", "population"]);
    let columns: Vec<&str> = study.columns().map(|id| study[id].name.as_str()).collect();
    assert_eq!(columns, ["a", "a_date", "b", "m"]);
}
