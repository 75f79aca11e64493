//! Golden text of author mistakes in delays and learned values, and what is read where there are none. Not the others.

use crate::domain::{OfferId, Percent, Placement, Span, ValueSource};
use crate::policy::compile;
use crate::policy::sample::{PLACEMENTS, files, wrong};

/// A placement with lines more.
fn with(lines: &str) -> Placement {
    let mut files = files();
    for file in files.iter_mut().filter(|file| file.path == PLACEMENTS) {
        file.text = file.text.replacen("    strategy:", &format!("    {lines}\n    strategy:"), 1);
    }
    compile(&files).unwrap().placement("home_banner").unwrap().clone()
}

fn mistaken(lines: &str) -> String {
    wrong(PLACEMENTS, "    strategy:", &format!("    {lines}\n    strategy:"))
}

#[test]
fn a_curve_is_read_with_those_of_offers() {
    let placement = with(
        "delay: {version: 3, steps: [{age: 0s, share: 20%}, {age: 1h, share: 100%}], \
         offers: [{offers: [sofa, bed], steps: [{age: 7d, share: 62.5%}]}]}",
    );
    let delay = placement.delay.unwrap();
    assert_eq!((delay.version, delay.curve.reached(Span(0)), delay.curve.share(1)), (3, 1, Percent(2_000)));
    let of = |offer: &str| delay.curve_of(&OfferId::new(offer).unwrap()).share(9);
    assert_eq!([of("bed"), of("sofa"), of("boots")], [Percent(6_250), Percent(6_250), Percent(10_000)]);
}

#[test]
fn a_curve_rises_and_ends() {
    let steps = |steps: &str| mistaken(&format!("delay: {{version: 1, steps: [{steps}]}}"));
    insta::assert_snapshot!(steps("{age: 1h, share: 30%}, {age: 10m, share: 100%}"), @r"
    error[P0230]: placement `home_banner`: delay: an age that is not behind the one before
     --> placements.yaml:9:56
      |
    9 |     delay: {version: 1, steps: [{age: 1h, share: 30%}, {age: 10m, share: 100%}]}
      |                                                        ^ no curve
      = help: order the steps by age, each age once
    ");
    let check = |text: &str, expected: &[&str]| {
        let told = steps(text);
        assert!(expected.iter().all(|expected| told.contains(expected)), "{told}");
    };
    let share = "placement `home_banner`: delay: a share that is not above the one before";
    check("{age: 1h, share: 30%}, {age: 2h, share: 30%}", &[share, "it rises, from above 0%"]);
    let unfinished = "delay: a curve that ends below 100% before the window does";
    check("{age: 1h, share: 30%}, {age: 2h, share: 99%}", &[unfinished, "end at `share: 100%`", "`age: 7d`"]);
    check("{age: 8d, share: 100%}", &["delay: an age behind the window", "an order later than `window: 7d`"]);
    check("", &["delay: a curve needs a step", "or leave `delay` out"]);
    let many: Vec<String> = (1..=17).map(|age| format!("{{age: {age}m, share: {age}%}}")).collect();
    check(&many.join(", "), &["delay: 17 steps", "16 at most"]);
    let own = "{offers: [a], steps: [{age: 1h, share: 100%}]}";
    let twice = mistaken(&format!("delay: {{version: 1, steps: [{{age: 1h, share: 100%}}], offers: [{own}, {own}]}}"));
    assert!(twice.contains("offer `a` has two curves") && twice.contains("name each offer once"), "{twice}");
}

#[test]
fn only_margins_are_learned() {
    assert_eq!(with("exposure: decision").objective.value, ValueSource::Catalogue);
    let learned = "objective: {kind: margin, value: learned, ";
    let mut files = files();
    for file in files.iter_mut().filter(|file| file.path == PLACEMENTS) {
        file.text = file.text.replacen("objective: {kind: margin, ", learned, 1);
    }
    let placement = compile(&files).unwrap().placement("home_banner").unwrap().clone();
    assert_eq!(placement.objective.value, ValueSource::Learned { orders: 20 });
    let wrong = |to: &str| wrong(PLACEMENTS, "objective: {kind: margin, ", to);
    insta::assert_snapshot!(wrong("objective: {kind: conversion, value: learned, "), @r"
    error[P0231]: placement `home_banner`: objective: a learned value that nothing is ranked by
     --> placements.yaml:7:17
      |
    7 |     objective: {kind: conversion, value: learned, window: 7d, reward_cap: 200.00}
      |                 ^^^^ every acceptance counts alike
      = help: write `kind: margin`, or leave `value` out
    ");
    let alone = wrong("objective: {kind: margin, value_orders: 5, ");
    assert!(alone.contains("objective: `value_orders` without `value: learned`"), "{alone}");
}
