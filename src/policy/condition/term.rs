//! Checked conditions, and the plain way to evaluate one: a walk over its tree, for one request and one offer.
//!
//! The walk is what the columns must agree with. It is not how decisions are made.

use super::read::{Facts, Read};
use super::tree::Op;
use super::value::{Datum, apply, negate, within};
use crate::domain::Offer;

/// A part whose names are declared and whose types fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Term {
    Constant(Datum<String>),
    Read(Read),
    Has(Read),
    /// The opposite truth or the opposite number.
    Negate(Box<Term>),
    Binary(Op, Box<Term>, Box<Term>),
    In(Box<Term>, Vec<Term>),
}

impl Term {
    /// Whether it holds for a request and an offer; nothing where a missing value leaves it open.
    #[cfg(test)]
    pub(in crate::policy) fn holds(&self, facts: &Facts<'_>, offer: &Offer) -> Option<bool> {
        self.walk(Some(facts), Some(offer)).and_then(Datum::truth)
    }

    /// Whether it holds for a request, where it reads no offer; nothing where a missing value leaves it open.
    pub(in crate::policy) fn asked(&self, facts: &Facts<'_>) -> Option<bool> {
        self.walk(Some(facts), None).and_then(Datum::truth)
    }

    /// Its value for a request and an offer, of which it may need only one.
    pub(super) fn walk<'a>(&'a self, facts: Option<&Facts<'a>>, offer: Option<&'a Offer>) -> Option<Datum<&'a str>> {
        match self {
            Self::Constant(datum) => Some(match datum {
                Datum::Text(text) => Datum::Text(text.as_str()),
                datum => datum.clone().map(|_| ""),
            }),
            Self::Read(read) => read.value(facts, offer),
            Self::Has(read) => Some(Datum::Bool(read.value(facts, offer).is_some())),
            Self::Negate(inner) => negate(inner.walk(facts, offer)),
            Self::Binary(op, left, right) => apply(*op, left.walk(facts, offer), right.walk(facts, offer)),
            Self::In(left, list) => within(left.walk(facts, offer), list.iter().map(|item| item.walk(facts, offer))),
        }
    }

    /// Shows everything it reads.
    pub(in crate::policy) fn reads(&self, see: &mut dyn FnMut(&Read)) {
        match self {
            Self::Constant(_) => {}
            Self::Read(read) | Self::Has(read) => see(read),
            Self::Negate(inner) => inner.reads(see),
            Self::Binary(_, left, right) => {
                left.reads(see);
                right.reads(see);
            }
            Self::In(left, list) => {
                left.reads(see);
                for item in list {
                    item.reads(see);
                }
            }
        }
    }
}
