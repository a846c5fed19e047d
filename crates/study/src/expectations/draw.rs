//! What a column's values are drawn from: its type decides which part of the settings is read.
//! Spec study-definitions.md 10.1.

use cohorts::Kind;
use jiff::civil::Date;

use super::Settings as Run;
use super::dates::{day_number, evaluate};
use super::normal;
use super::problem::Problem;
use super::settings::{DateRate, Settings, Whole, same, text};
use super::stream::below;
use super::weighted::{Weighted, population_ages};
use crate::model::{CodedFact, CodedRows, ColumnType, Query, Scalar, Variable};
use crate::recording::{CodelistItems, Recording, Value};

/// One value out of one word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Draw {
    /// Always true.
    Flag,
    Days(Days),
    /// Cut towards zero.
    WholeNormal {
        mean: f64,
        stddev: f64,
    },
    Poisson {
        mean: f64,
        poisson: super::weighted::Poisson,
    },
    Ages(Weighted),
    Normal {
        mean: f64,
        stddev: f64,
    },
    Labels {
        labels: Labels,
        ratios: Vec<f64>,
        weighted: Weighted,
    },
}

/// Days from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Days {
    latest: i32,
    /// From the earliest to the latest.
    span: u32,
    rate: DateRate,
}

/// Labels of categories; `None` is a missing value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Labels {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
    Days(Vec<Option<i32>>),
}

/// What this column is drawn from, and its kind where dummy values are not of the kind of real ones.
pub(crate) fn draw(
    variable: &Variable,
    settings: &Settings,
    recording: &Recording,
    run: &Run,
) -> Result<(Draw, Option<Kind>), Vec<Problem>> {
    let one = |problem| vec![problem];
    let categorised = matches!(variable.query, Query::Categorised(_) | Query::CareHome { .. });
    match variable.kind {
        ColumnType::Bool => Ok((Draw::Flag, None)),
        ColumnType::Int => Ok((whole(settings.whole().map_err(one)?), None)),
        ColumnType::Float => {
            let (mean, stddev) = settings.float().map_err(one)?;
            Ok((Draw::Normal { mean, stddev }, None))
        }
        ColumnType::Date(_) if !categorised => Ok((Draw::Days(days(settings, run)?), None)),
        ColumnType::Date(_) | ColumnType::Str | ColumnType::IntCategory { .. } => {
            let ratios = settings.ratios().map_err(one)?;
            known_categories(&variable.query, &ratios, recording).map_err(one)?;
            let (labels, kind) = labels(variable.kind, &ratios).map_err(one)?;
            let ratios: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
            let weighted = Weighted::new(&ratios).ok_or_else(|| vec![Problem::category("no ratio above 0".into())])?;
            Ok((Draw::Labels { labels, ratios, weighted }, kind))
        }
    }
}

fn whole(whole: Whole) -> Draw {
    match whole {
        Whole::Normal { mean, stddev } => Draw::WholeNormal { mean, stddev },
        Whole::Poisson { mean, poisson } => Draw::Poisson { mean, poisson },
        // The table is a constant with weights, so there is always one.
        Whole::PopulationAges => Weighted::new(&population_ages()).map_or(Draw::Flag, Draw::Ages),
    }
}

pub(crate) fn days(settings: &Settings, run: &Run) -> Result<Days, Vec<Problem>> {
    let mut problems = Vec::new();
    let rate = settings.date_rate().map_err(|problem| problems.push(problem));
    let mut end =
        |name| settings.date(name).and_then(|value| evaluate(value, run)).map_err(|problem| problems.push(problem));
    let (earliest, latest): (Result<Date, ()>, Result<Date, ()>) = (end("earliest"), end("latest"));
    if let (Ok(earliest), Ok(latest)) = (&earliest, &latest)
        && earliest > latest
    {
        let message = format!("dates from {earliest} to {latest}: the earliest is after the latest");
        problems.push(Problem::new("SD605", message, "exchange them, or move the earliest"));
    }
    match (rate, earliest, latest, problems.is_empty()) {
        (Ok(rate), Ok(earliest), Ok(latest), true) => {
            let latest = day_number(latest);
            Ok(Days { latest, span: latest.abs_diff(day_number(earliest)), rate })
        }
        _ => Err(problems),
    }
}

