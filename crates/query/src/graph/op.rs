//! The operations of warehouse.md 5.1, as data. Meaning: warehouse.md 5.2-5.5, played by [`crate::reference`].
//! The serialised name of an operation is the one in its first line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::{Frame, Series};
use crate::value::{Type, Value};

/// One node. Fields are named after the part they play; their types say the rest.
#[allow(missing_docs, reason = "the first line of each variant tells its fields")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    // ---- frames ----
    /// `table`: rows of a table of the catalogue, by its canonical name.
    Table { table: String },
    /// `inline`: the rows of a file of the study, one per patient.
    Inline(Inline),
    /// `filter`: the rows for which the condition is TRUE.
    Filter { frame: Frame, condition: Series },
    /// `sort`: the same rows, stably ordered; NULL is the lowest value.
    Sort { frame: Frame, by: Series, direction: Direction },
    /// `pick_first`: the first row after the sorts beneath (the last applied is the first key), then `ties`, then row
    /// order.
    PickFirst { frame: Frame, ties: Vec<String> },
    /// `pick_last`: the last row of the same order, all keys and ties reversed (ehrQL's rule; v1 uses directions).
    PickLast { frame: Frame, ties: Vec<String> },
    /// `one_row`: the only row; a second one for a patient stops the run (D511).
    OneRow { frame: Frame },
    /// `join`: every pair of rows with equal keys, NULL equal to nothing; columns of the right side are named
    /// `<name>.<column>`. A left row without match stays when `kind` is left, its right columns NULL.
    Join { left: Frame, right: Frame, on: Vec<On>, kind: JoinKind, name: String },
    /// `union`: rows of all branches in order, with the given columns; each branch gives one series per column.
    Union { columns: Vec<String>, branches: Vec<Branch> },
    /// `distinct`: the first of each set of rows that are equal in every column.
    Distinct { frame: Frame },
    // ---- leaves ----
    /// `value`: a constant, not NULL.
    Value {
        #[serde(with = "crate::json::value")]
        value: Value,
    },
    /// `null`: NULL of a type.
    Null {
        #[serde(rename = "type")]
        kind: Type,
    },
    /// `values`: a constant set, ordered and without repeats.
    Values {
        #[serde(rename = "type")]
        kind: Type,
        #[serde(with = "crate::json::values")]
        values: Vec<Value>,
    },
    /// `codelist`: the set of codes of a list of the graph, by its sha256.
    Codelist { codelist: String },
    /// `parameter`: the value that the binding gives.
    Parameter { name: String },
    /// `column`: of each row, or of the one row of a patient; NULL when that row is absent.
    Column { frame: Frame, column: String },
    // ---- aggregates: one value per patient ----
    /// `exists`: whether any row is left.
    Exists { frame: Frame },
    /// `count`: of rows.
    Count { frame: Frame },
    /// `count_distinct`, `min`, `max`, `sum`, `mean`, `set`: of the values that are not NULL.
    Aggregate { function: Aggregate, of: Series },
    /// `one_value`: the only value that is not NULL; a second, different one stops the run (D510).
    OneValue { of: Series },
    /// `count_episodes`: of days; a new one begins when the gap to the day before exceeds `days`.
    CountEpisodes { of: Series, days: u32 },
    /// `most_frequent`: value; among equally frequent ones the least or the greatest.
    MostFrequent { of: Series, tie: Tie },
    /// `sum_of_group_max`: the greatest value of each group, summed; NULL is a group of its own.
    SumOfGroupMax { group: Series, of: Series },
    // ---- truth ----
    /// `eq`, `ne`, `lt`, `le`, `gt`, `ge`.
    Compare { comparison: Comparison, left: Series, right: Series, collation: Collation },
    /// `and`: from the left; FALSE wins, else NULL.
    And { of: Vec<Series> },
    /// `or`: from the left; TRUE wins, else NULL.
    Or { of: Vec<Series> },
    /// `not`.
    Not { of: Series },
    /// `is_null`: never NULL.
    IsNull { of: Series },
    /// `in`: FALSE for an empty set, even for NULL.
    In { left: Series, right: Series, collation: Collation },
    /// `case`: the value of the first condition that is TRUE, else the default, else NULL.
    Case {
        cases: Vec<When>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Series>,
    },
    /// `coalesce`: the first that is not NULL.
    Coalesce { of: Vec<Series> },
    /// `min_of`, `max_of`: of those that are not NULL.
    Extreme { function: Extreme, of: Vec<Series>, collation: Collation },
    // ---- numbers ----
    /// `add`, `sub`, `mul`, `div`, `floor_div`, `div_int`, `div_or_stop`, `power`: both sides int or both float.
    Arithmetic { operator: Arithmetic, left: Series, right: Series },
    /// `neg`.
    Neg { of: Series },
    /// `abs`.
    Abs { of: Series },
    /// `cast`: to another type; text with blanks around, '' is NULL, unreadable text stops the run (D513).
    Cast {
        of: Series,
        to: Type,
        /// Of dates, when one side is text; else [`DateFormat::Day`].
        format: DateFormat,
    },
    /// `round_half_away`: to a number of decimals; the nearest decimal, halves away from zero.
    RoundHalfAway { of: Series, digits: u8 },
    // ---- text ----
    /// `starts_with`, `contains`, `contains_after_boundary`: the text, or any text of a set, character by character.
    /// The last: right after a character that is neither letter nor digit.
    Find { how: Find, of: Series, text: Series, collation: Collation },
    /// `concat`; a text of over 1 MiB is NULL, counted, as for `replace`.
    Concat { of: Vec<Series> },
    /// `replace`: every occurrence, from the left; an empty `from` changes nothing.
    Replace { of: Series, from: Series, to: Series, collation: Collation },
    /// `trim`: spaces at both ends.
    Trim { of: Series },
    /// `known_parts`: the text cut at a separator, each part trimmed and, unless `known` holds it without case, replaced
    /// by `other`; the distinct parts in order of first sight, joined again.
    KnownParts { of: Series, separator: String, known: Series, other: String },
    /// `linked`: the member of a constant set that a code is linked with, without case: itself if it is one, else the
    /// newest that rows of a reference table lead to in any number of steps, whichever way; NULL if none. Each row links
    /// a code (`id`) with one that it replaced (`previous`); among members of which neither replaced the other, the
    /// greatest.
    Linked { of: Series, set: Series, frame: Frame, id: String, previous: String },
    // ---- dates ----
    /// `date_add`: `n` units; a day that does not exist is treated by `overflow`.
    DateAdd { unit: Unit, of: Series, n: Series, overflow: Overflow },
    /// `difference`: left minus right in whole elapsed units, rounded down.
    Difference { unit: Unit, left: Series, right: Series },
    /// `year_boundaries_between`: turns of the year from `from` to `to`.
    YearBoundariesBetween { from: Series, to: Series },
    /// `year`, `month`, `day_of_month`: as int.
    DatePart { part: DatePart, of: Series },
    /// `first_day_of`, `last_day_of` a period that holds the day.
    PeriodEdge { edge: Edge, period: Period, of: Series },
    /// `day`: of a time.
    Day { of: Series },
    // ---- patients ----
    /// `sample`: whether the patient is in a sample of so many per cent, by a hash of the id; equal on every run and date.
    Sample {
        #[serde(with = "crate::json::value")]
        percent: Value,
    },
}

