//! Reads tokens into a tree; tightest first: unary signs, * and /, + and -, one comparison, NOT, AND, OR.
//! Depth and the length of chains are bounded, so that no expression can exhaust the stack.

use super::Problem;
use super::ast::{Node, NodeKind};
use super::tokens::{Token, TokenKind, tokens};
use super::words::{rejected_operator, rejected_prefix};
use crate::model::{Arithmetic, Comparison};

/// Parentheses, NOTs and signs within each other.
const DEEPEST: usize = 100;
/// Operators of one chain of arithmetic.
const LONGEST_CHAIN: usize = 1_000;

/// The tree of an expression.
pub(crate) fn parse(text: &str) -> Result<Node, Problem> {
    let (tokens, stopped) = tokens(text);
    if tokens.is_empty() && stopped.is_none() {
        return Err(
            Problem::new("SD503", 0..text.len(), "the expression is empty").fix("write a condition, or `1 = 1`")
        );
    }
    let mut parser = Parser { tokens, at: 0, depth: 0, end: text.len() };
    let tree = parser.or().and_then(|node| match parser.peek() {
        None => Ok(node),
        Some(token) => Err(parser.surplus(token)),
    });
    match stopped {
        // What is wrong before the place where the tokens end is told first.
        Some(stopped) if parser.at >= parser.tokens.len() => Err(stopped),
        _ => tree,
    }
}

struct Parser<'e> {
    tokens: Vec<Token<'e>>,
    at: usize,
    depth: usize,
    end: usize,
}

