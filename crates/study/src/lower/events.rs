//! Clinical events and medications, what is measured of them, and body mass index.
//! Spec study-definitions.md 7.2.

use std::collections::BTreeMap;

use query::{Collation, Frame, JoinKind, Joined, Series, Type};

use super::{Answer, LowerError, Lowering, Raw, by};
use crate::model::{CodedFact, CodedRows, Codes, Part, Period, Pick, Statistic, System, VariableId};
use crate::recording::{CodelistItems, Value};

const MOMENT: &str = "ConsultationDate";

/// Rows with a code of a list, and where their code and id stand.
struct Coded {
    frame: Frame,
    code: &'static str,
    id: &'static str,
    collation: Collation,
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Str(code) = value { Some(code) } else { None }
}

/// A category as text; a code may have none.
fn category(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Str(category) => Some(Some(category.clone())),
        Value::Int(number) => Some(Some(number.to_string())),
        Value::Null => Some(None),
        _ => None,
    }
}

impl<'a> Lowering<'a> {
    /// The codes of a list, with their categories if it has any.
    fn codes(&self, codes: &Codes) -> Result<Vec<(&'a str, Option<String>)>, LowerError> {
        let items = || -> Option<Vec<_>> {
            match &self.recording.codelists.get(&codes.list)?.items {
                CodelistItems::Plain(items) => items.iter().map(|code| Some((text(code)?, None))).collect(),
                CodelistItems::Categorised(items) => {
                    items.iter().map(|(code, value)| Some((text(code)?, category(value)?))).collect()
                }
            }
        };
        let bad = || LowerError::Codelist { variable: self.name.to_owned(), list: codes.list.0.clone() };
        items().ok_or_else(bad)
    }

    /// The set of the codes of a list.
    pub(super) fn code_set(&mut self, codes: &Codes) -> Result<Series, LowerError> {
        let items: Vec<String> = self.codes(codes)?.into_iter().map(|(code, _)| code.to_owned()).collect();
        Ok(self.q.codelist(codes.system.name(), items))
    }

    fn events(&mut self, codes: &Codes) -> Result<Coded, LowerError> {
        let (table, code) = match codes.system {
            System::Ctv3 => ("CodedEvent", "CTV3Code"),
            System::Snomed => ("CodedEvent_SNOMED", "ConceptId"),
            System::Icd10 | System::Opcs4 => return self.unsupported("clinical events have no codes of this system"),
        };
        let (all, list) = (self.q.table(table), self.code_set(codes)?);
        let column = self.q.column(all, code);
        let listed = self.q.is_in(column, list, Collation::Exact);
        let frame = self.q.filter(all, listed);
        Ok(Coded { frame, code, id: "CodedEvent_ID", collation: Collation::Exact })
    }

    fn issues(&mut self, codes: &Codes) -> Result<Coded, LowerError> {
        let (issues, drugs) = (self.q.table("MedicationIssue"), self.q.table("MedicationDictionary"));
        let on = &[("MultilexDrug_ID", "MultilexDrug_ID")];
        let all = self.q.join(issues, drugs, &Joined { on, kind: JoinKind::Inner, name: "drug" });
        let linked = self.listed_code(all, "drug.DMD_ID", codes)?;
        let unlisted = self.q.is_null(linked);
        let listed = self.q.not(unlisted);
        let frame = self.q.filter(all, listed);
        Ok(Coded { frame, code: "drug.DMD_ID", id: "MedicationIssue_ID", collation: Collation::Ci })
    }

    /// The listed code that a drug's code is linked with by VmpMapping, or NULL.
    fn listed_code(&mut self, frame: Frame, column: &str, codes: &Codes) -> Result<Series, LowerError> {
        let list = self.code_set(codes)?;
        let (code, mapping) = (self.q.column(frame, column), self.q.table("VmpMapping"));
        Ok(self.q.linked(code, list, mapping, "id", "prev_id"))
    }

