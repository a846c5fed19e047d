//! What the functions return, and that the recording holds what was meant when the study was made.
//! Spec study-definitions.md 1.2, 1.3, 6.

use jiff::civil::date;
use study::functions::{Form, Parameter};
use study::recording::{CodelistItems, Recording, Source, SourceId, Value, Variable};

use crate::rig::Rig;

const IMPORTS: &str = "from cohortextractor import *\nfrom cohortextractor import patients\n";

fn text(text: &str) -> Value {
    Value::Str(text.to_owned())
}

fn map(entries: &[(Value, Value)]) -> Value {
    Value::Map(entries.to_vec())
}

fn variable<'r>(recording: &'r Recording, name: &str) -> &'r Variable {
    let study = recording.study.as_ref().unwrap();
    study.variables.iter().find(|variable| variable.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn argument<'r>(variable: &'r Variable, name: &str) -> Option<&'r Value> {
    variable.args.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn source(recording: &Recording, src: SourceId) -> &Source {
    &recording.sources[src.0 as usize]
}

fn lines(recording: &Recording, sources: &[SourceId]) -> Vec<u32> {
    sources.iter().map(|src| source(recording, *src).line).collect()
}

/// The signatures are real ones: Python's own view of them equals the table that checks and documentation are made of.
#[test]
fn signatures_are_those_of_the_table() {
    let rig = Rig::new();
    let recorded = rig.recorded(
        r#"
import inspect
from cohortextractor import patients
for name, function in sorted(vars(patients).items()):
    if inspect.isfunction(function) and not name.startswith("_") and function.__module__ == patients.__name__:
        if name not in ("fault", "nearest"):
            print(name + str(inspect.signature(function)))
"#,
    );
    let mut expected: Vec<String> = study::functions::table()
        .functions()
        .iter()
        .map(|function| {
            let parameters: Vec<String> = function.parameters.iter().map(parameter).collect();
            format!("{}({})", function.name, parameters.join(", "))
        })
        .collect();
    expected.sort();
    let found: Vec<&str> = recorded.printed.lines().collect();
    assert_eq!(found, expected);
    assert!(found.len() >= 50, "{}", found.len());
}

fn parameter(parameter: &Parameter) -> String {
    let name = &parameter.name;
    let default = match (parameter.form, &parameter.default) {
        (Form::Positional, _) => return format!("*{name}"),
        (Form::Keywords, _) => return format!("**{name}"),
        (Form::Plain, None) => return name.clone(),
        (_, Some(Value::Null)) => "None".to_owned(),
        (_, Some(Value::Bool(true))) => "True".to_owned(),
        (_, Some(Value::Bool(false))) => "False".to_owned(),
        (_, Some(Value::Int(number))) => number.to_string(),
        (_, Some(Value::Str(text))) => format!("'{text}'"),
        (_, Some(other)) => panic!("{other:?}"),
    };
    format!("{name}={default}")
}

#[test]
fn functions_return_tuples_that_studies_take_apart() {
    let rig = Rig::new();
    let recorded = rig.recorded(&format!(
        "{IMPORTS}{}",
        r#"
import copy, pickle
one = patients.age_as_of("2020-01-01")
query, args = one
print(isinstance(one, tuple), len(one), query, args, one == (query, args), type(args) is dict)
print(patients.satisfying("a", x=patients.sex()) == ("categorised_as", {
    "category_definitions": {1: "a", 0: "DEFAULT"},
    "return_expectations": {"category": {"ratios": {1: 1, 0: 0}}},
    "extra_columns": {"x": ("sex", {"return_expectations": None})},
}))
print(patients.minimum_of("a", "b", c=patients.sex())[1]["column_names"])
for function in (patients.date_of, patients.comparator_from, patients.reference_range_lower_bound_from,
                 patients.reference_range_upper_bound_from):
    query, args = function("x")
    print(query, args["source"], args["returning"])
shared = {}
shared.update(a=one)
merged = {**shared, "b": copy.deepcopy(one), "c": pickle.loads(pickle.dumps(one))}
merged["d"] = ("age_as_of", {**one[1], "reference_date": "2021-01-01"})
study = StudyDefinition(population=patients.all(), **merged)
"#
    ));
    assert_eq!(
        recorded.printed,
        "True 2 age_as_of {'reference_date': '2020-01-01', 'return_expectations': None} True True\nTrue\n\
         ('a', 'b', 'c')\nvalue_from x date\nvalue_from x comparator\nvalue_from x lower_bound\n\
         value_from x upper_bound\n"
    );
    let recording = &recorded.recording;
    for name in ["a", "b", "c"] {
        let found = variable(recording, name);
        assert_eq!(found.called.as_deref(), Some("age_as_of"), "{name}");
        assert_eq!(source(recording, found.src).line, 5, "{name}");
        assert_eq!(found.args, [("reference_date".to_owned(), text("2020-01-01"))]);
    }
    // Written by hand: no public function was called, and the default that it spells out is no argument.
    let by_hand = variable(recording, "d");
    assert_eq!((by_hand.called.as_deref(), by_hand.function.as_str()), (None, "age_as_of"));
    assert_eq!(by_hand.args, [("reference_date".to_owned(), text("2021-01-01"))]);
    assert_eq!(by_hand.src, recording.study.as_ref().unwrap().src);
}

