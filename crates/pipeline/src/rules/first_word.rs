//! The first word of a command: which runtime or reusable action runs, and which version of it.
//! Spec project-yaml.md 5.2 (P303 to P306, P309, P313). Pure: whether a tag exists is judged by `resolve`.

use super::run::push;
use super::{Ctx, Draft};
use crate::fault::{Fault, one_of, quoted};
use crate::source::Range;

/// Runtimes whose tags have been the same for years (spec project-yaml.md 9), for advice only.
const KNOWN_TAGS: [(&str, &[&str]); 8] = [
    ("python", &["v2", "v1"]),
    ("r", &["v2", "v1"]),
    ("jupyter", &["v1"]),
    ("stata-mp", &["v1"]),
    ("cohortextractor", &["v1"]),
    ("sqlrunner", &["v1"]),
    ("ehrql", &["v1"]),
    ("databuilder", &["v1"]),
];

fn known_tags(name: &str) -> Option<&'static [&'static str]> {
    KNOWN_TAGS.iter().find(|(known, _)| *known == name).map(|(_, tags)| *tags)
}

/// Judges the first word; `rest` is what follows it in the command.
pub(super) fn judge(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, word: &str, place: Range, rest: &str) {
    if word.starts_with("cohortextractor") {
        push(
            ctx,
            draft,
            Fault::new("P309", place, "`cohortextractor` cannot be used from version 4 on")
                .label("refused at this version")
                .help("use version 3 for a study with cohortextractor"),
        );
    }
    let (name, tag) = match word.split_once(':') {
        Some((name, tag)) if !name.is_empty() && !tag.is_empty() => (name, tag),
        Some(("", tag)) if !tag.is_empty() => {
            let fault = Fault::new("P303", place, format!("{} does not say what runs", quoted(word)))
                .label("expected `name:tag`")
                .help(format!("write a name before the `:`, for example `python:{tag}`"));
            return push(ctx, draft, fault);
        }
        _ => return without_tag(ctx, draft, word.trim_end_matches(':'), word, place, rest),
    };
    match tag {
        "latest" => latest(ctx, draft, word, name, place),
        "dev" => push(
            ctx,
            draft,
            Fault::new("P313", place, format!("{} is for local tests only", quoted(word)))
                .label("a backend refuses `dev`")
                .help("name a published version before you ask for a run"),
        ),
        _ if is_version(tag) => {}
        _ => push(
            ctx,
            draft,
            Fault::new("P304", place, format!("the tag of {} is not a version", quoted(word)))
                .label("expected a tag such as `v2`")
                .help(better_tag(name, tag)),
        ),
    }
}

/// P304's advice: only tags that exist, where the name is one whose tags are known.
fn better_tag(name: &str, tag: &str) -> String {
    let digits = tag.strip_prefix(['v', 'V']).unwrap_or(tag).trim_matches('.');
    let written = format!("v{digits}");
    let usable = digits.starts_with(|c: char| c.is_ascii_digit()) && is_version(&written);
    match known_tags(name) {
        Some(tags) if tags.contains(&written.as_str()) => format!("write `{name}:{written}`"),
        Some(tags) => {
            let all: Vec<String> = tags.iter().map(|t| format!("{name}:{t}")).collect();
            let mut help = format!("write {}", one_of(all.iter().map(String::as_str)));
            if usable {
                help += "; a tag counts the generations of the runtime, not the versions of the language";
            }
            help
        }
        None if usable => format!("write `{name}:{written}`, if that is the version you mean"),
        None => format!("a tag is `v` and a number, such as `{name}:v2` or `{name}:v0.0.24`"),
    }
}

