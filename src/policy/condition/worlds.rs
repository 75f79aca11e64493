//! Worlds: every case that conditions can tell apart, so that what holds in all of them holds always. Knows no rule and
//! no real customer.
//!
//! What a condition reads takes finitely many values or has an order. An order is cut at the constants that the
//! conditions compare with: one value for each constant, one between each two, one below and one above. A part that
//! compares two things read, or computes with them, is *free*: it may hold, not hold, or be open, whatever the rest
//! says. So more worlds are looked at than there are, never fewer: what is found to hold in none of them cannot happen.

use std::collections::BTreeSet;

use super::read::{Accepts, BuiltIn, Read};
use super::term::Term;
use super::tree::{Expr, Kind, Literal, Op};
use super::value::{Datum, SCALE, and, apply, negate, or, within};
use crate::domain::{Currency, Money, Number, Span};

/// What some conditions read together, with the values that they can tell apart.
#[derive(Debug)]
pub(in crate::policy) struct Worlds {
    read: Vec<Known>,
    free: Vec<(Term, Vec<Option<bool>>)>,
}

/// One thing that is read.
#[derive(Debug)]
struct Known {
    read: Read,
    values: Vec<Option<Datum<String>>>,
    /// Whether it is compared with a constant; otherwise only whether it is there makes a difference.
    compared: bool,
}

/// One value for everything that is read.
#[derive(Debug, Clone)]
pub(in crate::policy) struct World<'a> {
    of: &'a Worlds,
    /// Which value of each thing read, then which truth of each free part.
    at: Vec<usize>,
}

/// Milliseconds of a day.
const DAY: i128 = 86_400_000;

impl Worlds {
    /// The worlds of some conditions.
    pub(in crate::policy) fn of(terms: &[&Term]) -> Self {
        let (mut constants, mut free) = (Vec::new(), Vec::new());
        for term in terms {
            atoms(term, &mut constants, &mut free);
        }
        let mut reads: Vec<Read> = Vec::new();
        for term in terms {
            term.reads(&mut |read| {
                if !reads.contains(read) {
                    reads.push(read.clone());
                }
            });
        }
        let read = reads.into_iter().map(|read| {
            let own: Vec<Datum<String>> =
                constants.iter().filter(|(of, _)| *of == read).map(|(_, constant)| constant.clone()).collect();
            let compared = !own.is_empty() || matches!(read, Read::Attribute(_, Accepts::Bool));
            Known { values: values(&read, own), read, compared }
        });
        let read = read.collect();
        let free = free.into_iter().map(|term| {
            let mut open = false;
            term.reads(&mut |read| open |= may_lack(read));
            let truths = [Some(true), Some(false)].into_iter().chain(open.then_some(None)).collect();
            (term, truths)
        });
        Self { read, free: free.collect() }
    }

    /// How many there are.
    pub(in crate::policy) fn count(&self) -> u64 {
        self.sizes().fold(1, |all, size| all.saturating_mul(u64::try_from(size).unwrap_or(u64::MAX)))
    }

