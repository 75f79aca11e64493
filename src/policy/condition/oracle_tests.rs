//! Conditions compared with the `cel` crate, which knows nothing of them. Proves nothing of what CEL does not have:
//! spans times numbers, amounts of two currencies, and how numbers are kept.
//!
//! A random tree is printed twice by the same printer: as a condition, and with its values spelt as CEL spells them.
//! How operators bind, `has`, `in`, text, truths, dates and spans are then CEL's own. Its whole numbers are whole
//! numbers, minor units and factors, or in rounds with fractions millionths of each, where every product is divided by
//! a million and rounded down. A missing value is an entry that a map lacks: an error to CEL, which `&&` and `||` pass
//! over where the other side settles it. Where values are missing, `in` is spelt as comparisons, as CEL makes no list
//! of what it lacks.
//!
//! `PROFFER_TEST_SEEDS` plays more rounds: 4,000 are more than a million answers.

use std::cell::RefCell;
use std::sync::Arc;

use cel::{Context, ExecutionError, Program};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::Facts;
use super::oracle_trees::{BRANDS, DAYS, KINDS, Mode, TIERS, condition, two};
use super::tests::{bare, bundle_of, facts, home, line, numbered, offer};
use super::tree::{Expr, Kind, Literal, Op};
use crate::domain::attribute::NUMBER_SCALE;
use crate::domain::money::print_decimal;
use crate::domain::{AttributeId, Catalogue, Number, Offer, Timestamp, Value};
use crate::policy::{OnMissing, RuleKind, Seen};

