//! The naive reference of study-definitions.md 15: per patient, loops over rows, sections 2 and 5 to 8 read literally from the
//! model. It does not know the lowering or the query model; that is what it tests.

mod coded;
mod dates;
mod events;
mod expressions;
mod hospital;
mod people;
mod registries;
mod rows;

use std::cell::RefCell;

use cohorts::DatePrecision;
use jiff::civil::Date;
use study::model::{ColumnType, Extreme, Pick, Query, Scalar, Study, VariableId};
use study::recording::Recording;

use crate::support::tables::{Folder, Table};
pub use rows::Row;

/// All that a run is over.
pub struct World<'a> {
    pub study: &'a Study,
    pub recording: &'a Recording,
    pub folder: &'a Folder,
    /// Files of the workspace, by path.
    pub files: &'a [(String, String)],
    pub index_date: Option<Date>,
}

/// A fault of the data, by its code: the run stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop(pub &'static str);

pub type Res<T> = Result<T, Stop>;

/// What stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Out {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// A value before missing ones are filled.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Day(Date),
}

/// A variable of one patient.
#[derive(Debug, Clone)]
pub struct Done {
    raw: Raw,
    out: Out,
    /// The day that belongs to it.
    belongs: Option<Date>,
    /// CodedEvent_ID of the picked event.
    event: Option<i64>,
}

/// What a function gives.
pub struct Given {
    raw: Raw,
    belongs: Option<Date>,
    event: Option<i64>,
}

pub struct Patient<'w> {
    world: &'w World<'w>,
    id: i64,
    memo: RefCell<Vec<Option<Done>>>,
}

/// The rows of the file: ids ascending, columns in definition order.
pub fn run(world: &World<'_>) -> Res<Vec<(i64, Vec<Out>)>> {
    world.check_files()?;
    let mut ids: Vec<i64> = world.all("Patient").iter().filter_map(|row| row.int("Patient_ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        let patient = Patient { world, id, memo: RefCell::new(vec![None; world.study.variables.len()]) };
        // 2.11: the value equals 1 exactly
        let kept = match patient.value(world.study.population())?.out {
            Out::Bool(kept) => kept,
            Out::Int(number) => number == 1,
            other => panic!("a population of {other:?}"),
        };
        if kept {
            let row: Res<Vec<Out>> = world.study.columns().map(|id| Ok(patient.value(id)?.out)).collect();
            found.push((id, row?));
        }
    }
    Ok(found)
}

impl World<'_> {
    pub fn all(&self, table: &str) -> Vec<Row> {
        rows::all(self.folder.get(table))
    }

    fn file(&self, path: &str) -> Vec<Row> {
        let text = self.files.iter().find(|(name, _)| name == path).map_or("patient_id\n", |(_, text)| text);
        rows::all(Some(&Table::parse(text).unwrap()))
    }

    /// 7.4: a patient twice in a file stops the run before anything is written.
    fn check_files(&self) -> Res<()> {
        for variable in &self.study.variables {
            if let Query::ValueFromFile { path, .. } | Query::InFile { path } = &variable.query {
                let mut ids: Vec<Option<i64>> = self.file(path).iter().map(|r| r.int("patient_id")).collect();
                let before = ids.len();
                ids.sort_unstable();
                ids.dedup();
                if ids.len() < before {
                    return Err(Stop("D511"));
                }
            }
        }
        Ok(())
    }
}