    /// The rows that count, after every rule of 7.2 on which do.
    fn counted(&mut self, coded: Coded, rows: &CodedRows) -> Result<Coded, LowerError> {
        let mut frame = coded.frame;
        if rows.ignore_missing_values {
            let (number, zero) = (self.q.column(frame, "NumericValue"), self.q.value(0.0));
            let told = self.q.ne(number, zero);
            frame = self.q.filter(frame, told);
        }
        frame = self.in_period(frame, &rows.period)?;
        if let Some(other) = &rows.except_days_of {
            let other = self.events(other)?.frame;
            let other = self.in_period(other, &rows.period)?;
            let days = self.day_of(other, MOMENT);
            let (days, day) = (self.q.set(days), self.day_of(frame, MOMENT));
            let excepted = self.q.is_in(day, days, Collation::Exact);
            // a row without a day is on no day of the other list
            let (none, other) = (self.q.is_null(day), self.q.not(excepted));
            let kept = self.q.or([none, other]);
            frame = self.q.filter(frame, kept);
        }
        Ok(Coded { frame, ..coded })
    }

    fn in_period(&mut self, frame: Frame, period: &Period) -> Result<Frame, LowerError> {
        let day = self.day_of(frame, MOMENT);
        let within = self.within(day, period)?;
        Ok(self.keep(frame, [within]))
    }

    pub(super) fn clinical_events(&mut self, rows: &CodedRows) -> Result<Answer, LowerError> {
        let events = self.events(&rows.codes)?;
        self.coded(events, rows)
    }

    pub(super) fn medications(&mut self, rows: &CodedRows) -> Result<Answer, LowerError> {
        let issues = self.issues(&rows.codes)?;
        self.coded(issues, rows)
    }

    fn coded(&mut self, coded: Coded, rows: &CodedRows) -> Result<Answer, LowerError> {
        let coded = self.counted(coded, rows)?;
        let day = self.day_of(coded.frame, MOMENT);
        let all = |this: &mut Self, value| Answer::value(value).belonging(this.extreme(day, rows.pick));
        Ok(match rows.returning {
            CodedFact::BinaryFlag => {
                let flag = self.q.exists(coded.frame);
                all(self, flag)
            }
            CodedFact::NumberOfMatches => {
                let count = self.q.count(coded.frame);
                all(self, count)
            }
            CodedFact::NumberOfEpisodes { days } => {
                let episodes = self.q.count_episodes(day, days);
                all(self, episodes)
            }
            CodedFact::Date => Answer::day(self.extreme(day, rows.pick)),
            CodedFact::Code | CodedFact::Category | CodedFact::NumericValue => {
                let row = self.pick(coded.frame, rows.pick, MOMENT, by(coded.id));
                let value = match rows.returning {
                    CodedFact::Code => self.q.column(row, coded.code),
                    CodedFact::NumericValue => self.q.column(row, "NumericValue"),
                    _ => self.category(row, &coded, &rows.codes)?,
                };
                let belongs = Some(self.day_of(row, MOMENT));
                Answer { raw: Raw::Value(value), belongs, picked: Some(row) }
            }
        })
    }

    /// The category of a picked row's code.
    fn category(&mut self, row: Frame, coded: &Coded, codes: &Codes) -> Result<Series, LowerError> {
        let mut by_category: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (code, category) in self.codes(codes)? {
            if let Some(category) = category {
                by_category.entry(category).or_default().push(code.to_owned());
            }
        }
        let code = match coded.collation {
            Collation::Exact => self.q.column(row, coded.code),
            Collation::Ci => self.listed_code(row, coded.code, codes)?,
        };
        let mut cases = Vec::new();
        for (category, codes) in by_category {
            let (set, category) = (self.texts(&codes), self.q.str(&category));
            cases.push((self.q.is_in(code, set, coded.collation), category));
        }
        if cases.is_empty() {
            return Ok(self.q.null(Type::Str));
        }
        Ok(self.q.case(cases, None))
    }

