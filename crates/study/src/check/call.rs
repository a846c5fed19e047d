//! One call while it is being read: its arguments with the defaults of the function table, each fault with its argument.
//! Spec study-definitions.md 2.5, 2.9 and 7.

use cohorts::DatePrecision;

use super::plan::{argument, function};
use super::scope::Scope;
use super::{Flavour, dates, shown, truthy};
use crate::fault::{Fault, did_you_mean};
use crate::functions::{Form, Function, table};
use crate::model::{ColumnType, DateExpr, Period, Pick};
use crate::recording::{CodelistItems, Value, Variable};

pub(super) struct Call<'s, 'a> {
    pub(super) scope: &'s mut Scope<'a>,
    pub(super) function: &'static Function,
    pub(super) variable: &'a Variable,
}

/// Faults that are kept of one study.
const MOST_FAULTS: usize = 20_000;

/// Arguments that tuples of these queries carry beside those of their public function.
const CARRIED: [&str; 7] = [
    "returning",
    "aggregate_function",
    "column_names",
    "names",
    "extra_columns",
    "category_definitions",
    "return_expectations",
];

/// The precision of a call's dates, without telling what is wrong with it.
pub(super) fn precision_of(function: &Function, call: &Variable) -> Option<DatePrecision> {
    let default = function.parameter("date_format").and_then(|p| p.default.as_ref());
    let given = argument(call, "date_format").or(default);
    match given {
        None | Some(Value::Null) => {}
        Some(Value::Str(text)) => return format(text),
        Some(_) => return None,
    }
    let on = |name| function.parameter(name).is_some() && argument(call, name).is_some_and(truthy);
    Some(match (on("include_day"), on("include_month")) {
        (true, _) => DatePrecision::Day,
        (false, true) => DatePrecision::Month,
        (false, false) => DatePrecision::Year,
    })
}

fn format(text: &str) -> Option<DatePrecision> {
    Some(match text {
        "YYYY" => DatePrecision::Year,
        "YYYY-MM" => DatePrecision::Month,
        "YYYY-MM-DD" => DatePrecision::Day,
        _ => return None,
    })
}

impl<'s, 'a> Call<'s, 'a> {
    /// The call, when its function exists and is offered; unknown arguments are told here.
    pub(super) fn new(scope: &'s mut Scope<'a>, variable: &'a Variable) -> Option<Self> {
        let Some(function) = function(variable) else {
            let name = variable.called.as_deref().unwrap_or(&variable.function);
            let known = table().functions().iter().map(|f| f.name.as_str());
            let fault = Fault::new("SD211", format!("there is no function `patients.{name}`")).at(variable);
            scope.faults.push(fault.maybe(did_you_mean(&pipeline::nearest(name, known))));
            return None;
        };
        if let Some(instead) = &function.unavailable {
            let message = format!("`patients.{}` is not available", function.name);
            scope.faults.push(Fault::new("SD211", message).at(variable).fix(format!("use `patients.{instead}`")));
            return None;
        }
        if scope.options.flavour == Flavour::Emis && !function.emis {
            let message = format!("`patients.{}` is not available on EMIS", function.name);
            scope.faults.push(Fault::new("SD210", message).at(variable));
            return None;
        }
        let mut call = Self { scope, function, variable };
        call.unknown_arguments();
        Some(call)
    }

    fn unknown_arguments(&mut self) {
        for (name, _) in &self.variable.args {
            let known = self.function.parameters.iter().any(|p| p.form == Form::Plain && p.name == *name);
            let carried = matches!(self.function.query.as_str(), "value_from" | "aggregate_of" | "categorised_as")
                && CARRIED.contains(&name.as_str());
            if !known && !carried {
                let names = self.function.parameters.iter().map(|p| p.name.as_str());
                let message = format!("`patients.{}` has no parameter `{name}`", self.function.name);
                let near = did_you_mean(&pipeline::nearest(name, names));
                self.fault(Fault::new("SD212", message).argument(name).maybe(near));
            }
        }
    }

    /// Tells a fault of this call.
    pub(super) fn fault(&mut self, fault: Fault) {
        if self.scope.faults.len() < MOST_FAULTS {
            self.scope.faults.push(fault.at(self.variable));
        }
    }

