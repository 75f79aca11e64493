//! Trials: what they compare, that it is what a decision finds, and how a mistake is told. Reads no file format.

use std::sync::Arc;

use super::{Trial, try_all};
use crate::bandit::DrawPurpose;
use crate::decision::{Ask, decide};
use crate::domain::DecisionId;
use crate::domain::key::GeneratorKey;
use crate::policy::{Bundle, Source, Tests, compile_with_tests};

const ATTRIBUTES: &str = "attributes:
  - {id: customer.tier, type: {enum: [bronze, gold]}}
  - {id: customer.visits, type: number}
  - {id: context.device, type: {enum: [desktop, mobile]}, class: public}
  - {id: offer.category, type: {enum: [shoes, home]}}
  - {id: offer.loyal, type: bool}
";

const PURPOSES: &str = "purposes:
  - {id: personal, dpv: Marketing, bases: {US: [consent]}, fallback: contextual}
  - {id: contextual, dpv: Marketing}
  - {id: service, dpv: Marketing, bases: {US: [consent]}}
  - {id: model_training, dpv: Marketing, bases: {US: [consent]}}
";

const PLACEMENTS: &str = "placements:
  - {id: home, channel: web, purpose: personal, currency: USD, slots: 3, reservation: 10m,
     objective: {kind: margin, window: 7d, reward_cap: 200.00}, strategy: {name: uniform, exploration: 1.0},
     features: [], holdout: 0%, fallback: {offer: house, variant: a}}
  - {id: desk, channel: store, purpose: service, currency: USD,
     objective: {kind: margin, window: 7d, reward_cap: 200.00}, strategy: {name: uniform, exploration: 1.0},
     features: [], holdout: 0%, fallback: {offer: house, variant: a}}
";

const RULES: &str = "owner: pricing
purpose_gates:
  - {id: gate.personal, why: notice 1, purpose: personal}
  - {id: gate.service, why: notice 2, purpose: service}
margin_floors:
  - {id: floor, why: memo 1, min_margin: 10%}
  - {id: floor.summer, why: memo 2, min_margin: 5.00 USD, effective: {from: 2026-06-01, time_zone: UTC}}
frequency_caps:
  - {id: cap, why: standard 1, scope: [customer, offer], max: 2, window: {rolling: 24h}, counts: decision}
  - {id: cap.seen, why: standard 2, scope: [customer], max: 3, window: {rolling: 7d}, counts: impression}
