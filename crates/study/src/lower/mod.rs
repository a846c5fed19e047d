//! Turns a study into a graph of the query model: one graph for all index dates, the index date as a parameter.
//! Spec study-definitions.md 3. Pure: the same recording gives the same bytes.

mod computed;
mod dates;
mod deaths;
mod events;
mod expressions;
mod files;
mod hospital;
mod people;
mod places;
mod rare;
mod tests_of_virus;
mod therapeutics;
mod vaccines;

use query::{Builder, Catalogue, DateFormat, Frame, Graph, Series, SortKey, Then, Ties, Type, Universe};

use crate::Flavour;
use crate::model::{ColumnType, DateFault, Pick, Query, Study, Variable};
use crate::recording::{Recording, SourceId};
use cohorts::DatePrecision;

/// The parameter of the graph that gives the index date. A graph that asks for none has no such parameter.
pub const INDEX_DATE: &str = "index_date";

/// Why a study has no graph. A study without faults only meets these for what is not built yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// A part of the language that the engine has no answer for yet.
    #[error("{variable}: {function} cannot read patients' tables yet: {why}. It works on dummy data")]
    Unsupported {
        /// Of the study.
        variable: String,
        /// As the study calls it.
        function: String,
        /// What is missing.
        why: &'static str,
    },
    /// A day that does not exist.
    #[error("{variable}: `{text}`: {fault}")]
    Date {
        /// Of the study.
        variable: String,
        /// As written.
        text: String,
        /// What is wrong with it.
        fault: DateFault,
    },
    /// A list that the recording does not hold, or a code that is no text.
    #[error("{variable}: the codelist {list} cannot be read from the recording")]
    Codelist {
        /// Of the study.
        variable: String,
        /// Its id.
        list: String,
    },
    /// No tables of this flavour are known yet.
    #[error("studies run over TPP's tables only, so far")]
    Flavour,
}

/// The graph of a study. Its variables are the file's columns in order, without NULLs but for dates (a missing day is NULL, a day is
/// not cut), followed by nothing hidden that no column reads. The parameter [`INDEX_DATE`] is there if anything hangs on it.
///
/// # Errors
/// What cannot be answered yet, naming the function; never a graph that gives other values than the rules.
pub fn lower(study: &Study, recording: &Recording, flavour: Flavour) -> Result<Graph, LowerError> {
    if flavour == Flavour::Emis {
        return Err(LowerError::Flavour);
    }
    let mut lowering = Lowering::new(study, recording);
    for variable in &study.variables {
        lowering.add(variable)?;
    }
    let population = study.population();
    for id in study.columns() {
        let deliver = lowering.done[id.0].deliver;
        lowering.q.variable(study[id].name.clone(), deliver, false);
    }
    let kept = lowering.is_one(population)?;
    Ok(lowering.q.finish(kept))
}

/// The graph in the making.
struct Lowering<'a> {
    study: &'a Study,
    recording: &'a Recording,
    q: Builder<'static>,
    done: Vec<Lowered>,
    /// Of the variable that is being lowered.
    name: &'a str,
    called: &'a str,
}

/// A variable as others see it.
#[derive(Debug, Clone, Copy)]
struct Lowered {
    /// Never NULL: bool, int, float, or text; dates are their output text.
    filled: Series,
    /// Date columns: the raw day, or NULL.
    day: Option<Series>,
    /// What the file is written from.
    deliver: Series,
    /// The day that belongs to the value, for `date_of`.
    belongs: Option<Series>,
    /// The event that was picked.
    picked: Option<Frame>,
}

/// What a function gives.
struct Answer {
    raw: Raw,
    belongs: Option<Series>,
    picked: Option<Frame>,
}

/// A value, NULL if missing.
#[derive(Debug, Clone, Copy)]
enum Raw {
    /// Bool, int, float or text as the variable's type says.
    Value(Series),
    /// A day.
    Day(Series),
    /// A date as its output text, from expressions and aggregates.
    DateText(Series),
}

impl Answer {
    fn value(series: Series) -> Self {
        Self { raw: Raw::Value(series), belongs: None, picked: None }
    }