/// SD607: labels that the study cannot give.
fn known_categories(query: &Query, ratios: &[(&Value, f64)], recording: &Recording) -> Result<(), Problem> {
    let known: Vec<Value> = match query {
        Query::Categorised(cases) => {
            cases.branches.iter().map(|(key, _)| key).chain([&cases.default]).map(value_of).collect()
        }
        Query::ClinicalEvents(CodedRows { codes, returning: CodedFact::Category, .. })
        | Query::Medications(CodedRows { codes, returning: CodedFact::Category, .. }) => {
            match recording.codelists.get(&codes.list).map(|list| &list.items) {
                Some(CodelistItems::Categorised(items)) => {
                    let mut known: Vec<Value> = Vec::new();
                    for (_, category) in items {
                        if !known.contains(category) {
                            known.push(category.clone());
                        }
                    }
                    known
                }
                _ => return Ok(()),
            }
        }
        _ => return Ok(()),
    };
    let odd: Vec<String> = ratios
        .iter()
        .filter(|(label, _)| **label != Value::Null && !known.iter().any(|known| same(known, label)))
        .map(|(label, _)| text(label))
        .collect();
    if odd.is_empty() {
        return Ok(());
    }
    let known: Vec<String> = known.iter().take(20).map(text).collect();
    let message = format!("ratios of categories that the study does not have: {}", odd.join(", "));
    Err(Problem::new(
        "SD607",
        message,
        format!("categories are {}; a number and a text are different labels", known.join(", ")),
    ))
}

fn value_of(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Int(value) => Value::Int(*value),
        Scalar::Float(value) => Value::Float(*value),
        Scalar::Str(value) => Value::Str(value.clone()),
        Scalar::Date(value) => Value::Str(value.to_string()),
    }
}

/// Labels as the column writes them. Numbers stay numbers where the real column has numbers as labels.
fn labels(kind: ColumnType, ratios: &[(&Value, f64)]) -> Result<(Labels, Option<Kind>), Problem> {
    let numbers = ratios.iter().all(|(label, _)| matches!(label, Value::Int(_) | Value::Null));
    match kind {
        ColumnType::IntCategory { .. } if numbers => {
            let numbers =
                ratios.iter().map(|(label, _)| if let Value::Int(number) = label { Some(*number) } else { None });
            Ok((Labels::Numbers(numbers.collect()), Some(Kind::IntCategory { missing: None })))
        }
        ColumnType::Date(_) => {
            let days = ratios.iter().map(|(label, _)| match label {
                Value::Null => Ok(None),
                Value::Str(day) if day.is_empty() => Ok(None),
                Value::Date(day) => Ok(Some(day_number(*day))),
                Value::Str(day) => day.parse::<Date>().map(|day| Some(day_number(day))).map_err(|_| text(label)),
                _ => Err(text(label)),
            });
            let days: Result<_, String> = days.collect();
            Ok((Labels::Days(days.map_err(|label| Problem::category(format!("the label {label} is no date")))?), None))
        }
        _ => Ok((Labels::Texts(ratios.iter().map(|(label, _)| plain(label)).collect()), Some(Kind::Str))),
    }
}

/// A label as text of a file.
fn plain(label: &Value) -> Option<String> {
    match label {
        Value::Null => None,
        Value::Str(label) => Some(label.clone()),
        other => Some(text(other)),
    }
}

impl Draw {
    /// Bytes that differ when the drawn values may. They are part of the streams' keys, so they never change.
    pub(crate) fn settings(&self) -> Vec<u8> {
        let pair = |name: &str, a: f64, b: f64| [name.as_bytes(), &a.to_le_bytes(), &b.to_le_bytes()].concat();
        match self {
            Self::Flag => b"bool".to_vec(),
            Self::Ages(_) => b"int population_ages".to_vec(),
            Self::WholeNormal { mean, stddev } => pair("int normal", *mean, *stddev),
            Self::Poisson { mean, .. } => pair("int poisson", *mean, 0.0),
            Self::Normal { mean, stddev } => pair("float normal", *mean, *stddev),
            Self::Days(Days { latest, span, rate: DateRate::Uniform }) => {
                format!("date uniform {latest} {span}").into_bytes()
            }
            Self::Days(Days { latest, span, .. }) => format!("date exponential {latest} {span}").into_bytes(),
            Self::Labels { labels, ratios, .. } => {
                let mut bytes = b"category".to_vec();
                for (label, ratio) in labels.texts().into_iter().zip(ratios) {
                    let label = label.map_or_else(|| "-".into(), |label| format!("{}:{label}", label.len()));
                    bytes.extend_from_slice(label.as_bytes());
                    bytes.extend_from_slice(&ratio.to_le_bytes());
                }
                bytes
            }
        }
    }