#[test]
fn a_dict_that_satisfying_writes_into_is_seen_by_others() {
    let rig = Rig::new();
    let recorded = rig.recorded(&format!(
        "{IMPORTS}{}",
        r#"
shared = {"incidence": 0.5}
before = patients.sex(return_expectations=shared)
flag = patients.satisfying("a", shared)
print(shared)
study = StudyDefinition(population=patients.all(), before=before, flag=flag)
shared["incidence"] = 0.9
before[1]["return_expectations"]["late"] = True
"#
    ));
    assert_eq!(recorded.printed, "{'incidence': 0.5, 'category': {'ratios': {1: 1, 0: 0}}}\n");
    // As it was when the study was made; what comes later counts no more.
    let ratios = map(&[(Value::Int(1), Value::Int(1)), (Value::Int(0), Value::Int(0))]);
    let expected = map(&[(text("incidence"), Value::Float(0.5)), (text("category"), map(&[(text("ratios"), ratios)]))]);
    for name in ["before", "flag"] {
        assert_eq!(argument(variable(&recorded.recording, name), "return_expectations"), Some(&expected), "{name}");
    }
}

#[test]
fn helpers_and_loops_are_told_by_their_lines() {
    let rig = Rig::new();
    let recorded = rig.recorded(
        r#"from cohortextractor import StudyDefinition, patients
def inner(day):
    return patients.age_as_of(
        day
    )
def outer(day):
    return inner(day)
loop = {}
for year in ("2020", "2021"):
    loop["age_" + year] = outer(year + "-01-01")
study = StudyDefinition(
    population=patients.satisfying("adult", adult=patients.registered_as_of("2020-01-01")),
    direct=patients.sex(),
    **loop, **{"by_dict": patients.sex()}
)
"#,
    );
    let recording = &recorded.recording;
    let aged = variable(recording, "age_2021");
    assert_eq!(source(recording, aged.src).line, 3);
    assert_eq!(lines(recording, &aged.via), [7, 10]);
    assert_eq!(aged.name_src, None);
    let direct = variable(recording, "direct");
    assert_eq!((source(recording, direct.src).line, direct.via.len()), (13, 0));
    assert_eq!(source(recording, direct.name_src.unwrap()).line, 13);
    assert_eq!(variable(recording, "by_dict").name_src, None);
    let population = &recording.study.as_ref().unwrap().population;
    assert_eq!(source(recording, population.extra[0].name_src.unwrap()).line, 12);
    if rig.minor >= 11 {
        // `    direct=patients.sex(),`: the keyword has bytes 4 to 10, the call 11 to 25.
        let span = |src| source(recording, src).span.map(|s| (s.column, s.end_line, s.end_column)).unwrap();
        assert_eq!(span(direct.name_src.unwrap()), (4, 13, 10));
        assert_eq!(span(direct.src), (11, 13, 25));
        assert_eq!(span(aged.src), (11, 5, 5));
    }
}

#[test]
fn values_keep_their_types() {
    let rig = Rig::new();
    let recorded = rig.recorded(&format!(
        "{IMPORTS}{}",
        r#"
import datetime, enum, pathlib
class Kind(str, enum.Enum):
    ONE = "one"
class Number(enum.IntEnum):
    TWO = 2
values = [None, True, 3, 3.0, -0.0, 1e300, float("nan"), float("-inf"), "é\n\"", (1, [2]), {1: "a", None: 2.5, True: {}},
    datetime.date(2021, 5, 4), datetime.datetime(2021, 5, 4), pathlib.Path("analysis/x.csv"), Number.TWO, 2 ** 63 - 1]
odd = [datetime.datetime(2021, 5, 4, 1), {1, 2}, b"x", 2 ** 63, object, "\ud800"]
study = StudyDefinition(population=patients.all(), x=patients.fixed_value(values), y=patients.fixed_value(odd))
"#
    ));
    let Some(Value::List(values)) = argument(variable(&recorded.recording, "x"), "value") else { panic!() };
    let expected = [
        Value::Null,
        Value::Bool(true),
        Value::Int(3),
        Value::Float(3.0),
        Value::Float(-0.0),
        Value::Float(1e300),
        Value::Float(f64::NAN),
        Value::Float(f64::NEG_INFINITY),
        text("\u{e9}\n\""),
        Value::List(vec![Value::Int(1), Value::List(vec![Value::Int(2)])]),
        // In Python `True` and 1 are one key: the first stays, with the last value.
        map(&[(Value::Int(1), map(&[])), (Value::Null, Value::Float(2.5))]),
        Value::Date(date(2021, 5, 4)),
        Value::Date(date(2021, 5, 4)),
        text("analysis/x.csv"),
        Value::Int(2),
        Value::Int(i64::MAX),
    ];
    assert_eq!(format!("{values:?}"), format!("{expected:?}"));
    let Some(Value::List(odd)) = argument(variable(&recorded.recording, "y"), "value") else { panic!() };
    let names = ["datetime.datetime", "set", "bytes", "int", "type"].map(|name| Value::Unsupported(name.to_owned()));
    assert_eq!(odd[..5], names);
    let faults: Vec<_> = recorded.recording.faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(faults, ["SD010"; 6]);
}

