//! `run`: the command's words; the `name:tag` it begins with is judged in `first_word`.
//! Spec project-yaml.md 5. Every verdict looks at words, never at the raw text.

use super::{Ctx, Draft, RunDraft, action, first_word, place_of};
use crate::fault::{Fault, quoted};
use crate::source::Range;
use crate::tokens::{self, Token, Unbalanced};
use crate::yaml::View;
use crate::yaml::align::{Alignment, align};
use crate::yaml::node::Style;

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
            first_word::judge(ctx, draft, &first.text, places[0], text.get(first.range.1..).unwrap_or_default());
            for (token, &place) in list.iter().zip(&places) {
                word(ctx, draft, token, place, text, &aligned);
            }
            let words = list.into_iter().map(|t| t.text).collect();
            Some(RunDraft { text, place: value.use_range(), places, words })
        }
        Err((fault, before)) => {
            unbalanced(ctx, draft, &fault, text, &aligned, style);
            if let Some(first) = before.first() {
                let rest = text.get(first.range.1..).unwrap_or_default();
                first_word::judge(ctx, draft, &first.text, aligned.range(first.range.0, first.range.1), rest);
            }
            None
        }
    }
}

pub(super) fn push(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, fault: Fault) {
    ctx.faults.push(fault.action(&draft.name).at(draft.at(&["run"])));
}

/// P302.
fn unbalanced(
    ctx: &mut Ctx<'_, '_>,
    draft: &Draft<'_>,
    fault: &Unbalanced,
    text: &str,
    aligned: &Alignment,
    style: Style,
) {
    let end = text.trim_end_matches([' ', '\t', '\n', '\r']).len();
    let mark = aligned.range(fault.at, fault.at + 1);
    if fault.mark == '\\' {
        let place = aligned.range(fault.word, end.max(fault.at + 1));
        let fault = Fault::new("P302", place, "the command ends with a back slash")
            .label("nothing follows it")
            .help("remove it: a long command needs no continuation marks");
        return push(ctx, draft, fault);
    }
    let which = if fault.mark == '"' { "double" } else { "single" };
    let place = aligned.range(fault.word, end.max(fault.at + 1));
    let opened = Fault::new("P302", place, format!("a {which} quote is opened in the command and never closed"))
        .label("this word never ends");
    let opened = match apostrophe(fault, text) {
        Some(word) => {
            let mended = format!("\"{word}\"");
            let place = aligned.range(fault.word, fault.word + word.len());
            let opened = opened.help(format!("if it is an apostrophe, put the word in double quotes: `{mended}`"));
            // Inside a quoted value of YAML the double quotes would need marks of their own.
            match style {
                Style::Plain | Style::Block => opened.maybe("put the word in double quotes", vec![(place, mended)]),
                Style::Single | Style::Double => opened,
            }
        }
        None => opened.help(format!("close the quote, or write \\{0} for the character {0} itself", fault.mark)),
    };
    push(ctx, draft, opened.see(mark, "opened here"));
}

/// The word with a single quote in the middle of it, as in `Crohn's` or `patients'`.
fn apostrophe<'t>(fault: &Unbalanced, text: &'t str) -> Option<&'t str> {
    let before = text.get(fault.word..fault.at)?;
    let word = text.get(fault.word..)?.split([' ', '\t', '\n', '\r']).next()?;
    let plain = !word.contains(['"', '\\']) && word.matches('\'').count() == 1;
    (fault.mark == '\'' && plain && before.ends_with(char::is_alphanumeric)).then_some(word)
}

/// What somebody wants who writes a sign of the shell, and how to have it without one.
fn shell_sign(sign: &str) -> (&'static str, &'static str) {
    match sign {
        ">" | ">>" => {
            ("write to a file", "let the script write the file itself; whatever a command prints is kept in its log")
        }
        "<" => ("read from a file", "let the script open the file itself, and pass its path as an argument"),
        "2>&1" => ("join two streams", "remove it: the log of an action holds all that it prints, errors too"),
        "&" => ("start a command in the background", "remove it: actions that do not need each other run side by side"),
        "|" => (
            "hand the output to another command",
            "do both steps in one script, or make two actions of them with a file in between",
        ),
        _ => ("start another command", "make one action of each command, or call them all from one script"),
    }
}

/// P310 to P312: words that people expect a shell to understand.
fn word(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, token: &Token, place: Range, text: &str, aligned: &Alignment) {
    match token.text.as_str() {
        sign @ ("&&" | "||" | "|" | ";" | ">" | ">>" | "<" | "2>&1" | "&") => {
            let (wish, help) = shell_sign(sign);
            push(
                ctx,
                draft,
                Fault::new(
                    "P310",
                    place,
                    format!("{} does not {wish}: it is passed on as an ordinary word", quoted(sign)),
                )
                .label("there is no shell here")
                .help(help),
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
