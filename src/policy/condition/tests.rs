//! Tests of conditions: that print and parse agree, and that columns say what the plain walk says. Reads no files.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::parse::parse;
use super::tree::{Expr, Kind, Literal, Op};
use super::*;
use crate::domain::{
    AttributeId, BasketLine, Catalogue, Currency, Money, Number, Offer, Percent, Placement, Span, Timestamp, Value,
};
use crate::policy::sample::shown;
use crate::policy::{Bundle, OnMissing, RuleKind, Seen, Source, compile};

const ATTRIBUTES: &str = "
attributes:
  - {id: customer.tier, type: {enum: [bronze, silver, gold]}}
  - {id: customer.liked, type: {enum: [shoes, home]}}
  - {id: customer.visits, type: number}
  - {id: customer.member, type: bool}
  - {id: customer.since, type: date}
  - {id: customer.brand, type: text}
  - {id: context.device, type: {enum: [desktop, mobile]}}
  - {id: offer.category, type: {enum: [shoes, home]}}
  - {id: offer.loyalty_only, type: bool}
  - {id: offer.rank, type: number}
  - {id: offer.brand, type: text}
  - {id: offer.season, type: date}
";

const PLACEMENTS: &str = "
placements:
  - id: home
    channel: web
    purpose: service
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: uniform}
    fallback: {offer: house, variant: a}
";

