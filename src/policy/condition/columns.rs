//! Conditions compiled by what they read, and their columns over the offers of one catalogue. Asks about no request.
//!
//! What a request alone settles is evaluated once per decision, what an offer alone settles once per catalogue, and
//! only what compares the two is left for each decision and offer.

use std::collections::BTreeMap;

use super::term::Term;
use super::tree::Op;
use super::value::Datum;
use crate::domain::{Currency, Offer};

/// A truth for each offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A slot of the request: the same for every offer.
    Request(usize),
    /// A column of truths.
    Offer(usize),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    /// Compares request and offer.
    Lanes(Lane),
}

/// A value for each offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lane {
    /// A slot of the request.
    Request(usize),
    /// A column of values.
    Offer(usize),
    Negate(Box<Lane>),
    Binary(Op, Box<Lane>, Box<Lane>),
    In(Box<Lane>, Vec<Lane>),
}

/// The parts of all conditions, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// Evaluated once per decision.
    pub(super) request: Vec<Term>,
    /// Truths evaluated once per catalogue.
    pub(super) truths: Vec<Term>,
    /// Values evaluated once per catalogue.
    pub(super) values: Vec<Term>,
}

impl Parts {
    /// Compiles a condition.
    pub(super) fn node(&mut self, term: &Term) -> Node {
        match (sides(term), term) {
            ((_, false), _) => Node::Request(place(&mut self.request, term)),
            ((false, true), _) => Node::Offer(place(&mut self.truths, term)),
            (_, Term::Negate(inner)) => Node::Not(Box::new(self.node(inner))),
            (_, Term::Binary(Op::And, left, right)) => Node::And(Box::new(self.node(left)), Box::new(self.node(right))),
            (_, Term::Binary(Op::Or, left, right)) => Node::Or(Box::new(self.node(left)), Box::new(self.node(right))),
            _ => Node::Lanes(self.lane(term)),
        }
    }

    fn lane(&mut self, term: &Term) -> Lane {
        match (sides(term), term) {
            ((false, true), _) => Lane::Offer(place(&mut self.values, term)),
            ((true, true), Term::Negate(inner)) => Lane::Negate(Box::new(self.lane(inner))),
            ((true, true), Term::Binary(op, left, right)) => {
                Lane::Binary(*op, Box::new(self.lane(left)), Box::new(self.lane(right)))
            }
            ((true, true), Term::In(left, list)) => {
                Lane::In(Box::new(self.lane(left)), list.iter().map(|item| self.lane(item)).collect())
            }
            _ => Lane::Request(place(&mut self.request, term)),
        }
    }
}

/// Whether it reads a request, and whether it reads an offer.
fn sides(term: &Term) -> (bool, bool) {
    let (mut request, mut offer) = (false, false);
    term.reads(&mut |read| {
        offer |= read.of_offer();
        request |= !read.of_offer();
    });
    (request, offer)
}

fn place(parts: &mut Vec<Term>, term: &Term) -> usize {
    parts.iter().position(|known| known == term).unwrap_or_else(|| {
        parts.push(term.clone());
        parts.len() - 1
    })
}

/// One bit per offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::policy) struct Bits(Vec<u64>);

impl Bits {
    pub(in crate::policy) fn of(truths: impl Iterator<Item = bool>) -> Self {
        let mut words = Vec::new();
        for (at, truth) in truths.enumerate() {
            if at % 64 == 0 {
                words.push(0);
            }
            if let Some(word) = words.last_mut() {
                *word |= u64::from(truth) << (at % 64);
            }
        }
        Self(words)
    }

    /// Whether the bit of one offer is set.
    pub(in crate::policy) fn has(&self, offer: usize) -> bool {
        self.word(offer / 64) & (1 << (offer % 64)) != 0
    }

    /// Bytes of memory that it holds.
    pub(in crate::policy) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// The bits of 64 offers; none beyond the last.
    pub(super) fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }
}