impl<'e> Parser<'e> {
    fn peek(&self) -> Option<&Token<'e>> {
        self.tokens.get(self.at)
    }

    fn kind(&self) -> Option<TokenKind<'e>> {
        self.peek().map(|token| token.kind)
    }

    fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth <= DEEPEST {
            return Ok(());
        }
        let range = self.peek().map_or(self.end..self.end, |token| token.range.clone());
        Err(Problem::new("SD503", range, "the expression is nested too deeply")
            .fix("split it into several columns with `satisfying`"))
    }

    fn or(&mut self) -> Result<Node, Problem> {
        self.chain(TokenKind::Or, Self::and, NodeKind::Or)
    }

    fn and(&mut self) -> Result<Node, Problem> {
        self.chain(TokenKind::And, Self::not, NodeKind::And)
    }

    fn chain(
        &mut self,
        between: TokenKind<'static>,
        part: fn(&mut Self) -> Result<Node, Problem>,
        make: fn(Vec<Node>) -> NodeKind,
    ) -> Result<Node, Problem> {
        let first = part(self)?;
        if self.kind() != Some(between) {
            return Ok(first);
        }
        let start = first.range.start;
        let mut parts = vec![first];
        let mut end = start;
        while self.kind() == Some(between) {
            self.at += 1;
            let next = part(self)?;
            end = next.range.end;
            parts.push(next);
        }
        Ok(Node::new(make(parts), start..end))
    }

    fn not(&mut self) -> Result<Node, Problem> {
        let Some(Token { kind: TokenKind::Not, range }) = self.peek() else { return self.comparison() };
        let start = range.start;
        self.at += 1;
        self.deeper()?;
        let inner = self.not()?;
        self.depth -= 1;
        let range = start..inner.range.end;
        Ok(Node::new(NodeKind::Not(Box::new(inner)), range))
    }

    fn comparison(&mut self) -> Result<Node, Problem> {
        let left = self.sum()?;
        let Some(op) = self.comparator() else { return Ok(left) };
        self.at += 1;
        let right = self.sum()?;
        let range = left.range.start..right.range.end;
        if self.comparator().is_some() {
            let next = self.peek().map_or(range.clone(), |token| token.range.clone());
            return Err(Problem::new("SD502", next, "comparisons cannot be chained")
                .fix(format!("write `{left} {} {right} AND {right} …`", op.symbol())));
        }
        Ok(Node::new(NodeKind::Compare(op, Box::new(left), Box::new(right)), range))
    }

    fn comparator(&self) -> Option<Comparison> {
        Some(match self.kind()? {
            TokenKind::Eq => Comparison::Eq,
            TokenKind::Ne => Comparison::Ne,
            TokenKind::Lt => Comparison::Lt,
            TokenKind::Le => Comparison::Le,
            TokenKind::Gt => Comparison::Gt,
            TokenKind::Ge => Comparison::Ge,
            _ => return None,
        })
    }

    fn sum(&mut self) -> Result<Node, Problem> {
        self.arithmetic(Self::product, |kind| match kind {
            TokenKind::Plus => Some(Arithmetic::Add),
            TokenKind::Minus => Some(Arithmetic::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Result<Node, Problem> {
        self.arithmetic(Self::unary, |kind| match kind {
            TokenKind::Star => Some(Arithmetic::Multiply),
            TokenKind::Slash => Some(Arithmetic::Divide),
            _ => None,
        })
    }

    fn arithmetic(
        &mut self,
        part: fn(&mut Self) -> Result<Node, Problem>,
        operator: fn(TokenKind<'e>) -> Option<Arithmetic>,
    ) -> Result<Node, Problem> {
        let mut left = part(self)?;
        let mut length = 0;
        while let Some(op) = self.kind().and_then(operator) {
            length += 1;
            if length > LONGEST_CHAIN {
                let range = self.peek().map_or(left.range.clone(), |token| token.range.clone());
                return Err(Problem::new("SD503", range, "more than 1,000 operators follow each other")
                    .fix("split the expression into several columns"));
            }
            self.at += 1;
            let right = part(self)?;
            let range = left.range.start..right.range.end;
            left = Node::new(NodeKind::Arithmetic(op, Box::new(left), Box::new(right)), range);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Problem> {
        let Some(Token { kind: sign @ (TokenKind::Plus | TokenKind::Minus), range }) = self.peek() else {
            return self.primary();
        };
        let (start, minus) = (range.start, *sign == TokenKind::Minus);
        self.at += 1;
        self.deeper()?;
        let inner = self.unary()?;
        self.depth -= 1;
        let range = start..inner.range.end;
        Ok(if minus { Node::new(NodeKind::Negate(Box::new(inner)), range) } else { inner })
    }

    fn primary(&mut self) -> Result<Node, Problem> {
        let Some(token) = self.peek().cloned() else {
            return Err(Problem::new("SD503", self.end..self.end, "the expression ends where a value is expected")
                .fix("name a column, or write a number or a text in quotes"));
        };
        let kind = match token.kind {
            TokenKind::Name(name) => {
                if let Some(problem) = rejected_prefix(name, token.range.clone(), self.tokens.get(self.at + 1)) {
                    return Err(problem);
                }
                NodeKind::Name(name.to_owned())
            }
            TokenKind::Int(number) => NodeKind::Int(number),
            TokenKind::Float(number) => NodeKind::Float(number),
            TokenKind::Text(text) => NodeKind::Text(text.to_owned()),
            TokenKind::Open => return self.enclosed(token.range),
            _ => {
                return Err(Problem::new("SD503", token.range, "a value is expected here")
                    .fix("name a column, or write a number or a text in quotes"));
            }
        };
        self.at += 1;
        Ok(Node::new(kind, token.range))
    }

    fn enclosed(&mut self, open: std::ops::Range<usize>) -> Result<Node, Problem> {
        self.at += 1;
        self.deeper()?;
        let mut inner = self.or()?;
        self.depth -= 1;
        match self.peek() {
            Some(Token { kind: TokenKind::Close, range }) => {
                inner.range = open.start..range.end;
                inner.enclosed = true;
                self.at += 1;
                Ok(inner)
            }
            Some(token) => Err(self.surplus(token)),
            None => Err(Problem::new("SD503", open, "this parenthesis is not closed").fix("add `)`")),
        }
    }

    /// What stands where an operator, a parenthesis or the end is expected.
    fn surplus(&self, token: &Token<'_>) -> Problem {
        if let TokenKind::Name(word) = token.kind
            && let Some(problem) = rejected_operator(word, token.range.clone())
        {
            return problem;
        }
        match token.kind {
            TokenKind::Close => {
                Problem::new("SD503", token.range.clone(), "this parenthesis was never opened").fix("leave it out")
            }
            TokenKind::Not => {
                Problem::new("SD503", token.range.clone(), "NOT stands before a condition, not within one")
                    .fix("write `NOT (…)` around what is meant, or `!=`")
            }
            _ => Problem::new("SD503", token.range.clone(), "an operator is expected here")
                .fix("AND, OR, a comparison or + - * / is missing before it"),
        }
    }
}
