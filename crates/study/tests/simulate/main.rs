//! Simulated patients (study-definitions.md 10.2): what a study finds in them is what it expects, and hangs together.
//! Seeds are fixed; shares lie within 4 sigma.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../expectations/support.rs"]
#[allow(dead_code, unused_macros, reason = "shared with the tests of expectations")]
mod support;

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use query::reference::{Answer, Rows, Value as Cell};
use study::expectations::SEED;
use study::model::ColumnType::{Bool, Float, Int, Str};
use study::model::*;
use study::recording::{Codelist, CodelistId, CodelistItems, Recording, Value};
use study::simulate::{Census, Request, Simulation, simulate, simulate_with};

use support::*;

const INDEX: Date = date(2021, 3, 1);

fn request(patients: u64) -> Request {
    Request {
        patients,
        seed: SEED,
        index_dates: vec![INDEX],
        other_dates: Vec::new(),
        today: date(2022, 1, 1),
        mess: 0.05,
        tables: true,
        census: Census::default(),
    }
}

/// Lists `a` to `d` of five codes each; `d` with the categories A and B.
fn lists() -> Recording {
    let mut recording = recording();
    for name in ["a", "b", "c", "d"] {
        let code = |n| Value::Str(format!("{name}{n}..."));
        let category = |n| Value::Str(if n < 3 { "A" } else { "B" }.into());
        let items = match name {
            "d" => CodelistItems::Categorised((0..5).map(|n| (code(n), category(n))).collect()),
            _ => CodelistItems::Plain((0..5).map(code).collect()),
        };
        recording.codelists.insert(CodelistId(name.into()), Codelist { system: "ctv3".into(), items, origin: vec![] });
    }
    recording
}

fn from(base: DateBase) -> Option<DateExpr> {
    Some(DateExpr { base, function: None, offset: None, text: "date".into() })
}

fn back(base: DateBase, years: i32) -> Option<DateExpr> {
    Some(DateExpr { offset: Some(Offset { count: -years, unit: DateUnit::Years }), ..from(base)? })
}

fn last_year() -> Period {
    Period { from: back(DateBase::IndexDate, 1), to: from(DateBase::IndexDate) }
}

fn events(list: &str, period: Period, returning: CodedFact) -> Query {
    Query::ClinicalEvents(CodedRows {
        codes: Codes { list: CodelistId(list.into()), system: System::Ctv3 },
        period,
        pick: Pick::Last,
        ignore_missing_values: false,
        except_days_of: None,
        returning,
    })
}

fn flag(name: &str, list: &str, incidence: f64) -> Variable {
    variable(name, Bool, events(list, last_year(), CodedFact::BinaryFlag), py!({"incidence": incidence}))
}

fn age() -> Variable {
    let query = Query::AgeAsOf(from(DateBase::IndexDate).unwrap());
    variable("age", Int, query, py!({"rate": "universal", "int": {"distribution": "population_ages"}}))
}

fn column_of(place: usize) -> Expr {
    Expr::Column(VariableId(place))
}

fn truth(place: usize) -> Expr {
    Expr::Truth(Box::new(column_of(place)))
}

fn compare(comparison: Comparison, place: usize, with: Expr) -> Expr {
    Expr::Compare(comparison, Box::new(column_of(place)), Box::new(with))
}

fn and(parts: Vec<Expr>) -> Expr {
    parts.into_iter().reduce(|a, b| Expr::And(Box::new(a), Box::new(b))).unwrap()
}

/// A study with the population that an expression gives.
fn population(mut variables: Vec<Variable>, expr: Expr) -> Study {
    let cases = Cases { branches: vec![(Scalar::Int(1), expr)], default: Scalar::Int(0) };
    variables.push(variable("population", Bool, Query::Categorised(cases), Value::Null));
    Study {
        variables,
        index_date: None,
        default_expectations: py!({"date": {"earliest": "index_date - 1 year", "latest": "index_date"}}),
    }
}

fn everybody(variables: Vec<Variable>) -> Study {
    Study {
        default_expectations: py!({"date": {"earliest": "index_date - 1 year", "latest": "index_date"}}),
        ..study(variables)
    }
}

fn made(study: &Study, request: &Request) -> Simulation {
    simulate(study, &lists(), request).unwrap()
}

fn column_at<'a>(answer: &'a Answer, name: &str) -> impl Iterator<Item = &'a Cell> + use<'a> {
    let place = answer.columns.iter().position(|column| column == name).unwrap();
    answer.rows.iter().map(move |row| &row.values[place])
}

fn share(answer: &Answer, name: &str, is: impl Fn(&Cell) -> bool) -> f64 {
    column_at(answer, name).filter(|cell| is(cell)).count() as f64 / answer.rows.len() as f64
}

fn assert_near(found: f64, expected: f64, patients: usize) {
    let sigma = (expected * (1.0 - expected) / patients as f64).sqrt();
    assert!((found - expected).abs() <= 4.0 * sigma + 1e-9, "{found} where {expected} is expected");
}

