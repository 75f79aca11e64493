//! What outcomes teach: an order counts, its refund undoes exactly that, in whatever order they come.

use serde_json::{Value, json};

use super::service::Service;
use super::shop::{NOW, ask_as, id, order, refund, with};

/// The model of the placement, without the position in its stream.
fn model(service: &Service) -> Value {
    service.learn();
    let models = service.call("GET", "/v1/models", None).ok();
    let mut model =
        models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "home").unwrap().clone();
    model.as_object_mut().unwrap().remove("sequence");
    model
}

fn outcomes(service: &Service, number: u8) -> Value {
    service.call("GET", &format!("/v1/decisions/{}", id(number)), None).ok()["outcomes"].clone()
}

#[test]
fn an_order_and_its_refund_bring_the_model_back_to_what_the_exposure_alone_taught() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let exposed = model(&service);
    assert_eq!(exposed["arms"][0]["accepted"], 0);
    assert_eq!(service.outcomes(&order("order-1", &id(1), "80.00"))[0]["status"], "accepted");
    let ordered = model(&service);
    assert_ne!(ordered["digest"], exposed["digest"]);
    assert_eq!(ordered["arms"][0]["accepted"], 1);
    let partial = with(&refund("refund-1", "order-1"), "revenue", &json!({"amount": "20.00", "currency": "USD"}));
    assert_eq!(service.outcomes(&partial)[0]["status"], "accepted");
    assert_eq!(model(&service)["arms"][0]["accepted"], 1, "a part of it was kept");
    let rest = with(&refund("refund-2", "order-1"), "revenue", &json!({"amount": "60.00", "currency": "USD"}));
    service.outcomes(&rest);
    assert_eq!(model(&service), exposed);
    assert_eq!(service.outcomes(&rest)[0]["status"], "duplicate");
    assert_eq!(model(&service), exposed);
    let service = service.restart();
    assert_eq!(model(&service), exposed, "rebuilt from the store");
}

#[test]
fn a_refund_that_comes_before_its_order_is_kept_and_undoes_it() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let exposed = model(&service);
    let early = service.outcomes(&refund("refund-1", "order-1"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&early).unwrap(), @r#"
    [
      {
        "event_id": "refund-1",
        "reason": "it names no decision or event that is known yet; it is kept",
        "status": "unmatched"
      }
    ]
    "#);
    assert_eq!(model(&service), exposed);
    let late = service.outcomes(&order("order-1", &id(1), "80.00"));
    assert_eq!((&late[0]["status"], &late[0]["decision_id"]), (&json!("accepted"), &json!(id(1))));
    assert_eq!(model(&service), exposed, "never accepted");
    let seen = outcomes(&service, 1);
    assert_eq!((&seen["count"], &seen["accepted"]), (&json!(2), &json!(false)));
}

#[test]
fn an_outcome_of_an_unknown_decision_is_kept_and_teaches_nothing() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let exposed = model(&service);
    let unknown = service.outcomes(&order("order-1", &id(2), "80.00"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&unknown).unwrap(), @r#"
    [
      {
        "event_id": "order-1",
        "reason": "it names no decision or event that is known yet; it is kept",
        "status": "unmatched"
      }
    ]
    "#);
    assert_eq!(model(&service), exposed);
    assert_eq!(service.wait(service.core.store.totals()).unwrap().outcomes, 1);
    assert_eq!(service.outcomes(&order("order-1", &id(2), "80.00"))[0]["status"], "duplicate");
}

#[test]
fn a_late_order_is_counted_and_teaches_nothing() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let exposed = model(&service);
    service.core.clock.set(NOW.plus(proffer::domain::Span(8 * 86_400_000)));
    let late = with(&order("order-1", &id(1), "80.00"), "occurred_at", &json!("2026-03-09T09:30:00Z"));
    let taken = service.outcomes(&late);
    assert_eq!((&taken[0]["status"], &taken[0]["late"]), (&json!("accepted"), &json!(true)));
    assert_eq!(model(&service), exposed);
    assert_eq!(outcomes(&service, 1)["late"], 1);
}
