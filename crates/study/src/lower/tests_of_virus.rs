//! SARS-CoV-2 tests in SGSS, and ethnicity from hospital records.
//! Spec study-definitions.md 7.3.

use query::{Collation, Comparison, Frame, Series, Then, Tie};

use super::{Answer, LowerError, Lowering, Raw};
use crate::model::{Period, Pick, SgssFact, SusEthnicity, TestResult};

/// In catalogue order, which decides ties; the first is the specimen's day.
const FIRST: [&str; 10] = [
    "Earliest_Specimen_Date",
    "Lab_Report_Date",
    "Organism_Species_Name",
    "Lab_Type",
    "Age_In_Years",
    "Patient_Sex",
    "County_Description",
    "PostCode_Source",
    "SGTF",
    "CaseCategory",
];
const ALL: [&str; 15] = [
    "Specimen_Date",
    "Lab_Report_Date",
    "Symptomatic",
    "Pillar",
    "LFT_Flag",
    "Ethnic_Category_Desc",
    "Organism_Species_Name",
    "Lab_Type",
    "Age_In_Years",
    "Patient_Sex",
    "County_Description",
    "PostCode_Source",
    "Variant",
    "VariantDetectionMethod",
    "SGTF",
];
const POSITIVE_ONLY: [&str; 4] = ["SGTF", "CaseCategory", "Variant", "VariantDetectionMethod"];

impl Lowering<'_> {
    pub(super) fn sgss(
        &mut self,
        result: TestResult,
        earliest_only: bool,
        period: &Period,
        pick: Pick,
        returning: SgssFact,
    ) -> Result<Answer, LowerError> {
        let (columns, positive, negative): (&[&str], _, _) = if earliest_only {
            (&FIRST, "SGSS_Positive", "SGSS_Negative")
        } else {
            (&ALL, "SGSS_AllTests_Positive", "SGSS_AllTests_Negative")
        };
        let mut branches = Vec::new();
        if result != TestResult::Negative {
            branches.push(self.branch(positive, columns, true));
        }
        if result != TestResult::Positive {
            branches.push(self.branch(negative, columns, false));
        }
        let all = self.q.union(columns, branches);
        let moment = columns.first().copied().unwrap_or_default();
        let day = self.q.column(all, moment);
        let within = self.within(day, period)?;
        let rows = self.keep(all, [within]);
        let days = self.q.column(rows, moment);
        let row = |this: &mut Self| this.pick(rows, pick, moment, Then::EveryColumn);
        let column = match returning {
            SgssFact::BinaryFlag => {
                let (flag, day) = (self.q.exists(rows), self.extreme(days, pick));
                return Ok(Answer::value(flag).belonging(day));
            }
            SgssFact::NumberOfMatches => return Ok(Answer::value(self.q.count(rows))),
            SgssFact::Date => return Ok(Answer::day(self.extreme(days, pick))),
            SgssFact::SGeneTargetFailure => "SGTF",
            SgssFact::CaseCategory => "CaseCategory",
            SgssFact::Variant => "Variant",
            SgssFact::VariantDetectionMethod => "VariantDetectionMethod",
            SgssFact::Symptomatic => "Symptomatic",
        };
        let row = row(self);
        let (stored, day) = (self.q.column(row, column), self.q.column(row, moment));
        let value = match returning {
            SgssFact::Variant => self.recoded(
                stored,
                &[("(blank)", ""), ("none", ""), ("N/A", ""), ("VOC-20DEC-01 detected", "VOC-20DEC-01")],
            ),
            SgssFact::Symptomatic => self.recoded(stored, &[("U", ""), ("false", "N"), ("true", "Y")]),
            _ => stored,
        };
        Ok(Answer { raw: Raw::Value(value), belongs: Some(day), picked: None })
    }

    /// The rows of one table, with '' in the columns that only positive tests have.
    fn branch(&mut self, table: &str, columns: &[&str], positive: bool) -> (Frame, Vec<Series>) {
        let rows = self.q.table(table);
        let values = columns.iter().map(|column| {
            if positive || !POSITIVE_ONLY.contains(column) { self.q.column(rows, column) } else { self.q.str("") }
        });
        let values = values.collect();
        (rows, values)
    }

    /// A text, or another where it is one of a few, without case.
    fn recoded(&mut self, text: Series, pairs: &[(&str, &str)]) -> Series {
        let mut cases = Vec::new();
        for (from, to) in pairs {
            let (from, to) = (self.q.str(from), self.q.str(to));
            cases.push((self.q.compare(Comparison::Eq, text, from, Collation::Ci), to));
        }
        self.q.case(cases, Some(text))
    }

    pub(super) fn ethnicity(&mut self, returning: SusEthnicity) -> Answer {
        let mut branches = Vec::new();
        for (table, column) in [("APCS", "Ethnic_Group"), ("EC", "Ethnic_Category"), ("OPA", "Ethnic_Category")] {
            let rows = self.q.table(table);
            branches.push((rows, vec![self.q.column(rows, column)]));
        }
        let all = self.q.union(&["code"], branches);
        let (code, unknown, unstated) = (self.q.column(all, "code"), self.q.str("99"), self.q.str("Z"));
        let known = self.q.compare(Comparison::Ne, code, unknown, Collation::Ci);
        let z = self.q.starts_with(code, unstated, Collation::Ci);
        let stated = self.q.not(z);
        let rows = self.keep(all, [Some(known), Some(stated)]);
        let code = self.q.column(rows, "code");
        let code = self.q.most_frequent(code, Tie::Greatest);
        Answer::value(match returning {
            SusEthnicity::Code => code,
            SusEthnicity::Group6 => self.group(code, &[("ABC", 1), ("DEFG", 2), ("HJKL", 3), ("MNP", 4), ("RS", 5)]),
            SusEthnicity::Group16 => {
                let letters = "ABCDEFGHJKLMNPRS";
                let groups: Vec<(String, i64)> =
                    letters.chars().zip(1..).map(|(letter, group)| (letter.to_string(), group)).collect();
                let groups: Vec<(&str, i64)> = groups.iter().map(|(l, g)| (l.as_str(), *g)).collect();
                self.group(code, &groups)
            }
        })
    }

    /// The group of a code by its first letter; 0 for any other code.
    fn group(&mut self, code: Series, groups: &[(&str, i64)]) -> Series {
        let mut cases = Vec::new();
        for (letters, group) in groups {
            let letters: Vec<String> = letters.chars().map(String::from).collect();
            let (letters, group) = (self.texts(&letters), self.q.value(*group));
            cases.push((self.q.starts_with(code, letters, Collation::Ci), group));
        }
        let other = self.q.value(0);
        self.q.case(cases, Some(other))
    }
}
