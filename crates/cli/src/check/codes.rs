//! The codes that `--allow` and `--deny` take: those that a check can show, and of them for `--allow` none that is
//! always an error. Spec cli.md 3.

use pipeline::Severity;
use pipeline::report::visible;

/// Codes of codelists that are not errors everywhere.
const MILD: [&str; 3] = ["C201", "C301", "C302"];
/// A version of each row of the language's table.
const VERSIONS: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];

/// Why a code cannot be hidden.
pub(super) fn hidden(code: &str) -> Option<String> {
    if let Some(unknown) = unknown(&[code.to_owned()]) {
        return Some(unknown);
    }
    always_an_error(&code.to_ascii_uppercase())
        .then(|| format!("--allow {}: this is an error, and an error cannot be hidden", visible(code)))
}

/// The first code that no check shows.
pub(super) fn unknown(codes: &[String]) -> Option<String> {
    let known =
        || pipeline::explain::codes().chain(codelists::CODES).chain(study::fault::rules().iter().map(|r| r.code));
    let code = codes.iter().find(|code| !known().any(|known| known.eq_ignore_ascii_case(code)))?;
    let near = pipeline::nearest(code, known());
    let hint = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Some(format!("`{}` is no code of a check{hint}", visible(code)))
}

fn always_an_error(code: &str) -> bool {
    if codelists::CODES.contains(&code) {
        return !MILD.contains(&code);
    }
    if study::fault::rule(code).is_some() {
        return !code.starts_with("SD9");
    }
    let rule = pipeline::rules().iter().find(|rule| rule.code.0 == code);
    // A code without a row is an error wherever it is shown.
    rule.is_none_or(|rule| {
        VERSIONS.iter().filter_map(|version| rule.severity(*version)).all(|severity| severity == Severity::Error)
    })
}
