//! Random expressions of section 8 over the columns drawn so far.

use super::functions::{K, Known, Studio};

impl Studio<'_> {
    fn some(&mut self, fits: impl Fn(&Known) -> bool) -> Option<Known> {
        let all: Vec<Known> = self.known.iter().filter(|k| fits(k)).cloned().collect();
        (!all.is_empty()).then(|| all[self.draw.below(all.len())].clone())
    }

    /// A truth value.
    pub fn truth(&mut self, depth: usize) -> String {
        match self.draw.below(if depth == 0 { 7 } else { 10 }) {
            0 | 1 => match self.some(|_| true) {
                Some(any) => any.name,
                None => "1 = 1".into(),
            },
            2 | 3 => format!("{} {} {}", self.number(depth), self.comparison(), self.number(depth)),
            // text that is no number stops it as well
            4 if self.draw.chance(3) => format!("{} > {}", self.text(), self.number(0)),
            4 => match self.some(|k| k.numeric) {
                Some(text) => format!("{} {} {}", text.name, self.comparison(), self.number(0)),
                None => format!("{} {} 2", self.number(0), self.comparison()),
            },
            5 if self.draw.chance(50) => match self.some(|k| k.code) {
                Some(code) => format!("{} {} '{}'", code.name, self.comparison(), self.draw.of(&["XAB12", "xab12"])),
                None => format!("{} = {}", self.text(), self.text()),
            },
            5 | 6 => format!("{} {} {}", self.text(), self.comparison(), self.text()),
            7 => {
                self.word("AND");
                format!("({}) AND ({})", self.truth(depth - 1), self.truth(depth - 1))
            }
            8 => {
                self.word("OR");
                format!("({}) OR ({})", self.truth(depth - 1), self.truth(depth - 1))
            }
            _ => {
                self.word("NOT");
                format!("NOT ({})", self.truth(depth - 1))
            }
        }
    }

    fn comparison(&mut self) -> &'static str {
        let sign = self.draw.of(&["=", "!=", "<", "<=", ">", ">="]);
        self.word(sign);
        sign
    }

    fn number(&mut self, depth: usize) -> String {
        if depth > 0 && self.draw.chance(40) {
            let sign = self.draw.of(&["+", "-", "*", "/"]);
            self.word(sign);
            let left = self.number(depth - 1);
            let right =
                if sign == "/" { self.draw.of(&["2", "10", "2.5", "-3"]).to_owned() } else { self.number(depth - 1) };
            return format!("({left} {sign} {right})");
        }
        let column = if self.draw.chance(75) {
            self.some(|k| matches!(k.kind, K::Bool | K::Int | K::Label | K::Float))
        } else {
            None
        };
        match column {
            Some(column) if self.draw.chance(15) => format!("-{}", column.name),
            Some(column) => column.name,
            None => self.draw.of(&["0", "1", "2", "40", "2.5", "0.0"]).to_owned(),
        }
    }

    fn text(&mut self) -> String {
        let column = if self.draw.chance(65) { self.some(|k| matches!(k.kind, K::Str | K::Date(_))) } else { None };
        match column {
            Some(column) if self.draw.chance(10) => format!("({} + 'x')", column.name),
            Some(column) => column.name,
            None => self.draw.of(&["'F'", "''", "'x  '", "'2021'", "'M'", "'XAB12'"]).to_owned(),
        }
    }
}
