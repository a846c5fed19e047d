//! codelists.json: what was downloaded, when, and the hash of its content; byte for byte as existing tools write it.
//! Spec cli.md 7.1: key order, indent 2, ASCII only, no line end at the end.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use serde_json::{Map, Value};

use crate::content::Sha;
use crate::fault::Fault;
use crate::id::Id;

/// What the manifest says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The version.
    pub id: Id,
    /// As written: `YYYY-MM-DD HH:MM:SS.ffffffZ`.
    pub downloaded_at: String,
    /// Of the content as downloaded.
    pub sha: Sha,
}

/// The whole file. Names of files follow from the ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// In order of the file.
    pub files: Vec<Recorded>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    id: String,
    url: String,
    downloaded_at: String,
    sha: String,
}

impl Manifest {
    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// C202: no JSON, another shape, an entry that is not for a listed id's own file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let bad = |why: String| Fault::Manifest { why };
        let document: Value = serde_json::from_slice(bytes).map_err(|e| bad(format!("it is not JSON ({e})")))?;
        let Some(files) = document.get("files").and_then(Value::as_object) else {
            return Err(bad("it has no object \"files\"".to_owned()));
        };
        let mut read = Vec::with_capacity(files.len());
        for (name, entry) in files {
            let entry = Entry::deserialize(entry)
                .map_err(|e| bad(format!("the entry of `{}`: {e}", crate::text::shown(name))))?;
            let told = |why: &str| bad(format!("the entry of `{}` {why}", crate::text::shown(name)));
            let id = Id::parse(&entry.id).map_err(|why| told(&format!("has an id that {why}")))?;
            if id.file_name() != *name {
                return Err(told(&format!("is for {id}, whose file is {}", id.file_name())));
            }
            let sha = Sha::parse(&entry.sha).ok_or_else(|| told("has a sha that is not 40 hexadecimal digits"))?;
            read.push(Recorded { id, downloaded_at: entry.downloaded_at, sha });
        }
        Ok(Self { files: read })
    }

    /// What it says of a file.
    pub fn of_file(&self, name: &str) -> Option<&Recorded> {
        self.files.iter().find(|recorded| recorded.id.file_name() == name)
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut files = Map::new();
        for Recorded { id, downloaded_at, sha } in &self.files {
            let entry = serde_json::json!({
                "id": id.to_string(),
                "url": id.page(),
                "downloaded_at": downloaded_at,
                "sha": sha.to_string(),
            });
            files.insert(id.file_name(), entry);
        }
        let document = serde_json::json!({ "files": files });
        let mut bytes = Vec::new();
        // Texts and maps into memory: this cannot fail.
        let _ = document.serialize(&mut Serializer::with_formatter(&mut bytes, Ascii(PrettyFormatter::new())));
        bytes
    }
}

/// The time as the manifest writes it.
pub(crate) fn stamp(now: jiff::Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S.%6fZ").to_string()
}

/// Pretty, with everything outside printable ASCII escaped.
struct Ascii(PrettyFormatter<'static>);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                writer.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(id: &str) -> Recorded {
        let id = Id::parse(id).unwrap_or_else(|e| unreachable!("{e}"));
        Recorded { id, downloaded_at: "2021-06-01 09:00:00.000000Z".into(), sha: Sha::of(b"code\n1\n") }
    }

    /// Written by hand from the rule; `printf 'code\n1' | sha1sum` gives the hash.
    #[test]
    fn the_bytes_are_those_of_existing_tools() {
        let manifest = Manifest { files: vec![recorded("org/list/v\u{e9}\u{1f600}\"1"), recorded("user/a/b/2")] };
        let expected = "{\n  \"files\": {\n    \"org-list.csv\": {\n      \"id\": \"org/list/v\\u00e9\\ud83d\\ude00\\\"1\",\n      \
            \"url\": \"https://www.opencodelists.org/codelist/org/list/v\\u00e9\\ud83d\\ude00\\\"1/\",\n      \
            \"downloaded_at\": \"2021-06-01 09:00:00.000000Z\",\n      \"sha\": \"856cfd9b96a66a24db32ea82b89289d84001e9fe\"\n    },\n    \
            \"user-a-b.csv\": {\n      \"id\": \"user/a/b/2\",\n      \
            \"url\": \"https://www.opencodelists.org/codelist/user/a/b/2/\",\n      \
            \"downloaded_at\": \"2021-06-01 09:00:00.000000Z\",\n      \"sha\": \"856cfd9b96a66a24db32ea82b89289d84001e9fe\"\n    }\n  }\n}";
        assert_eq!(String::from_utf8(manifest.to_bytes()).unwrap_or_default(), expected);
        assert_eq!(Manifest::parse(&manifest.to_bytes()), Ok(manifest));
        assert_eq!(Manifest::default().to_bytes(), b"{\n  \"files\": {}\n}");
    }

    #[test]
    fn the_time_has_six_digits_of_a_second() {
        let time: jiff::Timestamp = "2026-01-02T03:04:05.0067Z".parse().unwrap_or_default();
        assert_eq!(stamp(time), "2026-01-02 03:04:05.006700Z");
    }

    #[test]
    fn another_shape_is_refused() {
        let sha = "0".repeat(40);
        let entry = |name: &str, id: &str, sha: &str| {
            format!(r#"{{"files":{{"{name}":{{"id":"{id}","url":"","downloaded_at":"","sha":"{sha}"}}}}}}"#)
        };
        assert!(Manifest::parse(entry("a-b.csv", "a/b/1", &sha).as_bytes()).is_ok());
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"files":[]}"#,
            r#"{"files":{"a-b.csv":{"id":"a/b/1"}}}"#,
            &entry("../a.csv", "a/b/1", &sha),
            &entry("a-b.csv", "a/b", &sha),
            &entry("a-b.csv", "a/b/1", "xyz"),
        ] {
            assert_eq!(Manifest::parse(bad.as_bytes()).map_err(|f| f.code()), Err("C202"), "{bad}");
        }
    }
}