fn is_true(cell: &Cell) -> bool {
    *cell == Cell::Bool(true)
}

fn csv(simulation: &Simulation) -> String {
    let store = simulation.store();
    let mut out = Vec::new();
    for table in store.names() {
        out.extend_from_slice(table.as_bytes());
        store.write(table, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn expectations_are_reached() {
    let number = |mean: f64| py!({"incidence": 0.4, "float": {"distribution": "normal", "mean": mean, "stddev": 1}});
    let study = everybody(vec![
        flag("has_a", "a", 0.3),
        variable("b", Float, events("b", last_year(), CodedFact::NumericValue), number(100.0)),
        date_of("b_date", 1),
        variable(
            "d",
            Str,
            events("d", last_year(), CodedFact::Category),
            py!({"incidence": 0.5, "category": {"ratios": {"A": 0.8, "B": 0.2}}}),
        ),
        variable("sex", Str, Query::Sex, py!({"rate": "universal", "category": {"ratios": {"M": 0.3, "F": 0.7}}})),
        age(),
    ]);
    let simulation = made(&study, &Request { mess: 0.0, ..request(3_000) });
    let answer = simulation.answer(Some(INDEX)).unwrap();
    let patients = answer.rows.len();
    assert_eq!((simulation.inside(), patients), (3_000, 3_000));
    assert_near(share(answer, "has_a", is_true), 0.3, patients);
    assert_near(share(answer, "d", |cell| *cell == Cell::text("A")), 0.4, patients);
    assert_near(share(answer, "d", |cell| *cell == Cell::text("B")), 0.1, patients);
    assert_near(share(answer, "sex", |cell| *cell == Cell::text("M")), 0.3, patients);
    // 50 to 54: 4,674 of 66,434 thousand, less the 13 thousand that age 50 gives up.
    assert_near(share(answer, "age", |cell| matches!(cell, Cell::Int(50..=54))), 4661.0 / 66_434.0, patients);
    let values: Vec<f64> = column_at(answer, "b")
        .filter_map(|cell| if let Cell::Float(x) = cell { Some(*x) } else { None })
        .filter(|x| *x != 0.0)
        .collect();
    assert_near(values.len() as f64 / patients as f64, 0.4, patients);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!((mean - 100.0).abs() < 4.0 / (values.len() as f64).sqrt(), "{mean}");
    for (value, day) in column_at(answer, "b").zip(column_at(answer, "b_date")) {
        match day {
            Cell::Date(day) => assert!((date(2020, 3, 1)..=INDEX).contains(day)),
            _ => assert_eq!(*value, Cell::Float(0.0)),
        }
    }
    let report = &simulation.reports()[0];
    assert_eq!(report.columns[0].expected, Some(0.3));
    assert!(report.columns.iter().all(|column| column.why.is_none()), "{report}");
}

/// (age >= 18 AND (sex = "F" OR sex = "M") AND registered AND has_a AND NOT has_b AND NOT age > 64): everyone inside is so.
#[test]
fn the_population_is_solved() {
    let index = || from(DateBase::IndexDate).unwrap();
    let registered = Query::Registered { start: back(DateBase::IndexDate, 1).unwrap(), end: index(), gone_live: false };
    let text = |text: &str| Expr::Text(text.into());
    let sexes =
        Expr::Or(Box::new(compare(Comparison::Eq, 1, text("F"))), Box::new(compare(Comparison::Eq, 1, text("M"))));
    let study = population(
        vec![
            age(),
            variable(
                "sex",
                Str,
                Query::Sex,
                py!({"rate": "universal", "category": {"ratios": {"M": 0.4, "F": 0.4, "U": 0.2}}}),
            ),
            variable("registered", Bool, registered, py!({"incidence": 0.2})),
            flag("has_a", "a", 0.1),
            flag("has_b", "b", 0.9),
        ],
        and(vec![
            compare(Comparison::Ge, 0, Expr::Int(18)),
            sexes,
            truth(2),
            truth(3),
            Expr::Not(Box::new(truth(4))),
            Expr::Not(Box::new(compare(Comparison::Gt, 0, Expr::Int(64)))),
        ]),
    );
    let simulation = made(&study, &request(400));
    assert!(simulation.lints().is_empty());
    let answer = simulation.answer(Some(INDEX)).unwrap();
    assert_eq!(answer.rows.len(), 400);
    assert!(column_at(answer, "age").all(|cell| matches!(cell, Cell::Int(18..=64))));
    assert!(column_at(answer, "sex").all(|cell| *cell == Cell::text("F") || *cell == Cell::text("M")));
    assert!(column_at(answer, "has_a").all(is_true) && !column_at(answer, "has_b").any(is_true));
}

/// A population may be a function by itself.
#[test]
fn a_population_without_an_expression_is_planted_too() {
    let mut study = everybody(vec![flag("has_a", "a", 0.5)]);
    study.variables.pop();
    study.variables.push(flag("population", "b", 0.01));
    let simulation = made(&study, &request(100));
    assert!(simulation.lints().is_empty());
    assert_eq!(simulation.answer(Some(INDEX)).unwrap().rows.len(), 100);
}

/// A tenth of near misses stays beside those inside.
#[test]
fn near_misses_stay() {
    let study =
        population(vec![flag("has_a", "a", 0.5), flag("has_b", "b", 0.5)], compare(Comparison::Eq, 0, column_of(1)));
    let simulation = made(&study, &request(200));
    let patients = simulation.store().rows("Patient").unwrap().rows.len();
    assert_eq!((simulation.inside(), patients), (200, 220));
    assert_eq!(simulation.answer(Some(INDEX)).unwrap().rows.len(), 200);
}

/// Nobody is 18 and older, and younger than 10: after 20 candidates each the parts are named, most frequent first.
#[test]
fn a_population_without_patients_is_told() {
    let study = population(
        vec![age()],
        and(vec![compare(Comparison::Ge, 0, Expr::Int(18)), compare(Comparison::Lt, 0, Expr::Int(10))]),
    );
    let simulation = made(&study, &request(10));
    let [lint] = simulation.lints() else { panic!() };
    assert_eq!(lint.code, "SD620");
    assert!(
        lint.message.contains("0 of 10 simulated patients")
            && lint.message.contains(" candidates: of 50 patients outside"),
        "{}",
        lint.message
    );
    assert!(
        lint.message.contains("`age >= 18` fails for") && lint.message.contains("`age < 10` fails for"),
        "{}",
        lint.message
    );
    assert_eq!(simulation.answer(Some(INDEX)).unwrap().rows.len(), 0);
}

/// A period that hangs on a column lies after that column's day.
#[test]
fn columns_follow_columns() {
    let first = variable("first", DAY, events("a", last_year(), CodedFact::Date), py!({"incidence": 0.8}));
    let after = Period { from: from(DateBase::Column(VariableId(0))), to: from(DateBase::IndexDate) };
    let then = variable("then", DAY, events("b", after, CodedFact::Date), py!({"incidence": 0.5}));
    let simulation = made(&everybody(vec![first, then]), &request(1_000));
    let answer = simulation.answer(Some(INDEX)).unwrap();
    let mut both = 0;
    for (first, then) in column_at(answer, "first").zip(column_at(answer, "then")) {
        match (first, then) {
            (Cell::Date(first), Cell::Date(then)) => {
                assert!(first <= then);
                both += 1;
            }
            (_, then) => assert_eq!(*then, Cell::Null),
        }
    }
    assert_near(f64::from(both) / 1_000.0, 0.4, 1_000);
    let report = &simulation.reports()[0];
    assert_eq!(report.columns[1].why.as_deref(), Some("its period hangs on first, which not everybody has"));
}

/// Weekly dates with a moving year: the share is that of the expectations at each of them, for much the same patients.
#[test]
fn every_index_date_is_served() {
    let dates: Vec<Date> = [1, 8, 15, 22].map(|day| date(2021, 3, day)).to_vec();
    let simulation = made(
        &everybody(vec![flag("has_a", "a", 0.3)]),
        &Request { index_dates: dates.clone(), mess: 0.0, ..request(1_500) },
    );
    assert_eq!(simulation.index_dates().len(), 4);
    for day in dates {
        let answer = simulation.answer(Some(day)).unwrap();
        assert_near(share(answer, "has_a", is_true), 0.3, answer.rows.len());
    }
}

#[test]
fn bytes_hang_on_the_seed_and_not_on_the_day() {
    let study = everybody(vec![flag("has_a", "a", 0.3), age()]);
    let one = csv(&made(&study, &request(300)));
    assert_eq!(one, csv(&made(&study, &Request { today: date(2023, 5, 5), ..request(300) })));
    assert_ne!(one, csv(&made(&study, &Request { seed: 5, ..request(300) })));
}

/// The same people for every study: ids, births and sexes where no study says how they are.
#[test]
fn people_are_the_same_in_every_study() {
    let people = |variables| made(&everybody(variables), &request(200)).store().rows("Patient").unwrap().clone();
    assert_eq!(people(vec![flag("has_a", "a", 0.3)]), people(vec![flag("x", "b", 0.9), flag("y", "c", 0.1)]));
}

/// Untidy patients have rows outside the period, which a study must not see.
#[test]
fn mess_is_not_counted() {
    let study = everybody(vec![flag("has_a", "a", 0.3)]);
    let (tidy, messy) =
        (made(&study, &Request { mess: 0.0, ..request(500) }), made(&study, &Request { mess: 1.0, ..request(500) }));
    let rows = |simulation: &Simulation| simulation.store().rows("CodedEvent").unwrap().rows.len();
    // Three untidy rows each, and three of those with a row in the list.
    assert!(rows(&messy) > rows(&tidy) + 500 * 3 + 150);
    let flags = |simulation: &Simulation| {
        column_at(simulation.answer(Some(INDEX)).unwrap(), "has_a").map(is_true).collect::<Vec<_>>()
    };
    assert_eq!(flags(&tidy), flags(&messy));
}

/// Tables agree about deaths: one day, the end of the registration, nothing after it.
#[test]
fn nobody_does_anything_after_death() {
    let died = |name: &str, query| variable(name, DAY, query, py!({"incidence": 0.5}));
    let simulation = made(
        &everybody(vec![
            died(
                "ons",
                Query::DeathCertificate { period: Period::default(), codes: None, returning: DeathFact::DateOfDeath },
            ),
            died("gp", Query::PrimaryCareDeath { period: Period::default(), returning: DeathFact::DateOfDeath }),
            died("cpns", Query::CpnsDeath { period: Period::default(), returning: DeathFact::DateOfDeath }),
            flag("has_a", "a", 1.0),
        ]),
        &Request { mess: 1.0, ..request(400) },
    );
    let answer = simulation.answer(Some(INDEX)).unwrap();
    assert_near(share(answer, "ons", |cell| *cell != Cell::Null), 0.5, 400);
    for ((ons, gp), cpns) in column_at(answer, "ons").zip(column_at(answer, "gp")).zip(column_at(answer, "cpns")) {
        assert_eq!((ons, cpns), (gp, ons));
    }
    let store = simulation.store();
    let deaths: std::collections::BTreeMap<i64, Date> = store
        .rows("ONS_Deaths")
        .unwrap()
        .rows
        .iter()
        .map(|row| {
            let (Cell::Int(id), Cell::Date(day)) = (&row[0], &row[1]) else { panic!() };
            (*id, *day)
        })
        .collect();
    let events = store.rows("CodedEvent").unwrap();
    let when = events.columns.iter().position(|column| column == "ConsultationDate").unwrap();
    for row in &events.rows {
        if let (Cell::Int(id), Cell::DateTime(moment)) = (&row[0], &row[when]) {
            assert!(deaths.get(id).is_none_or(|died| moment.date() <= *died));
        }
    }
}

/// What two files of a repository say of the people that both have, column by column.
fn joined<'a>(one: &'a Answer, other: &'a Answer, name: &str) -> Vec<(&'a Cell, &'a Cell)> {
    let place = |answer: &Answer| answer.columns.iter().position(|column| column == name).unwrap();
    let (here, there) = (place(one), place(other));
    let by_id: std::collections::BTreeMap<i64, &Cell> =
        other.rows.iter().map(|row| (row.patient_id, &row.values[there])).collect();
    one.rows.iter().filter_map(|row| Some((&row.values[here], *by_id.get(&row.patient_id)?))).collect()
}

/// Birth, sex, region, deprivation and death, with other expectations in each study.
fn person(shares: [f64; 3], latest: &str) -> Vec<Variable> {
    let [male, london, dead] = shares;
    let ratios =
        |a: &str, b: &str, share: f64| py!({"rate": "universal", "category": {"ratios": {a: share, b: (1.0 - share)}}});
    let index = || from(DateBase::IndexDate).unwrap();
    let imd = Query::Address { date: index(), returning: AddressFact::IndexOfMultipleDeprivation };
    let died = Query::DeathCertificate { period: Period::default(), codes: None, returning: DeathFact::DateOfDeath };
    let dates = py!({"incidence": dead, "rate": "uniform", "date": {"earliest": "2020-02-01", "latest": latest}});
    vec![
        variable("born", ColumnType::Date(cohorts::DatePrecision::Month), Query::DateOfBirth, Value::Null),
        variable("sex", Str, Query::Sex, ratios("M", "F", male)),
        variable(
            "region",
            Str,
            Query::Practice { date: index(), returning: PracticeFact::Nuts1RegionName },
            ratios("London", "North East", london),
        ),
        variable("imd", ColumnType::IntCategory { missing: -1 }, imd, ratios("100", "20000", london)),
        variable("died", DAY, died, dates),
        age(),
    ]
}

/// The same repository asked by two studies with different index dates and expectations: nobody is two people.
#[test]
fn files_of_two_studies_tell_the_same_of_a_person() {
    let one = everybody(person([0.3, 0.5, 0.2], "2021-03-01"));
    let adults = compare(Comparison::Ge, 5, Expr::Int(18));
    let other = population(person([0.6, 0.2, 0.1], "2020-12-01"), adults);
    let mut census = Census::default();
    for (study, name) in [(&one, "study_definition"), (&other, "study_definition_later")] {
        let recording = Recording { module: name.into(), ..lists() };
        census.ask(study, &recording, &[INDEX], date(2022, 1, 1));
    }
    let request = |index_date| Request { census: census.clone(), index_dates: vec![index_date], ..request(1_500) };
    let later = date(2021, 9, 1);
    let (first, second) = (made(&one, &request(INDEX)), made(&other, &request(later)));
    let (first, second) = (first.answer(Some(INDEX)).unwrap(), second.answer(Some(later)).unwrap());
    let both = joined(first, second, "born").len();
    assert!(both > 1_000, "only {both} of 1,500 patients are in both files");
    for name in ["born", "sex", "region", "imd", "died"] {
        for (here, there) in joined(first, second, name) {
            // Between two practices nobody has a region.
            let nowhere = name == "region" && [here, there].contains(&&Cell::text(""));
            assert!(nowhere || here == there, "{name}: {here:?}, {there:?}");
        }
    }
    for (here, there) in joined(first, second, "age") {
        let (Cell::Int(here), Cell::Int(there)) = (here, there) else { panic!() };
        assert!((here..=&(here + 1)).contains(&there));
    }
    // The first study decides, the second is told so.
    assert_near(share(first, "sex", |cell| *cell == Cell::text("M")), 0.3, 1_500);
    assert_near(share(first, "died", |cell| *cell != Cell::Null), 0.2, 1_500);
    assert_near(share(second, "sex", |cell| *cell == Cell::text("M")), 0.3, 1_500);
    // The dead have no practice.
    let of_region = |name| share(second, "region", |cell| *cell == Cell::text(name));
    let (london, north) = (of_region("London"), of_region("North East"));
    assert_near(london / (london + north), 0.5, 1_000);
}

/// Month after month: ages grow, the dead stay dead, what was recorded first stays first.
#[test]
fn people_live_on_from_one_index_date_to_the_next() {
    let until = || Period { from: None, to: from(DateBase::IndexDate) };
    let died = Query::DeathCertificate { period: until(), codes: None, returning: DeathFact::DateOfDeath };
    let first = Query::ClinicalEvents(CodedRows {
        codes: Codes { list: CodelistId("a".into()), system: System::Ctv3 },
        period: until(),
        pick: Pick::First,
        ignore_missing_values: false,
        except_days_of: None,
        returning: CodedFact::Date,
    });
    let in_year = py!({"incidence": 0.1, "date": {"earliest": "index_date - 1 year", "latest": "index_date"}});
    let study = everybody(vec![
        age(),
        variable("died", DAY, died, in_year),
        variable("first", DAY, first, py!({"incidence": 0.5})),
        variable("sex", Str, Query::Sex, py!({"rate": "universal", "category": {"ratios": {"M": 0.5, "F": 0.5}}})),
    ]);
    let dates: Vec<Date> = (1..=12).map(|month| date(2021, month, 1)).collect();
    let simulation = made(&study, &Request { index_dates: dates.clone(), ..request(800) });
    let mut deaths = 0;
    for pair in dates.windows(2) {
        let [before, after] = [0, 1].map(|place| simulation.answer(Some(pair[place])).unwrap());
        assert_eq!((before.rows.len(), after.rows.len()), (800, 800));
        for (before, after) in joined(before, after, "age") {
            let (Cell::Int(before), Cell::Int(after)) = (before, after) else { panic!() };
            assert!((before..=&(before + 1)).contains(&after));
        }
        for name in ["died", "first"] {
            for (before, after) in joined(before, after, name).into_iter().filter(|(before, _)| **before != Cell::Null)
            {
                assert_eq!(before, after, "{name}");
            }
        }
        assert!(joined(before, after, "sex").iter().all(|(before, after)| before == after));
        deaths = column_at(after, "died").filter(|cell| **cell != Cell::Null).count();
    }
    // A tenth in the first year, and at each later date of the month that is new about a twelfth of a tenth.
    assert!((100..200).contains(&deaths), "{deaths}");
}

/// Registrations hang together: one after the other but for few, from birth to death.
#[test]
fn registrations_and_addresses_are_lives() {
    let simulation = made(&everybody(person([0.5, 0.5, 0.3], "2021-03-01")), &Request { mess: 0.0, ..request(600) });
    let store = simulation.store();
    let deaths: std::collections::BTreeMap<i64, Date> = store
        .rows("Patient")
        .unwrap()
        .rows
        .iter()
        .filter_map(
            |row| if let (Cell::Int(id), Cell::Date(day)) = (&row[0], &row[2]) { Some((*id, *day)) } else { None },
        )
        .collect();
    assert!(deaths.len() > 100);
    let rows = store.rows("RegistrationHistory").unwrap();
    let place = |name: &str| rows.columns.iter().position(|column| column == name).unwrap();
    let (id, start, end) = (place("Patient_ID"), place("StartDate"), place("EndDate"));
    let mut moved = 0;
    for pair in rows.rows.windows(2) {
        let (Cell::DateTime(from), Cell::DateTime(to)) = (&pair[0][start], &pair[0][end]) else { panic!() };
        assert!(from <= to);
        let Cell::Int(patient) = pair[0][id] else { panic!() };
        assert!(deaths.get(&patient).is_none_or(|died| to.date() <= *died));
        moved += usize::from(pair[0][id] == pair[1][id]);
    }
    assert!(moved > 60, "{moved}");
}

/// A folder of tables has events of no list, and everybody in the population is on the lists of those who may be seen.
#[test]
fn tables_have_more_than_is_asked_for() {
    let simulation = made(&everybody(vec![flag("has_a", "a", 0.3)]), &request(200));
    let store = simulation.store();
    let ids = |table: &str| -> BTreeSet<i64> {
        let rows = store.rows(table).unwrap();
        let place = rows.columns.iter().position(|column| column == "Patient_ID").unwrap();
        rows.rows.iter().filter_map(|row| if let Cell::Int(id) = row[place] { Some(id) } else { None }).collect()
    };
    let (allowed, national) = (ids("AllowedPatientsWithTypeOneDissent"), ids("PatientsWithoutNDOO"));
    let inside: Vec<i64> = simulation.answer(Some(INDEX)).unwrap().rows.iter().map(|row| row.patient_id).collect();
    assert!(inside.iter().all(|id| allowed.contains(id) && national.contains(id)));
    let rows = |table: &str| store.rows(table).unwrap().rows.len();
    assert!(rows("CodedEvent") > 200 * 5 && rows("MedicationIssue") > 200 * 6);
    assert_eq!(rows("Organisation"), rows("DirectionsAcknowledged"));
}

/// Every key of a table is there once.
#[test]
fn ids_are_distinct() {
    let simulation = made(&everybody(vec![flag("has_a", "a", 0.8), age()]), &request(300));
    let store = simulation.store();
    for (table, key) in [
        ("Patient", "Patient_ID"),
        ("CodedEvent", "CodedEvent_ID"),
        ("RegistrationHistory", "Registration_ID"),
        ("Organisation", "Organisation_ID"),
    ] {
        let rows = store.rows(table).unwrap();
        let place = rows.columns.iter().position(|column| column == key).unwrap();
        let keys: BTreeSet<String> = rows.rows.iter().map(|row| format!("{:?}", row[place])).collect();
        assert_eq!(keys.len(), rows.rows.len(), "{table}");
    }
}

/// A population of the patients of a file: they are made, with a tenth of others.
#[test]
fn value_files_bring_their_patients() {
    let in_file = Query::InFile { path: "ids.csv".into() };
    let mut study = everybody(vec![flag("has_a", "a", 1.0)]);
    study.variables.pop();
    study.variables.push(variable("population", Bool, in_file, Value::Null));
    let graph = study::lower(&study, &lists(), study::Flavour::Tpp).unwrap();
    let rows = Rows { columns: vec!["patient_id".into()], rows: (1..=50).map(|n| vec![Cell::Int(n * 7)]).collect() };
    let files: Vec<_> = graph.inlines().into_iter().map(|file| (file.clone(), rows.clone())).collect();
    let simulation = simulate_with(&study, &lists(), &request(1_000), &files).unwrap();
    assert_eq!(simulation.inside(), 50);
    let answer = simulation.answer(Some(INDEX)).unwrap();
    assert_eq!(
        answer.rows.iter().map(|row| row.patient_id).collect::<Vec<_>>(),
        (1..=50).map(|n| n * 7).collect::<Vec<i64>>()
    );
    assert!(column_at(answer, "has_a").all(is_true));
    assert_eq!(simulation.store().rows("Patient").unwrap().rows.len(), 55);
}

/// One variable of each function that reads rows of its own, half of the patients with a value: so it is.
#[test]
fn every_function_is_planted() {
    let all = Period::default;
    let codes = |list: &str, system| Some(Codes { list: CodelistId(list.into()), system });
    let half = || py!({"incidence": 0.5});
    let label = |label: &str| py!({"incidence": 0.5, "category": {"ratios": {label: 1}}});
    let float = || py!({"incidence": 0.5, "float": {"distribution": "normal", "mean": 30, "stddev": 1}});
    let whole = |mean: i64| py!({"incidence": 0.5, "int": {"distribution": "normal", "mean": mean, "stddev": 0}});
    let admission = |returning| {
        Query::Admission(Admission {
            period: last_year(),
            pick: Pick::First,
            diagnoses: codes("a", System::Icd10),
            primary_diagnoses: codes("b", System::Icd10),
            procedures: codes("c", System::Opcs4),
            columns: vec![(AdmissionColumn::AdmissionMethod, vec!["2A".into()])],
            critical_care: true,
            returning,
        })
    };
    let texts = |text: &str| Some(vec![text.to_owned()]);
    let drug = |returning| {
        Query::Medications(CodedRows {
            codes: codes("a", System::Snomed).unwrap(),
            period: last_year(),
            pick: Pick::Last,
            ignore_missing_values: false,
            except_days_of: None,
            returning,
        })
    };
    let sgss = |result, earliest_only, returning| Query::Sgss {
        result,
        earliest_only,
        period: last_year(),
        pick: Pick::Last,
        returning,
    };
    let trial = |returning| Query::Practice { date: from(DateBase::IndexDate).unwrap(), returning };
    let imd = ColumnType::IntCategory { missing: -1 };
    let group = ColumnType::IntCategory { missing: 0 };
    let asked: Vec<(&str, ColumnType, Query, Value)> = vec![
        ("drug", Str, drug(CodedFact::Code), label("a1...")),
        ("drugs", Int, drug(CodedFact::NumberOfMatches), whole(3)),
        ("bmi", Float, Query::MostRecentBmi { period: last_year(), minimum_age: 0 }, float()),
        (
            "mean",
            Float,
            Query::RecordedValue {
                statistic: Statistic::Mean,
                codes: codes("c", System::Ctv3).unwrap(),
                on_most_recent_day: true,
                period: last_year(),
            },
            float(),
        ),
        (
            "seen",
            Bool,
            Query::GpConsultations { period: last_year(), pick: Pick::Last, returning: RowFact::BinaryFlag },
            half(),
        ),
        (
            "frailty",
            Float,
            Query::DecisionSupport {
                period: last_year(),
                pick: Pick::Last,
                ignore_missing_values: true,
                returning: DecisionSupportFact::NumericValue,
            },
            float(),
        ),
        ("worker", Bool, Query::HealthcareWorker, half()),
        (
            "vaccine",
            DAY,
            Query::Vaccination {
                diseases: texts("measles"),
                products: texts("mmr"),
                period: last_year(),
                pick: Pick::First,
                returning: RowFact::Date,
            },
            half(),
        ),
        ("admitted", Bool, admission(AdmissionFact::BinaryFlag), half()),
        ("discharged", DAY, admission(AdmissionFact::DateDischarged), half()),
        (
            "visit",
            Str,
            Query::EmergencyCare {
                period: last_year(),
                pick: Pick::Last,
                diagnoses: texts("123"),
                discharged_to: texts("456"),
                returning: EmergencyFact::DischargeDestination,
            },
            label("456"),
        ),
        (
            "clinic",
            Str,
            Query::Outpatient {
                period: last_year(),
                pick: Pick::Last,
                attended: Some(true),
                first: Some(false),
                treatment_functions: texts("400"),
                procedures: codes("d", System::Opcs4),
                returning: OutpatientFact::ConsultationMediumUsed,
            },
            label("02"),
        ),
        (
            "ventilated",
            Bool,
            Query::Icu { period: last_year(), pick: Pick::Last, returning: IcuFact::HadAdvancedRespiratorySupport },
            half(),
        ),
        ("positive", Str, sgss(TestResult::Positive, true, SgssFact::CaseCategory), label("LFT_Only")),
        ("tests", Int, sgss(TestResult::Any, false, SgssFact::NumberOfMatches), whole(2)),
        ("ethnicity", group, Query::EthnicityFromSus(SusEthnicity::Group6), label("3")),
        (
            "treated",
            Str,
            Query::CovidTherapeutics {
                statuses: texts("Approved"),
                therapeutics: texts("Paxlovid"),
                indications: texts("non_hospitalised"),
                period: last_year(),
                pick: Pick::Last,
                returning: TherapeuticsFact::Region,
            },
            label("London"),
        ),
        (
            "renal",
            Int,
            Query::Ukrr { dataset: "2019prev", period: all(), returning: UkrrFact::LatestCreatinine },
            whole(300),
        ),
        (
            "costly",
            Bool,
            Query::HighCostDrugs {
                drugs: texts("adalimumab"),
                period: all(),
                pick: Pick::Last,
                returning: RowFact::BinaryFlag,
            },
            half(),
        ),
        (
            "imd",
            imd,
            Query::Address {
                date: from(DateBase::IndexDate).unwrap(),
                returning: AddressFact::IndexOfMultipleDeprivation,
            },
            label("1200"),
        ),
        (
            "region",
            Str,
            Query::Practice { date: from(DateBase::IndexDate).unwrap(), returning: PracticeFact::Nuts1RegionName },
            label("London"),
        ),
        ("arm", Str, trial(PracticeFact::TrialArm { trial: "germdefence".into() }), label("Con")),
        (
            "pages",
            Str,
            trial(PracticeFact::TrialProperty { trial: "germdefence".into(), property: "n_pages_viewed_mean".into() }),
            label("3.5"),
        ),
        ("stay", Int, Query::Isaric { column: "los".into(), filter: Some(("hostdat".into(), last_year())) }, whole(9)),
        ("left", DAY, Query::Deregistered(last_year()), py!({"incidence": 0.05})),
        (
            "house",
            Int,
            Query::Household(HouseholdFact::HouseholdSize),
            py!({"rate": "universal", "int": {"distribution": "poisson", "mean": 4}}),
        ),
    ];
    let names: Vec<&str> = asked.iter().map(|(name, ..)| *name).collect();
    let source = VariableId(names.len());
    let mut variables: Vec<Variable> =
        asked.into_iter().map(|(name, kind, query, expectations)| variable(name, kind, query, expectations)).collect();
    variables.push(variable("number", Float, events("b", last_year(), CodedFact::NumericValue), float()));
    variables.push(variable("upper", Float, Query::ValueFrom { source, part: Part::UpperBound }, float()));
    let simulation = made(&everybody(variables), &request(600));
    let answer = simulation.answer(Some(INDEX)).unwrap();
    let report = &simulation.reports()[0];
    for (name, column) in names.iter().zip(&report.columns) {
        match *name {
            // Practices take part, not patients.
            "arm" | "pages" => assert!((0.2..0.8).contains(&column.reached.unwrap()), "{name}"),
            _ => assert_near(column.reached.unwrap(), column.expected.unwrap(), 600),
        }
        assert!(["house", "left"].contains(name) || column.expected == Some(0.5), "{name}");
    }
    let given = |name: &str, value: Cell| {
        assert!(
            column_at(answer, name)
                .all(|cell| *cell == value || matches!(cell, Cell::Int(-1 | 0)) || *cell == Cell::text("")),
            "{name}"
        )
    };
    given("drug", Cell::text("a1..."));
    given("visit", Cell::text("456"));
    given("positive", Cell::text("LFT_Only"));
    given("ethnicity", Cell::Int(3));
    given("treated", Cell::text("London"));
    given("renal", Cell::Int(300));
    given("imd", Cell::Int(1200));
    given("arm", Cell::text("Con"));
    given("pages", Cell::text("3.5"));
    given("stay", Cell::Int(9));
    assert_near(share(answer, "tests", |cell| matches!(cell, Cell::Int(2..))), 0.5, 600);
    assert_near(share(answer, "upper", |cell| *cell != Cell::Float(0.0)), 0.25, 600);
}

/// A population that people can be in, of flags on four lists, ages and sexes.
fn satisfiable() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (2_usize..6).prop_map(truth),
        (2_usize..6).prop_map(|place| Expr::Not(Box::new(truth(place)))),
        (0_i64..90).prop_map(|age| compare(Comparison::Ge, 0, Expr::Int(age))),
        (20_i64..110).prop_map(|age| compare(Comparison::Lt, 0, Expr::Int(age))),
        prop::sample::select(vec!["F", "M"]).prop_map(|sex| compare(Comparison::Eq, 1, Expr::Text(sex.into()))),
    ];
    // One of the alternatives is enough, so each of them may ask for anything that does not contradict itself.
    let alternative = prop::collection::vec(leaf, 1..4).prop_filter("contradicts itself", |parts| !contradict(parts));
    prop::collection::vec(alternative, 1..4).prop_map(|alternatives| {
        alternatives.into_iter().map(and).reduce(|a, b| Expr::Or(Box::new(a), Box::new(b))).unwrap()
    })
}

