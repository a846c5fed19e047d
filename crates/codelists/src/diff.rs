//! `codelists diff`: what differs between a file on disk and the same version at its source, code by code.
//! Spec cli.md 7.2.

use std::collections::BTreeMap;

use sandbox::folder::Kind;

use crate::download::download;
use crate::fault::{Error, Fault};
use crate::folder::{FOLDER, OnDisk, Project};
use crate::http::Asking;
use crate::id::Id;
use crate::site::Site;

/// Names of the column that holds codes, as lists of the site have them; without one it is the first.
const CODES: [&str; 9] =
    ["code", "ctv3id", "ctv3code", "snomedcode", "snomedct_id", "snomedct", "icd", "icd10", "dmd_id"];
/// Names of the column that holds what a code means.
const TERMS: [&str; 7] = ["term", "name", "description", "ctv3preferredtermdesc", "ctv3description", "nm", "desc"];
/// Scripts that are searched for the names of files.
const MOST_SCRIPTS: u64 = 20_000;
/// Bytes of a script that are searched.
const LARGEST_SCRIPT: u64 = 4 << 20;

/// What differs in one codelist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// The version.
    pub id: String,
    /// Its file.
    pub file: String,
    /// Codes with their terms that the source has and the file lacks.
    pub added: Vec<(String, String)>,
    /// Codes with their terms that the file has and the source lacks.
    pub removed: Vec<(String, String)>,
    /// Codes with another term: the code, the term here, the term at the source.
    pub retermed: Vec<(String, String, String)>,
    /// Scripts of the study that name the file.
    pub used_by: Vec<String>,
}

impl Difference {
    /// Whether every code and term is the same.
    pub fn is_none(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.retermed.is_empty()
    }
}

impl Project {
    /// Compares the listed codelists (or only `wanted`: ids, lists or file names) with their source. Writes nothing.
    ///
    /// # Errors
    /// Faults of the list or of downloads; C102 for something in `wanted` that is not listed.
    pub fn diff(&self, wanted: &[String], site: &Site, asking: &Asking) -> Result<Vec<Difference>, Error> {
        let missing = || Fault::Listing { why: "does not exist".into() };
        let disk = self.read()?.ok_or_else(missing)?;
        let listing = disk.listed().map_err(Error::Faults)?;
        let is = |id: &Id, word: &String| {
            let word = word.trim().trim_end_matches('/');
            word == id.to_string() || word == id.list() || word == id.file_name()
        };
        let unknown: Vec<Fault> = wanted
            .iter()
            .filter(|word| !listing.ids().any(|id| is(id, word)))
            .map(|word| Fault::Listing { why: format!("does not list `{}`", crate::text::shown(word)) })
            .collect();
        if !unknown.is_empty() {
            return Err(Error::Faults(unknown));
        }
        let ids: Vec<&Id> =
            listing.ids().filter(|id| wanted.is_empty() || wanted.iter().any(|word| is(id, word))).collect();
        let contents = download(&ids, site, asking).map_err(Error::Faults)?;
        let mut differences: Vec<Difference> =
            ids.iter().zip(&contents).map(|(id, content)| compared(id, &disk, content)).collect();
        self.users(&mut differences);
        Ok(differences)
    }

    /// Which scripts name a file that differs: only text is looked at, nothing is run.
    fn users(&self, differences: &mut [Difference]) {
        if differences.iter().all(Difference::is_none) {
            return;
        }
        let mut walk = self.folder.walk(MOST_SCRIPTS);
        let mut scripts = Vec::new();
        while let Some(entry) = walk.next() {
            let Ok(entry) = entry else { continue };
            let path = entry.path.to_string_lossy().into_owned();
            let hidden = entry.name().as_encoded_bytes().starts_with(b".");
            let script = [".py", ".R", ".r", ".Rmd", ".ipynb", ".sql", ".do"].iter().any(|end| path.ends_with(end));
            match entry.found.kind {
                Kind::Folder if hidden || path == FOLDER || path == "metadata" => walk.skip(),
                Kind::File if script && entry.found.size <= LARGEST_SCRIPT => scripts.push(path),
                _ => {}
            }
        }
        let mut bytes = Vec::new();
        for script in scripts {
            bytes.clear();
            let read = self.folder.open(&script).is_ok_and(|mut file| std::io::copy(&mut file, &mut bytes).is_ok());
            if !read {
                continue;
            }
            let text = String::from_utf8_lossy(&bytes);
            for difference in differences.iter_mut().filter(|difference| !difference.is_none()) {
                if text.contains(difference.file.trim_end_matches(".csv")) {
                    difference.used_by.push(script.clone());
                }
            }
        }
    }
}

fn compared(id: &Id, disk: &OnDisk, content: &[u8]) -> Difference {
    let file = id.file_name();
    let mut own = Vec::new();
    // A file that is not there has no codes: all of the source's are to be added.
    let _ = disk.sha(&file, &mut own);
    let (here, there) = (codes(&own), codes(content));
    let mut difference = Difference { id: id.to_string(), file, ..Difference::default() };
    for (code, term) in &there {
        match here.get(code) {
            None => difference.added.push((code.clone(), term.clone())),
            Some(own) if own != term => {
                difference.retermed.push((code.clone(), own.clone(), term.clone()));
            }
            Some(_) => {}
        }
    }
    difference.removed = here.into_iter().filter(|(code, _)| !there.contains_key(code)).collect();
    difference
}

/// Code to term, of a table with a header. What is no text has no codes.
fn codes(content: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(content);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let Ok(header) = rows.headers() else { return BTreeMap::new() };
    let header: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let column = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column == name));
    let (code, term) = (column(&CODES).unwrap_or(0), column(&TERMS));
    let field = |row: &csv::StringRecord, column: usize| row.get(column).unwrap_or_default().trim().to_owned();
    rows.records()
        .flatten()
        .map(|row| (field(&row, code), term.map_or_else(String::new, |term| field(&row, term))))
        .filter(|(code, _)| !code.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_of_codes_is_found_by_its_name() {
        let one = |text: &str| codes(text.as_bytes()).into_iter().collect::<Vec<_>>();
        let pair = |code: &str, term: &str| vec![(code.to_owned(), term.to_owned())];
        assert_eq!(one("Name,Code\nAsthma, 7 \n"), pair("7", "Asthma"));
        assert_eq!(one("\u{feff}icd\nJ45\n,\n"), pair("J45", ""));
        assert_eq!(one("odd,other\nx,y\n"), pair("x", ""));
        assert!(one("").is_empty());
    }
}
