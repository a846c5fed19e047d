//! Addresses, care homes and households.
//! Spec study-definitions.md 7.1.

use query::{Collation, Comparison, Frame, JoinKind, Joined, Series, SortKey, Then};

use super::{Answer, LowerError, Lowering, computed};
use crate::model::{AddressFact, Cases, ColumnType, DateExpr, HouseholdFact};

impl Lowering<'_> {
    /// The address as of a day: by start, then end, latest first, then those with a postcode, then the lowest id.
    fn address_row(&mut self, all: Frame, day: Series) -> Frame {
        let current = self.covering(all, day, day);
        let (start, end) = (self.q.column(current, "StartDate"), self.q.column(current, "EndDate"));
        let (msoa, no_postcode) = (self.q.column(current, "MSOACode"), self.q.str("NPC"));
        let without = self.q.compare(Comparison::Eq, msoa, no_postcode, Collation::Ci);
        let (one, none) = (self.q.value(1), self.q.value(0));
        let last = self.q.case([(without, one)], Some(none));
        let id = self.q.column(current, "PatientAddress_ID");
        let keys = [SortKey::desc(start), SortKey::desc(end), SortKey::asc(last), SortKey::asc(id)];
        self.q.pick_by(current, &keys, Then::RowOrder)
    }

    pub(super) fn address(&mut self, date: &DateExpr, returning: AddressFact) -> Result<Answer, LowerError> {
        let day = self.date(date)?;
        let all = self.q.table("PatientAddress");
        let row = self.address_row(all, day);
        Ok(Answer::value(match returning {
            AddressFact::IndexOfMultipleDeprivation => self.q.column(row, "ImdRankRounded"),
            AddressFact::RuralUrbanClassification => self.q.column(row, "RuralUrbanClassificationCode"),
            AddressFact::Msoa => self.q.column(row, "MSOACode"),
        }))
    }

    pub(super) fn care_home(&mut self, date: &DateExpr, cases: &Cases, kind: ColumnType) -> Result<Answer, LowerError> {
        let day = self.date(date)?;
        let (addresses, homes) = (self.q.table("PatientAddress"), self.q.table("PotentialCareHomeAddress"));
        let on = &[("PatientAddress_ID", "PatientAddress_ID")];
        let all = self.q.join(addresses, homes, &Joined { on, kind: JoinKind::Left, name: "home" });
        let row = self.address_row(all, day);
        let value = self.categories(cases, kind, Some(row))?;
        let known = self.q.exists(row);
        let value = self.q.case([(known, value)], None);
        Ok(Answer { raw: computed(kind, value), belongs: None, picked: None })
    }

    pub(super) fn household(&mut self, fact: HouseholdFact) -> Answer {
        let (members, houses) = (self.q.table("HouseholdMember"), self.q.table("Household"));
        let on = &[("Household_ID", "Household_ID")];
        let all = self.q.join(members, houses, &Joined { on, kind: JoinKind::Inner, name: "house" });
        let (unknown, no) = (self.q.column(all, "house.NFA_Unknown"), self.q.value(false));
        let settled = self.q.eq(unknown, no);
        let rows = self.q.filter(all, settled);
        let row = self.q.one_row(rows);
        Answer::value(match fact {
            HouseholdFact::PseudoId => self.q.column(row, "house.Household_ID"),
            HouseholdFact::HouseholdSize => self.q.column(row, "house.HouseholdSize"),
            HouseholdFact::IsPrison => self.q.column(row, "house.Prison"),
            HouseholdFact::HasMembersInOtherEhrSystems => self.q.column(row, "house.MixedSoftwareHousehold"),
            HouseholdFact::PercentageOfMembersWithDataInThisBackend => self.q.column(row, "house.TppPercentage"),
            HouseholdFact::Msoa => self.q.column(row, "house.MSOA"),
        })
    }
}
