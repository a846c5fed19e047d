//! Every code of study definitions, what it means in a few words, and the class of Python that stands for it.
//! Spec study-definitions.md 13.

use super::Kind;

/// A code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Such as `SD501`.
    pub code: &'static str,
    /// What it means.
    pub title: &'static str,
    /// The class of today.
    pub kind: Kind,
}

const fn rule_of(code: &'static str, kind: Kind, title: &'static str) -> Rule {
    Rule { code, title, kind }
}

use Kind::{
    AssertionError, DummyDataValidationError, IndexError, InvalidExpressionError, KeyError, MissingParameterError,
    NotImplementedError, RuntimeError, TypeError, ValueError,
};

/// All codes, sorted.
static RULES: &[Rule] = &[
    rule_of("SD001", RuntimeError, "no study definition found"),
    rule_of("SD002", RuntimeError, "codelists/ or analysis/ is missing"),
    rule_of("SD003", Kind::ModuleNotFoundError, "a package of Python is missing"),
    rule_of("SD004", RuntimeError, "the module has no study, or no measures"),
    rule_of("SD005", Kind::Exception, "the study's Python failed"),
    rule_of("SD006", RuntimeError, "recording took too long"),
    rule_of("SD007", RuntimeError, "the study is too large"),
    rule_of("SD008", MissingParameterError, "a parameter is missing"),
    rule_of("SD009", RuntimeError, "the study tried to connect or to run a program"),
    rule_of("SD010", TypeError, "a value that cannot be recorded"),
    rule_of("SD101", ValueError, "a reserved name"),
    rule_of("SD102", ValueError, "a name defined twice"),
    rule_of("SD103", ValueError, "a name of the wrong form"),
    rule_of("SD104", KeyError, "an unknown column"),
    rule_of("SD105", ValueError, "the population is missing or no yes-or-no column"),
    rule_of("SD106", ValueError, "a column that is defined later"),
    rule_of("SD201", ValueError, "a period given twice, or not a pair"),
    rule_of("SD202", ValueError, "a value of `returning` that the function does not have"),
    rule_of("SD203", ValueError, "options that exclude each other"),
    rule_of("SD204", ValueError, "a date format that does not exist"),
    rule_of("SD205", TypeError, "columns of different types"),
    rule_of("SD206", ValueError, "dates of different formats"),
    rule_of("SD207", ValueError, "a source that cannot give this"),
    rule_of("SD208", ValueError, "households are only known for one day"),
    rule_of("SD209", ValueError, "an option that needs another one"),
    rule_of("SD210", NotImplementedError, "not available on this backend"),
    rule_of("SD211", NotImplementedError, "not available"),
    rule_of("SD212", TypeError, "an argument of the wrong kind or value"),
    rule_of("SD301", ValueError, "a date that cannot be read, or that no calendar has"),
    rule_of("SD302", ValueError, "an unknown name or function in a date"),
    rule_of("SD303", ValueError, "an unknown unit in a date"),
    rule_of("SD304", ValueError, "index_date is used but not defined"),
    rule_of("SD305", ValueError, "a range of index dates that cannot be"),
    rule_of("SD306", ValueError, "a column that cannot be used as a date"),
    rule_of("SD401", IndexError, "an empty codelist"),
    rule_of("SD402", ValueError, "a codelist of the wrong system"),
    rule_of("SD403", TypeError, "codes that are no text"),
    rule_of("SD404", ValueError, "categories that are absent or disagree"),
    rule_of("SD501", InvalidExpressionError, "an unknown name in an expression"),
    rule_of("SD502", InvalidExpressionError, "something that expressions do not have"),
    rule_of("SD503", InvalidExpressionError, "an expression that cannot be read"),
    rule_of("SD504", ValueError, "not exactly one DEFAULT"),
    rule_of("SD505", InvalidExpressionError, "types that do not go together"),
    rule_of("SD506", ValueError, "categories of different or unsuitable types"),
    rule_of("SD601", ValueError, "no expectations"),
    rule_of("SD602", ValueError, "an unknown key of expectations"),
    rule_of("SD603", ValueError, "an incidence that is missing or impossible"),
    rule_of("SD604", ValueError, "a rate that dates do not have"),
    rule_of("SD605", ValueError, "dates of expectations in the wrong order"),
    rule_of("SD606", ValueError, "expectations that do not fit the type"),
    rule_of("SD607", ValueError, "categories of expectations that the column does not have"),
    rule_of("SD610", DummyDataValidationError, "the dummy data file is missing"),
    rule_of("SD611", DummyDataValidationError, "the dummy data file has the wrong format"),
    rule_of("SD612", DummyDataValidationError, "columns of the dummy data file"),
    rule_of("SD613", DummyDataValidationError, "values of the dummy data file"),
    rule_of("SD620", RuntimeError, "too few simulated patients in the population"),
    rule_of("SD701", ValueError, "the id or a column of a measure"),
    rule_of("SD702", ValueError, "two files for one date of a measure"),
    rule_of("SD703", ValueError, "files of a measure with different columns"),
    rule_of("SD704", ValueError, "a cell of a measure's file that is no number"),
    rule_of("SD705", ValueError, "rows of single patients among released files"),
    rule_of("SD901", ValueError, "a comparison that is true for missing numbers"),
    rule_of("SD902", ValueError, "a comparison that is true for missing dates"),
    rule_of("SD903", ValueError, "an equality that is true for two missing texts"),
    rule_of("SD904", ValueError, "AND and OR mixed without parentheses"),
    rule_of("SD905", ValueError, "a division that cuts to a whole number"),
    rule_of("SD906", ValueError, "a text compared with a number"),
    rule_of("SD907", ValueError, "dates of different precision compared"),
    rule_of("SD908", ValueError, "a date column that gives years only"),
    rule_of("SD909", ValueError, "a period that ends before it begins"),
    rule_of("SD910", ValueError, "both the first and the last match asked for"),
    rule_of("SD911", ValueError, "a result that depends on the day of the run"),
    rule_of("SD912", ValueError, "a population without a test of registration"),
    rule_of("SD913", ValueError, "expectations outside the period"),
    rule_of("SD914", ValueError, "one dummy data file for many dates"),
    rule_of("SD915", ValueError, "a category that is never reached"),
    rule_of("SD916", ValueError, "a nested column that nothing uses"),
    rule_of("SD917", ValueError, "codes of an odd shape"),
    rule_of("SD918", ValueError, "a column that replaces another one's date"),
    rule_of("SD919", ValueError, "a date format without effect, or changed by another column"),
    rule_of("SD920", AssertionError, "index dates that nothing depends on"),
];

/// All codes, sorted.
pub fn rules() -> &'static [Rule] {
    RULES
}

/// What is known of a code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.binary_search_by(|rule| rule.code.cmp(code)).ok().map(|slot| &RULES[slot])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted() {
        assert!(RULES.is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(rule("SD505").map(|r| r.kind.name()), Some("InvalidExpressionError"));
        assert_eq!(Kind::of("NoSuchClass"), Kind::Exception);
    }
}
