use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::functions::{ArgumentKind, Form, Function, Parameter, table};
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

/// A value that a parameter may well take.
fn fitting(parameter: &Parameter) -> BoxedStrategy<Value> {
    let text = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        prop::sample::select(words).prop_map(Value::Str).boxed()
    };
    let cases = |expression: String| {
        let default = Value::Str("DEFAULT".to_owned());
        Value::Map(vec![(Value::Int(1), Value::Str(expression)), (Value::Int(0), default)])
    };
    if !parameter.choices.is_empty() {
        return prop::sample::select(parameter.choices.clone()).prop_map(Value::Str).boxed();
    }
    match parameter.kind {
        ArgumentKind::Codelist => {
            let system = parameter.systems.first().map_or("snomed", |system| system.name());
            Just(Value::Codelist(CodelistId(system.to_owned()))).boxed()
        }
        ArgumentKind::Date => text(&["2020-02-01", "today", "2020-03-31", "2021-01-01"]),
        ArgumentKind::Pair => Just(Value::Null).boxed(),
        ArgumentKind::DateFormat => text(&["YYYY-MM", "YYYY"]),
        ArgumentKind::Flag | ArgumentKind::Episodes | ArgumentKind::Expectations => Just(Value::Null).boxed(),
        ArgumentKind::Integer => prop::sample::select(vec![Value::Int(100), Value::Int(16)]).boxed(),
        ArgumentKind::Number => Just(Value::Float(0.5)).boxed(),
        ArgumentKind::Path => text(&["output/x.csv", "x.csv.gz"]),
        ArgumentKind::Categories => text(&["a AND b", "1 = 1", "a OR NOT b"])
            .prop_map(move |e| match e {
                Value::Str(expression) => cases(expression),
                other => other,
            })
            .boxed(),
        ArgumentKind::Dict => Just(Value::Map(Vec::new())).boxed(),
        ArgumentKind::Expression => text(&["a AND b", "1 = 1", "a OR NOT b"]),
        ArgumentKind::Source | ArgumentKind::Names => text(&["a", "b"]),
        ArgumentKind::Returning | ArgumentKind::Extra => Just(Value::Null).boxed(),
        ArgumentKind::Text | ArgumentKind::Texts | ArgumentKind::Value => text(&["x", "y"]),
    }
}

/// A call of any function: arguments that fit, and now and then any others.
fn call() -> impl Strategy<Value = Variable> {
    let names = prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "patient_id", "fixed_value_1", "a_date"]);
    let functions = prop::sample::select(table().functions().iter().collect::<Vec<&'static Function>>());
    let call = |(name, function): (&'static str, &'static Function)| {
        let arguments: Vec<_> = function.parameters.iter().map(|p| argument_of(function, p)).collect();
        (Just((name, function)), arguments)
    };
    (names, functions).prop_flat_map(call).prop_map(|((name, function), values)| {
        let given = function.parameters.iter().zip(values);
        let arguments = given.filter_map(|(parameter, value)| {
            let name = if parameter.form == Form::Positional { "column_names" } else { parameter.name.as_str() };
            Some((name.to_owned(), value?))
        });
        Variable {
            name: name.to_owned(),
            function: function.query.clone(),
            called: Some(function.name.clone()),
            args: arguments.filter(|(name, _)| name != "extra_columns").collect(),
            extra: Vec::new(),
            src: SourceId(0),
            via: vec![SourceId(7)],
            name_src: None,
        }
    })
}

fn argument_of(function: &'static Function, parameter: &'static Parameter) -> BoxedStrategy<Option<Value>> {
    let returned: Vec<Value> = function.returning().iter().map(|r| Value::Str(r.name.clone())).collect();
    let good = match parameter.kind {
        ArgumentKind::Returning if !returned.is_empty() => prop::sample::select(returned).boxed(),
        _ => fitting(parameter),
    };
    let needed =
        parameter.default.is_none() || parameter.kind == ArgumentKind::Returning || !parameter.choices.is_empty();
    prop_oneof![
        30 => good.prop_map(move |value| Some(value).filter(|value| needed || *value != Value::Null)),
        if needed { 1 } else { 60 } => Just(None),
        1 => value().prop_map(Some),
    ]
    .boxed()
}

fn nested() -> impl Strategy<Value = Variable> {
    (call(), prop::collection::vec(call(), 0..2)).prop_map(|(mut call, extra)| {
        call.extra = extra;
        call
    })
}