exclusions:
  - {id: loyal, why: plan 1, when: customer.tier == \"bronze\" && offer.loyal, on_missing: allow}
requirements:
  - {id: visits, why: plan 2, applies_to: {categories: [home]}, when: customer.visits >= 2}
stackability:
  - {id: stack, why: plan 3, exclusive_pairs: [[boots, lamp]]}
";

const FIXTURES: &str = "customers:
  - {id: ann, customer.tier: gold, customer.visits: 3, consents: {personal: granted, service: granted}}
offers:
  - {id: boots, category: shoes, price: 100.00 USD, cost_of_goods: 50.00 USD, offer.loyal: false}
  - {id: lamp, like: boots, category: home}
  - {id: house, like: boots}
";

const GIVEN: &str = "given: {placement: home, at: 2026-03-02 12:00, jurisdiction: US, customer: ann}\ncases:\n";

fn bundle(cases: &str) -> (Arc<Bundle>, Tests) {
    bundle_of(RULES, cases)
}

fn bundle_of(rules: &str, cases: &str) -> (Arc<Bundle>, Tests) {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let (bundle, tests) = compile_with_tests(&[
        file("bundle.yaml", "name: sample\nschema: 1\n"),
        file("catalog/attributes.yaml", ATTRIBUTES),
        file("catalog/purposes.yaml", PURPOSES),
        file("placements.yaml", PLACEMENTS),
        file("rules/10.yaml", rules),
        file("tests/fixtures/shop.yaml", FIXTURES),
        file("tests/a.test.yaml", &format!("{GIVEN}{cases}")),
    ])
    .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
    (Arc::new(bundle), tests)
}

fn trial(cases: &str) -> Trial {
    let (bundle, tests) = bundle(cases);
    try_all(&bundle, &tests)
}

/// What people see of the cases that fail.
fn told(cases: &str) -> String {
    trial(cases).failed().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Cases that hold, both sides of every rule among them.
const HOLD: &str = r"
  - {name: nothing speaks against it, expect: {boots: [], lamp: []}}
  - {name: no consent, consents: {personal: refused}, refused_by: [gate.personal], expect: {boots: [], lamp: [visits]}}
  - {name: no other purpose, placement: desk, consents: {service: withdrawn}, expect: {boots: [gate.service]}}
  - {name: a purpose of its own, placement: desk, expect: {boots: []}}
  - {name: dear, offer.cost_of_goods: 91.00 USD, expect: {boots: [floor], lamp: [floor]}}
  - {name: both, at: 2026-06-01 00:00, offer.cost_of_goods: 96.00 USD, expect: {boots: [floor, floor.summer]}}
  - {name: cheap in summer, at: 2026-06-01 00:00, expect: {boots: []}}
  - {name: often, history: [{offer: boots, ago: 1h, times: 2, seen: false}], expect: {boots: [cap], lamp: []}}
  - {name: seen, history: [{offer: boots, ago: 2d, times: 3}], expect: {boots: [cap.seen], lamp: [cap.seen]}}
  - {name: reserved, history: [{offer: lamp, ago: 9m, times: 3, seen: false}], expect: {boots: [cap.seen]}}
  - {name: released, history: [{offer: lamp, ago: 10m, times: 3, seen: false}], expect: {boots: []}}
  - {name: bronze, customer.tier: bronze, offer.loyal: true, expect: {boots: [loyal]}}
  - {name: unknown, customer.tier: ~, offer.loyal: true, expect: {boots: []}}
  - {name: behind the lamp, behind: [lamp], expect: {boots: [stack]}}
  - {name: behind another, behind: [house], expect: {boots: []}}
  - {name: one more counts, behind: [house, lamp], history: [{offer: lamp, ago: 1d}], expect: {boots: [cap.seen, stack]}}
  - {name: nobody, customer: nobody, refused_by: [gate.personal], expect: {boots: [cap, cap.seen]}}
";

#[test]
fn exactly_the_rules_that_leave_an_offer_out_are_compared_and_every_rule_is_counted_on_both_sides() {
    assert_eq!(told(HOLD), "");
    let covered = trial(HOLD);
    assert_eq!(covered.gaps().map(|(cover, gap)| (cover.rule.as_str(), gap)).collect::<Vec<_>>(), []);
    // Without its case each rule has a gap, and only it.
    for (case, expected) in [
        ("bronze", vec![("loyal", "no case in which it leaves an offer out")]),
        // Whoever is not known is counted by no cap.
        ("often", vec![("cap", "no case in which it leaves an offer out")]),
        ("behind another", vec![("stack", "no case in which it is asked and lets an offer through")]),
        ("a purpose of its own", vec![("gate.service", "no case in which it is asked and lets an offer through")]),
    ] {
        let fewer: Vec<&str> = HOLD.lines().filter(|line| !line.contains(&format!("name: {case},"))).collect();
        let trial = trial(&fewer.join("\n"));
        assert_eq!(trial.gaps().map(|(c, gap)| (c.rule.as_str(), gap)).collect::<Vec<_>>(), expected, "{case}");
    }
    let about = covered.about(&crate::domain::RuleId::new("loyal").unwrap());
    assert_eq!((about.cases.len(), about.rules.len()), (1, 1));
}

#[test]
fn gates_for_what_is_asked_whatever_a_decision_is_for_are_counted_on_both_sides() {
    let gate = "  - {id: gate.training, why: notice 3, purpose: model_training}\n";
    let guard = "audience_guards:\n  - {id: guard, why: law, when: customer.visits > 9, on_missing: allow}\n";
    let rules = RULES.replace("margin_floors:\n", &format!("{gate}{guard}margin_floors:\n"));
    let gaps = |cases: &str| -> Vec<(String, &'static str)> {
        let (bundle, tests) = bundle_of(&rules, cases);
        let trial = try_all(&bundle, &tests);
        assert_eq!(trial.failed().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
        let gates = trial.gaps().filter(|(cover, _)| ["gate.training", "gate.service"].contains(&cover.rule.as_str()));
        gates.map(|(cover, gap)| (cover.rule.to_string(), gap)).collect()
    };
    let yes = "  - {name: may, consents: {model_training: granted, service: granted}, expect: {boots: []}}\n";
    let no = "  - {name: may not, consents: {model_training: refused, service: refused}, expect: {boots: []}}\n";
    assert_eq!(gaps(&format!("{yes}{no}")), []);
    let both = |gap| vec![("gate.service".to_owned(), gap), ("gate.training".to_owned(), gap)];
    assert_eq!(gaps(yes), both("no case in which it leaves an offer out"));
    assert_eq!(gaps(no), both("no case in which it is asked and lets an offer through"));
}

#[test]
fn a_trial_finds_what_the_decision_finds() {
    let (bundle, tests) = bundle(HOLD);
    for case in tests.cases.iter().filter(|case| case.behind.is_empty()) {
        let snapshot = super::one::snapshot(&bundle, case);
        let states = super::one::states(&snapshot, case);
        let request = super::one::request(case);
        let ask = Ask {
            request: &request,
            request_digest: request.digest(),
            decision_id: DecisionId::from_parts(case.at.0, [1; 10]),
            id_minted: true,
            attempt: 0,
            purpose: DrawPurpose::Served,
            contended: false,
            purse: &crate::domain::Purse::default(),
        };
        let decision =
            decide(&snapshot, &ask, super::one::subjects(&states), &GeneratorKey { period: 1, key: [3; 32] }, case.at)
                .unwrap();
        let mut found = Vec::new();
        for row in &decision.skeleton.candidates {
            let (offer, _) = snapshot.catalogue.at(row.candidate.unwrap() as usize).unwrap();
            let rules = row.failed.iter().map(|failed| bundle.rule(failed.rule).unwrap().id.clone());
            let mut rules: Vec<_> = rules.collect();
            rules.sort();
            found.push((offer.offer_id.clone(), rules));
        }
        let mut expected: Vec<_> =
            case.expected.iter().map(|expected| (expected.offer.clone(), expected.excluded_by.clone())).collect();
        expected.sort();
        assert_eq!(found, expected, "{}", case.name);
    }
}

#[test]
fn a_case_that_fails_says_what_was_given_what_came_and_why() {
    insta::assert_snapshot!(
        told(r"
  - name: dear boots
    time_zone: America/New_York
    offer.cost_of_goods: 95.00 USD
    history: [{offer: boots, ago: 1h, times: 2}]
    context.device: mobile
    basket: [20.00 USD, {sku: socks, category: shoes, quantity: 2, price: 5.00 USD}]
    expect: {boots: [floor.summer, loyal, visits, stack, cap.seen], lamp: [floor, visits]}
"), @r#"
    tests/a.test.yaml:4: dear boots
      given     `home` at Mon 2026-03-02 12:00 (America/New_York), US
                `ann`: tier gold, visits 3, personal granted, service granted, 2 shown before
                context.device mobile
                in the basket: 1 thing at 20.00 USD, 2 socks (shoes) at 5.00 USD
      `boots`:  price 100.00 USD, margin 5.00 USD (5%), category shoes, loyal false
        expected  `cap.seen`, `floor.summer`, `loyal`, `stack`, `visits`
        came      `cap`, `floor`
        too much  `floor` (memo 1): margin 5% is under the floor of 10%
        too much  `cap` (standard 1): the cap of 2 decisions per customer and offer in 24h is reached: 2 counted
        missing   `cap.seen` (standard 2): 2 of 3 are counted in 7d
        missing   `floor.summer` (memo 2): it is not in effect then, only from 2026-06-01 (UTC)
        missing   `loyal` (plan 1): `customer.tier == "bronze" && offer.loyal` does not hold (customer.tier is gold,
                    offer.loyal is false)
        missing   `stack` (plan 3): it is asked only where something stands before: add `behind: [...]`
        missing   `visits` (plan 2): `applies_to` leaves this offer out
      `lamp`:   price 100.00 USD, margin 5.00 USD (5%), category home, loyal false
        expected  `floor`, `visits`
        came      `floor`
        missing   `visits` (plan 2): `customer.visits >= 2` holds (customer.visits is 3)
    "#);
    insta::assert_snapshot!(
        told(r"
  - {name: without consent, consents: {personal: refused}, expect: {lamp: []}}
  - {name: the wrong gate, refused_by: [gate.personal, gate.service], expect: {boots: [gate.service]}}
  - {name: the fallback, expect: {house: [floor]}}
  - {name: not beside it, behind: [lamp], expect: {boots: []}}
  - {name: nobody, customer: nobody, refused_by: [gate.personal], expect: {boots: []}}
"), @r"
    tests/a.test.yaml:4: without consent
      given     `home` at Mon 2026-03-02 12:00 (UTC), US
                `ann`: tier gold, visits 3, personal refused, service granted
                `personal` is refused: `contextual` instead, and nothing personal is read
      gates     what is to refuse the purpose, `refused_by`
        expected  no gate refuses the purpose
        came      `gate.personal`
        too much  `gate.personal` (notice 1): no consent for `personal` is in force; if that is meant, add `refused_by:
                    [gate.personal]`, otherwise `consents: {personal: granted}`
      `lamp`:   price 100.00 USD, margin 50.00 USD (50%), category home, loyal false
        expected  no rule leaves it out
        came      `visits`
        too much  `visits` (plan 2): `customer.visits >= 2` does not hold, or a value that it needs is missing
                    (customer.visits is not read without consent)
    tests/a.test.yaml:5: the wrong gate
      given     `home` at Mon 2026-03-02 12:00 (UTC), US
                `ann`: tier gold, visits 3, personal granted, service granted
      gates     what is to refuse the purpose, `refused_by`
        expected  `gate.personal`, `gate.service`
        came      no gate refuses the purpose
        missing   `gate.personal` (notice 1): a consent for `personal` is in force
        missing   `gate.service` (notice 2): it guards `service`, and `home` asks for `personal`
      `boots`:  price 100.00 USD, margin 50.00 USD (50%), category shoes, loyal false
        expected  `gate.service`
        came      no rule leaves it out
        missing   `gate.service` (notice 2): it leaves out every offer or none; a refusal goes into `refused_by`
    tests/a.test.yaml:6: the fallback
      given     `home` at Mon 2026-03-02 12:00 (UTC), US
                `ann`: tier gold, visits 3, personal granted, service granted
      `house`:  price 100.00 USD, margin 50.00 USD (50%), category shoes, loyal false
        expected  `floor`
        came      it is no candidate
        too much  `house` is no candidate here, so that no rule is asked: it is what `home` falls back to
    tests/a.test.yaml:7: not beside it
      given     `home` at Mon 2026-03-02 12:00 (UTC), US
                `ann`: tier gold, visits 3, personal granted, service granted
                in the slots before: lamp
      `boots`:  price 100.00 USD, margin 50.00 USD (50%), category shoes, loyal false
        expected  no rule leaves it out
        came      `stack`
        too much  `stack` (plan 3): `boots` with `lamp` do not stand in one answer, and the other stood there
    tests/a.test.yaml:8: nobody
      given     `home` at Mon 2026-03-02 12:00 (UTC), US
                nobody is known
                `personal` is refused: `contextual` instead, and nothing personal is read
      `boots`:  price 100.00 USD, margin 50.00 USD (50%), category shoes, loyal false
        expected  no rule leaves it out
        came      `cap`, `cap.seen`
        too much  `cap` (standard 1): the cap of 2 decisions per customer and offer in 24h leaves no room: nobody is
                    known to count for
        too much  `cap.seen` (standard 2): the cap of 3 impressions per customer in 7d leaves no room: nobody is known
                    to count for
    ");
}

#[test]
fn rules_on_trial_leave_nothing_out_and_a_case_says_exactly_which_of_them_spoke() {
    let rules = "owner: pricing
margin_floors:
  - {id: floor, why: memo 1, min_margin: 60%, severity: shadow}
  - {id: floor.eu, why: memo 2, min_margin: 70%, applies_to: {regions: [EU]}}
frequency_caps:
  - {id: cap, why: standard 1, scope: [customer], max: 1, window: {rolling: 24h}, counts: decision, severity: warn}
stackability:
  - {id: stack, why: plan 3, exclusive_pairs: [[boots, lamp]], severity: warn}
";
    let tried = |case: &str| {
        let (bundle, tests) = bundle_of(rules, case);
        let trial = try_all(&bundle, &tests);
        trial.failed().map(ToString::to_string).collect::<String>()
    };
    for holds in [
        "  - {name: a, expect: {boots: []}, notes: {boots: [floor]}}\n",
        "  - {name: b, behind: [lamp], expect: {boots: []}, notes: {boots: [cap, floor, stack]}}\n",
        "  - {name: d, jurisdiction: DE, expect: {boots: [floor.eu]}, notes: {boots: floor}}\n",
        // What may lie in the EU is left out.
        "  - {name: e, jurisdiction: ~, expect: {boots: [floor.eu]}, notes: {boots: floor}}\n",
    ] {
        assert_eq!(tried(holds), "", "{holds}");
    }
    let told = tried("  - {name: f, expect: {boots: [floor]}}\n");
    assert!(told.contains("its `severity` leaves no offer out, it only speaks: write it in `notes`"), "{told}");
    assert!(tried("  - {name: g, expect: {boots: []}}\n").contains("came      `floor`"));
}
