//! Codes of findings, each shown right and wrong: a few lines of the bundle that `proffer policy init` writes, or lines
//! added to it. Checks nothing; a test checks that what is called wrong is told by its code, and what is right is not.

use serde::Serialize;

/// What a code is about, shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The code of the finding.
    pub code: &'static str,
    /// The file.
    pub path: &'static str,
    /// Lines as they should be.
    pub right: &'static str,
    /// The same with the mistake.
    pub wrong: &'static str,
}

/// The example of a code, where there is one.
pub fn example(code: &str) -> Option<Example> {
    const { &EXAMPLES }.iter().find(|example| example.code == code).copied()
}

const MARGIN: &str = "rules/20-margin.yaml";
const CAPS: &str = "rules/30-caps.yaml";
const OFFERS: &str = "rules/40-offers.yaml";
const CONSENT: &str = "rules/10-consent.yaml";
const PLACEMENTS: &str = "placements.yaml";
const ATTRIBUTES: &str = "catalog/attributes.yaml";
const PURPOSES: &str = "catalog/purposes.yaml";
const CASES: &str = "tests/rules.test.yaml";
const FIXTURES: &str = "tests/fixtures/shop.yaml";

/// A row of the table.
const fn row(code: &'static str, path: &'static str, right: &'static str, wrong: &'static str) -> Example {
    Example { code, path, right, wrong }
}

