//! What cases cannot show: random tables against a naive model, right sides on the disk, logs that tell nothing.
//! Everything else about cohort-joiner is a case under `cases/cohort-joiner`.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;

use proptest::prelude::*;

use super::options::{self, Asked};
use super::profile;
use crate::Context;

/// A header and rows of text.
type Table = Vec<Vec<String>>;

/// Runs with a limit of memory for the right side; gives whether it worked and what was said.
pub(super) fn run(folder: &Path, args: &[&str], limit: usize) -> (bool, String) {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(folder, &mut stdout, &mut stderr);
    let profile = profile::resolve(Some("v0.0.58")).unwrap_or_else(|fault| panic!("{fault}")).profile;
    let Ok(Asked::Run(options)) = options::read(&args, profile, None).0 else { panic!("good arguments") };
    let made = super::make(&options, profile, &mut context, limit);
    let mut said = String::from_utf8(stderr).unwrap();
    let faults = made.as_ref().err().into_iter().flatten();
    faults.for_each(|fault| said.push_str(&fault.render()));
    (made.is_ok(), said)
}

fn quoted(field: &str) -> String {
    let must = field.contains([',', '"', '\r', '\n']);
    if must { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

fn csv(table: &Table) -> String {
    let line = |row: &Vec<String>| {
        let line = row.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(",");
        if line.is_empty() { "\"\"\n".to_owned() } else { line + "\n" }
    };
    table.iter().map(line).collect()
}

/// What two identifiers must have in common to be the same.
fn canonical(id: &str) -> Option<String> {
    let text = id.trim_matches(' ');
    if text.is_empty() {
        return None;
    }
    let whole = text.split_once('.').filter(|(_, zeros)| !zeros.is_empty() && zeros.bytes().all(|b| b == b'0'));
    let digits = whole.map_or(text, |(whole, _)| whole);
    match digits.parse::<i128>() {
        Ok(number) if i128::from(i64::MIN) <= number && number <= i128::from(u64::MAX) => Some(format!("#{number}")),
        _ => Some(id.to_owned()),
    }
}

/// The join in its plainest form: every left row with every right row.
fn naive(left: &Table, right: &Table) -> Option<Table> {
    let key = |table: &Table| table[0].iter().position(|name| name == "patient_id").unwrap();
    let (lk, rk) = (key(left), key(right));
    let carried: Vec<usize> = (0..right[0].len()).filter(|at| *at != rk).collect();
    let shared = |name: &String, other: &Table| name != "patient_id" && other[0].contains(name);
    let suffixed = |name: &String, other: &Table, suffix: &str| match shared(name, other) {
        true => format!("{name}{suffix}"),
        false => name.clone(),
    };
    let mut header: Vec<String> = left[0].iter().map(|name| suffixed(name, right, "_x")).collect();
    header.extend(carried.iter().map(|at| suffixed(&right[0][*at], left, "_y")));
    let made = header.iter().filter(|name| !left[0].contains(name) && !right[0].contains(name));
    let clash = |name: &String| header.iter().filter(|other| *other == name).count() > 1;
    let renamed = |name: &&String| name.ends_with("_x") || name.ends_with("_y");
    if made.filter(renamed).any(clash) || header.iter().filter(renamed).any(clash) {
        return None;
    }
    let mut joined = vec![header];
    for l in &left[1..] {
        let id = canonical(&l[lk]);
        let mut found = false;
        for r in &right[1..] {
            if id.is_some() && canonical(&r[rk]) == id {
                found = true;
                joined.push(l.iter().cloned().chain(carried.iter().map(|at| r[*at].clone())).collect());
            }
        }
        if !found {
            joined.push(l.iter().cloned().chain(carried.iter().map(|_| String::new())).collect());
        }
    }
    Some(joined)
}

fn table() -> impl Strategy<Value = Table> {
    let id = prop_oneof![4 => "[0-9]{1,2}", 1 => "0?[0-9]\\.0", 1 => "-?[0-3]", 1 => " ?[0-9] ?", 1 => "[a-b ]{0,2}", 1 => "1844674407370955161[45]"];
    let field = prop_oneof![3 => "[0-9a]{0,3}", 1 => "NA|0042|1\\.0|True", 1 => "[a,\"\n\r é]{0,3}"];
    (0_usize..4, prop::sample::subsequence(vec!["a", "b", "a_x", "c d", ""], 0..4)).prop_flat_map(move |(at, names)| {
        let mut header: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let at = at.min(header.len());
        header.insert(at, "patient_id".to_owned());
        let row = (id.clone(), prop::collection::vec(field.clone(), names.len())).prop_map(move |(id, mut row)| {
            row.insert(at, id);
            row
        });
        prop::collection::vec(row, 0..24).prop_map(move |rows| {
            let mut table = vec![header.clone()];
            table.extend(rows);
            table
        })
    })
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// In memory, on the disk, plain and packed: the result is that of the naive model, byte for byte.
    #[test]
    fn results_are_those_of_the_naive_model(left in table(), right in table(), limit in prop_oneof![Just(usize::MAX), 1_usize..400]) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::fs::write(folder.path().join("in/left.csv"), csv(&left)).unwrap();
        std::fs::write(folder.path().join("right.csv"), csv(&right)).unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, csv(&left).as_bytes()).unwrap();
        std::fs::write(folder.path().join("in/left.csv.gz"), packed.finish().unwrap()).unwrap();
        let (done, said) = run(folder.path(), &["--lhs=in/*", "--rhs=right.csv", "--output-dir=out"], limit);
        match naive(&left, &right) {
            Some(expected) => {
                prop_assert!(done, "{}", said);
                let made = std::fs::read_to_string(folder.path().join("out/left.csv")).unwrap();
                prop_assert_eq!(&made, &csv(&expected));
                prop_assert_eq!(&unpacked(&folder.path().join("out/left.csv.gz")), &made);
                prop_assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 2);
            }
            None => {
                prop_assert!(!done && said.contains("error[column_clash]"), "{}", said);
                prop_assert!(!folder.path().join("out").exists());
            }
        }
    }

    /// Whatever the bytes: a whole result or none, and a fault in words.
    #[test]
    fn hostile_files_end_in_a_result_or_a_fault(text in "[pa,;\"\n\r0-9\u{0}é]{0,60}", head in any::<bool>(), side in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let hostile = format!("{}{text}", if head { "patient_id,a\n" } else { "" });
        let good = "patient_id,b\n1,2\n".to_owned();
        let (left, right) = if side { (hostile, good) } else { (good, hostile) };
        std::fs::write(folder.path().join("in/left.csv"), left).unwrap();
        std::fs::write(folder.path().join("right.csv"), right).unwrap();
        let (done, said) = run(folder.path(), &["--lhs=in/*", "--rhs=right.csv", "--output-dir=out"], usize::MAX);
        let made = std::fs::read_dir(folder.path().join("out")).map_or(0, Iterator::count);
        prop_assert_eq!(made, usize::from(done));
        prop_assert_eq!(done, !said.contains("error["));
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A fault in one file: the others are made, the fault's file is not, and all faults are told.
#[test]
fn faults_of_several_files_are_told_together() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a", "1,2\n"), ("b", "1,2,3\n"), ("c", "\"1,2\n"), ("d", "1,2\n")] {
        write(folder.path(), &format!("in/{name}.csv"), &format!("patient_id,v\n{text}"));
    }
    write(folder.path(), "right.csv", "patient_id,w\n1,x\n");
    write(folder.path(), "out/b.csv", "before");
    let (done, said) = run(folder.path(), &["--lhs=in/*", "--rhs=right.csv", "--output-dir=out"], usize::MAX);
    assert!(!done && said.contains("in/b.csv: line 2 has more fields") && said.contains("in/c.csv: a quote"), "{said}");
    let made = |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).ok();
    assert_eq!(made("a.csv").as_deref(), Some("patient_id,v,w\n1,2,x\n"));
    assert_eq!(made("d.csv").as_deref(), Some("patient_id,v,w\n1,2,x\n"));
    assert_eq!(made("b.csv").as_deref(), Some("before"));
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 3);
}

