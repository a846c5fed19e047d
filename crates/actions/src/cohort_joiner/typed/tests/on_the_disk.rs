//! Right sides that do not fit into memory: the same files byte for byte, the same words, and nothing left over.

use arrow_array::{Array as _, Date32Array, Int8Array, TimestampMillisecondArray, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::TimeUnit;

use super::super::super::inputs::{Left, Side};
use super::super::super::options::{self, Asked};
use super::super::super::profile;
use super::super::super::trouble::Trouble;
use super::super::{Reading, Right, header};
use super::*;
use crate::workspace::Workspace;

/// What a run makes in a folder that holds nothing else: its files by name, and what it says.
type Made = (bool, String, Vec<(String, Vec<u8>)>);

fn made(folder: &Path, right: &str, more: &[&str], limit: usize) -> Made {
    let rhs = format!("--rhs={right}");
    let args = [&["--lhs=in/*", &rhs, "--output-dir=out"], more].concat();
    let (done, said) = run(folder, &args, limit);
    let out = folder.join("out");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    std::fs::remove_dir_all(out).unwrap();
    (done, said, files)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Left files of all formats at once, joined to one of each format.
    #[test]
    fn all_pairs_of_formats_give_the_same(
        left in rows(),
        right in rows(),
        shared in any::<bool>(),
        original in any::<bool>(),
        packing in packing(),
        limit in prop_oneof![Just(0), 1_usize..2_000],
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        for format in Format::ALL {
            write(&folder.path().join("in"), "left", format, &left, "", packing);
            write(folder.path(), "right", format, &right, if shared { "" } else { "2" }, packing);
        }
        let compat: &[&str] = if original { &["--compat=original"] } else { &[] };
        for format in Format::ALL {
            let name = format!("right.{}", format.extension());
            let memory = made(folder.path(), &name, compat, usize::MAX);
            prop_assert!(memory.0 && memory.2.len() == Format::ALL.len(), "{}", memory.1);
            let disk = made(folder.path(), &name, compat, limit);
            prop_assert_eq!(&memory.1, &disk.1);
            prop_assert!(memory == disk, "{:?}", format);
        }
    }
}

/// Every type that a feather file may have, with any bytes, under missing cells too.
#[derive(Debug, Clone)]
struct Cells {
    ids: Vec<Option<i64>>,
    /// Of each row: bytes of numbers and of texts, and whether each column has it.
    rows: Vec<([u8; 16], String, u64)>,
}

fn cells() -> impl Strategy<Value = Cells> {
    let row = (prop::option::weighted(0.9, -2_i64..12), any::<[u8; 16]>(), "[a-zé]{0,9}", any::<u64>());
    prop::collection::vec(row, 1..40).prop_map(|rows| Cells {
        ids: rows.iter().map(|row| row.0).collect(),
        rows: rows.into_iter().map(|(_, bytes, text, there)| (bytes, text, there)).collect(),
    })
}

fn types() -> Vec<DataType> {
    use DataType::*;
    let mut types = vec![
        Null,
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Utf8,
        LargeUtf8,
        Binary,
        LargeBinary,
        Date32,
        Date64,
    ];
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        types.extend([Timestamp(unit, None), Timestamp(unit, Some("Europe/London".into())), Duration(unit)]);
    }
    let keys = [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64];
    let values = [Utf8, LargeUtf8, Int64, Boolean, Float64, Date32, Binary, Utf8];
    types.extend(keys.into_iter().zip(values).map(|(key, value)| Dictionary(Box::new(key), Box::new(value))));
    types
}

