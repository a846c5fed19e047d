//! Persons and their registrations.
//! Spec study-definitions.md 7.1.

use query::{Frame, JoinKind, Joined, Series, SortKey, Then, Type, Unit};

use super::{Answer, LowerError, Lowering, Raw};
use crate::model::{DateExpr, Period, PracticeFact};

impl Lowering<'_> {
    /// A column of the Patient row.
    pub(super) fn patient(&mut self, column: &str) -> Series {
        let patient = self.q.table("Patient");
        self.q.column(patient, column)
    }

    pub(super) fn of_patient(&mut self, column: &str) -> Answer {
        Answer::value(self.patient(column))
    }

    pub(super) fn date_of_birth(&mut self) -> Answer {
        Answer { raw: Raw::Day(self.patient("DateOfBirth")), belongs: None, picked: None }
    }

    pub(super) fn age(&mut self, date: &DateExpr) -> Result<Answer, LowerError> {
        let (birth, day) = (self.patient("DateOfBirth"), self.date(date)?);
        let years = self.q.year_boundaries_between(birth, day);
        let birthday = self.q.date_add(Unit::Years, birth, years, query::Overflow::Clamp);
        let one = self.q.value(1);
        let (later, less) = (self.q.gt(birthday, day), self.q.sub(years, one));
        Ok(Answer::value(self.q.case([(later, less)], Some(years))))
    }

    /// Registrations with what is known of their practices.
    fn registrations(&mut self, kind: JoinKind) -> Frame {
        let registrations = self.q.table("RegistrationHistory");
        let practices = self.q.table("Organisation");
        let on = &[("Organisation_ID", "Organisation_ID")];
        self.q.join(registrations, practices, &Joined { on, kind, name: "practice" })
    }

    /// Rows of which the first day is at most `start` and the last one after `end`.
    pub(super) fn covering(&mut self, frame: Frame, start: Series, end: Series) -> Frame {
        let (from, to) = (self.day_of(frame, "StartDate"), self.day_of(frame, "EndDate"));
        let (begun, open) = (self.q.le(from, start), self.q.gt(to, end));
        self.keep(frame, [Some(begun), Some(open)])
    }

    /// The calendar day of a column.
    pub(super) fn day_of(&mut self, frame: Frame, column: &str) -> Series {
        let moment = self.q.column(frame, column);
        self.q.day(moment)
    }

    pub(super) fn registered(
        &mut self,
        start: &DateExpr,
        end: &DateExpr,
        gone_live: bool,
    ) -> Result<Answer, LowerError> {
        let (start, end) = (self.date(start)?, self.date(end)?);
        let known = self.registrations(JoinKind::Inner);
        let mut rows = self.covering(known, start, end);
        if gone_live {
            let live = self.q.column(rows, "practice.GoLiveDate");
            let live = self.q.le(live, start);
            rows = self.q.filter(rows, live);
        }
        Ok(Answer::value(self.q.exists(rows)))
    }

    pub(super) fn deregistered(&mut self, period: &Period) -> Result<Answer, LowerError> {
        let registrations = self.q.table("RegistrationHistory");
        let end = self.day_of(registrations, "EndDate");
        let last = self.q.max(end);
        let kept = self.within_centuries(last, period)?;
        Ok(Answer::day(self.q.case([(kept, last)], None)))
    }

    pub(super) fn practice(&mut self, date: &DateExpr, returning: &PracticeFact) -> Result<Answer, LowerError> {
        let day = self.date(date)?;
        let all = self.registrations(JoinKind::Left);
        let current = self.covering(all, day, day);
        let (start, end) = (self.q.column(current, "StartDate"), self.q.column(current, "EndDate"));
        let id = self.q.column(current, "Registration_ID");
        let keys = [SortKey::desc(start), SortKey::desc(end), SortKey::asc(id)];
        let row = self.q.pick_by(current, &keys, Then::RowOrder);
        Ok(Answer::value(match returning {
            PracticeFact::Nuts1RegionName => self.q.column(row, "practice.Region"),
            PracticeFact::StpCode => self.q.column(row, "practice.STPCode"),
            PracticeFact::MsoaCode => self.q.column(row, "practice.MSOACode"),
            PracticeFact::PseudoId => self.q.column(row, "practice.Organisation_ID"),
            PracticeFact::TrialEnrolled { trial } => {
                let rows = self.trial(current, row, trial);
                self.q.exists(rows)
            }
            PracticeFact::TrialArm { trial } => {
                let rows = self.trial(current, row, trial);
                let arm = self.q.column(rows, "arm.TrialArm");
                self.q.min(arm)
            }
            PracticeFact::TrialProperty { trial, property } => self.trial_property(current, row, trial, property),
        }))
    }

    /// The picked registration with its practice's part in a trial.
    fn trial(&mut self, registrations: Frame, picked: Frame, trial: &str) -> Frame {
        let (id, of_picked) =
            (self.q.column(registrations, "Registration_ID"), self.q.column(picked, "Registration_ID"));
        let same = self.q.eq(id, of_picked);
        let rows = self.q.filter(registrations, same);
        let (arms, trials) = (self.q.table("ClusterRandomisedTrial"), self.q.table("ClusterRandomisedTrialReference"));
        let on = &[("Organisation_ID", "Organisation_ID")];
        let rows = self.q.join(rows, arms, &Joined { on, kind: JoinKind::Inner, name: "arm" });
        let on = &[("arm.TrialNumber", "TrialNumber")];
        let rows = self.q.join(rows, trials, &Joined { on, kind: JoinKind::Inner, name: "trial" });
        let named = self.equals_text(rows, "trial.TrialName", trial);
        self.q.filter(rows, named)
    }

    fn trial_property(&mut self, registrations: Frame, picked: Frame, trial: &str, property: &str) -> Series {
        let rows = self.trial(registrations, picked, trial);
        let details = self.q.table("ClusterRandomisedTrialDetail");
        let on = &[("Organisation_ID", "Organisation_ID"), ("arm.TrialNumber", "TrialNumber")];
        let rows = self.q.join(rows, details, &Joined { on, kind: JoinKind::Inner, name: "detail" });
        let named = self.equals_text(rows, "detail.Property", property);
        let rows = self.q.filter(rows, named);
        let value = self.q.column(rows, "detail.PropertyValue");
        self.q.min(value)
    }

    /// Whether a column is a text, without case.
    pub(super) fn equals_text(&mut self, frame: Frame, column: &str, text: &str) -> Series {
        let (column, text) = (self.q.column(frame, column), self.q.str(text));
        self.q.compare(query::Comparison::Eq, column, text, query::Collation::Ci)
    }

    /// Whether a column is one of some texts, without case.
    pub(super) fn among(&mut self, frame: Frame, column: &str, texts: &[String]) -> Series {
        let column = self.q.column(frame, column);
        let texts = self.texts(texts);
        self.q.is_in(column, texts, query::Collation::Ci)
    }

    /// A set of texts.
    pub(super) fn texts<S: AsRef<str>>(&mut self, texts: &[S]) -> Series {
        let texts: Vec<_> = texts.iter().map(query::Value::text).collect();
        self.q.values(Type::Str, texts)
    }
}
