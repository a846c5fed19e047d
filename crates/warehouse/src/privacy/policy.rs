//! Which filters are lifted, by the permission that lifts each (warehouse.md 9).
//! A policy comes from whoever owns the data, never from a study, its arguments or a URL.

use std::collections::BTreeSet;

/// A filter that hides patients or rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// Patients who object to their GP records leaving the practice.
    TypeOneOptOut,
    /// Patients who object to any use beyond their care.
    NationalOptOut,
    /// GP rows of practices that have not agreed to take part.
    GpActivation,
}

impl Filter {
    /// Every filter.
    pub const ALL: [Filter; 3] = [Filter::TypeOneOptOut, Filter::NationalOptOut, Filter::GpActivation];

    /// The permission that lifts it.
    pub fn lifted_by(self) -> &'static str {
        match self {
            Filter::TypeOneOptOut => "include_t1oo",
            Filter::NationalOptOut => "include_ndoo",
            Filter::GpActivation => "include_gp_unactivated",
        }
    }
}

/// Which filters work. Unless something is lifted, all do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    lifted: BTreeSet<Filter>,
}

impl Policy {
    /// Lifts these filters.
    pub fn lifting(filters: impl IntoIterator<Item = Filter>) -> Self {
        Self { lifted: filters.into_iter().collect() }
    }

    pub(crate) fn lifts(&self, filter: Filter) -> bool {
        self.lifted.contains(&filter)
    }
}
