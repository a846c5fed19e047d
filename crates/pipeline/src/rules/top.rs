//! The top level of the file: known keys, version, expectations (spec project-yaml.md 3).
//! Decides which version the gates of all other rules compare with.

use super::{Ctx, place_of};
use crate::fault::{Fault, did_you_mean, key, quoted};
use crate::source::Range;
use crate::suggest::nearest;
use crate::yaml::scalar::decimal;
use crate::yaml::{Value, View};
use crate::{Population, Severity, Version};

/// What the top level says.
pub(crate) struct Top<'d, 'a> {
    pub(crate) version: Version,
    pub(crate) population: Population,
    /// The mapping of actions.
    pub(crate) actions: Option<View<'d, 'a>>,
}

const KEYS: [&str; 3] = ["version", "expectations", "actions"];
const ACTION_KEYS: [&str; 5] = ["run", "needs", "config", "outputs", "dummy_data_file"];

/// Reads the top level; `None` when there is nothing that could be a project (P004).
pub(crate) fn read<'d, 'a>(ctx: &mut Ctx<'d, 'a>, source_name: &str) -> Option<Top<'d, 'a>> {
    yaml_directive(ctx);
    if let Some(second) = ctx.doc.second {
        let fault = Fault::new("P003", second, "a second YAML document begins here")
            .label("everything from here on would be ignored")
            .help("a project file is exactly one document: remove this line, or the part that does not belong");
        ctx.faults.push(fault);
    }
    let root = ctx.doc.root();
    if root.value() != Value::Map {
        not_a_mapping(ctx, root, source_name);
        return None;
    }
    let mut found: [Option<(View<'d, 'a>, View<'d, 'a>)>; 3] = [None; 3];
    let mut unknown = Vec::new();
    for entry in root.entries() {
        let name = entry.key.scalar().map(|(text, _)| text);
        match name.and_then(|n| KEYS.iter().position(|k| *k == n)) {
            Some(slot) => _ = found[slot].get_or_insert((entry.key, entry.value)),
            None => unknown.push((entry.key, entry.value)),
        }
    }
    unknown_keys(ctx, unknown, &mut found);
    let first = root.entries().first().map_or((0, 0), |e| e.key.range());
    let version = version(ctx, found[0], first);
    let population = match &version {
        Some(version) => expectations(ctx, found[1], version, first),
        None => Population(1000),
    };
    let actions = actions(ctx, found[2], first);
    let version = version.unwrap_or_else(|| {
        let text = found[0].and_then(|(_, v)| v.scalar()).map_or("", |(t, _)| t).trim();
        Version { text: text.to_owned(), number: 1.0 }
    });
    Some(Top { version, population, actions })
}

/// `%YAML 1.1` (P006).
fn yaml_directive(ctx: &mut Ctx<'_, '_>) {
    for line in 0..ctx.source.line_count() {
        let text = ctx.source.line(line);
        if let Some(version) = text.strip_prefix("%YAML") {
            if version.split('#').next().is_some_and(|v| v.trim() == "1.1") {
                let fault = Fault::new("P006", ctx.source.line_range(line), "the directive `%YAML 1.1` has no effect")
                    .label("the file is read as YAML 1.2")
                    .help(
                        "remove the line; `yes`, `no`, `on` and `off` are text here, and octal numbers begin with `0o`",
                    );
                ctx.faults.push(fault);
            }
        } else if !text.is_empty() && !text.starts_with(['#', '%']) {
            break;
        }
    }
}

fn not_a_mapping(ctx: &mut Ctx<'_, '_>, root: View<'_, '_>, source_name: &str) {
    let help = "a project file begins with `version:`, followed by `actions:`";
    let mut fault = match root.value() {
        Value::Null if root.range().0 >= root.range().1 => {
            Fault::whole("P004", format!("`{source_name}` is empty, or holds nothing but comments")).help(help)
        }
        value => Fault::new("P004", root.range(), format!("the file is {}, not a mapping of keys", value.describe()))
            .label("expected `version:`, `actions:` and so on")
            .help(help),
    };
    if root.scalar().is_some_and(|(text, _)| text.contains(':')) {
        fault = fault.also("put a blank after every `:`, and each key on a line of its own");
    }
    ctx.faults.push(fault);
}

type Found<'d, 'a> = Option<(View<'d, 'a>, View<'d, 'a>)>;