/// A value per offer, where known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// All of one sort, in 64 bits each; text by its number.
    Plain { sort: Sort, values: Vec<i64>, known: Bits },
    /// Anything else.
    Mixed(Vec<Option<Datum<u32>>>),
}

/// What the values of a column are. Two that differ are never compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Bool,
    Number,
    Money(Currency),
    Date,
    Span,
    Text,
}

/// A value as its sort and a number that compares as it does, where 64 bits hold it.
pub(super) fn plain(datum: Datum<u32>) -> Option<(Sort, i64)> {
    Some(match datum {
        Datum::Bool(truth) => (Sort::Bool, i64::from(truth)),
        Datum::Number(number) => (Sort::Number, i64::try_from(number).ok()?),
        Datum::Money(amount, currency) => (Sort::Money(currency), i64::try_from(amount).ok()?),
        Datum::Date(ms) => (Sort::Date, i64::try_from(ms).ok()?),
        Datum::Span(ms) => (Sort::Span, i64::try_from(ms).ok()?),
        Datum::Text(number) => (Sort::Text, i64::from(number)),
    })
}

impl Values {
    fn of(data: Vec<Option<Datum<u32>>>) -> Self {
        let sort = data.iter().flatten().next().and_then(|first| plain(*first)).map(|(sort, _)| sort);
        let Some(sort) = sort else { return Self::Mixed(data) };
        let fits = |datum: &Datum<u32>| plain(*datum).is_some_and(|(other, _)| other == sort);
        if !data.iter().flatten().all(fits) {
            return Self::Mixed(data);
        }
        let values = data.iter().map(|datum| datum.and_then(plain).map_or(0, |(_, value)| value)).collect();
        Self::Plain { sort, values, known: Bits::of(data.iter().map(Option::is_some)) }
    }

    /// The value of one offer.
    pub(super) fn at(&self, offer: usize) -> Option<Datum<u32>> {
        match self {
            Self::Mixed(data) => data.get(offer).copied().flatten(),
            Self::Plain { sort, values, known } => {
                if known.word(offer / 64) & (1 << (offer % 64)) == 0 {
                    return None;
                }
                let value = *values.get(offer)?;
                Some(match sort {
                    Sort::Bool => Datum::Bool(value != 0),
                    Sort::Number => Datum::Number(value.into()),
                    Sort::Money(currency) => Datum::Money(value.into(), *currency),
                    Sort::Date => Datum::Date(value.into()),
                    Sort::Span => Datum::Span(value.into()),
                    Sort::Text => Datum::Text(u32::try_from(value).ok()?),
                })
            }
        }
    }
}

/// What the conditions of a bundle know of the offers of one catalogue.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Columns {
    /// Where each truth holds, and where it does not; neither where it is open.
    pub(super) truths: Vec<(Bits, Bits)>,
    pub(super) values: Vec<Values>,
    /// Where each check applies; everywhere if nothing is said.
    pub(super) scopes: Vec<Option<Bits>>,
    /// The texts of offers, numbered.
    pub(super) texts: BTreeMap<String, u32>,
}

impl Columns {
    pub(super) fn new(parts: &Parts, scopes: Vec<Option<Bits>>, offers: &[Offer]) -> Self {
        let truth = |term: &Term| {
            let found: Vec<Option<bool>> =
                offers.iter().map(|offer| term.walk(None, Some(offer)).and_then(Datum::truth)).collect();
            let bits = |wanted: bool| Bits::of(found.iter().map(|truth| *truth == Some(wanted)));
            (bits(true), bits(false))
        };
        let mut texts = BTreeMap::new();
        let mut number = |text: &str| -> u32 {
            let next = u32::try_from(texts.len()).unwrap_or(u32::MAX);
            *texts.entry(text.to_owned()).or_insert(next)
        };
        let mut value = |term: &Term| {
            let data = offers.iter().map(|offer| Some(term.walk(None, Some(offer))?.map(&mut number)));
            Values::of(data.collect())
        };
        let truths = parts.truths.iter().map(truth).collect();
        let values = parts.values.iter().map(&mut value).collect();
        Self { truths, values, scopes, texts }
    }
}
