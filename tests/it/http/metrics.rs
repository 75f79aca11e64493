//! `/metrics` as Prometheus reads it: what is counted, under which labels, and who may read it.

use std::collections::BTreeSet;

use proffer::config::MetricsAccess;
use proffer::domain::Timestamp;
use proffer::runtime::Role;
use serde_json::json;

use super::service::{Plan, Service, sign};
use super::shop::{self, NOW, ask, ask_as, id};
use crate::harness::database::Kind;
use crate::harness::source::package;

fn printed(service: &Service) -> String {
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
    let answer = service.send("GET", "/metrics", &[("accept", accept)], None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let plain = service.send("GET", "/metrics", &[], None);
    assert_eq!(plain.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    answer.body
}

/// The value of one series; 0 where it is not there.
fn value(printed: &str, series: &str) -> f64 {
    let line = printed.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap_or_else(|_| panic!("{series} {value}")))
}

#[track_caller]
fn check(printed: &str, expected: &[(&str, f64)]) {
    for (series, count) in expected {
        assert_eq!(value(printed, series), *count, "{series} in\n{printed}");
    }
}

/// The names of all metrics that are printed.
fn named(printed: &str) -> BTreeSet<String> {
    let samples = printed.lines().filter(|line| !line.starts_with('#'));
    let name = |line: &str| {
        let name = line.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        base.unwrap_or(name).to_owned()
    };
    samples.map(name).collect()
}

/// The names of all metrics that the page `api.md` lists.
fn named_on_the_page() -> BTreeSet<String> {
    let page = std::fs::read_to_string(package().join("src/docs/api.md")).unwrap();
    let table = page.split("| metric |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').filter(|name| name.starts_with("proffer_")))
        .map(str::to_owned)
        .collect()
}

#[test]
fn decisions_outcomes_and_requests_are_counted_by_what_became_of_them() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).start();
        service.import(&shop::offers());
        service.consent("c-1", "granted");
        for number in 1..=6 {
            service.decide(&ask_as(number, "c-1")).ok();
        }
        service.decide(&ask_as(1, "c-1")).ok();
        assert_eq!(service.decide(&ask_as(1, "c-2")).status, 409);
        assert_eq!(service.decide(&json!({"placement": "nowhere"})).status, 422);
        assert_eq!(service.decide(&json!({"place": "home"})).status, 422);
        service.decide(&shop::with(&ask("c-1"), "dry_run", &json!(true))).ok();
        let late = json!({
            "event_id": "o-2", "source": "checkout", "type": "order", "occurred_at": "2026-02-01T00:00:00Z",
            "decision_id": id(2), "revenue": {"amount": "1.00", "currency": "USD"},
        });
        let other = json!({
            "event_id": "o-3", "source": "checkout", "type": "order", "occurred_at": NOW, "decision_id": id(2),
            "revenue": {"amount": "1.00", "currency": "EUR"},
        });
        service.outcomes(&json!([
            shop::order("o-1", &id(1), "80.00"), shop::order("o-1", &id(1), "80.00"), late, other,
            shop::refund("r-1", "o-9"), {"event_id": "x"},
        ]));
        service.learn();
        let printed = printed(&service);
        check(
            &printed,
            &[
                ("proffer_decisions_total{placement=\"home\",result=\"chosen\",reason=\"\"}", 5.0),
                (
                    "proffer_decisions_total{placement=\"home\",result=\"fallback\",reason=\"no_eligible_candidate\"}",
                    1.0,
                ),
                ("proffer_decisions_total{placement=\"home\",result=\"repeated\",reason=\"\"}", 1.0),
                ("proffer_decisions_total{placement=\"home\",result=\"conflict\",reason=\"\"}", 1.0),
                ("proffer_decisions_total{placement=\"home\",result=\"dry_run\",reason=\"\"}", 1.0),
                ("proffer_decisions_total{placement=\"\",result=\"refused\",reason=\"\"}", 2.0),
                ("proffer_outcomes_total{type=\"order\",result=\"accepted\"}", 1.0),
                ("proffer_outcomes_total{type=\"order\",result=\"duplicate\"}", 1.0),
                ("proffer_outcomes_total{type=\"order\",result=\"late\"}", 1.0),
                ("proffer_outcomes_total{type=\"order\",result=\"rejected\"}", 1.0),
                ("proffer_outcomes_total{type=\"refund\",result=\"unmatched\"}", 1.0),
                ("proffer_outcomes_total{type=\"unknown\",result=\"rejected\"}", 1.0),
                ("proffer_requests_total{method=\"POST\",route=\"/v1/decisions\",status=\"200\"}", 8.0),
                ("proffer_requests_total{method=\"POST\",route=\"/v1/decisions\",status=\"409\"}", 1.0),
                ("proffer_requests_total{method=\"PUT\",route=\"/v1/customers/{id}/consents\",status=\"200\"}", 1.0),
                ("proffer_request_seconds_count{method=\"POST\",route=\"/v1/decisions\"}", 11.0),
                ("proffer_batches_total{result=\"stored\"}", value(&printed, "proffer_batch_decisions_count")),
                ("proffer_batch_decisions_sum", 6.0),
                ("proffer_learner_batches_unlearned", 0.0),
                ("proffer_learner_outcomes_unapplied", 0.0),
                ("proffer_model_sequence{placement=\"explore\"}", 0.0),
                (&format!("proffer_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
            ],
        );
        assert!(value(&printed, "proffer_model_sequence{placement=\"home\"}") >= 5.0, "{printed}");
        assert_eq!(named(&printed), named_on_the_page());
        // A known id is told by the store, which refuses the batch.
        assert!(value(&printed, "proffer_batches_total{result=\"refused\"}") >= 1.0, "{printed}");
        let commits = value(&printed, "proffer_commit_seconds_count");
        assert!(commits >= value(&printed, "proffer_batch_decisions_count"), "{printed}");
        service.remove();
    }
}

#[test]
fn overload_unknown_paths_and_bad_signatures_are_counted() {
    let service = Plan::new(Kind::Sqlite).waiting_max(0).start();
    assert_eq!(service.decide(&ask("c-1")).status, 503);
    assert_eq!(service.call("GET", "/v1/nothing/c-secret", None).status, 404);
    assert_eq!(service.call("DELETE", "/v1/decisions", None).status, 405);
    let secret = service.source("checkout");
    let now = NOW.0 / 1_000;
    let send = |timestamp: &str, signature: &str| {
        let headers = [("webhook-id", "m"), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
        assert_eq!(service.send("POST", "/v1/outcomes", &headers, Some(b"{}")).status, 401);
    };
    send("soon", "v1,AAAA");
    send(&(now - 400).to_string(), &sign(&secret, "m", now - 400, b"{}"));
    send(&now.to_string(), &sign(b"another secret", "m", now, b"{}"));
    check(
        &printed(&service),
        &[
            ("proffer_decisions_total{placement=\"home\",result=\"overloaded\",reason=\"\"}", 1.0),
            ("proffer_requests_total{method=\"other\",route=\"none\",status=\"404\"}", 1.0),
            ("proffer_requests_total{method=\"other\",route=\"/v1/decisions\",status=\"405\"}", 1.0),
            ("proffer_webhook_signature_failures_total{reason=\"header\"}", 1.0),
            ("proffer_webhook_signature_failures_total{reason=\"timestamp\"}", 1.0),
            ("proffer_webhook_signature_failures_total{reason=\"signature\"}", 1.0),
        ],
    );
}

#[test]
fn a_store_that_does_not_answer_is_counted_and_the_metrics_are_still_there() {
    let service = Plan::new(Kind::Postgres).start();
    service.import(&shop::offers());
    service.lose_store();
    assert_eq!(service.decide(&ask("c-1")).status, 503);
    assert_eq!(service.call("GET", "/v1/customers/c-1/consents", None).status, 503);
    let printed = printed(&service);
    check(
        &printed,
        &[
            ("proffer_decisions_total{placement=\"home\",result=\"unavailable\",reason=\"\"}", 1.0),
            ("proffer_store_errors_total{doing=\"load\"}", 1.0),
            ("proffer_store_errors_total{doing=\"request\"}", 1.0),
            ("proffer_learner_batches_unlearned", -1.0),
            ("proffer_learner_outcomes_unapplied", -1.0),
        ],
    );
    service.remove();
}

#[test]
fn nothing_personal_and_nothing_that_callers_make_up_becomes_a_label() {
    let service = Service::start();
    for number in 0..20 {
        let name = format!("secret-{number}");
        service.consent(&name, "granted");
        service.decide(&ask(&name)).ok();
        service.decide(&json!({"placement": name}));
        service.call("GET", &format!("/v1/customers/{name}/consents"), None).ok();
        service.call("GET", &format!("/{name}"), None);
        service.send("SECRET", "/v1/decisions", &[], None);
        service.call("POST", "/v1/outcomes", Some(&json!({"event_id": name, "source": name, "type": name})));
    }
    let printed = printed(&service);
    assert!(!printed.to_lowercase().contains("secret"), "{printed}");
    assert!(!printed.contains(&id(1)[..8]), "no decision is named: {printed}");
    let series = printed.lines().filter(|line| line.starts_with("proffer_requests_total")).count();
    assert!(series < 20, "{printed}");
}

#[test]
fn decisions_made_again_are_counted() {
    let plan = Plan::new(Kind::Postgres).engines(1);
    let beside = plan.beside("node-2");
    let services = [plan.start(), beside.start()];
    services[0].import(&shop::offers());
    services[1].wait(services[1].core.reload()).unwrap();
    // The second node still holds the state that the first one then changes.
    services[1].decide(&ask("c-1")).ok();
    services[0].core.clock.set(Timestamp(NOW.0 + 1));
    services[0].decide(&ask("c-1")).ok();
    services[1].decide(&ask("c-1")).ok();
    check(&printed(&services[1]), &[("proffer_redecisions_total", 1.0)]);
    services.into_iter().for_each(Service::remove);
}

#[test]
fn who_may_read_metrics_is_a_setting_and_operators_always_may() {
    for (setting, open) in [(MetricsAccess::Loopback, true), (MetricsAccess::Open, true), (MetricsAccess::Key, false)] {
        let service = Plan::new(Kind::Sqlite).metrics(setting).start();
        let status = |key: Option<&str>| {
            let bearer = key.map(|key| format!("Bearer {key}"));
            let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
            service.send("GET", "/metrics", &headers, None).status
        };
        let key = |name: &str, role| service.wait(service.core.create_key(name, &[role], "test")).unwrap().unwrap();
        assert_eq!(status(None), if open { 200 } else { 401 }, "{setting:?}");
        assert_eq!(status(Some(&key("audit", Role::Audit))), if open { 200 } else { 403 }, "{setting:?}");
        assert_eq!(status(Some(&key("operate", Role::Operate))), 200, "{setting:?}");
    }
}
