//! 7.3: SARS-CoV-2 tests, ethnicity, therapeutics, and registries that few ask.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use study::model::{
    ColumnType, Period, Query, RowFact, SgssFact, SusEthnicity, TestResult, TherapeuticsFact, UkrrFact,
};

use super::events::{among, episodes};
use super::expressions::{fold, same};
use super::rows::{by_texts, decimal, pick, whole};
use super::{Given, Patient, Raw, Res, Row, Stop, day, float, mm, text};

const FIRST: [&str; 6] =
    ["Lab_Report_Date", "Organism_Species_Name", "Lab_Type", "Patient_Sex", "SGTF", "CaseCategory"];
const ALL: [&str; 8] =
    ["Lab_Report_Date", "Symptomatic", "Pillar", "LFT_Flag", "Lab_Type", "Variant", "VariantDetectionMethod", "SGTF"];
const COHORTS: [&str; 3] = ["MOL1_high_risk_cohort", "SOT02_risk_cohorts", "CASIM05_risk_cohort"];
const KNOWN: &str = "downs syndrome/haematologic malignancy/haematological diseases/hiv or aids/imid/\
                     immune-mediated inflammatory disorders (imid)/liver disease/primary immune deficiencies/\
                     rare neurological conditions/renal disease/sickle cell disease/solid cancer/\
                     solid organ recipients/solid organ transplant recipients/stem cell transplant recipients";

