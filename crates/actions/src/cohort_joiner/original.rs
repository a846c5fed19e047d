//! csv as the original reads and writes it, for `--compat=original`: a type for each column and run of rows (actions.md 3.3).
//! Codes lose leading zeros, whole numbers with gaps become floats: that is what the switch is for.

use std::collections::{HashMap, HashSet};

use cohorts::text::{push_float, push_int};

use crate::csv::{Fields, push_field};

use super::csv_side::CsvSide;
use super::key::Key;
use super::trouble::Trouble;

/// Words that stand for nothing.
#[rustfmt::skip]
const MISSING: [&[u8]; 18] = [
    b"", b"#N/A", b"#N/A N/A", b"#NA", b"-1.#IND", b"-1.#QNAN", b"-NaN", b"-nan", b"1.#IND", b"1.#QNAN", b"<NA>",
    b"N/A", b"NA", b"NULL", b"NaN", b"n/a", b"nan", b"null",
];

fn is_missing(text: &[u8]) -> bool {
    MISSING.contains(&text)
}

/// A key, of which more words are blank than elsewhere.
pub(super) fn key(text: &[u8]) -> Key<'_> {
    if is_missing(text) { Key::Blank } else { Key::of_text(text) }
}

/// The names of a header: empty ones by their place, repeated ones with a number.
pub(super) fn names(header: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let given: HashSet<&[u8]> = header.iter().map(Vec::as_slice).collect();
    // Per name the number that was reached: one that was taken once is taken for good.
    let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut taken: HashSet<Vec<u8>> = HashSet::new();
    let unique = |(at, name): (usize, &Vec<u8>)| {
        let own = if name.is_empty() { format!("Unnamed: {at}").into_bytes() } else { name.clone() };
        let mut unique = own.clone();
        let number = numbers.entry(own.clone()).or_default();
        while taken.contains(&unique) || (*number > 0 && given.contains(unique.as_slice())) {
            *number += 1;
            unique = [own.as_slice(), format!(".{number}").as_bytes()].concat();
        }
        taken.insert(unique.clone());
        unique
    };
    header.iter().enumerate().map(unique).collect()
}

/// What a run of rows of a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Float,
    Truth,
    Text,
}

/// What a run of rows has shown so far.
#[derive(Debug, Clone, Copy)]
struct Seen {
    missing: bool,
    signed: bool,
    unsigned: bool,
    float: bool,
    truth: bool,
}

const NEW: Seen = Seen { missing: false, signed: true, unsigned: true, float: true, truth: true };

impl Seen {
    fn see(&mut self, text: &[u8]) {
        if is_missing(text) {
            self.missing = true;
            return;
        }
        let whole = whole(text);
        self.signed &= whole.is_some_and(|whole| i64::try_from(whole).is_ok());
        self.unsigned &= whole.is_some_and(|whole| u64::try_from(whole).is_ok());
        self.float = self.float && float(text).is_some();
        self.truth = self.truth && truth(text).is_some();
    }

    fn kind(self) -> Kind {
        match self {
            Self { missing: false, signed: true, .. } | Self { missing: false, unsigned: true, .. } => Kind::Whole,
            Self { float: true, .. } => Kind::Float,
            Self { missing: false, truth: true, .. } => Kind::Truth,
            _ => Kind::Text,
        }
    }
}

fn trimmed(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default().trim_matches(' ')
}