    /// The first for which something holds.
    pub(in crate::policy) fn find(&self, holds: impl Fn(&World<'_>) -> bool) -> Option<World<'_>> {
        let sizes: Vec<usize> = self.sizes().collect();
        let mut world = World { of: self, at: vec![0; sizes.len()] };
        loop {
            if holds(&world) {
                return Some(world);
            }
            // The next one, as a counter with a wheel for each thing read.
            let turned = world.at.iter_mut().zip(&sizes).any(|(at, size)| {
                *at += 1;
                let on = *at < *size;
                *at = if on { *at } else { 0 };
                on
            });
            if !turned {
                return None;
            }
        }
    }

    fn sizes(&self) -> impl Iterator<Item = usize> {
        self.read.iter().map(|known| known.values.len()).chain(self.free.iter().map(|(_, truths)| truths.len()))
    }
}

impl World<'_> {
    /// Whether a condition holds in it; nothing where a missing value leaves it open.
    pub(in crate::policy) fn truth(&self, term: &Term) -> Option<bool> {
        if let Some(at) = self.of.free.iter().position(|(free, _)| free == term) {
            let truths = self.of.free.get(at).map(|(_, truths)| truths)?;
            return *truths.get(*self.at.get(self.of.read.len() + at)?)?;
        }
        match term {
            Term::Binary(Op::And, left, right) => and(self.truth(left), self.truth(right)),
            Term::Binary(Op::Or, left, right) => or(self.truth(left), self.truth(right)),
            Term::Negate(inner) => self.truth(inner).map(|truth| !truth),
            term => self.datum(term).and_then(Datum::truth),
        }
    }

    fn datum<'a>(&'a self, term: &'a Term) -> Option<Datum<&'a str>> {
        let read = |read: &Read| {
            let (known, at) = self.of.read.iter().zip(&self.at).find(|(known, _)| known.read == *read)?;
            known.values.get(*at)?.as_ref().map(held)
        };
        match term {
            Term::Constant(datum) => Some(held(datum)),
            Term::Read(known) => read(known),
            Term::Has(known) => Some(Datum::Bool(read(known).is_some())),
            Term::Negate(inner) => negate(self.datum(inner)),
            Term::Binary(op, left, right) => apply(*op, self.datum(left), self.datum(right)),
            Term::In(left, list) => within(self.datum(left), list.iter().map(|item| self.datum(item))),
        }
    }

    /// What is missing in it, by name.
    pub(in crate::policy) fn missing(&self) -> Vec<String> {
        let missing = self.values().filter(|(_, value)| value.is_none());
        missing.map(|(known, _)| name(&known.read).to_owned()).collect()
    }

    /// In words: ``customer.tier = "gold"`, no `customer.region``.
    pub(in crate::policy) fn told(&self) -> String {
        let read = self.values().filter_map(|(known, value)| match value {
            Some(value) if known.compared => Some(format!("`{} = {}`", name(&known.read), literal(value))),
            Some(_) => None,
            None => Some(format!("no `{}`", name(&known.read))),
        });
        let free = self.of.free.iter().zip(self.at.iter().skip(self.of.read.len()));
        let free = free.filter_map(|((term, truths), at)| {
            let holds = (*truths.get(*at)?)?;
            Some(if holds { format!("`{}`", expr(term)) } else { format!("not `{}`", expr(term)) })
        });
        let told: Vec<String> = read.chain(free).collect();
        if told.is_empty() { "whatever comes".to_owned() } else { told.join(", ") }
    }

    fn values(&self) -> impl Iterator<Item = (&Known, Option<&Datum<String>>)> {
        self.of.read.iter().zip(&self.at).map(|(known, at)| (known, known.values.get(*at).and_then(Option::as_ref)))
    }
}

fn held(datum: &Datum<String>) -> Datum<&str> {
    match datum {
        Datum::Text(text) => Datum::Text(text.as_str()),
        datum => datum.clone().map(|_| ""),
    }
}

/// Notes what is compared with constants, and every part that cannot be settled so.
fn atoms(term: &Term, constants: &mut Vec<(Read, Datum<String>)>, free: &mut Vec<Term>) {
    let constant = |term: &Term| term.walk(None, None).map(|datum| datum.map(str::to_owned)).filter(|_| plain(term));
    let noted = match term {
        Term::Constant(_) | Term::Read(_) | Term::Has(_) => true,
        Term::Binary(Op::And | Op::Or, left, right) => {
            atoms(left, constants, free);
            atoms(right, constants, free);
            true
        }
        Term::Negate(inner) => {
            atoms(inner, constants, free);
            true
        }
        Term::Binary(_, left, right) => match (left.as_ref(), right.as_ref()) {
            (Term::Read(read), other) | (other, Term::Read(read)) => {
                let found = constant(other);
                let known = found.is_some();
                constants.extend(found.map(|datum| (read.clone(), datum)));
                known
            }
            (left, right) => plain(left) && plain(right),
        },
        Term::In(left, list) => match left.as_ref() {
            Term::Read(read) if list.iter().all(plain) => {
                constants.extend(list.iter().filter_map(constant).map(|datum| (read.clone(), datum)));
                true
            }
            _ => false,
        },
    };
    if !noted && !free.contains(term) {
        free.push(term.clone());
    }
}

/// Whether it reads nothing.
fn plain(term: &Term) -> bool {
    let mut any = false;
    term.reads(&mut |_| any = true);
    !any
}

/// Whether what is read may be missing.
fn may_lack(read: &Read) -> bool {
    match read {
        Read::Attribute(..) | Read::BuiltIn(BuiltIn::BasketTotal) => true,
        Read::BuiltIn(
            BuiltIn::Today
            | BuiltIn::HourOfDay
            | BuiltIn::BasketSize
            | BuiltIn::OfferPrice
            | BuiltIn::OfferDiscount
            | BuiltIn::OfferNetPrice
            | BuiltIn::OfferMargin,
        ) => false,
    }
}

/// The values that comparisons with these constants tell apart.
fn values(read: &Read, constants: Vec<Datum<String>>) -> Vec<Option<Datum<String>>> {
    let numbers = |pick: &dyn Fn(&Datum<String>) -> Option<i128>| -> BTreeSet<i128> {
        constants.iter().filter_map(pick).collect()
    };
    let number = |datum: &Datum<String>| match datum {
        Datum::Number(number) => Some(*number),
        _ => None,
    };
    let day = |datum: &Datum<String>| match datum {
        Datum::Date(ms) => Some(*ms),
        _ => None,
    };
    let dates =
        |constants: &BTreeSet<i128>| cut(constants, DAY, DAY, (None, None)).into_iter().map(Datum::Date).collect();
    let whole = |bounds: (Option<i128>, Option<i128>)| {
        cut(&numbers(&number), SCALE, SCALE, bounds).into_iter().map(Datum::Number).collect()
    };
    let found: Vec<Datum<String>> = match read {
        Read::Attribute(_, Accepts::Bool) => vec![Datum::Bool(true), Datum::Bool(false)],
        Read::Attribute(_, Accepts::Names(names)) => names.iter().cloned().map(Datum::Text).collect(),
        Read::Attribute(_, Accepts::Text) => {
            let other = Datum::Text("anything else".to_owned());
            let mut texts = constants;
            texts.push(other);
            texts.dedup();
            texts
        }
        Read::Attribute(_, Accepts::Number) => {
            cut(&numbers(&number), 1, SCALE, (None, None)).into_iter().map(Datum::Number).collect()
        }
        Read::Attribute(_, Accepts::Date) | Read::BuiltIn(BuiltIn::Today) => dates(&numbers(&day)),
        Read::BuiltIn(BuiltIn::HourOfDay) => whole((Some(0), Some(23 * SCALE))),
        Read::BuiltIn(BuiltIn::BasketSize) => whole((Some(0), None)),
        Read::BuiltIn(BuiltIn::BasketTotal) => amounts(&constants, Some(0)),
        Read::BuiltIn(BuiltIn::OfferPrice | BuiltIn::OfferDiscount | BuiltIn::OfferNetPrice | BuiltIn::OfferMargin) => {
            amounts(&constants, None)
        }
    };
    found.into_iter().map(Some).chain(may_lack(read).then_some(None)).collect()
}

fn amounts(constants: &[Datum<String>], least: Option<i128>) -> Vec<Datum<String>> {
    let mut currencies: Vec<Currency> = Vec::new();
    for datum in constants {
        if let Datum::Money(_, currency) = datum
            && !currencies.contains(currency)
        {
            currencies.push(*currency);
        }
    }
    let mut found = Vec::new();
    for currency in currencies {
        let own = constants.iter().filter_map(|datum| match datum {
            Datum::Money(amount, of) if *of == currency => Some(*amount),
            _ => None,
        });
        // A share of an amount may lie between two amounts that exist.
        let cuts = cut(&own.collect(), SCALE, 100 * SCALE, (least, None));
        found.extend(cuts.into_iter().map(|amount| Datum::Money(amount, currency)));
    }
    if found.is_empty() { vec![Datum::Text("some amount".to_owned())] } else { found }
}

/// Each constant, and one value in each gap between, below and above them, so far as values with this grain lie there;
/// a `step` away from the constant where there is room.
fn cut(constants: &BTreeSet<i128>, grain: i128, step: i128, (low, high): (Option<i128>, Option<i128>)) -> Vec<i128> {
    let within = |value: &i128| low.is_none_or(|low| low <= *value) && high.is_none_or(|high| *value <= high);
    let floor = |value: i128| value.div_euclid(grain) * grain;
    let between = |after: Option<i128>, before: Option<i128>| {
        let near = match (after, before) {
            (Some(after), _) => [floor(after) + step, floor(after) + grain],
            (None, Some(before)) => [floor(before) - step, floor(before - 1)],
            (None, None) => [0, 0],
        };
        let fits = |value: &i128| {
            within(value) && after.is_none_or(|after| after < *value) && before.is_none_or(|before| *value < before)
        };
        near.into_iter().chain(low).chain(high).find(fits)
    };
    let mut found: BTreeSet<i128> = constants.iter().copied().filter(|c| floor(*c) == *c && within(c)).collect();
    let mut after = None;
    for before in constants.iter().copied().map(Some).chain([None]) {
        found.extend(between(after, before));
        after = before;
    }
    found.into_iter().collect()
}

/// The name that is read.
fn name(read: &Read) -> &str {
    match read {
        Read::Attribute(id, _) => id.as_str(),
        Read::BuiltIn(name) => {
            super::read::BUILT_IN.iter().find(|(_, known)| known == name).map_or("", |(written, _)| *written)
        }
    }
}

/// A part of a condition in the spelling of its author; percents as numbers.
fn expr(term: &Term) -> Expr {
    let kind = match term {
        Term::Constant(datum) => Kind::Literal(literal(datum)),
        Term::Read(read) => Kind::Name(name(read).to_owned()),
        Term::Has(read) => Kind::Has(Box::new(Expr { at: 0..0, kind: Kind::Name(name(read).to_owned()) })),
        Term::Negate(inner) if truth(inner) => Kind::Not(Box::new(expr(inner))),
        Term::Negate(inner) => Kind::Negate(Box::new(expr(inner))),
        Term::Binary(op, left, right) => Kind::Binary(*op, Box::new(expr(left)), Box::new(expr(right))),
        Term::In(left, list) => Kind::In(Box::new(expr(left)), list.iter().map(expr).collect()),
    };
    Expr { at: 0..0, kind }
}

/// Whether it is true or false, and no number.
fn truth(term: &Term) -> bool {
    match term {
        Term::Constant(Datum::Bool(_)) | Term::Has(_) | Term::In(..) => true,
        Term::Read(Read::Attribute(_, accepts)) => *accepts == Accepts::Bool,
        Term::Constant(_) | Term::Read(Read::BuiltIn(_)) => false,
        Term::Negate(inner) => truth(inner),
        Term::Binary(op, ..) => !matches!(op, Op::Plus | Op::Minus | Op::Times),
    }
}

fn literal(datum: &Datum<String>) -> Literal {
    let near = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
    match datum {
        Datum::Bool(truth) => Literal::Bool(*truth),
        Datum::Number(number) => Literal::Number(Number(near(*number))),
        Datum::Money(amount, currency) => {
            Literal::Money(Money { minor: near(amount.div_euclid(SCALE)), currency: *currency })
        }
        Datum::Date(ms) => Literal::Date(near(*ms)),
        Datum::Span(ms) => Literal::Span(Span(near(*ms))),
        Datum::Text(text) => Literal::Text(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::cut;

    #[test]
    fn an_order_is_cut_at_the_constants_and_between_them() {
        let cuts =
            |constants: &[i128], grain, step, bounds| cut(&constants.iter().copied().collect(), grain, step, bounds);
        let open = (None, None);
        assert_eq!(cuts(&[], 1, 10, open), [0]);
        assert_eq!(cuts(&[30], 1, 10, open), [20, 30, 40]);
        assert_eq!(cuts(&[30, 35], 1, 10, open), [20, 30, 31, 35, 45]);
        assert_eq!(cuts(&[30, 31], 1, 10, open), [20, 30, 31, 41]);
        assert_eq!(cuts(&[25], 10, 10, open), [10, 30], "25 is no value of the grain, and cuts");
        assert_eq!(cuts(&[0], 10, 10, (Some(0), Some(230))), [0, 10]);
        assert_eq!(cuts(&[-50], 10, 10, (Some(0), Some(230))), [0]);
        assert_eq!(cuts(&[240], 10, 10, (Some(0), Some(230))), [230]);
    }

    proptest! {
        #[test]
        fn every_value_stands_between_the_same_constants_as_one_that_is_kept(
            constants in prop::collection::btree_set(-60_i128..60, 0..6), value in -12_i128..12,
            low in prop::option::of(-8_i128..0), high in prop::option::of(0_i128..8),
        ) {
            let constants: BTreeSet<i128> = constants;
            let bounds = (low.map(|low| low * 5), high.map(|high| high * 5));
            let value = value * 5;
            prop_assume!(bounds.0.is_none_or(|low| low <= value) && bounds.1.is_none_or(|high| value <= high));
            let kept = cut(&constants, 5, 20, bounds);
            let same = |a: i128, b: i128| constants.iter().all(|constant| a.cmp(constant) == b.cmp(constant));
            prop_assert!(kept.iter().any(|other| same(value, *other)), "{value} {constants:?} {kept:?}");
            prop_assert!(kept.iter().all(|kept| kept % 5 == 0));
        }
    }
}
