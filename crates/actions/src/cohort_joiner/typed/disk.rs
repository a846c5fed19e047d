//! A right side with types that does not fit into memory: each row as bytes in the parts on the disk, and columns made of them
//! again. What stands under a missing cell is kept too, so that results are those from memory byte for byte.

use std::io;

use arrow_array::{Array as _, ArrayRef, make_array};
use arrow_buffer::bit_util::get_bit;
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType};

use super::super::index::Spread;
use super::super::matches::MakeFile;
use super::super::spill::Parts;
use super::super::trouble::Trouble;
use super::cell;

/// The right side by parts.
pub(super) struct Disk {
    pub(super) parts: Parts,
    columns: Vec<Shape>,
    /// The first row of the file: what Arrow puts under the missing cells of a row without a partner is its.
    first: Option<Vec<u8>>,
}

impl Disk {
    pub(super) fn new(blanks_match: bool, make_file: &mut MakeFile<'_>) -> Result<Self, Trouble> {
        let parts = Parts::new(Spread::new(), blanks_match, make_file)?;
        Ok(Self { parts, columns: Vec::new(), first: None })
    }

    /// Adds rows, each with its key; the dictionaries of all rows are those of the first ones.
    pub(super) fn push(&mut self, keys: &ArrayRef, arrays: &[ArrayRef]) -> Result<(), Trouble> {
        let cells: Vec<ArrayData> = arrays.iter().map(|array| array.to_data()).collect();
        if self.columns.is_empty() {
            self.columns = cells.iter().map(Shape::of).collect::<io::Result<_>>()?;
        }
        let mut line = Vec::new();
        for row in 0..keys.len() {
            line.clear();
            for (column, cells) in self.columns.iter().zip(&cells) {
                column.layout.push(&mut line, cells, row);
            }
            self.first.get_or_insert_with(|| line.clone());
            cell::with_key(keys, row, |key| self.parts.push(key, &line))?;
        }
        Ok(())
    }

    pub(super) fn unpacking(&self) -> Result<Unpacking<'_>, Trouble> {
        let columns = self.columns.iter().map(Filling::new).collect();
        let mut unpacking = Unpacking { columns, rows: 0, first: self.first.as_deref() };
        unpacking.begin()?;
        Ok(unpacking)
    }
}

/// How the cells of a column lie in its buffers.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Nowhere,
    Bits,
    /// Numbers of so many bytes; of a dictionary those of its values.
    Numbers(usize),
    Texts,
    LongTexts,
}

impl Layout {
    fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Nowhere,
            DataType::Boolean => Self::Bits,
            DataType::Utf8 | DataType::Binary => Self::Texts,
            DataType::LargeUtf8 | DataType::LargeBinary => Self::LongTexts,
            DataType::Dictionary(number, _) => Self::Numbers(number.primitive_width()?),
            number => Self::Numbers(number.primitive_width()?),
        })
    }

    /// Adds a cell: whether it is there, and its bytes.
    fn push(self, out: &mut Vec<u8>, cells: &ArrayData, row: usize) {
        out.push(u8::from(cells.is_valid(row)));
        let at = cells.offset() + row;
        let mut text = |from: usize, to: usize| {
            out.extend_from_slice(&(to - from).to_le_bytes());
            out.extend_from_slice(&cells.buffers()[1][from..to]);
        };
        match self {
            Self::Nowhere => {}
            Self::Bits => out.push(u8::from(get_bit(&cells.buffers()[0], at))),
            Self::Numbers(width) => out.extend_from_slice(&cells.buffers()[0][at * width..(at + 1) * width]),
            Self::Texts => {
                let ends = cells.buffer::<i32>(0);
                text(ends[row] as usize, ends[row + 1] as usize);
            }
            Self::LongTexts => {
                let ends = cells.buffer::<i64>(0);
                text(ends[row] as usize, ends[row + 1] as usize);
            }
        }
    }
}

/// What a column is.
struct Shape {
    data_type: DataType,
    layout: Layout,
    /// The values of its dictionary.
    values: Vec<ArrayData>,
}

