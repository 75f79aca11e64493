//! Test of the page for authors: the bundle that it adds to holds its tests, and one that fails is told as shown.
//! Holds no page.

use std::sync::Arc;

use super::try_all;
use crate::policy::{Source, compile_with_tests};

const PAGE: &str = include_str!("../../docs/policies.md");

/// What `proffer policy init` writes, without its own tests.
const STARTER: [(&str, &str); 8] = [
    ("bundle.yaml", include_str!("../../commands/starter/bundle.yaml")),
    ("catalog/attributes.yaml", include_str!("../../commands/starter/catalog/attributes.yaml")),
    ("catalog/purposes.yaml", include_str!("../../commands/starter/catalog/purposes.yaml")),
    ("placements.yaml", include_str!("../../commands/starter/placements.yaml")),
    ("rules/10-consent.yaml", include_str!("../../commands/starter/rules/10-consent.yaml")),
    ("rules/20-margin.yaml", include_str!("../../commands/starter/rules/20-margin.yaml")),
    ("rules/30-caps.yaml", include_str!("../../commands/starter/rules/30-caps.yaml")),
    ("rules/40-offers.yaml", include_str!("../../commands/starter/rules/40-offers.yaml")),
];

/// The section of the page.
fn section() -> &'static str {
    PAGE.split("## Testing your rules").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap()
}

fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    section().split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The starter with the files of the page, one text replaced in them. The first line of a file is its name.
fn with(from: &str, to: &str) -> Vec<Source> {
    let named = |block: &str| (block.lines().next().unwrap().trim_start_matches("# ").to_owned(), block.to_owned());
    let starter = STARTER.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let files = starter.chain(blocks("yaml").into_iter().map(named));
    files.map(|(path, text)| Source { path, text: text.replacen(from, to, 1) }).collect()
}

fn failed(files: &[Source]) -> String {
    let (bundle, tests) = compile_with_tests(files)
        .unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
    let trial = try_all(&Arc::new(bundle), &tests);
    let gaps: Vec<&str> = trial.gaps().map(|(cover, _)| cover.rule.as_str()).collect();
    assert_eq!(gaps, ["margin.floor", "members.only"], "the page speaks of the others");
    trial.failed().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tests_on_the_page_hold() {
    assert_eq!(blocks("yaml").len(), 3);
    assert_eq!(failed(&with("", "")), "");
}

#[test]
fn the_failing_case_on_the_page_is_told_as_shown() {
    let (from, to) =
        ("silver-member\n    expect: {sandals: []}", "silver-member\n    expect: {sandals: [clearance.members]}");
    assert_eq!(failed(&with(from, to)), blocks("text")[0].trim_end());
}
