//! Section 8: expressions over filled values, with SQL Server's conversions and three truth values.

use std::cmp::Ordering;

use study::model::{Arithmetic, CareHomeColumn, Cases, CodedFact, ColumnType, Comparison, Expr, Query, VariableId};

use super::{Out, Patient, Raw, Res, Row, Stop, constant, missing, rows};

/// A value; `None` within is NULL.
enum V {
    Int(Option<i64>),
    Float(Option<f64>),
    Text(Option<String>, bool),
}

impl Patient<'_> {
    /// The first case that is true.
    pub fn categories(&self, cases: &Cases, home: Option<&Row>) -> Res<Raw> {
        for (key, condition) in &cases.branches {
            if self.truth(condition, home)? == Some(true) {
                return Ok(constant(key));
            }
        }
        Ok(constant(&cases.default))
    }

    fn truth(&self, expr: &Expr, home: Option<&Row>) -> Res<Option<bool>> {
        Ok(match expr {
            Expr::And(a, b) => match self.truth(a, home)? {
                Some(false) => Some(false),
                first => match (first, self.truth(b, home)?) {
                    (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                },
            },
            Expr::Or(a, b) => match self.truth(a, home)? {
                Some(true) => Some(true),
                first => match (first, self.truth(b, home)?) {
                    (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                },
            },
            Expr::Not(a) => self.truth(a, home)?.map(|t| !t),
            Expr::Truth(of) => match &**of {
                Expr::Column(id) => Some(self.value(*id)?.out != missing(self.world.study[*id].kind)),
                of => match self.operand(of, home)? {
                    V::Int(n) => n.map(|n| n != 0),
                    V::Float(n) => n.map(|n| n != 0.0),
                    V::Text(t, _) => t.map(|t| !fold(&t).is_empty()),
                },
            },
            Expr::Compare(how, a, b) => {
                let order = self.compare(self.operand(a, home)?, self.operand(b, home)?)?;
                order.map(|order| match how {
                    Comparison::Eq => order.is_eq(),
                    Comparison::Ne => order.is_ne(),
                    Comparison::Lt => order.is_lt(),
                    Comparison::Le => order.is_le(),
                    Comparison::Gt => order.is_gt(),
                    Comparison::Ge => order.is_ge(),
                })
            }
            other => panic!("{other:?} is no truth value"),
        })
    }

    fn compare(&self, a: V, b: V) -> Res<Option<Ordering>> {
        Ok(match (a, b) {
            (V::Text(a, x), V::Text(b, y)) => {
                let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
                Some(if x || y {
                    a.trim_end_matches(' ').cmp(b.trim_end_matches(' '))
                } else {
                    fold(&a).cmp(&fold(&b))
                })
            }
            (a, b) if matches!(a, V::Float(_)) || matches!(b, V::Float(_)) => {
                let (a, b) = (as_float(a)?, as_float(b)?);
                a.zip(b).map(|(a, b)| a.partial_cmp(&b).unwrap())
            }
            (a, b) => {
                let (a, b) = (as_int(a)?, as_int(b)?);
                a.zip(b).map(|(a, b)| a.cmp(&b))
            }
        })
    }

    fn operand(&self, expr: &Expr, home: Option<&Row>) -> Res<V> {
        Ok(match expr {
            Expr::Column(id) => match self.value(*id)?.out {
                Out::Bool(b) => V::Int(Some(i64::from(b))),
                Out::Int(n) => V::Int(Some(n)),
                Out::Float(n) => V::Float(Some(n)),
                Out::Text(t) => V::Text(Some(t), self.is_clinical_code(*id)),
            },
            Expr::CareHome(column) => {
                let nursing = |name: &str| V::Text(home.unwrap().text(name).map(str::to_owned), false);
                match column {
                    CareHomeColumn::IsPotentialCareHome => {
                        V::Int(Some(home.unwrap().int("home.PatientAddress_ID").unwrap_or(0)))
                    }
                    CareHomeColumn::LocationRequiresNursing => nursing("home.LocationRequiresNursing"),
                    CareHomeColumn::LocationDoesNotRequireNursing => nursing("home.LocationDoesNotRequireNursing"),
                }
            }
            Expr::Int(n) => V::Int(Some(*n)),
            Expr::Float(n) => V::Float(Some(*n)),
            Expr::Text(t) => V::Text(Some(t.clone()), false),
            Expr::Negate(of) => match self.operand(of, home)? {
                V::Int(n) => V::Int(n.and_then(i64::checked_neg)),
                V::Float(n) => V::Float(n.map(|n| -n)),
                V::Text(..) => panic!("a sign before a text"),
            },
            Expr::Arithmetic(how, a, b) => self.arithmetic(*how, self.operand(a, home)?, self.operand(b, home)?)?,
            other => panic!("{other:?} is no value"),
        })
    }

    fn arithmetic(&self, how: Arithmetic, a: V, b: V) -> Res<V> {
        match (a, b) {
            (V::Text(a, _), V::Text(b, _)) => {
                assert_eq!(how, Arithmetic::Add);
                Ok(V::Text(a.zip(b).map(|(a, b)| a + &b), false))
            }
            (a, b) if matches!(a, V::Float(_)) || matches!(b, V::Float(_)) => {
                let (Some(a), Some(b)) = (as_float(a)?, as_float(b)?) else { return Ok(V::Float(None)) };
                let found = match how {
                    Arithmetic::Add => a + b,
                    Arithmetic::Subtract => a - b,
                    Arithmetic::Multiply => a * b,
                    Arithmetic::Divide if b == 0.0 => return Err(Stop("D512")),
                    Arithmetic::Divide => a / b,
                };
                Ok(V::Float(Some(found).filter(|n| n.is_finite())))
            }
            (a, b) => {
                let (Some(a), Some(b)) = (as_int(a)?, as_int(b)?) else { return Ok(V::Int(None)) };
                Ok(V::Int(match how {
                    Arithmetic::Add => a.checked_add(b),
                    Arithmetic::Subtract => a.checked_sub(b),
                    Arithmetic::Multiply => a.checked_mul(b),
                    Arithmetic::Divide if b == 0 => return Err(Stop("D512")),
                    Arithmetic::Divide => a.checked_div(b),
                }))
            }
        }
    }

    fn is_clinical_code(&self, id: VariableId) -> bool {
        matches!(&self.world.study[id].query, Query::ClinicalEvents(rows) if rows.returning == CodedFact::Code)
            && self.world.study[id].kind == ColumnType::Str
    }
}

/// The text is converted: '' is 0.
fn as_int(v: V) -> Res<Option<i64>> {
    match v {
        V::Int(n) => Ok(n),
        V::Text(Some(t), _) => Ok(Some(rows::whole(&t)?.unwrap_or(0))),
        V::Text(None, _) => Ok(None),
        V::Float(n) => panic!("{n:?} as int"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "as SQL Server does")]
fn as_float(v: V) -> Res<Option<f64>> {
    match v {
        V::Int(n) => Ok(n.map(|n| n as f64)),
        V::Float(n) => Ok(n),
        V::Text(Some(t), _) => Ok(Some(rows::decimal(&t)?.unwrap_or(0.0))),
        V::Text(None, _) => Ok(None),
    }
}

/// Without case and trailing blanks; accents stay.
pub fn fold(text: &str) -> String {
    let small = |c: char| {
        if c.is_ascii() || ('À'..='Þ').contains(&c) && c != '×' { c.to_lowercase().next().unwrap() } else { c }
    };
    text.trim_end_matches(' ').chars().map(small).collect()
}

pub fn same(a: &str, b: &str) -> bool {
    fold(a) == fold(b)
}

/// Values of one type; texts without case.
pub fn order(a: &Out, b: &Out) -> Ordering {
    match (a, b) {
        (Out::Bool(a), Out::Bool(b)) => a.cmp(b),
        (Out::Int(a), Out::Int(b)) => a.cmp(b),
        (Out::Float(a), Out::Float(b)) => a.partial_cmp(b).unwrap(),
        (Out::Text(a), Out::Text(b)) => fold(a).cmp(&fold(b)),
        _ => panic!("{a:?} with {b:?}"),
    }
}
