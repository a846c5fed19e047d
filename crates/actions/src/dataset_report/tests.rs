//! The action as a whole against naive models: types and counts, what two nearly equal files give away, formats, bad bytes.
//! Files are made, run and read here; what single parts do is tested beside them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use cohorts::{Field, Format, Kind, Memory, Schema};
use proptest::prelude::*;

use crate::Context;

struct Made {
    exit: u8,
    /// By name.
    pages: BTreeMap<String, String>,
    stderr: String,
}

fn run(version: &str, files: &[(&str, &[u8])], words: &[&str]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(folder.path(), &mut stdout, &mut stderr);
    let words: Vec<_> = ["--input-files", "in*", "--output-dir", "out"].iter().chain(words).map(Into::into).collect();
    let exit = crate::run(&format!("dataset-report:{version}"), &words, &mut context);
    let made = std::fs::read_dir(folder.path().join("out")).into_iter().flatten().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
    });
    let pages = made.collect();
    assert!(stdout.is_empty());
    Made { exit, pages, stderr: String::from_utf8(stderr).unwrap() }
}

/// The cells of every table of a page, row by row, without the rows of headings.
fn tables(page: &str) -> Vec<Vec<Vec<String>>> {
    let bodies = page.split("<tbody>\n").skip(1).map(|rest| rest.split("</tbody>").next().unwrap());
    let cells = |row: &str| {
        let row = row.replace("<th scope=\"row\">", "").replace("</th>", "|").replace("<td>", "").replace("</td>", "|");
        row.trim_end_matches('|').split('|').map(str::to_owned).collect()
    };
    let rows = |body: &str| body.split("<tr>").skip(1).map(|row| cells(row.split("</tr>").next().unwrap())).collect();
    bodies.map(rows).collect()
}

fn csv(columns: &[(&str, Vec<String>)]) -> Vec<u8> {
    let rows = columns.first().map_or(0, |(_, cells)| cells.len());
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..rows {
        let cells: Vec<&str> = columns.iter().map(|(_, cells)| cells[row].as_str()).collect();
        text += &(cells.join(",") + "\n");
    }
    text.into_bytes()
}

/// The type of a column by the words of actions.md 3.3, in the plainest way.
fn naive_type(cells: &[String]) -> &'static str {
    let missing = |cell: &&String| ["", "NA", "nan"].contains(&cell.as_str());
    let there: Vec<&String> = cells.iter().filter(|cell| !missing(cell)).collect();
    let gaps = there.len() < cells.len();
    let whole = |cell: &&&String| cell.strip_prefix('+').unwrap_or(cell).parse::<i128>();
    let all_in = |low: i128, high: i128| there.iter().all(|cell| whole(&cell).is_ok_and(|n| (low..=high).contains(&n)));
    if cells.is_empty() {
        "object"
    } else if !gaps && all_in(i128::from(i64::MIN), i128::from(i64::MAX)) {
        "int64"
    } else if !gaps && all_in(0, i128::from(u64::MAX)) {
        "uint64"
    } else if there.iter().all(|cell| cell.parse::<f64>().is_ok()) {
        "float64"
    } else if !gaps && there.iter().all(|cell| ["True", "False", "true", "FALSE"].contains(&cell.as_str())) {
        "bool"
    } else {
        "object"
    }
}

/// The rows of a column's table by the words of actions.md 5.2, without protection: labels, counts.
fn naive_counts(cells: &[String]) -> Option<Vec<(String, Option<u64>)>> {
    let kind = naive_type(cells);
    let mut counts: BTreeMap<(bool, String), u64> = BTreeMap::new();
    for cell in cells {
        let label = match (kind, cell.as_str()) {
            (_, "" | "NA" | "nan") => "NaN".to_owned(),
            ("bool", text) => text[..1].to_uppercase() + &text[1..].to_lowercase(),
            ("int64", text) => text.parse::<i128>().unwrap().to_string(),
            ("float64", text) => format!("{:?}", text.parse::<f64>().unwrap() + 0.0),
            _ => return None,
        };
        *counts.entry((label != "NaN", label)).or_default() += 1;
    }
    let labels = ["NaN", "0", "1", "0.0", "1.0", "False", "True"];
    let fits = !cells.is_empty() && counts.keys().all(|(_, label)| labels.contains(&label.as_str()));
    let shown = |count: u64| Some((count + 2) / 5 * 5).filter(|rounded| *rounded > 5);
    fits.then(|| counts.into_iter().map(|((_, label), count)| (label, shown(count))).collect())
}