/// By code.
#[rustfmt::skip]
pub(super) const EXAMPLES: [Example; 64] = [
    row(
        "L01", OFFERS,
        "  - id: night\n\
        \x20   why: Nobody answers the phone at night, memo 6\n\
        \x20   when: hour_of_day >= 22",
        "  - id: night\n\
        \x20   why: Nobody answers the phone at night, memo 6\n\
        \x20   when: hour_of_day > 23",
    ),
    row(
        "L02", OFFERS,
        "  - id: upper.tiers\n\
        \x20   why: Upper tiers have offers of their own, memo 7\n\
        \x20   when: customer.tier == \"gold\" || customer.tier == \"silver\"",
        "  - id: upper.tiers\n\
        \x20   why: Upper tiers have offers of their own, memo 7\n\
        \x20   when: customer.tier == \"gold\" && customer.tier == \"silver\"",
    ),
    row(
        "L03", OFFERS,
        "  - id: lower.tiers\n\
        \x20   why: Lower tiers have offers of their own, memo 8\n\
        \x20   when: customer.tier != \"gold\" && customer.tier != \"silver\"",
        "  - id: lower.tiers\n\
        \x20   why: Lower tiers have offers of their own, memo 8\n\
        \x20   when: customer.tier != \"gold\" || customer.tier != \"silver\"",
    ),
    row(
        "L04", OFFERS,
        "  - id: members.silver\n\
        \x20   why: Loyalty plan 2\n\
        \x20   when: customer.tier == \"silver\" && offer.members_only",
        "  - id: members.silver\n\
        \x20   why: Loyalty plan 2\n\
        \x20   when: customer.tier == \"bronze\" && offer.members_only",
    ),
    row(
        "L05", OFFERS,
        "  - id: members.mobile\n\
        \x20   why: Loyalty plan 2\n\
        \x20   when: customer.tier == \"silver\" && offer.members_only && context.device_type == \"mobile\"",
        "  - id: members.mobile\n\
        \x20   why: Loyalty plan 2\n\
        \x20   when: customer.tier == \"bronze\" && offer.members_only && context.device_type == \"mobile\"",
    ),
    row(
        "L06", OFFERS,
        "  - id: not.gold\n\
        \x20   why: Gold has a page of its own, memo 9\n\
        \x20   when: customer.tier == \"gold\"\n\
        \n\
        requirements:\n\
        \x20 - id: upper\n\
        \x20   why: The page is for upper tiers, memo 9\n\
        \x20   when: customer.tier in [\"silver\", \"gold\"]",
        "  - id: not.gold\n\
        \x20   why: Gold has a page of its own, memo 9\n\
        \x20   when: customer.tier == \"gold\"\n\
        \n\
        requirements:\n\
        \x20 - id: upper\n\
        \x20   why: The page is for upper tiers, memo 9\n\
        \x20   when: customer.tier == \"gold\"",
    ),
    row(
        "L07", CAPS,
        "  - id: cap.all.week\n\
        \x20   why: At most ten offers a week, contact standard 2\n\
        \x20   scope: [customer]\n\
        \x20   max: 10\n\
        \x20   window: {rolling: 7d}\n\
        \x20   counts: decision",
        "  - id: cap.all.week\n\
        \x20   why: At most ten offers a week, contact standard 2\n\
        \x20   scope: [customer]\n\
        \x20   max: 1\n\
        \x20   window: {rolling: 7d}\n\
        \x20   counts: decision",
    ),
    row("L10", MARGIN, "    effective: {until: 2099-01-01T00:00:00Z}", "    effective: {until: 2020-01-01T00:00:00Z}"),
    row("P0001", MARGIN, "min_margin: 10%", "min_margin: [10%"),
    row("P0002", MARGIN, "    min_margin: 10%", "\tmin_margin: 10%"),
    row("P0003", MARGIN, "min_margin: 10%", "min_margin: &floor 10%"),
    row("P0004", MARGIN, "min_margin: 10%", "min_margin: !percent 10%"),
    row(
        "P0005", MARGIN,
        "margin_floors:",
        "---\n\
        margin_floors:",
    ),
    row(
        "P0006", MARGIN,
        "    min_margin: 10%",
        "    min_margin: 10%\n\
        \x20   min_margin: 12%",
    ),
    row("P0101", MARGIN, "min_margin: 10%", "min_margn: 10%"),
    row(
        "P0102", CAPS,
        "    max: 2\n\
        \x20   window: {rolling: 24h}",
        "    window: {rolling: 24h}",
    ),
    row("P0103", CAPS, "max: 2", "max: two"),
    row("P0104", MARGIN, "min_margin: 10%", "min_margin: ten percent"),
    row("P0105", CAPS, "max: 2", "max: 20000"),
    row("P0106", CAPS, "counts: decision", "counts: view"),
    row("P0107", OFFERS, r#"when: customer.tier == "bronze""#, r#"when: customer.teir == "bronze""#),
    row("P0108", MARGIN, "    applies_to: {placements: [home_banner]}", "    applies_to: {placements: [homepage]}"),
    row("P0109", CONSENT, "purpose: offer_personalisation", "purpose: personalisation"),
    row("P0110", MARGIN, "    applies_to: {categories: [shoes]}", "    applies_to: {categories: [boots]}"),
    row("P0111", MARGIN, "    applies_to: {channels: [web]}", "    applies_to: {channels: [email]}"),
    row(
        "P0112", MARGIN,
        "  - id: margin.floor.home\n\
        \x20   why: Home carries the cost of delivery, finance memo 2\n\
        \x20   min_margin: 12%",
        "  - id: margin.floor\n\
        \x20   why: Home carries the cost of delivery, finance memo 2\n\
        \x20   min_margin: 12%",
    ),
    row("P0114", MARGIN, "why: No offer earns less than a tenth of its price, finance memo 1", "why: ''"),
    row("P0115", MARGIN, "    overridable: true", "    overridable: yes"),
    row("P0116", CAPS, "scope: [customer, offer]", "scope: []"),
    row("P0117", CAPS, "scope: [customer, offer]", "scope: [customer, offer, offer]"),
    row("P0118", MARGIN, "id: margin.floor", "id: proffer.floor"),
    row(
        "P0119", PLACEMENTS,
        "features: [customer.tier, context.device_type]",
        "features: [customer.tier, holiday.sales]",
    ),
    row("P0201", ATTRIBUTES, "class: personal", "class: public"),
    row("P0202", ATTRIBUTES, "type: {enum: [shoes, home, service]}", "type: text"),
    row("P0203", ATTRIBUTES, "type: {enum: [bronze, silver, gold]}", "type: text"),
    row("P0204", ATTRIBUTES, "class: personal", "class: protected"),
    row(
        "P0206", PLACEMENTS,
        "features: [customer.tier, context.device_type]",
        "features: [customer.tier * context.device_type * offer.category]",
    ),
    row("P0207", CAPS, "max: 2", "max: 0"),
    row(
        "P0208", PLACEMENTS,
        "strategy: {name: thompson_linear, exploration: 0.05}",
        "strategy: {name: linucb, exploration: 0}",
    ),
    row(
        "P0209", PLACEMENTS,
        "strategy: {name: thompson_linear, exploration: 0.05}",
        "strategy: {name: thompson_linear, alpha: 1}",
    ),
    row(
        "P0210", PURPOSES,
        "    dpv: Marketing",
        "    dpv: Marketing\n\
        \x20   fallback: offer_personalisation",
    ),
    row("P0211", CONSENT, "purpose: offer_personalisation", "purpose: offer_contextual"),
    row("P0212", MARGIN, "min_margin: 10%", "min_margin: 2.00 EUR"),
    row("P0213", CONSENT, "    applies_to: {placements: [home_banner]}", "    applies_to: {offers: [boots]}"),
    row(
        "P0215", PLACEMENTS,
        "    challengers:\n\
        \x20     - {id: bolder, share: 50%, strategy: {name: linucb}}\n\
        \x20     - {id: calmer, share: 40%, strategy: {name: greedy}}",
        "    challengers:\n\
        \x20     - {id: bolder, share: 50%, strategy: {name: linucb}}\n\
        \x20     - {id: calmer, share: 50%, strategy: {name: greedy}}",
    ),
    row(
        "P0216", PLACEMENTS,
        "    challengers: [{id: bolder, share: 10%, strategy: {name: linucb}}]",
        "    challengers: [{id: champion, share: 10%, strategy: {name: linucb}}]",
    ),
    row("P0217", CONSENT, "    overridable: false", "    overridable: true"),
    row("P0218", CONSENT, "    severity: block", "    severity: shadow"),
    row(
        "P0301", OFFERS,
        r#"when: customer.tier == "bronze" && offer.members_only"#,
        r#"when: customer.tier == "bronze" &&"#,
    ),
    row(
        "P0302", OFFERS,
        r#"when: customer.tier == "bronze" && offer.members_only"#,
        r#"when: lower(customer.tier) == "bronze""#,
    ),
    row(
        "P0303", OFFERS,
        "  - id: cheap\n\
        \x20   why: Nothing under the price of a parcel, memo 3\n\
        \x20   when: offer.price < 10.00 USD",
        "  - id: cheap\n\
        \x20   why: Nothing under the price of a parcel, memo 3\n\
        \x20   when: offer.price < 10.001 USD",
    ),
    row("P0304", OFFERS, r#"when: customer.tier == "bronze" && offer.members_only"#, "when: customer.tier == 3"),
    row(
        "P0305", OFFERS,
        r#"when: customer.tier == "bronze" && offer.members_only"#,
        r#"when: customer.tier == "bronce" && offer.members_only"#,
    ),
    row(
        "P0306", OFFERS,
        "  - id: cheap\n\
        \x20   why: Nothing under the price of a parcel, memo 3\n\
        \x20   when: offer.price < 10.00 USD",
        "  - id: cheap\n\
        \x20   why: Nothing under the price of a parcel, memo 3\n\
        \x20   when: offer.price < 10.00 EUR",
    ),
    row("P0309", OFFERS, r#"when: customer.tier == "bronze" && offer.members_only"#, "when: 1 < 2"),
    row(
        "P0310", OFFERS,
        "availability:\n\
        \x20 - id: web.only\n\
        \x20   why: The licence is for the web shop, contract 4\n\
        \x20   channels: [web]",
        "availability:\n\
        \x20 - id: web.only\n\
        \x20   why: The licence is for the web shop, contract 4",
    ),
    row(
        "P0311", MARGIN,
        "    effective: {from: 2026-11-01T00:00:00Z, until: 2026-12-01T00:00:00Z}",
        "    effective: {from: 2026-12-01T00:00:00Z, until: 2026-11-01T00:00:00Z}",
    ),
    row("P0312", MARGIN, "    on_missing: exclude", "    on_missing: allow"),
    row(
        "P0320", OFFERS,
        "availability:\n\
        \x20 - id: evenings\n\
        \x20   why: Fresh goods are delivered in the evening, contract 5\n\
        \x20   dayparts: [{from: \"17:00\", until: \"21:00\"}]\n\
        \x20   time_zone: customer",
        "availability:\n\
        \x20 - id: evenings\n\
        \x20   why: Fresh goods are delivered in the evening, contract 5\n\
        \x20   dayparts: [{}]\n\
        \x20   time_zone: customer",
    ),
    row(
        "P0321", OFFERS,
        "loyalty_eligibility:\n\
        \x20 - id: members.early\n\
        \x20   why: Members meet the season first, loyalty plan 2\n\
        \x20   tier: silver",
        "loyalty_eligibility:\n\
        \x20 - id: members.early\n\
        \x20   why: Members meet the season first, loyalty plan 2",
    ),
    row("P0401", CASES, "customer: ben", "customer: bne"),
    row("P0402", CASES, "expect: {boots: [margin.floor]}", "expect: {boots: [margin.flor]}"),
    row(
        "P0403", FIXTURES,
        "  - id: ann\n\
        ",
        "  - id: ann\n\
        \x20   like: ben\n\
        ",
    ),
    row("P0406", CASES, "at: 2026-03-02 12:00", "at: 2026-03-08 02:30"),
];
