//! What authors of caps see when they make mistakes, in full. Tests no cap that compiles.

use crate::policy::sample::{CAPS, wrong};

#[test]
fn each_mistake_in_a_window_is_shown_with_its_place_and_a_way_out() {
    let window = |text: &str| wrong(CAPS, "window: {rolling: 24h}", &format!("window: {text}"));
    insta::assert_snapshot!(window("day"), @r"
    error[P0103]: rule `cap.offer.day`: a window says how it is counted
     --> rules/30-caps.yaml:8:13
      |
    8 |     window: day
      |             ^^^ expected `{calendar: ...}`
      = help: write `window: {calendar: day, time_zone: customer}`
    ");
    insta::assert_snapshot!(window("{calendar: day}"), @r"
    error[P0102]: rule `cap.offer.day`: window: field `time_zone` is missing
     --> rules/30-caps.yaml:8:14
      |
    8 |     window: {calendar: day}
      |              ^^^^^^^^ no `time_zone` here
      = help: add it, such as `window: {calendar: day, time_zone: customer}`
    ");
    insta::assert_snapshot!(window("{calendar: fortnight, time_zone: customer}"), @r"
    error[P0106]: rule `cap.offer.day`: unknown calendar period `fortnight`
     --> rules/30-caps.yaml:8:24
      |
    8 |     window: {calendar: fortnight, time_zone: customer}
      |                        ^^^^^^^^^ unknown calendar period
      = help: expected one of `day`, `week`, `month`
    ");
    insta::assert_snapshot!(window("{calendar: day, time_zone: Europe/Berlyn}"), @"
    error[P0104]: rule `cap.offer.day`: `Europe/Berlyn` is not a time zone; did you mean `Europe/Berlin`?
     --> rules/30-caps.yaml:8:40
      |
    8 |     window: {calendar: day, time_zone: Europe/Berlyn}
      |                                        ^^^^^^^^^^^^^ expected `customer`, `store` or an IANA time zone
      = help: expected `customer`, `store`, or an IANA name such as `Europe/Berlin`
    ");
    insta::assert_snapshot!(window("{rolling: 24h, time_zone: customer}"), @r"
    error[P0101]: rule `cap.offer.day`: a rolling window has no time zone
     --> rules/30-caps.yaml:8:39
      |
    8 |     window: {rolling: 24h, time_zone: customer}
      |                                       ^^^^^^^^ not used
      = help: remove `time_zone`; only a calendar window begins at somebody's midnight
    ");
    insta::assert_snapshot!(window("{rolling: 24h, calendar: day, time_zone: UTC}"), @r"
    error[P0101]: rule `cap.offer.day`: a window is either rolling or of the calendar
     --> rules/30-caps.yaml:8:23
      |
    8 |     window: {rolling: 24h, calendar: day, time_zone: UTC}
      |                       ^^^ the other is given too
      = help: keep one of them; for both limits write two caps
    ");
    insta::assert_snapshot!(window("{calendar: day, time_zone: customer, week_starts: sunday}"), @"
    error[P0101]: rule `cap.offer.day`: only a week starts on a day of the week
     --> rules/30-caps.yaml:8:63
      |
    8 |     window: {calendar: day, time_zone: customer, week_starts: sunday}
      |                                                               ^^^^^^ not used
      = help: remove `week_starts`, or write `calendar: week`
    ");
    insta::assert_snapshot!(window("{rolling: 7d, week_starts: sunday}"), @"
    error[P0101]: rule `cap.offer.day`: only a week starts on a day of the week
     --> rules/30-caps.yaml:8:40
      |
    8 |     window: {rolling: 7d, week_starts: sunday}
      |                                        ^^^^^^ not used
      = help: remove `week_starts`, or write `calendar: week`
    ");
    insta::assert_snapshot!(window("{calendar: week, time_zone: customer, week_starts: sun}"), @"
    error[P0106]: rule `cap.offer.day`: unknown day of the week `sun`
     --> rules/30-caps.yaml:8:64
      |
    8 |     window: {calendar: week, time_zone: customer, week_starts: sun}
      |                                                                ^^^ unknown day of the week
      = help: expected one of `monday`, `tuesday`, `wednesday`, `thursday`, `friday`, `saturday`, `sunday`
    ");
    insta::assert_snapshot!(window("{calendar: day, time_zone: store}"), @"
    error[P0241]: rule `cap.offer.day`: nobody knows what time it is at a store
     --> rules/30-caps.yaml:8:40
      |
    8 |     window: {calendar: day, time_zone: store}
      |                                        ^^^^^ no catalog/stores.yaml
      = help: declare the stores in catalog/stores.yaml, such as `- {id: s-12, time_zone: America/New_York}`
    ");
}

#[test]
fn each_mistake_in_what_is_counted_is_shown_with_its_place_and_a_way_out() {
    insta::assert_snapshot!(wrong(CAPS, "scope: [customer, offer]", "scope: [customer, offer, channel]"), @"
    error[P0106]: rule `cap.offer.day`: a cap counts one thing apart, not several at once
     --> rules/30-caps.yaml:6:12
      |
    6 |     scope: [customer, offer, channel]
      |            ^ more than one
      = help: write one rule for each of them; every one that applies must leave room
    ");
    insta::assert_snapshot!(wrong(CAPS, "scope: [customer, offer]", "scope: [customer, offer, all]"), @"
    error[P0106]: rule `cap.offer.day`: a cap counts one thing apart, not several at once
     --> rules/30-caps.yaml:6:12
      |
    6 |     scope: [customer, offer, all]
      |            ^ more than one
      = help: write one rule for each of them; every one that applies must leave room
    ");
    insta::assert_snapshot!(wrong(CAPS, "scope: [customer, offer]", "scope: [offer]"), @"
    error[P0106]: rule `cap.offer.day`: a cap counts for one customer, household, device or session
     --> rules/30-caps.yaml:6:12
      |
    6 |     scope: [offer]
      |            ^ for nobody
      = help: write for whom it counts, and what is counted apart: `[customer]`, `[household, offer]`,
              `[device, category]`, `[session, campaign]` or `[customer, channel]`
    ");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: view"), @"
    error[P0106]: rule `cap.offer.day`: unknown kind of contact `view`
     --> rules/30-caps.yaml:9:13
      |
    9 |     counts: view
      |             ^^^^ unknown kind of contact
      = help: expected one of `decision`, `impression`, `click`, `redemption`
    ");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: decision\n    without_identifier: ask"), @"
    error[P0106]: rule `cap.offer.day`: unknown answer `ask`
      --> rules/30-caps.yaml:10:25
       |
    10 |     without_identifier: ask
       |                         ^^^ unknown answer
       = help: expected one of `session_cap`, `exclude`, `allow`
    ");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: decision\n    obeys_caps: false"), @"
    error[P0101]: rule `cap.offer.day`: unknown field `obeys_caps`
      --> rules/30-caps.yaml:10:5
       |
    10 |     obeys_caps: false
       |     ^^^^^^^^^^ unknown field
       = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
               `overridable`, `scope`, `max`, `window`, `counts`, `without_identifier`
    ");
}
