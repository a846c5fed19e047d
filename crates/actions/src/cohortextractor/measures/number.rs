//! Numbers of measures as they are printed (study-definitions.md 11).
//! Sums of truth values have two forms, by era: `253.0` and `253`.

/// Which generation of tools reads the files: how sums of truth values are printed (setting `cohortextractor.era`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Era {
    /// `253.0`: what whatever reads integers reads too.
    #[default]
    Y2021,
    /// `253`.
    Y2022,
}

impl Era {
    /// As written in the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Y2021 => "2021",
            Self::Y2022 => "2022",
        }
    }

    /// From the setting.
    pub fn of(text: &str) -> Option<Self> {
        [Self::Y2021, Self::Y2022].into_iter().find(|era| era.as_str() == text)
    }
}

/// The sum of a column over a group; `None` where small numbers were emptied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            #[allow(clippy::cast_precision_loss, reason = "the quotient of a measure is a float")]
            Self::Whole(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

/// How the numbers of one column are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Printed {
    Whole,
    Float,
}

pub(crate) fn print(number: Option<Number>, form: Printed) -> String {
    match (number, form) {
        (None, _) => String::new(),
        (Some(Number::Whole(number)), Printed::Whole) => number.to_string(),
        (Some(number), _) => crate::text::float(number.as_f64()),
    }
}

/// `numerator / denominator`: nothing for 0/0 and where either was emptied, `inf` for x/0.
pub(crate) fn quotient(numerator: Option<Number>, denominator: Option<Number>) -> String {
    match (numerator, denominator) {
        (Some(numerator), Some(denominator)) => crate::text::float(numerator.as_f64() / denominator.as_f64()),
        _ => String::new(),
    }
}
