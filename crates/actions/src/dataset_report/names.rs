//! What pages are called: the name of the file up to its first dot, and more of it where two files would share a page.
//! Nothing is opened here (actions.md 5.1, 5.4).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use crate::fault::{Fault, FaultCode};
use crate::files::{Compat, Format, data_fault};

/// The names of pages, in the order of the files.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) names: Vec<OsString>,
    pub(super) warnings: Vec<String>,
}

/// Names the page of each file. Of files with one stem the last keeps the short name.
///
/// # Errors
/// Files of one name in several folders, of which more than the last would share a page.
pub(super) fn of(inputs: &[(&Path, Format)], compat: Compat) -> Result<Named, Fault> {
    let mut by_stem: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (at, (path, _)) in inputs.iter().enumerate() {
        by_stem.entry(stem(path)).or_default().push(at);
    }
    let mut names: Vec<OsString> = inputs.iter().map(|(path, _)| html(&[stem(path)])).collect();
    let mut warnings = Vec::new();
    for (stem, files) in by_stem.into_iter().filter(|(_, files)| files.len() > 1) {
        let shown = |at: usize| inputs.get(at).map_or_else(String::new, |(path, _)| path.display().to_string());
        let all = files.iter().map(|at| shown(*at)).collect::<Vec<_>>().join(", ");
        if compat.is_original() {
            warnings.push(format!("{all} share one page; the last one stays, as in the original program"));
            continue;
        }
        let others = files.split_last().map_or(&[] as &[usize], |(_, others)| others);
        let by_format: Vec<OsString> = others
            .iter()
            .filter_map(|at| inputs.get(*at))
            .map(|(path, format)| html(&[stem, b".", ending(path, *format).as_bytes()]))
            .collect();
        let whole: Vec<OsString> =
            others.iter().filter_map(|at| inputs.get(*at)).map(|(path, _)| html(&[file_name(path)])).collect();
        let Some(longer) = [by_format, whole].into_iter().find(|names| all_differ(names)) else {
            let message = format!("the pages of {all} would have one name");
            return Err(data_fault(FaultCode::OutputCollision, message)
                .help("use a pattern for each folder, in actions with different --output-dir"));
        };
        for (at, name) in others.iter().zip(longer) {
            if let Some(place) = names.get_mut(*at) {
                *place = name;
            }
        }
        let made = files.iter().filter_map(|at| Some(format!("{} → {}", shown(*at), names.get(*at)?.display())));
        warnings.push(format!("several files have one stem: {}", made.collect::<Vec<_>>().join(", ")));
    }
    Ok(Named { names, warnings })
}

fn file_name(path: &Path) -> &[u8] {
    path.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default()
}

/// The name up to its first dot.
fn stem(path: &Path) -> &[u8] {
    file_name(path).split(|byte| *byte == b'.').next().unwrap_or_default()
}

fn ending(path: &Path, format: Format) -> &'static str {
    if file_name(path).ends_with(b".arrow") { "arrow" } else { format.extension() }
}

fn html(parts: &[&[u8]]) -> OsString {
    OsString::from_vec([parts.concat().as_slice(), b".html"].concat())
}

fn all_differ(names: &[OsString]) -> bool {
    let mut sorted: Vec<&OsString> = names.iter().collect();
    sorted.sort();
    sorted.windows(2).all(|two| two.first() != two.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::format_of;

    fn named(paths: &[&str], compat: Compat) -> Result<(Vec<String>, usize), FaultCode> {
        let inputs: Vec<(&Path, Format)> =
            paths.iter().map(|path| (Path::new(*path), format_of(Path::new(path)).unwrap())).collect();
        let named = of(&inputs, compat).map_err(|fault| fault.code)?;
        Ok((named.names.iter().map(|name| name.to_str().unwrap().to_owned()).collect(), named.warnings.len()))
    }

    #[test]
    fn pages_are_named_after_stems() {
        let rows: &[(&[&str], &[&str], usize)] = &[
            (&["o/input.csv"], &["input.html"], 0),
            (&["o/input.v2.csv.gz"], &["input.html"], 0),
            (
                &["o/input_2020-01-01.feather", "o/input_2020-02-01.feather"],
                &["input_2020-01-01.html", "input_2020-02-01.html"],
                0,
            ),
            (&["o/input.csv", "o/input.feather"], &["input.csv.html", "input.html"], 1),
            (
                &["o/input.arrow", "o/input.csv.gz", "o/input.dta"],
                &["input.arrow.html", "input.csv.gz.html", "input.html"],
                1,
            ),
            (&["o/input.v1.csv", "o/input.v2.csv"], &["input.csv.html", "input.html"], 1),
            (
                &["o/input.v1.csv", "o/input.v2.csv", "o/input.v3.csv"],
                &["input.v1.csv.html", "input.v2.csv.html", "input.html"],
                1,
            ),
            (&["a/input.csv", "b/input.csv"], &["input.csv.html", "input.html"], 1),
            (&["a b.csv"], &["a b.html"], 0),
        ];
        for (paths, expected, warnings) in rows {
            let expected = expected.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(named(paths, Compat::Safe), Ok((expected, *warnings)), "{paths:?}");
        }
        assert_eq!(named(&["a/i.csv", "b/i.csv", "c/i.csv"], Compat::Safe), Err(FaultCode::OutputCollision));
        let both = ["input.html".to_owned(), "input.html".to_owned()].to_vec();
        assert_eq!(named(&["input.csv", "input.feather"], Compat::Original), Ok((both, 1)));
    }
}