impl Patient<'_> {
    pub fn registry(&self, query: &Query) -> Res<Given> {
        match query {
            Query::Sgss { .. } => self.sgss(query),
            _ => self.therapeutics(query),
        }
    }

    fn sgss(&self, query: &Query) -> Res<Given> {
        let Query::Sgss { result, earliest_only, period, pick: which, returning } = query else { panic!() };
        let (moment, tables, then): (_, _, &[&str]) = if *earliest_only {
            ("Earliest_Specimen_Date", ["SGSS_Positive", "SGSS_Negative"], &FIRST)
        } else {
            ("Specimen_Date", ["SGSS_AllTests_Positive", "SGSS_AllTests_Negative"], &ALL)
        };
        let (mut rows, negative) = (self.rows(tables[0]), self.rows(tables[1]));
        // absent columns are ''
        let mut empty = BTreeMap::new();
        for column in ["sgtf", "casecategory", "variant", "variantdetectionmethod"] {
            empty.insert(column.to_owned(), Some(String::new()));
        }
        let negative = negative.into_iter().map(|row| row.filled(&empty));
        match result {
            TestResult::Positive => {}
            TestResult::Negative => rows = negative.collect(),
            TestResult::Any => rows.extend(negative),
        }
        let fact = match returning {
            SgssFact::BinaryFlag => Some(RowFact::BinaryFlag),
            SgssFact::Date => Some(RowFact::Date),
            SgssFact::NumberOfMatches => Some(RowFact::NumberOfMatches),
            _ => None,
        };
        if let Some(fact) = fact {
            return self.row_fact(rows, moment, period, *which, fact);
        }
        let window = self.window(period)?;
        rows.retain(|r| window.holds(r.day(moment)));
        let Some(row) = pick(rows, *which, |r| r.moment(moment), by_texts(then)) else {
            return Ok(Given { raw: Raw::Null, belongs: None, event: None });
        };
        let stored = |column: &str| row.text(column).map(str::to_owned);
        let value = match returning {
            SgssFact::SGeneTargetFailure => stored("SGTF"),
            SgssFact::CaseCategory => stored("CaseCategory"),
            SgssFact::VariantDetectionMethod => stored("VariantDetectionMethod"),
            SgssFact::Variant => stored("Variant").map(|v| match fold(&v).as_str() {
                "(blank)" | "none" | "n/a" => String::new(),
                "voc-20dec-01 detected" => "VOC-20DEC-01".into(),
                _ => v,
            }),
            _ => stored("Symptomatic").map(|s| match fold(&s).as_str() {
                "u" => String::new(),
                "false" => "N".into(),
                "true" => "Y".into(),
                _ => s,
            }),
        };
        Ok(Given { raw: text(value.as_deref()), belongs: row.day(moment), event: None })
    }

    pub fn ethnicity(&self, returning: SusEthnicity) -> Raw {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (table, column) in [("APCS", "Ethnic_Group"), ("EC", "Ethnic_Category"), ("OPA", "Ethnic_Category")] {
            for row in self.rows(table) {
                if let Some(code) = row.text(column).filter(|c| !same(c, "99") && !fold(c).starts_with('z')) {
                    *counts.entry(code.to_owned()).or_default() += 1;
                }
            }
        }
        let code = counts.iter().max_by_key(|(code, n)| (**n, (*code).clone())).map(|(code, _)| code);
        let letter = code.and_then(|c| fold(c).chars().next()).map(|c| c.to_ascii_uppercase());
        let groups: &[&str] = match returning {
            SusEthnicity::Code => return text(code.map(String::as_str)),
            SusEthnicity::Group6 => &["ABC", "DEFG", "HJKL", "MNP", "RS"],
            SusEthnicity::Group16 => &["A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "S"],
        };
        let group = letter.and_then(|letter| groups.iter().position(|g| g.contains(letter)));
        Raw::Int(group.map_or(0, |at| i64::try_from(at).unwrap() + 1))
    }

    fn therapeutics(&self, query: &Query) -> Res<Given> {
        let Query::CovidTherapeutics { statuses, therapeutics, indications, period, pick: which, returning } = query
        else {
            panic!()
        };
        let moment = "TreatmentStartDate";
        let mut rows: Vec<Row> = Vec::new();
        for row in self.rows("Therapeutics") {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows.retain(|r| {
            let status = r.text("CurrentStatus").map(|t| t.trim_matches(' '));
            let drug = r.text("Intervention").map(fold);
            statuses.as_ref().is_none_or(|texts| among(status, texts))
                && therapeutics
                    .as_ref()
                    .is_none_or(|texts| drug.is_some_and(|drug| texts.iter().any(|t| drug.contains(&fold(t)))))
                && indications.as_ref().is_none_or(|texts| among(r.text("COVID_indication"), texts))
        });
        let fact = match returning {
            TherapeuticsFact::BinaryFlag => Some(RowFact::BinaryFlag),
            TherapeuticsFact::Date => Some(RowFact::Date),
            TherapeuticsFact::NumberOfMatches => Some(RowFact::NumberOfMatches),
            _ => None,
        };
        if let Some(fact) = fact {
            return self.row_fact(rows, moment, period, *which, fact);
        }
        let window = self.window(period)?;
        rows.retain(|r| window.holds(r.day(moment)));
        if let TherapeuticsFact::NumberOfEpisodes { days } = returning {
            let count = episodes(rows.iter().filter_map(|r| r.day(moment)).collect(), *days);
            return Ok(Given { raw: Raw::Int(count), belongs: None, event: None });
        }
        let then = [&["Received", "CurrentStatus", "Intervention", "Region"][..], &COHORTS].concat();
        let row = pick(rows, *which, |r| r.moment(moment), by_texts(&then));
        let of_row = |column: &str| row.as_ref().and_then(|r| r.text(column)).map(str::to_owned);
        let raw = match returning {
            TherapeuticsFact::Region => text(of_row("Region").as_deref()),
            TherapeuticsFact::RiskGroup => {
                let texts: Vec<String> = COHORTS.iter().map(|c| of_row(c).unwrap_or_default()).collect();
                Raw::Text(risk_groups(&texts))
            }
            _ => text(of_row("Intervention").map(|drug| without(drug.trim_matches(' '), " and ", ",")).as_deref()),
        };
        Ok(Given { raw, belongs: row.and_then(|r| r.day(moment)), event: None })
    }

    pub fn ukrr(&self, dataset: &str, period: &Period, returning: UkrrFact) -> Res<Raw> {
        let window = self.window(period)?;
        let mut rows = self.rows("UKRR");
        rows.retain(|r| r.text("dataset").is_some_and(|d| same(d, dataset)) && window.holds(r.day("rrt_start")));
        if rows.len() > 1 {
            return Err(Stop("D511"));
        }
        let Some(row) = rows.first() else {
            return Ok(if returning == UkrrFact::BinaryFlag { Raw::Bool(false) } else { Raw::Null });
        };
        #[allow(clippy::cast_possible_truncation, reason = "cut")]
        Ok(match returning {
            UkrrFact::BinaryFlag => Raw::Bool(true),
            UkrrFact::RenalCentre => text(row.text("renal_centre")),
            UkrrFact::TreatmentModalityStart => text(row.text("mod_start")),
            UkrrFact::TreatmentModalityPrevalence => text(row.text("mod_prev")),
            UkrrFact::LatestCreatinine => row.float("creat").map_or(Raw::Null, |n| Raw::Int(n as i64)),
            UkrrFact::LatestEgfr => float(row.float("eGFR_ckdepi")),
            UkrrFact::RrtStartDate => day(row.day("rrt_start")),
        })
    }

    pub fn high_cost(&self, query: &Query) -> Res<Raw> {
        let Query::HighCostDrugs { drugs, period, pick: which, returning } = query else { panic!() };
        let window = self.window(period)?;
        let mut days = Vec::new();
        for row in self.rows("HighCostDrugs") {
            if drugs.as_ref().is_some_and(|drugs| !among(row.text("DrugName"), drugs)) {
                continue;
            }
            let years = row.text("FinancialYear").map_or(Ok(None), whole)?;
            let month = row.text("FinancialMonth").map_or(Ok(None), whole)?;
            let day = years.zip(month).and_then(|(years, month)| {
                let april = date(i16::try_from(years / 100).unwrap(), 4, 1);
                april.checked_add((month - 1).months()).ok()
            });
            if window.holds(day) {
                days.push(day);
            }
        }
        Ok(match returning {
            RowFact::BinaryFlag => Raw::Bool(!days.is_empty()),
            RowFact::NumberOfMatches => Raw::Int(i64::try_from(days.len()).unwrap()),
            RowFact::Date => day(mm(days.into_iter(), *which)),
        })
    }

    pub fn isaric(&self, column: &str, filter: Option<&(String, Period)>, kind: ColumnType) -> Res<Raw> {
        let mut rows = Vec::new();
        for row in self.rows("ISARIC_Patient_Data_TopLine") {
            let kept = match filter {
                None => true,
                Some((column, period)) => self.window(period)?.holds(told(&row, column).map(british).transpose()?),
            };
            if kept {
                rows.push(row);
            }
        }
        if rows.len() > 1 {
            return Err(Stop("D511"));
        }
        let Some(cell) = rows.first().and_then(|row| told(row, column)) else { return Ok(Raw::Null) };
        Ok(match kind {
            ColumnType::Date(_) => Raw::Day(british(cell)?),
            ColumnType::Int => super::int(whole(cell)?),
            ColumnType::Float => float(decimal(cell)?),
            _ => Raw::Text(cell.to_owned()),
        })
    }
}

fn told<'r>(row: &'r Row, column: &str) -> Option<&'r str> {
    row.text(column).filter(|t| !t.is_empty() && *t != "NA")
}

fn british(cell: &str) -> Res<Date> {
    let parts: Vec<&str> = cell.split('/').collect();
    let [d, m, y] = parts[..] else { return Err(Stop("D513")) };
    format!("{y}-{m}-{d}").parse().map_err(|_| Stop("D513"))
}

/// Every occurrence replaced, without case.
fn without(text: &str, from: &str, to: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut found, mut at) = (String::new(), 0);
    while let Some(next) = lower[at..].find(&from.to_ascii_lowercase()) {
        found += &text[at..at + next];
        found += to;
        at += next + from.len();
    }
    found + &text[at..]
}

fn risk_groups(texts: &[String]) -> String {
    let cleaned: Vec<String> = texts
        .iter()
        .map(|t| without(&without(&without(t, "Patients with a ", ""), "Patients with ", ""), " and ", ","))
        .collect();
    let joined = cleaned.join(",");
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split(',').map(str::trim) {
        let part = if KNOWN.split('/').any(|k| same(k, part)) { part } else { "other" };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(",")
}
