//! Golden text of author mistakes in parts of the day, stores, diversity and loyalty. Not the others.

use crate::policy::sample::{LOYALTY, OFFERS, SLATE, wrong};

/// The perfume's rule with other fields in place of its channel.
fn available(fields: &str) -> String {
    wrong(OFFERS, "    channels: [web]\n", &format!("    {fields}\n"))
}

#[test]
fn a_part_of_the_day_has_days_and_times_and_a_time_zone() {
    insta::assert_snapshot!(available("dayparts: [{days: [mon, tue], from: \"17:00\"}]"), @r"
    error[P0102]: rule `available.perfume`: field `time_zone` is missing
     --> rules/40-offers.yaml:4:5
      |
    4 |   - id: available.perfume
      |     ^^ no `time_zone` here
      = help: add it, such as `time_zone: customer`
    ");
    let seen = available(
        "dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: \"9:5\"}]\n    time_zone: custmer",
    );
    insta::assert_snapshot!(seen, @r#"
    error[P0106]: rule `available.perfume`: dayparts: unknown day `thr`; did you mean `thu`?
     --> rules/40-offers.yaml:7:29
      |
    7 |     dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: "9:5"}]
      |                             ^^^ unknown day
      = help: expected one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`

    error[P0106]: rule `available.perfume`: dayparts: unknown day `monday`; did you mean `mon`?
     --> rules/40-offers.yaml:7:34
      |
    7 |     dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: "9:5"}]
      |                                  ^^^^^^ unknown day
      = help: expected one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`

    error[P0117]: rule `available.perfume`: dayparts: `mon` appears twice in the list
     --> rules/40-offers.yaml:7:42
      |
    7 |     dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: "9:5"}]
      |                                          ^^^ again
      = help: keep one of them

    error[P0117]: rule `available.perfume`: dayparts: `mon` appears twice in the list
     --> rules/40-offers.yaml:7:47
      |
    7 |     dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: "9:5"}]
      |                                               ^^^ again
      = help: keep one of them

    error[P0104]: rule `available.perfume`: dayparts: `5pm` is not a time of day
     --> rules/40-offers.yaml:7:59
      |
    7 |     dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: "9:5"}]
      |                                                           ^^^ expected a time of day such as `17:00`
      = help: expected `00:00` to `24:00`, such as `17:30`

    error[P0101]: rule `available.perfume`: dayparts: unknown field `untill`; did you mean `until`?
     --> rules/40-offers.yaml:7:64
      |
    7 |     dayparts: [{days: [mon, thr, monday, mon, mon], from: 5pm, untill: "9:5"}]
      |                                                                ^^^^^^ unknown field
      = help: the fields here are `days`, `from`, `until`

    error[P0104]: rule `available.perfume`: `custmer` is not a time zone; did you mean `customer`?
     --> rules/40-offers.yaml:8:16
      |
    8 |     time_zone: custmer
      |                ^^^^^^^ expected `customer`, `store` or an IANA time zone
      = help: expected `customer`, `store`, or an IANA name such as `Europe/Berlin`
    "#);
    insta::assert_snapshot!(available("dayparts: [{from: 17, until: \"24:30\"}]\n    time_zone: Europe/Berlim"), @r#"
    error[P0104]: rule `available.perfume`: dayparts: `17` is not a time of day
     --> rules/40-offers.yaml:7:23
      |
    7 |     dayparts: [{from: 17, until: "24:30"}]
      |                       ^^ expected a time of day such as `17:00`
      = help: expected `00:00` to `24:00`, such as `17:30`

    error[P0104]: rule `available.perfume`: dayparts: `24:30` is not a time of day
     --> rules/40-offers.yaml:7:34
      |
    7 |     dayparts: [{from: 17, until: "24:30"}]
      |                                  ^^^^^^^ expected a time of day such as `17:00`
      = help: expected `00:00` to `24:00`, such as `17:30`

    error[P0104]: rule `available.perfume`: `Europe/Berlim` is not a time zone; did you mean `Europe/Berlin`?
     --> rules/40-offers.yaml:8:16
      |
    8 |     time_zone: Europe/Berlim
      |                ^^^^^^^^^^^^^ expected `customer`, `store` or an IANA time zone
      = help: expected `customer`, `store`, or an IANA name such as `Europe/Berlin`
    "#);
}