/// P110, and P901 for `matrix_defaults`. A misspelt known key stands in for that key.
fn unknown_keys<'d, 'a>(
    ctx: &mut Ctx<'d, 'a>,
    unknown: Vec<(View<'d, 'a>, View<'d, 'a>)>,
    found: &mut [Found<'d, 'a>; 3],
) {
    for (name, value) in unknown {
        let text = name.scalar().map_or("", |(text, _)| text);
        if text == "matrix_defaults" {
            let fault = Fault::new("P901", name.range(), "`matrix_defaults` is not understood by this program")
                .label("not supported")
                .help("write each action out; a matrix needs version 5 and a program that expands it")
                .at([key(text)]);
            ctx.faults.push(fault);
            continue;
        }
        let missing: Vec<usize> = (0..3).filter(|&slot| found[slot].is_none()).collect();
        let near = nearest(text, missing.iter().map(|&slot| KEYS[slot]));
        let mut fault = Fault::new("P110", name.range(), format!("unknown key {} at the top level", quoted(text)))
            .label("not a key of a project file")
            .at([key(text)]);
        if let Some(help) = did_you_mean(&near) {
            fault = fault.help(help);
            if let [only] = near.as_slice() {
                fault = fault.sure(format!("rename the key to `{only}`"), vec![(name.range(), only.clone())]);
                if let Some(slot) = KEYS.iter().position(|k| k == only) {
                    found[slot] = Some((name, value));
                }
            }
        } else if ACTION_KEYS.contains(&text) {
            fault = fault.help("this is a key of an action: indent it so that it stands below the name of its action");
        } else if text == "population_size" {
            fault = fault.help("this is a key of `expectations`: indent it by two blanks below `expectations:`");
        } else if text.ends_with("_sensitive") {
            fault = fault.help("this is a level of `outputs`: indent it below the `outputs:` of its action");
        } else if value.entries().iter().any(|e| e.key.scalar().is_some_and(|(t, _)| t == "run" || t == "outputs")) {
            fault = fault.help("this looks like an action: indent it and what follows by two blanks, below `actions:`");
        } else {
            fault = fault.help("the top level holds `version`, `expectations` and `actions`");
        }
        ctx.faults.push(fault);
    }
}

/// P101 to P104 and P111; sets the version that gates compare with.
fn version(ctx: &mut Ctx<'_, '_>, found: Found<'_, '_>, first: Range) -> Option<Version> {
    let Some((name, value)) = found else {
        if !ctx.damage.has_top_key("version") {
            let fault = Fault::new("P101", first, "`version` is missing")
                .label("expected `version:` at the top of the file")
                .help("add `version: \"4.0\"`, or the version whose rules this file was written for");
            ctx.faults.push(fault);
        }
        return None;
    };
    let place = place_of(name, value);
    let text = value.scalar().map_or("", |(text, _)| text).trim();
    let fault = |code, message: String| Fault::new(code, place, message).at([key("version")]);
    let number = match value.value() {
        Value::Null => {
            ctx.faults.push(
                fault("P101", "`version` has no value".to_owned())
                    .label("nothing here")
                    .help("write for example `version: \"4.0\"`"),
            );
            return None;
        }
        Value::Int(text) => decimal(text).and_then(|d| d.parse().ok()).unwrap_or(f64::INFINITY),
        Value::Float(number) => number,
        Value::Text(text) if is_decimal(text.trim()) => text.trim().parse().unwrap_or(f64::NAN),
        other => {
            let mut bad = fault(
                "P102",
                format!(
                    "the version is {}, not a number",
                    if text.is_empty() { other.describe().to_owned() } else { quoted(text) }
                ),
            )
            .label("expected a number from 1 to 5")
            .help("write for example `version: \"4.0\"`");
            if text.starts_with(['“', '”', '„', '‘', '’']) {
                bad = bad.also("the quotes are typographic ones, which mean nothing in YAML: use straight ones");
            }
            ctx.faults.push(bad);
            return None;
        }
    };
    if !(1.0..=5.0).contains(&number) {
        ctx.faults.push(
            fault("P103", format!("version {} does not exist", quoted(text)))
                .label("outside 1 to 5")
                .help("versions go from 1 to 5"),
        );
        return None;
    }
    ctx.faults.version = number;
    if number.fract() != 0.0 {
        ctx.faults.push(
            fault("P104", format!("version {} is not a whole number", quoted(text)))
                .label("rules apply as for the whole version below")
                .help("write one of the versions 1, 2, 3, 4, 5"),
        );
    }
    if number < 5.0 {
        ctx.faults.push(
            fault("P111", format!("version {} is not the latest", quoted(text)))
                .label("the latest version is 5")
                .help("the file goes on working; read what changed before you raise the version"),
        );
    }
    Some(Version { text: text.to_owned(), number })
}

/// Sign, digits with an optional point, exponent.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.parse::<f64>().is_ok()
}

/// P120 to P126: how many dummy patients.
fn expectations(ctx: &mut Ctx<'_, '_>, found: Found<'_, '_>, version: &Version, first: Range) -> Population {
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
                .help("add `expectations:` with `population_size: 1000` below it, or use version 4");
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

/// P112: the mapping of actions.
fn actions<'d, 'a>(ctx: &mut Ctx<'d, 'a>, found: Found<'d, 'a>, first: Range) -> Option<View<'d, 'a>> {
    let Some((name, value)) = found else {
        if !ctx.damage.has_top_key("actions") {
            let fault = Fault::new("P112", first, "`actions` is missing")
                .label("expected `actions:` at the top level")
                .help("add `actions:` and below it, indented by two blanks, one name for each action");
            ctx.faults.push(fault);
        }
        return None;
    };
    let place = place_of(name, value);
    match value.value() {
        Value::Map => {
            if value.entries().is_empty() {
                let fault = Fault::new("P112", place, "the project has no actions")
                    .severity(Severity::Note)
                    .label("nothing to run")
                    .at([key("actions")]);
                ctx.faults.push(fault);
            }
            Some(value)
        }
        Value::Null if ctx.damage.any_action() => None,
        other => {
            let fault =
                Fault::new("P112", place, format!("`actions` is {}, not a mapping of actions", other.describe()))
                    .label("expected one name for each action")
                    .help("write the name of each action below `actions:`, indented by two blanks and followed by `:`")
                    .at([key("actions")]);
            ctx.faults.push(fault);
            None
        }
    }
}
