//! What authors of caps see when they make mistakes, in full. Tests no cap that compiles.

use super::super::sample::{CAPS, wrong};

#[test]
fn each_mistake_in_a_window_is_shown_with_its_place_and_a_way_out() {
    let window = |text: &str| wrong(CAPS, "window: {rolling: 24h}", &format!("window: {text}"));
    insta::assert_snapshot!(window("day"), @"");
    insta::assert_snapshot!(window("{calendar: day}"), @"");
    insta::assert_snapshot!(window("{calendar: fortnight, time_zone: customer}"), @"");
    insta::assert_snapshot!(window("{calendar: day, time_zone: Europe/Berlyn}"), @"");
    insta::assert_snapshot!(window("{rolling: 24h, time_zone: customer}"), @"");
    insta::assert_snapshot!(window("{rolling: 24h, calendar: day, time_zone: UTC}"), @"");
    insta::assert_snapshot!(window("session"), @"");
}

#[test]
fn each_mistake_in_what_is_counted_is_shown_with_its_place_and_a_way_out() {
    insta::assert_snapshot!(wrong(CAPS, "scope: [customer, offer]", "scope: [customer, offer, channel]"), @"");
    insta::assert_snapshot!(wrong(CAPS, "scope: [customer, offer]", "scope: [offer]"), @"");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: click"), @"");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: decision\n    without_identifier: ask"), @"");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: decision\n    obeys_caps: false"), @"");
}
