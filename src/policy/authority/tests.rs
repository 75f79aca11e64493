//! What people must approve: found in a bundle, missing in words, judged by the time. Keeps no approval.

use super::*;
use crate::domain::{Catalogue, Digest, Offer, Timestamp};
use crate::policy::{Bundle, Finding, Source, compile};

const ATTRIBUTES: &str = "attributes:
  - {id: customer.tier, type: {enum: [bronze, gold]}, class: personal, source: crm, owner: crm-team}
  - {id: customer.age, type: number, class: protected}
  - {id: context.device, type: {enum: [web, app]}}
";
const PLACEMENTS: &str = "placements:
  - id: home
    channel: web
    purpose: p
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: thompson_linear, half_life: 60d, exploration: 0.05}
    features: [context.device, customer.tier * context.device]
    holdout: 0%
    fallback: {offer: house, variant: a}
";
const RULES: &str = "owner: shop
exclusions:
  - id: bronze
    why: Not for customer.tier bronze
    when: >
      context.device == \"app\"
      && customer.tier == \"bronze\"
audience_guards:
  - {id: minors, why: Law, audience: minors, attribute: customer.age}
price_personalisation:
  - {id: prices, why: Law, allowed: [customer.tier], disclosure: Yours}
";

const BOTH: &str = "approvers: {attributes: [personal, protected]}\n";

fn files(approvers: &str, attributes: &str) -> Vec<Source> {
    let file = |path: &str, text: String| Source { path: path.to_owned(), text };
    vec![
        file("bundle.yaml", format!("name: sample\nschema: 1\n{approvers}")),
        file("catalog/attributes.yaml", attributes.to_owned()),
        file("catalog/purposes.yaml", "purposes:\n  - {id: p, dpv: Marketing}\n".to_owned()),
        file("placements.yaml", PLACEMENTS.to_owned()),
        file("rules/a.yaml", RULES.to_owned()),
    ]
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

fn bundle(approvers: &str) -> Bundle {
    compile(&files(approvers, ATTRIBUTES)).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

/// What an author is told of `approvers`.
fn refused(approvers: &str) -> String {
    shown(&compile(&files(approvers, ATTRIBUTES)).expect_err("it compiled"))
}

const NOW: Timestamp = Timestamp(1_772_357_400_000);
const DAY: i64 = 86_400_000;

fn given(id: u64, matter: &Matter, pinned: Digest, (by, authority): (&str, Authority)) -> Given {
    Given {
        id,
        matter: matter.clone(),
        pinned,
        authority,
        at: Timestamp(NOW.0 - DAY),
        by: by.to_owned(),
        expires: Timestamp(NOW.0 + DAY),
        note: String::new(),
        revoked: None,
    }
}

const PRIVACY: Authority = Authority::Privacy;
const BUSINESS: Authority = Authority::Business;

/// Both approvals of every use, by two people.
fn all(bundle: &Bundle) -> Vec<Given> {
    let mut all = Vec::new();
    for of in bundle.uses.distinct().into_keys() {
        let (matter, pinned) = (Matter::Use(of.clone()), bundle.definition(&of.attribute).unwrap());
        for who in [("jane", PRIVACY), ("joe", BUSINESS)] {
            all.push(given(all.len() as u64 + 1, &matter, pinned, who));
        }
    }
    all
}

/// The approvals of one use.
fn of<'g>(all: &'g mut [Given], attribute: &str, use_case: UseCase) -> Vec<&'g mut Given> {
    let is = |given: &&mut Given| match &given.matter {
        Matter::Use(of) => of.attribute.as_str() == attribute && of.use_case == use_case,
        _ => false,
    };
    all.iter_mut().filter(is).collect()
}