fn column(of: &DataType, at: usize, cells: &Cells) -> ArrayRef {
    let rows = cells.rows.len();
    let there = cells.rows.iter().map(|row| row.2 >> (at % 64) & 3 != 0).collect::<BooleanBuffer>();
    let texts = || {
        let texts: Vec<&[u8]> = cells.rows.iter().map(|row| row.1.as_bytes()).collect();
        let ends = std::iter::once(0).chain(texts.iter().scan(0, |end, text| {
            *end += text.len();
            Some(*end)
        }));
        (ends.collect::<Vec<usize>>(), Buffer::from_vec(texts.concat()))
    };
    let numbers = |width: usize, most: u8| {
        let bytes = cells.rows.iter().flat_map(|row| row.0.map(|byte| byte.min(most))[at % 8..][..width].to_vec());
        Buffer::from_vec(bytes.collect::<Vec<u8>>())
    };
    let (buffers, values) = match of {
        DataType::Null => (vec![], vec![]),
        DataType::Boolean => {
            (vec![cells.rows.iter().map(|row| row.0[at % 8] > 99).collect::<BooleanBuffer>().into_inner()], vec![])
        }
        DataType::Utf8 | DataType::Binary => {
            let (ends, bytes) = texts();
            (vec![Buffer::from_vec(ends.iter().map(|end| *end as i32).collect::<Vec<_>>()), bytes], vec![])
        }
        DataType::LargeUtf8 | DataType::LargeBinary => {
            let (ends, bytes) = texts();
            (vec![Buffer::from_vec(ends.iter().map(|end| *end as i64).collect::<Vec<_>>()), bytes], vec![])
        }
        DataType::Dictionary(key, value) => {
            let values = column(value, at + 1, cells).to_data();
            let width = key.primitive_width().unwrap();
            // The lowest byte says which value.
            let keys = cells.rows.iter().flat_map(|row| {
                let mut key = vec![0; width];
                key[0] = row.0[at % 16] % rows as u8;
                key
            });
            (vec![Buffer::from_vec(keys.collect::<Vec<u8>>())], vec![values])
        }
        number => (vec![numbers(number.primitive_width().unwrap(), u8::MAX)], vec![]),
    };
    let there = (*of != DataType::Null).then(|| NullBuffer::new(there));
    let data = ArrayData::builder(of.clone()).len(rows).buffers(buffers).child_data(values).nulls(there);
    make_array(data.align_buffers(true).build().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn all_types_give_the_same(
        right in cells(),
        left in prop::collection::vec(prop::option::weighted(0.9, -2_i64..12), 0..40),
        batch in 1_usize..20,
        packing in packing(),
        limit in prop_oneof![Just(0), 1_usize..20_000],
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let file = |name: &str, arrays: Vec<ArrayRef>| {
            let name_of = |at: usize| if at == 0 { "patient_id".to_owned() } else { format!("c{at}") };
            let fields = arrays.iter().enumerate();
            let fields: Vec<Field> =
                fields.map(|(at, array)| Field::new(name_of(at), array.data_type().clone(), true)).collect();
            let schema = Arc::new(Schema::new(fields));
            let mut out = File::create(folder.path().join(name)).unwrap();
            let mut file = FeatherWriter::begin(&mut out, Arc::clone(&schema), packing).unwrap();
            let all = RecordBatch::try_new(schema, arrays).unwrap();
            for from in (0..all.num_rows()).step_by(batch) {
                file.write(&all.slice(from, batch.min(all.num_rows() - from))).unwrap();
            }
            file.end().unwrap();
        };
        let ids: ArrayRef = Arc::new(right.ids.iter().copied().collect::<Int64Array>());
        let columns = types().into_iter().enumerate().map(|(at, of)| column(&of, at, &right));
        file("right.feather", std::iter::once(ids).chain(columns).collect());
        file("in/left.feather", vec![Arc::new(left.into_iter().collect::<Int64Array>())]);
        std::fs::write(folder.path().join("in/left.csv"), "patient_id,a\n3,x\n4,\n,y\n-1,z\n").unwrap();
        let memory = made(folder.path(), "right.feather", &[], usize::MAX);
        prop_assert!(memory.0, "{}", memory.1);
        let disk = made(folder.path(), "right.feather", &[], limit);
        prop_assert_eq!(&memory.1, &disk.1);
        prop_assert!(memory.2 == disk.2);
    }
}

/// A right file of Stata with days, moments and labels; `late`: one of them lies beyond the years of nanoseconds.
fn stata(folder: &Path, format: Format, late: bool) {
    let ids: Vec<i64> = (0..300).map(|row| row % 200).collect();
    let days = ids.iter().enumerate().map(|(row, id)| (id % 3 > 0).then_some(row as i32 * 40));
    let mut days: Vec<Option<i32>> = days.collect();
    let mut moments: Vec<Option<i64>> = days.iter().map(|day| day.map(|day| i64::from(day) * 86_400_000 + 7)).collect();
    if late {
        days[290] = Some(200_000);
        moments[291] = Some(200_000 * 86_400_000);
    }
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids.clone())),
        Arc::new(Date32Array::from(days)),
        Arc::new(TimestampMillisecondArray::from(moments)),
        Arc::new(ids.iter().map(|id| (id % 7 > 0).then_some((id % 5) as i8)).collect::<Int8Array>()),
        Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("text {id}")))),
    ];
    let shown = [None, Some("%td"), Some("%tc"), Some("%9.0g"), None];
    let columns = ["patient_id", "day", "moment", "sex", "text"].iter().zip(&arrays).zip(shown);
    let columns: Vec<StataColumn> = columns
        .map(|((name, array), format)| StataColumn {
            name: (*name).to_owned(),
            data_type: array.data_type().clone(),
            format: format.map(str::to_owned),
            labels: (*name == "sex").then(|| Arc::new([(1, "one".to_owned()), (2, "two".to_owned())].into())),
        })
        .collect();
    let mut out = File::create(folder.join(format!("right.{}", format.extension()))).unwrap();
    let write = |out: &mut dyn std::io::Write| write_stata(&columns, &mut |each| each(&arrays), out);
    match format {
        Format::DtaGz => cohorts::gzip(1, &mut out, write).unwrap(),
        _ => write(&mut out).unwrap(),
    };
}