const CELLS: [&str; 16] = [
    "",
    "NA",
    "nan",
    "0",
    "1",
    "00",
    "+1",
    "0.0",
    "1.0",
    "2",
    "-7",
    "9223372036854775808",
    "True",
    "FALSE",
    "x",
    "1e3",
];

/// Columns of some of the cells above, most of them of one kind.
fn columns() -> impl Strategy<Value = Vec<Vec<String>>> {
    let pool = prop_oneof![
        Just(&CELLS[3..5]),
        Just(&CELLS[2..5]),
        Just(&CELLS[3..9]),
        Just(&CELLS[12..14]),
        Just(&CELLS[0..3]),
        Just(&CELLS[9..12]),
        Just(&CELLS[..]),
    ];
    (0_usize..60).prop_flat_map(move |rows| {
        let column = pool.clone().prop_flat_map(move |pool| {
            prop::collection::vec(prop::sample::select(pool.to_vec()).prop_map(str::to_owned), rows)
        });
        prop::collection::vec(column, 1..4)
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn types_and_counts_are_those_of_the_naive_model(columns in columns()) {
        let names = ["a", "b", "c"];
        // A first column keeps lines of one blank from being blank lines.
        let ids: Vec<String> = (0..columns[0].len()).map(|row| row.to_string()).collect();
        let mut all = vec![("patient_id", ids)];
        all.extend(names.into_iter().zip(columns.iter().cloned()));
        let bytes = csv(&all);
        // The original does not protect, so that counts can be compared with those of each column alone.
        let made = run("v0.0.29", &[("in.csv", &bytes)], &["--compat=original"]);
        let found = tables(&made.pages["in.html"]);
        for (column, line) in columns.iter().zip(&found[0][1..]) {
            let empty = column.iter().all(|cell| ["", "NA", "nan"].contains(&cell.as_str()));
            let expected = [naive_type(column), if empty { "True" } else { "False" }];
            prop_assert_eq!(&line[2..], &expected[..], "{:?}", column);
        }
        let expected: Vec<_> = columns.iter().filter_map(|column| naive_counts(column)).collect();
        let counted: Vec<Vec<(String, Option<u64>)>> = found[1..]
            .iter()
            .map(|table| table.iter().map(|row| (row[0].clone(), row[1].parse::<f64>().ok().filter(|n| !n.is_nan()).map(|n| n as u64))).collect())
            .collect();
        prop_assert_eq!(counted, expected);

        let packed = run("v0.0.29", &[("in.csv.gz", &gzip(&bytes))], &["--compat=original"]);
        prop_assert_eq!(packed.pages["in.html"].replace("in.csv.gz", "in.csv"), made.pages["in.html"].clone());
    }

    /// Of all counts of the two files only what is shown of them is the same; nothing else may tell them apart.
    #[test]
    fn one_patient_more_does_not_show(
        counts in prop::collection::vec((1_u64..60, 1_u64..60), 1..4),
        grows in prop::collection::vec(any::<bool>(), 3),
        texts in any::<bool>(),
        version in prop::sample::select(vec!["v0.0.14", "v0.0.29", "v1"]),
    ) {
        let rows = counts.iter().map(|(a, b)| a + b).max().unwrap();
        let column = |no: u64, yes: u64| -> Vec<String> {
            let (low, high) = if texts { ("North", "South") } else { ("0", "1") };
            let blank = rows_of(no, low).into_iter().chain(rows_of(yes, high));
            blank.collect()
        };
        // What is missing to all rows is a third value, never 0 to 1 rows.
        let of = |more: bool| {
            let columns: Vec<Vec<String>> = counts.iter().zip(&grows).map(|((no, yes), low)| {
                let extra = u64::from(more);
                let mut cells = column(no + if *low { extra } else { 0 }, yes + if *low { 0 } else { extra });
                cells.extend(rows_of(rows + 10 - no - yes, ""));
                cells
            }).collect();
            let ids: Vec<String> = (0..columns[0].len()).map(|row| row.to_string()).collect();
            let mut all = vec![("patient_id", ids)];
            all.extend(["a", "b", "c"].into_iter().zip(columns));
            csv(&all)
        };
        let shown = |count: u64| Some((count + 2) / 5 * 5).filter(|rounded| *rounded > 5);
        // The counts of a page: of each value, and of texts that are too few the sum.
        let of_page = |no: u64, yes: u64| {
            let few: u64 = [no, yes].into_iter().filter(|count| shown(*count).is_none()).sum();
            (shown(no), shown(yes), texts.then(|| shown(few)))
        };
        let same = counts.iter().zip(&grows).all(|((no, yes), low)| {
            let (more_no, more_yes) = if *low { (no + 1, *yes) } else { (*no, yes + 1) };
            of_page(*no, *yes) == of_page(more_no, more_yes)
        });
        prop_assume!(same && super::rounding::round_rows(rows + 10) == super::rounding::round_rows(rows + 11));
        let (one, more) = (of(false), of(true));
        prop_assert_ne!(&one, &more);
        let (one, more) = (run(version, &[("in.csv", &one)], &[]), run(version, &[("in.csv", &more)], &[]));
        prop_assert_eq!((one.exit, more.exit), (0, 0));
        prop_assert_eq!(one.pages, more.pages);
        prop_assert_eq!(one.stderr, more.stderr);
    }

    #[test]
    fn bad_bytes_end_in_a_fault_or_a_page(
        bytes in prop::collection::vec(prop::sample::select(b"a1,\"\r\n\0\xef\xbb\xbfTrue".to_vec()), 0..60),
        ending in prop::sample::select(vec!["csv", "csv.gz", "feather", "dta"]),
    ) {
        let made = run("v1", &[(&format!("in.{ending}"), &bytes)], &[]);
        prop_assert_eq!(made.pages.len(), usize::from(made.exit == 0));
        prop_assert!(made.exit == 0 || made.stderr.contains("error["));
    }
}

fn rows_of(count: u64, cell: &str) -> Vec<String> {
    (0..count).map(|_| cell.to_owned()).collect()
}

#[test]
fn logs_hold_no_exact_count() {
    // 1,213 rows, 317 short lines, 418 ones, 478 zeros; and everything there is to warn of.
    let mut text = b"patient_id,a\n".to_vec();
    for row in 0..1213 {
        let cell = if row < 317 {
            ""
        } else if row < 735 {
            ",1"
        } else {
            ",0"
        };
        text.extend_from_slice(format!("9{cell}\n").as_bytes());
    }
    text.extend_from_slice(b"\xff,1\n");
    for version in ["v0.0.5", "v0.0.99", "v1"] {
        let made = run(version, &[("in.csv.gz", &text), ("in.csv", &text)], &[]);
        assert_eq!((made.exit, made.pages.len()), (0, 2), "{}", made.stderr);
        for exact in ["1213", "1,213", "1214", "1,214", "317", "418", "419", "478"] {
            assert!(!made.stderr.contains(exact), "{exact}: {}", made.stderr);
            assert!(made.pages.values().all(|page| !page.contains(exact)), "{exact}");
        }
        assert!(made.stderr.contains("about 320 lines have fewer fields"), "{}", made.stderr);
    }
}

#[test]
fn every_format_tells_the_same() {
    let rows = 20_000;
    let schema = Schema {
        fields: [("patient_id", Kind::Int), ("died", Kind::Bool), ("age", Kind::Int)]
            .map(|(name, kind)| Field { name: name.to_owned(), kind })
            .to_vec(),
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("patient_id", std::sync::Arc::new(Int64Array::from_iter_values(0..rows))),
        ("died", std::sync::Arc::new(BooleanArray::from_iter((0..rows).map(|row| Some(row % 7 == 0))))),
        ("age", std::sync::Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row % 100)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let batches = (0..rows as usize).step_by(8_192).map(|at| batch.slice(at, 8_192.min(rows as usize - at))).collect();
    let source = Memory { schema, batches };
    for format in Format::ALL {
        let mut bytes = Vec::new();
        cohorts::write(format, &source, &mut bytes).unwrap();
        let name = format!("in.{}", format.extension());
        let made = run("v1", &[(&name, &bytes)], &[]);
        let found = tables(&made.pages["in.html"]);
        // 2,858 patients, every seventh from the first.
        let counts: Vec<&str> = found[1].iter().map(|row| row[1].as_str()).collect();
        assert_eq!(counts, ["17140", "2860"], "{name}");
        let deciles: Vec<&str> = found[2].iter().map(|row| row[1].as_str()).collect();
        assert_eq!(deciles, ["9", "19", "29", "39", "49", "59", "69", "79", "89"], "{name}");

        // Cut anywhere, or with a byte changed, it is a fault or a page, never half of one.
        for cut in (0..bytes.len()).step_by(bytes.len() / 7 + 1) {
            let made = run("v0.0.29", &[(&name, &bytes[..cut])], &[]);
            let plain = format == Format::Csv && cut > 0;
            assert_eq!((made.exit == 0, made.pages.len()), (plain, usize::from(plain)), "{name} {cut}");
            assert!(plain || made.stderr.contains("error["), "{name} {cut}");
        }
    }
    assert!(!Path::new("out").exists());
}
