//! `load`: from bytes to a project and everything that is to say about it.
//! Spec project-yaml.md 1, 2, 14: first the bytes, then the YAML, then the rules.

use std::borrow::Cow;

use crate::fault::{Fault, Faults};
use crate::rules;
use crate::source::Source;
use crate::yaml::reader::Unreadable;
use crate::yaml::recover::Damage;
use crate::yaml::{flow, mistakes, reader, recover};
use crate::{Diagnostic, Loaded};

/// 8 MiB.
const LARGEST: usize = 8 * 1024 * 1024;
/// Faults of one kind that are each worth a diagnostic before the first ones are mended.
const MOST_ALIKE: usize = 5;

/// Reads a project.yaml (spec project-yaml.md 2-7). Pure: no files, no clock, no environment.
///
/// `source_name` is what people call the file; it is used in messages about the file as a whole.
/// There is a project exactly when no diagnostic is an error. Never fails: everything is said in the diagnostics.
pub fn load(bytes: &[u8], source_name: &str) -> Loaded {
    if bytes.len() > LARGEST {
        let size = bytes.len() as f64 / f64::from(1024 * 1024);
        return refused(
            Fault::whole("P007", format!("`{source_name}` is too large: {size:.1} MiB"))
                .help("a project file may have at most 8 MiB; is this a data file?"),
        );
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => load_text(text, source_name),
        Err(error) => not_utf8(bytes, error.valid_up_to()),
    }
}

fn refused(fault: Fault) -> Loaded {
    let mut faults = Faults::new(None);
    faults.push(fault);
    nothing(faults.finish())
}

fn nothing(diagnostics: Vec<Diagnostic>) -> Loaded {
    Loaded { project: None, partial: None, diagnostics }
}

fn not_utf8(bytes: &[u8], offset: usize) -> Loaded {
    // The part before the offset is valid by the contract of `from_utf8`.
    let text = std::str::from_utf8(&bytes[..offset]).unwrap_or_default();
    let source = Source::new(text);
    let mut faults = Faults::new(Some(&source));
    let end = source.text().len();
    let help = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "the file is saved as UTF-16; save it as UTF-8",
        _ => "save the file as UTF-8; the byte is probably part of an accented letter in an older encoding",
    };
    let byte = bytes.get(offset).copied().unwrap_or_default();
    faults.push(
        Fault::new("P001", (end, end), format!("the file is not UTF-8 text: byte 0x{byte:02X} at offset {offset}"))
            .label("not UTF-8 from here on")
            .help(help),
    );
    nothing(faults.finish())
}

fn load_text(text: &str, source_name: &str) -> Loaded {
    let source = Source::new(text);
    let mut faults = Faults::new(Some(&source));
    let mut text = Cow::Borrowed(source.text());
    control_characters(&source, &mut text, &mut faults);
    if let Some(fault) = mistakes::lost_indentation(&source) {
        faults.push(fault);
        return nothing(faults.finish());
    }
    let mut damage = Damage::default();
    let mut unreadable = match reader::read(&source, &text) {
        Ok(doc) => return rules::judge(&source, &doc, &damage, faults, source_name),
        Err(unreadable) => Some(unreadable),
    };
    if let Some(Unreadable::Syntax { open, .. }) = &unreadable
        && !open.is_empty()
        && let Some(joined) = flow::joined(&source, &text)
    {
        unreadable = reader::read(&source, &joined).err();
        text = Cow::Owned(joined);
    }
    for _ in 0..MOST_ALIKE {
        let Some(cause) = unreadable.take() else { break };
        if matches!(cause, Unreadable::Empty) && damage.is_any() {
            // What was there is known to be broken: to call the rest empty would be wrong.
            return nothing(faults.finish());
        }
        let explained = mistakes::explain(&source, &text, &cause, source_name);
        faults.push(explained.fault);
        let Some(next) = recover::mend(&source, &text, explained.mend, &mut damage) else {
            return nothing(faults.finish());
        };
        text = Cow::Owned(next);
        unreadable = reader::read(&source, &text).err();
    }
    match reader::read(&source, &text) {
        Ok(doc) => rules::judge(&source, &doc, &damage, faults, source_name),
        Err(_) => nothing(faults.finish()),
    }
}

/// NUL and other control characters (P002): reported, and blanked so that the rest can be read.
fn control_characters(source: &Source<'_>, text: &mut Cow<'_, str>, faults: &mut Faults<'_, '_>) {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r') || !c.is_control();
    let doubtful = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || b == 0x7F || b == 0xC2;
    // No way out within a piece, so that many bytes are compared at a time.
    if !text.as_bytes().chunks(256).any(|piece| piece.iter().fold(false, |found, &b| found | doubtful(b))) {
        return;
    }
    let found: Vec<(usize, char)> = source.text().char_indices().filter(|&(_, c)| !allowed(c)).collect();
    if found.is_empty() {
        return;
    }
    for &(at, c) in found.iter().take(MOST_ALIKE) {
        let name = if c == '\0' {
            "a NUL character".to_owned()
        } else {
            format!("the control character U+{:04X}", u32::from(c))
        };
        faults.push(
            Fault::new("P002", (at, at + c.len_utf8()), format!("the file holds {name}"))
                .label("cannot be seen, and means nothing here")
                .help("remove it; it often comes in by copying from another program")
                .maybe("remove the character", vec![((at, at + c.len_utf8()), String::new())]),
        );
    }
    let blanked: String =
        source.text().chars().map(|c| if allowed(c) { c.to_string() } else { " ".repeat(c.len_utf8()) }).collect();
    *text = Cow::Owned(blanked);
}