    /// An argument, or its default.
    pub(super) fn value(&self, name: &str) -> &'a Value {
        static NULL: Value = Value::Null;
        let default = || self.function.parameter(name).and_then(|p| p.default.as_ref());
        argument(self.variable, name).or_else(default).unwrap_or(&NULL)
    }

    /// What Python takes as true.
    pub(super) fn flag(&self, name: &str) -> bool {
        truthy(self.value(name))
    }

    /// A flag that may be left out.
    pub(super) fn maybe_flag(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Value::Null => None,
            value => Some(truthy(value)),
        }
    }

    fn wrong(&mut self, name: &str, expected: &str) {
        let message = format!("{} cannot be the {name} of `patients.{}`", shown(self.value(name)), self.function.name);
        let says = self.function.parameter(name).map(|p| p.says.as_str());
        let fix = match expected {
            "" => format!("expected: {}", says.unwrap_or_default()),
            // A suggestion is a sentence of its own.
            fix if fix.ends_with('?') => fix.to_owned(),
            fix => format!("expected: {fix}"),
        };
        self.fault(Fault::new("SD212", message).argument(name).fix(fix));
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        match self.value(name) {
            Value::Int(number) => Some(*number),
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i64),
            _ => {
                self.wrong(name, "a whole number");
                None
            }
        }
    }

    /// A number.
    pub(super) fn number(&mut self, name: &str, allowed: impl Fn(f64) -> bool) -> Option<f64> {
        let number = match self.value(name) {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        let number = number.filter(|n| allowed(*n));
        if number.is_none() {
            self.wrong(name, "");
        }
        number
    }

    /// A text that must be given, one of the choices where there are some.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let choices = self.function.parameter(name).map_or(&[] as &[String], |p| &p.choices);
        match self.value(name) {
            Value::Str(text) if choices.is_empty() || choices.contains(text) => Some(text),
            Value::Str(text) if !choices.is_empty() => {
                let near = did_you_mean(&pipeline::nearest(text, choices.iter().map(String::as_str)));
                self.wrong(name, &near.unwrap_or_else(|| choices.join(", ")));
                None
            }
            _ => {
                self.wrong(name, "");
                None
            }
        }
    }

    /// Texts of a text, a list or a codelist; the outer `None` when they are faulty.
    pub(super) fn texts(&mut self, name: &str) -> Option<Option<Vec<String>>> {
        let texts: Option<Vec<String>> = match self.value(name) {
            Value::Null => return Some(None),
            Value::List(items) => items.iter().map(text_of).collect(),
            Value::Codelist(id) => self.scope.recording.codelists.get(id).and_then(|list| match &list.items {
                CodelistItems::Plain(codes) => codes.iter().map(text_of).collect(),
                CodelistItems::Categorised(pairs) => pairs.iter().map(|(code, _)| text_of(code)).collect(),
            }),
            value => text_of(value).map(|text| vec![text]),
        };
        let Some(texts) = texts else {
            self.wrong(name, "");
            return None;
        };
        if texts.is_empty() {
            self.fault(
                Fault::new("SD401", "the list is empty").argument(name).fix("give at least one, or leave it out"),
            );
            return None;
        }
        let choices = self.function.parameter(name).map_or(&[] as &[String], |p| &p.choices);
        if let Some(stray) = texts.iter().find(|text| !choices.is_empty() && !choices.contains(text)) {
            let near = did_you_mean(&pipeline::nearest(stray, choices.iter().map(String::as_str)));
            let fix = near.unwrap_or_else(|| format!("there are {}", choices.join(", ")));
            self.fault(
                Fault::new("SD212", format!("{stray:?} is none of the possible values")).argument(name).fix(fix),
            );
            return None;
        }
        Some(Some(texts))
    }

    /// A date that must be given.
    pub(super) fn date(&mut self, name: &str) -> Option<DateExpr> {
        let value = self.value(name);
        self.date_of(name, value)
    }

    fn date_of(&mut self, argument: &str, value: &Value) -> Option<DateExpr> {
        let found = dates::text(value)
            .and_then(|text| dates::date(self.scope, &text, Some(&self.variable.name)))
            .and_then(|expr| dates::checked(self.scope, expr));
        found.map_err(|fault| self.fault(fault.argument(argument))).ok()
    }

    /// `on_or_after`, `on_or_before` and `between` as one period.
    pub(super) fn period(&mut self) -> Option<Period> {
        let bounds = ["on_or_after", "on_or_before"].map(|name| (name, self.value(name)));
        let given = bounds.iter().find(|(_, value)| !matches!(value, Value::Null));
        let between = self.value("between");
        let (from, to) = match between {
            Value::Null => (bounds[0], bounds[1]),
            _ if given.is_some() => {
                let message = format!("the period is given by `between` and by `{}`", given.map_or("", |g| g.0));
                self.fault(Fault::new("SD201", message).argument("between").fix("leave out one of them"));
                return None;
            }
            Value::List(pair) if pair.len() == 2 => (("between", &pair[0]), ("between", &pair[1])),
            _ => {
                self.fault(
                    Fault::new("SD201", "`between` is no pair of dates")
                        .argument("between")
                        .fix("write between=[\"first day\", \"last day\"]; None leaves an end open"),
                );
                return None;
            }
        };
        let from = self.bound(from.0, from.1);
        let to = self.bound(to.0, to.1);
        Some(Period { from: from?, to: to? })
    }

    fn bound(&mut self, name: &str, value: &Value) -> Option<Option<DateExpr>> {
        match value {
            Value::Null => Some(None),
            value => self.date_of(name, value).map(Some),
        }
    }

    /// Which match counts; first wins.
    pub(super) fn pick(&mut self) -> Pick {
        let first = self.flag("find_first_match_in_period") || self.flag("return_first_date_in_period");
        if self.flag("find_first_match_in_period") && self.flag("find_last_match_in_period") {
            self.fault(
                Fault::new("SD910", "both the first and the last match are asked for: the first is taken")
                    .argument("find_last_match_in_period")
                    .fix("leave one of them out"),
            );
        }
        if first { Pick::First } else { Pick::Last }
    }

    /// The value of `returning`, old ways of asking for it translated, with the type of the column.
    pub(super) fn returning(&mut self) -> Option<(&'static str, ColumnType)> {
        // Later ones win, as they are worked through one after the other today.
        let old = [
            ("return_last_date_in_period", "date"),
            ("return_first_date_in_period", "date"),
            ("return_number_of_matches_in_period", "number_of_matches_in_period"),
            ("return_binary_flag", "binary_flag"),
        ];
        let old = old.iter().find(|(name, _)| self.flag(name)).map(|(_, word)| *word);
        let word = match (old, self.value("returning")) {
            (Some(word), _) => word,
            (None, Value::Str(word)) => word.as_str(),
            (None, other) => {
                let message = match other {
                    Value::Null => "`returning` is missing".to_owned(),
                    other => format!("{} cannot be returned", shown(other)),
                };
                self.fault(Fault::new("SD202", message).argument("returning").fix(self.choices()));
                return None;
            }
        };
        let choices = self.function.returning();
        // Section 4: of these functions only this is missing on EMIS.
        let missing = [
            ("address_as_of", "msoa"),
            ("died_from_any_cause", "place_of_death"),
            ("with_these_codes_on_death_certificate", "place_of_death"),
        ];
        let asked = (self.function.name.as_str(), word);
        if self.scope.options.flavour == Flavour::Emis && missing.contains(&asked) {
            let message = format!("`patients.{}` cannot return {word} on EMIS", self.function.name);
            self.fault(Fault::new("SD210", message).argument("returning"));
            return None;
        }
        if let Some(found) = choices.iter().find(|r| r.name == word) {
            return Some((found.name.as_str(), self.column(found.kind)));
        }
        let fix = if word == "nhse_region_name" {
            "use \"nuts1_region_name\"".to_owned()
        } else {
            let near = did_you_mean(&pipeline::nearest(word, choices.iter().map(|r| r.name.as_str())));
            near.map_or_else(|| self.choices(), |near| format!("{near} {}", self.choices()))
        };
        let message =
            format!("`patients.{}` cannot return {}", self.function.name, shown(&Value::Str(word.to_owned())));
        self.fault(Fault::new("SD202", message).argument("returning").fix(fix));
        None
    }

    fn choices(&self) -> String {
        let names: Vec<&str> = self.function.returning().iter().map(|r| r.name.as_str()).collect();
        let (trial, plain): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| name.starts_with("rct__"));
        let more = if trial.is_empty() { "" } else { ", rct__germdefence__…" };
        format!("possible: {}{more}", plain.join(", "))
    }

    /// A type with this call's precision.
    pub(super) fn column(&mut self, word: crate::functions::TypeWord) -> ColumnType {
        let precision = self.precision().unwrap_or(DatePrecision::Year);
        let kind = word.column(precision);
        match (kind, self.scope.imposed(&self.variable.name)) {
            (ColumnType::Date(own), Some(imposed)) if own != imposed => {
                self.fault(
                    Fault::new("SD919", "a `date_of` of this variable gives it another date format")
                        .argument("date_format")
                        .fix("write the same date_format in both"),
                );
                ColumnType::Date(imposed)
            }
            _ => kind,
        }
    }

    /// The precision of dates; faults are told once for each call.
    fn precision(&mut self) -> Option<DatePrecision> {
        let found = precision_of(self.function, self.variable);
        let given = argument(self.variable, "date_format");
        if found.is_none() {
            let mut fault = Fault::new("SD204", format!("{} is no date format", given.map_or_else(String::new, shown)))
                .argument("date_format")
                .at(self.variable);
            fault = fault.fix("write \"YYYY\", \"YYYY-MM\" or \"YYYY-MM-DD\"");
            if !self.scope.faults.contains(&fault) {
                self.scope.faults.push(fault);
            }
        }
        if let Some(option) = ["include_day", "include_month"].into_iter().find(|option| self.flag(option))
            && matches!(given, Some(Value::Str(_)))
        {
            self.fault(
                Fault::new("SD203", format!("`date_format` and `{option}` both say how dates are written"))
                    .argument(option)
                    .fix(format!("leave `{option}` out")),
            );
        }
        found
    }

    /// Refuses arguments that must not be given together with another one.
    pub(super) fn exclude(&mut self, names: &[&str], why: &str) -> Option<()> {
        let stray: Vec<&str> = names.iter().copied().filter(|name| self.flag(name)).collect();
        for name in &stray {
            let message = format!("`{name}` cannot be given {why}");
            self.fault(Fault::new("SD203", message).argument(name).fix("leave it out"));
        }
        stray.is_empty().then_some(())
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}
