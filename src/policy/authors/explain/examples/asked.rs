//! Examples of mistakes in conditions, in when rules hold, and in tests. Checks nothing.

use super::{CASES, CONSENT, Example, FIXTURES, MARGIN, OFFERS, PURPOSES, row};

/// By code.
#[rustfmt::skip]
pub(super) const ASKED: &[Example] = &[
    row("P0301", OFFERS,
r#"when: customer.tier == "bronze" && offer.members_only"#,
r#"when: customer.tier == "bronze" &&"#),
    row("P0302", OFFERS,
r#"when: customer.tier == "bronze" && offer.members_only"#,
r#"when: lower(customer.tier) == "bronze""#),
    row("P0303", OFFERS,
r"  - id: cheap
    why: Nothing under the price of a parcel, memo 3
    when: offer.price < 10.00 USD",
r"  - id: cheap
    why: Nothing under the price of a parcel, memo 3
    when: offer.price < 10.001 USD"),
    row("P0304", OFFERS, r#"when: customer.tier == "bronze" && offer.members_only"#, "when: customer.tier == 3"),
    row("P0305", OFFERS,
r#"when: customer.tier == "bronze" && offer.members_only"#,
r#"when: customer.tier == "bronce" && offer.members_only"#),
    row("P0306", OFFERS,
r"  - id: cheap
    why: Nothing under the price of a parcel, memo 3
    when: offer.price < 10.00 USD",
r"  - id: cheap
    why: Nothing under the price of a parcel, memo 3
    when: offer.price < 10.00 EUR"),
    row("P0307", OFFERS,
r"  - id: cheap
    why: Nothing under the price of a parcel, memo 3
    when: offer.price < 10.00 USD
# catalog/attributes.yaml
  - {id: offer.list_price, type: number}",
r"  - id: cheap
    why: Nothing under the price of a parcel, memo 3
    when: offer.price < 10.00 USD
# catalog/attributes.yaml
  - {id: offer.price, type: number}"),
    row("P0308", OFFERS,
r"  - id: baskets
    why: Big baskets have offers of their own, memo 13
    when: basket.size > 20",
r"  - id: baskets
    why: Big baskets have offers of their own, memo 13
    when: basket.size * basket.size * basket.size > 8000"),
    row("P0309", OFFERS, r#"when: customer.tier == "bronze" && offer.members_only"#, "when: 1 < 2"),
    row("P0310", OFFERS,
r"availability:
  - id: web.only
    why: The licence is for the web shop, contract 4
    channels: [web]",
r"availability:
  - id: web.only
    why: The licence is for the web shop, contract 4"),
    row("P0311", MARGIN,
"    effective: {from: 2026-11-01T00:00:00Z, until: 2026-12-01T00:00:00Z}",
"    effective: {from: 2026-12-01T00:00:00Z, until: 2026-11-01T00:00:00Z}"),
    row("P0312", MARGIN, "    on_missing: exclude", "    on_missing: allow"),
    row("P0320", OFFERS,
r#"availability:
  - id: evenings
    why: Fresh goods are delivered in the evening, contract 5
    dayparts: [{from: "17:00", until: "21:00"}]
    time_zone: customer"#,
r"availability:
  - id: evenings
    why: Fresh goods are delivered in the evening, contract 5
    dayparts: [{}]
    time_zone: customer"),
    row("P0321", OFFERS,
r"loyalty_eligibility:
  - id: members.early
    why: Members meet the season first, loyalty plan 2
    tier: silver",
r"loyalty_eligibility:
  - id: members.early
    why: Members meet the season first, loyalty plan 2"),
    row("P0322", OFFERS,
r"loyalty_eligibility:
  - id: loyalty.regulars
    why: A coffee for those who come often, loyalty plan 3
    points: {attribute: customer.visits, at_least: 10}
# catalog/attributes.yaml
  - {id: customer.visits, type: number, class: personal}",
r"loyalty_eligibility:
  - id: loyalty.regulars
    why: A coffee for those who come often, loyalty plan 3
    points: {attribute: customer.tier, at_least: 10}
# catalog/attributes.yaml
  - {id: customer.visits, type: number, class: personal}"),
    row("P0323", CONSENT, "    bases: [consent]", "    bases: [contract]"),
    row("P0324", PURPOSES,
"    dpv: Marketing",
r"    dpv: Marketing
    gpc: refuse"),
    row("P0325", PURPOSES, "    dpv: Marketing", "    dpv: Marketng"),
    row("P0326", OFFERS,
r"audience_guards:
  - id: audience.minors
    why: Knives are not shown to minors, youth protection law
    applies_to: {categories: [home]}
    audience: minors
    attribute: customer.age
# catalog/attributes.yaml
  - {id: customer.age, type: number, class: sensitive}",
r"audience_guards:
  - id: audience.minors
    why: Knives are not shown to minors, youth protection law
    applies_to: {categories: [home]}
# catalog/attributes.yaml
  - {id: customer.age, type: number, class: sensitive}"),
    row("P0327", OFFERS,
r"audience_guards:
  - id: audience.minors
    why: Knives are not shown to minors, youth protection law
    applies_to: {categories: [home]}
    when: customer.age < 18
# catalog/attributes.yaml
  - {id: customer.age, type: number, class: sensitive}",
r"audience_guards:
  - id: audience.minors
    why: Knives are not shown to minors, youth protection law
    applies_to: {categories: [home]}
    when: customer.age < 18 && offer.price > 20.00 USD
# catalog/attributes.yaml
  - {id: customer.age, type: number, class: sensitive}"),
    row("P0328", OFFERS,
r"audience_guards:
  - id: audience.minors
    why: Knives are not shown to minors, youth protection law
    applies_to: {categories: [home]}
    audience: minors
    attribute: customer.age
# catalog/attributes.yaml
  - {id: customer.age, type: number, class: sensitive}",
r"audience_guards:
  - id: audience.minors
    why: Knives are not shown to minors, youth protection law
    applies_to: {categories: [home]}
    audience: minors
    attribute: customer.tier
# catalog/attributes.yaml
  - {id: customer.age, type: number, class: sensitive}"),
    row("P0401", CASES, "customer: ben", "customer: bne"),
    row("P0402", CASES, "expect: {boots: [margin.floor]}", "expect: {boots: [margin.flor]}"),
    row("P0403", FIXTURES,
r"  - id: ann
",
r"  - id: ann
    like: ben
"),
    row("P0404", FIXTURES, "discount: 10.00 USD", "discount: 110.00 USD"),
    row("P0405", CASES,
r"given:
  placement: home_banner
# placements.yaml
  - id: checkout
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: thompson_linear, exploration: 0.05}
    features: [customer.tier]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}",
r"given:
# placements.yaml
  - id: checkout
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: thompson_linear, exploration: 0.05}
    features: [customer.tier]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}"),
    row("P0406", CASES, "at: 2026-03-02 12:00", "at: 2026-03-08 02:30"),
    row("P0407", CASES,
r"  - name: a second pair of boots
    behind: [club-boots]
    expect: {boots: []}
# placements.yaml
    slots: 2",
r"  - name: a second pair of boots
    behind: [club-boots]
    expect: {boots: []}"),
    row("P0408", CASES,
r"  - name: what speaks against an offer and leaves it be
    expect: {boots: [], club-boots: []}
    notes: {club-boots: []}",
r"  - name: what speaks against an offer and leaves it be
    expect: {boots: []}
    notes: {club-boots: []}"),
];
