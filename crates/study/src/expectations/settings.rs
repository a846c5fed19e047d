//! `return_expectations` over `default_expectations`: merged key by key, then read for one type of column.
//! Spec study-definitions.md 10.1.

use super::problem::Problem;
use super::weighted::Poisson;
use crate::recording::Value;

/// The merged settings of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings(Vec<(Value, Value)>);

/// Keys that mean something.
const KEYS: [&str; 7] = ["bool", "category", "date", "float", "incidence", "int", "rate"];

/// Keys inside the keys: others are told and have no effect, as today.
const INNER: [(&str, &[&str]); 4] = [
    ("category", &["ratios"]),
    ("date", &["earliest", "latest"]),
    ("float", &["distribution", "mean", "stddev"]),
    ("int", &["distribution", "mean", "stddev"]),
];

impl Settings {
    /// The column's own settings win, key by key on every level.
    pub(crate) fn new(default: &Value, own: &Value) -> Result<Self, Problem> {
        let mut merged = Vec::new();
        for part in [default, own] {
            match part {
                Value::Map(entries) => merge(&mut merged, entries),
                Value::Null => {}
                _ => return Err(Problem::not_understood("expectations are a dictionary such as {\"incidence\": 0.5}")),
            }
        }
        match merged.is_empty() {
            true => Err(Problem::nothing("no expectations")),
            false => Ok(Self(merged)),
        }
    }

    /// Keys that no column has, and keys within a part that have no effect.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = Problem> + '_ {
        self.0.iter().flat_map(|(key, value)| {
            let known = matches!(key, Value::Str(key) if KEYS.contains(&key.as_str()));
            let inner = INNER.iter().find(|(outer, _)| matches!(key, Value::Str(key) if key == outer));
            let mut problems = Vec::new();
            if !known {
                problems.push(Problem::unknown_key(&text(key), &KEYS));
            }
            if let (Some((outer, keys)), Value::Map(entries)) = (inner, value) {
                let odd =
                    entries.iter().filter(|(key, _)| !matches!(key, Value::Str(key) if keys.contains(&key.as_str())));
                problems.extend(odd.map(|(key, _)| Problem::unused_key(&format!("{outer}: {}", text(key)), keys)));
            }
            problems
        })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        look_up(&self.0, key)
    }

    fn part(&self, key: &str) -> Result<&[(Value, Value)], Problem> {
        match self.get(key) {
            Some(Value::Map(entries)) => Ok(entries),
            Some(_) => Err(Problem::not_understood(&format!("\"{key}\" is a dictionary"))),
            None => Err(Problem::nothing(&format!("no \"{key}\""))),
        }
    }

    /// `None` when nothing is emptied.
    pub(crate) fn incidence(&self) -> Result<Option<f64>, Problem> {
        if self.rate()? == Some("universal") {
            return Ok(None);
        }
        match self.get("incidence") {
            None | Some(Value::Null) => {
                Err(Problem::incidence("neither an incidence nor the rate \"universal\"".into()))
            }
            Some(value) => match number(value) {
                Some(share) if (0.0..=1.0).contains(&share) => Ok(Some(share)),
                _ => Err(Problem::incidence(format!("incidence {}", text(value)))),
            },
        }
    }

    fn rate(&self) -> Result<Option<&str>, Problem> {
        match self.get("rate") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Str(rate)) => Ok(Some(rate)),
            Some(other) => Err(Problem::rate(&text(other))),
        }
    }

    /// How dates lie between the earliest and the latest.
    pub(crate) fn date_rate(&self) -> Result<DateRate, Problem> {
        match self.rate()? {
            None | Some("exponential_increase") => Ok(DateRate::ExponentialIncrease),
            Some("uniform") => Ok(DateRate::Uniform),
            Some(other) => Err(Problem::rate(&format!("\"{other}\""))),
        }
    }

    /// As written: dates, expressions, or absent.
    pub(crate) fn date(&self, end: &str) -> Result<&Value, Problem> {
        look_up(self.part("date")?, end).ok_or_else(|| Problem::nothing(&format!("no \"{end}\" in \"date\"")))
    }

    /// Labels with their ratios.
    pub(crate) fn ratios(&self) -> Result<Vec<(&Value, f64)>, Problem> {
        let Some(Value::Map(entries)) = self.part("category").ok().and_then(|part| look_up(part, "ratios")) else {
            return Err(Problem::category("no ratios of categories".into()));
        };
        let ratios: Vec<(&Value, f64)> =
            entries.iter().filter_map(|(label, ratio)| Some((label, number(ratio)?))).collect();
        let sum: f64 = ratios.iter().map(|(_, ratio)| ratio).sum();
        let valid = ratios.len() == entries.len() && ratios.iter().all(|(_, ratio)| *ratio >= 0.0);
        if !valid {
            return Err(Problem::category("a ratio that is no number from 0 up".into()));
        }
        if (sum - 1.0).abs() > 1e-5 {
            return Err(Problem::category(format!("ratios that add up to {sum}")));
        }
        Ok(ratios)
    }

    /// What whole numbers are drawn from.
    pub(crate) fn whole(&self) -> Result<Whole, Problem> {
        let part = self.part("int")?;
        match look_up(part, "distribution") {
            Some(Value::Str(name)) if name == "normal" => {
                let (mean, stddev) = normal("int", part)?;
                Ok(Whole::Normal { mean, stddev })
            }
            Some(Value::Str(name)) if name == "poisson" => {
                let mean = parameter("int", part, "mean")?;
                let poisson = Poisson::new(mean)
                    .ok_or_else(|| Problem::not_understood("the mean of \"poisson\" is a number from 0 up"))?;
                Ok(Whole::Poisson { mean, poisson })
            }
            Some(Value::Str(name)) if name == "population_ages" => Ok(Whole::PopulationAges),
            other => Err(distribution("int", other, "normal, poisson or population_ages")),
        }
    }

    /// Mean and standard deviation.
    pub(crate) fn float(&self) -> Result<(f64, f64), Problem> {
        let part = self.part("float")?;
        match look_up(part, "distribution") {
            Some(Value::Str(name)) if name == "normal" => normal("float", part),
            other => Err(distribution("float", other, "normal")),
        }
    }
}

