//! JSON as the field's readers have it: two blanks of indent, everything outside printable ASCII escaped.
//! Spec jobs.md 14, 15: byte for byte what Python's serialiser writes with `indent=2`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

/// The text, without a final newline.
///
/// # Errors
/// A value that JSON cannot say: a map whose keys are not text.
pub(crate) fn python_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Python(PrettyFormatter::new())))?;
    // Only ASCII was written.
    Ok(String::from_utf8_lossy(&out).into_owned())
}

struct Python(PrettyFormatter<'static>);

impl Formatter for Python {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }
    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }
    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        // Both languages print the shortest text that reads back; only exponents look different.
        let text = format!("{value:?}");
        match text.split_once('e') {
            None => out.write_all(text.as_bytes()),
            Some((digits, exponent)) => {
                let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
                write!(out, "{digits}e{sign}{exponent:0>2}")
            }
        }
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                out.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(out, escape)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The expected text was printed by `json.dumps(value, indent=2)` of CPython.
    #[test]
    fn looks_like_python() {
        let value = json!({
            "a": [], "b": {}, "c": [1, -2, null, true],
            "text": "é \u{1f600} \u{7f} \u{1} \n\t\"\\ /",
            "floats": [1.0, 0.1, 1e16, 1e15, 1.5e-5, 0.0001, 1e-7, 1.7e308, 1700000000.123456],
        });
        let expected = r#"{
  "a": [],
  "b": {},
  "c": [
    1,
    -2,
    null,
    true
  ],
  "text": "\u00e9 \ud83d\ude00 \u007f \u0001 \n\t\"\\ /",
  "floats": [
    1.0,
    0.1,
    1e+16,
    1000000000000000.0,
    1.5e-05,
    0.0001,
    1e-07,
    1.7e+308,
    1700000000.123456
  ]
}"#;
        assert_eq!(python_json(&value).unwrap(), expected);
    }
}