    /// SD913: the share of dates that a period takes away, if it takes any.
    pub(crate) fn loss(&self, (from, to): (i32, i32)) -> Option<Problem> {
        let Self::Days(days) = self else { return None };
        let loss = 1.0 - days.share(from, to);
        if loss < 0.0005 {
            return None;
        }
        let message = format!(
            "{:.1} % of its expected dates lie outside the period it asks for, and become missing",
            loss * 100.0
        );
        let fix = "let \"earliest\" and \"latest\" of the expectations be those of the period";
        let lint = Problem::new("SD913", message, fix);
        Some(Problem { severity: crate::fault::Severity::Lint, ..lint })
    }
}

impl Days {
    /// From the earliest to the latest, both days from 1970-01-01.
    pub(crate) fn between(earliest: i32, latest: i32, rate: DateRate) -> Self {
        Self { latest, span: latest.abs_diff(earliest.min(latest)), rate }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.span.saturating_add(1)
    }

    /// The last one.
    pub(crate) fn latest(&self) -> i32 {
        self.latest
    }

    /// The same between narrower ends; `None` if nothing is left.
    pub(crate) fn within(self, from: i32, to: i32) -> Option<Self> {
        let earliest = i64::from(self.latest) - i64::from(self.span);
        let (from, to) = (i64::from(from).max(earliest), to.min(self.latest));
        (from <= i64::from(to)).then(|| Self::between(from as i32, to, self.rate))
    }

    /// The day that this word means.
    pub(crate) fn pick(&self, bits: u64) -> i32 {
        let before = match self.rate {
            DateRate::Uniform => below(bits, u64::from(self.span)),
            DateRate::ExponentialIncrease => {
                // A draw that reaches beyond the earliest day is made again: the same as drawing from the rest.
                let span = f64::from(self.span);
                let within = 1.0 - libm::exp(-10.0 * (span + 1.0) / span.max(1.0));
                let share = -0.1 * libm::log(1.0 - normal::open_unit(bits) * within);
                ((share * span) as u64).min(u64::from(self.span))
            }
        };
        self.latest - before as i32
    }

    /// The share of days that lie from one day to another.
    fn share(&self, from: i32, to: i32) -> f64 {
        // Chance of at most this many days before the latest.
        let at_most = |before: i64| -> f64 {
            let span = f64::from(self.span);
            match (before < 0, self.span, self.rate) {
                (true, ..) => 0.0,
                (_, 0, _) => 1.0,
                (_, _, DateRate::Uniform) => ((before as f64 + 1.0) / span).min(1.0),
                (_, _, DateRate::ExponentialIncrease) => {
                    let within = 1.0 - libm::exp(-10.0 * (span + 1.0) / span);
                    ((1.0 - libm::exp(-10.0 * (before as f64 + 1.0) / span)) / within).min(1.0)
                }
            }
        };
        let before = |day: i32| i64::from(self.latest) - i64::from(day);
        (at_most(before(from)) - at_most(before(to) - 1)).max(0.0)
    }
}

impl Draw {
    /// The number that this word means, where numbers are drawn.
    pub(crate) fn number(&self, bits: u64) -> Option<f64> {
        match self {
            Self::WholeNormal { mean, stddev } => Some((mean + stddev * normal::standard(bits)).trunc()),
            Self::Poisson { poisson, .. } => Some(poisson.draw(bits) as f64),
            Self::Ages(ages) => Some(ages.pick(bits) as f64),
            Self::Normal { mean, stddev } => Some(mean + stddev * normal::standard(bits)),
            Self::Flag | Self::Days(_) | Self::Labels { .. } => None,
        }
    }

    /// The label that this word means, where labels are drawn; '' for a missing one.
    pub(crate) fn label(&self, bits: u64) -> Option<String> {
        match self {
            Self::Labels { labels, weighted, .. } => Some(labels.text(weighted.pick(bits)).unwrap_or_default()),
            _ => None,
        }
    }

    /// All labels, '' for a missing one, and which of them a word means.
    pub(crate) fn labels(&self) -> Option<(Vec<String>, &Weighted)> {
        let Self::Labels { labels, weighted, .. } = self else { return None };
        Some((labels.texts().into_iter().map(Option::unwrap_or_default).collect(), weighted))
    }
}

impl Labels {
    fn texts(&self) -> Vec<Option<String>> {
        let count = match self {
            Self::Texts(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
            Self::Days(days) => days.len(),
        };
        (0..count).map(|place| self.text(place)).collect()
    }

    fn text(&self, place: usize) -> Option<String> {
        match self {
            Self::Texts(texts) => texts.get(place)?.clone(),
            Self::Numbers(numbers) => numbers.get(place)?.map(|number| number.to_string()),
            Self::Days(days) => days.get(place)?.map(|day| day.to_string()),
        }
    }
}
