//! `run`: the command's words and the `name:tag` it begins with.
//! Spec project-yaml.md 5. Every verdict looks at words, never at the raw text.

use super::{Ctx, Draft, RunDraft, action, place_of};
use crate::fault::{Fault, quoted};
use crate::source::Range;
use crate::tokens::{self, Token, Unbalanced};
use crate::yaml::View;
use crate::yaml::align::{Alignment, align};

/// Bytes of a command.
const LONGEST: usize = 64 * 1024;

/// Reads a command; `None` when it has no words that could run.
pub(crate) fn read<'d>(
    ctx: &mut Ctx<'d, '_>,
    draft: &Draft<'_>,
    key: View<'d, '_>,
    value: View<'d, '_>,
) -> Option<RunDraft<'d>> {
    let place = place_of(key, value);
    let Some(text) = value.text() else {
        action::wrong_type(ctx, draft, "run", place, value.value(), "text");
        return None;
    };
    let (_, style) = value.scalar()?;
    if text.len() > LONGEST {
        push(
            ctx,
            draft,
            Fault::new("P314", place, format!("the command is {} bytes long", text.len()))
                .label("longer than 64 KiB")
                .help("put the arguments into a file or into `config:`"),
        );
        return None;
    }
    let aligned = align(ctx.source.text(), value.range(), style, text);
    match tokens::split(text) {
        Ok(list) => {
            let Some(first) = list.first() else {
                push(
                    ctx,
                    draft,
                    Fault::new("P301", place, "the command is empty")
                        .label("expected a command")
                        .help("write for example `run: python:v2 analysis/script.py`"),
                );
                return None;
            };
            let places: Vec<Range> = list.iter().map(|t| aligned.range(t.range.0, t.range.1)).collect();
            runtime(ctx, draft, &first.text, places[0]);
            for (token, &place) in list.iter().zip(&places) {
                word(ctx, draft, token, place, text, &aligned);
            }
            let words = list.iter().map(|t| t.text.clone()).collect();
            Some(RunDraft { text, place: value.use_range(), places, words })
        }
        Err((fault, before)) => {
            unbalanced(ctx, draft, &fault, text, &aligned);
            if let Some(first) = before.first() {
                runtime(ctx, draft, &first.text, aligned.range(first.range.0, first.range.1));
            }
            None
        }
    }
}

fn push(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, fault: Fault) {
    ctx.faults.push(fault.action(&draft.name).at(draft.at(&["run"])));
}

/// P302.
fn unbalanced(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, fault: &Unbalanced, text: &str, aligned: &Alignment) {
    let end = text.trim_end_matches([' ', '\t', '\n', '\r']).len();
    let mark = aligned.range(fault.at, fault.at + 1);
    let place = aligned.range(fault.word, end.max(fault.at + 1));
    let fault = if fault.mark == '\\' {
        Fault::new("P302", place, "the command ends with a back slash")
            .label("nothing follows it")
            .help("remove it: a long command needs no continuation marks")
    } else {
        Fault::new(
            "P302",
            place,
            format!(
                "a {} quote is opened in the command and never closed",
                if fault.mark == '"' { "double" } else { "single" }
            ),
        )
        .label("this word never ends")
        .help(format!("close the quote, or write \\{0} for the character {0} itself", fault.mark))
        .see(mark, "opened here")
    };
    push(ctx, draft, fault);
}

