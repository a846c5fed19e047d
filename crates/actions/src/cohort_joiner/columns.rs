//! Which columns a result has: those of the left side, then those of the right side without `patient_id`.
//! A name of both sides gets `_x` and `_y`, in place (actions.md 4.2).

use std::collections::{HashMap, HashSet};

use crate::fault::{Fault, FaultCode};
use crate::files::data_fault;

/// What rows are joined by.
pub(super) const KEY: &[u8] = b"patient_id";

/// The names of a file, and where `patient_id` stands among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) names: Vec<Vec<u8>>,
    pub(super) key: usize,
}

impl Header {
    /// # Errors
    /// `patient_id` is not there, or more than once.
    pub(super) fn new(names: Vec<Vec<u8>>, file: &str) -> Result<Self, Fault> {
        let keys: Vec<usize> = (0..names.len()).filter(|at| names[*at] == KEY).collect();
        match keys.as_slice() {
            [key] => Ok(Self { key: *key, names }),
            [] => {
                let fault = data_fault(FaultCode::MissingColumn, format!("{file} has no column patient_id"));
                let near = names.iter().map(|name| String::from_utf8_lossy(name)).find(|name| {
                    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
                    strsim::damerau_levenshtein(&plain.to_lowercase(), "patientid") <= 1
                });
                Err(match near {
                    Some(near) => {
                        fault.help(format!("it has a column `{near}`; the name must be the same to the letter"))
                    }
                    None => fault.help("files are joined by this column; every file needs it"),
                })
            }
            several => {
                let message = format!("{file} has {} columns patient_id", several.len());
                Err(data_fault(FaultCode::DuplicateKey, message).help("keep one of them"))
            }
        }
    }

    /// The places of all columns but `patient_id`.
    pub(super) fn carried(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        (0..self.names.len()).filter(|at| *at != self.key)
    }
}

/// The names of a result. `twice`: a suffixed name that is there already is written twice, as in the original.
///
/// # Errors
/// The first name that a column gets and another one has.
pub(super) fn joined(left: &Header, right: &Header, twice: bool) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let names = |header: &Header| header.carried().map(|at| header.names[at].clone()).collect::<HashSet<_>>();
    let (in_left, in_right) = (names(left), names(right));
    let mut renamed = Vec::new();
    let mut name = |name: &Vec<u8>, other: &HashSet<Vec<u8>>, suffix: &[u8]| {
        if name != KEY && other.contains(name) {
            let name = [name, suffix].concat();
            renamed.push(name.clone());
            name
        } else {
            name.clone()
        }
    };
    let mut all: Vec<Vec<u8>> = left.names.iter().map(|own| name(own, &in_right, b"_x")).collect();
    all.extend(right.carried().map(|at| name(&right.names[at], &in_left, b"_y")));
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for name in &all {
        *counts.entry(name).or_default() += 1;
    }
    match renamed.into_iter().find(|name| !twice && counts.get(name.as_slice()).is_some_and(|count| *count > 1)) {
        Some(clash) => Err(clash),
        None => Ok(all),
    }
}

/// What is wrong with two files whose columns cannot stand side by side.
pub(super) fn clash(left: &str, right: &str, name: &[u8]) -> Fault {
    let name = String::from_utf8_lossy(name);
    let message = format!("{left} and {right} share a column, and the result would have two columns named {name}");
    data_fault(FaultCode::ColumnClash, message).help("rename one of the columns before joining")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Result<Header, String> {
        let names = names.split(',').map(|name| name.as_bytes().to_vec()).collect();
        Header::new(names, "f.csv").map_err(|fault| fault.render())
    }

    fn of(left: &str, right: &str, twice: bool) -> String {
        let of = joined(&header(left).unwrap(), &header(right).unwrap(), twice);
        let text = |names: Vec<Vec<u8>>| String::from_utf8(names.join(&b","[..])).unwrap();
        of.map_or_else(|clash| format!("clash {}", text(vec![clash])), text)
    }

    #[test]
    fn shared_names_get_suffixes_in_place() {
        assert_eq!(of("patient_id,imd", "patient_id,imd,eth", false), "patient_id,imd_x,imd_y,eth");
        assert_eq!(of("a,patient_id,b", "c,patient_id,d", false), "a,patient_id,b,c,d");
        assert_eq!(of("patient_id", "patient_id", false), "patient_id");
        // What a file has twice by itself it keeps.
        assert_eq!(of("patient_id,a,a", "patient_id,b,b", false), "patient_id,a,a,b,b");
        assert_eq!(of("patient_id,", "patient_id,", false), "patient_id,_x,_y");
    }

    #[test]
    fn a_suffixed_name_that_is_there_already_is_a_clash() {
        assert_eq!(of("patient_id,a,a_x", "patient_id,a", false), "clash a_x");
        assert_eq!(of("patient_id,a", "patient_id,a,a_y", false), "clash a_y");
        assert_eq!(of("patient_id,a,a", "patient_id,a", false), "clash a_x");
        assert_eq!(of("patient_id,a,a_x", "patient_id,a", true), "patient_id,a_x,a_x,a_y");
    }

    #[test]
    fn the_key_is_there_once() {
        assert_eq!(
            header("Patient_ID,a").unwrap_err(),
            "error[missing_column]: f.csv has no column patient_id\n  \
             help: it has a column `Patient_ID`; the name must be the same to the letter\n"
        );
        assert!(header("patient id").unwrap_err().contains("`patient id`"));
        assert!(header("a,b").unwrap_err().contains("every file needs it"));
        assert!(
            header("patient_id,a,patient_id").unwrap_err().starts_with("error[duplicate_key]: f.csv has 2 columns")
        );
    }
}
