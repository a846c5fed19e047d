//! SD601-SD607 and dates: all at once, with variable and place.

use study::fault::{Fault, Severity};
use study::model::ColumnType::{self, Bool, Float, Int, Str};
use study::model::*;
use study::recording::{Codelist, CodelistId, CodelistItems, Value};

use crate::support::*;

fn codes(kind: ColumnType, expectations: Value) -> Vec<String> {
    let study = study(vec![column("x", kind, expectations)]);
    faults(&study, &settings(10)).iter().map(|fault| fault.code.to_string()).collect()
}

#[test]
fn each_fault() {
    let cases = [
        // Nothing set and no default; a part for the type absent; an end absent.
        (Bool, Value::Null, "SD601"),
        (Int, py!({"incidence": 0.5}), "SD601"),
        (Float, py!({"incidence": 0.5, "int": {"distribution": "poisson", "mean": 1}}), "SD601"),
        (DAY, py!({"incidence": 0.5}), "SD601"),
        (DAY, py!({"incidence": 0.5, "date": {"latest": "2020-01-01"}}), "SD601"),
        // Keys and values that are not understood.
        (Bool, py!({"incidence": 0.5, "incidents": 0.5}), "SD602"),
        (Int, py!({"incidence": 0.5, "int": {"distribution": "gamma", "mean": 1}}), "SD602"),
        (Int, py!({"incidence": 0.5, "int": {"distribution": "normal", "mean": 1}}), "SD602"),
        (Int, py!({"incidence": 0.5, "int": {"distribution": "normal", "mean": 1, "stddev": -1}}), "SD602"),
        (Int, py!({"incidence": 0.5, "int": {"distribution": "poisson", "mean": -1}}), "SD602"),
        (Float, py!({"incidence": 0.5, "float": {"distribution": "poisson", "mean": 1}}), "SD602"),
        (Float, py!({"incidence": 0.5, "float": {"distribution": "normal", "mean": "1", "stddev": 1}}), "SD602"),
        // Incidence.
        (Bool, py!({"rate": "uniform"}), "SD603"),
        (Bool, py!({"incidence": 1.01}), "SD603"),
        (Bool, py!({"incidence": -0.1}), "SD603"),
        (Bool, py!({"incidence": "half"}), "SD603"),
        // Rates of dates.
        (DAY, py!({"rate": "universal", "date": {"earliest": "2020-01-01", "latest": "2020-01-01"}}), "SD604"),
        (
            DAY,
            py!({"incidence": 1, "rate": "linear", "date": {"earliest": "2020-01-01", "latest": "2020-01-01"}}),
            "SD604",
        ),
        (DAY, py!({"incidence": 1, "date": {"earliest": "2020-01-02", "latest": "2020-01-01"}}), "SD605"),
        // Categories.
        (Str, py!({"incidence": 1}), "SD606"),
        (Str, py!({"incidence": 1, "category": {}}), "SD606"),
        (Str, py!({"incidence": 1, "category": {"ratios": {}}}), "SD606"),
        (Str, py!({"incidence": 1, "category": {"ratios": {"a": 0.5, "b": 0.4999}}}), "SD606"),
        (Str, py!({"incidence": 1, "category": {"ratios": {"a": 1.5, "b": -0.5}}}), "SD606"),
        (Str, py!({"incidence": 1, "category": {"ratios": {"a": "1"}}}), "SD606"),
        // Dates.
        (DAY, py!({"incidence": 1, "date": {"earliest": "2020-02-30", "latest": "today"}}), "SD301"),
        (DAY, py!({"incidence": 1, "date": {"earliest": 2020, "latest": "today"}}), "SD301"),
        (DAY, py!({"incidence": 1, "date": {"earliest": "other_date", "latest": "today"}}), "SD302"),
        (DAY, py!({"incidence": 1, "date": {"earliest": "first_day(today)", "latest": "today"}}), "SD302"),
        (DAY, py!({"incidence": 1, "date": {"earliest": "today - 2 weeks", "latest": "today"}}), "SD303"),
        (DAY, py!({"incidence": 1, "date": {"earliest": "index_date", "latest": "today"}}), "SD304"),
    ];
    for (kind, expectations, code) in cases {
        assert_eq!(codes(kind, expectations.clone()), [code], "{expectations:?}");
    }
}

#[test]
fn what_is_no_fault() {
    for (kind, expectations) in [
        (Str, py!({"incidence": 1, "category": {"ratios": {"a": 0.5, "b": 0.500009}}})),
        (Bool, py!({"incidence": 0})),
        (Bool, py!({"incidence": 0.5, "bool": true})),
        // Parts that the type does not read are not looked at.
        (Bool, py!({"incidence": 0.5, "rate": "linear", "date": {"earliest": "2021-01-01", "latest": "2020-01-01"}})),
        (DAY, py!({"incidence": 1, "date": {"earliest": "first_day_of_month(today) - 1 year", "latest": "today"}})),
    ] {
        assert_eq!(codes(kind, expectations.clone()), [""; 0], "{expectations:?}");
    }
}