/// P303 for a word without a tag, with the command as it should be.
fn without_tag(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, name: &str, word: &str, place: Range, rest: &str) {
    let fault = Fault::new("P303", place, format!("{} does not say which version runs", quoted(word)))
        .label("expected `name:tag`");
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = |begin: &str| quoted(format!("{begin} {rest}").trim_end());
    let fault = match runs_as(name, &rest) {
        Some(begin) => fault
            .help(format!("a command begins with what runs it and its version: write {}", shown(&begin)))
            .maybe(format!("write {}", quoted(&begin)), vec![(place, begin)]),
        None if name.is_empty() || shell(name) => fault.help(
            "a command begins with what runs it and its version, for example `python:v2 python analysis/script.py`",
        ),
        None => fault.help(format!("write a tag after the name, for example {}", shown(&format!("{name}:v2")))),
    };
    push(ctx, draft, fault);
}

/// What should stand in place of a first word that is a program, a script, or a runtime without its tag.
fn runs_as(name: &str, rest: &str) -> Option<String> {
    let program = name.rsplit('/').next().unwrap_or(name);
    match program {
        "python" | "python3" => return Some("python:v2 python".to_owned()),
        "Rscript" | "R" => return Some("r:v2".to_owned()),
        "jupyter" => return Some("jupyter:v1 jupyter".to_owned()),
        "stata" | "stata-mp" => return Some("stata-mp:v1".to_owned()),
        _ => {}
    }
    if let Some(tags) = known_tags(name) {
        return Some(format!("{name}:{}", tags[0]));
    }
    match program.rsplit_once('.').map(|(_, extension)| extension) {
        Some("py") => Some(format!("python:v2 python {name}")),
        Some("R") => Some(format!("r:v2 {name}")),
        Some("do") => Some(format!("stata-mp:v1 {name}")),
        Some("sql") if !rest.is_empty() => Some(format!("sqlrunner:v1 {name}")),
        _ => None,
    }
}

/// Words that begin a command only where there is a shell.
fn shell(name: &str) -> bool {
    matches!(name, "bash" | "sh" | "cd" | "make") || name.contains(['/', '.'])
}

/// P305 now, and P306 once for the whole file.
fn latest(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, word: &str, name: &str, place: Range) {
    let fault = Fault::new("P305", place, format!("{} uses the tag `latest`, which version 5 refuses", quoted(word)))
        .label("name a version");
    let fault = match known_tags(name) {
        Some(tags) => fault
            .help(match tags {
                [newest, _, ..] => {
                    format!("write `{name}:v1`, which is what `latest` stands for, or the newer `{name}:{newest}`")
                }
                _ => format!("write `{name}:v1`, which is what `latest` stands for"),
            })
            .maybe(format!("write `{name}:v1`"), vec![(place, format!("{name}:v1"))]),
        None => fault.help(format!("write the version you mean, as in `{name}:v0.0.24`")),
    };
    push(ctx, draft, fault);
    ctx.latest.push((place, draft.name.clone()));
}

/// P306: one note for the file, at the first command with `latest`.
pub(super) fn note_latest(ctx: &mut Ctx<'_, '_>) {
    let uses = std::mem::take(&mut ctx.latest);
    let Some((first, action)) = uses.first() else { return };
    let text = ctx.source.text();
    let word = quoted(text.get(first.0..first.1).unwrap_or_default());
    let message = match uses.len() {
        1 => format!("{word}: `latest` stands for `v1` of a platform runtime"),
        n => format!("{n} commands use the tag `latest`, which stands for `v1` of a platform runtime"),
    };
    let lines: Vec<String> =
        uses.iter().skip(1).map(|(place, _)| ctx.source.position(place.0).line.to_string()).collect();
    let also = match lines.as_slice() {
        [] => String::new(),
        [one] => format!("the same on line {one}: "),
        [many @ .., last] if many.len() < 20 => format!("the same on lines {} and {last}: ", many.join(", ")),
        many => format!("the same on {} more lines: ", many.len()),
    };
    let fault = Fault::new("P306", *first, message)
        .label("never moves to a newer version")
        .help(format!("{also}write the version you mean; a built-in action takes its newest known version"))
        .action(action)
        .at(super::path(action, &["run"]));
    ctx.faults.push(fault);
}

/// `v`, digits and dots, `-pre` if wanted.
fn is_version(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix('v') else { return false };
    let rest = rest.strip_suffix("-pre").unwrap_or(rest);
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}