type Values = Vec<(&'static str, Value)>;

/// Values under their names, some of them missing where they may.
fn values(mode: Mode, of: &[(&'static str, Vec<Value>)]) -> BoxedStrategy<Values> {
    let each: Vec<_> = of
        .iter()
        .map(|(name, values)| {
            let name = *name;
            let value = prop::sample::select(values.clone()).prop_map(move |value| (name, value));
            if mode.missing { prop::option::weighted(0.6, value).boxed() } else { value.prop_map(Some).boxed() }
        })
        .collect();
    each.prop_map(|values| values.into_iter().flatten().collect()).boxed()
}

fn texts_of(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| Value::Text((*text).to_owned())).collect()
}

fn numbers_of(mode: Mode) -> Vec<Value> {
    let fine = [-1_500_000, 333_333, -7, 2_000_001].into_iter().filter(|_| !mode.whole);
    let whole = [-2, 0, 1, 2, 3, 22].map(|number| number * NUMBER_SCALE);
    whole.into_iter().chain(fine).map(|number| Value::Number(Number(number))).collect()
}

fn truths() -> Vec<Value> {
    [true, false].map(Value::Bool).to_vec()
}

/// Whoever asks.
#[derive(Debug, Clone)]
struct Asking {
    values: Values,
    /// Things in the basket, each for 7 dollars.
    quantity: u32,
    /// An instant, a time zone, and the day and the hour there.
    at: (&'static str, &'static str, &'static str, i64),
}

fn asking(mode: Mode) -> impl Strategy<Value = Asking> {
    const MOMENTS: &[(&str, &str, &str, i64)] = &[
        ("2026-03-01T03:30:00Z", "America/New_York", "2026-02-28", 22),
        ("2026-03-01T03:30:00Z", "UTC", "2026-03-01", 3),
        ("2026-02-27T22:59:59Z", "Europe/Berlin", "2026-02-27", 23),
        ("2026-02-27T23:00:00Z", "Europe/Berlin", "2026-02-28", 0),
        ("2024-02-28T18:30:00Z", "Asia/Kolkata", "2024-02-29", 0),
    ];
    let values = values(
        mode,
        &[
            ("tier", texts_of(TIERS)),
            ("liked", texts_of(KINDS)),
            ("brand", texts_of(BRANDS)),
            ("since", texts_of(DAYS)),
            ("visits", numbers_of(mode)),
            ("member", truths()),
        ],
    );
    (values, 0_u32..4, prop::sample::select(MOMENTS)).prop_map(|(values, quantity, at)| Asking { values, quantity, at })
}

/// What is offered: the minor units of price, discount and cost, and the rest.
type Offered = ([i64; 3], Values);

fn offered(mode: Mode) -> impl Strategy<Value = Offered> {
    let money = prop::sample::select(&[[2_000, 500, 900], [999, 0, 1_200], [700, 700, 0], [2_050, 1, 2_049]][..]);
    let values = values(
        mode,
        &[
            ("category", texts_of(KINDS)),
            ("brand", texts_of(BRANDS)),
            ("season", texts_of(DAYS)),
            ("rank", numbers_of(mode)),
            ("loyalty_only", truths()),
        ],
    );
    (money, values)
}

fn offer_of((money, values): &Offered) -> Offer {
    let [price, discount, cost] =
        money.map(|minor| serde_json::json!({"amount": print_decimal(minor, 2), "currency": "USD"}));
    let mut json = serde_json::json!({"price": price, "discount": discount, "cost_of_goods": cost});
    for (name, value) in values {
        if let ("category", Value::Text(category)) = (*name, value) {
            json["category"] = category.as_str().into();
        }
    }
    let mut offer = offer(&json);
    let own = values.iter().filter(|(name, _)| *name != "category");
    offer.attributes = own.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    offer
}

/// Conditions, and those they are asked about.
#[derive(Debug, Clone)]
struct Round {
    mode: Mode,
    conditions: Vec<Expr>,
    asking: Vec<Asking>,
    offered: Vec<Offered>,
}

fn round() -> impl Strategy<Value = Round> {
    (any::<bool>(), any::<bool>()).prop_flat_map(|(whole, missing)| {
        let mode = Mode { whole, missing };
        let conditions = prop::collection::vec(condition(mode), 1..7);
        let (asking, offered) =
            (prop::collection::vec(asking(mode), 1..5), prop::collection::vec(offered(mode), 1..80));
        (conditions, asking, offered).prop_map(move |(conditions, asking, offered)| Round {
            mode,
            conditions,
            asking,
            offered,
        })
    })
}

/// The same tree with values as CEL spells them; what the printer has no part for stands in it as a name.
fn spelt(tree: &Expr, mode: Mode) -> Expr {
    let name = |text: String| bare(Kind::Name(text));
    let same = |inner: &Expr| Box::new(spelt(inner, mode));
    match &tree.kind {
        Kind::Literal(Literal::Number(number)) => name(mode.number(number.0).to_string()),
        Kind::Literal(Literal::Percent(share)) => name((i64::from(share.0) * 100).to_string()),
        Kind::Literal(Literal::Money(money)) => name((money.minor * mode.scale()).to_string()),
        Kind::Literal(date @ Literal::Date(_)) => name(format!("timestamp(\"{date}T00:00:00Z\")")),
        Kind::Literal(Literal::Span(span)) => name(format!("duration(\"{}ms\")", span.0)),
        Kind::Binary(Op::Times, left, right) if !mode.whole => {
            let product = format!("({}) * ({})", spelt(left, mode), spelt(right, mode));
            name(format!("({product} >= 0 ? {product} / 1000000 : ({product} - 999999) / 1000000)"))
        }
        Kind::In(left, list) if mode.missing => {
            let each = list.iter().map(|item| two((Op::Equal, spelt(left, mode), spelt(item, mode))).to_string());
            name(format!("({})", each.collect::<Vec<_>>().join(" || ")))
        }
        Kind::Not(inner) => bare(Kind::Not(same(inner))),
        Kind::Negate(inner) => bare(Kind::Negate(same(inner))),
        Kind::Binary(op, left, right) => bare(Kind::Binary(*op, same(left), same(right))),
        Kind::In(left, list) => bare(Kind::In(same(left), list.iter().map(|item| spelt(item, mode)).collect())),
        Kind::Literal(_) | Kind::Name(_) | Kind::Has(_) | Kind::Broken => tree.clone(),
    }
}

fn instant(day: &str) -> cel::Value {
    cel::Value::Timestamp(chrono::DateTime::parse_from_rfc3339(&format!("{day}T00:00:00Z")).unwrap())
}

fn value(name: &str, value: &Value, mode: Mode) -> cel::Value {
    match value {
        Value::Bool(truth) => cel::Value::Bool(*truth),
        Value::Number(number) => cel::Value::Int(mode.number(number.0)),
        Value::Text(day) if ["since", "season"].contains(&name) => instant(day),
        Value::Text(text) => text.as_str().into(),
    }
}

fn map(entries: impl Iterator<Item = (&'static str, cel::Value)>) -> cel::Value {
    cel::Value::Map(cel::objects::Map { map: Arc::new(entries.map(|(name, value)| (name.into(), value)).collect()) })
}

fn entries(values: &Values, mode: Mode) -> impl Iterator<Item = (&'static str, cel::Value)> {
    values.iter().map(move |(name, of)| (*name, value(name, of, mode)))
}

fn tell_who_asks(context: &mut Context<'_, '_>, asking: &Asking, mode: Mode) {
    let (_, _, today, hour) = asking.at;
    let size = i64::from(asking.quantity);
    let basket = [("size", size * mode.scale()), ("total", 700 * size * mode.scale())];
    context.add_variable_from_value("customer", map(entries(&asking.values, mode)));
    context.add_variable_from_value("context", map([("today", instant(today))].into_iter()));
    context.add_variable_from_value("basket", map(basket.map(|(name, of)| (name, cel::Value::Int(of))).into_iter()));
    context.add_variable_from_value("hour_of_day", hour * mode.scale());
}

fn tell_what_is_offered(context: &mut Context<'_, '_>, (money, values): &Offered, mode: Mode) {
    let [price, discount, cost] = money.map(|minor| minor * mode.scale());
    let net = price - discount;
    let money = [("price", price), ("discount", discount), ("net_price", net), ("margin", net - cost)];
    let money = money.map(|(name, amount)| (name, cel::Value::Int(amount)));
    context.add_variable_from_value("offer", map(entries(values, mode).chain(money)));
}

/// What CEL says; nothing where it lacks an entry.
fn by_cel(program: &Program, context: &Context<'_, '_>) -> Option<bool> {
    match program.execute(context) {
        Ok(cel::Value::Bool(truth)) => Some(truth),
        Err(ExecutionError::NoSuchKey(_)) => None,
        other => panic!("{other:?}"),
    }
}

/// How often each was said.
#[derive(Debug, Default)]
struct Said {
    yes: u64,
    no: u64,
    open: u64,
}

/// Asks every condition of the round of everybody about everything: columns, walk and CEL.
fn play(round: &Round, said: &RefCell<Said>) -> Result<(), TestCaseError> {
    let mode = round.mode;
    let texts: Vec<String> = round.conditions.iter().map(Expr::to_string).collect();
    let listed = |list| texts.iter().map(move |text| (text.clone(), list, OnMissing::Allow));
    let bundle = bundle_of(&listed("exclusions").chain(listed("requirements")).collect::<Vec<_>>());
    let programs: Vec<Program> = round
        .conditions
        .iter()
        .map(|tree| spelt(tree, mode).to_string())
        .map(|text| Program::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}")))
        .collect();
    let kinds = || (0_u16..).zip(&bundle.rules);
    let excluding: Vec<_> = kinds()
        .filter_map(|(at, rule)| match &rule.kind {
            RuleKind::Exclusion { when } => Some((at, when)),
            _ => None,
        })
        .collect();
    let requiring: Vec<_> =
        kinds().filter(|(_, rule)| matches!(rule.kind, RuleKind::Requirement { .. })).map(|(at, _)| at).collect();
    let offers = numbered(round.offered.iter().map(offer_of).collect());
    let catalogue = Arc::new(Catalogue::new(1, offers, Vec::new()));
    let columns = bundle.columns(&catalogue);
    let root = Context::default();
    for asking in &round.asking {
        let (now, time_zone, ..) = asking.at;
        let id = |name: &str| AttributeId::parse(&format!("customer.{name}")).unwrap();
        let seen = Seen::of(asking.values.iter().map(|(name, value)| (id(name), value.clone())).collect());
        let basket = [line(asking.quantity, "7.00", "USD")];
        let now = Timestamp::parse(now).unwrap();
        let facts = Facts { time_zone: Some(time_zone), now, ..facts(&seen, &basket) };
        let mut context = root.new_inner_scope();
        tell_who_asks(&mut context, asking, mode);
        let mut asked = bundle.ask(&columns, home(&bundle), &facts);
        for (at, (offer, offered)) in catalogue.offers().iter().zip(&round.offered).enumerate() {
            let mut failed = Vec::new();
            asked.fail(at, &mut failed);
            let fails = |rule: u16| failed.iter().any(|failed| failed.rule == rule);
            let mut context = context.new_inner_scope();
            tell_what_is_offered(&mut context, offered, mode);
            for (number, program) in programs.iter().enumerate() {
                let ((yes, when), no) = (excluding[number], requiring[number]);
                let by_columns = fails(yes).then_some(true).or(fails(no).then_some(false));
                let by_cel = by_cel(program, &context);
                let told = || format!("{}: {asking:?}: {offered:?}", texts[number]);
                prop_assert_eq!(by_columns, by_cel, "columns and CEL differ: {}", told());
                prop_assert_eq!(when.term().holds(&facts, offer), by_cel, "walk and CEL differ: {}", told());
                let said = &mut *said.borrow_mut();
                *match by_cel {
                    Some(true) => &mut said.yes,
                    Some(false) => &mut said.no,
                    None => &mut said.open,
                } += 1;
            }
        }
    }
    Ok(())
}

fn rounds() -> u32 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(40)
}

#[test]
fn conditions_say_what_cel_says() {
    let said = RefCell::new(Said::default());
    let config = ProptestConfig { cases: rounds(), failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner.run(&round(), |round| play(&round, &said)).unwrap_or_else(|failure| panic!("{failure}"));
    let said = said.into_inner();
    let all = said.yes + said.no + said.open;
    eprintln!("of {all} answers in {} rounds {said:?}", rounds());
    assert!([said.yes, said.no, said.open].into_iter().all(|kind| kind >= all / 20), "{said:?}");
}
