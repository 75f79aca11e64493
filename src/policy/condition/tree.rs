//! Conditions as written: the tree that the parser makes, and how it is printed. Knows no attribute and no type.

use std::fmt::{self, Write as _};
use std::ops::Range;

use super::value;
use crate::domain::money::print_decimal;
use crate::domain::{Money, Number, Percent, Span};

/// A part of a condition with the bytes it was written in.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Expr {
    pub(in crate::policy) at: Range<usize>,
    pub(in crate::policy) kind: Kind,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) enum Kind {
    Literal(Literal),
    /// An attribute or a built-in name.
    Name(String),
    /// `has(...)`; the part inside is a name.
    Has(Box<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    /// Something already reported.
    Broken,
}

/// A value written out.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) enum Literal {
    Bool(bool),
    Number(Number),
    Percent(Percent),
    Money(Money),
    /// Milliseconds of its first moment, as if it were UTC.
    Date(i64),
    Span(Span),
    Text(String),
}

/// What stands between two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Op {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
}

impl Op {
    /// As it is written.
    pub(in crate::policy) fn text(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
        }
    }

    /// Higher binds closer.
    pub(in crate::policy) fn rank(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Plus | Self::Minus => SUM,
            Self::Times => CLOSEST,
            _ => RELATION,
        }
    }
}

/// Comparisons and `in`: they do not chain.
pub(super) const RELATION: u8 = 3;
const SUM: u8 = 4;
pub(super) const CLOSEST: u8 = 5;
const UNARY: u8 = 6;
const PRIMARY: u8 = 7;

/// Where a part was written does not matter for what it says.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Expr {
    fn rank(&self) -> u8 {
        match &self.kind {
            Kind::Binary(op, ..) => op.rank(),
            Kind::In(..) => RELATION,
            Kind::Not(_) | Kind::Negate(_) => UNARY,
            Kind::Literal(_) | Kind::Name(_) | Kind::Has(_) | Kind::Broken => PRIMARY,
        }
    }

    /// Printed as part of something that binds with `least`.
    fn within(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.rank() < least { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Literal(literal) => literal.fmt(f),
            Kind::Name(name) => f.write_str(name),
            Kind::Has(name) => write!(f, "has({name})"),
            Kind::Not(inner) => {
                f.write_char('!')?;
                inner.within(f, UNARY)
            }
            Kind::Negate(inner) => {
                f.write_char('-')?;
                inner.within(f, UNARY)
            }
            Kind::Binary(op, left, right) => {
                let rank = op.rank();
                left.within(f, if rank == RELATION { rank + 1 } else { rank })?;
                write!(f, " {} ", op.text())?;
                right.within(f, rank + 1)
            }
            Kind::In(left, list) => {
                left.within(f, SUM)?;
                f.write_str(" in [")?;
                for (at, item) in list.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    item.fmt(f)?;
                }
                f.write_char(']')
            }
            Kind::Broken => f.write_str("..."),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(truth) => truth.fmt(f),
            Self::Number(number) => {
                let text = print_decimal(number.0, 6);
                f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
            }
            Self::Percent(percent) => percent.fmt(f),
            Self::Money(money) => money.fmt(f),
            Self::Date(ms) => f.write_str(&value::print_date(*ms)),
            Self::Span(span) => span.fmt(f),
            Self::Text(text) => {
                f.write_char('"')?;
                for letter in text.chars() {
                    if ['"', '\\'].contains(&letter) {
                        f.write_char('\\')?;
                    }
                    f.write_char(letter)?;
                }
                f.write_char('"')
            }
        }
    }
}
