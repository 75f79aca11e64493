//! Terms that rules of other kinds compile to, without a text. Checks nothing: whoever builds one has read the
//! declaration.

use super::read::{Accepts, BuiltIn, Read};
use super::term::Term;
use super::tree::Op;
use super::value::{Datum, SCALE};
use crate::domain::AttributeId;

fn attribute(id: &AttributeId, accepts: Accepts) -> Term {
    Term::Read(Read::Attribute(id.clone(), accepts))
}

impl Term {
    /// Whether the value of an enum is the name at a position or one declared behind it.
    pub(in crate::policy) fn one_of_behind(id: &AttributeId, names: &[String], least: usize) -> Self {
        let behind = names.iter().skip(least).map(|name| Self::Constant(Datum::Text(name.clone())));
        Self::In(Box::new(attribute(id, Accepts::Names(names.to_vec()))), behind.collect())
    }

    /// Whether a number is at least another.
    pub(in crate::policy) fn at_least(id: &AttributeId, least: u32) -> Self {
        let least = Self::Constant(Datum::Number(i128::from(least) * SCALE));
        Self::Binary(Op::GreaterOrEqual, Box::new(attribute(id, Accepts::Number)), Box::new(least))
    }

    /// Whether a date is at least so many days ago, where the customer is.
    pub(in crate::policy) fn days_ago(id: &AttributeId, days: u32) -> Self {
        let span = Self::Constant(Datum::Span(i128::from(days) * 86_400_000));
        let last = Self::Binary(Op::Minus, Box::new(Self::Read(Read::BuiltIn(BuiltIn::Today))), Box::new(span));
        Self::Binary(Op::LessOrEqual, Box::new(attribute(id, Accepts::Date)), Box::new(last))
    }

    /// Both hold.
    pub(in crate::policy) fn both(self, other: Self) -> Self {
        Self::Binary(Op::And, Box::new(self), Box::new(other))
    }
}
