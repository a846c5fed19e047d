//! Which kind of home gives a category of `care_home_status_as_of`: its expression is tried over the few kinds there are.
//! Spec study-definitions.md 7.1.

use crate::model::{CareHomeColumn, Comparison, Expr, Query, Scalar};

/// A home with nurses.
pub(crate) const NURSING: &str = "Y";
/// A home without.
pub(crate) const RESIDENTIAL: &str = "N";
/// Any home.
pub(crate) const ANY: &str = "home";

/// The kind of home that a category stands for; '' for those who live in none.
pub(crate) fn kind(query: &Query, label: &str) -> &'static str {
    let Query::CareHome { cases, .. } = query else { return ANY };
    let finds = |home: Option<bool>| {
        let found = cases.branches.iter().find(|(_, expr)| truth(expr, home) == Some(true));
        text(found.map_or(&cases.default, |(key, _)| key)) == label
    };
    match (finds(Some(true)), finds(Some(false))) {
        (true, true) => ANY,
        (true, false) => NURSING,
        (false, true) => RESIDENTIAL,
        (false, false) => "",
    }
}

fn text(key: &Scalar) -> String {
    match key {
        Scalar::Bool(value) => i64::from(*value).to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => value.to_string(),
        Scalar::Str(text) => text.clone(),
        Scalar::Date(day) => day.to_string(),
    }
}

/// The text that an expression has; `None` for NULL and for what is no text.
fn value(expr: &Expr, home: Option<bool>) -> Option<String> {
    let letter = |yes: bool| if yes { "Y" } else { "N" }.to_owned();
    match expr {
        Expr::CareHome(CareHomeColumn::IsPotentialCareHome) => Some(i64::from(home.is_some()).to_string()),
        Expr::CareHome(CareHomeColumn::LocationRequiresNursing) => home.map(letter),
        Expr::CareHome(CareHomeColumn::LocationDoesNotRequireNursing) => home.map(|nursing| letter(!nursing)),
        Expr::Int(number) => Some(number.to_string()),
        Expr::Text(text) => Some(text.to_uppercase()),
        _ => None,
    }
}

fn truth(expr: &Expr, home: Option<bool>) -> Option<bool> {
    match expr {
        Expr::And(left, right) => match (truth(left, home), truth(right, home)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (left, right) => Some(left? && right?),
        },
        Expr::Or(left, right) => match (truth(left, home), truth(right, home)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (left, right) => Some(left? || right?),
        },
        Expr::Not(inner) => truth(inner, home).map(|truth| !truth),
        Expr::Truth(inner) => Some(value(inner, home).is_some_and(|value| !value.is_empty() && value != "0")),
        Expr::Compare(comparison, left, right) => {
            let same = value(left, home)? == value(right, home)?;
            match comparison {
                Comparison::Eq => Some(same),
                Comparison::Ne => Some(!same),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cases, DateBase, DateExpr};

    #[test]
    fn categories_stand_for_homes() {
        let column = |column| Box::new(Expr::CareHome(column));
        let lives = Expr::Truth(column(CareHomeColumn::IsPotentialCareHome));
        let nursing = Expr::Compare(
            Comparison::Eq,
            column(CareHomeColumn::LocationRequiresNursing),
            Box::new(Expr::Text("Y".into())),
        );
        let key = |key: &str| Scalar::Str(key.into());
        let branches =
            vec![(key("nursing"), Expr::And(Box::new(lives.clone()), Box::new(nursing))), (key("home"), lives)];
        let date = DateExpr { base: DateBase::IndexDate, function: None, offset: None, text: "index_date".into() };
        let query = Query::CareHome { date, cases: Cases { branches, default: key("private") } };
        let kinds = ["nursing", "home", "private", "elsewhere"].map(|label| kind(&query, label));
        assert_eq!(kinds, [NURSING, RESIDENTIAL, "", ""]);
    }
}