#[test]
fn a_part_of_the_day_has_something_in_it() {
    let parts = "dayparts: [{from: \"17:00\", until: 17:00}, {}, {days: []}, {from: \"24:00\"}, mornings]";
    let seen = available(&format!("{parts}\n    time_zone: customer"));
    insta::assert_snapshot!(seen, @r#"
    error[P0320]: rule `available.perfume`: dayparts: it ends where it begins
     --> rules/40-offers.yaml:7:23
      |
    7 |     dayparts: [{from: "17:00", until: 17:00}, {}, {days: []}, {from: "24:00"}, mornings]
      |                       ^^^^^^^ nothing in between
      = help: leave `from` and `until` out for whole days; a part that runs past midnight ends before it
              begins

    error[P0320]: rule `available.perfume`: dayparts: a part of the day without days and times
     --> rules/40-offers.yaml:7:47
      |
    7 |     dayparts: [{from: "17:00", until: 17:00}, {}, {days: []}, {from: "24:00"}, mornings]
      |                                               ^ always
      = help: write `dayparts: [{days: [mon, fri], from: "17:00", until: "21:00"}]`

    error[P0116]: rule `available.perfume`: dayparts: an empty list
     --> rules/40-offers.yaml:7:58
      |
    7 |     dayparts: [{from: "17:00", until: 17:00}, {}, {days: []}, {from: "24:00"}, mornings]
      |                                                          ^ nothing in it
      = help: it would begin on no day; leave the list out for every day

    error[P0320]: rule `available.perfume`: dayparts: it ends where it begins
     --> rules/40-offers.yaml:7:70
      |
    7 |     dayparts: [{from: "17:00", until: 17:00}, {}, {days: []}, {from: "24:00"}, mornings]
      |                                                                      ^^^^^^^ nothing in between
      = help: leave `from` and `until` out for whole days; a part that runs past midnight ends before it
              begins

    error[P0103]: rule `available.perfume`: dayparts: expected a mapping of fields, found text
     --> rules/40-offers.yaml:7:80
      |
    7 |     dayparts: [{from: "17:00", until: 17:00}, {}, {days: []}, {from: "24:00"}, mornings]
      |                                                                                ^^^^^^^^ this is text
    "#);
    insta::assert_snapshot!(available("dayparts: [{days: [sat]}, {days: [sat]}]\n    time_zone: customer"), @r"
    error[P0117]: rule `available.perfume`: `sat` appears twice in the list
     --> rules/40-offers.yaml:7:31
      |
    7 |     dayparts: [{days: [sat]}, {days: [sat]}]
      |                               ^ again
      = help: keep one of them
    ");
    insta::assert_snapshot!(available("dayparts: []\n    time_zone: customer"), @r"
    error[P0116]: rule `available.perfume`: an empty list
     --> rules/40-offers.yaml:7:15
      |
    7 |     dayparts: []
      |               ^ nothing in it
      = help: the offer would be available never; leave the list out to allow any time
    ");
    insta::assert_snapshot!(available("time_zone: customer"), @r#"
    error[P0320]: rule `available.perfume`: no part of the day is given
     --> rules/40-offers.yaml:7:16
      |
    7 |     time_zone: customer
      |                ^^^^^^^^ read by nothing
      = help: add `dayparts: [{days: [mon, fri], from: "17:00", until: "21:00"}]`, or remove it; `dates` have
              a `time_zone` of their own
    "#);
}

#[test]
fn stores_are_named_as_requests_name_them() {
    insta::assert_snapshot!(available("stores: [s-12, s-12, store 14]"), @r"
    error[P0117]: rule `available.perfume`: `s-12` appears twice in the list
     --> rules/40-offers.yaml:7:20
      |
    7 |     stores: [s-12, s-12, store 14]
      |                    ^^^^ again
      = help: keep one of them

    error[P0104]: rule `available.perfume`: `store 14` is not a store id
     --> rules/40-offers.yaml:7:26
      |
    7 |     stores: [s-12, s-12, store 14]
      |                          ^^^^^^^^ expected a store such as `s-12`
      = help: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
    ");
    insta::assert_snapshot!(available("stores: []"), @r"
    error[P0116]: rule `available.perfume`: an empty list
     --> rules/40-offers.yaml:7:13
      |
    7 |     stores: []
      |             ^ nothing in it
      = help: the offer would be available nowhere; leave the list out to allow any store
    ");
    let only = "    channels: [web]\n    dates: {from: 2025-01-01, time_zone: America/New_York}\n";
    insta::assert_snapshot!(wrong(OFFERS, only, "    store: [s-12]\n"), @r"
    error[P0101]: rule `available.perfume`: unknown field `store`; did you mean `stores`?
     --> rules/40-offers.yaml:7:5
      |
    7 |     store: [s-12]
      |     ^^^^^ unknown field
      = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
              `overridable`, `regions`, `channels`, `dates`, `dayparts`, `time_zone`, `stores`
    ");
}

#[test]
fn diversity_is_per_something_that_offers_have() {
    let per = |per: &str| wrong(SLATE, "per: category", &format!("per: {per}"));
    insta::assert_snapshot!(per("categroy"), @r"
    error[P0106]: rule `diverse.category`: unknown kind of offers `categroy`; did you mean `category`?
     --> rules/50-slate.yaml:6:10
      |
    6 |     per: categroy
      |          ^^^^^^^^ unknown kind
      = help: expected `category`, `campaign`, or an attribute of offers that is declared, such as
              `offer.brand`
    ");
    insta::assert_snapshot!(per("brand"), @r"
    error[P0106]: rule `diverse.category`: unknown kind of offers `brand`
     --> rules/50-slate.yaml:6:10
      |
    6 |     per: brand
      |          ^^^^^ unknown kind
      = help: expected `category`, `campaign`, or an attribute of offers that is declared, such as
              `offer.brand`
    ");
    insta::assert_snapshot!(per("offer.brand"), @r"
    error[P0107]: rule `diverse.category`: unknown attribute `offer.brand`
     --> rules/50-slate.yaml:6:10
      |
    6 |     per: offer.brand
      |          ^^^^^^^^^^^ not in catalog/attributes.yaml
      = help: expected `category`, `campaign`, or an attribute of offers that is declared, such as
              `offer.brand`
    ");
    insta::assert_snapshot!(per("customer.tier"), @r"
    error[P0106]: rule `diverse.category`: `customer.tier` says nothing about an offer
     --> rules/50-slate.yaml:6:10
      |
    6 |     per: customer.tier
      |          ^^^^^^^^^^^^^ not of an offer
      = help: expected `category`, `campaign`, or an attribute of offers that is declared, such as
              `offer.brand`
    ");
    insta::assert_snapshot!(wrong(SLATE, "    per: category\n    at_most: 2\n", ""), @r"
    error[P0102]: rule `diverse.category`: field `at_most` is missing
     --> rules/50-slate.yaml:4:5
      |
    4 |   - id: diverse.category
      |     ^^ no `at_most` here
      = help: add it, such as `at_most: 1`

    error[P0102]: rule `diverse.category`: field `per` is missing
     --> rules/50-slate.yaml:4:5
      |
    4 |   - id: diverse.category
      |     ^^ no `per` here
      = help: add it, such as `per: category`
    ");
    insta::assert_snapshot!(wrong(SLATE, "at_most: 2", "at_most: 0"), @r"
    error[P0105]: rule `diverse.category`: `0` is out of range: expected a whole number from 1 to 100
     --> rules/50-slate.yaml:7:14
      |
    7 |     at_most: 0
      |              ^ expected a whole number from 1 to 100
    ");
}

/// The rule of early access that asks for something else.
fn early(rule: &str) -> String {
    wrong(LOYALTY, "    tier: silver\n    member_for: 90d\n", rule)
}

#[test]
fn loyalty_asks_for_a_tier_points_or_a_time_as_a_member() {
    insta::assert_snapshot!(early(""), @r"
    error[P0321]: rule `loyalty.early.access`: it asks for nothing
     --> rules/60-loyalty.yaml:4:5
      |
    4 |   - id: loyalty.early.access
      |     ^^ here
      = help: write `tier: silver`, `points: 500` or `member_for: 365d`, or several of them
    ");
    insta::assert_snapshot!(early("    teir: silver\n"), @r"
    error[P0101]: rule `loyalty.early.access`: unknown field `teir`; did you mean `tier`?
     --> rules/60-loyalty.yaml:7:5
      |
    7 |     teir: silver
      |     ^^^^ unknown field
      = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
              `overridable`, `tier`, `points`, `member_for`
    ");
    insta::assert_snapshot!(early("    tier: sliver\n    points: many\n    member_for: a year\n"), @r"
    error[P0305]: rule `loyalty.early.access`: tier: `sliver` is not a value of `customer.tier`; did you mean `silver`?
     --> rules/60-loyalty.yaml:7:11
      |
    7 |     tier: sliver
      |           ^^^^^^ no such value
      = help: from the lowest they are `bronze`, `silver`, `gold`

    error[P0103]: rule `loyalty.early.access`: points: expected a whole number, found text
     --> rules/60-loyalty.yaml:8:13
      |
    8 |     points: many
      |             ^^^^ this is text

    error[P0104]: rule `loyalty.early.access`: member_for: `a year` is not a span of time
     --> rules/60-loyalty.yaml:9:17
      |
    9 |     member_for: a year
      |                 ^^^^^^ expected a span such as `24h` or `7d`
      = help: expected a whole number with `s`, `m`, `h` or `d`, such as `24h`, at most ten years
    ");
    insta::assert_snapshot!(early("    tier: [silver, gold]\n    points: 0\n    member_for: 36h\n"), @r"
    error[P0103]: rule `loyalty.early.access`: tier: expected the lowest tier that will do, such as `silver`, found a list
     --> rules/60-loyalty.yaml:7:11
      |
    7 |     tier: [silver, gold]
      |           ^ this is a list

    error[P0105]: rule `loyalty.early.access`: points: `0` is out of range: expected a whole number from 1 to 1000000000
     --> rules/60-loyalty.yaml:8:13
      |
    8 |     points: 0
      |             ^ expected a whole number from 1 to 1000000000

    error[P0105]: rule `loyalty.early.access`: member_for: `36h` is out of range: expected whole days, such as `365d`
     --> rules/60-loyalty.yaml:9:17
      |
    9 |     member_for: 36h
      |                 ^^^ expected whole days, such as `365d`
    ");
}

#[test]
fn loyalty_may_name_another_attribute_of_the_right_type() {
    insta::assert_snapshot!(early("    tier: {attribute: customer.teir, at_least: silver}\n"), @r"
    error[P0107]: rule `loyalty.early.access`: tier: unknown attribute `customer.teir`; did you mean `customer.tier`?
     --> rules/60-loyalty.yaml:7:23
      |
    7 |     tier: {attribute: customer.teir, at_least: silver}
      |                       ^^^^^^^^^^^^^ not in catalog/attributes.yaml
      = help: declare it with `type: {enum: [bronze, silver, gold]}`, or name another with `tier: {attribute:
              ..., at_least: ...}`
    ");
    insta::assert_snapshot!(early("    tier: {at_least: silver, attribut: customer.tier}\n"), @r"
    error[P0101]: rule `loyalty.early.access`: tier: unknown field `attribut`; did you mean `attribute`?
     --> rules/60-loyalty.yaml:7:30
      |
    7 |     tier: {at_least: silver, attribut: customer.tier}
      |                              ^^^^^^^^ unknown field
      = help: the fields here are `attribute`, `at_least`
    ");
    insta::assert_snapshot!(early("    points: {attribute: customer.points}\n"), @r"
    error[P0102]: rule `loyalty.early.access`: points: field `at_least` is missing
     --> rules/60-loyalty.yaml:7:14
      |
    7 |     points: {attribute: customer.points}
      |              ^^^^^^^^^ no `at_least` here
      = help: add it, such as `at_least: 500`
    ");
    insta::assert_snapshot!(early("    tier: {attribute: offer.category, at_least: home}\n"), @r"
    error[P0322]: rule `loyalty.early.access`: tier: `offer.category` does not tell a tier: expected an enum of tiers, the lowest first
     --> rules/60-loyalty.yaml:7:23
      |
    7 |     tier: {attribute: offer.category, at_least: home}
      |                       ^^^^^^^^^^^^^^ about an offer
      = help: name an attribute of the customer that is declared with `type: {enum: [bronze, silver, gold]}`
    ");
    let points = "    points: {attribute: customer.tier, at_least: 5}\n";
    let member = "    member_for: {attribute: customer.points, at_least: 5d}\n";
    let seen = early(&format!("{points}{member}"));
    insta::assert_snapshot!(seen, @r"
    error[P0322]: rule `loyalty.early.access`: points: `customer.tier` does not tell points: expected a number
     --> rules/60-loyalty.yaml:7:25
      |
    7 |     points: {attribute: customer.tier, at_least: 5}
      |                         ^^^^^^^^^^^^^ an enum
      = help: name an attribute of the customer that is declared with `type: number`

    error[P0322]: rule `loyalty.early.access`: member_for: `customer.points` does not tell since when somebody is a member: expected a date
     --> rules/60-loyalty.yaml:8:29
      |
    8 |     member_for: {attribute: customer.points, at_least: 5d}
      |                             ^^^^^^^^^^^^^^^ a number
      = help: name an attribute of the customer that is declared with `type: date`
    ");
}
