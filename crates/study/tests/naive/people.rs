//! 7.1: ages, registrations, practices, addresses, households.

use std::cmp::Reverse;

use jiff::ToSpan;
use jiff::civil::Date;
use study::model::{AddressFact, Cases, DateExpr, HouseholdFact, Period, PracticeFact};

use super::rows::join;
use super::{Patient, Raw, Res, Row, Stop, day, expressions, int, text};

impl Patient<'_> {
    pub fn age(&self, date: &DateExpr) -> Res<Raw> {
        let (Some(birth), Some(on)) = (self.row().day("DateOfBirth"), self.date(date)?) else { return Ok(Raw::Null) };
        let years = i64::from(on.year()) - i64::from(birth.year());
        let birthday = birth.checked_add(years.years()).unwrap();
        Ok(Raw::Int(years - i64::from(birthday > on)))
    }

    pub fn registered(&self, start: &DateExpr, end: &DateExpr, gone_live: bool) -> Res<Raw> {
        let (start, end) = (self.date(start)?, self.date(end)?);
        let (Some(start), Some(end)) = (start, end) else { return Ok(Raw::Bool(false)) };
        let known = self.registrations(false);
        let covers = |row: &Row| {
            covering(row, start, end) && (!gone_live || row.day("p.GoLiveDate").is_some_and(|live| live <= start))
        };
        Ok(Raw::Bool(known.iter().any(covers)))
    }

    fn registrations(&self, outer: bool) -> Vec<Row> {
        let practices = self.world.all("Organisation");
        join(&self.rows("RegistrationHistory"), &practices, "Organisation_ID", "Organisation_ID", "p", outer)
    }

    pub fn deregistered(&self, period: &Period) -> Res<Raw> {
        let last = self.rows("RegistrationHistory").iter().filter_map(|r| r.day("EndDate")).max();
        let window = self.window(period)?.of_centuries();
        Ok(day(last.filter(|last| window.holds(Some(*last)))))
    }

    pub fn practice(&self, date: &DateExpr, fact: &PracticeFact) -> Res<Raw> {
        let Some(on) = self.date(date)? else { return Ok(Raw::Null) };
        let mut rows = self.registrations(true);
        rows.retain(|row| covering(row, on, on));
        let key = |r: &Row| (Reverse(r.moment("StartDate")), Reverse(r.moment("EndDate")), r.int("Registration_ID"));
        let Some(row) = rows.into_iter().min_by_key(key) else { return Ok(Raw::Null) };
        let practice = row.int("Organisation_ID");
        Ok(match fact {
            PracticeFact::Nuts1RegionName => text(row.text("p.Region")),
            PracticeFact::StpCode => text(row.text("p.STPCode")),
            PracticeFact::MsoaCode => text(row.text("p.MSOACode")),
            PracticeFact::PseudoId => int(row.int("p.Organisation_ID")),
            PracticeFact::TrialEnrolled { trial } => Raw::Bool(!self.arms(practice, trial).is_empty()),
            PracticeFact::TrialArm { trial } => {
                text(self.arms(practice, trial).iter().filter_map(|r| r.text("TrialArm")).min())
            }
            PracticeFact::TrialProperty { trial, property } => {
                let arms = self.arms(practice, trial);
                let mut details = self.world.all("ClusterRandomisedTrialDetail");
                details.retain(|d| {
                    d.int("Organisation_ID") == practice
                        && arms.iter().any(|a| a.int("TrialNumber") == d.int("TrialNumber"))
                        && d.text("Property").is_some_and(|p| expressions::same(p, property))
                });
                text(details.iter().filter_map(|d| d.text("PropertyValue")).min())
            }
        })
    }

    fn arms(&self, practice: Option<i64>, trial: &str) -> Vec<Row> {
        let trials = self.world.all("ClusterRandomisedTrialReference");
        let named = |r: &&Row| r.text("TrialName").is_some_and(|name| expressions::same(name, trial));
        let numbers: Vec<i64> = trials.iter().filter(named).filter_map(|r| r.int("TrialNumber")).collect();
        let mut arms = self.world.all("ClusterRandomisedTrial");
        arms.retain(|r| practice.is_some() && r.int("Organisation_ID") == practice);
        // a practice that the table of practices lacks takes part all the same: only the registration counts
        arms.retain(|r| r.int("TrialNumber").is_some_and(|n| numbers.contains(&n)));
        arms
    }

    fn address_row(&self, date: &DateExpr) -> Res<Option<Row>> {
        let Some(on) = self.date(date)? else { return Ok(None) };
        let homes = self.rows("PotentialCareHomeAddress");
        let mut rows =
            join(&self.rows("PatientAddress"), &homes, "PatientAddress_ID", "PatientAddress_ID", "home", true);
        rows.retain(|row| covering(row, on, on));
        Ok(rows.into_iter().min_by_key(|r| {
            let no_postcode = r.text("MSOACode").is_some_and(|m| expressions::same(m, "NPC"));
            (Reverse(r.moment("StartDate")), Reverse(r.moment("EndDate")), no_postcode, r.int("PatientAddress_ID"))
        }))
    }

    pub fn address(&self, date: &DateExpr, fact: AddressFact) -> Res<Raw> {
        let Some(row) = self.address_row(date)? else { return Ok(Raw::Null) };
        Ok(match fact {
            AddressFact::IndexOfMultipleDeprivation => int(row.int("ImdRankRounded")),
            AddressFact::RuralUrbanClassification => int(row.int("RuralUrbanClassificationCode")),
            AddressFact::Msoa => text(row.text("MSOACode")),
        })
    }

    pub fn care_home(&self, date: &DateExpr, cases: &Cases) -> Res<Raw> {
        match self.address_row(date)? {
            None => Ok(Raw::Null),
            Some(row) => self.categories(cases, Some(&row)),
        }
    }

    pub fn household(&self, fact: HouseholdFact) -> Res<Raw> {
        let houses = self.world.all("Household");
        let mut rows = join(&self.rows("HouseholdMember"), &houses, "Household_ID", "Household_ID", "h", false);
        rows.retain(|r| r.bool("h.NFA_Unknown") == Some(false));
        if rows.len() > 1 {
            return Err(Stop("D511"));
        }
        let Some(row) = rows.first() else { return Ok(Raw::Null) };
        let flag = |column: &str| row.bool(column).map_or(Raw::Null, Raw::Bool);
        Ok(match fact {
            HouseholdFact::PseudoId => int(row.int("h.Household_ID")),
            HouseholdFact::HouseholdSize => int(row.int("h.HouseholdSize")),
            HouseholdFact::IsPrison => flag("h.Prison"),
            HouseholdFact::HasMembersInOtherEhrSystems => flag("h.MixedSoftwareHousehold"),
            HouseholdFact::PercentageOfMembersWithDataInThisBackend => int(row.int("h.TppPercentage")),
            HouseholdFact::Msoa => text(row.text("h.MSOA")),
        })
    }
}

/// The start day is in, the end day is out.
fn covering(row: &Row, start: Date, end: Date) -> bool {
    row.day("StartDate").is_some_and(|from| from <= start) && row.day("EndDate").is_some_and(|to| to > end)
}