/// A bundle with one rule for each text, conditions in literal blocks.
pub(super) fn bundle_of(rules: &[(String, &str, OnMissing)]) -> Bundle {
    let mut lists = ["exclusions", "requirements"].map(|list| format!("{list}:\n"));
    for (at, (text, list, on_missing)) in rules.iter().enumerate() {
        let on_missing = if *on_missing == OnMissing::Allow { "allow" } else { "exclude" };
        let rule = [
            format!("  - id: r{at:03}\n    why: because\n"),
            format!("    on_missing: {on_missing}\n    when: |\n      {text}\n"),
        ];
        lists[usize::from(*list == "requirements")].push_str(&rule.concat());
    }
    let lists: Vec<String> = lists.into_iter().filter(|list| list.contains("id:")).collect();
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    compile(&[
        file("bundle.yaml", "name: sample\nschema: 1\n"),
        file("catalog/attributes.yaml", ATTRIBUTES),
        file("catalog/purposes.yaml", "purposes:\n  - {id: service, dpv: ServiceProvision}\n"),
        file("placements.yaml", PLACEMENTS),
        file("rules/10.yaml", &format!("owner: sales\n{}", lists.concat())),
    ])
    .unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

fn bundle(text: &str) -> Bundle {
    bundle_of(&[(text.to_owned(), "exclusions", OnMissing::Exclude)])
}

pub(super) fn offer(json: &serde_json::Value) -> Offer {
    let mut offer = serde_json::json!({
        "offer_id": "a", "variants": [{"variant_id": "a"}], "price": {"amount": "20.00", "currency": "USD"},
        "discount": {"amount": "5.00", "currency": "USD"}, "cost_of_goods": {"amount": "9.00", "currency": "USD"},
    });
    for (name, value) in json.as_object().unwrap() {
        offer[name] = value.clone();
    }
    serde_json::from_value(offer).unwrap()
}

fn attributes(json: &serde_json::Value) -> Seen {
    let values: BTreeMap<String, Value> = serde_json::from_value(json.clone()).unwrap();
    Seen::of(values.into_iter().map(|(name, value)| (AttributeId::parse(&name).unwrap(), value)).collect())
}

pub(super) fn facts<'a>(attributes: &'a Seen, basket: &'a [BasketLine]) -> Facts<'a> {
    Facts {
        attributes,
        basket,
        currency: Currency::parse("USD").unwrap(),
        jurisdiction: None,
        time_zone: Some("America/New_York"),
        store: None,
        now: Timestamp::parse("2026-03-01T03:30:00Z").unwrap(),
    }
}

/// What one condition says about one customer and one offer, by the walk and by the columns.
fn said(text: &str, customer: &serde_json::Value, of: &serde_json::Value) -> Option<bool> {
    let (attributes, basket) = (attributes(customer), [line(2, "10.00", "USD")]);
    let facts = facts(&attributes, &basket);
    let offer = offer(of);
    let bundle = bundle(text);
    let [_, rule, ..] = bundle.rules.as_slice() else { panic!("one rule among the built-in ones") };
    let RuleKind::Exclusion { when } = &rule.kind else { panic!("an exclusion") };
    let walked = when.term().holds(&facts, &offer);
    let catalogue = Arc::new(Catalogue::new(1, vec![offer], Vec::new()));
    let columns = bundle.columns(&catalogue);
    let mut failed = Vec::new();
    bundle.ask(&columns, bundle.placement("home").unwrap(), &facts).fail(0, &mut failed);
    assert_eq!(!failed.is_empty(), walked != Some(false), "{text}: walk and columns differ");
    walked
}

pub(super) fn line(quantity: u32, price: &str, currency: &str) -> BasketLine {
    let price = Money::parse(price, Currency::parse(currency).unwrap()).unwrap();
    BasketLine { sku: "s".into(), category: None, quantity, price: Some(price), margin: None }
}

#[test]
fn a_condition_says_what_it_reads_like() {
    let customer = serde_json::json!({
        "customer.tier": "bronze", "customer.visits": 3, "customer.member": true, "customer.since": "2026-02-27",
        "customer.liked": "shoes", "customer.brand": "acme", "context.device": "mobile",
    });
    let of =
        serde_json::json!({"category": "shoes", "attributes": {"loyalty_only": true, "rank": 2.5, "brand": "acme"}});
    for (text, expected) in [
        ("customer.tier == \"bronze\" && offer.loyalty_only", true),
        ("customer.tier in [\"silver\", 'gold']", false),
        ("!(customer.tier in [\"silver\"]) || false", true),
        ("customer.visits + 1 * 2 == 5 && 2 * (customer.visits + 1) == 8", true),
        ("customer.visits > offer.rank && offer.rank >= 2.5", true),
        ("-customer.visits < -2", true),
        ("customer.liked == offer.category && customer.brand == offer.brand", true),
        ("customer.brand in [offer.brand, \"other\"] && !(\"other\" in [offer.brand, customer.brand])", true),
        ("offer.price == 20 USD && offer.net_price == 15.00 USD && offer.margin == 6 USD", true),
        ("offer.discount > offer.price * 25%", false),
        ("offer.discount >= offer.price * 25% && offer.discount - 0.01 USD < 25% * offer.price", true),
        ("basket.total == 20.00 USD && basket.size == 2", true),
        ("basket.total >= offer.price && basket.total - offer.price < 0.01 USD", true),
        // In New York it is still the last evening of February.
        ("context.today == 2026-02-28 && hour_of_day == 22", true),
        ("context.today - customer.since == 24h && customer.since + 1d == context.today", true),
        ("customer.since < context.today - 30d", false),
        ("customer.member == offer.loyalty_only && (customer.visits == 3) == true", true),
        ("has(customer.tier) && !has(offer.season) && has(offer.price)", true),
    ] {
        assert_eq!(said(text, &customer, &of), Some(expected), "{text}");
    }
}

#[test]
fn a_missing_value_is_neither_true_nor_false() {
    let (nothing, empty) = (serde_json::json!({}), serde_json::json!({}));
    for (text, expected) in [
        ("customer.tier == \"gold\"", None),
        ("customer.tier != \"gold\"", None),
        ("!(customer.tier == \"gold\")", None),
        ("customer.tier == \"gold\" && offer.price > 100 USD", Some(false)),
        ("customer.tier == \"gold\" || offer.price > 10 USD", Some(true)),
        ("customer.tier == \"gold\" || offer.price > 100 USD", None),
        ("customer.visits + offer.rank > 0", None),
        ("customer.liked == offer.category", None),
        ("has(customer.tier)", Some(false)),
        ("has(customer.tier) && customer.tier == \"gold\"", Some(false)),
        ("!has(customer.tier) || customer.tier == \"gold\"", Some(true)),
        ("customer.liked in [\"shoes\", offer.category]", None),
        ("offer.season > context.today", None),
    ] {
        assert_eq!(said(text, &nothing, &empty), expected, "{text}");
    }
    // Values that a declaration does not allow, as an older catalogue may hold them, and amounts of two currencies.
    let of = serde_json::json!({"category": "boats", "attributes": {"loyalty_only": "yes", "season": "spring"}});
    for text in ["offer.category != \"home\"", "offer.loyalty_only", "offer.season < 2027-01-01"] {
        assert_eq!(said(text, &nothing, &of), None, "{text}");
    }
    let euro = serde_json::json!({
        "price": {"amount": "20.00", "currency": "EUR"}, "discount": null, "cost_of_goods": null
    });
    assert_eq!(said("offer.price > 1 USD", &nothing, &euro), None);
    assert_eq!(said("offer.price < basket.total", &nothing, &euro), None);
}

#[test]
fn a_basket_has_a_total_if_every_line_has_a_price_in_the_currency_of_the_placement() {
    let none = Seen::default();
    let check = |basket: &[BasketLine], text: &str, expected: Option<bool>| {
        let bundle = bundle(text);
        let RuleKind::Exclusion { when } = &bundle.rules[1].kind else { panic!("an exclusion") };
        assert_eq!(when.term().holds(&facts(&none, basket), &offer(&serde_json::json!({}))), expected, "{text}");
    };
    check(&[], "basket.total == 0 USD && basket.size == 0", Some(true));
    check(&[line(3, "1.50", "USD"), line(1, "0.50", "USD")], "basket.total == 5 USD", Some(true));
    check(&[line(1, "1.50", "EUR")], "basket.total < 5 USD", None);
    check(&[BasketLine { price: None, ..line(1, "1", "USD") }], "basket.total < 5 USD", None);
    // Beyond any amount is still above every limit.
    check(&[line(u32::MAX, "9999999999", "USD")], "basket.total > 9999999999 USD", Some(true));
}

#[test]
fn a_condition_is_kept_as_written_in_one_line() {
    let bundle = bundle("customer.tier == \"gold\"\n      &&   offer.loyalty_only");
    let RuleKind::Exclusion { when } = &bundle.rules[1].kind else { panic!("an exclusion") };
    assert_eq!(when.text(), "customer.tier == \"gold\" &&   offer.loyalty_only");
}

pub(super) fn bare(kind: Kind) -> Expr {
    Expr { at: 0..0, kind }
}

fn literal() -> impl Strategy<Value = Expr> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        (0_i64..1_000_000_000_000_000_000).prop_map(|number| Literal::Number(Number(number))),
        (0_i64..50).prop_map(|number| Literal::Number(Number(number * 500_000))),
        (0_i32..1_000_000).prop_map(|points| Literal::Percent(Percent(points))),
        (0_i64..100_000_000, prop::sample::select(&["USD", "JPY", "KWD"][..]))
            .prop_map(|(minor, code)| { Literal::Money(Money { minor, currency: Currency::parse(code).unwrap() }) }),
        (-100_000_i64..1_000_000).prop_map(|day| Literal::Date(day * 86_400_000)),
        (0_i64..3_000_000)
            .prop_map(|seconds| Literal::Span(Span(seconds * 1_000)))
            .prop_filter("printed as 0ms", |span| { !matches!(span, Literal::Span(Span(0))) }),
        "[a-zé\"'\\\\ .]{0,6}".prop_map(Literal::Text),
    ]
    .prop_map(|literal| bare(Kind::Literal(literal)))
}