/// Mostly a population that is one.
fn population() -> impl Strategy<Value = Variable> {
    let all = |mut variable: Variable| {
        (variable.function, variable.called, variable.args) = ("all".to_owned(), None, Vec::new());
        variable.extra.clear();
        variable
    };
    let any = prop_oneof![nested().prop_map(all), nested()];
    any.prop_map(|variable| Variable { name: "population".to_owned(), ..variable })
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
        population in population(),
        index_date in prop_oneof![4 => Just(Value::Str("2020-01-31".to_owned())), 1 => value()],
        dates in prop::bool::ANY,
    ) {
        let recording = recording(variables, population, index_date);
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

#[test]
fn random_recordings_are_of_both_kinds() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (prop::collection::vec(nested(), 1..4), population());
    let mut sound = 0;
    for _ in 0..300 {
        let (variables, population) = strategy.new_tree(&mut runner).unwrap().current();
        let recording = recording(variables, population, Value::Null);
        sound += usize::from(check(&recording, &CheckOptions::new(recording.date)).study.is_some());
    }
    assert!((15..250).contains(&sound), "{sound} of 300 are sound");
}

#[test]
fn the_largest_study_and_one_that_is_larger() {
    let named = |name: String, query: &str, expression: Option<String>| Variable {
        name,
        function: query.to_owned(),
        called: None,
        args: expression
            .map(|e| {
                let default = (Value::Int(0), Value::Str("DEFAULT".to_owned()));
                ("category_definitions".to_owned(), Value::Map(vec![(Value::Int(1), Value::Str(e)), default]))
            })
            .into_iter()
            .collect(),
        extra: Vec::new(),
        src: SourceId(0),
        via: Vec::new(),
        name_src: None,
    };
    let size = |n: usize| {
        let mut variables = vec![named("v0".to_owned(), "all", None)];
        variables
            .extend((1..n - 1).map(|i| named(format!("v{i}"), "categorised_as", Some(format!("v{} AND v0", i - 1)))));
        let recording = recording(variables, named("population".to_owned(), "all", None), Value::Null);
        check(&recording, &CheckOptions::new(recording.date))
    };
    assert_eq!(size(20_000).study.unwrap().variables.len(), 20_000);
    let faults = size(20_001).faults;
    assert!(faults.iter().any(|fault| fault.code == "SD007"), "{:?}", faults.first());
    // Thousands of faults in one expression stay small.
    let chain = vec!["nothing < 3"; 5_000].join(" AND ");
    let faulty = named("a".to_owned(), "categorised_as", Some(chain));
    let recording = recording(vec![faulty], named("population".to_owned(), "all", None), Value::Null);
    let faults = check(&recording, &CheckOptions::new(recording.date)).faults;
    assert!(faults.len() <= 101);
    assert!(faults.iter().all(|fault| fault.excerpt.as_ref().is_none_or(|text| text.len() < 500)));
}

#[test]
fn functions_that_a_flavour_lacks_and_one_file_for_many_dates() {
    let all = |name: &str, function: &str| Variable {
        name: name.to_owned(),
        function: function.to_owned(),
        called: None,
        args: Vec::new(),
        extra: Vec::new(),
        src: SourceId(0),
        via: Vec::new(),
        name_src: None,
    };
    let flag = all("a", "with_healthcare_worker_flag_on_covid_vaccine_record");
    let recording = recording(vec![flag], all("population", "all"), Value::Null);
    let mut options = CheckOptions::new(recording.date);
    options.flavour = Flavour::Emis;
    options.index_dates = vec![date(2021, 1, 1), date(2021, 2, 1)];
    options.dummy_file = true;
    let faults = check(&recording, &options).faults;
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["SD210", "SD914"]);
    let told = faults[0].without_values();
    assert_eq!(
        (told.message.as_str(), told.variable.as_deref(), told.fix),
        ("not available on this backend", Some("a"), None)
    );
    let texts = crate::fault::Texts::read(&recording, &faults, |_| Some("\n\na = 3\n".to_owned()));
    let entry = serde_json::to_value(&crate::fault::entries(&recording, &faults, &texts)[0]).unwrap();
    assert_eq!(
        entry,
        serde_json::json!({
            "code": "SD210",
            "kind": "NotImplementedError",
            "severity": "fault",
            "message": "`patients.with_healthcare_worker_flag_on_covid_vaccine_record` is not available on EMIS",
            "variable": "a",
            "argument": null,
            "file": "analysis/study_definition.py",
            "line": 3,
            "column": 1,
            "fix": null,
        })
    );
}
