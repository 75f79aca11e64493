//! Examples of warnings. Checks nothing.

use super::{CAPS, CASES, Example, MARGIN, OFFERS, row};

/// By code.
#[rustfmt::skip]
pub(super) const WARNINGS: &[Example] = &[
    row("L01", OFFERS,
r"  - id: night
    why: Nobody answers the phone at night, memo 6
    when: hour_of_day >= 22",
r"  - id: night
    why: Nobody answers the phone at night, memo 6
    when: hour_of_day > 23"),
    row("L02", OFFERS,
r#"  - id: upper.tiers
    why: Upper tiers have offers of their own, memo 7
    when: customer.tier == "gold" || customer.tier == "silver""#,
r#"  - id: upper.tiers
    why: Upper tiers have offers of their own, memo 7
    when: customer.tier == "gold" && customer.tier == "silver""#),
    row("L03", OFFERS,
r#"  - id: lower.tiers
    why: Lower tiers have offers of their own, memo 8
    when: customer.tier != "gold" && customer.tier != "silver""#,
r#"  - id: lower.tiers
    why: Lower tiers have offers of their own, memo 8
    when: customer.tier != "gold" || customer.tier != "silver""#),
    row("L04", OFFERS,
r#"  - id: members.silver
    why: Loyalty plan 2
    when: customer.tier == "silver" && offer.members_only"#,
r#"  - id: members.silver
    why: Loyalty plan 2
    when: customer.tier == "bronze" && offer.members_only"#),
    row("L05", OFFERS,
r#"  - id: members.mobile
    why: Loyalty plan 2
    when: customer.tier == "silver" && offer.members_only && context.device_type == "mobile""#,
r#"  - id: members.mobile
    why: Loyalty plan 2
    when: customer.tier == "bronze" && offer.members_only && context.device_type == "mobile""#),
    row("L06", OFFERS,
r#"  - id: not.gold
    why: Gold has a page of its own, memo 9
    when: customer.tier == "gold"

requirements:
  - id: upper
    why: The page is for upper tiers, memo 9
    when: customer.tier in ["silver", "gold"]"#,
r#"  - id: not.gold
    why: Gold has a page of its own, memo 9
    when: customer.tier == "gold"

requirements:
  - id: upper
    why: The page is for upper tiers, memo 9
    when: customer.tier == "gold""#),
    row("L07", CAPS,
r"  - id: cap.all.week
    why: At most ten offers a week, contact standard 2
    scope: [customer]
    max: 10
    window: {rolling: 7d}
    counts: decision",
r"  - id: cap.all.week
    why: At most ten offers a week, contact standard 2
    scope: [customer]
    max: 1
    window: {rolling: 7d}
    counts: decision"),
    row("L08", CASES,
r"  - name: goods that cost too much
    offer.cost_of_goods: 81.01 USD
    expect: {boots: [margin.floor]}",
r"  - name: goods that cost too much
    offer.cost_of_goods: 80.00 USD
    expect: {boots: []}"),
    row("L09", CASES,
r"  jurisdiction: US-NY
  customer: ann
# rules/20-margin.yaml
  - id: margin.floor.ny
    why: Deliveries within New York cost more, finance memo 3
    applies_to: {regions: [US-NY]}
    min_margin: 12%",
r"  customer: ann
# rules/20-margin.yaml
  - id: margin.floor.ny
    why: Deliveries within New York cost more, finance memo 3
    applies_to: {regions: [US-NY]}
    min_margin: 12%"),
    row("L10", MARGIN, "    effective: {until: 2099-01-01T00:00:00Z}", "    effective: {until: 2020-01-01T00:00:00Z}"),
    row("L11", MARGIN, "    effective: {until: 2099-01-01T00:00:00Z}", "    effective: {until: 2026-03-10T00:00:00Z}"),
    row("L15", OFFERS,
fair_value!(measured, r"
# fairness.yaml
report: b3:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"),
fair_value!(measured)),
];