fn any_tree() -> impl Strategy<Value = Expr> {
    let name = prop::sample::select(&["customer.tier", "hour_of_day", "offer.x_9", "in_stock", "trueish", "has"][..]);
    let name = name.prop_map(|name| bare(Kind::Name(name.to_owned()))).boxed();
    let ops = [
        Op::Or,
        Op::And,
        Op::Equal,
        Op::NotEqual,
        Op::Less,
        Op::LessOrEqual,
        Op::Greater,
        Op::GreaterOrEqual,
        Op::Plus,
        Op::Minus,
        Op::Times,
    ];
    prop_oneof![literal(), name.clone()].prop_recursive(5, 60, 4, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(|inner| bare(Kind::Not(inner))),
            boxed.clone().prop_map(|inner| bare(Kind::Negate(inner))),
            name.clone().prop_map(|name| bare(Kind::Has(Box::new(name)))),
            (prop::sample::select(ops.to_vec()), boxed.clone(), boxed.clone())
                .prop_map(|(op, left, right)| bare(Kind::Binary(op, left, right))),
            (boxed, prop::collection::vec(inner, 1..4)).prop_map(|(left, list)| bare(Kind::In(left, list))),
        ]
    })
}

/// Texts of conditions that compile, with every mix of what request and offer have.
fn sound() -> impl Strategy<Value = String> {
    let truths = prop::sample::select(
        &[
            "customer.tier == \"gold\"",
            "customer.tier != \"gold\"",
            "customer.tier in [\"silver\", \"gold\"]",
            "customer.liked == offer.category",
            "offer.category != customer.liked",
            "customer.visits > offer.rank",
            "offer.rank * 2 <= customer.visits + 1",
            "offer.rank < 2",
            "customer.visits - offer.rank >= -1",
            "customer.member",
            "offer.loyalty_only",
            "customer.member == offer.loyalty_only",
            "(customer.member || offer.loyalty_only) == (offer.rank > customer.visits)",
            "customer.since < offer.season",
            "offer.season - customer.since > 24h",
            "customer.brand == offer.brand",
            "customer.brand in [offer.brand, \"acme\"]",
            "\"acme\" in [customer.brand, offer.brand]",
            "offer.brand == \"acme\"",
            "offer.price > basket.total",
            "offer.margin < basket.total * 10% - 1 USD",
            "basket.total * -1 <= -offer.net_price",
            "offer.discount == 5 USD",
            "has(customer.tier)",
            "has(offer.brand)",
            "context.today > customer.since",
            "offer.season <= context.today + 1d",
        ][..],
    );
    truths.prop_map(str::to_owned).prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) || ({b})")),
        ]
    })
}

