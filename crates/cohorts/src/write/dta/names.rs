//! Names that Stata takes: letters, digits and `_`, at most 32, none of its own words, each once.
//! Spec study-definitions.md 9.2: what is too long is cut, clashes get `_0`, `_1`… in front.

use std::collections::HashSet;

use crate::Field;

const LONGEST: usize = 32;

/// Words that Stata and its matrix language keep for themselves.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "NULL", "_N", "_all", "_b", "_coef", "_cons", "_n", "_pi", "_pred", "_rc", "_se", "_skip", "aggregate", "array",
    "boolean", "break", "byte", "case", "catch", "class", "colvector", "complex", "const", "continue", "default",
    "delegate", "delete", "do", "double", "else", "eltypedef", "end", "enum", "explicit", "export", "external", "float",
    "for", "friend", "function", "global", "goto", "if", "in", "inline", "int", "local", "long", "pragma", "protected",
    "quad", "rowvector", "short", "strL", "typedef", "typename", "using", "virtual", "with",
];

/// The names of the file, in order, and which columns have another name than before.
pub(crate) fn fitting(fields: &[Field]) -> (Vec<String>, Vec<(String, String)>) {
    fitting_names(fields.iter().map(|field| field.name.clone()).collect())
}

pub(super) fn fitting_names(columns: Vec<String>) -> (Vec<String>, Vec<(String, String)>) {
    let mut names = columns.clone();
    let mut renamed = Vec::new();
    let mut clashes = 0_usize;
    let mut seen = HashSet::new();
    for (at, field) in columns.iter().enumerate() {
        let mut name = cut(valid(field));
        // Of two columns with one name the second gets another.
        if name == *field && seen.insert(field) {
            continue;
        }
        // Names before this one are final, names after it still those of the columns: all of them count.
        while names.contains(&name) {
            name = cut(format!("_{clashes}{name}"));
            clashes += 1;
        }
        renamed.push((field.clone(), name.clone()));
        if let Some(slot) = names.get_mut(at) {
            *slot = name;
        }
    }
    (names, renamed)
}

fn valid(name: &str) -> String {
    let mut valid: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() { c } else { '_' }).collect();
    if valid.is_empty() || valid.starts_with(|c: char| c.is_ascii_digit()) || RESERVED.contains(&valid.as_str()) {
        valid.insert(0, '_');
    }
    valid
}

fn cut(name: String) -> String {
    if name.chars().count() <= LONGEST { name } else { name.chars().take(LONGEST).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn names(of: &[&str]) -> Vec<String> {
        let fields: Vec<Field> = of.iter().map(|name| Field { name: (*name).to_owned(), kind: Kind::Int }).collect();
        fitting(&fields).0
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let a = "a".repeat(32);
        let clash = |n: usize| format!("_{n}{}", "a".repeat(30));
        assert_eq!(names(&[&a, &format!("{a}x"), &format!("{a}y"), "b"]), [a.clone(), clash(0), clash(1), "b".into()]);
        // A later column keeps the name that it has already.
        assert_eq!(names(&[&format!("{a}x"), &a]), [clash(0), a]);
    }

    #[test]
    fn words_of_stata_are_marked() {
        assert_eq!(
            names(&["case", "Case", "_case", "x-1", "2x", "", "patient_id", "größe"]),
            ["_0_case", "Case", "_case", "x_1", "_2x", "_", "patient_id", "größe"]
        );
    }
}
