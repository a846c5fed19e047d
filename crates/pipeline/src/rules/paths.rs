//! One output path: what it may look like (spec project-yaml.md 6.2).
//! The structural rules are the same that collection enforces again, so they live with `Pattern`.

use super::{Ctx, Draft, names};
use crate::PrivacyLevel;
use crate::fault::{Fault, quoted};
use crate::pattern::{PatternFault, faults, is_plain};
use crate::source::Range;

/// The types that may be seen outside the high store.
const TYPES: [&str; 11] = [".csv", ".jpg", ".jpeg", ".png", ".svg", ".svgz", ".html", ".txt", ".log", ".json", ".md"];

/// Judges a path; true when it can be compared with others.
pub(crate) fn judge(
    ctx: &mut Ctx<'_, '_>,
    draft: &Draft<'_>,
    (level, name): (PrivacyLevel, &str),
    path: &str,
    place: Range,
) -> bool {
    let at = &["outputs", level.as_str(), name];
    let plain = is_plain(path);
    let found = if plain { Vec::new() } else { faults(path) };
    for fault in &found {
        let (code, message, label, help) = structural(*fault, path);
        push(ctx, draft, at, Fault::new(code, place, message).label(label).help(help));
    }
    let last = path.bytes().rposition(|b| b == b'/').map_or(path, |slash| &path[slash + 1..]);
    match extension(last) {
        _ if matches!(last, "" | "." | "..") => {}
        None => push(ctx, draft, at, no_extension(ctx, path, place)),
        Some(extension) if level == PrivacyLevel::ModeratelySensitive && !TYPES.contains(&extension) => {
            push(ctx, draft, at, wrong_type(ctx, path, extension, place));
        }
        Some(_) => {}
    }
    if !(plain && !has_device(path) || found.contains(&PatternFault::Absolute)) {
        doubtful(ctx, draft, path, place, at);
    }
    found.is_empty()
}

fn push(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, at: &[&str], fault: Fault) {
    ctx.faults.push(fault.action(&draft.name).at(draft.at(at)));
}

/// P510, P511, P514 to P518.
fn structural(fault: PatternFault, path: &str) -> (&'static str, String, &'static str, &'static str) {
    let path = quoted(path);
    match fault {
        PatternFault::BackSlash => {
            ("P510", format!("the path {path} has a back slash"), "a back slash", "separate folders by `/`")
        }
        PatternFault::Wildcard => (
            "P511",
            format!("the path {path} has a wildcard that is not allowed"),
            "only a single `*` may be used",
            "`*` matches any run of characters within one folder; `**`, `?` and `[` mean nothing",
        ),
        PatternFault::NotNormal => (
            "P514",
            format!("the path {path} is not in its plain form"),
            "an empty part, a `.` part or a `/` at the end",
            "write the path from the study's folder, such as `output/file.csv`; name files, not folders",
        ),
        PatternFault::GoesUp => (
            "P515",
            format!("the path {path} leaves the study's folder"),
            "`..` is not allowed anywhere",
            "write the path from the study's folder, such as `output/file.csv`",
        ),
        PatternFault::Metadata => (
            "P516",
            format!("the path {path} lies in `metadata`"),
            "kept for logs",
            "write to another folder, such as `output/`",
        ),
        PatternFault::Git => (
            "P516",
            format!("the path {path} lies in `.git`"),
            "belongs to the repository",
            "write to another folder, such as `output/`",
        ),
        PatternFault::Absolute => (
            "P517",
            format!("the path {path} is not relative"),
            "begins at the root of a machine",
            "write the path from the study's folder, such as `output/file.csv`",
        ),
        PatternFault::Control => {
            ("P518", format!("the path {path} holds a control character"), "cannot be seen", "remove it")
        }
        PatternFault::TooLong => (
            "P518",
            format!("the path {path} is too long"),
            "at most 1,024 bytes, and 255 for each part",
            "use a shorter name",
        ),
    }
}

/// The extension of a file name with its dot; `None` when it has none that a file could be judged by.
pub(crate) fn extension(name: &str) -> Option<&str> {
    let dot = name.rfind('.').filter(|&dot| dot > 0)?;
    let extension = &name[dot..];
    (extension.len() > 1 && !extension.ends_with('*')).then_some(extension)
}

fn no_extension(ctx: &Ctx<'_, '_>, path: &str, place: Range) -> Fault {
    let fault = Fault::new("P512", place, format!("the path {} does not end in a file extension", quoted(path)))
        .label("expected an extension such as `.csv`");
    if ctx.faults.version < 4.0 {
        fault.help("each file that is really written is judged by its own extension: one without a known type is kept out of the medium store and cannot be released; from version 4 on this is an error")
    } else {
        fault.help("end the pattern in an extension, such as `output/fit_*.csv`, with one output for each type")
    }
}

fn wrong_type(ctx: &Ctx<'_, '_>, path: &str, extension: &str, place: Range) -> Fault {
    let fault = Fault::new(
        "P513",
        place,
        format!("{} files cannot be moderately_sensitive: {}", quoted(extension), quoted(path)),
    )
    .label("this type cannot be reviewed");
    let types = TYPES.join(" ");
    if ctx.faults.version < 4.0 {
        fault.help(format!("such a file is kept out of the medium store and cannot be released; types that can: {types}; from version 4 on this is an error"))
    } else {
        fault.help(format!("move it to `highly_sensitive`, or write one of {types}"))
    }
}

/// Whether a part of the path is the name of a device.
fn has_device(path: &str) -> bool {
    path.as_bytes().split(|&b| b == b'/').any(names::is_device)
}

/// P519: all reasons in one warning.
fn doubtful(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, path: &str, place: Range, at: &[&str]) {
    let mut reasons: Vec<String> = Vec::new();
    if path.starts_with([' ', '\t']) || path.ends_with([' ', '\t']) {
        reasons.push("begins or ends with a blank".to_owned());
    }
    if path.starts_with('~') {
        reasons.push("begins with `~`, which is not replaced by a home folder".to_owned());
    }
    let odd: Vec<char> = ['$', '{', '}', ':', '<', '>', '"', '|'].into_iter().filter(|c| path.contains(*c)).collect();
    if !odd.is_empty() {
        let list: Vec<String> = odd.iter().map(|c| format!("`{c}`")).collect();
        reasons.push(format!("contains {}, taken literally", list.join(" ")));
    }
    let first = path.split('/').next().unwrap_or_default();
    if first.starts_with('.')
        && path.contains('/')
        && !matches!(first, "." | "..")
        && !first.eq_ignore_ascii_case(".git")
    {
        reasons.push("lies in a hidden folder".to_owned());
    }
    if has_device(path) {
        reasons.push("uses the name of a device on Windows".to_owned());
    }
    if reasons.is_empty() {
        return;
    }
    let fault = Fault::new("P519", place, format!("the path {} {}", quoted(path), reasons.join("; ")))
        .label("legal, but suspicious")
        .help("use letters, digits, `_`, `-`, `.`, `/` and `*`");
    push(ctx, draft, at, fault);
}

#[cfg(test)]
mod tests {
    use super::extension;

    #[test]
    fn extensions() {
        for (name, expected) in [
            ("a.csv", Some(".csv")),
            ("t.csv.gz", Some(".gz")),
            ("fit.*", None),
            ("fit.d*", None),
            (".cache", None),
            ("notes.", None),
            ("*", None),
            ("*.csv", Some(".csv")),
            ("fit.*x", Some(".*x")),
            ("a", None),
            (".a.csv", Some(".csv")),
        ] {
            assert_eq!(extension(name), expected, "{name}");
        }
    }
}
