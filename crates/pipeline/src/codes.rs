//! Every rule as data: its code, how severe it is at each version, and when it entered the field.
//! Spec project-yaml.md 3.1 and 11; the pages of `--explain` hang on these codes.

use crate::{Code, Severity};

/// One rule of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its code.
    pub code: Code,
    /// One letter for each of the versions 1 to 5: `E`, `W`, `N`, or `-` where the rule does not apply.
    gates: &'static str,
    /// The day the rule entered the field, `YYYY-MM-DD` or `YYYY-MM`, where it is known.
    pub since: Option<&'static str>,
}

impl Rule {
    /// How severe it is at a version; `None` where the rule does not apply. Fractions count as the version below.
    pub fn severity(&self, version: f64) -> Option<Severity> {
        let column = [2.0, 3.0, 4.0, 5.0].iter().filter(|&&border| version >= border).count();
        match self.gates.as_bytes().get(column) {
            Some(b'E') => Some(Severity::Error),
            Some(b'W') => Some(Severity::Warning),
            Some(b'N') => Some(Severity::Note),
            _ => None,
        }
    }
}

const fn rule(code: &'static str, gates: &'static str) -> Rule {
    Rule { code: Code(code), gates, since: None }
}

const fn since(code: &'static str, gates: &'static str, day: &'static str) -> Rule {
    Rule { code: Code(code), gates, since: Some(day) }
}

/// All rules, sorted by code.
static RULES: &[Rule] = &[
    rule("P001", "EEEEE"),
    rule("P002", "EEEEE"),
    rule("P003", "EEEEE"),
    rule("P004", "EEEEE"),
    rule("P005", "EEEEE"),
    rule("P006", "WWWWW"),
    rule("P007", "EEEEE"),
    rule("P101", "EEEEE"),
    rule("P102", "EEEEE"),
    rule("P103", "EEEEE"),
    rule("P104", "WWWWW"),
    rule("P110", "EEEEE"),
    rule("P111", "WWWWW"),
    rule("P112", "EEEEE"),
    rule("P120", "--E--"),
    rule("P121", "--E--"),
    rule("P122", "--E--"),
    rule("P123", "--E--"),
    rule("P124", "--W--"),
    rule("P125", "WWW--"),
    since("P126", "---EE", "2024-10"),
    rule("P201", "EEEEE"),
    rule("P202", "EEEEE"),
    rule("P203", "EEEEE"),
    rule("P204", "EEEEE"),
    rule("P205", "EEEEE"),
    since("P206", "----E", "2026-03"),
    rule("P207", "WWWW-"),
    rule("P208", "EEEEE"),
    rule("P209", "WWWWW"),
    rule("P210", "WWWWW"),
    rule("P211", "WWWWW"),
    rule("P212", "EEEEE"),
    rule("P301", "EEEEE"),
    rule("P302", "EEEEE"),
    rule("P303", "EEEEE"),
    since("P304", "EEEEE", "2025-01-21"),
    since("P305", "----E", "2026-03"),
    rule("P306", "NNNN-"),
    rule("P307", "EEEEE"),
    rule("P308", "EEEEE"),
    since("P309", "---EE", "2024-10"),
    rule("P310", "WWWWW"),
    rule("P311", "WWWWW"),
    rule("P312", "WWWWW"),
    rule("P313", "WWWWW"),
    rule("P314", "EEEEE"),
    rule("P315", "WWWWW"),
    rule("P316", "WWWWW"),
    rule("P320", "WWWWW"),
    rule("P321", "WWWWW"),
    rule("P330", "WWWWW"),
    rule("P401", "EEEEE"),
    rule("P402", "EEEEE"),
    rule("P403", "EEEEE"),
    rule("P404", "EEEEE"),
    rule("P405", "EEEEE"),
    rule("P406", "EEEEE"),
    rule("P407", "WWWWW"),
    rule("P408", "EEEEE"),
    rule("P501", "EEEEE"),
    rule("P502", "EEEEE"),
    rule("P503", "EEEEE"),
    rule("P504", "EEEEE"),
    rule("P505", "WWWWW"),
    rule("P510", "EEEEE"),
    rule("P511", "EEEEE"),
    since("P512", "WWWEE", "2023-11-06"),
    since("P513", "WWWEE", "2023-11-06"),
    rule("P514", "EEEEE"),
    rule("P515", "EEEEE"),
    rule("P516", "EEEEE"),
    rule("P517", "EEEEE"),
    rule("P518", "EEEEE"),
    rule("P519", "WWWWW"),
    rule("P520", "WEEEE"),
    rule("P521", "WWWWW"),
    rule("P522", "WWWWW"),
    rule("P523", "WWWWW"),
    rule("P524", "WWWWW"),
    rule("P525", "EEEEE"),
    rule("P526", "WWWWW"),
    rule("P601", "EEEEE"),
    rule("P602", "EEEEE"),
    since("P603", "EEEEE", "2025-03-06"),
    rule("P604", "WWWWW"),
    rule("P605", "WWWWW"),
    rule("P606", "EEEEE"),
    rule("P607", "EEEEE"),
    rule("P608", "WWWWW"),
    rule("P701", "EEEEE"),
    rule("P702", "EEEEE"),
    rule("P703", "WWWWW"),
    rule("P704", "WWWWW"),
    rule("P705", "EEEEE"),
    rule("P706", "EEEEE"),
    rule("P710", "WWWWW"),
    rule("P711", "WWWWW"),
    rule("P801", "EEEEE"),
    rule("P802", "EEEEE"),
    rule("P803", "EEEEE"),
    rule("P804", "EEEEE"),
    rule("P805", "EEEEE"),
    rule("P806", "EEEEE"),
    rule("P807", "EEEEE"),
    rule("P808", "EEEEE"),
    rule("P809", "NNNNN"),
    rule("P901", "EEEEE"),
];

/// All rules that `load` and `resolve` know, sorted by code.
pub fn rules() -> &'static [Rule] {
    RULES
}

/// How severe a code is at a version; a code without a gate is an error.
pub(crate) fn severity(code: &str, version: f64) -> Option<Severity> {
    match RULES.binary_search_by(|rule| rule.code.0.cmp(code)) {
        Ok(slot) => RULES[slot].severity(version),
        Err(_) => Some(Severity::Error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_complete() {
        assert!(RULES.is_sorted_by(|a, b| a.code.0 < b.code.0));
        assert!(RULES.iter().all(|r| r.gates.len() == 5));
    }

    #[test]
    fn gates_compare_numerically() {
        let at = |version| severity("P512", version);
        assert_eq!(at(1.0), Some(Severity::Warning));
        assert_eq!(at(3.9), Some(Severity::Warning));
        assert_eq!(at(4.0), Some(Severity::Error));
        assert_eq!(severity("P520", 1.9), Some(Severity::Warning));
        assert_eq!(severity("P520", 2.0), Some(Severity::Error));
        assert_eq!(severity("P206", 4.9), None);
    }
}
