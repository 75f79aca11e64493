//! Stock and budgets as their owners meet them: what is reserved, ordered, given back, and what records say of it.

use proffer::domain::{Span, Timestamp};
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id, offer, order, refund, with};
use crate::harness::database::Kind;
use crate::harness::server::until;

/// The shop with boots alone, which cost nothing to show and are 8.00 off.
fn service(kind: Kind, rules: &str, stock: Option<u32>) -> Service {
    let policies = shop::policies_with("owner: shop\n", &format!("owner: shop\n{rules}"));
    let service = Plan::new(kind).policies(policies).start();
    let boots = with(&offer("boots", "shoes", "80.00", "40.00"), "stock", &json!(stock));
    let boots = with(&boots, "discount", &json!({"amount": "8.00", "currency": "USD"}));
    service.import(&json!({"offers": [boots, offer("house-welcome", "service", "0.00", "0.00")]}));
    service
}

/// Who was shown the boots of these customers.
fn shown(service: &Service, customers: &[&str]) -> Vec<bool> {
    let decide = |customer: &&str| service.decide(&ask(customer)).ok()["fallback"] == false;
    customers.iter().map(decide).collect()
}

fn told(record: &Value) -> Vec<&str> {
    record["candidates"][0]["excluded_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["sentence"].as_str().unwrap())
        .collect()
}

fn later(service: &Service, minutes: i64) {
    service.core.clock.set(NOW.plus(Span(minutes * 60_000)));
    service.learn();
}

#[test]
fn stock_is_reserved_by_decisions_kept_by_orders_and_given_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = service(kind, "", Some(3));
        let first = service.decide(&ask_as(1, "c-1")).ok();
        let pools = &service.record(&first)["pools"];
        let pool = json!({"rule": "proffer.stock", "pool": "proffer.stock/boots", "since": null, "total": 3, "gone": 0,
            "taken": 1});
        assert_eq!(*pools, json!([pool]));
        assert_eq!(shown(&service, &["c-2", "c-3", "c-4"]), [true, true, false]);
        let record = service.record(&service.decide(&ask("c-5")).ok());
        assert_eq!(record["fallback"], "no_eligible_candidate");
        let why = "`proffer.stock` (an offer is shown only while there is stock of it): all 3 units there are of it \
                   are ordered or reserved";
        assert_eq!(told(&record), [why]);
        let sentences = record["explanation"].to_string();
        assert!(
            sentences.contains(
                "Of `proffer.stock/boots` 3 units of 3 units were ordered or reserved before, and nothing \
                                taken."
            ),
            "{sentences}"
        );
        // One is ordered; the reservations of the others end after ten minutes.
        service.outcomes(&order("order-1", &id(1), "72.00"));
        later(&service, 9);
        assert_eq!(shown(&service, &["c-6"]), [false]);
        later(&service, 10);
        assert_eq!(shown(&service, &["c-7", "c-8", "c-9"]), [true, true, false]);
        // What is set was counted with all that was sold; what is reserved is still somebody's.
        let stock = |change: Value| service.call("POST", "/v1/offers/boots/stock", Some(&change)).ok();
        stock(json!({"set": 3}));
        service.learn();
        assert_eq!(shown(&service, &["c-10", "c-11"]), [true, false]);
        // What is added came besides.
        stock(json!({"add": 1}));
        assert_eq!(shown(&service, &["c-12", "c-13"]), [true, false]);
        // The refund is of something that is in the number set.
        service.outcomes(&refund("refund-1", "order-1"));
        service.learn();
        assert_eq!(shown(&service, &["c-14"]), [false]);
    }
}

#[test]
fn an_order_behind_its_reservation_is_counted_and_told_of() {
    let service = service(Kind::Sqlite, "", Some(1));
    service.decide(&ask_as(1, "c-1")).ok();
    later(&service, 10);
    service.decide(&ask_as(2, "c-2")).ok();
    let at = json!(NOW.plus(Span(11 * 60_000)).to_string());
    for (event, decision) in [("order-2", id(2)), ("order-1", id(1))] {
        service.outcomes(&with(&order(event, &decision, "72.00"), "occurred_at", &at));
    }
    service.learn();
    let metrics = service.call("GET", "/metrics", None).body;
    assert!(metrics.contains("proffer_pool_orders_late_total 1"), "{metrics}");
    later(&service, 30);
    assert_eq!(shown(&service, &["c-3"]), [false], "two are ordered of one");
    let record = service.record(&service.decide(&ask("c-4")).ok());
    assert_eq!(record["pools"][0]["gone"], 2);
}

