//! 7.2: events, medications, measurements, BMI, appointments, decision support, vaccinations.

use study::model::{
    CodedFact, CodedRows, Codes, DecisionSupportFact, Part, Period, Pick, Query, RowFact, Statistic, System, VariableId,
};

use super::rows::{by_id, join, pick};
use super::{Given, Patient, Raw, Res, Row, expressions, float, mm, text};

const MOMENT: &str = "ConsultationDate";

impl Patient<'_> {
    fn events(&self, codes: &Codes) -> (Vec<Row>, &'static str) {
        let (table, column) =
            if codes.system == System::Ctv3 { ("CodedEvent", "CTV3Code") } else { ("CodedEvent_SNOMED", "ConceptId") };
        let mut rows = self.rows(table);
        rows.retain(|row| self.is_listed(row.text(column), codes));
        (rows, column)
    }

    pub fn coded(&self, asked: &CodedRows, clinical: bool) -> Res<Given> {
        let list = self.world.list(&asked.codes);
        let (mut rows, column, id) = if clinical {
            let (rows, column) = self.events(&asked.codes);
            (rows, column, "CodedEvent_ID")
        } else {
            let drugs = self.world.all("MedicationDictionary");
            let all = join(&self.rows("MedicationIssue"), &drugs, "MultilexDrug_ID", "MultilexDrug_ID", "drug", false);
            let listed = |row: &Row| row.text("drug.DMD_ID").and_then(|code| self.world.listed(code, &list)).is_some();
            (all.into_iter().filter(listed).collect(), "drug.DMD_ID", "MedicationIssue_ID")
        };
        if asked.ignore_missing_values {
            rows.retain(|row| row.float("NumericValue").is_some_and(|n| n != 0.0));
        }
        let window = self.window(&asked.period)?;
        rows.retain(|row| window.holds(row.day(MOMENT)));
        if let Some(other) = &asked.except_days_of {
            let (others, _) = self.events(other);
            let days: Vec<_> =
                others.iter().map(|r| r.day(MOMENT)).filter(|day| window.holds(*day)).flatten().collect();
            rows.retain(|row| row.day(MOMENT).is_none_or(|day| !days.contains(&day)));
        }
        let day = mm(rows.iter().map(|r| r.day(MOMENT)), asked.pick);
        let given = |raw| Ok(Given { raw, belongs: day, event: None });
        match asked.returning {
            CodedFact::BinaryFlag => return given(Raw::Bool(!rows.is_empty())),
            CodedFact::NumberOfMatches => return given(Raw::Int(i64::try_from(rows.len()).unwrap())),
            CodedFact::NumberOfEpisodes { days } => {
                return given(Raw::Int(episodes(rows.iter().filter_map(|r| r.day(MOMENT)).collect(), days)));
            }
            CodedFact::Date => return given(super::day(day)),
            _ => {}
        }
        let Some(row) = pick(rows, asked.pick, |r| r.moment(MOMENT), by_id(id)) else {
            return Ok(Given { raw: Raw::Null, belongs: None, event: None });
        };
        let raw = match asked.returning {
            CodedFact::NumericValue => float(row.float("NumericValue")),
            CodedFact::Code => text(row.text(column)),
            _ => {
                let code = row.text(column).unwrap();
                let code = if clinical { code.to_owned() } else { self.world.listed(code, &list).unwrap() };
                text(list[&code].as_deref())
            }
        };
        Ok(Given { raw, belongs: row.day(MOMENT), event: row.int("CodedEvent_ID") })
    }

    pub fn recorded(&self, which: Statistic, codes: &Codes, latest: bool, period: &Period) -> Res<Given> {
        let (mut rows, _) = self.events(codes);
        let window = self.window(period)?;
        rows.retain(|row| window.holds(row.day(MOMENT)));
        let day = mm(rows.iter().map(|r| r.day(MOMENT)), Pick::Last);
        if latest {
            rows.retain(|row| day.is_some() && row.day(MOMENT) == day);
        }
        let values: Vec<f64> = rows.iter().filter_map(|r| r.float("NumericValue")).collect();
        #[allow(clippy::cast_precision_loss, reason = "few rows")]
        let value = match which {
            Statistic::Mean if values.is_empty() => None,
            Statistic::Mean => Some(values.iter().sum::<f64>() / values.len() as f64),
            Statistic::Min => values.iter().copied().reduce(f64::min),
            Statistic::Max => values.iter().copied().reduce(f64::max),
        };
        Ok(Given { raw: float(value), belongs: day.filter(|_| latest), event: None })
    }

    pub fn bmi(&self, period: &Period, minimum: i64) -> Res<Given> {
        let until = Period { from: None, to: period.to.clone() };
        let born = self.row().day("DateOfBirth");
        let last = |codes: &[&str], period: &Period| {
            let window = self.window(period)?;
            let mut rows = self.rows("CodedEvent");
            rows.retain(|r| r.text("CTV3Code").is_some_and(|c| codes.contains(&c)) && window.holds(r.day(MOMENT)));
            let row = pick(rows, Pick::Last, |r| r.moment(MOMENT), by_id("CodedEvent_ID"));
            Ok(row.filter(|row| match (row.day(MOMENT), born) {
                (Some(day), Some(born)) => i64::from(day.year()) - i64::from(born.year()) >= minimum,
                _ => false,
            }))
        };
        let (w, h, b) =
            (last(&["X76C7", "22A.."], period)?, last(&["XM01E", "229.."], &until)?, last(&["22K.."], period)?);
        let value = |row: &Option<Row>| row.as_ref().and_then(|r| r.float("NumericValue"));
        let day = |row: &Option<Row>| row.as_ref().and_then(|r| r.day(MOMENT));
        let tall = value(&h).filter(|h| *h != 0.0);
        let worked_out = value(&w).zip(tall).map(|(w, h)| w / (h * h)).filter(|n| n.is_finite());
        let belongs = if value(&w).is_none() || value(&h).is_none() { day(&b) } else { day(&w) };
        Ok(Given { raw: float(worked_out.or(value(&b)).map(one_decimal)), belongs, event: None })
    }

    pub fn value_from(&self, source: VariableId, part: Part) -> Res<Raw> {
        let done = self.value(source)?;
        if part == Part::Date {
            return Ok(super::day(done.belongs));
        }
        let mut ranges = self.rows("CodedEventRange");
        ranges.retain(|r| done.event.is_some() && r.int("CodedEvent_ID") == done.event);
        let Some(row) = ranges.into_iter().min_by_key(|r| r.int("CodedEventRange_ID")) else { return Ok(Raw::Null) };
        Ok(match part {
            Part::LowerBound => float(row.float("LowerBound")),
            Part::UpperBound => float(row.float("UpperBound")),
            _ => text(match row.int("Comparator") {
                Some(3) => Some("~"),
                Some(4) => Some("="),
                Some(5) => Some(">="),
                Some(6) => Some(">"),
                Some(7) => Some("<"),
                Some(8) => Some("<="),
                _ => None,
            }),
        })
    }

    pub fn other_care(&self, query: &Query) -> Res<Given> {
        match query {
            Query::HealthcareWorker => {
                let rows = self.rows("HealthCareWorker");
                let yes = rows.iter().any(|r| r.text("HealthCareWorker").is_some_and(|t| expressions::same(t, "Y")));
                Ok(Given { raw: Raw::Bool(yes), belongs: None, event: None })
            }
            Query::GpConsultations { period, pick, returning } => {
                let mut rows = self.rows("Appointment");
                rows.retain(|r| matches!(r.int("Status"), Some(1 | 3 | 4 | 8 | 9 | 16)));
                self.row_fact(rows, "SeenDate", period, *pick, *returning)
            }
            Query::Vaccination { diseases, products, period, pick, returning } => {
                let known = self.world.all("VaccinationReference");
                let mut rows =
                    join(&self.rows("Vaccination"), &known, "VaccinationName_ID", "VaccinationName_ID", "r", false);
                rows.retain(|r| {
                    let one_of = |column: &str, texts: &Option<Vec<String>>| {
                        texts.as_ref().is_none_or(|texts| among(r.text(column), texts))
                    };
                    one_of("r.VaccinationContent", diseases) && one_of("r.VaccinationName", products)
                });
                self.row_fact(rows, "VaccinationDate", period, *pick, *returning)
            }
            Query::DecisionSupport { period, pick: which, ignore_missing_values, returning } => {
                let moment = "CalculationDateTime";
                let mut rows = self.rows("DecisionSupportValue");
                rows.retain(|r| r.int("AlgorithmType") == Some(1));
                if *ignore_missing_values {
                    rows.retain(|r| r.float("NumericValue").is_some_and(|n| n != 0.0));
                }
                let fact = match returning {
                    DecisionSupportFact::BinaryFlag => RowFact::BinaryFlag,
                    DecisionSupportFact::Date => RowFact::Date,
                    DecisionSupportFact::NumberOfMatches => RowFact::NumberOfMatches,
                    DecisionSupportFact::NumericValue => {
                        let window = self.window(period)?;
                        rows.retain(|r| window.holds(r.day(moment)));
                        let by_value =
                            |a: &Row, b: &Row| a.float("NumericValue").partial_cmp(&b.float("NumericValue")).unwrap();
                        let row = pick(rows, *which, |r| r.moment(moment), by_value);
                        let value = row.as_ref().and_then(|r| r.float("NumericValue"));
                        return Ok(Given { raw: float(value), belongs: row.and_then(|r| r.day(moment)), event: None });
                    }
                };
                self.row_fact(rows, moment, period, *which, fact)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Flag, count or first or last day of the rows in a period.
    pub fn row_fact(&self, mut rows: Vec<Row>, moment: &str, period: &Period, pick: Pick, fact: RowFact) -> Res<Given> {
        let window = self.window(period)?;
        rows.retain(|r| window.holds(r.day(moment)));
        let day = mm(rows.iter().map(|r| r.day(moment)), pick);
        let raw = match fact {
            RowFact::BinaryFlag => Raw::Bool(!rows.is_empty()),
            RowFact::NumberOfMatches => Raw::Int(i64::try_from(rows.len()).unwrap()),
            RowFact::Date => super::day(day),
        };
        Ok(Given { raw, belongs: day, event: None })
    }
}

/// 7.2: the first is one, and each whose gap to the day before exceeds N.
pub fn episodes(mut days: Vec<jiff::civil::Date>, gap: u32) -> i64 {
    days.sort();
    let mut count = i64::from(!days.is_empty());
    for pair in days.windows(2) {
        let between = pair[0].until(pair[1]).unwrap().get_days();
        if i64::from(between) > i64::from(gap) {
            count += 1;
        }
    }
    count
}

/// Without case.
pub fn among(text: Option<&str>, texts: &[String]) -> bool {
    text.is_some_and(|text| texts.iter().any(|t| expressions::same(t, text)))
}

/// Halves away from zero; only a quarter's odd multiple is a half exactly.
fn one_decimal(number: f64) -> f64 {
    let quarters = number * 4.0;
    if quarters.fract() == 0.0 && quarters % 2.0 != 0.0 {
        (number * 10.0).round() / 10.0
    } else {
        format!("{number:.1}").parse().unwrap()
    }
}
