//! Examples of mistakes in what policies would do. Checks nothing.

use super::{ATTRIBUTES, CAPS, CONSENT, Example, MARGIN, OFFERS, PLACEMENTS, PURPOSES, row};

/// By code.
#[rustfmt::skip]
pub(super) const MEANT: &[Example] = &[
    row("P0201", ATTRIBUTES, "class: personal", "class: public"),
    row("P0202", ATTRIBUTES, "type: {enum: [shoes, home, service]}", "type: text"),
    row("P0203", ATTRIBUTES, "type: {enum: [bronze, silver, gold]}", "type: text"),
    row("P0204", ATTRIBUTES, "class: personal", "class: protected"),
    row("P0205", PLACEMENTS,
r"features: [customer.tier, context.device_type]
# catalog/attributes.yaml
  - id: customer.town
    type: {enum: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w]}
    class: personal
  - id: context.page
    type: {enum: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w]}
    class: public",
r"features: [customer.tier, context.device_type, customer.town * context.page]
# catalog/attributes.yaml
  - id: customer.town
    type: {enum: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w]}
    class: personal
  - id: context.page
    type: {enum: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w]}
    class: public"),
    row("P0206", PLACEMENTS,
"features: [customer.tier, context.device_type]",
"features: [customer.tier * context.device_type * offer.category]"),
    row("P0207", CAPS, "max: 2", "max: 0"),
    row("P0208", PLACEMENTS,
"strategy: {name: thompson_linear, exploration: 0.05}",
"strategy: {name: linucb, exploration: 0}"),
    row("P0209", PLACEMENTS,
"strategy: {name: thompson_linear, exploration: 0.05}",
"strategy: {name: thompson_linear, alpha: 1}"),
    row("P0210", PURPOSES,
"    dpv: Marketing",
r"    dpv: Marketing
    fallback: offer_personalisation"),
    row("P0211", CONSENT, "purpose: offer_personalisation", "purpose: offer_contextual"),
    row("P0212", MARGIN, "min_margin: 10%", "min_margin: 2.00 EUR"),
    row("P0213", CONSENT, "    applies_to: {placements: [home_banner]}", "    applies_to: {offers: [boots]}"),
    row("P0214", OFFERS,
"  - {id: e, why: Memo 9, when: hour_of_day == 3}",
r"  - {id: e, why: Memo 9, when: hour_of_day == 3}
  # and 65,536 rules more"),
    row("P0215", PLACEMENTS,
r"    challengers:
      - {id: bolder, share: 50%, strategy: {name: linucb}}
      - {id: calmer, share: 40%, strategy: {name: greedy}}",
r"    challengers:
      - {id: bolder, share: 50%, strategy: {name: linucb}}
      - {id: calmer, share: 50%, strategy: {name: greedy}}"),
    row("P0216", PLACEMENTS,
"    challengers: [{id: bolder, share: 10%, strategy: {name: linucb}}]",
"    challengers: [{id: champion, share: 10%, strategy: {name: linucb}}]"),
    row("P0217", CONSENT, "    overridable: false", "    overridable: true"),
    row("P0218", CONSENT, "    severity: block", "    severity: shadow"),
    row("P0230", PLACEMENTS,
"    delay: {version: 1, steps: [{age: 1h, share: 40%}, {age: 7d, share: 100%}]}",
"    delay: {version: 1, steps: [{age: 7d, share: 40%}, {age: 1h, share: 100%}]}"),
    row("P0231", PLACEMENTS,
"objective: {kind: margin, window: 7d, reward_cap: 200.00}",
"objective: {kind: conversion, window: 7d, reward_cap: 200.00, value: learned}"),
    row("P0240", OFFERS,
r"cool_downs:
  - id: cool.clicked
    why: Nobody is followed about by what they looked at, contact standard 4
    scope: [customer, offer]
    after: {event: click, unless: order}
    suppress_for: 3d",
r"cool_downs:
  - id: cool.clicked
    why: Nobody is followed about by what they looked at, contact standard 4
    scope: [customer, offer]
    after: {event: click, unless: click}
    suppress_for: 3d"),
    row("P0241", CAPS,
r"  - id: cap.store.day
    why: At most five offers a day in one store, contact standard 5
    scope: [customer]
    max: 5
    window: {calendar: day, time_zone: store}
    counts: decision
# catalog/stores.yaml
stores:
  - {id: s-12, time_zone: America/New_York, region: US-NY}",
r"  - id: cap.store.day
    why: At most five offers a day in one store, contact standard 5
    scope: [customer]
    max: 5
    window: {calendar: day, time_zone: store}
    counts: decision"),
    row("P0242", OFFERS,
r"availability:
  - id: available.store
    why: The last pairs are in one store, stock memo 12
    stores: [s-12]
# catalog/stores.yaml
stores:
  - {id: s-12, time_zone: America/New_York, region: US-NY}",
r"availability:
  - id: available.store
    why: The last pairs are in one store, stock memo 12
    stores: [s-21]
# catalog/stores.yaml
stores:
  - {id: s-12, time_zone: America/New_York, region: US-NY}"),
    row("P0245", CAPS,
r"  - id: cap.visit
    why: No offer comes twice in one visit, contact standard 6
    scope: [session, offer]
    max: 1
    window: session
    counts: decision",
r"  - id: cap.visit
    why: No offer comes twice in one visit, contact standard 6
    scope: [household, offer]
    max: 1
    window: session
    counts: decision"),
    row("P0250", OFFERS,
r"price_limits:
  - id: price.least
    why: Nothing is sold under the cost of a parcel, memo 10
    min_price: 5.00 USD",
r"price_limits:
  - id: price.least
    why: Nothing is sold under the cost of a parcel, memo 10
    min_price: 5.00 USD
    max_discount: 50%"),
    row("P0251", OFFERS,
r"price_limits:
  - id: price.least
    why: Nothing is sold under the cost of a parcel, memo 10
    min_price: 5.00 USD",
r"price_limits:
  - id: price.least
    why: Nothing is sold under the cost of a parcel, memo 10
    min_price: 5.00 EUR"),
    row("P0252", OFFERS,
r"price_personalisation:
  - id: price.personal
    why: Price policy 26
    allowed: [customer.tier]",
r"price_personalisation:
  - id: price.personal
    why: Price policy 26"),
    row("P0253", OFFERS,
r"price_personalisation:
  - id: price.personal
    why: Price policy 26
    allowed: [customer.tier]",
r"price_personalisation:
  - id: price.personal
    why: Price policy 26
    allowed: [offer.category]"),
    row("P0260", OFFERS,
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}",
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}
    severity: shadow"),
    row("P0261", OFFERS,
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}",
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2027-12-04T09:00:00Z}"),
    row("P0262", OFFERS,
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}",
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}"),
    row("P0263", OFFERS,
r"overrides:
  - id: launch.in
    why: The launch was promised to the press
    action: force_in
    offers: [boots]
    approver: Jane Doe
    ticket: MKT-8
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}
  - id: launch.out
    why: The first pairs are kept for the stores
    action: force_out
    offers: [sandals]
    approver: Jane Doe
    ticket: MKT-9
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}",
r"overrides:
  - id: launch.in
    why: The launch was promised to the press
    action: force_in
    offers: [boots]
    approver: Jane Doe
    ticket: MKT-8
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}
  - id: launch.out
    why: The first pairs are kept for the stores
    action: force_out
    offers: [boots]
    approver: Jane Doe
    ticket: MKT-9
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}"),
    row("P0264", OFFERS,
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}
    applies_to: {regions: [US]}",
r"kill_switches:
  - id: stop.lamp
    why: The lamp was called back by its maker
    stop: {offers: [lamp]}
    approver: Jane Doe
    ticket: QA-7
    effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}
    applies_to: {offers: [lamp]}"),
    row("P0265", OFFERS,
r"category_exclusions:
  - id: category.rivals
    why: The partner of the season asked for it, contract 6
    kind: competitor
    categories: [home]",
r"category_exclusions:
  - id: category.rivals
    why: The partner of the season asked for it, contract 6
    kind: competitor"),
    row("P0266", OFFERS,
r"category_exclusions:
  - id: category.rivals
    why: The partner of the season asked for it, contract 6
    kind: competitor
    brands: [acme]
# catalog/attributes.yaml
  - {id: offer.brand, type: text}",
r"category_exclusions:
  - id: category.rivals
    why: The partner of the season asked for it, contract 6
    kind: competitor
    brands: [acme]"),
    row("P0270", ATTRIBUTES,
r"  - id: customer.faith
    type: text
    class: sensitive
  - id: customer.menu
    type: text
    class: sensitive
    derived_from: [customer.faith]",
r"  - id: customer.faith
    type: text
    class: sensitive
  - id: customer.menu
    type: text
    class: personal
    derived_from: [customer.faith]"),
    row("P0271", ATTRIBUTES,
r"  - id: customer.status
    type: text
    class: personal
    derived_from: [customer.tier]",
r"  - id: customer.status
    type: text
    class: personal
    derived_from: [customer.status]"),
    row("P0272", OFFERS,
r#"  - id: no.silver
    why: Memo 11
    when: customer.tier == "silver"
# catalog/attributes.yaml
  - {id: customer.gender, type: {enum: [f, m, x]}, class: protected}"#,
r#"  - id: no.men
    why: Memo 11
    when: customer.gender == "m"
# catalog/attributes.yaml
  - {id: customer.gender, type: {enum: [f, m, x]}, class: protected}"#),
    row("P0273", OFFERS,
r"fairness_gates:
  - id: fair.discount
    why: No discount is for one group of customers alone, charter 2
    attribute: customer.tier
    check: one_group_discount
# catalog/attributes.yaml
  - {id: customer.points, type: number, class: personal}",
r"fairness_gates:
  - id: fair.discount
    why: No discount is for one group of customers alone, charter 2
    attribute: customer.points
    check: one_group_discount
# catalog/attributes.yaml
  - {id: customer.points, type: number, class: personal}"),
    row("P0274", OFFERS,
r"fairness_gates:
  - id: fair.discount
    why: No discount is for one group of customers alone, charter 2
    attribute: customer.tier
    check: one_group_discount",
r"fairness_gates:
  - id: fair.discount
    why: No discount is for one group of customers alone, charter 2
    attribute: customer.tier
    check: one_group_discount
    metric: parity"),
    row("P0275", OFFERS,
fair_value!(measured),
fair_value!()),
    row("P0276", OFFERS,
fair_value!(measured, r"
# placements.yaml
  - id: app_banner
    channel: app
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: thompson_linear, exploration: 0.05}
    features: [customer.tier]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}"),
fair_value!(measured, r"
# placements.yaml
  - id: app_banner
    channel: app
    purpose: offer_personalisation
    currency: EUR
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: thompson_linear, exploration: 0.05}
    features: [customer.tier]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}")),
    row("P0280", OFFERS,
r"budgets:
  - id: budget.month
    why: Marketing pays 2,000.00 a month, memo 12
    amount: 2000.00 USD
    window: {calendar: month, time_zone: America/New_York}",
r"budgets:
  - id: budget.month
    why: Marketing pays 2,000.00 a month, memo 12
    amount: 2000.00 EUR
    window: {calendar: month, time_zone: America/New_York}"),
    row("P0281", OFFERS,
r"budgets:
  - id: budget.month
    why: Marketing pays 2,000.00 a month, memo 12
    amount: 2000.00 USD
    window: {calendar: month, time_zone: America/New_York}
    pace: even",
r"budgets:
  - id: budget.month
    why: Marketing pays 2,000.00 a month, memo 12
    amount: 2000.00 USD
    window: lifetime
    pace: even"),
];