const BUDGETS: &str = "budgets:
  - {id: budget.shoes.day, why: w, amount: 20.00 USD, by: category, window: {calendar: day, time_zone: UTC}}
  - {id: budget.trial, why: w, units: 1, window: lifetime, severity: shadow}
";

#[test]
fn a_budget_of_money_is_spent_within_its_window_and_one_on_trial_only_counts() {
    let service = service(Kind::Sqlite, BUDGETS, None);
    assert_eq!(shown(&service, &["c-1", "c-2", "c-3"]), [true, true, false]);
    let record = service.record(&service.decide(&ask("c-4")).ok());
    assert_eq!(told(&record), ["`budget.shoes.day` (w): of 20.00 USD 16.00 USD is spent or reserved in its category"]);
    let trial = &record["candidates"][0]["noted"][0]["sentence"];
    assert_eq!(*trial, "`budget.trial` (w): of 1 unit 2 are ordered or reserved");
    let since = record["pools"][0]["since"].as_str().unwrap();
    assert!(since.ends_with("T00:00:00.000Z"), "{since}");
    later(&service, 24 * 60);
    assert_eq!(shown(&service, &["c-5", "c-6", "c-7"]), [true, true, false], "another day");
}

#[test]
fn a_dry_run_takes_nothing_and_a_restart_loses_nothing() {
    let service = service(Kind::Sqlite, "", Some(2));
    let dry = with(&ask("c-1"), "dry_run", &json!(true));
    for _ in 0..4 {
        assert_eq!(service.decide(&dry).status, 200);
    }
    assert_eq!(shown(&service, &["c-1"]), [true]);
    let service = service.restart();
    assert_eq!(shown(&service, &["c-2", "c-3"]), [true, false]);
}

#[test]
fn what_is_released_or_refunded_is_free_again() {
    let service = service(Kind::Sqlite, "", Some(1));
    service.decide(&ask_as(1, "c-1")).ok();
    assert_eq!(shown(&service, &["c-2"]), [false]);
    service.call("POST", &format!("/v1/decisions/{}:release", id(1)), None).ok();
    service.learn();
    service.decide(&ask_as(2, "c-3")).ok();
    assert_eq!(shown(&service, &["c-4"]), [false], "one has it now");
    service.outcomes(&order("order-2", &id(2), "72.00"));
    later(&service, 30);
    assert_eq!(shown(&service, &["c-5"]), [false], "ordered for good");
    service.outcomes(&refund("refund-2", "order-2"));
    service.learn();
    assert_eq!(shown(&service, &["c-6", "c-7"]), [true, false]);
}

#[test]
fn a_recheck_leaves_out_what_the_decision_holds_itself_and_counts_what_is_gone_by_now() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = service(kind, "", Some(2));
        service.decide(&ask_as(1, "c-1")).ok();
        service.decide(&ask_as(2, "c-2")).ok();
        assert_eq!(shown(&service, &["c-3"]), [false]);
        let recheck = || {
            let told = service.call("POST", &format!("/v1/decisions/{}:recheck", id(1)), Some(&json!({}))).ok();
            let excluded = &told["slots"][0]["excluded_by"][0];
            (
                told["allowed"] == true,
                excluded["rule"].as_str().unwrap_or_default().to_owned(),
                excluded["observed"].as_i64(),
            )
        };
        assert_eq!(recheck(), (true, String::new(), None), "the last but one is its own");
        // Everything is promised, and there is one less than was.
        service.call("POST", "/v1/offers/boots/stock", Some(&json!({"add": -1}))).ok();
        assert_eq!(recheck(), (false, "proffer.stock".to_owned(), Some(1)), "the other's is left");
        // What somebody else gives back is there at once, wherever it was given back.
        service.call("POST", &format!("/v1/decisions/{}:release", id(2)), None).ok();
        service.learn();
        assert_eq!(recheck(), (true, String::new(), None));
        service.remove();
    }
}

#[test]
fn pools_of_windows_that_ended_are_forgotten_by_whoever_learns() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = service(kind, BUDGETS, None);
        assert_eq!(shown(&service, &["c-1"]), [true]);
        let names = || -> Vec<(String, bool)> {
            let pools = service.wait(service.core.store.pools(Timestamp(0))).unwrap();
            pools.into_keys().map(|pool| (pool.name, pool.period == Timestamp(0))).collect()
        };
        let both = [("budget.shoes.day/shoes".to_owned(), false), ("budget.trial/all".to_owned(), true)];
        assert_eq!(names(), both);
        later(&service, 41 * 24 * 60);
        until("the pool of a day of last month to go", || (names() == both[1..]).then_some(()));
        service.remove();
    }
}
