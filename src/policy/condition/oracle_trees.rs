//! Random conditions whose names are declared and whose types fit, for a comparison with CEL. Evaluates none.
//!
//! No span is multiplied and no amount is of another currency: CEL has nothing to compare those with.

use proptest::prelude::*;

use super::date;
use super::tests::bare;
use super::tree::{Expr, Kind, Literal, Op};
use crate::domain::attribute::NUMBER_SCALE;
use crate::domain::{Currency, Money, Number, Percent, Span};

/// What a round is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    /// Whole numbers only.
    pub(super) whole: bool,
    /// Some values are missing.
    pub(super) missing: bool,
}

impl Mode {
    /// How many of CEL's whole numbers make one.
    pub(super) fn scale(self) -> i64 {
        if self.whole { 1 } else { NUMBER_SCALE }
    }

    /// A number of millionths, in CEL's whole numbers.
    pub(super) fn number(self, millionths: i64) -> i64 {
        millionths / (NUMBER_SCALE / self.scale())
    }
}

type Parts = BoxedStrategy<Expr>;

fn names(of: &'static [&'static str]) -> Parts {
    prop::sample::select(of).prop_map(|name| bare(Kind::Name(name.to_owned()))).boxed()
}

pub(super) fn two((op, left, right): (Op, Expr, Expr)) -> Expr {
    bare(Kind::Binary(op, Box::new(left), Box::new(right)))
}

fn constant(literal: Literal) -> Expr {
    bare(Kind::Literal(literal))
}

fn negated(inner: Expr) -> Expr {
    bare(Kind::Negate(Box::new(inner)))
}

fn one_of(ops: &'static [Op]) -> impl Strategy<Value = Op> {
    prop::sample::select(ops)
}

const SUM: &[Op] = &[Op::Plus, Op::Minus];
const SAME: &[Op] = &[Op::Equal, Op::NotEqual];
const ORDER: &[Op] = &[Op::Equal, Op::NotEqual, Op::Less, Op::LessOrEqual, Op::Greater, Op::GreaterOrEqual];

/// A number without a sign; in fractions also shares.
fn factor(mode: Mode) -> Parts {
    let whole = (0..5_i64).prop_map(|number| constant(Literal::Number(Number(number * NUMBER_SCALE))));
    if mode.whole {
        return whole.boxed();
    }
    let fine = prop::sample::select(&[500_000_i64, 333_333, 7, 2_000_001][..]).prop_map(Number);
    let share = prop::sample::select(&[3_333, 5_000, 10_000, 1][..]).prop_map(Percent);
    prop_oneof![
        whole,
        fine.prop_map(Literal::Number).prop_map(constant),
        share.prop_map(Literal::Percent).prop_map(constant)
    ]
    .boxed()
}

/// Sums and products of parts of one kind and of factors.
fn sums(leaf: Parts, mode: Mode) -> Parts {
    leaf.prop_recursive(3, 8, 2, move |inner| {
        prop_oneof![
            3 => (one_of(SUM), inner.clone(), inner.clone()).prop_map(two),
            2 => (Just(Op::Times), inner.clone(), factor(mode)).prop_map(two),
            1 => (Just(Op::Times), factor(mode).prop_map(negated), inner.clone()).prop_map(two),
            1 => inner.prop_map(negated),
        ]
    })
    .boxed()
}

const NUMBERS: &[&str] = &["customer.visits", "offer.rank", "basket.size", "hour_of_day"];
const AMOUNTS: &[&str] = &["offer.price", "offer.discount", "offer.net_price", "offer.margin", "basket.total"];

fn number(mode: Mode) -> Parts {
    let product = (Just(Op::Times), names(NUMBERS), names(NUMBERS)).prop_map(two);
    prop_oneof![9 => sums(prop_oneof![3 => names(NUMBERS), 1 => factor(mode)].boxed(), mode), 1 => product].boxed()
}

fn amount(mode: Mode) -> Parts {
    let usd = |minor| Money { minor, currency: Currency::parse("USD").unwrap() };
    let written =
        prop::sample::select(&[0, 500, 700, 2_050, 999][..]).prop_map(move |minor| Literal::Money(usd(minor)));
    let product = (Just(Op::Times), names(AMOUNTS), names(NUMBERS)).prop_map(two);
    let leaf = prop_oneof![3 => names(AMOUNTS), 1 => written.prop_map(constant)].boxed();
    prop_oneof![9 => sums(leaf, mode), 1 => product].boxed()
}