/// Whether the parts name one column twice, as in `a AND NOT a`.
fn contradict(parts: &[Expr]) -> bool {
    let mut seen = BTreeSet::new();
    parts.iter().any(|part| {
        let mut open = part;
        loop {
            match open {
                Expr::Column(id) => return !seen.insert(id.0),
                Expr::Not(inner) | Expr::Truth(inner) => open = inner,
                Expr::Compare(_, inner, _) => open = inner,
                _ => return false,
            }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whoever can be in a population is found, and only those: the same bytes on any day.
    #[test]
    fn satisfiable_populations_are_full(expr in satisfiable(), shares in prop::array::uniform4(0.02_f64..0.98), seed in any::<u64>()) {
        let half = py!({"rate": "universal", "category": {"ratios": {"M": 0.5, "F": 0.5}}});
        let mut variables = vec![age(), variable("sex", Str, Query::Sex, half)];
        let flags = ["a", "b", "c", "d"].iter().zip(shares).map(|(list, share)| flag(&format!("has_{list}"), list, share));
        variables.extend(flags);
        let study = population(variables, expr);
        let request = Request { seed, ..request(30) };
        let simulation = made(&study, &request);
        prop_assert_eq!(simulation.inside(), 30);
        prop_assert_eq!(simulation.answer(Some(INDEX)).unwrap().rows.len(), 30);
        let again = made(&study, &Request { today: date(2031, 7, 7), ..request });
        prop_assert_eq!(csv(&simulation), csv(&again));
    }
}

/// What people read: shares, and why they differ.
#[test]
fn the_report_in_words() {
    let after = Period { from: from(DateBase::Column(VariableId(0))), to: from(DateBase::IndexDate) };
    let half = |list: &str, period| events(list, period, CodedFact::Date);
    let cases = Cases { branches: vec![(Scalar::Int(1), truth(1))], default: Scalar::Int(0) };
    let study = everybody(vec![
        variable("first", DAY, half("a", last_year()), py!({"incidence": 0.5})),
        variable("then", DAY, half("b", after), py!({"incidence": 0.9})),
        variable("both", Bool, Query::Categorised(cases), py!({"incidence": 0.9})),
        variable(
            "sex",
            Str,
            Query::Sex,
            py!({"rate": "universal", "category": {"ratios": {"M": 0.5, "F": 0.4, "": 0.1}}}),
        ),
    ]);
    let simulation = made(&study, &request(100));
    let report = &simulation.reports()[0];
    insta::assert_snapshot!(report);
    let json = serde_json::to_value(report).unwrap();
    assert_eq!(json["columns"][1]["why"], "its period hangs on first, which not everybody has");
}