impl Shape {
    fn of(cells: &ArrayData) -> io::Result<Self> {
        let data_type = cells.data_type().clone();
        // The readers of files give no others.
        let layout = Layout::of(&data_type).ok_or(io::ErrorKind::Unsupported)?;
        Ok(Self { data_type, layout, values: cells.child_data().to_vec() })
    }
}

/// A column that is made of cells again.
struct Filling<'a> {
    shape: &'a Shape,
    there: BooleanBufferBuilder,
    bits: BooleanBufferBuilder,
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl<'a> Filling<'a> {
    fn new(shape: &'a Shape) -> Self {
        let bits = || BooleanBufferBuilder::new(0);
        Self { shape, there: bits(), bits: bits(), bytes: Vec::new(), ends: vec![0] }
    }

    /// Takes a cell off what is left of a row; nothing if it is not there.
    fn push(&mut self, line: &mut &[u8]) -> Option<()> {
        let mut bytes = |count| line.split_off(..count);
        self.there.append(*bytes(1)?.first()? != 0);
        match self.shape.layout {
            Layout::Nowhere => {}
            Layout::Bits => self.bits.append(*bytes(1)?.first()? != 0),
            Layout::Numbers(width) => self.bytes.extend_from_slice(bytes(width)?),
            Layout::Texts | Layout::LongTexts => {
                let length = usize::from_le_bytes(bytes(size_of::<usize>())?.try_into().ok()?);
                self.bytes.extend_from_slice(bytes(length)?);
                self.ends.push(self.bytes.len());
            }
        }
        Some(())
    }

    /// The column of all cells; begins anew.
    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let rows = self.there.len();
        let there = NullBuffer::new(self.there.finish());
        let bytes = std::mem::take(&mut self.bytes);
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let too_long = |_| ArrowError::OffsetOverflowError(bytes.len());
        let buffers = match self.shape.layout {
            Layout::Nowhere => Vec::new(),
            Layout::Bits => vec![self.bits.finish().into_inner()],
            Layout::Numbers(_) => vec![Buffer::from_vec(bytes)],
            Layout::Texts => {
                let ends = ends.into_iter().map(i32::try_from).collect::<Result<Vec<_>, _>>().map_err(too_long)?;
                vec![Buffer::from_vec(ends), Buffer::from_vec(bytes)]
            }
            Layout::LongTexts => {
                let ends = ends.into_iter().map(i64::try_from).collect::<Result<Vec<_>, _>>().map_err(too_long)?;
                vec![Buffer::from_vec(ends), Buffer::from_vec(bytes)]
            }
        };
        let has_cells = !matches!(self.shape.layout, Layout::Nowhere);
        let column = ArrayData::builder(self.shape.data_type.clone()).len(rows).buffers(buffers).align_buffers(true);
        let column = column.child_data(self.shape.values.clone()).nulls(has_cells.then_some(there));
        Ok(make_array(column.build()?))
    }
}

/// Columns that are made of rows again, some rows at once.
pub(super) struct Unpacking<'a> {
    columns: Vec<Filling<'a>>,
    rows: u32,
    first: Option<&'a [u8]>,
}

impl Unpacking<'_> {
    fn begin(&mut self) -> io::Result<()> {
        self.rows = 0;
        self.first.map_or(Ok(()), |first| self.push(first).map(drop))
    }

    /// Adds a row, and gives its number in the columns.
    pub(super) fn push(&mut self, mut line: &[u8]) -> io::Result<u32> {
        let whole = self.columns.iter_mut().try_for_each(|column| column.push(&mut line));
        whole.ok_or(io::ErrorKind::InvalidData)?;
        self.rows += 1;
        Ok(self.rows - 1)
    }

    /// The columns; begins anew.
    pub(super) fn take(&mut self) -> Result<Vec<ArrayRef>, Trouble> {
        let columns = self.columns.iter_mut().map(Filling::take).collect::<Result<_, _>>();
        self.begin()?;
        columns.map_err(|error| Trouble::Write(io::Error::other(error)))
    }
}
