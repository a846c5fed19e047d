//! What a project may read beyond the ordinary, in the words every backend knows.
//! Spec jobs.md 2, `analysis_scope`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a project may read beyond the ordinary. Kept on database jobs only, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalysisScope {
    /// Restricted data sets.
    pub dataset_permissions: BTreeSet<String>,
    /// Groups of patients who are otherwise left out.
    pub population_permissions: BTreeSet<String>,
    /// Parts of the database.
    pub component_access: BTreeSet<String>,
}

const DATASETS: [&str; 9] = [
    "icnarc",
    "isaric",
    "ukrr",
    "appointments",
    "open_prompt",
    "waiting_list",
    "sgss_covid_all_tests",
    "occupation_on_covid_vaccine_record",
    "covid_therapeutics",
];
const POPULATIONS: [&str; 3] = ["include_ndoo", "include_t1oo", "include_gp_unactivated"];
const COMPONENTS: [&str; 1] = ["event_level_data"];

impl AnalysisScope {
    /// Every word of every list.
    pub fn known() -> impl Iterator<Item = &'static str> {
        DATASETS.into_iter().chain(POPULATIONS).chain(COMPONENTS)
    }

    /// The words that no backend knows (`not_permitted`), as `list: word`, in order.
    pub fn unknown(&self) -> Vec<String> {
        let lists: [(&str, &BTreeSet<String>, &[&str]); 3] = [
            ("dataset_permissions", &self.dataset_permissions, &DATASETS),
            ("population_permissions", &self.population_permissions, &POPULATIONS),
            ("component_access", &self.component_access, &COMPONENTS),
        ];
        let mut unknown = Vec::new();
        for (list, asked, known) in lists {
            unknown.extend(asked.iter().filter(|w| !known.contains(&w.as_str())).map(|w| format!("{list}: {w}")));
        }
        unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_of_the_spec() {
        let scope: AnalysisScope =
            serde_json::from_str(r#"{"dataset_permissions":["icnarc","x"],"component_access":["event_level_data"]}"#)
                .unwrap();
        assert_eq!(scope.unknown(), ["dataset_permissions: x"]);
    }
}