#[test]
fn every_use_is_found_with_its_purpose_and_its_place() {
    let bundle = bundle(BOTH);
    let told: Vec<String> =
        bundle.uses.sites.iter().map(|site| format!("{} {}: {}", site.by, site.at, site.of)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    placement `home` placements.yaml:8:32: `customer.tier` as `feature` for `p`
    rule `bronze` rules/a.yaml:7:10: `customer.tier` as `rule` for `p`
    rule `minors` rules/a.yaml:9:57: `customer.age` as `guard` for `service`
    rule `prices` rules/a.yaml:11:38: `customer.tier` as `price` for `price_personalisation`
    ");
    assert_eq!(Demands::of(&bundle.sources), bundle.demands);
    let protected = compile(&files("approvers: {attributes: [protected]}\n", ATTRIBUTES)).unwrap();
    assert_eq!(protected.uses.sites.len(), 1);
    assert_eq!(compile(&files("", ATTRIBUTES)).unwrap().uses, Uses::default());
    // What this build no longer compiles asks for as much as it did.
    let mut outdated = files(BOTH, ATTRIBUTES);
    outdated[4].text.push_str("no_longer_a_list: []\n");
    assert!(compile(&outdated).is_err());
    assert_eq!(Demands::of(&outdated), bundle.demands);
}

#[test]
fn an_approval_for_one_purpose_or_use_case_is_none_for_another() {
    let mut files = files(BOTH, ATTRIBUTES);
    let home = PLACEMENTS.split_once('\n').unwrap().1;
    let mail = home.replace("id: home", "id: mail").replace("purpose: p", "purpose: q");
    files[3].text.push_str(&mail);
    files[2].text.push_str("  - {id: q, dpv: Marketing}\n");
    let bundle = compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let all = all(&bundle);
    for left in bundle.uses.distinct().into_keys() {
        let others: Vec<Given> =
            all.iter().filter(|given| given.matter != Matter::Use(left.clone())).cloned().collect();
        let findings = lacking(&bundle, &others, NOW);
        let [one] = findings.as_slice() else { panic!("{left}: {}", shown(&findings)) };
        assert!(one.message.contains(&format!(": {left}")), "{left}: {}", one.message);
        let approved = Approved::of(&bundle, &Catalogue::default(), &others);
        for of in bundle.uses.distinct().into_keys() {
            assert_eq!(approved.allows(of, NOW), of != left, "{of} without {left}");
        }
    }
    assert_eq!(bundle.uses.distinct().len(), 6, "features and rules for two purposes, a guard, prices");
}

#[test]
fn what_nobody_approved_is_told_with_its_place_and_the_command_that_mends_it() {
    let bundle = bundle(BOTH);
    let findings = lacking(&bundle, &[], NOW);
    assert_eq!(findings.len(), 4);
    assert_eq!(lacking(&bundle, &all(&bundle), NOW), []);
    let hash = print_hash(bundle.definition(&crate::domain::AttributeId::parse("customer.tier").unwrap()).unwrap());
    insta::assert_snapshot!(findings[0].to_string().replace(&hash, "b3:HASH"), @r"
    error[P0501]: placement `home`: `customer.tier` as `feature` for `p`: nobody approved it for `privacy`; nobody approved it for `business`
     --> placements.yaml:8:32
      |
    8 |     features: [context.device, customer.tier * context.device]
      |                                ^^^^^^^^^^^^^ not approved
      = help: two people whose keys have the roles `approve:privacy` and `approve:business` run, each for
              themselves, `proffer policy approve customer.tier --purpose p --use-case feature --hash
              b3:HASH`; `proffer policy approvals
              DIR` on its folder shows how everything stands
    ");
}

/// What is told of the one use that lacks something.
fn told(change: impl FnOnce(&mut Vec<Given>)) -> String {
    let bundle = bundle(BOTH);
    let mut given = all(&bundle);
    change(&mut given);
    let findings = lacking(&bundle, &given, NOW);
    let [one] = findings.as_slice() else { panic!("{}", shown(&findings)) };
    let help = one.help.clone().unwrap_or_default();
    let way_out =
        help.split(" runs `").next().unwrap_or_default().split(" run, ").next().unwrap_or_default().to_owned();
    format!("{} {}: {} ({})\n{way_out}", one.code, one.label, one.message, one.path)
}

#[test]
fn an_expired_a_revoked_a_voided_approval_and_one_person_for_both_are_told_apart() {
    insta::assert_snapshot!(told(|all| of(all, "customer.tier", UseCase::Rule)[1].expires = NOW), @r"
    P0502 approval expired: rule `bronze`: `customer.tier` as `rule` for `p`: the approval for `business` by `joe` expired at 2026-03-01T09:30:00.000Z (rules/a.yaml)
    somebody other than `jane` whose key has the role `approve:business`
    ");
    let revoke = |all: &mut Vec<Given>| {
        let revoked = Revocation { sequence: 90, at: NOW, by: "ann".to_owned(), note: "complaint 12".to_owned() };
        of(all, "customer.tier", UseCase::Price)[0].revoked = Some(revoked);
    };
    insta::assert_snapshot!(told(revoke), @r"
    P0503 approval taken back: rule `prices`: `customer.tier` as `price` for `price_personalisation`: the approval for `privacy` by `jane` was taken back by `ann` at 2026-03-01T09:30:00.000Z (complaint 12) (rules/a.yaml)
    somebody other than `joe` whose key has the role `approve:privacy`
    ");
    let edit = |all: &mut Vec<Given>| {
        for given in of(all, "customer.age", UseCase::Guard) {
            given.pinned = Digest([9; 32]);
        }
    };
    insta::assert_snapshot!(told(edit), @r"
    P0504 edited since it was approved: rule `minors`: `customer.age` as `guard` for `service`: the approval for `privacy` by `jane` of 2026-02-28T09:30:00.000Z is for what it was then: it was edited since; the approval for `business` by `joe` of 2026-02-28T09:30:00.000Z is for what it was then: it was edited since (rules/a.yaml)
    two people whose keys have the roles `approve:privacy` and `approve:business`
    ");
    insta::assert_snapshot!(told(|all| of(all, "customer.tier", UseCase::Rule)[1].by = "Jane".to_owned()), @r"
    P0505 approved by one person alone: rule `bronze`: `customer.tier` as `rule` for `p`: `Jane` approved it for both: `business` needs another person (rules/a.yaml)
    somebody other than `jane` whose key has the role `approve:business`
    ");
    insta::assert_snapshot!(told(|all| of(all, "customer.tier", UseCase::Rule)[0].authority = BUSINESS), @r"
    P0501 not approved: rule `bronze`: `customer.tier` as `rule` for `p`: nobody approved it for `privacy` (rules/a.yaml)
    somebody other than `joe` whose key has the role `approve:privacy`
    ");
}

#[test]
fn whoever_edits_a_definition_voids_its_approvals_and_no_others() {
    let before = bundle(BOTH);
    let given = all(&before);
    let check = |from: &str, to: &str, voided: usize| {
        assert!(ATTRIBUTES.contains(from), "{from}");
        let after =
            compile(&files(BOTH, &ATTRIBUTES.replacen(from, to, 1))).unwrap_or_else(|f| panic!("{}", shown(&f)));
        let findings = lacking(&after, &given, NOW);
        assert_eq!(findings.len(), voided, "{from} to {to}: {}", shown(&findings));
        assert!(findings.iter().all(|finding| finding.code == crate::policy::codes::APPROVAL_VOIDED));
    };
    check("owner: crm-team", "owner: marketing", 3);
    check("source: crm", "source: broker", 3);
    check("[bronze, gold]", "[bronze, gold, black]", 3);
    check("class: personal, source", "class: personal, time_to_live: 90d, source", 3);
    check("class: protected", "class: protected, source: shop", 1);
    check("type: number", "type: bool", 1);
    // Neither comments nor layout.
    check("attributes:\n", "# All that is known.\nattributes:\n", 0);
    check("class: personal, source: crm", "source: crm, class: personal", 0);
    let derived = "class: protected}\n  - {id: customer.birthday, type: date, class: protected}\n";
    check("class: protected}\n", derived, 0);
    check(
        "class: protected}\n",
        &derived.replacen("protected}", "protected, derived_from: [customer.birthday]}", 1),
        1,
    );
}

#[test]
fn an_approval_counts_until_its_end_and_the_pair_that_lasts_longest_counts() {
    let bundle = bundle(BOTH);
    let catalogue = Catalogue::default();
    let mut given = all(&bundle);
    let (matter, pinned) = (given[0].matter.clone(), given[0].pinned);
    let Matter::Use(first) = matter.clone() else { panic!() };
    let until = |given: &[Given]| {
        let approved = Approved::of(&bundle, &catalogue, given);
        (-2..40).rev().find(|day| approved.allows(&first, Timestamp(NOW.0 + day * DAY)))
    };
    // It ends at the instant itself.
    assert_eq!(until(&given), Some(0));
    let approved = Approved::of(&bundle, &catalogue, &given);
    assert!(approved.allows(&first, Timestamp(NOW.0 + DAY - 1)) && !approved.allows(&first, Timestamp(NOW.0 + DAY)));
    // One longer approval alone does not help, two do, by one person they do not.
    let renewed =
        |id, who, days: i64| Given { expires: Timestamp(NOW.0 + days * DAY), ..tests::given(id, &matter, pinned, who) };
    given.push(renewed(50, ("jane", PRIVACY), 30));
    assert_eq!(until(&given), Some(0));
    given.push(renewed(51, ("jane", BUSINESS), 30));
    assert_eq!(until(&given), Some(0));
    given.push(renewed(52, ("ann", BUSINESS), 20));
    assert_eq!(until(&given), Some(19));
    given.retain(|given| given.by != "joe" && given.by != "ann");
    assert_eq!(until(&given), None);
    assert!(Approved::everything().allows(&first, NOW));
}

fn offer(text: &str) -> Offer {
    let whole = format!(
        r#"{{"offer_id": "boots", "price": {{"amount": "80.00", "currency": "USD"}}, {text}
        "variants": [{{"variant_id": "b", "content": {{"headline": "B"}}}}, {{"variant_id": "a"}}]}}"#
    );
    serde_json::from_str(&whole).unwrap()
}

#[test]
fn an_offer_is_approved_as_it_is_shown_in_one_variant_or_in_all() {
    let bundle = bundle("approvers: {offers: [business]}\n");
    assert_eq!(bundle.rule(bundle.approval_rule().unwrap()).unwrap().id.as_str(), "proffer.approval");
    assert_eq!(compile(&files("", ATTRIBUTES)).unwrap().approval_rule(), None);
    let catalogue = |text: &str| Catalogue::new(1, vec![offer(text)], Vec::new());
    let variant = |id: &str| Matter::Offer {
        offer_id: crate::domain::OfferId::new("boots").unwrap(),
        variant_id: (!id.is_empty()).then(|| crate::domain::VariantId::new(id).unwrap()),
    };
    let withheld = |given: &[Given], text: &str| {
        let approved = Approved::of(&bundle, &catalogue(text), given);
        [0, 1].map(|at| approved.withholds(at, NOW).is_some())
    };
    let shown = catalogue("");
    let (boots, a) = (&shown.offers()[0], &shown.offers()[0].variants[0]);
    assert_eq!(withheld(&[], ""), [true, true]);
    let one = given(1, &variant("a"), creative(boots, a), ("joe", BUSINESS));
    assert_eq!(withheld(std::slice::from_ref(&one), ""), [false, true]);
    let privacy = Given { authority: PRIVACY, ..one.clone() };
    assert_eq!(withheld(&[privacy], ""), [true, true]);
    let whole = given(2, &variant(""), whole_offer(boots), ("joe", BUSINESS));
    assert_eq!(withheld(std::slice::from_ref(&whole), ""), [false, false]);
    // What nobody sees changes by the hour; what is promised is approved anew.
    let hidden = r#""stock": 3, "status": "active", "shipping": {"amount": "3.00", "currency": "USD"},"#;
    assert_eq!(withheld(&[one.clone(), whole.clone()], hidden), [false, false]);
    let dearer = r#""discount": {"amount": "1.00", "currency": "USD"},"#;
    assert_eq!(withheld(&[one.clone(), whole.clone()], dearer), [true, true]);
    let ended = Given { expires: NOW, ..whole };
    let approved = Approved::of(&bundle, &shown, &[ended]);
    assert_eq!(approved.withholds(0, NOW), Some(Some(NOW)));
    assert_eq!(approved.withholds(0, Timestamp(NOW.0 - 1)), None);
}

#[test]
fn a_bundle_that_asks_for_less_than_the_one_in_force_needs_both_authorities() {
    let strict = "approvers: {attributes: [personal, protected], offers: [business], bundle: [privacy]}\n";
    let (in_force, less) = (bundle(strict).demands, bundle(BOTH));
    let told = shown(&weakened(&less, &in_force, &[], NOW)).replace(&print_hash(less.hash), "b3:HASH");
    insta::assert_snapshot!(told, @r"
    error[P0506]: bundle: it no longer asks for approval of `offers: business` and `bundle: privacy`, as the bundle in force does: nobody approved it for `privacy`; nobody approved it for `business`
     --> bundle.yaml
      = help: two people whose keys have the roles `approve:privacy` and `approve:business` run, each for
              themselves, `proffer policy approve --bundle --hash
              b3:HASH`; `proffer policy approvals
              DIR` on its folder shows how everything stands; or ask for it as before, in bundle.yaml:
              `approvers: {attributes: [personal, protected], offers: [business], bundle: [privacy]}`
    ");
    assert_eq!(weakened(&bundle(strict), &in_force, &[], NOW), []);
    assert_eq!(weakened(&bundle(strict), &less.demands, &[], NOW), [], "more is no less");
    let other = given(1, &Matter::Bundle, Digest([7; 32]), ("joe", BUSINESS));
    let told = shown(&weakened(&less, &in_force, &[other], NOW));
    let another = format!(
        "what `joe` approved for `business` at 2026-02-28T09:30:00.000Z is another bundle, b3:{}",
        "07".repeat(32)
    );
    assert!(told.contains(&another), "{told}");
    let approve = |id, who| given(id, &Matter::Bundle, less.hash, who);
    assert_eq!(weakened(&less, &in_force, &[approve(1, ("joe", BUSINESS))], NOW).len(), 1);
    let both = [approve(1, ("joe", BUSINESS)), approve(2, ("jane", PRIVACY))];
    assert_eq!(weakened(&less, &in_force, &both, NOW), []);
}

#[test]
fn what_approvers_say_is_checked() {
    let check = |approvers: &str, expected: &[&str]| {
        let told = refused(approvers);
        let found: Vec<&str> = told.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!(found, expected, "{told}");
    };
    check("approvers: {}\n", &["error[P0116]: bundle: approvers: nothing is said"]);
    let unknown = |list: &str, what: &str, name: &str| {
        format!("error[P0106]: bundle: approvers: {list}: unknown {what} `{name}`")
    };
    let meant = unknown("attributes", "class", "personel") + "; did you mean `personal`?";
    let (public, empty) =
        (unknown("attributes", "class", "public"), "error[P0116]: bundle: approvers: offers: an empty list");
    check("approvers: {attributes: [personel, public], offers: []}\n", &[&meant, &public, empty]);
    let legal = unknown("bundle", "authority", "legal");
    check("approvers: {bundle: [legal]}\n", &[&legal]);
    let twice = "error[P0117]: bundle: approvers: bundle: `privacy` appears twice in the list";
    check("approvers: {bundle: [privacy, privacy]}\n", &[twice]);
    let misspelt = "error[P0101]: bundle: approvers: unknown field `offer`; did you mean `offers`?";
    check("approvers: {offer: [business]}\n", &[misspelt]);
}
