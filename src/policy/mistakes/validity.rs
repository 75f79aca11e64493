//! Golden text of author mistakes in where and when rules hold, and in what they make of missing values. Not others.

use crate::policy::sample::{CAPS, CONSENT, MARGIN, OFFERS, wrong};

#[test]
fn availability_says_where_or_when_in_names_that_exist() {
    let seen = wrong(OFFERS, "    channels: [web]\n    dates: {from: 2025-01-01, time_zone: America/New_York}\n", "");
    insta::assert_snapshot!(seen, @r"
    error[P0310]: rule `available.perfume`: it says neither where nor when
     --> rules/40-offers.yaml:4:5
      |
    4 |   - id: available.perfume
      |     ^^ here
      = help: say where or when, such as `regions: [US, CA]`, `channels: [web]` or `dates: {from: ...}`
    ");
    let seen = wrong(OFFERS, "channels: [web]", "channels: [wep]\n    regions: [US, USA, US]\n    opening: [morning]");
    insta::assert_snapshot!(seen, @r"
    error[P0111]: rule `available.perfume`: unknown channel `wep`; did you mean `web`?
     --> rules/40-offers.yaml:7:16
      |
    7 |     channels: [wep]
      |                ^^^ not in placements.yaml: no placement uses it

    error[P0104]: rule `available.perfume`: `USA` is not a jurisdiction
     --> rules/40-offers.yaml:8:19
      |
    8 |     regions: [US, USA, US]
      |                   ^^^ expected `EU`, `US` or `US-NY`
      = help: expected `EU`, a country such as `US` or a region such as `US-NY`

    error[P0117]: rule `available.perfume`: `US` appears twice in the list
     --> rules/40-offers.yaml:8:24
      |
    8 |     regions: [US, USA, US]
      |                        ^^ again
      = help: keep one of them

    error[P0101]: rule `available.perfume`: unknown field `opening`
     --> rules/40-offers.yaml:9:5
      |
    9 |     opening: [morning]
      |     ^^^^^^^ unknown field
      = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
              `overridable`, `regions`, `channels`, `dates`, `dayparts`, `time_zone`, `stores`
    ");
    let seen = wrong(OFFERS, "channels: [web]", "regions: []");
    insta::assert_snapshot!(seen, @r"
    error[P0116]: rule `available.perfume`: an empty list
     --> rules/40-offers.yaml:7:14
      |
    7 |     regions: []
      |              ^ nothing in it
      = help: the offer would be available nowhere; leave the list out to allow any region
    ");
}

#[test]
fn an_interval_has_ends_in_order_and_dates_a_time_zone() {
    let seen = wrong(OFFERS, ", time_zone: America/New_York", "");
    insta::assert_snapshot!(seen, @r"
    error[P0311]: rule `available.perfume`: dates: a date begins elsewhere at another time
     --> rules/40-offers.yaml:8:19
      |
    8 |     dates: {from: 2025-01-01}
      |                   ^^^^^^^^^^ where?
      = help: add `time_zone: America/New_York`, or write an instant such as `2026-11-01T00:00:00Z`
    ");
    let seen = wrong(OFFERS, "from: 2025-01-01,", "from: 2025-01-01, until: 2024-12-31,");
    insta::assert_snapshot!(seen, @r"
    error[P0311]: rule `available.perfume`: dates: it ends before it begins
     --> rules/40-offers.yaml:8:38
      |
    8 |     dates: {from: 2025-01-01, until: 2024-12-31, time_zone: America/New_York}
      |                                      ^^^^^^^^^^ not behind `from`
      = help: exchange the two, or correct one of them
    ");
    let seen = wrong(OFFERS, "America/New_York", "New York");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `available.perfume`: dates: `New York` is not a time zone
     --> rules/40-offers.yaml:8:42
      |
    8 |     dates: {from: 2025-01-01, time_zone: New York}
      |                                          ^^^^^^^^ expected a time zone such as `America/New_York`
      = help: expected an IANA name such as `Europe/Berlin`
    ");
    let seen = wrong(OFFERS, "from: 2025-01-01,", "from: 1st of May,");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `available.perfume`: dates: `1st of May` is neither a date nor an instant
     --> rules/40-offers.yaml:8:19
      |
    8 |     dates: {from: 1st of May, time_zone: America/New_York}
      |                   ^^^^^^^^^^ expected a date or an instant
      = help: expected `2026-11-01` or `2026-11-01T09:30:00Z`
    ");
    let seen = wrong(OFFERS, "from: 2025-01-01, ", "");
    insta::assert_snapshot!(seen, @r"
    error[P0311]: rule `available.perfume`: dates: neither `from` nor `until` is given
     --> rules/40-offers.yaml:8:13
      |
    8 |     dates: {time_zone: America/New_York}
      |             ^^^^^^^^^ never begins or ends
      = help: write `{from: 2026-11-01, until: 2026-11-30, time_zone: America/New_York}`, or one of both
    ");
    let seen = wrong(MARGIN, "min_margin: 25%", "min_margin: 25%\n    effective: {until: 2026-13-01, time_zone: UTC}");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `margin.floor.beauty`: effective: `2026-13-01` is neither a date nor an instant
      --> rules/20-margin.yaml:12:24
       |
    12 |     effective: {until: 2026-13-01, time_zone: UTC}
       |                        ^^^^^^^^^^ expected a date or an instant
       = help: expected `2026-11-01` or `2026-11-01T09:30:00Z`
    ");
}

#[test]
fn severity_and_missing_values_are_chosen_by_name() {
    let seen = wrong(OFFERS, "on_missing: allow", "on_missing: alow");
    insta::assert_snapshot!(seen, @r"
    error[P0106]: rule `require.visits.service`: unknown choice `alow`; did you mean `allow`?
      --> rules/40-offers.yaml:20:17
       |
    20 |     on_missing: alow
       |                 ^^^^ unknown choice
       = help: expected one of `exclude`, `allow`
    ");
    let seen = wrong(MARGIN, "min_margin: 25%", "min_margin: 25%\n    on_missing: allow");
    insta::assert_snapshot!(seen, @r"
    error[P0312]: rule `margin.floor.beauty`: nothing that it reads can be allowed to be missing
      --> rules/20-margin.yaml:12:17
       |
    12 |     on_missing: allow
       |                 ^^^^^ not for this rule
       = help: among rules of this list `on_missing: allow` is for a floor over the basket; remove it
    ");
    let seen = wrong(CAPS, "max: 40", "max: 40\n    on_missing: allow");
    insta::assert_snapshot!(seen, @r"
    error[P0312]: rule `cap.all.week`: nothing that it reads can be allowed to be missing
      --> rules/30-caps.yaml:15:17
       |
    15 |     on_missing: allow
       |                 ^^^^^ not for this kind
       = help: `on_missing: allow` is for `margin_floors`, `availability`, `exclusions`, `requirements`,
               `audience_guards`, `price_limits`, `price_personalisation`, `diversity`, `loyalty_eligibility`
               and `stock`; remove it
    ");
    let seen = wrong(OFFERS, "on_missing: allow", "severity: shado");
    insta::assert_snapshot!(seen, @r"
    error[P0106]: rule `require.visits.service`: unknown severity `shado`; did you mean `shadow`?
      --> rules/40-offers.yaml:20:15
       |
    20 |     severity: shado
       |               ^^^^^ unknown severity
       = help: expected one of `block`, `warn`, `shadow`
    ");
    let seen = wrong(OFFERS, "when: customer.visits_90d >= 1", "when: true");
    insta::assert_snapshot!(seen, @r#"
    error[P0103]: rule `require.visits.service`: expected a condition such as `a == "x"`, found true or false
      --> rules/40-offers.yaml:19:11
       |
    19 |     when: true
       |           ^^^^ this is true or false
    "#);
    let seen = wrong(OFFERS, "    when: customer.visits_90d >= 1\n", "");
    insta::assert_snapshot!(seen, @r#"
    error[P0102]: rule `require.visits.service`: field `when` is missing
      --> rules/40-offers.yaml:16:5
       |
    16 |   - id: require.visits.service
       |     ^^ no `when` here
       = help: add it, such as `when: customer.tier == "bronze"`
    "#);
    let seen = wrong(OFFERS, "when: customer.visits_90d >= 1", "when: !has(customer.visits_90d)");
    insta::assert_snapshot!(seen, @r"
    error[P0004]: tag `!has(customer.visits_90d)`
      --> rules/40-offers.yaml:19:11
       |
    19 |     when: !has(customer.visits_90d)
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^ tags are not allowed
       = help: remove the tag: the field says what type it holds; text that begins with `!` goes into quotes
    ");
}

#[test]
fn what_protects_people_is_never_lifted_and_always_blocks() {
    let seen =
        wrong(CONSENT, "purpose: offer_personalisation", "purpose: offer_personalisation\n    overridable: true");
    insta::assert_snapshot!(seen, @r"
    error[P0217]: rule `consent.personal`: no override lifts a rule of `purpose_gates`
     --> rules/10-consent.yaml:7:18
      |
    7 |     overridable: true
      |                  ^^^^ never lifted
      = help: what protects people by law or by their own word holds whatever is overridden: remove it, or say
              `overridable: false`
    ");
    let seen = wrong(MARGIN, "min_margin: 25%", "min_margin: 25%\n    overridable: maybe");
    insta::assert_snapshot!(seen, @r"
    error[P0115]: rule `margin.floor.beauty`: `maybe` is not `true` or `false`
      --> rules/20-margin.yaml:12:18
       |
    12 |     overridable: maybe
       |                  ^^^^^ expected `true` or `false`
    ");
    let seen =
        wrong(MARGIN, "applies_to: {categories: [beauty]}", "applies_to: {regions: [Europe], categories: [beauty]}");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `margin.floor.beauty`: applies_to: `Europe` is not a jurisdiction
      --> rules/20-margin.yaml:10:28
       |
    10 |     applies_to: {regions: [Europe], categories: [beauty]}
       |                            ^^^^^^ expected `EU`, `US` or `US-NY`
       = help: expected `EU`, a country such as `US` or a region such as `US-NY`
    ");
    let seen = wrong(CONSENT, "purpose: offer_personalisation", "purpose: offer_personalisation\n    severity: shadow");
    insta::assert_snapshot!(seen, @r"
    error[P0218]: rule `consent.personal`: a rule of `purpose_gates` always blocks
     --> rules/10-consent.yaml:7:15
      |
    7 |     severity: shadow
      |               ^^^^^^ never on trial
      = help: a gate that refuses nothing would let personal data be read without consent: remove it, or say
              `severity: block`
    ");
}
