//! Deaths: certificates, CPNS, primary care.
//! Spec study-definitions.md 7.3.

use query::{Collation, Frame, Series};

use super::{Answer, LowerError, Lowering};
use crate::model::{CertificateCodes, DeathFact, Period};

impl Lowering<'_> {
    pub(super) fn certificate(
        &mut self,
        period: &Period,
        codes: Option<&CertificateCodes>,
        returning: DeathFact,
    ) -> Result<Answer, LowerError> {
        let all = self.q.table("ONS_Deaths");
        let day = self.q.column(all, "dod");
        let within = self.within(day, period)?;
        let mut rows = self.keep(all, [within]);
        if let Some(codes) = codes {
            let named = self.causes(rows, codes)?;
            rows = self.q.filter(rows, named);
        }
        Ok(match returning {
            DeathFact::BinaryFlag => Answer::value(self.q.exists(rows)),
            DeathFact::DateOfDeath => Answer::day(self.least(rows, "dod")),
            DeathFact::UnderlyingCause => Answer::value(self.least(rows, "icd10u")),
            DeathFact::Place => Answer::value(self.least(rows, "Place_of_occurrence")),
        })
    }

    fn least(&mut self, frame: Frame, column: &str) -> Series {
        let column = self.q.column(frame, column);
        self.q.min(column)
    }

    fn causes(&mut self, rows: Frame, codes: &CertificateCodes) -> Result<Series, LowerError> {
        let list = self.code_set(&codes.codes)?;
        let mut columns = vec!["icd10u".to_owned()];
        if !codes.only_underlying {
            columns.extend((1..=15).map(|n| format!("ICD10{n:03}")));
        }
        let mut found = Vec::new();
        for column in &columns {
            let cause = self.q.column(rows, column);
            found.push(self.q.is_in(cause, list, Collation::Exact));
        }
        Ok(self.q.or(found))
    }

    pub(super) fn cpns(&mut self, period: &Period, returning: DeathFact) -> Result<Answer, LowerError> {
        let all = self.q.table("CPNS");
        let day = self.q.column(all, "DateOfDeath");
        let within = self.within(day, period)?;
        let rows = self.keep(all, [within]);
        let days = self.q.column(rows, "DateOfDeath");
        let day = self.q.one_value(days);
        if returning == DeathFact::DateOfDeath {
            return Ok(Answer::day(day));
        }
        // the flag stops on two dates as well, so it looks at the day, whatever that is
        let (exists, none) = (self.q.exists(rows), self.q.is_null(day));
        let some = self.q.not(none);
        let either = self.q.or([none, some]);
        Ok(Answer::value(self.q.and([exists, either])))
    }

    pub(super) fn primary_care_death(&mut self, period: &Period, returning: DeathFact) -> Result<Answer, LowerError> {
        let day = self.patient("DateOfDeath");
        let kept = self.within_centuries(day, period)?;
        Ok(match returning {
            DeathFact::DateOfDeath => Answer::day(self.q.case([(kept, day)], None)),
            _ => Answer::value(kept),
        })
    }
}
