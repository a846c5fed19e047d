//! Rules of series: types of operands and results, and that rows of one frame meet no rows of another.
//! D301, D304, D305, D306 of warehouse.md 5.1 and 5.7.

use super::fault::{Code, Problem};
use super::frames::expect_type;
use super::shape::{Problems, SeriesShape, Shapes};
use crate::graph::{Aggregate, Arithmetic, Comparison, Op, Series, Unit};
use crate::value::{Type, Value};

const NUMBERS: &[Type] = &[Type::Int, Type::Float];
const ORDERED: &[Type] = &[Type::Int, Type::Float, Type::Str, Type::Date, Type::DateTime];
const ANY: &[Type] = &[Type::Bool, Type::Int, Type::Float, Type::Str, Type::Date, Type::DateTime];
const BOOL: &[Type] = &[Type::Bool];
const TEXT: &[Type] = &[Type::Str];
const DATE: &[Type] = &[Type::Date];

impl Shapes<'_> {
    #[allow(clippy::too_many_lines, reason = "one table: a line or two for each operation")]
    pub(super) fn series_shape(&self, op: &Op, p: &mut Problems) -> Option<SeriesShape> {
        match op {
            Op::Value { value } => {
                if value.is_null() {
                    p.push(Problem::new(Code::D304, "value", "NULL is spelled null, with its type"));
                }
                constant(value.kind()?, false)
            }
            Op::Null { kind } => constant(*kind, false),
            Op::Values { kind, values } => {
                if values.iter().any(|v| v.kind() != Some(*kind)) {
                    p.push(Problem::new(Code::D306, "values", format!("a value of the set is not {kind}")));
                }
                constant(*kind, true)
            }
            Op::Codelist { .. } => constant(Type::Str, true),
            Op::Parameter { name } => match self.parameters.get(name) {
                Some(kind) => constant(*kind, false),
                None => {
                    p.push(Problem::new(Code::D304, "name", format!("no parameter {name} is declared")));
                    None
                }
            },
            Op::Column { frame, column } => {
                let shape = self.need_frame(*frame, "frame", p)?;
                let found = self.need_column(*frame, column, "column", p)?;
                Some(SeriesShape {
                    kind: found.kind,
                    set: false,
                    lineage: shape.lineage,
                    patient: !shape.reference,
                    reference: shape.reference,
                })
            }
            Op::Exists { frame } | Op::Count { frame } => {
                let shape = self.need_frame(*frame, "frame", p)?;
                self.of_patients(shape, p)?;
                patient(if matches!(op, Op::Exists { .. }) { Type::Bool } else { Type::Int }, false)
            }
            Op::Aggregate { function, of } => {
                let wanted = match function {
                    Aggregate::CountDistinct | Aggregate::Set => ANY,
                    Aggregate::Min | Aggregate::Max => ORDERED,
                    Aggregate::Sum | Aggregate::Mean => NUMBERS,
                };
                let kind = self.rows(*of, wanted, "of", p)?.kind?;
                match function {
                    Aggregate::CountDistinct => patient(Type::Int, false),
                    Aggregate::Mean => patient(Type::Float, false),
                    Aggregate::Set => patient(kind, true),
                    Aggregate::Min | Aggregate::Max | Aggregate::Sum => patient(kind, false),
                }
            }
            Op::OneValue { of } | Op::MostFrequent { of, .. } => patient(self.rows(*of, ANY, "of", p)?.kind?, false),
            Op::CountEpisodes { of, .. } => {
                self.rows(*of, DATE, "of", p)?;
                patient(Type::Int, false)
            }
            Op::SumOfGroupMax { group, of } => {
                self.mix(&[(*group, "group", ANY), (*of, "of", NUMBERS)], p)?;
                patient(self.rows(*of, NUMBERS, "of", p)?.kind?, false)
            }
            Op::Compare { comparison, left, right, .. } => {
                let wanted = if matches!(comparison, Comparison::Eq | Comparison::Ne) { ANY } else { ORDERED };
                let mixed = self.same(&[*left, *right], "right", wanted, p)?;
                Some(SeriesShape { kind: Some(Type::Bool), ..mixed })
            }
            Op::And { of } | Op::Or { of } => self.same(of, "of", BOOL, p),
            Op::Not { of } => self.mix(&[(*of, "of", BOOL)], p),
            Op::IsNull { of } => {
                let shape = self.mix(&[(*of, "of", ANY)], p)?;
                Some(SeriesShape { kind: Some(Type::Bool), ..shape })
            }
            Op::In { left, right, .. } => self.search(*left, *right, "right", true, ANY, p),
            Op::Find { of, text, .. } => self.search(*of, *text, "text", false, TEXT, p),
            Op::Case { cases, default } => {
                let conditions: Vec<Series> = cases.iter().map(|c| c.when).collect();
                let values: Vec<Series> = cases.iter().map(|c| c.then).chain(*default).collect();
                let a = self.same(&conditions, "cases", BOOL, p);
                let b = self.same(&values, "cases", ANY, p)?;
                self.both(&a?, b, "cases", p)
            }
            Op::Coalesce { of } => self.same(of, "of", ANY, p),
            Op::Extreme { of, .. } => self.same(of, "of", ORDERED, p),
            Op::Arithmetic { operator, left, right } => {
                let wanted: &[Type] = match operator {
                    Arithmetic::DivInt => &[Type::Int],
                    Arithmetic::DivOrStop => &[Type::Float],
                    _ => NUMBERS,
                };
                let mixed = self.same(&[*left, *right], "right", wanted, p)?;
                let float = matches!(operator, Arithmetic::Div | Arithmetic::Power);
                Some(SeriesShape { kind: if float { Some(Type::Float) } else { mixed.kind }, ..mixed })
            }
            Op::Neg { of } | Op::Abs { of } => self.mix(&[(*of, "of", NUMBERS)], p),
            Op::RoundHalfAway { of, digits } => {
                if *digits > 15 {
                    p.push(Problem::new(Code::D309, "digits", "a double has no more than 15 decimals"));
                }
                self.mix(&[(*of, "of", NUMBERS)], p)
            }
            Op::Cast { of, to, .. } => {
                let shape = self.mix(&[(*of, "of", castable(*to))], p)?;
                Some(SeriesShape { kind: Some(*to), ..shape })
            }
            Op::Concat { of } => self.same(of, "of", TEXT, p),
            Op::Replace { of, from, to, .. } => self.same(&[*of, *from, *to], "of", TEXT, p),
            Op::Trim { of } => self.mix(&[(*of, "of", TEXT)], p),
            Op::KnownParts { of, separator, known, .. } => {
                if separator.is_empty() {
                    p.push(Problem::new(Code::D304, "separator", "an empty separator cuts nothing"));
                }
                let shape = self.search(*of, *known, "known", true, TEXT, p)?;
                Some(SeriesShape { kind: Some(Type::Str), ..shape })
            }
            Op::Linked { of, set, frame, id, previous } => {
                let links = self.need_frame(*frame, "frame", p)?;
                if !links.reference {
                    p.push(Problem::new(Code::D301, "frame", "codes are linked by rows that belong to no patient"));
                }
                for column in [id, previous] {
                    if self.need_column(*frame, column, "frame", p)?.kind.is_some_and(|kind| kind != Type::Str) {
                        p.push(Problem::new(Code::D306, "frame", format!("{column} is no text")));
                    }
                }
                if self.series(*set).is_some_and(|shape| shape.patient) {
                    p.push(Problem::new(
                        Code::D306,
                        "set",
                        "a set that differs between patients, a constant one is wanted",
                    ));
                }
                let shape = self.search(*of, *set, "set", true, TEXT, p)?;
                Some(SeriesShape { kind: Some(Type::Str), ..shape })
            }
            Op::DateAdd { of, n, .. } => {
                let shape = self.mix(&[(*of, "of", DATE), (*n, "n", &[Type::Int])], p)?;
                Some(SeriesShape { kind: Some(Type::Date), ..shape })
            }
            Op::Difference { unit: Unit::Days | Unit::Weeks | Unit::Months | Unit::Years, left, right }
            | Op::YearBoundariesBetween { from: left, to: right } => {
                let shape = self.same(&[*left, *right], "right", DATE, p)?;
                Some(SeriesShape { kind: Some(Type::Int), ..shape })
            }
            Op::DatePart { of, .. } => {
                let shape = self.mix(&[(*of, "of", DATE)], p)?;
                Some(SeriesShape { kind: Some(Type::Int), ..shape })
            }
            Op::PeriodEdge { of, .. } => self.mix(&[(*of, "of", DATE)], p),
            Op::Day { of } => {
                let shape = self.mix(&[(*of, "of", &[Type::DateTime, Type::Date])], p)?;
                Some(SeriesShape { kind: Some(Type::Date), ..shape })
            }
            Op::Sample { percent } => {
                if !matches!(percent, Value::Float(x) if (0.0..=100.0).contains(x)) {
                    p.push(Problem::new(Code::D306, "percent", "percent is a float from 0 to 100"));
                }
                patient(Type::Bool, false)
            }
            _ => None,
        }
    }

    /// A series of rows of patients, for an aggregate.
    fn rows(&self, of: Series, wanted: &[Type], argument: &'static str, p: &mut Problems) -> Option<SeriesShape> {
        let shape = self.mix(&[(of, argument, wanted)], p)?;
        if shape.lineage.is_none() {
            p.push(Problem::new(Code::D301, argument, "one value per patient: there are no rows to bring together"));
            return None;
        }
        if shape.reference {
            p.push(Problem::new(Code::D301, argument, "rows that belong to no patient: join them to rows that do"));
            return None;
        }
        Some(shape)
    }

    /// Operands of one common type.
    fn same(
        &self,
        of: &[Series],
        argument: &'static str,
        wanted: &'static [Type],
        p: &mut Problems,
    ) -> Option<SeriesShape> {
        if of.is_empty() {
            p.push(Problem::new(Code::D304, argument, "no operand"));
            return None;
        }
        let parts: Vec<(Series, &'static str, &[Type])> = of.iter().map(|s| (*s, argument, wanted)).collect();
        let mixed = self.mix(&parts, p)?;
        for series in of {
            let (first, other) = (mixed.kind?, self.series(*series)?.kind?);
            if first != other {
                p.push(Problem::new(Code::D306, argument, format!("{first} and {other} together")));
                return None;
            }
        }
        Some(mixed)
    }

    /// A value looked for in a set (or, for texts, in another one).
    fn search(
        &self,
        of: Series,
        right: Series,
        argument: &'static str,
        set: bool,
        wanted: &[Type],
        p: &mut Problems,
    ) -> Option<SeriesShape> {
        let left = self.mix(&[(of, "of", wanted)], p)?;
        let shape = self.need_series(right, argument, p)?;
        if set && !shape.set {
            p.push(Problem::new(Code::D306, argument, "a single value, a set is wanted"));
            return None;
        }
        let (a, b) = (left.kind?, shape.kind?);
        if a != b {
            p.push(Problem::new(Code::D306, argument, format!("{a} looked for among {b}")));
            return None;
        }
        let mixed = self.both(&left, shape, argument, p)?;
        Some(SeriesShape { kind: Some(Type::Bool), set: false, ..mixed })
    }

    /// Series of given types; the result has the type of the first and the rows of whichever has rows.
    fn mix(&self, parts: &[(Series, &'static str, &[Type])], p: &mut Problems) -> Option<SeriesShape> {
        let mut result: Option<SeriesShape> = None;
        let mut sound = true;
        for (series, argument, wanted) in parts {
            let Some(shape) = self.need_series(*series, argument, p) else {
                sound = false;
                continue;
            };
            sound &= expect_type(&shape, wanted, argument, p).is_some();
            result = match result {
                None => Some(shape),
                Some(first) => {
                    let kind = first.kind;
                    match self.both(&first, shape, argument, p) {
                        Some(mixed) => Some(SeriesShape { kind, ..mixed }),
                        None => return None,
                    }
                }
            };
        }
        if sound { result } else { None }
    }

    /// Two series side by side: PATIENT with anything, else the same rows (D301).
    fn both(&self, a: &SeriesShape, b: SeriesShape, argument: &'static str, p: &mut Problems) -> Option<SeriesShape> {
        if let (Some(x), Some(y)) = (a.lineage, b.lineage)
            && x != y
        {
            let message = format!("rows of {} with rows of {}", self.label(x), self.label(y));
            p.push(Problem::new(Code::D301, argument, message));
            return None;
        }
        let reference = (a.reference && a.lineage.is_some()) || (b.reference && b.lineage.is_some());
        let patient = a.patient || b.patient;
        if reference && patient {
            let message = "rows that belong to no patient with values of a patient";
            p.push(Problem::new(Code::D301, argument, message));
            return None;
        }
        Some(SeriesShape { lineage: a.lineage.or(b.lineage), patient, reference, ..b })
    }
}

fn constant(kind: Type, set: bool) -> Option<SeriesShape> {
    Some(SeriesShape { kind: Some(kind), set, lineage: None, patient: false, reference: false })
}

fn patient(kind: Type, set: bool) -> Option<SeriesShape> {
    Some(SeriesShape { kind: Some(kind), set, lineage: None, patient: true, reference: false })
}

/// Types that can be cast to a type.
fn castable(to: Type) -> &'static [Type] {
    match to {
        Type::Int | Type::Float => &[Type::Bool, Type::Int, Type::Float, Type::Str],
        Type::Str => &[Type::Str, Type::Int, Type::Date],
        Type::Date => &[Type::Date, Type::Str],
        Type::Bool => &[Type::Bool],
        Type::DateTime => &[Type::DateTime],
    }
}
