//! Reads YAML the way an editor does before it applies a JSON Schema: events to JSON values, merges included.
//! Independent of the room's own reader, so that the two can be compared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The first document as JSON; `None` where it is not YAML, or holds what JSON cannot say.
pub(crate) fn to_json(text: &str) -> Option<Value> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new() };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => return reader.value(event),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Value>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Event<'a>> {
        Some(self.parser.next_event()?.ok()?.0)
    }

    fn value(&mut self, event: Event<'a>) -> Option<Value> {
        let (anchor, value) = match event {
            Event::Alias(id) => return self.anchors.get(&id).cloned(),
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return None;
                }
                (anchor, if style == ScalarStyle::Plain { plain(&text)? } else { Value::String(text.into_owned()) })
            }
            Event::SequenceStart(anchor, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.value(event)?),
                    }
                }
                (anchor, Value::Array(items))
            }
            Event::MappingStart(anchor, None) => (anchor, self.mapping()?),
            _ => return None,
        };
        self.anchors.insert(anchor, value.clone());
        Some(value)
    }

    fn mapping(&mut self) -> Option<Value> {
        let (mut own, mut merged) = (Map::new(), Map::new());
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                event => self.value(event)?,
            };
            let event = self.next()?;
            let value = self.value(event)?;
            let key = match key {
                Value::String(text) => text,
                Value::Array(_) | Value::Object(_) => return None,
                other => other.to_string(),
            };
            if key == "<<" {
                let sources = if let Value::Array(list) = value { list } else { vec![value] };
                for (k, v) in sources.iter().filter_map(Value::as_object).flatten() {
                    merged.entry(k.clone()).or_insert_with(|| v.clone());
                }
            } else {
                own.insert(key, value);
            }
        }
        for (k, v) in merged {
            own.entry(k).or_insert(v);
        }
        Some(Value::Object(own))
    }
}

fn plain(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".inf" | "-.inf" => return None,
        _ => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let number = digits.starts_with(|c: char| c.is_ascii_digit())
                && digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == 'e');
            match (number, text.parse::<i64>(), text.parse::<f64>()) {
                (true, Ok(integer), _) => integer.into(),
                (true, _, Ok(float)) => serde_json::Number::from_f64(float)?.into(),
                _ => Value::String(text.to_owned()),
            }
        }
    })
}
