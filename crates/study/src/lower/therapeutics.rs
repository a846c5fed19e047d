//! COVID-19 therapeutics.
//! Spec study-definitions.md 7.3.

use query::{Collation, Frame, Series, Then};

use super::{Answer, LowerError, Lowering, Raw};
use crate::model::{Query, TherapeuticsFact};

const MOMENT: &str = "TreatmentStartDate";
const COHORTS: [&str; 3] = ["MOL1_high_risk_cohort", "SOT02_risk_cohorts", "CASIM05_risk_cohort"];
const KNOWN: [&str; 15] = [
    "downs syndrome",
    "haematologic malignancy",
    "haematological diseases",
    "hiv or aids",
    "imid",
    "immune-mediated inflammatory disorders (imid)",
    "liver disease",
    "primary immune deficiencies",
    "rare neurological conditions",
    "renal disease",
    "sickle cell disease",
    "solid cancer",
    "solid organ recipients",
    "solid organ transplant recipients",
    "stem cell transplant recipients",
];

impl Lowering<'_> {
    pub(super) fn therapeutics(&mut self, query: &Query) -> Result<Answer, LowerError> {
        let Query::CovidTherapeutics { statuses, therapeutics, indications, period, pick, returning } = query else {
            return self.unsupported("no question about therapeutics");
        };
        let all = self.q.table("Therapeutics");
        let all = self.q.distinct(all);
        let status = statuses.as_ref().map(|texts| {
            let status = self.q.column(all, "CurrentStatus");
            let (status, texts) = (self.q.trim(status), self.texts(texts));
            self.q.is_in(status, texts, Collation::Ci)
        });
        let drug = therapeutics.as_ref().map(|texts| {
            let (drug, texts) = (self.q.column(all, "Intervention"), self.texts(texts));
            self.q.contains(drug, texts, Collation::Ci)
        });
        let why = indications.as_ref().map(|texts| self.among(all, "COVID_indication", texts));
        let day = self.day_of(all, MOMENT);
        let within = self.within(day, period)?;
        let rows = self.keep(all, [status, drug, why, within]);
        let days = self.day_of(rows, MOMENT);
        Ok(match returning {
            TherapeuticsFact::BinaryFlag => {
                let (flag, day) = (self.q.exists(rows), self.extreme(days, *pick));
                Answer::value(flag).belonging(day)
            }
            TherapeuticsFact::Date => Answer::day(self.extreme(days, *pick)),
            TherapeuticsFact::NumberOfMatches => Answer::value(self.q.count(rows)),
            TherapeuticsFact::NumberOfEpisodes { days: gap } => Answer::value(self.q.count_episodes(days, *gap)),
            TherapeuticsFact::Therapeutic | TherapeuticsFact::RiskGroup | TherapeuticsFact::Region => {
                let columns = ["Received", "CurrentStatus", "Intervention", "Region"].iter().chain(&COHORTS);
                let then = Then::Columns(columns.map(|c| (*c).to_owned()).collect());
                let row = self.pick(rows, *pick, MOMENT, then);
                let value = match returning {
                    TherapeuticsFact::RiskGroup => self.risk_group(row),
                    TherapeuticsFact::Region => self.q.column(row, "Region"),
                    _ => {
                        let drug = self.q.column(row, "Intervention");
                        let drug = self.q.trim(drug);
                        self.listed(drug)
                    }
                };
                Answer { raw: Raw::Value(value), belongs: Some(self.day_of(row, MOMENT)), picked: None }
            }
        })
    }

    /// `a and b` as `a,b`.
    fn listed(&mut self, text: Series) -> Series {
        let (and, comma) = (self.q.str(" and "), self.q.str(","));
        self.q.replace(text, and, comma, Collation::Ci)
    }

    fn risk_group(&mut self, row: Frame) -> Series {
        let (comma, nothing) = (self.q.str(","), self.q.str(""));
        let mut parts = Vec::new();
        for cohort in COHORTS {
            let text = self.q.column(row, cohort);
            let mut text = self.q.coalesce([text, nothing]);
            for words in ["Patients with a ", "Patients with "] {
                let words = self.q.str(words);
                text = self.q.replace(text, words, nothing, Collation::Ci);
            }
            if !parts.is_empty() {
                parts.push(comma);
            }
            parts.push(self.listed(text));
        }
        let (all, known) = (self.q.concat(parts), self.texts(&KNOWN));
        self.q.known_parts(all, ",", known, "other")
    }
}
