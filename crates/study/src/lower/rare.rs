//! Registries that few studies ask: renal replacement, high cost drugs, ISARIC.
//! Spec study-definitions.md 7.3.

use query::{Collation, DateFormat, Series, Type, Unit};

use super::{Answer, LowerError, Lowering, Raw};
use crate::model::{ColumnType, Period, Pick, RowFact, UkrrFact};

impl Lowering<'_> {
    pub(super) fn ukrr(&mut self, dataset: &str, period: &Period, returning: UkrrFact) -> Result<Answer, LowerError> {
        let all = self.q.table("UKRR");
        let named = self.equals_text(all, "dataset", dataset);
        let start = self.q.column(all, "rrt_start");
        let within = self.within(start, period)?;
        let rows = self.keep(all, [Some(named), within]);
        let row = self.q.one_row(rows);
        let column = match returning {
            UkrrFact::BinaryFlag => return Ok(Answer::value(self.q.exists(row))),
            UkrrFact::RrtStartDate => return Ok(Answer::day(self.q.column(row, "rrt_start"))),
            UkrrFact::LatestCreatinine => {
                let creatinine = self.q.column(row, "creat");
                return Ok(Answer::value(self.q.cast(creatinine, Type::Int)));
            }
            UkrrFact::RenalCentre => "renal_centre",
            UkrrFact::TreatmentModalityStart => "mod_start",
            UkrrFact::TreatmentModalityPrevalence => "mod_prev",
            UkrrFact::LatestEgfr => "eGFR_ckdepi",
        };
        Ok(Answer::value(self.q.column(row, column)))
    }

    pub(super) fn high_cost_drugs(
        &mut self,
        drugs: Option<&[String]>,
        period: &Period,
        pick: Pick,
        returning: RowFact,
    ) -> Result<Answer, LowerError> {
        let all = self.q.table("HighCostDrugs");
        let named = drugs.map(|texts| self.among(all, "DrugName", texts));
        let rows = self.keep(all, [named]);
        let day = self.financial_month(rows);
        let within = self.within(day, period)?;
        let rows = self.keep(rows, [within]);
        let day = self.financial_month(rows);
        Ok(match returning {
            RowFact::BinaryFlag => Answer::value(self.q.exists(rows)),
            RowFact::NumberOfMatches => Answer::value(self.q.count(rows)),
            RowFact::Date => Answer::day(self.extreme(day, pick)),
        })
    }

    /// First day of a month of a financial year: month 1 of `202122` is April 2021.
    fn financial_month(&mut self, rows: query::Frame) -> Series {
        let (years, month) = (self.q.column(rows, "FinancialYear"), self.q.column(rows, "FinancialMonth"));
        let (years, month) = (self.q.cast(years, Type::Int), self.q.cast(month, Type::Int));
        let hundred = self.q.value(100);
        let year = self.q.div_int(years, hundred);
        let year = self.q.cast(year, Type::Str);
        let april = self.q.str("-04-01");
        let april = self.q.concat([year, april]);
        let april = self.q.cast(april, Type::Date);
        let one = self.q.value(1);
        let later = self.q.sub(month, one);
        self.q.date_add(Unit::Months, april, later, query::Overflow::Clamp)
    }

    pub(super) fn isaric(
        &mut self,
        column: &str,
        filter: Option<&(String, Period)>,
        kind: ColumnType,
    ) -> Result<Answer, LowerError> {
        let all = self.q.table("ISARIC_Patient_Data_TopLine");
        let mut rows = all;
        if let Some((column, period)) = filter {
            let text = self.q.column(all, column);
            let text = self.told_text(text);
            let day = self.q.cast_date(text, Type::Date, DateFormat::British);
            let within = self.within(day, period)?;
            rows = self.keep(all, [within]);
        }
        let row = self.q.one_row(rows);
        let text = self.q.column(row, column);
        let text = self.told_text(text);
        let raw = match kind {
            ColumnType::Date(_) => Raw::Day(self.q.cast_date(text, Type::Date, DateFormat::British)),
            ColumnType::Int | ColumnType::IntCategory { .. } => Raw::Value(self.q.cast(text, Type::Int)),
            ColumnType::Float => Raw::Value(self.q.cast(text, Type::Float)),
            ColumnType::Str => Raw::Value(text),
            ColumnType::Bool => return self.unsupported("no column of ISARIC is true or false"),
        };
        Ok(Answer { raw, belongs: None, picked: None })
    }

    /// A text, NULL if it is '' or NA.
    fn told_text(&mut self, text: Series) -> Series {
        let missing = self.texts(&["", "NA"]);
        let missing = self.q.is_in(text, missing, Collation::Exact);
        let told = self.q.not(missing);
        self.q.case([(told, text)], None)
    }
}