fn whole(text: &[u8]) -> Option<i128> {
    let text = trimmed(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn float(text: &[u8]) -> Option<f64> {
    let text = trimmed(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let decimal =
        unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
            && unsigned.bytes().any(|byte| byte.is_ascii_digit());
    (decimal || matches!(unsigned, "inf" | "Infinity")).then(|| text.parse().ok())?
}

fn truth(text: &[u8]) -> Option<bool> {
    match text {
        b"True" | b"TRUE" | b"true" => Some(true),
        b"False" | b"FALSE" | b"false" => Some(false),
        _ => None,
    }
}

/// The types of a file's columns.
#[derive(Debug, Default)]
pub(super) struct Types {
    /// Rows of one run.
    run: u64,
    /// Of each run, and of each column in it.
    runs: Vec<Vec<Kind>>,
    /// Of each column as a whole.
    whole: Vec<Kind>,
    pub(super) rows: u64,
}

/// The largest power of two below 2^20 by the number of columns, but 1 at least.
const fn run_length(columns: usize) -> u64 {
    let most = (1 << 20) / if columns == 0 { 1 } else { columns as u64 };
    let mut run = 1;
    while run * 2 < most {
        run *= 2;
    }
    run
}

impl Types {
    /// Goes over all rows.
    pub(super) fn of(csv: &mut CsvSide) -> Result<Self, Trouble> {
        let columns = csv.header.names.len();
        let mut types = Self { run: run_length(columns), ..Self::default() };
        let mut seen = vec![NEW; columns];
        csv.each_fields(|fields| {
            if types.rows > 0 && types.rows.is_multiple_of(types.run) {
                types.runs.push(seen.iter().map(|seen| seen.kind()).collect());
                seen.fill(NEW);
            }
            types.rows += 1;
            seen.iter_mut().enumerate().for_each(|(at, seen)| seen.see(fields.get(at)));
            Ok(())
        })?;
        types.runs.push(seen.iter().map(|seen| seen.kind()).collect());
        types.whole = (0..columns)
            .map(|at| {
                let all = |kinds: &[Kind]| types.runs.iter().all(|run| kinds.contains(&run[at]));
                match () {
                    () if all(&[Kind::Whole]) => Kind::Whole,
                    () if all(&[Kind::Whole, Kind::Float]) => Kind::Float,
                    () if all(&[Kind::Truth]) => Kind::Truth,
                    () => Kind::Text,
                }
            })
            .collect();
        Ok(types)
    }

    /// Writes a field as the original would; `gaps`: some rows of the result have none, so whole numbers are floats.
    pub(super) fn push(&self, out: &mut Vec<u8>, at: usize, row: u64, text: &[u8], gaps: bool) {
        if is_missing(text) {
            return;
        }
        let of_run = self.runs.get((row / self.run) as usize).map_or(Kind::Text, |run| run[at]);
        let kind = match (self.whole[at], of_run) {
            (Kind::Text, of_run) => of_run,
            (Kind::Whole, _) if gaps => Kind::Float,
            (whole, _) => whole,
        };
        match kind {
            Kind::Whole => match whole(text).map(i64::try_from) {
                Some(Ok(whole)) => push_int(out, whole),
                _ => out.extend_from_slice(whole(text).unwrap_or_default().to_string().as_bytes()),
            },
            Kind::Float => push_float(out, float(text).unwrap_or_default()),
            Kind::Truth => out.extend_from_slice(if truth(text) == Some(true) { b"True" } else { b"False" }),
            Kind::Text => push_field(out, text),
        }
    }

    /// Writes the fields at some places, a comma before each.
    pub(super) fn carry(
        &self,
        out: &mut Vec<u8>,
        fields: &Fields,
        places: impl Iterator<Item = usize>,
        row: u64,
        gaps: bool,
    ) {
        for at in places {
            out.push(b',');
            self.push(out, at, row, fields.get(at), gaps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// One column of a file, as it is written with and without gaps.
    fn written(cells: &[&str]) -> [String; 2] {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = cells.iter().map(|cell| format!("1,{cell}\n")).collect();
        std::fs::write(folder.path().join("a.csv"), format!("patient_id,v\n{rows}")).unwrap();
        let workspace = Workspace::new(folder.path()).unwrap();
        let open = || CsvSide::open(&workspace, "a.csv".as_ref(), "file", true, &mut std::io::sink()).unwrap();
        let types = Types::of(&mut open()).unwrap();
        [false, true].map(|gaps| {
            let (mut out, mut row) = (Vec::new(), 0);
            open()
                .each_fields(|fields| {
                    types.carry(&mut out, fields, 1..2, row, gaps);
                    row += 1;
                    Ok(())
                })
                .unwrap();
            String::from_utf8(out).unwrap()
        })
    }

    #[test]
    fn columns_have_the_types_of_the_rule() {
        let rows: &[(&[&str], &str, &str)] = &[
            (&["007", " 8 ", "+9"], ",7,8,9", ",7.0,8.0,9.0"),
            (&["1", ""], ",1.0,", ",1.0,"),
            (&["1", "2.50"], ",1.0,2.5", ",1.0,2.5"),
            (&["1e5", "inf", "-Infinity"], ",100000.0,inf,-inf", ",100000.0,inf,-inf"),
            (&["TRUE", "false"], ",True,False", ",True,False"),
            (&["TRUE", ""], ",TRUE,", ",TRUE,"),
            (&["NA", "A"], ",,A", ",,A"),
            (&["NA", "null", "-nan"], ",,,", ",,,"),
            (&["007", "x"], ",007,x", ",007,x"),
            (&["18446744073709551615", "0"], ",18446744073709551615,0", ",1.8446744073709552e+19,0.0"),
            (&["18446744073709551615", "-1"], ",1.8446744073709552e+19,-1.0", ",1.8446744073709552e+19,-1.0"),
            (&["1.", ".5"], ",1.0,0.5", ",1.0,0.5"),
            (&["1.2.3", "1"], ",1.2.3,1", ",1.2.3,1"),
        ];
        for (cells, plain, gaps) in rows {
            assert_eq!(written(cells), [plain.to_string(), gaps.to_string()], "{cells:?}");
        }
    }

    #[test]
    fn runs_have_the_length_of_the_rule() {
        assert_eq!([1, 4, 30, 1 << 19, 1 << 20, 1 << 21].map(run_length), [1 << 19, 131_072, 32_768, 1, 1, 1]);
    }

    #[test]
    fn each_run_of_a_column_of_text_is_written_as_its_own_type() {
        // Two columns: runs of 2^18 rows.
        let mut cells = vec!["007"; 1 << 18];
        cells.push("A");
        cells.push("08");
        let [plain, _] = written(&cells);
        assert!(plain.starts_with(",7,7,") && plain.ends_with(",7,A,08"));
        cells[1 << 18] = "1.5";
        let [plain, _] = written(&cells);
        assert!(plain.starts_with(",7.0,7.0,") && plain.ends_with(",7.0,1.5,8.0"));
    }

    #[test]
    fn names_are_made_unique() {
        let text = |names: &[&str]| {
            let names = self::names(names.iter().map(|name| name.as_bytes().to_vec()).collect());
            names.into_iter().map(|name| String::from_utf8(name).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(text(&["a", "", "a", "a", "b"]), ["a", "Unnamed: 1", "a.1", "a.2", "b"]);
        assert_eq!(text(&["a", "a", "a.1"]), ["a", "a.2", "a.1"]);
        // Found by fuzzing: as many columns as a file may have, all of one name, were not done within hours.
        let many = text(&["a"; crate::csv::MAX_COLUMNS]);
        assert_eq!((many[1].as_str(), many[19_999].as_str()), ("a.1", "a.19999"));
    }
}