/// A companion takes its source's settings, so what is wrong with them is told once, at the source.
#[test]
fn faults_of_companions_are_told_at_the_source() {
    let study =
        study(vec![column("bp", Bool, py!({"incidence": 2, "dates": 1})), date_of("bp_date", 0), date_of("again", 0)]);
    let told =
        |fault: &Fault| format!("{} {}: {}", fault.code, fault.variable.as_deref().unwrap_or_default(), fault.message);
    let found: Vec<String> = faults(&study, &settings(10)).iter().map(told).collect();
    assert_eq!(found.len(), 3);
    assert!(found[0].starts_with("SD602 bp: ") && found[1].starts_with("SD603 bp: "));
    assert!(
        found[2].starts_with("SD601 bp: no \"date\"") && found[2].ends_with("(for its date, bp_date)"),
        "{found:?}"
    );
    assert_eq!(study::expectations::check(&study, &recording(), &settings(10)).len(), 3);
}

#[test]
fn a_key_within_a_part_is_told_and_has_no_effect() {
    let with = |value| py!({"incidence": 1, "float": {"distribution": "normal", "mean": 1, "stddev": 1, "min": value}});
    let study_of = |value| study(vec![column("x", Float, with(value))]);
    let (one, other) = (cohort(&study_of(1), &settings(10)), cohort(&study_of(2), &settings(10)));
    assert_eq!(one.lints().iter().map(|l| (l.code, l.severity)).collect::<Vec<_>>(), [("SD602", Severity::Lint)]);
    assert_eq!(cells(&one), cells(&other));
}

/// Everything at once, in order, each with the variable, its line, and what to do.
#[test]
fn all_at_once() {
    let study = study(vec![
        column("a", Int, py!({"incidence": 2, "incidents": 1})),
        column("b", Bool, py!({"incidence": 1})),
        column("c", DAY, py!({"rate": "linear", "date": {"earliest": "today + 1 week"}})),
    ]);
    let faults = faults(&study, &settings(10));
    let found: Vec<(&str, &str)> =
        faults.iter().map(|fault| (fault.variable.as_deref().unwrap(), fault.code)).collect();
    assert_eq!(
        found,
        [
            ("a", "SD602"),
            ("a", "SD603"),
            ("a", "SD601"),
            ("c", "SD603"),
            ("c", "SD604"),
            ("c", "SD303"),
            ("c", "SD601")
        ]
    );
    for fault in &faults {
        assert_eq!(fault.argument.as_deref(), Some("return_expectations"));
        let variable = study.variables.iter().find(|v| Some(&v.name) == fault.variable.as_ref()).unwrap();
        assert_eq!(fault.src, Some(variable.src));
        assert!(fault.fix.is_some(), "{fault:?}");
    }
    let week = &faults[5];
    let (start, end) = week.part.unwrap();
    assert_eq!(&week.excerpt.as_ref().unwrap()[start..end], "week");
    assert_eq!(week.fix.as_deref(), Some("write 7 days"));
}

/// Labels must be categories of the study, where 1 and "1" are different; None stands for a missing value.
#[test]
fn categories_that_the_study_does_not_have() {
    let cases = Cases { branches: vec![(Scalar::Str("1".into()), Expr::Int(1))], default: Scalar::Str("".into()) };
    let of = |ratios: Value| {
        let expectations = Value::Map(vec![
            (Value::Str("incidence".into()), Value::Int(1)),
            (Value::Str("category".into()), Value::Map(vec![(Value::Str("ratios".into()), ratios)])),
        ]);
        let study = study(vec![variable("x", Str, Query::Categorised(cases.clone()), expectations)]);
        faults(&study, &settings(10)).iter().map(|fault| (fault.code, fault.message.clone())).collect::<Vec<_>>()
    };
    let half = |label| (label, Value::Float(0.5));
    assert_eq!(of(Value::Map(vec![half(Value::Str("1".into())), half(Value::Str("".into()))])), []);
    assert_eq!(of(Value::Map(vec![half(Value::Str("1".into())), half(Value::Null)])), []);
    let found = of(Value::Map(vec![half(Value::Int(1)), half(Value::Str("2".into()))]));
    assert_eq!(found, [("SD607", "ratios of categories that the study does not have: 1, \"2\"".to_string())]);
}

#[test]
fn categories_that_the_codelist_does_not_have() {
    let text = |text: &str| Value::Str(text.into());
    let items = CodelistItems::Categorised(vec![(text("c1"), text("A")), (text("c2"), text("B"))]);
    let id = CodelistId("c0".into());
    let mut recording = recording();
    recording.codelists.insert(id.clone(), Codelist { system: "ctv3".into(), items, origin: vec![] });
    let of = |returning, ratios| {
        let rows = CodedRows {
            codes: Codes { list: id.clone(), system: System::Ctv3 },
            period: Period::default(),
            pick: Pick::Last,
            ignore_missing_values: false,
            except_days_of: None,
            returning,
        };
        let study = study(vec![variable("x", Str, Query::ClinicalEvents(rows), ratios)]);
        let found = study::expectations::Cohort::new(&study, &recording, &settings(10), None);
        found.err().unwrap_or_default().iter().map(|fault| fault.code).collect::<Vec<_>>()
    };
    let ratios = |label: &str| py!({"incidence": 1, "category": {"ratios": {"A": 0.5, label: 0.5}}});
    assert_eq!(of(CodedFact::Category, ratios("B")), [""; 0]);
    assert_eq!(of(CodedFact::Category, ratios("C")), ["SD607"]);
    assert_eq!(of(CodedFact::Code, ratios("C")), [""; 0]);
}
