//! `expectations`: how many dummy patients a version 3 study asks for.
//! Spec project-yaml.md 3 (P120 to P126); other versions ignore or refuse the key.

use super::top::{Found, uses_cohortextractor};
use super::{Ctx, place_of};
use crate::fault::{Fault, did_you_mean, key, quoted};
use crate::source::Range;
use crate::suggest::nearest;
use crate::yaml::scalar::decimal;
use crate::yaml::{Value, View};
use crate::{Population, Version};

/// P120 to P126: how many dummy patients.
pub(super) fn read(ctx: &mut Ctx<'_, '_>, found: Found<'_, '_>, version: &Version, first: Range) -> Population {
    let ignored = Population(1000);
    if version.number != 3.0 {
        let Some((name, value)) = found else { return ignored };
        let at = [key("expectations")];
        if version.number >= 4.0 {
            if value.value() != Value::Null {
                let end = value.range().1;
                let whole = (name.range().0, end);
                let fault = Fault::new("P126", name.range(), "`expectations` is not allowed from version 4 on")
                    .label("has no meaning here")
                    .help("remove it")
                    .at(at)
                    .sure("remove `expectations`", vec![(removal(ctx, whole), String::new())]);
                ctx.faults.push(fault);
            }
        } else {
            let fault = Fault::new("P125", name.range(), "`expectations` is ignored at this version")
                .label("1000 dummy patients are used whatever is written here")
                .help("only version 3 reads it; remove it")
                .at(at);
            ctx.faults.push(fault);
        }
        return ignored;
    }
    let Some((name, value)) = found else {
        if !ctx.damage.has_top_key("expectations") {
            let fault = Fault::new("P120", first, "version 3 needs `expectations`, which is missing")
                .label("expected `expectations:` beside `version:`")
                .help(if uses_cohortextractor(ctx) {
                    "add `expectations:` with `population_size: 1000` below it, indented by two blanks"
                } else {
                    "add `expectations:` with `population_size: 1000` below it, or use a newer version, which needs none"
                });
            ctx.faults.push(fault);
        }
        return ignored;
    };
    let at = [key("expectations")];
    match value.value() {
        Value::Map => population_size(ctx, name, value).unwrap_or(ignored),
        Value::Null => {
            let fault = Fault::new("P120", place_of(name, value), "`expectations` is empty")
                .label("version 3 needs a population size here")
                .help("write `population_size: 1000` below it, indented by two blanks")
                .at(at);
            ctx.faults.push(fault);
            ignored
        }
        other => {
            let fault = Fault::new(
                "P121",
                value.range(),
                format!("`expectations` is {}, not a mapping", other.describe()),
            )
            .label("expected `population_size: 1000`")
            .help("write `population_size: 1000` on a line of its own below `expectations:`, indented by two blanks")
            .at(at);
            ctx.faults.push(fault);
            ignored
        }
    }
}

/// The lines of a block that is to be removed, or just its range in flow style.
fn removal(ctx: &Ctx<'_, '_>, whole: Range) -> Range {
    let (line, last) = (ctx.source.line_of(whole.0), ctx.source.line_of(whole.1));
    let (start, _) = ctx.source.line_range(line);
    let (_, end) = ctx.source.line_range(last);
    let text = ctx.source.text();
    let alone = text[start..whole.0].trim().is_empty()
        && (text[whole.1..end].trim().is_empty() || text[whole.1..end].trim().starts_with('#'));
    if !alone {
        // In flow style the comma goes too.
        let after = text[whole.1..].trim_start();
        let comma = after.starts_with(',').then(|| text.len() - after.len() + 1);
        return (whole.0, comma.unwrap_or(whole.1));
    }
    (start, ctx.source.line_range(last + 1).0.max(end))
}

fn population_size(ctx: &mut Ctx<'_, '_>, expectations: View<'_, '_>, value: View<'_, '_>) -> Option<Population> {
    let mut size = None;
    let mut misspelt = false;
    for entry in value.entries() {
        let text = entry.key.scalar().map_or("", |(text, _)| text);
        if text == "population_size" {
            size = size.or(Some(entry));
            continue;
        }
        let near = nearest(text, ["population_size"]);
        let mut fault =
            Fault::new("P122", entry.key.range(), format!("unknown key {} in `expectations`", quoted(text)))
                .label("not a key of `expectations`")
                .help(did_you_mean(&near).unwrap_or_else(|| "`expectations` holds only `population_size`".to_owned()))
                .at([key("expectations"), key(text)]);
        if !near.is_empty() && size.is_none() {
            misspelt = true;
            fault = fault
                .sure("rename the key to `population_size`", vec![(entry.key.range(), "population_size".to_owned())]);
        }
        ctx.faults.push(fault);
    }
    let at = [key("expectations"), key("population_size")];
    let Some(entry) = size else {
        if !misspelt {
            let fault = Fault::new("P123", expectations.range(), "`population_size` is missing")
                .label("expected `population_size:` below this")
                .help("write for example `population_size: 1000`")
                .at([key("expectations")]);
            ctx.faults.push(fault);
        }
        return None;
    };
    let place = place_of(entry.key, entry.value);
    let (size, doubtful) = match entry.value.value() {
        Value::Int(text) => (decimal(text).and_then(|d| d.parse().ok()), false),
        Value::Text(text) => (integer_text(text), false),
        Value::Bool(b) => (Some(u64::from(b)), true),
        // A float of 2^64 or more is no sensible number of patients.
        Value::Float(f) if (0.0..1e18).contains(&f) => (Some(f as u64), true),
        _ => (None, false),
    };
    let Some(size) = size else {
        let fault = Fault::new("P123", place, "the population size is not a whole number of patients")
            .label("expected a number such as 1000")
            .help("write a whole number that is not negative")
            .at(at);
        ctx.faults.push(fault);
        return None;
    };
    if doubtful {
        let fault = Fault::new("P124", place, format!("the population size is read as {size}"))
            .label("not a whole number as written")
            .help(format!("write `population_size: {size}`"))
            .at(at);
        ctx.faults.push(fault);
    }
    Some(Population(size))
}

/// Text that is an integer: blanks around it, a sign, `_` between digits.
fn integer_text(text: &str) -> Option<u64> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let fine =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    fine.then(|| digits.replace('_', "").parse().ok()).flatten()
}