    fn day(series: Series) -> Self {
        Self { raw: Raw::Day(series), belongs: Some(series), picked: None }
    }

    fn belonging(self, day: Series) -> Self {
        Self { belongs: Some(day), ..self }
    }
}

impl<'a> Lowering<'a> {
    fn new(study: &'a Study, recording: &'a Recording) -> Self {
        let q = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
        Self { study, recording, q, done: Vec::new(), name: "", called: "" }
    }

    fn add(&mut self, variable: &'a Variable) -> Result<(), LowerError> {
        (self.name, self.called) = (&variable.name, &variable.called);
        self.q.at(self.place(variable.src));
        let answer = self.answer(variable)?;
        let lowered = self.fill(variable.kind, answer);
        self.done.push(lowered);
        Ok(())
    }

    fn place(&self, src: SourceId) -> Option<String> {
        let source = self.recording.sources.get(src.0 as usize)?;
        Some(format!("{}:{}", source.file, source.line))
    }

    fn answer(&mut self, variable: &'a Variable) -> Result<Answer, LowerError> {
        Ok(match &variable.query {
            Query::AllPatients => Answer::value(self.q.value(true)),
            Query::RandomSample { percent } => Answer::value(self.q.sample(*percent)),
            Query::Sex => self.of_patient("Sex"),
            Query::AgeAsOf(date) => self.age(date)?,
            Query::DateOfBirth => self.date_of_birth(),
            Query::Registered { start, end, gone_live } => self.registered(start, end, *gone_live)?,
            Query::Deregistered(period) => self.deregistered(period)?,
            Query::Practice { date, returning } => self.practice(date, returning)?,
            Query::Address { date, returning } => self.address(date, *returning)?,
            Query::CareHome { date, cases } => self.care_home(date, cases, variable.kind)?,
            Query::Household(fact) => self.household(*fact),
            Query::ClinicalEvents(rows) => self.clinical_events(rows)?,
            Query::Medications(rows) => self.medications(rows)?,
            Query::MostRecentBmi { period, minimum_age } => self.bmi(period, *minimum_age)?,
            Query::RecordedValue { statistic, codes, on_most_recent_day, period } => {
                self.recorded_value(*statistic, codes, *on_most_recent_day, period)?
            }
            Query::ValueFrom { source, part } => self.value_from(*source, *part)?,
            Query::GpConsultations { period, pick, returning } => self.consultations(period, *pick, *returning)?,
            Query::DecisionSupport { period, pick, ignore_missing_values, returning } => {
                self.decision_support(period, *pick, *ignore_missing_values, *returning)?
            }
            Query::HealthcareWorker => self.healthcare_worker(),
            Query::Vaccination { diseases, products, period, pick, returning } => {
                self.vaccination(diseases.as_deref(), products.as_deref(), period, *pick, *returning)?
            }
            Query::DeathCertificate { period, codes, returning } => {
                self.certificate(period, codes.as_ref(), *returning)?
            }
            Query::CpnsDeath { period, returning } => self.cpns(period, *returning)?,
            Query::PrimaryCareDeath { period, returning } => self.primary_care_death(period, *returning)?,
            Query::Admission(admission) => self.admission(admission)?,
            Query::EmergencyCare { period, pick, diagnoses, discharged_to, returning } => {
                self.emergency(period, *pick, diagnoses.as_deref(), discharged_to.as_deref(), *returning)?
            }
            query @ Query::Outpatient { .. } => self.outpatient(query)?,
            Query::Icu { period, pick, returning } => self.icu(period, *pick, *returning)?,
            Query::Sgss { result, earliest_only, period, pick, returning } => {
                self.sgss(*result, *earliest_only, period, *pick, *returning)?
            }
            Query::EthnicityFromSus(returning) => self.ethnicity(*returning),
            query @ Query::CovidTherapeutics { .. } => self.therapeutics(query)?,
            Query::Ukrr { dataset, period, returning } => self.ukrr(dataset, period, *returning)?,
            Query::HighCostDrugs { drugs, period, pick, returning } => {
                self.high_cost_drugs(drugs.as_deref(), period, *pick, *returning)?
            }
            Query::Isaric { column, filter } => self.isaric(column, filter.as_ref(), variable.kind)?,
            Query::Categorised(cases) => {
                let value = self.categories(cases, variable.kind, None)?;
                Answer { raw: computed(variable.kind, value), belongs: None, picked: None }
            }
            Query::Aggregate { which, of } => self.aggregate(*which, of, variable.kind),
            Query::Fixed(scalar) => {
                let value = self.scalar(scalar, variable.kind);
                Answer { raw: computed(variable.kind, value), belongs: None, picked: None }
            }
            Query::ValueFromFile { path, column } => self.value_from_file(path, column, variable.kind),
            Query::InFile { path } => self.in_file(path),
        })
    }

