//! Expressions as series. Values are the filled ones, so only care homes' columns and overflow give NULL.
//! Spec study-definitions.md 8.

use query::{Collation, Frame, Series, Type};

use super::{LowerError, Lowering};
use crate::model::{
    Arithmetic, CareHomeColumn, Cases, CodedFact, ColumnType, Comparison, Expr, Query, Scalar, VariableId,
};

/// A value within an expression.
#[derive(Clone, Copy)]
enum Operand {
    Int(Series),
    Float(Series),
    Text(Series, Collation),
}

impl Lowering<'_> {
    /// The value of the first case that is true, as the variable's type says; dates are texts.
    pub(super) fn categories(
        &mut self,
        cases: &Cases,
        kind: ColumnType,
        home: Option<Frame>,
    ) -> Result<Series, LowerError> {
        let mut branches = Vec::new();
        for (value, condition) in &cases.branches {
            let condition = self.truth(condition, home)?;
            branches.push((condition, self.scalar(value, kind)));
        }
        let default = self.scalar(&cases.default, kind);
        Ok(if branches.is_empty() { default } else { self.q.case(branches, Some(default)) })
    }

    /// A constant as the type of a variable says.
    pub(super) fn scalar(&mut self, scalar: &Scalar, kind: ColumnType) -> Series {
        match (scalar, kind) {
            (Scalar::Int(number), ColumnType::Bool) => self.q.value(*number != 0),
            (Scalar::Bool(truth), ColumnType::Bool) => self.q.value(*truth),
            (Scalar::Bool(truth), _) => self.q.value(i64::from(*truth)),
            #[allow(clippy::cast_precision_loss, reason = "a key of a float category")]
            (Scalar::Int(number), ColumnType::Float) => self.q.value(*number as f64),
            (Scalar::Int(number), _) => self.q.value(*number),
            (Scalar::Float(number), _) => self.q.value(*number),
            (Scalar::Str(text), _) => self.q.str(text),
            (Scalar::Date(day), _) => self.q.str(&day.to_string()),
        }
    }

    /// Whether a variable's value equals 1: what a population keeps.
    pub(super) fn is_one(&mut self, id: VariableId) -> Result<Series, LowerError> {
        let filled = self.done[id.0].filled;
        match self.study[id].kind {
            ColumnType::Bool => Ok(filled),
            ColumnType::Int | ColumnType::IntCategory { .. } => {
                let one = self.q.value(1);
                Ok(self.q.eq(filled, one))
            }
            _ => self.unsupported("a population is true or false, or a whole number"),
        }
    }

    fn truth(&mut self, expression: &Expr, home: Option<Frame>) -> Result<Series, LowerError> {
        Ok(match expression {
            Expr::And(left, right) => {
                let (left, right) = (self.truth(left, home)?, self.truth(right, home)?);
                self.q.and([left, right])
            }
            Expr::Or(left, right) => {
                let (left, right) = (self.truth(left, home)?, self.truth(right, home)?);
                self.q.or([left, right])
            }
            Expr::Not(of) => {
                let of = self.truth(of, home)?;
                self.q.not(of)
            }
            Expr::Compare(comparison, left, right) => {
                let (left, right) = (self.operand(left, home)?, self.operand(right, home)?);
                self.comparison(*comparison, left, right)
            }
            Expr::Truth(of) => self.not_empty(of, home)?,
            _ => return self.unsupported("a value stands where a truth value is needed"),
        })
    }

    /// `x != empty`, by the type of x.
    fn not_empty(&mut self, of: &Expr, home: Option<Frame>) -> Result<Series, LowerError> {
        if let Expr::Column(id) = of {
            let (kind, filled) = (self.study[*id].kind, self.done[id.0].filled);
            if kind == ColumnType::Bool {
                return Ok(filled);
            }
            let empty = self.default_of(kind);
            return Ok(self.q.ne(filled, empty));
        }
        Ok(match self.operand(of, home)? {
            Operand::Int(of) => {
                let zero = self.q.value(0);
                self.q.ne(of, zero)
            }
            Operand::Float(of) => {
                let zero = self.q.value(0.0);
                self.q.ne(of, zero)
            }
            Operand::Text(of, collation) => {
                let empty = self.q.str("");
                self.q.compare(query::Comparison::Ne, of, empty, collation)
            }
        })
    }

    fn operand(&mut self, expression: &Expr, home: Option<Frame>) -> Result<Operand, LowerError> {
        Ok(match expression {
            Expr::Column(id) => self.column_operand(*id),
            Expr::CareHome(column) => match home {
                Some(row) => self.care_home_operand(*column, row),
                None => return self.unsupported("a column of care homes outside care_home_status_as_of"),
            },
            Expr::Int(number) => Operand::Int(self.q.value(*number)),
            Expr::Float(number) => Operand::Float(self.q.value(*number)),
            Expr::Text(text) => Operand::Text(self.q.str(text.trim_end_matches(' ')), Collation::Ci),
            Expr::Negate(of) => match self.operand(of, home)? {
                Operand::Int(of) => Operand::Int(self.q.neg(of)),
                Operand::Float(of) => Operand::Float(self.q.neg(of)),
                Operand::Text(..) => return self.unsupported("a sign in front of a text"),
            },
            Expr::Arithmetic(operator, left, right) => {
                let (l, r) = (self.operand(left, home)?, self.operand(right, home)?);
                self.arithmetic(*operator, l, r)?
            }
            Expr::Compare(..) | Expr::Truth(_) | Expr::Not(_) | Expr::And(..) | Expr::Or(..) => {
                return self.unsupported("a truth value stands where a value is needed");
            }
        })
    }

    fn column_operand(&mut self, id: VariableId) -> Operand {
        let (variable, filled) = (&self.study[id], self.done[id.0].filled);
        match variable.kind {
            ColumnType::Bool => Operand::Int(self.q.cast(filled, Type::Int)),
            ColumnType::Int | ColumnType::IntCategory { .. } => Operand::Int(filled),
            ColumnType::Float => Operand::Float(filled),
            ColumnType::Str | ColumnType::Date(_) => Operand::Text(filled, collation(&variable.query)),
        }
    }

    fn care_home_operand(&mut self, column: CareHomeColumn, row: Frame) -> Operand {
        match column {
            CareHomeColumn::IsPotentialCareHome => {
                let (id, none) = (self.q.column(row, "home.PatientAddress_ID"), self.q.value(0));
                Operand::Int(self.q.coalesce([id, none]))
            }
            CareHomeColumn::LocationRequiresNursing => {
                Operand::Text(self.q.column(row, "home.LocationRequiresNursing"), Collation::Ci)
            }
            CareHomeColumn::LocationDoesNotRequireNursing => {
                Operand::Text(self.q.column(row, "home.LocationDoesNotRequireNursing"), Collation::Ci)
            }
        }
    }

    /// Both sides as numbers of one type: text is read as a number, where '' is 0.
    fn numbers(&mut self, left: Operand, right: Operand) -> (Series, Series, bool) {
        let float = matches!(left, Operand::Float(_)) || matches!(right, Operand::Float(_));
        (self.number(left, float), self.number(right, float), float)
    }

    fn number(&mut self, of: Operand, float: bool) -> Series {
        match (of, float) {
            (Operand::Int(of), false) | (Operand::Float(of), _) => of,
            (Operand::Int(of), true) => self.q.cast(of, Type::Float),
            (Operand::Text(of, _), false) => {
                let (read, zero) = (self.q.cast(of, Type::Int), self.q.value(0));
                self.read(of, read, zero)
            }
            (Operand::Text(of, _), true) => {
                let (read, zero) = (self.q.cast(of, Type::Float), self.q.value(0.0));
                self.read(of, read, zero)
            }
        }
    }

    /// Text that is there but holds no number is 0; a NULL stays one.
    fn read(&mut self, text: Series, read: Series, zero: Series) -> Series {
        let absent = self.q.is_null(text);
        let filled = self.q.coalesce([read, zero]);
        self.q.case([(absent, read)], Some(filled))
    }

    fn comparison(&mut self, comparison: Comparison, left: Operand, right: Operand) -> Series {
        let comparison = match comparison {
            Comparison::Eq => query::Comparison::Eq,
            Comparison::Ne => query::Comparison::Ne,
            Comparison::Lt => query::Comparison::Lt,
            Comparison::Le => query::Comparison::Le,
            Comparison::Gt => query::Comparison::Gt,
            Comparison::Ge => query::Comparison::Ge,
        };
        if let (Operand::Text(l, a), Operand::Text(r, b)) = (left, right) {
            let exact = a == Collation::Exact || b == Collation::Exact;
            let collation = if exact { Collation::Exact } else { Collation::Ci };
            return self.q.compare(comparison, l, r, collation);
        }
        let (left, right, _) = self.numbers(left, right);
        self.q.compare(comparison, left, right, Collation::Exact)
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: Operand, right: Operand) -> Result<Operand, LowerError> {
        if let (Operand::Text(l, _), Operand::Text(r, _)) = (left, right) {
            return match operator {
                Arithmetic::Add => Ok(Operand::Text(self.q.concat([l, r]), Collation::Ci)),
                _ => self.unsupported("arithmetic of two texts"),
            };
        }
        let (left, right, float) = self.numbers(left, right);
        let number = match operator {
            Arithmetic::Add => self.q.add(left, right),
            Arithmetic::Subtract => self.q.sub(left, right),
            Arithmetic::Multiply => self.q.mul(left, right),
            Arithmetic::Divide if float => self.q.div_or_stop(left, right),
            Arithmetic::Divide => self.q.div_int(left, right),
        };
        Ok(if float { Operand::Float(number) } else { Operand::Int(number) })
    }
}

/// Columns that return a clinical code compare with case.
fn collation(query: &Query) -> Collation {
    match query {
        Query::ClinicalEvents(rows) if rows.returning == CodedFact::Code => Collation::Exact,
        _ => Collation::Ci,
    }
}
