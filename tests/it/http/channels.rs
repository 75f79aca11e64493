//! Consents as their callers send them: by channel and jurisdiction, a browser's signal, and what may not be learned
//! from.

use proffer::domain::Timestamp;
use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask_as, id, order, with};
use crate::harness::database::Kind;

/// The shop with a placement for letters, whose gate asks for an opt-in to e-mail, and more about its purposes.
fn service(purposes: &str, gates: &str) -> Service {
    let mut policies: Vec<Source> = shop::policies();
    for file in &mut policies {
        let more = match file.path.as_str() {
            "catalog/purposes.yaml" => purposes,
            "placements.yaml" => {
                "  - id: letter\n    channel: email\n    purpose: direct_marketing\n    currency: USD\n    \
                 objective: {kind: margin, window: 7d, reward_cap: 200.00}\n    strategy: {name: uniform, exploration: \
                 1.0}\n    features: []\n    holdout: 0%\n    fallback: {offer: house-welcome, variant: a}\n"
            }
            _ => "",
        };
        file.text.push_str(more);
    }
    let text = format!("owner: privacy\npurpose_gates:\n{gates}");
    policies.push(Source { path: "rules/consent.yaml".into(), text });
    let service = Plan::new(Kind::Sqlite).policies(policies).start();
    service.import(&shop::offers());
    service
}

const LETTERS: &str = "  - {id: direct_marketing, dpv: DirectMarketing, bases: {US: [consent]}}\n";
const OPT_IN: &str =
    "  - {id: consent.letters, why: Letters need an opt-in, purpose: direct_marketing, channel_opt_in: true}\n";

fn put(service: &Service, customer: &str, records: &Value) -> Value {
    let path = format!("/v1/customers/{customer}/consents");
    service.call("PUT", &path, Some(&json!({"consents": records}))).ok()
}

fn letter(service: &Service, number: u8) -> Value {
    let request = with(&ask_as(number, "c-1"), "placement", &json!("letter"));
    service.record(&service.decide(&with(&request, "jurisdiction", &json!("US-NY"))).ok())
}