#[test]
fn what_stata_says_of_columns_stays() {
    for (format, late, original) in [
        (Format::Dta, false, false),
        (Format::DtaGz, true, false),
        (Format::Dta, true, true),
        (Format::DtaGz, false, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let left: Vec<Row> =
            (0..250).map(|row| ((row % 9 > 0).then_some(row), Some(row), None, true, "a".to_owned(), None)).collect();
        for of_left in Format::ALL {
            write(&folder.path().join("in"), "left", of_left, &left, "", Packing::Lz4);
        }
        stata(folder.path(), format, late);
        let compat: &[&str] = if original { &["--compat=original"] } else { &[] };
        let name = format!("right.{}", format.extension());
        let memory = made(folder.path(), &name, compat, usize::MAX);
        assert!(memory.0 && memory.2.len() == Format::ALL.len(), "{}", memory.1);
        assert!(memory == made(folder.path(), &name, compat, 0), "{format:?} {late} {original}");
    }
}

fn five_hundred(folder: &Path, right: Format) {
    std::fs::create_dir(folder.join("in")).unwrap();
    let rows: Vec<Row> = (0..500).map(|id| (Some(id), Some(id), None, true, "a".to_owned(), None)).collect();
    write(&folder.join("in"), "left", Format::Feather, &rows, "", Packing::None);
    write(folder, "right", right, &rows, "2", Packing::None);
}

/// A right side that has nothing to give but its identifiers, one of them twice.
#[test]
fn rows_without_columns_multiply_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    five_hundred(folder.path(), Format::Feather);
    let ids: String = (0..500).map(|id| format!("{}\n", id % 499 * 2)).collect();
    std::fs::write(folder.path().join("right.csv"), format!("patient_id\n{ids}")).unwrap();
    let memory = made(folder.path(), "right.csv", &[], usize::MAX);
    assert!(memory.0, "{}", memory.1);
    assert!(memory == made(folder.path(), "right.csv", &[], 1_000));
}

