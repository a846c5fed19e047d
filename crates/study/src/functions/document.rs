//! The user documentation, made from the table: what is supported, function by function.
//! `cargo run -p study --example document > docs/study-definitions.md` writes it; a test compares the committed file.

use std::fmt::Write as _;

use super::{Form, Function, Group, Mark, Parameter, Returns, Table, table};
use crate::fault::{Rule, rules};
use crate::model::DateFunction;
use crate::recording::Value;

const GUIDE: &str = include_str!("../../functions/guide.md");

/// The page `docs/study-definitions.md`.
pub fn document() -> String {
    let dates: Vec<String> = DateFunction::ALL.iter().map(|f| format!("`{}`", f.name())).collect();
    GUIDE
        .replace("{{date_functions}}", &dates.join(", "))
        .replace("{{functions}}", functions(table()).trim_end())
        .replace("{{codes}}", codes().trim_end())
}

fn functions(table: &Table) -> String {
    let mut out = String::new();
    for group in Group::ALL {
        let _ = writeln!(out, "### {}\n", group.title());
        for function in table.functions().iter().filter(|f| f.group == group) {
            out.push_str(&one(function));
        }
    }
    out
}

fn one(function: &Function) -> String {
    let mut out = format!("#### {}{}\n\n", function.name, used(function.uses));
    out.push_str(&function.summary);
    out.push_str("\n\n");
    if function.unavailable.is_some() {
        return out;
    }
    let _ = writeln!(out, "```python\n{}\n```\n", signature(function));
    if let Some(period) = &function.period {
        let _ = writeln!(out, "The period applies to {period}.\n");
    }
    out.push_str(&returns(function));
    let told: Vec<&Parameter> = function.parameters.iter().filter(|p| told(p)).collect();
    if !told.is_empty() {
        out.push_str("| parameter | |\n|---|---|\n");
        for parameter in told {
            let _ = writeln!(out, "| `{}` | {} |", parameter.name, parameter_words(parameter));
        }
        out.push('\n');
    }
    if let Some(example) = &function.example {
        let _ = writeln!(out, "Example:\n\n```python\n{}\n```\n", broken(example));
    }
    if function.mark == Mark::Should {
        out.push_str("*Rarely used, and supplied by few backends.*\n\n");
    }
    out
}

fn used(uses: u32) -> String {
    if uses == 0 { String::new() } else { format!(" ({uses})") }
}

/// Parameters that are told once for all functions are left out.
fn told(parameter: &Parameter) -> bool {
    let common = [
        "return_expectations",
        "on_or_before",
        "on_or_after",
        "between",
        "date_format",
        "find_first_match_in_period",
        "find_last_match_in_period",
    ];
    let returning = parameter.name == "returning" && parameter.kind == super::ArgumentKind::Returning;
    !common.contains(&parameter.name.as_str()) && !returning && parameter.deprecated.is_none()
}

fn parameter_words(parameter: &Parameter) -> String {
    let mut words = parameter.says.clone();
    if !parameter.systems.is_empty() {
        let systems: Vec<&str> = parameter.systems.iter().map(|s| s.name()).collect();
        let _ = write!(words, " ({})", systems.join(" or "));
    }
    words
}

/// The call, broken at 100 characters.
fn signature(function: &Function) -> String {
    let parameters = function.parameters.iter().filter(|p| p.deprecated.is_none()).map(|p| match p.form {
        Form::Positional => format!("*{}", p.name),
        Form::Keywords => format!("**{}", p.name),
        Form::Plain => match &p.default {
            None => p.name.clone(),
            Some(value) => format!("{}={}", p.name, literal(value)),
        },
    });
    let mut rows = vec![format!("patients.{}(", function.name)];
    let indent = " ".repeat(4);
    let parameters: Vec<String> = parameters.collect();
    let single = format!("{}{})", rows[0], parameters.join(", "));
    if single.len() <= 100 {
        return single;
    }
    for parameter in parameters {
        match rows.last_mut() {
            Some(row) if row.starts_with(&indent) && row.len() + parameter.len() < 97 => {
                let _ = write!(row, " {parameter},");
            }
            _ => rows.push(format!("{indent}{parameter},")),
        }
    }
    rows.push(")".to_owned());
    rows.join("\n")
}

fn literal(value: &Value) -> String {
    match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Str(text) => format!("\"{text}\""),
        _ => "None".to_owned(),
    }
}

fn returns(function: &Function) -> String {
    match &function.returns {
        Returns::Always(word) => format!("Gives: {}.\n\n", word.word()),
        Returns::Keys => {
            "Gives: the type of the categories (`0` and `1`: bool; texts that are all ISO dates: date).\n\n".into()
        }
        Returns::Inputs => "Gives: the type of the columns.\n\n".into(),
        Returns::Value => "Gives: the type of the value.\n\n".into(),
        Returns::ReturningType => "Gives: what `returning_type` says.\n\n".into(),
        Returns::Isaric => "Gives: the type of the column.\n\n".into(),
        Returns::Choice(choices) => {
            let default = function.parameter("returning").and_then(|p| p.default.as_ref());
            let mut out = "| returning | type | |\n|---|---|---|\n".to_owned();
            let trial = choices.iter().filter(|r| r.name.starts_with("rct__")).count();
            for choice in choices.iter().filter(|r| !r.name.starts_with("rct__")) {
                let bold = matches!(default, Some(Value::Str(text)) if *text == choice.name);
                let name = if bold { format!("**`{}`**", choice.name) } else { format!("`{}`", choice.name) };
                let uses = choice.uses.map(used).unwrap_or_default();
                let _ = writeln!(out, "| {name}{uses} | {} | {} |", choice.kind.word(), choice.says);
            }
            if trial > 0 {
                let _ = writeln!(out, "| `rct__germdefence__…` | | {trial} facts of the practice in that trial |");
            }
            out.push('\n');
            out
        }
    }
}

/// A keyword of a study with its arguments on lines of their own where it is long.
fn broken(example: &str) -> String {
    if example.len() <= 100 {
        return example.to_owned();
    }
    let Some((head, rest)) = example.split_once('(') else { return example.to_owned() };
    let Some(body) = rest.strip_suffix(')') else { return example.to_owned() };
    let mut rows = vec![format!("{head}(")];
    let (mut depth, mut quote, mut start) = (0_i32, None, 0);
    for (at, c) in body.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                rows.push(format!("    {},", body[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    rows.push(format!("    {},", body[start..].trim()));
    rows.push(")".to_owned());
    rows.join("\n")
}

fn codes() -> String {
    let groups = [
        ("The module and its recording", "SD0"),
        ("Names", "SD1"),
        ("Arguments", "SD2"),
        ("Dates", "SD3"),
        ("Codelists", "SD4"),
        ("Expressions", "SD5"),
        ("Dummy data", "SD6"),
        ("Measures", "SD7"),
        ("Lints", "SD9"),
    ];
    let mut out = "| code | |\n|---|---|\n".to_owned();
    for (title, start) in groups {
        let _ = writeln!(out, "| **{title}** | |");
        for Rule { code, title, .. } in rules().iter().filter(|rule| rule.code.starts_with(start)) {
            let _ = writeln!(out, "| {code} | {title} |");
        }
    }
    out
}