impl Patient<'_> {
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let mut rows = self.world.all(table);
        rows.retain(|row| row.int("Patient_ID") == Some(self.id));
        rows
    }

    pub fn value(&self, id: VariableId) -> Res<Done> {
        if let Some(done) = &self.memo.borrow()[id.0] {
            return Ok(done.clone());
        }
        let variable = &self.world.study[id];
        let Given { raw, belongs, event } = self.answer(id)?;
        let out = fill(variable.kind, &raw);
        let done = Done { raw, out, belongs, event };
        self.memo.borrow_mut()[id.0] = Some(done.clone());
        Ok(done)
    }

    fn answer(&self, id: VariableId) -> Res<Given> {
        let variable = &self.world.study[id];
        let kind = variable.kind;
        let raw = match &variable.query {
            Query::AllPatients => Raw::Bool(true),
            // which patients a sample holds is no rule, only that it hangs on nothing but the patient and the share
            #[allow(clippy::cast_precision_loss, reason = "less than 100")]
            Query::RandomSample { percent } => Raw::Bool((self.id.rem_euclid(100) as f64) < *percent),
            Query::Sex => text(self.row().text("Sex")),
            Query::AgeAsOf(date) => self.age(date)?,
            Query::DateOfBirth => day(self.row().day("DateOfBirth")),
            Query::Registered { start, end, gone_live } => self.registered(start, end, *gone_live)?,
            Query::Deregistered(period) => self.deregistered(period)?,
            Query::Practice { date, returning } => self.practice(date, returning)?,
            Query::Address { date, returning } => self.address(date, *returning)?,
            Query::CareHome { date, cases } => self.care_home(date, cases)?,
            Query::Household(fact) => self.household(*fact)?,
            Query::ClinicalEvents(rows) => return self.coded(rows, true),
            Query::Medications(rows) => return self.coded(rows, false),
            Query::MostRecentBmi { period, minimum_age } => return self.bmi(period, *minimum_age),
            Query::RecordedValue { statistic, codes, on_most_recent_day, period } => {
                return self.recorded(*statistic, codes, *on_most_recent_day, period);
            }
            Query::ValueFrom { source, part } => self.value_from(*source, *part)?,
            Query::GpConsultations { .. }
            | Query::DecisionSupport { .. }
            | Query::HealthcareWorker
            | Query::Vaccination { .. } => return self.other_care(&variable.query),
            Query::DeathCertificate { .. } | Query::CpnsDeath { .. } | Query::PrimaryCareDeath { .. } => {
                self.death(&variable.query)?
            }
            Query::Admission(admission) => self.admission(admission)?,
            Query::EmergencyCare { .. } => self.emergency(&variable.query)?,
            Query::Outpatient { .. } => self.outpatient(&variable.query)?,
            Query::Icu { period, pick, returning } => self.icu(period, *pick, *returning)?,
            Query::Sgss { .. } | Query::CovidTherapeutics { .. } => return self.registry(&variable.query),
            Query::EthnicityFromSus(returning) => self.ethnicity(*returning),
            Query::Ukrr { dataset, period, returning } => self.ukrr(dataset, period, *returning)?,
            Query::HighCostDrugs { .. } => self.high_cost(&variable.query)?,
            Query::Isaric { column, filter } => self.isaric(column, filter.as_ref(), kind)?,
            Query::Categorised(cases) => self.categories(cases, None)?,
            Query::Aggregate { which, of } => self.aggregate(*which, of)?,
            Query::Fixed(scalar) => constant(scalar),
            Query::ValueFromFile { path, column } => {
                let row = self.world.file(path).into_iter().find(|r| r.int("patient_id") == Some(self.id));
                let cell = row.as_ref().and_then(|r| r.text(column)).map(str::trim).filter(|t| !t.is_empty());
                match cell {
                    None => Raw::Null,
                    Some(cell) => rows::read(cell, kind)?,
                }
            }
            Query::InFile { path } => {
                Raw::Bool(self.world.file(path).iter().any(|r| r.int("patient_id") == Some(self.id)))
            }
        };
        Ok(Given { raw, belongs: None, event: None })
    }

    /// The Patient row.
    pub fn row(&self) -> Row {
        self.rows("Patient").into_iter().next().unwrap()
    }

    /// 7.4: over values that are not the type's default.
    fn aggregate(&self, which: Extreme, of: &[VariableId]) -> Res<Raw> {
        let mut best: Option<Out> = None;
        for id in of {
            let out = self.value(*id)?.out;
            if out == missing(self.world.study[*id].kind) {
                continue;
            }
            let better = best.as_ref().is_none_or(|best| match which {
                Extreme::Minimum => expressions::order(&out, best).is_lt(),
                Extreme::Maximum => expressions::order(&out, best).is_gt(),
            });
            if better {
                best = Some(out);
            }
        }
        Ok(match best {
            None => Raw::Null,
            Some(Out::Bool(b)) => Raw::Bool(b),
            Some(Out::Int(n)) => Raw::Int(n),
            Some(Out::Float(n)) => Raw::Float(n),
            Some(Out::Text(t)) => Raw::Text(t),
        })
    }
}

/// 2.10.
pub fn missing(kind: ColumnType) -> Out {
    match kind {
        ColumnType::Bool => Out::Bool(false),
        ColumnType::Int => Out::Int(0),
        ColumnType::Float => Out::Float(0.0),
        ColumnType::Str | ColumnType::Date(_) => Out::Text(String::new()),
        ColumnType::IntCategory { missing } => Out::Int(missing),
    }
}

fn fill(kind: ColumnType, raw: &Raw) -> Out {
    match (raw, kind) {
        (Raw::Null, _) => missing(kind),
        (Raw::Bool(b), _) => Out::Bool(*b),
        (Raw::Int(n), ColumnType::Bool) => Out::Bool(*n != 0),
        #[allow(clippy::cast_precision_loss, reason = "a key")]
        (Raw::Int(n), ColumnType::Float) => Out::Float(*n as f64),
        (Raw::Int(n), _) => Out::Int(*n),
        (Raw::Float(n), _) => Out::Float(*n),
        (Raw::Text(t), _) => Out::Text(t.clone()),
        (Raw::Day(day), ColumnType::Date(precision)) => Out::Text(cut(*day, precision)),
        (Raw::Day(day), _) => panic!("{day} in a column of {kind:?}"),
    }
}

/// 7.4: dates are ISO text cut to 4, 7 or 10 characters.
pub fn cut(day: Date, precision: DatePrecision) -> String {
    let length = match precision {
        DatePrecision::Year => 4,
        DatePrecision::Month => 7,
        DatePrecision::Day => 10,
    };
    day.to_string()[..length].to_owned()
}

pub fn constant(scalar: &Scalar) -> Raw {
    match scalar {
        Scalar::Bool(b) => Raw::Int(i64::from(*b)),
        Scalar::Int(n) => Raw::Int(*n),
        Scalar::Float(n) => Raw::Float(*n),
        Scalar::Str(t) => Raw::Text(t.clone()),
        Scalar::Date(day) => Raw::Text(day.to_string()),
    }
}

pub fn text(text: Option<&str>) -> Raw {
    text.map_or(Raw::Null, |t| Raw::Text(t.to_owned()))
}

pub fn int(number: Option<i64>) -> Raw {
    number.map_or(Raw::Null, Raw::Int)
}

pub fn float(number: Option<f64>) -> Raw {
    number.map_or(Raw::Null, Raw::Float)
}

pub fn day(day: Option<Date>) -> Raw {
    day.map_or(Raw::Null, Raw::Day)
}

/// The first or last of days.
pub fn mm(days: impl Iterator<Item = Option<Date>>, pick: Pick) -> Option<Date> {
    match pick {
        Pick::First => days.flatten().min(),
        Pick::Last => days.flatten().max(),
    }
}