    pub(super) fn value_from(&mut self, source: VariableId, part: Part) -> Result<Answer, LowerError> {
        let lowered = self.done[source.0];
        if part == Part::Date {
            return match lowered.belongs {
                Some(day) => Ok(Answer::day(day)),
                None => self.unsupported("no day belongs to this source"),
            };
        }
        let Some(event) = lowered.picked else {
            return self.unsupported("no event was picked by this source");
        };
        let ranges = self.q.table("CodedEventRange");
        let (id, of_event) = (self.q.column(ranges, "CodedEvent_ID"), self.q.column(event, "CodedEvent_ID"));
        let same = self.q.eq(id, of_event);
        let rows = self.q.filter(ranges, same);
        let row = self.pick(rows, Pick::First, "CodedEventRange_ID", query::Then::RowOrder);
        Ok(Answer::value(match part {
            Part::LowerBound => self.q.column(row, "LowerBound"),
            Part::UpperBound => self.q.column(row, "UpperBound"),
            Part::Date | Part::Comparator => self.comparator(row),
        }))
    }

    fn comparator(&mut self, row: Frame) -> Series {
        let number = self.q.column(row, "Comparator");
        let mut cases = Vec::new();
        for (code, sign) in [(3, "~"), (4, "="), (5, ">="), (6, ">"), (7, "<"), (8, "<=")] {
            let (code, sign) = (self.q.value(code), self.q.str(sign));
            cases.push((self.q.eq(number, code), sign));
        }
        self.q.case(cases, None)
    }

    pub(super) fn recorded_value(
        &mut self,
        statistic: Statistic,
        codes: &Codes,
        on_most_recent_day: bool,
        period: &Period,
    ) -> Result<Answer, LowerError> {
        let events = self.events(codes)?.frame;
        let mut rows = self.in_period(events, period)?;
        let mut belongs = None;
        if on_most_recent_day {
            let day = self.day_of(rows, MOMENT);
            let latest = self.q.max(day);
            let then = self.q.eq(day, latest);
            rows = self.q.filter(rows, then);
            belongs = Some(latest);
        }
        let number = self.q.column(rows, "NumericValue");
        let value = match statistic {
            Statistic::Mean => self.q.mean(number),
            Statistic::Min => self.q.min(number),
            Statistic::Max => self.q.max(number),
        };
        Ok(Answer { raw: Raw::Value(value), belongs, picked: None })
    }

    pub(super) fn bmi(&mut self, period: &Period, minimum_age: i64) -> Result<Answer, LowerError> {
        let until = Period { from: None, to: period.to.clone() };
        let (weight, weighed) = self.measured(&["X76C7", "22A.."], period, minimum_age)?;
        let (height, _) = self.measured(&["XM01E", "229.."], &until, minimum_age)?;
        let (recorded, on) = self.measured(&["22K.."], period, minimum_age)?;
        let zero = self.q.value(0.0);
        let tall = self.q.ne(height, zero);
        let tall = self.q.case([(tall, height)], None);
        let square = self.q.mul(tall, tall);
        let worked_out = self.q.div(weight, square);
        let index = self.q.coalesce([worked_out, recorded]);
        let index = self.q.round_half_away(index, 1);
        let (no_weight, no_height) = (self.q.is_null(weight), self.q.is_null(height));
        let lacking = self.q.or([no_weight, no_height]);
        let day = self.q.case([(lacking, on)], Some(weighed));
        Ok(Answer::value(index).belonging(day))
    }

    /// The latest value of some codes and its day, both NULL if the patient was too young on that day.
    fn measured(&mut self, codes: &[&str], period: &Period, minimum_age: i64) -> Result<(Series, Series), LowerError> {
        let (all, codes) = (self.q.table("CodedEvent"), self.texts(codes));
        let code = self.q.column(all, "CTV3Code");
        let listed = self.q.is_in(code, codes, Collation::Exact);
        let rows = self.q.filter(all, listed);
        let rows = self.in_period(rows, period)?;
        let row = self.pick(rows, Pick::Last, MOMENT, by("CodedEvent_ID"));
        let (number, day, birth) =
            (self.q.column(row, "NumericValue"), self.day_of(row, MOMENT), self.patient("DateOfBirth"));
        let (year, born, least) = (self.q.year(day), self.q.year(birth), self.q.value(minimum_age));
        let years = self.q.sub(year, born);
        let old_enough = self.q.ge(years, least);
        Ok((self.q.case([(old_enough, number)], None), self.q.case([(old_enough, day)], None)))
    }
}
