//! Vaccinations, appointments, decision support, and who works in health care.
//! Spec study-definitions.md 7.2.

use query::{Frame, JoinKind, Joined, Then};

use super::{Answer, LowerError, Lowering, Raw};
use crate::model::{DecisionSupportFact, Period, Pick, RowFact};

impl Lowering<'_> {
    /// Flag, count, or first or last day of rows.
    pub(super) fn row_fact(&mut self, rows: Frame, column: &str, pick: Pick, returning: RowFact) -> Answer {
        let day = self.day_of(rows, column);
        let day = self.extreme(day, pick);
        match returning {
            RowFact::BinaryFlag => Answer::value(self.q.exists(rows)).belonging(day),
            RowFact::NumberOfMatches => Answer::value(self.q.count(rows)).belonging(day),
            RowFact::Date => Answer::day(day),
        }
    }

    pub(super) fn vaccination(
        &mut self,
        diseases: Option<&[String]>,
        products: Option<&[String]>,
        period: &Period,
        pick: Pick,
        returning: RowFact,
    ) -> Result<Answer, LowerError> {
        let (given, known) = (self.q.table("Vaccination"), self.q.table("VaccinationReference"));
        let on = &[("VaccinationName_ID", "VaccinationName_ID")];
        let all = self.q.join(given, known, &Joined { on, kind: JoinKind::Inner, name: "reference" });
        let against = diseases.map(|texts| self.among(all, "reference.VaccinationContent", texts));
        let named = products.map(|texts| self.among(all, "reference.VaccinationName", texts));
        let day = self.day_of(all, "VaccinationDate");
        let within = self.within(day, period)?;
        let rows = self.keep(all, [against, named, within]);
        Ok(self.row_fact(rows, "VaccinationDate", pick, returning))
    }

    pub(super) fn consultations(
        &mut self,
        period: &Period,
        pick: Pick,
        returning: RowFact,
    ) -> Result<Answer, LowerError> {
        let all = self.q.table("Appointment");
        let status = self.q.column(all, "Status");
        let held = self.q.values(query::Type::Int, [1, 3, 4, 8, 9, 16].map(query::Value::Int));
        let held = self.q.is_in(status, held, query::Collation::Exact);
        let day = self.day_of(all, "SeenDate");
        let within = self.within(day, period)?;
        let rows = self.keep(all, [Some(held), within]);
        Ok(self.row_fact(rows, "SeenDate", pick, returning))
    }

    pub(super) fn decision_support(
        &mut self,
        period: &Period,
        pick: Pick,
        ignore_missing_values: bool,
        returning: DecisionSupportFact,
    ) -> Result<Answer, LowerError> {
        const MOMENT: &str = "CalculationDateTime";
        let all = self.q.table("DecisionSupportValue");
        let (algorithm, frailty) = (self.q.column(all, "AlgorithmType"), self.q.value(1));
        let frailty = self.q.eq(algorithm, frailty);
        let (number, zero) = (self.q.column(all, "NumericValue"), self.q.value(0.0));
        let told = ignore_missing_values.then(|| self.q.ne(number, zero));
        let day = self.day_of(all, MOMENT);
        let within = self.within(day, period)?;
        let rows = self.keep(all, [Some(frailty), told, within]);
        Ok(match returning {
            DecisionSupportFact::BinaryFlag => self.row_fact(rows, MOMENT, pick, RowFact::BinaryFlag),
            DecisionSupportFact::NumberOfMatches => self.row_fact(rows, MOMENT, pick, RowFact::NumberOfMatches),
            DecisionSupportFact::Date => self.row_fact(rows, MOMENT, pick, RowFact::Date),
            DecisionSupportFact::NumericValue => {
                let row = self.pick(rows, pick, MOMENT, Then::EveryColumn);
                let belongs = Some(self.day_of(row, MOMENT));
                Answer { raw: Raw::Value(self.q.column(row, "NumericValue")), belongs, picked: None }
            }
        })
    }

    pub(super) fn healthcare_worker(&mut self) -> Answer {
        let all = self.q.table("HealthCareWorker");
        let yes = self.equals_text(all, "HealthCareWorker", "Y");
        let rows = self.q.filter(all, yes);
        Answer::value(self.q.exists(rows))
    }
}
