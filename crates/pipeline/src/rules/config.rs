//! `config`: any YAML, turned into the JSON text that the command is given (spec project-yaml.md 7.2).
//! Depth is bounded by the reader, size here.

use super::{Ctx, Draft, place_of};
use crate::PathStep;
use crate::fault::{Fault, quoted};
use crate::hash::HashMap;
use crate::json;
use crate::source::Range;
use crate::yaml::scalar::decimal;
use crate::yaml::{Value, View};

/// One argument cannot be longer on Linux.
const LONGEST: usize = 120 * 1024;

/// The JSON of a non-empty config; `None` when there is nothing to append, or it cannot be written.
pub(crate) fn read(ctx: &mut Ctx<'_, '_>, draft: &Draft<'_>, key: View<'_, '_>, value: View<'_, '_>) -> Option<String> {
    match value.value() {
        Value::Null => return None,
        Value::Map => {}
        other => {
            let fault = Fault::new(
                "P701",
                place_of(key, value),
                format!("`config` of action {} is {}, not a mapping", quoted(&draft.name), other.describe()),
            )
            .label("expected `name: value` lines")
            .help("write settings below `config:`, each as `name: value`")
            .action(&draft.name)
            .at(draft.at(&["config"]));
            ctx.faults.push(fault);
            return None;
        }
    }
    if value.entries().is_empty() {
        return None;
    }
    let mut writer = Writer { draft, at: draft.at(&["config"]), out: String::new(), broken: false };
    writer.value(ctx, value);
    if writer.out.len() > LONGEST {
        let fault = Fault::new(
            "P706",
            key.range(),
            format!("`config` of action {} is too long for a command", quoted(&draft.name)),
        )
        .label("more than 120 KiB as JSON")
        .help("put the data into a file of the study and name the file here")
        .action(&draft.name)
        .at(draft.at(&["config"]));
        ctx.faults.push(fault);
        return None;
    }
    (!writer.broken).then_some(writer.out)
}

struct Writer<'w, 'd> {
    draft: &'w Draft<'d>,
    at: Vec<PathStep>,
    out: String,
    /// Something had no JSON.
    broken: bool,
}

impl Writer<'_, '_> {
    fn push(&mut self, ctx: &mut Ctx<'_, '_>, fault: Fault) {
        ctx.faults.push(fault.action(&self.draft.name).at(self.at.clone()));
    }

    fn refuse(&mut self, ctx: &mut Ctx<'_, '_>, fault: Fault) {
        self.broken = true;
        self.out.push_str("null");
        self.push(ctx, fault);
    }

    fn value(&mut self, ctx: &mut Ctx<'_, '_>, view: View<'_, '_>) {
        ctx.judged.insert(view.id);
        let place = view.range();
        match view.value() {
            _ if self.out.len() > LONGEST => {}
            Value::Null => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if b { "true" } else { "false" }),
            Value::Int(text) => match decimal(text) {
                Some(digits) => self.out.push_str(&digits),
                None => self.refuse(
                    ctx,
                    Fault::new("P702", place, "this number is too long")
                        .label("more than 4,300 digits")
                        .help("write it as text, in quotes"),
                ),
            },
            Value::Float(f) if f.is_finite() => self.out.push_str(&json::float(f)),
            Value::Float(f) => {
                let what = if f.is_nan() { "not-a-number" } else { "infinity" };
                self.refuse(
                    ctx,
                    Fault::new("P705", place, format!("{what} cannot be written in `config`"))
                        .label("JSON has no such value")
                        .help("use `null`, or text in quotes"),
                );
            }
            Value::Date(text) => {
                self.date(ctx, text, place);
                json::write_string(&mut self.out, text);
            }
            Value::Text(text) => json::write_string(&mut self.out, text),
            Value::Unusable(tag) => self.refuse(
                ctx,
                Fault::new("P702", place, format!("a value tagged {} cannot be written in `config`", quoted(tag)))
                    .label("of no usable type")
                    .help("remove the tag, which begins with `!`"),
            ),
            Value::Seq => {
                self.out.push('[');
                for (i, item) in view.items().into_iter().enumerate() {
                    if i > 0 {
                        self.out.push_str(", ");
                    }
                    self.at.push(PathStep::Index(i));
                    self.value(ctx, item);
                    self.at.pop();
                }
                self.out.push(']');
            }
            Value::Map => self.mapping(ctx, view),
        }
    }

    fn mapping(&mut self, ctx: &mut Ctx<'_, '_>, view: View<'_, '_>) {
        self.out.push('{');
        let mut seen: HashMap<String, Range> = HashMap::default();
        for raw in view.raw_entries().iter().filter(|e| e.key.is_merge_key()) {
            ctx.judged.insert(raw.key.id);
        }
        for entry in view.entries() {
            let Some(name) = self.key(ctx, entry.key) else { continue };
            let place = entry.key.range();
            if let Some(&first) = seen.get(&name) {
                if !entry.merged {
                    let line = ctx.source.position(first.0).line;
                    let fault =
                        Fault::new("P005", place, format!("the key {} stands twice in one mapping", quoted(&name)))
                            .label("the same key again")
                            .help(format!("remove or rename one of them; the first is on line {line}"))
                            .see(first, "the first one");
                    self.push(ctx, fault);
                }
                continue;
            }
            if !seen.is_empty() {
                self.out.push_str(", ");
            }
            json::write_string(&mut self.out, &name);
            self.out.push_str(": ");
            self.at.push(PathStep::Key(name.clone()));
            seen.insert(name, place);
            self.value(ctx, entry.value);
            self.at.pop();
        }
        self.out.push('}');
    }

    /// The JSON key of a scalar: text as it is, numbers, truth values and null as their JSON text.
    fn key(&mut self, ctx: &mut Ctx<'_, '_>, key: View<'_, '_>) -> Option<String> {
        ctx.judged.insert(key.id);
        let place = key.range();
        let name = match key.value() {
            Value::Text(text) => return Some(text.to_owned()),
            Value::Date(text) => {
                self.date(ctx, text, place);
                return Some(text.to_owned());
            }
            Value::Null => Some("null".to_owned()),
            Value::Bool(b) => Some(b.to_string()),
            Value::Int(text) => decimal(text),
            Value::Float(f) if f.is_finite() => Some(json::float(f)),
            Value::Float(_) => {
                self.broken = true;
                self.push(
                    ctx,
                    Fault::new("P705", place, "not-a-number and infinity cannot be keys in `config`")
                        .label("JSON has no such value")
                        .help("put quotes around the key"),
                );
                return None;
            }
            Value::Seq | Value::Map | Value::Unusable(_) => None,
        };
        let Some(name) = name else {
            self.broken = true;
            self.push(
                ctx,
                Fault::new("P702", place, "this key cannot be written in `config`")
                    .label("of no usable type")
                    .help("write the key as text"),
            );
            return None;
        };
        self.push(
            ctx,
            Fault::new("P704", place, format!("the key {} is not text", quoted(&name)))
                .label("becomes text")
                .help(format!("put quotes around it if you mean the text `\"{name}\"`")),
        );
        Some(name)
    }

    fn date(&mut self, ctx: &mut Ctx<'_, '_>, text: &str, place: Range) {
        self.push(
            ctx,
            Fault::new("P703", place, format!("the date {} becomes text", quoted(text)))
                .label("passed on as it is written")
                .help("put quotes around it to say so"),
        );
    }
}