/// P303 to P306, P309, P313: the first word.
fn runtime(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, word: &str, place: Range) {
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
        Some((_, "")) | None => {
            let name = word.trim_end_matches(':');
            push(
                ctx,
                draft,
                Fault::new("P303", place, format!("{} does not say which version runs", quoted(word)))
                    .label("expected `name:tag`")
                    .help(if known_program(name) {
                        "a command begins with what runs it and its version, for example `python:v2 analysis/script.py`"
                            .to_owned()
                    } else {
                        format!(
                            "write a tag after the name, for example `{}:v2`",
                            if name.is_empty() { "python" } else { name }
                        )
                    }),
            );
            return;
        }
        Some((_, tag)) => {
            push(
                ctx,
                draft,
                Fault::new("P303", place, format!("{} does not say what runs", quoted(word)))
                    .label("expected `name:tag`")
                    .help(format!("write a name before the `:`, for example `python:{tag}`")),
            );
            return;
        }
    };
    match tag {
        "latest" => {
            push(
                ctx,
                draft,
                Fault::new("P305", place, format!("{} uses the tag `latest`, which version 5 refuses", quoted(word)))
                    .label("name a version")
                    .help(format!("write `{name}:v1`, which is what `latest` stands for, or a newer version"))
                    .maybe(format!("write `{name}:v1`"), vec![(place, format!("{name}:v1"))]),
            );
            push(
                ctx,
                draft,
                Fault::new("P306", place, format!("{}: `latest` stands for `v1` of a platform runtime", quoted(word)))
                    .label("never moves to a newer version")
                    .help("write the version you mean; a built-in action takes its newest known version"),
            );
        }
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
                .help(match tag.strip_prefix(['v', 'V']).unwrap_or(tag).trim_matches('.') {
                    digits if digits.starts_with(|c: char| c.is_ascii_digit()) && is_version(&format!("v{digits}")) => {
                        format!("write `{name}:v{digits}`")
                    }
                    _ => format!("a tag is `v` and a number: `{name}:v2`, `{name}:v0.0.24`"),
                }),
        ),
    }
}

/// Programs that people type first when they think of a shell.
fn known_program(name: &str) -> bool {
    matches!(name, "python" | "python3" | "Rscript" | "R" | "r" | "jupyter" | "bash" | "sh" | "stata" | "")
        || name.contains(['/', '.'])
}

/// `v`, digits and dots, `-pre` if wanted.
fn is_version(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix('v') else { return false };
    let rest = rest.strip_suffix("-pre").unwrap_or(rest);
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// P310 to P312: words that people expect a shell to understand.
fn word(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, token: &Token, place: Range, text: &str, aligned: &Alignment) {
    match token.text.as_str() {
        "&&" | "||" | "|" | ";" | ">" | ">>" | "<" | "2>&1" | "&" => {
            push(
                ctx,
                draft,
                Fault::new("P310", place, format!("{} is passed on as an ordinary word", quoted(&token.text)))
                    .label("there is no shell here")
                    .help("make one action of each command, or put them into a script"),
            );
        }
        other if other.starts_with(['“', '”', '‘', '’']) => {
            push(
                ctx,
                draft,
                Fault::new(
                    "P310",
                    place,
                    format!("{} begins with a typographic quote, which quotes nothing", quoted(other)),
                )
                .label("an ordinary character here, as there is no shell")
                .help("use straight quotes, \" or '"),
            );
        }
        other if other.starts_with('#') => {
            push(
                ctx,
                draft,
                Fault::new("P312", place, format!("{} does not begin a comment", quoted(other)))
                    .label("passed on as an ordinary word")
                    .help("move the comment to a line of its own outside the command"),
            );
        }
        _ => {}
    }
    let source = ctx.source.text();
    for &at in &token.escaped_blanks {
        // Folding may have made a blank of the line break: what counts is what stands in the file.
        let (start, end) = aligned.range(at, at + 1);
        let breaks =
            source.get(end..).is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']));
        if breaks || matches!(text.as_bytes().get(at + 1), Some(b'\n' | b'\r')) {
            push(
                ctx,
                draft,
                Fault::new("P311", place, "a back slash at the end of a line does not continue the command")
                    .label("it puts the line break into this word")
                    .help("remove the back slash: lines of one command are joined without it")
                    .see((start, end), "this back slash")
                    .maybe("remove the back slash", vec![((start, end), String::new())]),
            );
        }
    }
}
