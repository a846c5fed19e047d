//! Writes records with minimal quoting.
//! A field is quoted for a comma, a quote or a line end in it; a record of one blank is `""` (actions.md 3.2, 7.2).

use std::io::{self, Write};

/// How a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    CrLf,
    Lf,
}

/// Writes one field after the other; the caller says where records end.
pub(crate) struct RecordWriter<W> {
    out: W,
    end: LineEnd,
    fields: usize,
    /// The record so far is one empty field.
    lone_blank: bool,
}

impl<W: Write> RecordWriter<W> {
    pub(crate) fn new(out: W, end: LineEnd) -> Self {
        Self { out, end, fields: 0, lone_blank: false }
    }

    pub(crate) fn field(&mut self, field: &[u8]) -> io::Result<()> {
        if self.fields > 0 {
            self.out.write_all(b",")?;
        }
        self.lone_blank = self.fields == 0 && field.is_empty();
        self.fields += 1;
        if !field.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
            return self.out.write_all(field);
        }
        self.out.write_all(b"\"")?;
        for (i, part) in field.split(|b| *b == b'"').enumerate() {
            if i > 0 {
                self.out.write_all(b"\"\"")?;
            }
            self.out.write_all(part)?;
        }
        self.out.write_all(b"\"")
    }

    pub(crate) fn end_record(&mut self) -> io::Result<()> {
        if self.lone_blank {
            self.out.write_all(b"\"\"")?;
        }
        (self.fields, self.lone_blank) = (0, false);
        match self.end {
            LineEnd::CrLf => self.out.write_all(b"\r\n"),
            LineEnd::Lf => self.out.write_all(b"\n"),
        }
    }

    pub(crate) fn record<'a>(&mut self, fields: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
        for field in fields {
            self.field(field)?;
        }
        self.end_record()
    }

    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(records: &[&[&str]]) -> String {
        let mut writer = RecordWriter::new(Vec::new(), LineEnd::CrLf);
        for record in records {
            writer.record(record.iter().map(|field| field.as_bytes())).unwrap();
        }
        String::from_utf8(writer.into_inner()).unwrap()
    }

    #[test]
    fn quoting_is_minimal() {
        assert_eq!(written(&[&["a", " b ", "c'd"]]), "a, b ,c'd\r\n");
        assert_eq!(written(&[&["a,b", "say \"x\"", "l\nm", "r\r"]]), "\"a,b\",\"say \"\"x\"\"\",\"l\nm\",\"r\r\"\r\n");
        assert_eq!(written(&[&[""], &["", ""], &["", "x"], &["\""]]), "\"\"\r\n,\r\n,x\r\n\"\"\"\"\r\n");
    }
}