fn maybe(names: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(names))
}

fn json_of(pairs: Vec<(&str, Option<serde_json::Value>)>) -> serde_json::Value {
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

const DATES: &[&str] = &["2026-02-27", "2026-02-28", "2026-03-01", "soon"];

fn some_customer() -> impl Strategy<Value = serde_json::Value> {
    let (tier, liked) = (maybe(&["bronze", "silver", "gold"]), maybe(&["shoes", "home"]));
    let (brand, since) = (maybe(&["acme", "apex", "zeta"]), maybe(&DATES[..3]));
    (tier, liked, brand, since, prop::option::of(-2_i8..4), prop::option::of(any::<bool>())).prop_map(
        |(tier, liked, brand, since, visits, member)| {
            json_of(vec![
                ("customer.tier", tier.map(Into::into)),
                ("customer.liked", liked.map(Into::into)),
                ("customer.brand", brand.map(Into::into)),
                ("customer.since", since.map(Into::into)),
                ("customer.visits", visits.map(Into::into)),
                ("customer.member", member.map(Into::into)),
            ])
        },
    )
}

fn some_offer() -> impl Strategy<Value = Offer> {
    let (category, brand) = (maybe(&["shoes", "home", "boats"]), maybe(&["acme", "apex", "nova"]));
    let price = (prop::sample::select(&["USD", "USD", "USD", "EUR"][..]), 5_i64..40);
    (category, brand, maybe(DATES), prop::option::of(-2_i8..4), prop::option::of(any::<bool>()), price).prop_map(
        |(category, brand, season, rank, loyalty_only, (currency, price))| {
            let money = |amount: i64| serde_json::json!({"amount": amount.to_string(), "currency": currency});
            let attributes = json_of(vec![
                ("brand", brand.map(Into::into)),
                ("season", season.map(Into::into)),
                ("rank", rank.map(Into::into)),
                ("loyalty_only", loyalty_only.map(Into::into)),
            ]);
            offer(&json_of(vec![
                ("category", category.map(Into::into)),
                ("attributes", Some(attributes)),
                ("price", Some(money(price))),
                ("discount", Some(money(5))),
                ("cost_of_goods", Some(money(2))),
            ]))
        },
    )
}

pub(super) fn numbered(offers: Vec<Offer>) -> Vec<Offer> {
    let id = |at: usize| crate::domain::OfferId::new(format!("o{at:04}")).unwrap();
    offers.into_iter().enumerate().map(|(at, offer)| Offer { offer_id: id(at), ..offer }).collect()
}

/// Which rules leave an offer out, by the plain walk.
fn plainly(bundle: &Bundle, facts: &Facts<'_>, offer: &Offer) -> Vec<u16> {
    let mut failed = Vec::new();
    for (at, rule) in (0_u16..).zip(&bundle.rules) {
        let (when, left_out) = match &rule.kind {
            RuleKind::Exclusion { when } => (when, true),
            RuleKind::Requirement { when } => (when, false),
            _ => continue,
        };
        let open = rule.on_missing == OnMissing::Exclude;
        let out = when.term().holds(facts, offer).map_or(open, |holds| holds == left_out);
        failed.extend(out.then_some(at));
    }
    failed
}

pub(super) fn home(bundle: &Bundle) -> &Placement {
    bundle.placement("home").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parse_of_print_is_the_same_tree(tree in any_tree()) {
        let mut slips = Vec::new();
        let printed = tree.to_string();
        let parsed = parse(&printed, &mut slips);
        prop_assert!(slips.is_empty(), "{printed}: {slips:?}");
        prop_assert_eq!(parsed, Some(tree), "{}", printed);
    }

    #[test]
    fn any_text_is_parsed_or_refused_and_never_panics(text in "[a-z.0-9 \"'&|!=<>()\\[\\],%+*/-]{0,40}|\\PC{0,30}") {
        let mut slips = Vec::new();
        let parsed = parse(&text, &mut slips);
        prop_assert!(parsed.is_some() || !slips.is_empty());
        for slip in &slips {
            prop_assert!(text.get(slip.at.clone()).is_some(), "{slip:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_say_what_the_plain_walk_says(
        texts in prop::collection::vec((sound(), any::<bool>(), any::<bool>()), 1..8),
        offers in prop::collection::vec(some_offer(), 1..150),
        customers in prop::collection::vec((some_customer(), 0_u32..4), 1..6),
    ) {
        let rules: Vec<_> = texts
            .into_iter()
            .map(|(text, requirement, allow)| {
                let list = if requirement { "requirements" } else { "exclusions" };
                (text, list, if allow { OnMissing::Allow } else { OnMissing::Exclude })
            })
            .collect();
        let bundle = bundle_of(&rules);
        let catalogue = Arc::new(Catalogue::new(1, numbered(offers), Vec::new()));
        let columns = bundle.columns(&catalogue);
        for (customer, quantity) in customers {
            let (attributes, basket) = (attributes(&customer), [line(quantity, "7.00", "USD")]);
            let facts = facts(&attributes, &basket);
            let mut asked = bundle.ask(&columns, home(&bundle), &facts);
            for (at, offer) in catalogue.offers().iter().enumerate() {
                let mut failed = Vec::new();
                asked.fail(at, &mut failed);
                let failed: Vec<u16> = failed.iter().map(|failed| failed.rule).collect();
                prop_assert_eq!(failed, plainly(&bundle, &facts, offer), "{:?} {:?}", rules, offer);
            }
        }
    }
}

#[test]
fn columns_are_kept_for_a_catalogue_and_made_anew_for_another() {
    let bundle = bundle("offer.rank > 1");
    let catalogue = |rank: u8| {
        Arc::new(Catalogue::new(1, vec![offer(&serde_json::json!({"attributes": {"rank": rank}}))], Vec::new()))
    };
    let (low, high) = (catalogue(1), catalogue(2));
    let columns = bundle.columns(&low);
    assert!(Arc::ptr_eq(&columns, &bundle.columns(&low)));
    assert_ne!(columns, bundle.columns(&high));
    assert_eq!(columns, bundle.columns(&low));
}
