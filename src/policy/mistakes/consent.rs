//! Golden text of author mistakes about consent: gates, signals and the vocabulary of purposes. Not the others.

use crate::policy::sample::{CONSENT, PURPOSES, wrong};

/// The gate with one more field.
fn gated(field: &str) -> String {
    let purpose = "    purpose: offer_personalisation\n";
    wrong(CONSENT, purpose, &format!("{purpose}    {field}\n"))
}

#[test]
fn a_gate_asks_for_what_its_purpose_allows() {
    insta::assert_snapshot!(gated("bases: [consent, contract]"), @r"
    error[P0323]: rule `consent.personal`: purpose `offer_personalisation` allows the basis `contract` nowhere
     --> rules/10-consent.yaml:7:22
      |
    7 |     bases: [consent, contract]
      |                      ^^^^^^^^ lets nobody through
      = help: add it to the `bases` of the purpose in catalog/purposes.yaml where the law allows it, or remove
              it
    ");
    insta::assert_snapshot!(gated("bases: []"), @r"
    error[P0116]: rule `consent.personal`: an empty list
     --> rules/10-consent.yaml:7:12
      |
    7 |     bases: []
      |            ^ nothing in it
      = help: such a gate would refuse everyone; leave `bases` out to let through every basis of the purpose
    ");
    insta::assert_snapshot!(gated("consent_age: 1y"), @r"
    error[P0104]: rule `consent.personal`: `1y` is not a span of time
     --> rules/10-consent.yaml:7:18
      |
    7 |     consent_age: 1y
      |                  ^^ expected a span such as `24h` or `7d`
      = help: expected a whole number with `s`, `m`, `h` or `d`, such as `24h`, at most ten years
    ");
    insta::assert_snapshot!(gated("channel_opt_in: yes"), @r"
    error[P0115]: rule `consent.personal`: `yes` is not `true` or `false`
     --> rules/10-consent.yaml:7:21
      |
    7 |     channel_opt_in: yes
      |                     ^^^ write `true`
    ");
}

#[test]
fn where_a_gate_holds_is_said_as_for_every_rule() {
    insta::assert_snapshot!(gated("jurisdictions: [EU]"), @r"
    error[P0101]: rule `consent.personal`: unknown field `jurisdictions`; did you mean `applies_to: {regions: [EU]}`?
     --> rules/10-consent.yaml:7:5
      |
    7 |     jurisdictions: [EU]
      |     ^^^^^^^^^^^^^ unknown field
      = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
              `overridable`, `purpose`, `bases`, `channel_opt_in`, `consent_age`
    ");
}

#[test]
fn a_purpose_is_one_of_the_vocabulary_and_obeys_a_signal_by_its_gates() {
    insta::assert_snapshot!(wrong(PURPOSES, "dpv: Marketing", "dpv: DirectMarketng"), @r"
    error[P0325]: purpose `offer_contextual`: `DirectMarketng` is no purpose of the W3C Data Privacy Vocabulary; did you mean `DirectMarketing`?
      --> catalog/purposes.yaml:12:10
       |
    12 |     dpv: DirectMarketng
       |          ^^^^^^^^^^^^^^ not a purpose there
       = help: write a term of https://w3id.org/dpv#vocab-purposes, its IRI, or the IRI of a purpose in another
               vocabulary
    ");
    insta::assert_snapshot!(wrong(PURPOSES, "dpv: Marketing", "dpv: https://w3id.org/dpv#Sales"), @r"
    error[P0325]: purpose `offer_contextual`: `https://w3id.org/dpv#Sales` is no purpose of the W3C Data Privacy Vocabulary
      --> catalog/purposes.yaml:12:10
       |
    12 |     dpv: https://w3id.org/dpv#Sales
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^ not a purpose there
       = help: write a term of https://w3id.org/dpv#vocab-purposes, its IRI, or the IRI of a purpose in another
               vocabulary
    ");
    insta::assert_snapshot!(wrong(PURPOSES, "dpv: Marketing", "dpv: Marketing\n    gpc: refuse"), @r"
    error[P0324]: purpose `offer_contextual`: it obeys a signal, and no gate asks for it
      --> catalog/purposes.yaml:13:10
       |
    13 |     gpc: refuse
       |          ^^^^^^ nobody would refuse
       = help: add a gate for the purpose to `purpose_gates`, or leave `gpc` out
    ");
    insta::assert_snapshot!(wrong(PURPOSES, "dpv: Marketing", "dpv: Marketing\n    gpc: obey"), @r"
    error[P0106]: purpose `offer_contextual`: unknown answer `obey`
      --> catalog/purposes.yaml:13:10
       |
    13 |     gpc: obey
       |          ^^^^ unknown answer
       = help: expected one of `ignore`, `refuse`
    ");
}

/// A guard with these fields, in the place of the gate.
fn guard(fields: &str) -> String {
    let gate = "purpose_gates:\n  - id: consent.personal\n    why: Personal offers need a consent in force, privacy \
                notice section 4\n    purpose: offer_personalisation\n";
    wrong(CONSENT, gate, &format!("audience_guards:\n  - id: audience\n    why: Not for them\n    {fields}\n"))
}

#[test]
fn a_guard_says_in_one_way_who_is_guarded_and_reads_no_offer() {
    insta::assert_snapshot!(guard("on_missing: allow"), @r"
    error[P0326]: rule `audience`: it says in no way who is guarded
     --> rules/10-consent.yaml:4:5
      |
    4 |   - id: audience
      |     ^^ who?
      = help: write `audience: minors` with `attribute: customer.age`, or a condition such as `when:
              customer.age < 18`
    ");
    insta::assert_snapshot!(guard("audience: minors\n    when: customer.points < 18"), @r"
    error[P0326]: rule `audience`: it says in two ways who is guarded
     --> rules/10-consent.yaml:7:11
      |
    7 |     when: customer.points < 18
      |           ^^^^^^^^^^^^^^^^^^^^ who?
      = help: write `audience: minors` with `attribute: customer.age`, or a condition such as `when:
              customer.age < 18`
    ");
    insta::assert_snapshot!(guard("when: customer.points > 3 && offer.category == \"home\""), @r#"
    error[P0327]: rule `audience`: a guard is asked about the customer, before any offer is looked at
     --> rules/10-consent.yaml:6:11
      |
    6 |     when: customer.points > 3 && offer.category == "home"
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ reads an offer
      = help: name the offers that it leaves out with `applies_to: {categories: [...]}`, or write it as an
              exclusion
    "#);
    insta::assert_snapshot!(guard("audience: minor\n    attribute: customer.points"), @r"
    error[P0106]: rule `audience`: unknown audience `minor`; did you mean `minors`?
     --> rules/10-consent.yaml:6:15
      |
    6 |     audience: minor
      |               ^^^^^ unknown audience
      = help: expected one of `minors`, `employees`, `vulnerable`, `open_complaint`
    ");
    insta::assert_snapshot!(guard("audience: employees\n    attribute: customer.points"), @r"
    error[P0328]: rule `audience`: `customer.points` cannot say who belongs to employees
     --> rules/10-consent.yaml:7:16
      |
    7 |     attribute: customer.points
      |                ^^^^^^^^^^^^^^^ says something else
      = help: it has to be true or false; or write a condition as `when`
    ");
    insta::assert_snapshot!(guard("audience: minors\n    attribute: customer.pionts"), @r"
    error[P0107]: rule `audience`: unknown attribute `customer.pionts`; did you mean `customer.points`?
     --> rules/10-consent.yaml:7:16
      |
    7 |     attribute: customer.pionts
      |                ^^^^^^^^^^^^^^^ not in catalog/attributes.yaml
    ");
    insta::assert_snapshot!(guard("audience: minors"), @r"
    error[P0102]: rule `audience`: field `attribute` is missing
     --> rules/10-consent.yaml:4:5
      |
    4 |   - id: audience
      |     ^^ no `attribute` here
      = help: add it, such as `attribute: customer.age`
    ");
    insta::assert_snapshot!(
        guard("audience: minors\n    attribute: customer.points\n    leaves_out: all\n    overridable: true"),
        @r"
    error[P0101]: rule `audience`: unknown field `leaves_out`; did you mean `applies_to: {categories: [...]}`?
     --> rules/10-consent.yaml:8:5
      |
    8 |     leaves_out: all
      |     ^^^^^^^^^^ unknown field
      = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
              `overridable`, `audience`, `attribute`, `when`

    error[P0217]: rule `audience`: no override lifts a rule of `audience_guards`
     --> rules/10-consent.yaml:9:18
      |
    9 |     overridable: true
      |                  ^^^^ never lifted
      = help: what protects people by law or by their own word holds whatever is overridden: remove it, or say
              `overridable: false`
    "
    );
}