/// A file with one row per patient. Its rows are given beside the tables, under this description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inline {
    /// Relative to the root of the workspace.
    pub file: String,
    /// Columns that are read, with the type their text is read as.
    pub columns: BTreeMap<String, Type>,
}

/// Direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Least first, NULL before all.
    Asc,
    /// Greatest first, NULL after all.
    Desc,
}

/// A pair of columns that must be equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct On {
    /// Column of the left frame.
    pub left: String,
    /// Column of the right frame.
    pub right: String,
}

/// What becomes of a left row without match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinKind {
    /// It is dropped.
    Inner,
    /// It stays.
    Left,
}

/// One branch of a union.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Whose rows.
    pub frame: Frame,
    /// One for each column of the union.
    pub values: Vec<Series>,
}

/// One condition of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Condition.
    pub when: Series,
    /// Value.
    pub then: Series,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$word_doc])* $word),* }
    };
}

words!(
    /// How text compares.
    Collation {
        /// By code point, no trimming.
        Exact,
        /// ASCII and Latin-1 letters without case, accents kept, trailing blanks ignored.
        Ci,
    }
);
words!(
    /// Among equally frequent values.
    Tie {
        /// The least.
        Least,
        /// The greatest.
        Greatest,
    }
);
words!(
    /// What is made of the values of many rows.
    Aggregate {
        /// Number of different ones.
        CountDistinct,
        /// Least.
        Min,
        /// Greatest.
        Max,
        /// Total, in row order.
        Sum,
        /// Total divided by number, as float.
        Mean,
        /// Set of them.
        Set,
    }
);
words!(
    /// A comparison.
    Comparison {
        /// =
        Eq,
        /// <>
        Ne,
        /// <
        Lt,
        /// <=
        Le,
        /// >
        Gt,
        /// >=
        Ge,
    }
);
words!(
    /// Across several series.
    Extreme {
        /// Least.
        MinOf,
        /// Greatest.
        MaxOf,
    }
);
words!(
    /// Arithmetic of two numbers.
    Arithmetic {
        /// +
        Add,
        /// -
        Sub,
        /// *
        Mul,
        /// Float division, also of ints; by zero NULL.
        Div,
        /// Division rounded down; by zero NULL.
        FloorDiv,
        /// Division of ints cut toward zero; by zero the run stops (D512).
        DivInt,
        /// Division of floats; by zero the run stops (D512).
        DivOrStop,
        /// Always float.
        Power,
    }
);
words!(
    /// Where a text is looked for.
    Find {
        /// At the start.
        StartsWith,
        /// Anywhere.
        Contains,
        /// Right after a character that is neither letter nor digit.
        ContainsAfterBoundary,
    }
);
words!(
    /// Units of dates.
    Unit {
        /// Days.
        Days,
        /// Seven days.
        Weeks,
        /// Calendar months.
        Months,
        /// Calendar years.
        Years,
    }
);
words!(
    /// What becomes of a day that does not exist (warehouse.md 5.4).
    Overflow {
        /// The run stops (D514); constants are checked before the run.
        Error,
        /// Last day of that month.
        Clamp,
        /// First day of the next month.
        Roll,
    }
);
words!(
    /// Part of a date.
    DatePart {
        /// Year.
        Year,
        /// 1 to 12.
        Month,
        /// 1 to 31.
        DayOfMonth,
    }
);
words!(
    /// Which end of a period.
    Edge {
        /// First.
        FirstDayOf,
        /// Last.
        LastDayOf,
    }
);
words!(
    /// A period that a day lies in.
    Period {
        /// Calendar month.
        Month,
        /// Calendar year.
        Year,
        /// 1 April to 31 March.
        NhsFinancialYear,
        /// 1 September to 31 August.
        SchoolYear,
    }
);
words!(
    /// Text form of a day.
    DateFormat {
        /// YYYY-MM-DD.
        Day,
        /// YYYY-MM; read as the first of the month.
        Month,
        /// YYYY; read as the first of January.
        Year,
        /// DD/MM/YYYY.
        British,
    }
);
