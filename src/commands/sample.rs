//! The sample shop inside the binary: the policy bundle of `policies/` and the world it is tried on. Compiles neither.

use proffer::policy::Source;

const POLICIES: [(&str, &str); 32] = [
    ("bundle.yaml", include_str!("../../policies/bundle.yaml")),
    ("catalog/attributes.yaml", include_str!("../../policies/catalog/attributes.yaml")),
    ("catalog/purposes.yaml", include_str!("../../policies/catalog/purposes.yaml")),
    ("placements.yaml", include_str!("../../policies/placements.yaml")),
    ("rules/10-consent.yaml", include_str!("../../policies/rules/10-consent.yaml")),
    ("rules/20-margin.yaml", include_str!("../../policies/rules/20-margin.yaml")),
    ("rules/30-caps.yaml", include_str!("../../policies/rules/30-caps.yaml")),
    ("rules/35-household.yaml", include_str!("../../policies/rules/35-household.yaml")),
    ("rules/40-offers.yaml", include_str!("../../policies/rules/40-offers.yaml")),
    ("rules/45-fairness.yaml", include_str!("../../policies/rules/45-fairness.yaml")),
    ("rules/50-slate.yaml", include_str!("../../policies/rules/50-slate.yaml")),
    ("rules/60-loyalty.yaml", include_str!("../../policies/rules/60-loyalty.yaml")),
    ("rules/70-cool-downs.yaml", include_str!("../../policies/rules/70-cool-downs.yaml")),
    ("rules/80-audiences.yaml", include_str!("../../policies/rules/80-audiences.yaml")),
    ("rules/80-prices.yaml", include_str!("../../policies/rules/80-prices.yaml")),
    ("rules/85-switches.yaml", include_str!("../../policies/rules/85-switches.yaml")),
    ("rules/90-budgets.yaml", include_str!("../../policies/rules/90-budgets.yaml")),
    ("tests/10-consent.test.yaml", include_str!("../../policies/tests/10-consent.test.yaml")),
    ("tests/20-margin.test.yaml", include_str!("../../policies/tests/20-margin.test.yaml")),
    ("tests/30-caps.test.yaml", include_str!("../../policies/tests/30-caps.test.yaml")),
    ("tests/35-household.test.yaml", include_str!("../../policies/tests/35-household.test.yaml")),
    ("tests/40-offers.test.yaml", include_str!("../../policies/tests/40-offers.test.yaml")),
    ("tests/45-fairness.test.yaml", include_str!("../../policies/tests/45-fairness.test.yaml")),
    ("tests/50-slate.test.yaml", include_str!("../../policies/tests/50-slate.test.yaml")),
    ("tests/60-loyalty.test.yaml", include_str!("../../policies/tests/60-loyalty.test.yaml")),
    ("tests/70-cool-downs.test.yaml", include_str!("../../policies/tests/70-cool-downs.test.yaml")),
    ("tests/80-audiences.test.yaml", include_str!("../../policies/tests/80-audiences.test.yaml")),
    ("tests/80-prices.test.yaml", include_str!("../../policies/tests/80-prices.test.yaml")),
    ("tests/85-switches.test.yaml", include_str!("../../policies/tests/85-switches.test.yaml")),
    ("tests/90-budgets.test.yaml", include_str!("../../policies/tests/90-budgets.test.yaml")),
    ("tests/fixtures/customers.yaml", include_str!("../../policies/tests/fixtures/customers.yaml")),
    ("tests/fixtures/offers.yaml", include_str!("../../policies/tests/fixtures/offers.yaml")),
];

/// The world that the demo runs on, as text.
pub const WORLD: &str = include_str!("../../simulators/shop.yaml");

/// The files of the sample bundle.
pub fn policies() -> Vec<Source> {
    POLICIES.iter().map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proffer::decision::trial::try_all;
    use proffer::domain::Timestamp;
    use proffer::policy::{Severity, compile_with_tests, lay_out, lint, schemas};

    use super::*;

    #[test]
    fn the_binary_carries_every_file_of_the_folder_as_it_is() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        assert_eq!(policies(), proffer::runtime::read_policies(&folder).unwrap());
    }

    #[test]
    fn the_tests_of_the_sample_bundle_hold_and_show_every_rule_from_both_sides() {
        let (bundle, tests) = compile_with_tests(&policies())
            .unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
        let trial = try_all(&Arc::new(bundle), &tests);
        let failed: Vec<String> = trial.failed().map(ToString::to_string).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n\n"));
        let gaps: Vec<String> = trial
            .gaps()
            .map(|(cover, gap)| format!("{}:{}: `{}`: {gap}; add it in tests/", cover.path, cover.line, cover.rule))
            .collect();
        assert!(gaps.is_empty(), "{}", gaps.join("\n"));
    }

    #[test]
    fn the_sample_bundle_has_rules_of_every_kind_one_on_trial_and_warnings_of_what_passed_alone() {
        let (bundle, tests) = compile_with_tests(&policies()).unwrap_or_else(|found| panic!("{found:?}"));
        let written = || bundle.rules.iter().filter(|rule| rule.place.1 > 0);
        let (_, schema) = schemas().into_iter().find(|(name, _)| *name == "rules").unwrap();
        let lists: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let shown: BTreeSet<&str> = written().map(|rule| rule.kind.list()).chain(["owner"]).collect();
        assert_eq!(shown, lists);
        assert_eq!(written().filter(|rule| rule.severity == Severity::Shadow).count(), 1);
        let linted = lint(&bundle, &tests, &[], Timestamp::parse("2026-03-02T12:00:00Z").unwrap());
        let told: Vec<&str> = linted.findings.iter().map(|finding| finding.message.as_str()).collect();
        let over = [
            "rule `override.early.access` is over since 2025-09-08T04:00:00.000Z",
            "rule `stop.lipstick` is over since 2025-10-10T14:00:00.000Z",
        ];
        assert_eq!((told.as_slice(), linted.unsettled.as_slice()), (&over[..], &[][..]));
        for source in policies() {
            let laid_out = lay_out(&source).ok();
            assert_eq!(laid_out.as_deref(), Some(source.text.as_str()), "{}: `proffer policy fmt`", source.path);
        }
    }
}