    /// Rule 2.10: a missing value is the default of its type.
    fn fill(&mut self, kind: ColumnType, answer: Answer) -> Lowered {
        let Answer { raw, belongs, picked } = answer;
        let (filled, day, deliver) = match raw {
            Raw::Value(raw) => {
                let default = self.default_of(kind);
                let filled = self.q.coalesce([raw, default]);
                (filled, None, filled)
            }
            Raw::Day(day) => {
                let text = self.q.cast_date(day, Type::Str, format_of(kind));
                let missing = self.q.str("");
                (self.q.coalesce([text, missing]), Some(day), day)
            }
            Raw::DateText(text) => {
                let missing = self.q.str("");
                let filled = self.q.coalesce([text, missing]);
                let day = self.q.cast_date(filled, Type::Date, format_of(kind));
                (filled, Some(day), day)
            }
        };
        Lowered { filled, day, deliver, belongs, picked }
    }

    fn default_of(&mut self, kind: ColumnType) -> Series {
        match kind {
            ColumnType::Bool => self.q.value(false),
            ColumnType::Int => self.q.value(0),
            ColumnType::Float => self.q.value(0.0),
            ColumnType::Str | ColumnType::Date(_) => self.q.str(""),
            ColumnType::IntCategory { missing } => self.q.value(missing),
        }
    }

    /// Rows for which every condition holds.
    fn keep(&mut self, frame: Frame, conditions: impl IntoIterator<Item = Option<Series>>) -> Frame {
        let conditions: Vec<Series> = conditions.into_iter().flatten().collect();
        if conditions.is_empty() {
            return frame;
        }
        let all = self.q.and(conditions);
        self.q.filter(frame, all)
    }

    /// The first or last row by a column, then by others ascending.
    fn pick(&mut self, frame: Frame, pick: Pick, column: &str, then: Then) -> Frame {
        let by = self.q.column(frame, column);
        let key = match pick {
            Pick::First => SortKey::asc(by),
            Pick::Last => SortKey::desc(by),
        };
        self.q.pick_by(frame, &[key], then)
    }

    /// The first or last day of rows.
    fn extreme(&mut self, day: Series, pick: Pick) -> Series {
        match pick {
            Pick::First => self.q.min(day),
            Pick::Last => self.q.max(day),
        }
    }

    fn unsupported<T>(&self, why: &'static str) -> Result<T, LowerError> {
        Err(LowerError::Unsupported { variable: self.name.to_owned(), function: self.called.to_owned(), why })
    }
}

/// How a date column writes its days.
fn format_of(kind: ColumnType) -> DateFormat {
    match kind {
        ColumnType::Date(DatePrecision::Year) => DateFormat::Year,
        ColumnType::Date(DatePrecision::Month) => DateFormat::Month,
        _ => DateFormat::Day,
    }
}

/// Values of expressions, aggregates and constants: their dates are texts.
fn computed(kind: ColumnType, value: Series) -> Raw {
    match kind {
        ColumnType::Date(_) => Raw::DateText(value),
        _ => Raw::Value(value),
    }
}

/// One column that decides between equal rows.
fn by(column: &str) -> Then {
    Then::Columns(vec![column.to_owned()])
}