/// A right side over the limit gives the same bytes, and leaves no file of its rows.
#[test]
fn a_right_side_on_the_disk_gives_the_same() {
    let made = |limit| {
        let folder = tempfile::tempdir().unwrap();
        let rows = |count: u32, step: u32| -> String {
            (0..count).map(|at| format!("{},v{at}\n", at.wrapping_mul(step) % 4_000)).collect()
        };
        write(folder.path(), "in/left.csv", &format!("patient_id,a\n{}", rows(5_000, 7)));
        write(folder.path(), "right.csv", &format!("patient_id,b\nx,y\n,blank\n{}", rows(3_000, 11)));
        let (done, said) = run(folder.path(), &["--lhs=in/*", "--rhs=right.csv", "--output-dir=out"], limit);
        assert!(done, "{said}");
        assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
        (std::fs::read_to_string(folder.path().join("out/left.csv")).unwrap(), said)
    };
    let memory = made(usize::MAX);
    assert_eq!(memory.0.lines().count(), 1 + 5_000);
    assert!(made(10_000) == memory);
    assert!(made(0) == memory);
}

/// Files that differ in one patient give the same log (actions.md 13, leak tests).
#[test]
fn logs_tell_no_exact_counts() {
    let said = |rows: u32, partners: u32| {
        let folder = tempfile::tempdir().unwrap();
        let left: String = (0..rows).map(|id| format!("{id}\n")).collect();
        let right: String = (0..partners).map(|id| format!("{},x\n{},x\n", id % 1_000, 5_000 + id % 3)).collect();
        write(folder.path(), "in/left.csv", &format!("patient_id\n{left}"));
        write(folder.path(), "right.csv", &format!("patient_id,b\n{right}"));
        let (done, said) = run(folder.path(), &["--lhs=in/*", "--rhs=right.csv", "--output-dir=out"], usize::MAX);
        assert!(done);
        said
    };
    assert_eq!(said(4_318, 991), said(4_319, 990));
    let said = said(4_318, 991);
    for exact in ["4318", "4,318", "991", "3327", "3,327", "988"] {
        assert!(!said.contains(exact), "{said}");
    }
}

#[test]
fn help_teaches() {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(Path::new("."), &mut stdout, &mut stderr);
    assert_eq!(crate::run("cohort-joiner", &["--help".into()], &mut context), 0);
    insta::assert_snapshot!(String::from_utf8(stdout).unwrap());
}