#[test]
fn a_letter_needs_a_yes_to_letters_and_a_later_no_to_everything_ends_it() {
    let service = service(LETTERS, OPT_IN);
    let said = |state: &str, channel: Value, at: i64| {
        service.core.clock.set(Timestamp(NOW.0 + at));
        let mut record = json!({"purpose": "direct_marketing", "state": state, "jurisdiction": "US"});
        if !channel.is_null() {
            record["channel"] = channel;
        }
        put(&service, "c-1", &json!([record]))
    };
    said("granted", Value::Null, 1);
    assert_eq!(letter(&service, 1)["fallback"], "purpose_refused", "a yes to all is none to letters");
    let listed = said("granted", json!("email"), 2);
    assert_eq!(
        (&listed["consents"][1]["channel"], &listed["consents"][1]["jurisdiction"]),
        (&json!("email"), &json!("US"))
    );
    let open = letter(&service, 2);
    assert_eq!((&open["fallback"], &open["refused_purpose"]), (&Value::Null, &Value::Null));
    assert_eq!(open["private"]["consents"][0]["channel"], "email");
    insta::assert_snapshot!(open["explanation"][1].as_str().unwrap(), @r"
    Consent read for `direct_marketing`: granted for `email` on the basis of consent since 2026-03-01T09:30:00.002Z.
    ");
    said("withdrawn", Value::Null, 3);
    let ended = letter(&service, 3);
    assert_eq!(ended["fallback"], "purpose_refused");
    insta::assert_snapshot!(ended["candidates"][0]["excluded_by"][0]["sentence"].as_str().unwrap(), @r"
    `consent.letters` (Letters need an opt-in): no consent for `direct_marketing`, given for the channel itself, is in force
    ");
    // Another node reads the same from the store.
    let service = service.restart();
    service.core.clock.set(Timestamp(NOW.0 + 4));
    assert_eq!(letter(&service, 4)["fallback"], "purpose_refused");
    service.remove();
}

#[test]
fn a_channel_is_one_that_a_placement_uses_and_a_jurisdiction_is_one() {
    let service = service(LETTERS, OPT_IN);
    let record =
        json!({"purpose": "direct_marketing", "state": "granted", "channel": "emial", "jurisdiction": "Europe"});
    let refused = service.call("PUT", "/v1/customers/c-1/consents", Some(&json!({"consents": [record]})));
    assert_eq!(refused.status, 422);
    insta::assert_snapshot!(serde_json::to_string_pretty(&refused.json()["errors"]).unwrap(), @r#"
    [
      {
        "message": "unknown channel `emial`: no placement of the active bundle uses it; did you mean `email`?",
        "pointer": "/consents/0/channel"
      },
      {
        "message": "`Europe` is not a jurisdiction: expected `EU`, a country such as `US` or a region such as `US-NY`",
        "pointer": "/consents/0/jurisdiction"
      }
    ]
    "#);
    service.remove();
}

#[test]
fn a_signal_comes_as_a_header_or_as_a_field_and_refuses_what_obeys_it() {
    let service = service(&LETTERS.replace("dpv:", "gpc: refuse, dpv:"), OPT_IN);
    put(&service, "c-1", &json!([{"purpose": "direct_marketing", "state": "granted", "channel": "email"}]));
    let request = |number: u8| {
        let request = with(&ask_as(number, "c-1"), "placement", &json!("letter"));
        with(&request, "jurisdiction", &json!("US"))
    };
    let sent = |number: u8, headers: &[(&str, &str)]| {
        let key = format!("Bearer {}", service.admin);
        let headers: Vec<(&str, &str)> = [("authorization", key.as_str()), ("content-type", "application/json")]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        let body = serde_json::to_vec(&request(number)).unwrap();
        service.record(&service.send("POST", "/v1/decisions", &headers, Some(&body)).ok())
    };
    for (number, headers, refused) in
        [(1, &[][..], false), (2, &[("sec-gpc", "0")], false), (3, &[("sec-gpc", "1")], true)]
    {
        let record = sent(number, headers);
        assert_eq!(record["fallback"] == "purpose_refused", refused, "{headers:?}");
        assert_eq!(record["private"]["privacy_signal"], refused);
    }
    let named = service.record(&service.decide(&with(&request(4), "privacy_signal", &json!(true))).ok());
    assert_eq!(named["fallback"], "purpose_refused");
    let told =
        named["explanation"].as_array().unwrap().iter().filter_map(Value::as_str).find(|told| told.contains("GPC"));
    insta::assert_snapshot!(told.unwrap(), @r"
        The request carried the signal of Global Privacy Control (`Sec-GPC: 1`): purpose `direct_marketing` obeys it.
        ");
    service.remove();
}

/// The model of the placement, without the position in its stream.
fn model(service: &Service) -> Value {
    service.learn();
    let models = service.call("GET", "/v1/models", None).ok();
    let mut model =
        models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "home").unwrap().clone();
    model.as_object_mut().unwrap().remove("sequence");
    model
}

/// Two customers who agree to be learned from and, where they come too, two who do not.
fn trained(with_others: bool) -> Service {
    let service = service(
        &format!("{LETTERS}  - {{id: model_training, bases: {{US: [consent]}}}}\n"),
        &format!("{OPT_IN}  - {{id: consent.training, why: We learn from the willing, purpose: model_training}}\n"),
    );
    for customer in ["c-1", "c-2"] {
        put(&service, customer, &json!([{"purpose": "model_training", "state": "granted"}]));
    }
    put(&service, "c-3", &json!([{"purpose": "model_training", "state": "refused"}]));
    for (number, customer) in [(1, "c-3"), (2, "c-1"), (3, "c-4"), (4, "c-2"), (5, "c-3")] {
        if with_others || ["c-1", "c-2"].contains(&customer) {
            let request = with(&ask_as(number, customer), "jurisdiction", &json!("US"));
            service.decide(&request).ok();
            let taken = service.outcomes(&order(&format!("order-{number}"), &id(number), "80.00"));
            assert_eq!(taken[0]["status"], "accepted", "{customer}");
            service.learn();
        }
    }
    service
}

#[test]
fn a_model_is_that_of_the_customers_who_agreed_and_what_the_others_do_is_counted() {
    let (all, willing) = (trained(true), trained(false));
    assert_eq!(model(&all), model(&willing));
    let record = all.call("GET", &format!("/v1/decisions/{}", id(1)), None).ok();
    assert_eq!((&record["outcomes"]["count"], &record["outcomes"]["accepted"]), (&json!(1), &json!(true)));
    let told = record["explanation"].as_array().unwrap().iter().filter_map(Value::as_str);
    let told: Vec<&str> = told.filter(|told| told.contains("training")).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    Consent read for `model_training`: refused since 2026-03-01T09:30:00.000Z.
    Purpose `model_training` was refused by `consent.training`, so nothing is learned from what follows.
    ");
    let all = all.restart();
    assert_eq!(model(&all), model(&willing), "rebuilt from the store");
    all.remove();
    willing.remove();
}

#[test]
fn a_guard_looks_without_consent_and_what_it_saw_is_kept_apart() {
    let mut policies = shop::policies_with(
        "attributes:\n",
        "attributes:\n  - {id: customer.age, type: {number: {mean: 40, scale: 20}}, class: personal, source: crm}\n",
    );
    let guard = "owner: privacy\naudience_guards:\n  - {id: minors, why: Not for minors, applies_to: {offers: [lamp]}, \
                 audience: minors, attribute: customer.age}\n";
    policies.push(Source { path: "rules/guards.yaml".into(), text: guard.into() });
    let service = Plan::new(Kind::Sqlite).policies(policies).start();
    service.import(&shop::offers());
    for (number, age, shown) in
        [(1, json!(17), "house-welcome"), (2, json!(18), "lamp"), (3, Value::Null, "house-welcome")]
    {
        let mut request = with(&ask_as(number, "c-1"), "candidates", &json!(["lamp"]));
        if !age.is_null() {
            request["customer"]["attributes"]["age"] = age.clone();
        }
        let answer = service.decide(&request).ok();
        assert_eq!(answer["offers"][0]["offer_id"], shown, "{age}");
        let record = service.record(&answer);
        assert_eq!(record["refused_purpose"], "offer_personalisation");
        let private = &record["private"];
        assert_eq!(private["attributes"], json!({"context.device_type": "mobile"}));
        assert_eq!(private["guarded"]["customer.age"], age);
        let left_out = &record["candidates"][0]["excluded_by"];
        assert_eq!(left_out[0]["rule"].as_str(), (shown != "lamp").then_some("minors"), "{left_out}");
    }
    service.remove();
}