/// Where dates lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateRate {
    /// Days before the latest: exponential, with a mean of a tenth of the days between.
    ExponentialIncrease,
    /// After the earliest, up to the latest.
    Uniform,
}

/// What whole numbers are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whole {
    /// Cut towards zero.
    Normal {
        mean: f64,
        stddev: f64,
    },
    Poisson {
        mean: f64,
        poisson: Poisson,
    },
    PopulationAges,
}

fn distribution(part: &str, found: Option<&Value>, known: &str) -> Problem {
    let found = found.map_or_else(|| "no distribution".into(), text);
    Problem::not_understood(&format!("the distribution of \"{part}\" is {known}, not {found}"))
}

fn normal(name: &str, part: &[(Value, Value)]) -> Result<(f64, f64), Problem> {
    let (mean, stddev) = (parameter(name, part, "mean")?, parameter(name, part, "stddev")?);
    match stddev >= 0.0 {
        true => Ok((mean, stddev)),
        false => Err(Problem::not_understood("\"stddev\" is a number from 0 up")),
    }
}

fn parameter(name: &str, part: &[(Value, Value)], key: &str) -> Result<f64, Problem> {
    let value = look_up(part, key).and_then(number).filter(|x| x.is_finite());
    value.ok_or_else(|| Problem::not_understood(&format!("\"{key}\" of \"{name}\" is a number")))
}

fn look_up<'a>(entries: &'a [(Value, Value)], key: &str) -> Option<&'a Value> {
    entries.iter().find(|(k, _)| matches!(k, Value::Str(k) if k == key)).map(|(_, value)| value)
}

fn merge(into: &mut Vec<(Value, Value)>, from: &[(Value, Value)]) {
    for (key, value) in from {
        match into.iter_mut().find(|(known, _)| same(known, key)) {
            None => into.push((key.clone(), value.clone())),
            Some((_, old)) => match (old, value) {
                (Value::Map(old), Value::Map(new)) => merge(old, new),
                (old, new) => *old = new.clone(),
            },
        }
    }
}

/// Numbers of Python, truth values among them.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// Equal as keys of a dictionary of Python, where 1, 1.0 and True are one.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a == b,
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// As a person reads it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Str(value) => format!("\"{value}\""),
        Value::Date(value) => value.to_string(),
        Value::List(_) => "a list".into(),
        Value::Map(_) => "a dictionary".into(),
        Value::Codelist(_) => "a codelist".into(),
        Value::Unsupported(name) => format!("a value of type {name}"),
    }
}
