//! Constructors of leaves, aggregates and truth.
//! Aggregates make one value per patient from the rows of the frame that their series belongs to.

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::Builder;
use crate::graph::{Aggregate, Codelist, Collation, Comparison, Extreme, Frame, Op, Series, Tie, When};
use crate::value::{Type, Value};

impl Builder<'_> {
    /// A constant; NULL is made by [`Builder::null`].
    pub fn value(&mut self, value: impl Into<Value>) -> Series {
        self.series(Op::Value { value: value.into() })
    }

    /// A constant text.
    pub fn str(&mut self, text: &str) -> Series {
        self.value(text)
    }

    /// A constant day.
    pub fn date(&mut self, day: Date) -> Series {
        self.value(day)
    }

    /// NULL of a type.
    pub fn null(&mut self, kind: Type) -> Series {
        self.series(Op::Null { kind })
    }

    /// A constant set, for the right side of `in` and of the text searches.
    pub fn values(&mut self, kind: Type, values: impl IntoIterator<Item = Value>) -> Series {
        let mut values: Vec<Value> = values.into_iter().collect();
        values.sort_by(Value::order);
        values.dedup_by(|a, b| a.order(b).is_eq());
        self.series(Op::Values { kind, values })
    }

    /// The set of the codes of a list; equal lists are kept once.
    pub fn codelist<S: AsRef<str>>(&mut self, system: &str, codes: impl IntoIterator<Item = S>) -> Series {
        let mut items: Vec<String> = codes.into_iter().map(|c| c.as_ref().to_owned()).collect();
        items.sort_unstable();
        items.dedup();
        let list = Codelist { system: system.to_owned(), items };
        let sha256 = list.sha256();
        self.codelists.insert(sha256.clone(), list);
        self.series(Op::Codelist { codelist: sha256 })
    }

    /// The value that each binding gives to a name.
    pub fn parameter(&mut self, name: &str, kind: Type) -> Series {
        self.parameters.insert(name.to_owned(), kind);
        self.shapes.parameters.insert(name.to_owned(), kind);
        self.series(Op::Parameter { name: name.to_owned() })
    }

    /// A column of a frame: one value per row, or per patient if the frame has one row.
    pub fn column(&mut self, frame: Frame, name: &str) -> Series {
        let column = self.column_name(frame, name);
        self.series(Op::Column { frame, column })
    }

    /// Whether the patient has any row.
    pub fn exists(&mut self, frame: Frame) -> Series {
        self.series(Op::Exists { frame })
    }

    /// Number of rows.
    pub fn count(&mut self, frame: Frame) -> Series {
        self.series(Op::Count { frame })
    }

    /// Number of different values.
    pub fn count_distinct(&mut self, of: Series) -> Series {
        self.aggregate(Aggregate::CountDistinct, of)
    }

    /// Least value; NULL without any.
    pub fn min(&mut self, of: Series) -> Series {
        self.aggregate(Aggregate::Min, of)
    }

    /// Greatest value; NULL without any.
    pub fn max(&mut self, of: Series) -> Series {
        self.aggregate(Aggregate::Max, of)
    }

    /// Total; NULL without any value.
    pub fn sum(&mut self, of: Series) -> Series {
        self.aggregate(Aggregate::Sum, of)
    }

    /// Mean as float; NULL without any value.
    pub fn mean(&mut self, of: Series) -> Series {
        self.aggregate(Aggregate::Mean, of)
    }

    /// Set of the values, for the right side of `in`.
    pub fn set(&mut self, of: Series) -> Series {
        self.aggregate(Aggregate::Set, of)
    }

    fn aggregate(&mut self, function: Aggregate, of: Series) -> Series {
        self.series(Op::Aggregate { function, of })
    }

    /// The only value; two different ones stop the run (D510).
    pub fn one_value(&mut self, of: Series) -> Series {
        self.series(Op::OneValue { of })
    }

    /// Episodes of days; a new one begins when the gap to the day before exceeds `days`.
    pub fn count_episodes(&mut self, of: Series, days: u32) -> Series {
        self.series(Op::CountEpisodes { of, days })
    }

    /// Most frequent value.
    pub fn most_frequent(&mut self, of: Series, tie: Tie) -> Series {
        self.series(Op::MostFrequent { of, tie })
    }

    /// Greatest value of each group, summed; groups without a value add nothing.
    pub fn sum_of_group_max(&mut self, group: Series, of: Series) -> Series {
        self.series(Op::SumOfGroupMax { group, of })
    }

    /// A comparison; text as the collation says.
    pub fn compare(&mut self, comparison: Comparison, left: Series, right: Series, collation: Collation) -> Series {
        self.series(Op::Compare { comparison, left, right, collation })
    }

    /// `left = right`, text by code point.
    pub fn eq(&mut self, left: Series, right: Series) -> Series {
        self.compare(Comparison::Eq, left, right, Collation::Exact)
    }

    /// `left <> right`, text by code point.
    pub fn ne(&mut self, left: Series, right: Series) -> Series {
        self.compare(Comparison::Ne, left, right, Collation::Exact)
    }

    /// `left < right`, text by code point.
    pub fn lt(&mut self, left: Series, right: Series) -> Series {
        self.compare(Comparison::Lt, left, right, Collation::Exact)
    }

    /// `left <= right`, text by code point.
    pub fn le(&mut self, left: Series, right: Series) -> Series {
        self.compare(Comparison::Le, left, right, Collation::Exact)
    }

    /// `left > right`, text by code point.
    pub fn gt(&mut self, left: Series, right: Series) -> Series {
        self.compare(Comparison::Gt, left, right, Collation::Exact)
    }

    /// `left >= right`, text by code point.
    pub fn ge(&mut self, left: Series, right: Series) -> Series {
        self.compare(Comparison::Ge, left, right, Collation::Exact)
    }

    /// All of them; of one it is that one, of none TRUE.
    pub fn and(&mut self, of: impl IntoIterator<Item = Series>) -> Series {
        let of: Vec<Series> = of.into_iter().collect();
        match of.as_slice() {
            [] => self.value(true),
            [one] => *one,
            _ => self.series(Op::And { of }),
        }
    }

    /// Any of them; of one it is that one, of none FALSE.
    pub fn or(&mut self, of: impl IntoIterator<Item = Series>) -> Series {
        let of: Vec<Series> = of.into_iter().collect();
        match of.as_slice() {
            [] => self.value(false),
            [one] => *one,
            _ => self.series(Op::Or { of }),
        }
    }

    /// The opposite; NULL stays.
    pub fn not(&mut self, of: Series) -> Series {
        self.series(Op::Not { of })
    }

    /// Whether it is NULL.
    pub fn is_null(&mut self, of: Series) -> Series {
        self.series(Op::IsNull { of })
    }

    /// Whether the set on the right holds the value.
    pub fn is_in(&mut self, left: Series, right: Series, collation: Collation) -> Series {
        self.series(Op::In { left, right, collation })
    }

    /// The value of the first condition that is TRUE, else the default, else NULL.
    pub fn case(&mut self, cases: impl IntoIterator<Item = (Series, Series)>, default: Option<Series>) -> Series {
        let cases = cases.into_iter().map(|(when, then)| When { when, then }).collect();
        self.series(Op::Case { cases, default })
    }

    /// The first that is not NULL.
    pub fn coalesce(&mut self, of: impl IntoIterator<Item = Series>) -> Series {
        self.series(Op::Coalesce { of: of.into_iter().collect() })
    }

    /// Least of those that are not NULL.
    pub fn min_of(&mut self, of: impl IntoIterator<Item = Series>, collation: Collation) -> Series {
        self.series(Op::Extreme { function: Extreme::MinOf, of: of.into_iter().collect(), collation })
    }

    /// Greatest of those that are not NULL.
    pub fn max_of(&mut self, of: impl IntoIterator<Item = Series>, collation: Collation) -> Series {
        self.series(Op::Extreme { function: Extreme::MaxOf, of: of.into_iter().collect(), collation })
    }

    /// Whether the patient is in a sample of `percent` of all, the same on every run and date.
    pub fn sample(&mut self, percent: f64) -> Series {
        self.series(Op::Sample { percent: Value::Float(percent) })
    }
}

impl Codelist {
    /// sha256, in hex, of the canonical JSON `{"items":[...],"system":...}`.
    pub fn sha256(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(crate::json::canonical(&serde_json::json!({
            "items": self.items,
            "system": self.system,
        }))))
    }
}