#[test]
fn codelists_follow_section_6() {
    let rig = Rig::new();
    rig.write("codelists/bom.csv", "\u{feff}code , code,group\r\n , a ,1\r\n,b,\r\n\r\n, a,1\r\n,  ,9\r\n,c\r\n");
    let recorded = rig.recorded(&format!(
        "{IMPORTS}{}",
        r#"
plain = codelist(["b", "a", "b"], "ctv3")
again = codelist(["b", "a", "b"], system="ctv3")
read = codelist_from_csv("codelists/bom.csv", "snomed", " code")
pairs = codelist([("a", "1"), ("b", "2"), ("a", "1")], "ctv3")
print(plain, plain.system, plain.has_categories, str(plain), list(plain[1:]))
print(read)
print(combine_codelists(plain, codelist(["c", "a"], "ctv3")))
print(combine_codelists(pairs, codelist([("c", "2")], "ctv3")), filter_codes_by_category(pairs, ["1", "3"]))
clinical = patients.with_these_clinical_events
study = StudyDefinition(population=patients.all(), p=clinical(plain), q=clinical(again), r=clinical(pairs),
    s=clinical(combine_codelists(plain, codelist_from_csv("codelists/list.csv", "ctv3"))), t=clinical(plain + ["z"]),
    u=clinical(codelist([1, 2.5], "ctv3")))
"#
    ));
    assert_eq!(
        recorded.printed,
        "['b', 'a', 'b'] ctv3 False ['b', 'a', 'b'] ['a', 'b']\n['a', 'b', 'a', 'c']\n['b', 'a', 'c']\n\
         [('a', '1'), ('b', '2'), ('c', '2')] [('a', '1'), ('a', '1')]\n"
    );
    let recording = &recorded.recording;
    let list = |name| match argument(variable(recording, name), "codelist") {
        Some(Value::Codelist(id)) => (id, &recording.codelists[id]),
        other => panic!("{other:?}"),
    };
    // Equal lists are stored once, with every call that made them. The id: `printf
    // '["ctv3",false,["b","a","b"]]' | sha256sum`.
    assert_eq!(list("p").0, list("q").0);
    assert_eq!(list("p").0.0, "c0a92fd86f7a7a71e");
    assert_eq!(list("p").1.origin.len(), 2);
    let pair = |code, category| (text(code), text(category));
    let CodelistItems::Categorised(pairs) = &list("r").1.items else { panic!() };
    assert_eq!(*pairs, [pair("a", "1"), pair("b", "2"), pair("a", "1")]);
    let origin: Vec<_> = list("s").1.origin.iter().map(|o| (o.function.as_str(), o.file.as_deref())).collect();
    let csv = ("codelist_from_csv", Some("codelists/list.csv"));
    assert_eq!(origin, [("codelist", None), csv, ("combine_codelists", None)]);
    // A sum of lists is a plain list of Python, and is recorded as one.
    let sum = ["b", "a", "b", "z"].map(text).to_vec();
    assert_eq!(argument(variable(recording, "t"), "codelist"), Some(&Value::List(sum)));
    assert_eq!(list("u").1.items, CodelistItems::Plain(vec![Value::Int(1), Value::Float(2.5)]));
}

#[test]
fn measures_are_recorded() {
    let rig = Rig::new();
    let recorded = rig.recorded(&format!(
        "{IMPORTS}{}",
        r#"
measures = [
    Measure("a", "population", "x"),
    Measure(id="b", numerator="x", denominator="y", group_by="z", small_number_suppression=True),
    Measure("c", "population", "population", ["population"]),
    Measure("d", "population", "x", group_by=("z", "w")),
]
"#
    ));
    let found: Vec<_> = recorded
        .measures()
        .unwrap()
        .iter()
        .map(|m| {
            let groups = m.group_by.join("+");
            format!("{} {}/{} {groups} {}", m.id, m.numerator, m.denominator, m.small_number_suppression)
        })
        .collect();
    let expected = [
        "a x/population  false",
        "b x/y z true",
        "c population/population population false",
        "d x/population z+w false",
    ];
    assert_eq!(found, expected);
    assert_eq!(lines(&recorded.recording, &[recorded.measures().unwrap()[1].src]), [6]);
}
