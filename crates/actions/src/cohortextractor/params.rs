//! `--param k=v`: values that a study reads as `params["k"]` (study-definitions.md 1.2, 9.1).
//! `k = v` in words of its own is joined before it is split at the first `=`.

use std::ffi::OsString;

use crate::args::{Parsed, bad_argument};
use crate::fault::Fault;

/// The parameters in the order of their first mention; of a repeated one the last value.
pub(crate) fn of(parsed: &Parsed, faults: &mut Vec<Fault>) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::new();
    for text in parsed.groups("--param").flat_map(joined) {
        let Ok(text) = text.into_string() else {
            faults.push(bad_argument("a --param is not UTF-8 text"));
            continue;
        };
        let Some((key, value)) = text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            let fault = bad_argument(format!("--param '{text}' has no value"));
            faults.push(fault.help("write --param name=value"));
            continue;
        };
        if key.is_empty() {
            faults.push(bad_argument(format!("--param '{text}' has no name")).help("write --param name=value"));
            continue;
        }
        match params.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => value.clone_into(old),
            None => params.push((key.to_owned(), value.to_owned())),
        }
    }
    params
}

/// The words of one `--param` as `k=v` texts. A word with `=` inside begins the next one as soon as the one before has a value.
fn joined(words: &[OsString]) -> Vec<OsString> {
    let mut texts: Vec<OsString> = Vec::new();
    for word in words {
        let whole = |text: &OsString| {
            let bytes = text.as_encoded_bytes();
            bytes.iter().position(|b| *b == b'=').is_some_and(|at| at > 0 && at + 1 < bytes.len())
        };
        match texts.last_mut() {
            Some(last) if !(whole(last) && whole(word)) => last.push(word),
            _ => texts.push(word.clone()),
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{self, words};

    fn read(line: &[&str]) -> (Vec<(String, String)>, usize) {
        let args: Vec<OsString> = line.iter().map(OsString::from).collect();
        let mut faults = Vec::new();
        let params = of(&args::parse(&args, &[words("--param")]), &mut faults);
        (params, faults.len())
    }

    #[test]
    fn every_way_of_writing_one() {
        type Row = (&'static [&'static str], &'static [(&'static str, &'static str)], usize);
        let rows: &[Row] = &[
            (&["--param", "a=1"], &[("a", "1")], 0),
            (&["--param=a=1=2"], &[("a", "1=2")], 0),
            (&["--param", "a", "=", "1"], &[("a", "1")], 0),
            (&["--param", "a=", "1"], &[("a", "1")], 0),
            (&["--param", "a", "=1"], &[("a", "1")], 0),
            (&["--param", "a = 1"], &[("a", "1")], 0),
            (&["--param", "a=1", "b=2"], &[("a", "1"), ("b", "2")], 0),
            (&["--param", "a=1", "--param", "a=2"], &[("a", "2")], 0),
            (&["--param", "k=1", "--dates=x to y"], &[("k", "1"), ("--dates", "x to y")], 0),
            (&["--param", "a="], &[("a", "")], 0),
            (&["--param", "a"], &[], 1),
            (&["--param", "=1"], &[], 1),
        ];
        for (line, expected, faults) in rows {
            let expected = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            assert_eq!(read(line), (expected, *faults), "{line:?}");
        }
    }
}
