//! Measures with one row for each patient must not be collected as moderately sensitive.
//! Spec study-definitions.md 11, fault SD705.

use crate::fault::Fault;
use crate::model::{Measure, MeasureGroups};

/// A fault for each output that would release rows of single patients.
///
/// `folder` is where the measures are written (`--output-dir`), `released` the patterns of moderately sensitive outputs.
pub fn released(measures: &[Measure], folder: &str, released: &[pipeline::Pattern]) -> Vec<Fault> {
    let folder = folder.trim_end_matches('/').trim_start_matches("./");
    let mut faults = Vec::new();
    for measure in measures.iter().filter(|measure| measure.groups == MeasureGroups::Patient) {
        let name = |date: &str| match folder {
            "" | "." => format!("measure_{}{date}.csv", measure.id),
            folder => format!("{folder}/measure_{}{date}.csv", measure.id),
        };
        // Any date stands for all: the names differ in nothing else.
        let files = [name(""), name("_2020-01-01")];
        if let Some(pattern) = released.iter().find(|pattern| files.iter().any(|file| pattern.matches(file))) {
            let message = format!(
                "measure `{}` has a row for each patient, and the moderately sensitive output {} collects it",
                measure.id,
                pattern.as_str()
            );
            faults.push(
                Fault::new("SD705", message)
                    .src(measure.src)
                    .argument("group_by")
                    .fix("add group_by, or collect its files as highly_sensitive by a pattern of their own"),
            );
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::SourceId;

    #[test]
    fn only_rows_of_patients_and_only_released_ones() {
        let measure = |id: &str, groups| Measure {
            id: id.to_owned(),
            numerator: "a".to_owned(),
            denominator: "b".to_owned(),
            groups,
            small_number_suppression: false,
            src: SourceId(0),
        };
        let measures = [measure("each", MeasureGroups::Patient), measure("all", MeasureGroups::Population)];
        let found = |folder: &str, pattern: &str| released(&measures, folder, &[pipeline::Pattern::new(pattern)]).len();
        assert_eq!(found("output", "output/measure_*.csv"), 1);
        assert_eq!(found("output/", "output/measure_each_*.csv"), 1);
        assert_eq!(found("output", "output/measure_each.csv"), 1);
        assert_eq!(found("output", "output/measure_all*.csv"), 0);
        assert_eq!(found("output/measures", "output/measure_*.csv"), 0);
    }
}
