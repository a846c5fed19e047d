use super::*;

#[test]
fn the_table_is_sound() {
    let table = load().unwrap();
    assert_eq!(table.functions().len(), 50);
    let mut names: Vec<&str> = table.functions().iter().map(|f| f.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 50, "a name occurs twice");
    for function in table.functions() {
        // A default of `returning` is one of its values, and a period parameter comes with what it applies to.
        if let Some(Value::Str(default)) = function.parameter("returning").and_then(|p| p.default.clone()) {
            assert!(function.returning().iter().any(|r| r.name == default), "{}", function.name);
        }
        assert_eq!(function.parameter("between").is_some(), function.period.is_some(), "{}", function.name);
        if let Some(other) = &function.unavailable {
            assert!(table.called(other).is_some());
        }
    }
}

#[test]
fn groups_are_spelled_out_in_order() {
    let names = |name: &str| -> Vec<String> {
        table().called(name).unwrap().parameters.iter().map(|p| p.name.clone()).collect()
    };
    assert_eq!(
        names("with_gp_consultations"),
        [
            "on_or_before",
            "on_or_after",
            "between",
            "find_first_match_in_period",
            "find_last_match_in_period",
            "returning",
            "date_format",
            "return_expectations"
        ]
    );
    assert_eq!(names("satisfying"), ["expression", "return_expectations", "extra_columns"]);
    assert_eq!(names("with_value_from_file"), ["f_path", "returning", "returning_type", "date_format"]);
}

#[test]
fn isaric_braces_are_spelled_out() {
    assert_eq!(table().isaric("pews_o2_rx"), TypeWord::Int);
    assert_eq!(table().isaric("daily_wbc_lborres"), TypeWord::Float);
    assert_eq!(table().isaric("hosttim"), TypeWord::Date);
    assert_eq!(table().isaric("anything"), TypeWord::Str);
}
