//! Golden text of author mistakes in the values that conditions compare. Not those in their words.

use crate::policy::compile;
use crate::policy::sample::{ATTRIBUTES, OFFERS, files, shown, wrong};

/// What an author sees who writes this condition.
fn said(condition: &str) -> String {
    wrong(OFFERS, "offer.discount > offer.price * 50%", condition)
}

#[test]
fn values_are_written_one_way() {
    let seen = said("offer.price > 5USD");
    insta::assert_snapshot!(seen, @r"
    error[P0303]: rule `exclude.half.price`: `5USD`: an amount has a space before its currency
      --> rules/40-offers.yaml:13:25
       |
    13 |     when: offer.price > 5USD
       |                         ^^^^ no space
       = help: write `5 USD`
    ");
    let seen = said("offer.price > 5.005 USD");
    assert!(
        seen.contains("`5.005` is not a decimal number with at most 2 digits behind the point, as USD has"),
        "{seen}"
    );
    let seen = said("offer.price > 5.00 XYZ");
    insta::assert_snapshot!(seen, @r"
    error[P0303]: rule `exclude.half.price`: `XYZ` is not a currency
      --> rules/40-offers.yaml:13:25
       |
    13 |     when: offer.price > 5.00 XYZ
       |                         ^^^^^^^^ cannot be read
       = help: expected an ISO 4217 code such as `USD` or `EUR`
    ");
    let seen = said("context.today > 2026-02-30");
    insta::assert_snapshot!(seen, @r#"
    error[P0303]: rule `exclude.half.price`: `2026-02-30` is not a date of the calendar
      --> rules/40-offers.yaml:13:27
       |
    13 |     when: context.today > 2026-02-30
       |                           ^^^^^^^^^^ cannot be read
       = help: values are written `"gold"`, `3`, `0.25`, `15%`, `5.00 USD`, `2026-03-01`, `36h`, `true`
    "#);
    let seen = said("context.today > 2026-02-03T10:00:00Z");
    insta::assert_snapshot!(seen, @r"
    error[P0303]: rule `exclude.half.price`: `2026-02-03T10:00:00Z` is an instant, and conditions have dates only
      --> rules/40-offers.yaml:13:27
       |
    13 |     when: context.today > 2026-02-03T10:00:00Z
       |                           ^^^^^^^^^^^^^^^^^^^^ not a date
       = help: write the date, such as `2026-03-01`
    ");
    let seen = said("context.today - 2026-02-03 > 3w");
    insta::assert_snapshot!(seen, @r#"
    error[P0303]: rule `exclude.half.price`: `3w` is neither a number nor a name
      --> rules/40-offers.yaml:13:40
       |
    13 |     when: context.today - 2026-02-03 > 3w
       |                                        ^^ cannot be read
       = help: values are written `"gold"`, `3`, `0.25`, `15%`, `5.00 USD`, `2026-03-01`, `36h`, `true`
    "#);
    let seen = said("customer.visits_90d > 007");
    insta::assert_snapshot!(seen, @r"
    error[P0303]: rule `exclude.half.price`: `007` begins with a zero
      --> rules/40-offers.yaml:13:33
       |
    13 |     when: customer.visits_90d > 007
       |                                 ^^^ cannot be read
       = help: write `7`
    ");
    let seen = said("customer.tier == \"go\\ld\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0305]: rule `exclude.half.price`: `customer.tier` is never `god`; did you mean `gold`?
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: customer.tier == "go\ld"
       |                            ^^^^^^^ not a value of it
       = help: its values are `bronze`, `silver`, `gold`

    error[P0303]: rule `exclude.half.price`: `\l` means nothing in text
      --> rules/40-offers.yaml:13:31
       |
    13 |     when: customer.tier == "go\ld"
       |                               ^^ here
       = help: a backslash stands before a quote or another backslash only
    "#);
}

#[test]
fn values_that_are_compared_are_of_one_kind() {
    let seen = said("customer.visits_90d > \"3\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0304]: rule `exclude.half.price`: `customer.visits_90d` is a number, and `"3"` is text
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.visits_90d > "3"
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^ not of one kind
       = help: write the number without quotes
    "#);
    let seen = said("offer.margin > 15%");
    insta::assert_snapshot!(seen, @r"
    error[P0304]: rule `exclude.half.price`: `offer.margin` is an amount of money, and `15%` is a number
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: offer.margin > 15%
       |           ^^^^^^^^^^^^^^^^^^ not of one kind
       = help: write an amount, such as `5.00 USD`, or a share of one: `offer.margin > offer.price * 15%`
    ");
    let seen = said("customer.tier >= \"silver\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0304]: rule `exclude.half.price`: `>=`: a name has no order
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.tier >= "silver"
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^ no order
       = help: name the values meant: `customer.tier in ["silver", "gold"]`
    "#);
    let seen = said("customer.tier == \"silver\" || \"gold\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0304]: rule `exclude.half.price`: `||` needs true or false, `"gold"` is text
      --> rules/40-offers.yaml:13:40
       |
    13 |     when: customer.tier == "silver" || "gold"
       |                                        ^^^^^^ text
       = help: compare it: `customer.tier == "gold"`, or several: `customer.tier in ["silver", "gold"]`
    "#);
    let seen = said("customer.visits_90d && offer.price > 5 USD");
    insta::assert_snapshot!(seen, @r"
    error[P0304]: rule `exclude.half.price`: `&&` needs true or false, `customer.visits_90d` is a number
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.visits_90d && offer.price > 5 USD
       |           ^^^^^^^^^^^^^^^^^^^ a number
       = help: compare it with something, such as `customer.visits_90d > 3`
    ");
    let seen = said("'!customer.visits_90d == 3'");
    insta::assert_snapshot!(seen, @r"
    error[P0304]: rule `exclude.half.price`: `!` needs true or false, `customer.visits_90d` is a number
      --> rules/40-offers.yaml:13:13
       |
    13 |     when: '!customer.visits_90d == 3'
       |             ^^^^^^^^^^^^^^^^^^^ a number
       = help: `!` binds closer than a comparison: write `!(a == b)` or `a != b`
    ");
    let seen = said("context.today > \"2026-03-01\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0304]: rule `exclude.half.price`: `context.today` is a date, and `"2026-03-01"` is text
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: context.today > "2026-03-01"
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not of one kind
       = help: write the date without quotes: `2026-03-01`
    "#);
    let seen = said("customer.tier + \"-member\" == \"gold-member\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0304]: rule `exclude.half.price`: `+` goes with numbers, amounts, dates and spans, not a name and text
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.tier + "-member" == "gold-member"
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^ do not go together
       = help: conditions build no text; compare it as it is
    "#);
    let seen = said("context.today + 3 > 2026-03-01");
    insta::assert_snapshot!(seen, @r"
    error[P0304]: rule `exclude.half.price`: `+` goes with numbers, amounts, dates and spans, not a date and a number
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: context.today + 3 > 2026-03-01
       |           ^^^^^^^^^^^^^^^^^ do not go together
       = help: write the number as a span, such as `30d`
    ");
    let seen = said("offer.price");
    insta::assert_snapshot!(seen, @r"
    error[P0304]: rule `exclude.half.price`: a condition needs true or false, `offer.price` is an amount of money
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: offer.price
       |           ^^^^^^^^^^^ an amount of money
       = help: compare it with something, such as `customer.visits_90d > 3`
    ");
}

#[test]
fn amounts_sizes_and_names_stay_within_what_can_be_computed() {
    let seen = said("offer.price > 5.00 EUR");
    insta::assert_snapshot!(seen, @r"
    error[P0306]: rule `exclude.half.price`: `5.00 EUR` is in EUR but placement `home_banner` is in USD
      --> rules/40-offers.yaml:13:25
       |
    13 |     when: offer.price > 5.00 EUR
       |                         ^^^^^^^^ not in USD
       = help: amounts of two currencies are never compared: name the placements of this currency in
               `applies_to: {placements: [...]}`
    ");
    let seen = said("basket.size * basket.size * basket.size > 1");
    insta::assert_snapshot!(seen, @r"
    error[P0308]: rule `exclude.half.price`: `basket.size * basket.size * basket.size` may be too large to compute
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: basket.size * basket.size * basket.size > 1
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ may be too large
       = help: two attributes may be multiplied with each other, not more
    ");
    let seen = said("1 < 2");
    insta::assert_snapshot!(seen, @r"
    error[P0309]: rule `exclude.half.price`: the condition reads nothing, so that it is always the same
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: 1 < 2
       |           ^^^^^ always the same
       = help: name an attribute, or leave the rule out
    ");
    let seen = said(&format!("{}customer.visits_90d > 1{}", "(".repeat(34), ")".repeat(34)));
    insta::assert_snapshot!(seen, @r"
    error[P0308]: rule `exclude.half.price`: parentheses and signs nest at most 32 deep
      --> rules/40-offers.yaml:13:44
       |
    13 |     when: ((((((((((((((((((((((((((((((((((customer.visits_90d > 1))))))))))))))))))))))))))))))))))
       |                                            ^ too deep
       = help: split it into several rules
    ");
    let seen = said(&vec!["customer.visits_90d > 1"; 90].join(" || "));
    assert!(seen.starts_with("error[P0308]: rule `exclude.half.price`: a condition has at most 256 parts\n"), "{seen}");
    let seen = said(&format!("customer.tier == \"{}\"", "g".repeat(5_000)));
    assert!(seen.contains("a condition of 5019 bytes is too long: at most 4096"), "{seen}");
    let mut files = files();
    let attributes = files.iter_mut().find(|file| file.path == ATTRIBUTES).unwrap();
    attributes.text.push_str("\n  - {id: offer.price, type: number}\n");
    let seen = shown(&compile(&files).unwrap_err());
    insta::assert_snapshot!(seen, @r"
    error[P0307]: rule `exclude.half.price`: `offer.price` is built in, and declared as an attribute too
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: offer.discount > offer.price * 50%
       |                            ^^^^^^^^^^^ which one?
       = help: rename the attribute in catalog/attributes.yaml, so that it is clear which is meant
    ");
}
