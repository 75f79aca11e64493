//! Budgets as their owners meet them: what a campaign has spent, how it is paced, and when it or exploring ends.

use proffer::domain::{Span, Timestamp};
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id, offer, order, refund, with};
use crate::harness::database::Kind;

/// The shop with one offer only, of a campaign that gives 4.00 off and pays 0.50 for showing it.
fn service(policies: Option<(&str, &str)>, campaign: &Value) -> Service {
    let policies = policies.map_or_else(shop::policies, |(old, new)| shop::policies_with(old, new));
    let service = Plan::new(Kind::Sqlite).policies(policies).start();
    let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let boots = with(&offer("boots", "shoes", "80.00", "40.00"), "campaign", &json!("sale"));
    let boots = with(&with(&boots, "discount", &money("4.00")), "cost_of_showing", &money("0.50"));
    let house = offer("house-welcome", "service", "0.00", "0.00");
    service.import(&json!({"campaigns": [campaign], "offers": [boots, house]}));
    service
}

/// A budget of 20.00 for twenty days, of which ten have passed.
fn sale() -> Value {
    let at = |days: i64| Timestamp(NOW.0 + days * 86_400_000).to_string();
    json!({
        "campaign_id": "sale", "owner": "toys", "budget": {"amount": "20.00", "currency": "USD"},
        "starts_at": at(-10), "ends_at": at(10),
    })
}

fn spending(service: &Service) -> Value {
    service.learn();
    let told = service.call("GET", "/v1/campaigns/sale", None).ok()["spending"].clone();
    json!([told["spent"]["amount"], told["planned"]["amount"], told["multiplier"]])
}

#[test]
fn a_campaign_tells_what_it_has_spent_and_a_refund_gives_back() {
    let service = service(None, &sale());
    assert_eq!(spending(&service), json!(["0.00", "10.00", 0.0]));
    service.decide(&ask_as(1, "c-1")).ok();
    assert_eq!(spending(&service), json!(["0.50", "10.00", 0.0]), "shown");
    service.outcomes(&order("order-1", &id(1), "72.00"));
    assert_eq!(spending(&service), json!(["4.50", "10.00", 0.0]), "accepted");
    for number in [2, 3] {
        service.decide(&ask_as(number, &format!("c-{number}"))).ok();
        service.outcomes(&order(&format!("order-{number}"), &id(number), "76.00"));
    }
    // A day's plan is 1.00, and three and a half are spent ahead.
    assert_eq!(spending(&service), json!(["13.50", "10.00", 7.0]));
    let answer = service.decide(&ask_as(4, "c-4")).ok();
    let record = service.record(&answer);
    assert_eq!(record["money"]["campaigns"][0]["multiplier"], 7.0);
    assert_eq!((&record["candidates"][0]["paid_by"], &record["slots"][0]["money"]), (&json!("sale"), &Value::Null));
    let told = "Campaign `sale` had spent 13.50 USD of 20.00 USD, more than the 10.00 USD planned by then, and was \
                paced: 7.00 per unit spent.";
    let sentences = record["explanation"].as_array().unwrap();
    assert!(sentences.iter().any(|sentence| sentence == told), "{sentences:?}");

    service.outcomes(&refund("refund-1", "order-1"));
    service.outcomes(&refund("refund-1", "order-1"));
    assert_eq!(spending(&service), json!(["10.00", "10.00", 0.0]), "four were shown and two are kept");
    let service = service.restart();
    assert_eq!(spending(&service), json!(["10.00", "10.00", 0.0]), "after a restart");
    service.outcomes(&order("order-4", &id(4), "76.00"));
    service.decide(&ask_as(5, "c-5")).ok();
    service.outcomes(&order("order-5", &id(5), "76.00"));
    // One more would spend 4.50, and 1.50 is left.
    assert_eq!(spending(&service), json!(["18.50", "10.00", 17.0]));
    let left_out = service.decide(&ask("c-6")).ok();
    assert_eq!(left_out["fallback"], true);
    let record = service.record(&left_out);
    assert_eq!(record["candidates"][0]["excluded_by"][0]["rule"], "proffer.budget");
}

#[test]
fn without_an_end_a_budget_has_no_plan_and_without_a_budget_nothing_is_told() {
    let mut campaign = sale();
    campaign["ends_at"] = Value::Null;
    let service = service(None, &campaign);
    service.decide(&ask_as(1, "c-1")).ok();
    assert_eq!(spending(&service), json!(["0.50", null, 0.0]));
    campaign["budget"] = Value::Null;
    let answer = service.call("PUT", "/v1/campaigns/sale", Some(&campaign)).ok();
    assert_eq!(answer["spending"], Value::Null);
}

#[test]
fn exploring_ends_for_the_day_when_its_budget_is_spent() {
    let added = "channel: web\n    nothing_allowed: true\n    exploration_budget: 0.01";
    let service = service(Some(("channel: web", added)), &sale());
    let explore = |customer: String| {
        let answer = service.decide(&with(&ask(&customer), "placement", &json!("explore"))).ok();
        service.learn();
        service.record(&answer)
    };
    // Everything is drawn alike, so that soon what is not the best is.
    let over = |record: &Value| record["money"]["exploration_budget"]["over"] == true;
    let mut records = (0..200).map(|n| explore(format!("c-{n}")));
    let first = records.next().unwrap();
    assert!(!over(&first) && first["exploration"] == 1.0);
    let record = records.find(over).expect("the budget was never spent");
    assert_eq!((&record["exploration"], &record["slots"][0]["propensity"]), (&json!(0.0), &json!(1.0)));
    let sentences = record["explanation"].to_string();
    assert!(sentences.contains("so that the highest expected score was taken and nothing was explored"), "{sentences}");
    service.core.clock.set(NOW.plus(Span(86_400_000)));
    assert!(!over(&explore("tomorrow".into())), "the next day begins anew");
}
