//! codelists.txt: one id per line, every fault at once.
//! Spec cli.md 7.1: C102 to C105.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::fault::Fault;
use crate::id::Id;
use crate::text::lines;

/// A listed id and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// From 1.
    pub line: usize,
    /// What it lists.
    pub id: Id,
}

/// The file, valid: no list twice, no two of one file name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// In order of the file.
    pub entries: Vec<Listed>,
}

impl Listing {
    /// Reads the text of the file. Blank lines and lines that start with `#` do not count.
    ///
    /// # Errors
    /// Every fault, in order of lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut entries: Vec<Listed> = Vec::new();
        let mut faults = Vec::new();
        let (mut lists, mut files) = (HashMap::new(), HashMap::new());
        for (n, written) in lines(text).enumerate() {
            let (line, written) = (n + 1, written.trim());
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            let id = match Id::parse(written) {
                Ok(id) => id,
                Err(why) => {
                    faults.push(Fault::Id { line: Some(line), text: written.to_owned(), why });
                    continue;
                }
            };
            match (lists.entry(id.list().to_owned()), files.entry(id.file_name())) {
                (Entry::Vacant(list), Entry::Vacant(file)) => {
                    list.insert(entries.len());
                    file.insert(entries.len());
                    entries.push(Listed { line, id });
                }
                (Entry::Occupied(first), _) => {
                    let first: &Listed = &entries[*first.get()];
                    let (id, other, first) = (id.to_string(), first.id.to_string(), first.line);
                    faults.push(if id == other {
                        Fault::Twice { line, first, id }
                    } else {
                        Fault::OtherVersion { line, first, id, other }
                    });
                }
                (Entry::Vacant(_), Entry::Occupied(first)) => {
                    let file = first.key().clone();
                    let first: &Listed = &entries[*first.get()];
                    let (id, other, first) = (id.to_string(), first.id.to_string(), first.line);
                    faults.push(Fault::SameFile { line, first, id, other, file });
                }
            }
        }
        if faults.is_empty() { Ok(Self { entries }) } else { Err(faults) }
    }

    /// The ids in order.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        self.entries.iter().map(|listed| &listed.id)
    }
}

/// The text of the file with these ids added at its end, in its own kind of line end; with `replace` an id takes the line of
/// another version of its list.
pub(crate) fn with(text: &str, ids: &[Id], replace: bool) -> String {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = text.to_owned();
    for id in ids {
        let old = out.split_inclusive('\n').find(|line| {
            replace && !line.trim_start().starts_with('#') && Id::parse(line).is_ok_and(|old| old.list() == id.list())
        });
        if let Some(old) = old {
            let bare = old.trim_end_matches(['\r', '\n']);
            let start = old.as_ptr() as usize - out.as_ptr() as usize;
            out.replace_range(start..start + bare.len(), &id.to_string());
            continue;
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str(end);
        }
        out.push_str(&id.to_string());
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap_or_else(|e| unreachable!("{e}"))
    }

    #[test]
    fn every_fault_comes_at_once_with_its_line() {
        let text = "# ours\n\norg/a/v1\norg/a/v1/\r\norg/a/v2\n  user/x/y/v1 \nuser-x/y/v9\nnonsense\rorg/list\n";
        let faults = Listing::parse(text).expect_err("seven faults");
        let told: Vec<_> = faults.iter().map(|f| (f.line(), f.code())).collect();
        assert_eq!(
            told,
            [(Some(4), "C103"), (Some(5), "C104"), (Some(7), "C105"), (Some(8), "C102"), (Some(9), "C102")]
        );
        assert!(faults[1].to_string().contains("`org/a/v1`, which line 3"), "{}", faults[1]);
        assert!(faults[2].to_string().contains("user-x-y.csv"), "{}", faults[2]);
    }

    #[test]
    fn a_good_file_keeps_its_order() {
        let listing = Listing::parse("\u{feff}b/b/1\n#c/c/1\n a/a/2/ \n").expect("it is good");
        let lines: Vec<_> = listing.entries.iter().map(|l| (l.line, l.id.to_string())).collect();
        assert_eq!(lines, [(1, "b/b/1".to_owned()), (3, "a/a/2".to_owned())]);
        assert_eq!(Listing::parse(""), Ok(Listing::default()));
    }

    #[test]
    fn adding_keeps_every_other_byte() {
        assert_eq!(with("", &[id("a/b/1")], false), "a/b/1\n");
        assert_eq!(with("# x\r\na/b/1", &[id("c/d/2")], false), "# x\r\na/b/1\r\nc/d/2\r\n");
        assert_eq!(with("x/y/1\n a/b/1/ \nz/z/1\n", &[id("a/b/2")], true), "x/y/1\na/b/2\nz/z/1\n");
        assert_eq!(with("a/b/1\n", &[id("a/b/2")], false), "a/b/1\na/b/2\n");
        assert_eq!(with("#a/b/1\n", &[id("a/b/2")], true), "#a/b/1\na/b/2\n");
    }
}
