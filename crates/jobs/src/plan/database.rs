//! Which actions read the database, decided on parsed words.
//! Spec project-yaml.md 8.

use pipeline::Action;

/// Whether this action reads patients where there are any.
pub fn is_database_action(action: &Action) -> bool {
    let second = action.words.get(1).map_or("", String::as_str);
    match action.runtime.name.as_str() {
        "ehrql" | "databuilder" => {
            matches!(second, "generate-dataset" | "generate_dataset" | "generate-measures" | "generate_measures")
        }
        "sqlrunner" => true,
        "cohortextractor" => matches!(second, "generate_cohort" | "generate_codelist_report"),
        _ => false,
    }
}
