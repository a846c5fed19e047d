//! The top level of the file: known keys and version (spec project-yaml.md 3); `expectations` has a room of its own.
//! Decides which version the gates of all other rules compare with.

use super::{Ctx, expectations, place_of};
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
        Some(version) => expectations::read(ctx, found[1], version, first),
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
    if ctx.damage.is_any() {
        return;
    }
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

pub(super) type Found<'d, 'a> = Option<(View<'d, 'a>, View<'d, 'a>)>;

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
                .help(format!("add {}", suggested_version(ctx)));
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
                    .help(format!("write {}", suggested_version(ctx))),
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
            .help(format!("write {}", suggested_version(ctx)));
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

/// The newest version, but the newest that allows cohortextractor where that is used.
fn suggested_version(ctx: &Ctx<'_, '_>) -> &'static str {
    if uses_cohortextractor(ctx) {
        "`version: 3`, the newest version that allows `cohortextractor`"
    } else {
        "`version: 5`, the newest version, or the older one whose rules this file was written for"
    }
}

/// Whether the file names cohortextractor anywhere; only advice depends on it.
pub(super) fn uses_cohortextractor(ctx: &Ctx<'_, '_>) -> bool {
    ctx.source.text().contains("cohortextractor:")
}

/// Sign, digits with an optional point, exponent.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.parse::<f64>().is_ok()
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
