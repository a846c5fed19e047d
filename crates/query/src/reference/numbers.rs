//! Numbers (warehouse.md 5.3): checked 64-bit integers, doubles that are always finite, casts, rounding.
//! A result out of range is NULL and counted (D501); v1's divisions and unreadable text stop the run.

use std::rc::Rc;

use super::frames::Row;
use super::patient::{Found, Patient};
use crate::graph::{Arithmetic, NodeId, Op};
use crate::run_code::RunCode;
use crate::spelling;
use crate::value::{Type, Value};

#[allow(clippy::cast_precision_loss, reason = "int to float rounds to the nearest double: that is the rule")]
impl<'a> Patient<'a> {
    pub(super) fn number(&mut self, node: NodeId, op: &Op, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        match op {
            Op::Arithmetic { operator, left, right } => match (self.value(*left, row)?, self.value(*right, row)?) {
                (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
                (Value::Int(left), Value::Int(right)) => self.ints(node, *operator, left, right),
                (Value::Float(left), Value::Float(right)) => self.floats(node, *operator, left, right),
                _ => self.unsound(node),
            },
            Op::Neg { of } => match self.value(*of, row)? {
                Value::Int(value) => Ok(self.checked(node, value.checked_neg())),
                Value::Float(value) => Ok(Value::Float(-value)),
                Value::Null => Ok(Value::Null),
                _ => self.unsound(node),
            },
            Op::Abs { of } => match self.value(*of, row)? {
                Value::Int(value) => Ok(self.checked(node, value.checked_abs())),
                Value::Float(value) => Ok(Value::Float(value.abs())),
                Value::Null => Ok(Value::Null),
                _ => self.unsound(node),
            },
            Op::RoundHalfAway { of, digits } => match self.value(*of, row)? {
                Value::Float(value) => {
                    let rounded = round_half_away(value, usize::from(*digits));
                    Ok(self.finite(node, rounded))
                }
                value @ (Value::Int(_) | Value::Null) => Ok(value),
                _ => self.unsound(node),
            },
            Op::Cast { of, to, format } => match (self.value(*of, row)?, to) {
                (Value::Null, _) => Ok(Value::Null),
                (value, to) if value.kind() == Some(*to) => Ok(value),
                (Value::Bool(value), Type::Int) => Ok(Value::Int(i64::from(value))),
                (Value::Bool(value), Type::Float) => Ok(Value::Float(f64::from(u8::from(value)))),
                (Value::Int(value), Type::Float) => Ok(Value::Float(value as f64)),
                (Value::Int(value), Type::Str) => Ok(Value::text(value.to_string())),
                (Value::Float(value), Type::Int) => Ok(self.checked(node, cut(value))),
                (Value::Date(day), Type::Str) => Ok(Value::text(spelling::spell(day, *format))),
                (Value::Str(text), to) => self.read(node, &text, *to, *format),
                _ => self.unsound(node),
            },
            _ => self.unsound(node),
        }
    }

    fn ints(&mut self, node: NodeId, operator: Arithmetic, left: i64, right: i64) -> Found<Value> {
        let result = match operator {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Sub => left.checked_sub(right),
            Arithmetic::Mul => left.checked_mul(right),
            Arithmetic::Div => {
                let quotient = left as f64 / right as f64;
                return Ok(self.finite(node, quotient));
            }
            Arithmetic::Power => {
                let power = (left as f64).powf(right as f64);
                return Ok(self.finite(node, power));
            }
            // cut toward zero, and one less if that rounded up
            Arithmetic::FloorDiv => left.checked_div(right).map(|quotient| {
                let up = left % right != 0 && (left < 0) != (right < 0);
                quotient - i64::from(up)
            }),
            Arithmetic::DivInt if right == 0 => return self.stop(RunCode::D512, node, "division by zero"),
            Arithmetic::DivInt => left.checked_div(right),
            Arithmetic::DivOrStop => return self.unsound(node),
        };
        Ok(self.checked(node, result))
    }

    fn floats(&mut self, node: NodeId, operator: Arithmetic, left: f64, right: f64) -> Found<Value> {
        let result = match operator {
            Arithmetic::Add => left + right,
            Arithmetic::Sub => left - right,
            Arithmetic::Mul => left * right,
            Arithmetic::Div => left / right,
            Arithmetic::Power => left.powf(right),
            Arithmetic::FloorDiv => floor_div(left, right),
            Arithmetic::DivOrStop if right == 0.0 => return self.stop(RunCode::D512, node, "division by zero"),
            Arithmetic::DivOrStop => left / right,
            Arithmetic::DivInt => return self.unsound(node),
        };
        Ok(self.finite(node, result))
    }

    fn checked(&mut self, node: NodeId, number: Option<i64>) -> Value {
        number.map_or_else(|| self.doubt(node), Value::Int)
    }

    pub(super) fn finite(&mut self, node: NodeId, number: f64) -> Value {
        if number.is_finite() { Value::Float(number) } else { self.doubt(node) }
    }

    /// A value from text: blanks around do not count, nothing but blanks is NULL.
    fn read(&self, node: NodeId, text: &str, to: Type, format: crate::graph::DateFormat) -> Found<Value> {
        let text = text.trim_matches(' ');
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let value = match to {
            Type::Int => spelling::whole(text).map(Value::Int),
            Type::Float => spelling::decimal(text).map(Value::Float),
            Type::Date => spelling::day(text, format).map(Value::Date),
            _ => return self.unsound(node),
        };
        match value {
            Some(value) => Ok(value),
            None => self.stop(RunCode::D513, node, format!("text that cannot be read as {to}")),
        }
    }
}

/// Cut toward zero; beyond 64 bits there is none.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
fn cut(number: f64) -> Option<i64> {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    (-TWO_63..TWO_63).contains(&number).then_some(number as i64)
}

/// The greatest whole number that is not above the exact quotient, as the nearest double.
fn floor_div(left: f64, right: f64) -> f64 {
    if right == 0.0 {
        return f64::NAN;
    }
    // the remainder is exact, so left - rest is a multiple of right
    let rest = left % right;
    let quotient = ((left - rest) / right).round();
    if rest != 0.0 && (rest < 0.0) != (right < 0.0) { quotient - 1.0 } else { quotient }
}

/// The nearest decimal of so many digits, halves away from zero, as the nearest double.
fn round_half_away(number: f64, digits: usize) -> f64 {
    // every double of 1e-16 and more has at most 106 decimals; smaller ones round to 0 at 15 digits and fewer
    let exact = format!("{:.*}", digits + 130, number.abs());
    let Some(point) = exact.find('.') else { return number };
    let (kept, rest) = exact.split_at(point + 1 + digits);
    let mut kept: Vec<u8> = kept.bytes().collect();
    if rest.as_bytes().first().is_some_and(|digit| *digit >= b'5') {
        let mut at = kept.len();
        loop {
            if at == 0 {
                kept.insert(0, b'1');
                break;
            }
            at -= 1;
            match kept[at] {
                b'.' => {}
                b'9' => kept[at] = b'0',
                _ => {
                    kept[at] += 1;
                    break;
                }
            }
        }
    }
    let text: String = kept.into_iter().map(char::from).collect();
    text.trim_end_matches('.')
        .parse()
        .map_or(number, |rounded: f64| if number < 0.0 && rounded > 0.0 { -rounded } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_looks_at_the_exact_double() {
        assert_eq!(round_half_away(0.25, 1), 0.3);
        assert_eq!(round_half_away(-0.25, 1), -0.3);
        // 0.35 is stored as 0.34999…, 2.675 as 2.67499…
        assert_eq!(round_half_away(0.35, 1), 0.3);
        assert_eq!(round_half_away(2.675, 2), 2.67);
        assert_eq!(round_half_away(9.96, 1), 10.0);
        assert_eq!(round_half_away(999.5, 0), 1000.0);
        assert_eq!(round_half_away(5e-324, 15), 0.0);
        assert_eq!(round_half_away(1e300, 2), 1e300);
    }

    #[test]
    fn floor_division_of_doubles_is_exact() {
        assert_eq!(floor_div(-7.0, 2.0), -4.0);
        assert_eq!(floor_div(7.0, -2.0), -4.0);
        assert_eq!(floor_div(6.0, 2.0), 3.0);
        // 0.1 is a little more than a tenth, so ten of them do not fit into 1
        assert_eq!(floor_div(1.0, 0.1), 9.0);
        assert!(floor_div(1.0, 0.0).is_nan());
    }
}
