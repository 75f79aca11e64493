//! Examples of mistakes in files, fields and names. Checks nothing.

use super::{CAPS, CONSENT, Example, FOLDER, MARGIN, OFFERS, PLACEMENTS, row};

/// By code.
#[rustfmt::skip]
pub(super) const WRITTEN: &[Example] = &[
    row("P0001", MARGIN, "min_margin: 10%", "min_margin: [10%"),
    row("P0002", MARGIN, "    min_margin: 10%", "\tmin_margin: 10%"),
    row("P0003", MARGIN, "min_margin: 10%", "min_margin: &floor 10%"),
    row("P0004", MARGIN, "min_margin: 10%", "min_margin: !percent 10%"),
    row("P0005", MARGIN,
"margin_floors:",
r"---
margin_floors:"),
    row("P0006", MARGIN,
"    min_margin: 10%",
r"    min_margin: 10%
    min_margin: 12%"),
    row("P0007", FOLDER, "rules/20-margin.yaml", "rules/20-margin.yml"),
    row("P0008", FOLDER,
r"bundle.yaml
placements.yaml",
"placements.yaml"),
    row("P0009", FOLDER,
"bundle.yaml",
r"bundle.yaml
bundle.yaml"),
    row("P0101", MARGIN, "min_margin: 10%", "min_margn: 10%"),
    row("P0102", CAPS,
r"    max: 2
    window: {rolling: 24h}",
"    window: {rolling: 24h}"),
    row("P0103", CAPS, "max: 2", "max: two"),
    row("P0104", MARGIN, "min_margin: 10%", "min_margin: ten percent"),
    row("P0105", CAPS, "max: 2", "max: 20000"),
    row("P0106", CAPS, "counts: decision", "counts: view"),
    row("P0107", OFFERS, r#"when: customer.tier == "bronze""#, r#"when: customer.teir == "bronze""#),
    row("P0108", MARGIN, "    applies_to: {placements: [home_banner]}", "    applies_to: {placements: [homepage]}"),
    row("P0109", CONSENT, "purpose: offer_personalisation", "purpose: personalisation"),
    row("P0110", MARGIN, "    applies_to: {categories: [shoes]}", "    applies_to: {categories: [boots]}"),
    row("P0111", MARGIN, "    applies_to: {channels: [web]}", "    applies_to: {channels: [email]}"),
    row("P0112", MARGIN,
r"  - id: margin.floor.home
    why: Home carries the cost of delivery, finance memo 2
    min_margin: 12%",
r"  - id: margin.floor
    why: Home carries the cost of delivery, finance memo 2
    min_margin: 12%"),
    row("P0113", PLACEMENTS, "    exposure: decision", "    exposure: send"),
    row("P0114", MARGIN, "why: No offer earns less than a tenth of its price, finance memo 1", "why: ''"),
    row("P0115", MARGIN, "    overridable: true", "    overridable: yes"),
    row("P0116", CAPS, "scope: [customer, offer]", "scope: []"),
    row("P0117", CAPS, "scope: [customer, offer]", "scope: [customer, offer, offer]"),
    row("P0118", MARGIN, "id: margin.floor", "id: proffer.floor"),
    row("P0119", PLACEMENTS,
"features: [customer.tier, context.device_type]",
"features: [customer.tier, holiday.sales]"),
];
