//! Constructors of numbers. Both sides of arithmetic are int or both are float; [`Builder::cast`] makes them so.
//! Meaning: warehouse.md 5.3.

use super::Builder;
use crate::graph::{Arithmetic, DateFormat, Op, Series};
use crate::value::Type;

impl Builder<'_> {
    /// Arithmetic of two numbers.
    pub fn arithmetic(&mut self, operator: Arithmetic, left: Series, right: Series) -> Series {
        self.series(Op::Arithmetic { operator, left, right })
    }

    /// `left + right`.
    pub fn add(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::Add, left, right)
    }

    /// `left - right`.
    pub fn sub(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::Sub, left, right)
    }

    /// `left * right`.
    pub fn mul(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::Mul, left, right)
    }

    /// `left / right` as float; by zero NULL.
    pub fn div(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::Div, left, right)
    }

    /// `left / right` rounded down; by zero NULL.
    pub fn floor_div(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::FloorDiv, left, right)
    }

    /// v1's division of ints, cut toward zero; by zero the run stops (D512).
    pub fn div_int(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::DivInt, left, right)
    }

    /// v1's division of floats; by zero the run stops (D512).
    pub fn div_or_stop(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::DivOrStop, left, right)
    }

    /// `left ** right`, always float.
    pub fn power(&mut self, left: Series, right: Series) -> Series {
        self.arithmetic(Arithmetic::Power, left, right)
    }

    /// `-of`.
    pub fn neg(&mut self, of: Series) -> Series {
        self.series(Op::Neg { of })
    }

    /// `of` without sign.
    pub fn abs(&mut self, of: Series) -> Series {
        self.series(Op::Abs { of })
    }

    /// To another type; days to and from text as YYYY-MM-DD. Text that cannot be read stops the run (D513).
    pub fn cast(&mut self, of: Series, to: Type) -> Series {
        self.cast_date(of, to, DateFormat::Day)
    }

    /// To another type, days to and from text in a given form.
    pub fn cast_date(&mut self, of: Series, to: Type, format: DateFormat) -> Series {
        self.series(Op::Cast { of, to, format })
    }

    /// To a number of decimals (at most 15), halves away from zero.
    pub fn round_half_away(&mut self, of: Series, digits: u8) -> Series {
        self.series(Op::RoundHalfAway { of, digits })
    }
}
