//! Batches of feather files that are handed on as they lie: none, all or some of them, between others that are made anew.

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, Int16Array};

use super::*;

const BATCH: i64 = FeatherWriter::BATCH as i64;

fn category(keys: impl Iterator<Item = i64>) -> ArrayRef {
    let values: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    // Every seventh has none.
    let keys: Int16Array = keys.map(|key| (key % 7 != 0).then_some((key % 3) as i16)).collect();
    Arc::new(DictionaryArray::new(keys, values))
}

/// A file with these identifiers, a batch for each list; a number and a category follow from the identifier.
fn file(path: &Path, batches: &[Vec<i64>], packing: Packing) {
    let arrays = |ids: &Vec<i64>| -> Vec<ArrayRef> {
        let numbers = ids.iter().map(|id| (id % 5 != 0).then_some(id * 3));
        vec![
            Arc::new(Int64Array::from(ids.clone())),
            Arc::new(numbers.collect::<Int64Array>()),
            category(ids.iter().copied()),
        ]
    };
    let schema = arrays(&Vec::new());
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let names = ["patient_id".to_owned(), format!("n_{stem}"), format!("c_{stem}")];
    let fields = names.iter().zip(&schema).map(|(name, array)| Field::new(name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut out = File::create(path).unwrap();
    let mut file = FeatherWriter::begin(&mut out, Arc::clone(&schema), packing).unwrap();
    for ids in batches {
        file.write(&RecordBatch::try_new(Arc::clone(&schema), arrays(ids)).unwrap()).unwrap();
    }
    file.end().unwrap();
}

/// The rows of a result: identifier, number and category of the left side, number and category of the right one; and the
/// length of each batch.
type Cells = (Option<i64>, Option<i64>, Option<String>, Option<i64>, Option<String>);
fn result(path: &Path) -> (Vec<Cells>, Vec<usize>) {
    let reader = Reader::open(Format::Feather, File::open(path).unwrap(), Limits::default()).unwrap();
    let (mut cells, mut lengths) = (Vec::new(), Vec::new());
    for rows in reader {
        let rows = rows.unwrap();
        lengths.push(rows.len);
        let number = |at: usize, row| {
            let array = rows.columns[at].as_primitive::<Int64Type>();
            array.is_valid(row).then(|| array.value(row))
        };
        let text = |at: usize, row| {
            let mut text = Vec::new();
            cell::push(&mut text, &rows.columns[at], row, &Shown::default());
            rows.columns[at].is_valid(row).then(|| String::from_utf8(text).unwrap())
        };
        for row in 0..rows.len {
            cells.push((number(0, row), number(1, row), text(2, row), number(3, row), text(4, row)));
        }
    }
    (cells, lengths)
}

fn expected(left: &[Vec<i64>], right: &[i64]) -> Vec<Cells> {
    let mut partners: HashMap<i64, usize> = HashMap::new();
    right.iter().for_each(|id| *partners.entry(*id).or_default() += 1);
    let number = |id: i64| (id % 5 != 0).then_some(id * 3);
    let text = |id: i64| (id % 7 != 0).then(|| ["a", "b", "c"][(id % 3) as usize].to_owned());
    let row = |id: &i64| match partners.get(id) {
        None => vec![(Some(*id), number(*id), text(*id), None, None)],
        Some(count) => vec![(Some(*id), number(*id), text(*id), number(*id), text(*id)); *count],
    };
    left.iter().flatten().flat_map(row).collect()
}

#[test]
fn batches_are_handed_on_where_nothing_multiplies() {
    let whole = |from: i64| (from..from + BATCH).collect::<Vec<i64>>();
    let left = [whole(1), whole(1 + BATCH), (1 + 2 * BATCH..11 + 2 * BATCH).collect()];
    let short = [(1..1000).collect(), (1000..2000).collect::<Vec<i64>>()];
    let long = BATCH as usize;
    type Row<'a> = (&'a str, &'a [Vec<i64>], Vec<i64>, Vec<usize>);
    let rows: [Row<'_>; 4] = [
        ("each has one partner or none", &left, (1..3 * BATCH).rev().step_by(2).collect(), vec![long, long, 10]),
        ("the first batch grows by one row, so all behind it move", &left, vec![5, 5], vec![long, long, 11]),
        ("the last batch grows by one row", &left, vec![2 * BATCH + 3; 2], vec![long, long, 11]),
        ("short batches become one", &short, vec![7, 1500], vec![1999]),
    ];
    for packing in [Packing::None, Packing::Lz4, Packing::Zstd] {
        for (what, left, right, lengths) in &rows {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("in")).unwrap();
            file(&folder.path().join("in/left.feather"), left, packing);
            file(&folder.path().join("right.feather"), std::slice::from_ref(right), packing);
            let (done, said) =
                run(folder.path(), &["--lhs=in/*", "--rhs=right.feather", "--output-dir=out"], usize::MAX);
            assert!(done, "{said}");
            let made = folder.path().join("out/left.feather");
            assert!(run(folder.path(), &["--lhs=in/*", "--rhs=right.feather", "--output-dir=disk"], 0).0);
            let on_the_disk = std::fs::read(folder.path().join("disk/left.feather")).unwrap();
            assert!(std::fs::read(&made).unwrap() == on_the_disk, "{what}, {packing:?}");
            let (cells, found) = result(&made);
            assert_eq!(&found, lengths, "{what}, {packing:?}");
            assert!(cells == expected(left, right), "{what}, {packing:?}");
        }
    }
}

/// What is handed on was unpacked once: a fault in a column that the join never looks at is told, in the first batch and in
/// a later one.
#[test]
fn what_is_damaged_is_not_handed_on() {
    damaged(&[(1..2000).collect()]);
    damaged(&[(1..=BATCH).collect(), (BATCH + 1..BATCH + 2000).collect()]);
}

fn damaged(batches: &[Vec<i64>]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let path = folder.path().join("in/left.feather");
    file(&path, batches, Packing::Zstd);
    file(&folder.path().join("right.feather"), &[vec![1]], Packing::Zstd);
    let sound = std::fs::read(&path).unwrap();
    // The frames of zstd in the file: of the dictionary's two buffers, then of the columns.
    let frames: Vec<usize> = (0..sound.len() - 4).filter(|at| sound[*at..].starts_with(b"\x28\xb5\x2f\xfd")).collect();
    let last = *frames.last().unwrap();
    let mut damaged = sound.clone();
    damaged[last + 6..last + 40].fill(0xff);
    std::fs::write(&path, damaged).unwrap();
    let (done, said) = run(folder.path(), &["--lhs=in/*", "--rhs=right.feather", "--output-dir=out"], usize::MAX);
    assert!(!done && said.contains("in/left.feather"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 0);
}