/// Dates and spans.
fn times() -> (Parts, Parts) {
    let written = prop::sample::select(DAYS).prop_map(|day| constant(Literal::Date(date(day).unwrap())));
    let day = prop_oneof![3 => names(&["customer.since", "offer.season", "context.today"]), 1 => written].boxed();
    let milliseconds = [86_400_000_i64, 2 * 86_400_000, 129_600_000, 90_000, 366 * 86_400_000];
    let written = prop::sample::select(milliseconds.to_vec()).prop_map(|span| constant(Literal::Span(Span(span))));
    let passed = (Just(Op::Minus), day.clone(), day.clone()).prop_map(two);
    let span = prop_oneof![written, passed].boxed();
    let moved = prop_oneof![
        3 => day.clone(),
        2 => (one_of(SUM), day, span.clone()).prop_map(two),
        1 => (Just(Op::Plus), span.clone(), names(&["offer.season", "context.today"])).prop_map(two),
    ]
    .boxed();
    let spans = prop_oneof![
        2 => span.clone(),
        1 => (one_of(SUM), span.clone(), span).prop_map(two),
        1 => (Just(Op::Minus), moved.clone(), moved.clone()).prop_map(two),
    ];
    (moved, spans.boxed())
}

fn written(texts: &'static [&'static str]) -> Parts {
    prop::sample::select(texts).prop_map(|text| constant(Literal::Text(text.to_owned()))).boxed()
}

fn among(left: Parts, of: Parts) -> Parts {
    let list = prop::collection::vec(of, 1..4);
    (left, list).prop_map(|(left, list)| bare(Kind::In(Box::new(left), list))).boxed()
}

pub(super) const TIERS: &[&str] = &["bronze", "silver", "gold"];
pub(super) const KINDS: &[&str] = &["shoes", "home"];
pub(super) const BRANDS: &[&str] = &["acme", "a \"b\" \\ 'c'", "é", "gold", ""];
pub(super) const DAYS: &[&str] = &["2024-02-29", "2026-02-27", "2026-02-28", "2026-03-01"];

/// Text and names.
fn texts() -> Parts {
    let (tier, liked) = (names(&["customer.tier"]), names(&["customer.liked", "offer.category"]));
    let brand = prop_oneof![names(&["customer.brand", "offer.brand"]), written(BRANDS)].boxed();
    let same = |left: Parts, right: Parts| (one_of(SAME), left, right).prop_map(two);
    prop_oneof![
        same(tier.clone(), written(TIERS)),
        same(names(&["offer.brand"]), tier.clone()),
        same(liked.clone(), prop_oneof![liked.clone(), written(KINDS)].boxed()),
        same(names(&["customer.brand"]), brand.clone()),
        among(tier, written(TIERS)),
        among(liked.clone(), prop_oneof![liked, written(KINDS)].boxed()),
        among(brand.clone(), brand),
    ]
    .boxed()
}

/// Conditions whose names are declared and whose types fit.
pub(super) fn condition(mode: Mode) -> Parts {
    const ANY: &[&str] =
        &["customer.tier", "customer.visits", "offer.brand", "offer.rank", "offer.season", "offer.price"];
    let ordered = |part: Parts| (one_of(ORDER), part.clone(), part).prop_map(two);
    let (days, spans) = times();
    let leaf = prop_oneof![
        4 => ordered(number(mode)),
        4 => ordered(amount(mode)),
        1 => among(number(mode), number(mode)),
        2 => ordered(days),
        2 => ordered(spans),
        6 => texts(),
        2 => names(&["customer.member", "offer.loyalty_only"]),
        1 => any::<bool>().prop_map(|truth| constant(Literal::Bool(truth))),
        2 => names(ANY).prop_map(|name| bare(Kind::Has(Box::new(name)))),
    ];
    let whole = leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|inner| bare(Kind::Not(Box::new(inner)))),
            3 => (one_of(&[Op::And, Op::Or]), inner.clone(), inner.clone()).prop_map(two),
            1 => (one_of(SAME), inner.clone(), inner).prop_map(two),
        ]
    });
    let reads =
        |text: &str| ["customer.", "offer.", "context.", "basket.", "hour_"].iter().any(|name| text.contains(name));
    whole.prop_filter("reads nothing", move |tree| reads(&tree.to_string())).boxed()
}