/// A fault behind the rows that are on the disk already leaves nothing there.
#[test]
fn faults_leave_nothing() {
    for (damaged, why) in [("right.feather", "right.feather"), ("in/left.feather", "in/left.feather")] {
        let folder = tempfile::tempdir().unwrap();
        five_hundred(folder.path(), Format::Feather);
        let path = folder.path().join(damaged);
        let mut bytes = std::fs::read(&path).unwrap();
        // The head of the last batch: behind the last of the marks that messages begin with, but for that of the end.
        let marks: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(&[0xff; 4])).collect();
        let last = marks[marks.len() - 2];
        bytes[last + 8..last + 40].fill(0xee);
        std::fs::write(&path, bytes).unwrap();
        let memory = made(folder.path(), "right.feather", &[], usize::MAX);
        assert!(!memory.0 && memory.1.contains("error[malformed_file]") && memory.1.contains(why), "{}", memory.1);
        assert!(memory.2.is_empty());
        assert!(memory == made(folder.path(), "right.feather", &[], 1_000));
    }
}

/// The texts of a csv file that become categories are held in memory, and must fit there.
#[test]
fn too_many_different_texts_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    five_hundred(folder.path(), Format::Csv);
    let (done, said, _) = made(folder.path(), "right.csv", &[], 5_000);
    assert!(done, "{said}");
    let rows: String = (0..40_000).map(|row| format!("{row},text {row}\n")).collect();
    std::fs::write(folder.path().join("right.csv"), format!("patient_id,t\n{rows}")).unwrap();
    let (done, said, files) = made(folder.path(), "right.csv", &[], 5_000);
    assert!(!done && said.contains("error[too_large]") && said.contains("csv.gz"), "{said}");
    assert!(files.is_empty());
}

/// A disk that is full, from the first file or from one of those that answer the left file.
#[test]
fn a_full_disk_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    five_hundred(folder.path(), Format::Feather);
    let workspace = Workspace::new(folder.path()).unwrap();
    let side = |path: &str| Side {
        path: path.into(),
        format: Format::Feather,
        header: header(&workspace, path.as_ref(), Format::Feather, "file", &mut std::io::sink()).unwrap(),
    };
    let full = || Ok(File::options().read(true).write(true).open("/dev/full")?);
    let free = || Ok(tempfile::tempfile()?);
    let is_full = |trouble: Trouble| {
        let fault = trouble.fault("rows").render();
        assert!(fault.starts_with("error[out_of_space]"), "{fault}");
    };
    let mut make_file = full;
    let reading = Reading::new(0, false, &mut make_file);
    let read = Right::read(&workspace, &side("right.feather"), reading, false, &mut std::io::sink());
    is_full(read.err().unwrap());

    let mut make_file = free;
    let reading = Reading::new(0, false, &mut make_file);
    let right = Right::read(&workspace, &side("right.feather"), reading, false, &mut std::io::sink()).unwrap();
    let args = ["--lhs=in/*", "--rhs=right.feather", "--output-dir=out"].map(std::ffi::OsString::from);
    let profile = profile::resolve(Some("v0.0.58")).unwrap_or_else(|fault| panic!("{fault}")).profile;
    let Ok(Asked::Run(options)) = options::read(&args, profile, None).0 else { panic!("good arguments") };
    let left = Left { side: side("in/left.feather"), result: "out/left.feather".into(), names: Vec::new() };
    let mut out = tempfile::tempfile().unwrap();
    for good in [0, 64] {
        let mut made = 0;
        let mut make_file = || {
            made += 1;
            if made > good { full() } else { free() }
        };
        let joined = right.join(&workspace, &left, &options, &mut make_file, &mut std::io::sink(), &mut out);
        is_full(joined.err().unwrap());
    }
}
