//! `/openapi.json`: the whole of it as a golden file, every route in it, and real answers and requests held to it.

use std::collections::BTreeSet;

use proffer::api::ROUTES;
use proffer::domain::{Campaign, ConsentRecord, Money, Offer, Pause, Timestamp, Variant};
use proffer::runtime::{Role, read_policies};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::schema::{mistakes, resolve};
use super::service::{Answer, Plan, Service, sign};
use super::shop::{self, NOW, ask, ask_as, id, with};
use crate::harness::database::Kind;
use crate::harness::source::package;

const GOLDEN: &str = "tests/golden/openapi.json";
/// Set to `1`, it lets the test write the golden file anew.
const REWRITE: &str = "PROFFER_REWRITE_GOLDEN";

fn document(service: &Service) -> Value {
    service.send("GET", "/openapi.json", &[], None).ok()
}

#[test]
fn the_document_is_the_golden_file() {
    let service = Plan::new(Kind::Sqlite).start();
    let answer = service.send("GET", "/openapi.json", &[], None);
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "application/json"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
    let path = package().join(GOLDEN);
    if std::env::var(REWRITE).as_deref() == Ok("1") {
        std::fs::write(&path, &answer.body).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = (1..).zip(golden.lines().zip(answer.body.lines())).find(|(_, (old, new))| old != new);
    assert!(
        golden == answer.body,
        "what can be asked has changed, first at {GOLDEN}:{differs:?}; if that is meant, write the file anew and look \
         at its difference: {REWRITE}=1 ./tests/run the_document_is_the_golden_file"
    );
}

/// Every operation: method in capitals, path and description.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let each = paths.flat_map(|(path, item)| {
        let methods =
            item.as_object().unwrap().iter().filter(|(name, _)| !["summary", "parameters"].contains(&name.as_str()));
        methods.map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
    });
    each.collect()
}

#[test]
fn every_route_that_is_served_is_in_the_document_and_no_other() {
    let service = Plan::new(Kind::Sqlite).start();
    let document = document(&service);
    let told: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let listed = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(told, listed);
    for path in document["paths"].as_object().unwrap().keys() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = service.call(method, &path.replace("{id}", "x"), None);
            let served = answer.status != 405 && !answer.body.contains("there is nothing at");
            assert_eq!(served, told.contains(&(method.to_owned(), path.clone())), "{method} {path}: {}", answer.body);
        }
    }
    let ids: BTreeSet<String> =
        operations(&document).into_iter().map(|(.., operation)| operation["operationId"].to_string()).collect();
    assert_eq!(ids.len(), told.len(), "every operation has an id of its own");
}

#[test]
fn the_document_says_which_roles_each_route_needs() {
    let service = Plan::new(Kind::Sqlite).start();
    let document = document(&service);
    for (method, path, operation) in operations(&document) {
        let route = ROUTES.iter().find(|route| route.method == method && route.path == path).unwrap();
        let told: BTreeSet<&str> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["apiKey"].as_array())
            .flat_map(|roles| roles.iter().map(|role| role.as_str().unwrap()))
            .collect();
        let mut roles: BTreeSet<&str> = route.access.roles().iter().map(|role| role.name()).collect();
        if !roles.is_empty() && route.access.admits_admin() {
            roles.insert(Role::Admin.name());
        }
        assert_eq!(told, roles, "{method} {path}");
        for role in route.access.roles() {
            let description = operation["description"].as_str().unwrap();
            assert!(description.contains(&format!("`{}`", role.name())), "{method} {path}: {description}");
        }
    }
    let signed = &document["paths"]["/v1/outcomes"]["post"]["security"][0];
    assert_eq!(*signed, json!({"webhookId": [], "webhookTimestamp": [], "webhookSignature": []}));
}

/// Holds one answer to what the document says of the call.
fn hold(document: &Value, method: &str, pattern: &str, answer: &Answer) {
    let call = format!("{method} {pattern} {}", answer.status);
    let operation = &document["paths"][pattern][method.to_lowercase()];
    let told = &operation["responses"][answer.status.to_string()];
    assert!(told.is_object(), "{call} is not in the document: {}", answer.body);
    let media_type = answer.headers["content-type"].split(';').next().unwrap();
    let content = told["content"].as_object().unwrap().iter();
    let (_, content) = content
        .clone()
        .find(|(name, _)| name.split(';').next() == Some(media_type))
        .unwrap_or_else(|| panic!("{call} is answered as {media_type}"));
    if media_type.ends_with("json") {
        let found = mistakes(document, &content["schema"], &answer.json());
        assert!(found.is_empty(), "{call}:\n{}\n{}", found.join("\n"), answer.body);
    }
}

#[test]
fn real_answers_are_as_the_document_says() {
    let service = Service::start();
    let document = document(&service);
    let check = |method: &str, pattern: &str, path: &str, body: Option<&Value>, status: u16| {
        let answer = service.call(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        hold(&document, method, pattern, &answer);
    };
    let (decide, record) = ("/v1/decisions", "/v1/decisions/{id}");
    service.consent("c-1", "granted");
    let kept = json!({"attributes": {"visits": {"value": 3, "valid_until": "2026-03-01T09:40:00Z"}}});
    let attributes = "/v1/customers/{id}/attributes";
    check("PUT", attributes, "/v1/customers/c-1/attributes", Some(&kept), 200);
    check("GET", attributes, "/v1/customers/c-1/attributes", None, 200);
    check("GET", attributes, "/v1/customers/nobody/attributes", None, 404);
    check("PUT", attributes, "/v1/customers/c-1/attributes", Some(&json!({"attributes": {"x": 1}})), 422);
    for (customer, number) in [("c-1", 1), ("c-1", 1), ("c-2", 2), ("c-1", 3), ("c-1", 4)] {
        check("POST", decide, decide, Some(&ask_as(number, customer)), 200);
        check("GET", record, &format!("{decide}/{}", id(number)), None, 200);
    }
    // Two more than the cap of the week allows, so that the house content is among the answers.
    for number in 5..8 {
        let everything = with(&ask_as(number, "c-1"), "jurisdiction", &json!("US-NY"));
        check("POST", decide, decide, Some(&everything), 200);
        check("GET", record, &format!("{decide}/{}", id(number)), None, 200);
    }
    check("POST", decide, decide, Some(&json!({"placement": "home"})), 200);
    check("POST", decide, decide, Some(&with(&ask("c-1"), "dry_run", &json!(true))), 200);
    check("POST", decide, decide, Some(&ask_as(1, "c-9")), 409);
    check("POST", decide, decide, Some(&json!({"placement": "nowhere"})), 422);
    check("GET", record, &format!("{decide}/{}", id(99)), None, 404);
    check("GET", record, &format!("{decide}/x"), None, 422);
    let events = json!([
        shop::order("o-1", &id(1), "80.00"), shop::order("o-1", &id(1), "80.00"), shop::refund("r-1", "o-0"),
        {"event_id": 7, "source": "checkout"}, shop::refund("r-2", "o-1"),
    ]);
    check("POST", "/v1/outcomes", "/v1/outcomes", Some(&events), 200);
    check("POST", "/v1/outcomes", "/v1/outcomes", Some(&json!({"event_id": "x"})), 422);
    service.learn();
    check("GET", record, &format!("{decide}/{}", id(1)), None, 200);
    check("GET", "/v1/approvals", "/v1/approvals", None, 200);
    check("GET", "/v1/approvals", "/v1/approvals?state=gone", None, 422);
    check("POST", "/v1/approvals", "/v1/approvals", Some(&json!({})), 403);
    let (revoke, note) = ("/v1/approvals/{id}:revoke", json!({"note": "x"}));
    check("POST", revoke, "/v1/approvals/99:revoke", Some(&note), 404);
    check("POST", revoke, "/v1/approvals/x:revoke", Some(&note), 422);
    check("GET", "/v1/models", "/v1/models", None, 200);
    check("GET", "/v1/models/{placement}", "/v1/models/home", None, 200);
    check("GET", "/v1/models/{placement}", "/v1/models/nowhere", None, 404);
    for report in ["/v1/reports/performance", "/v1/reports/exclusions"] {
        check("GET", report, report, None, 200);
        check("GET", report, &format!("{report}?form=2026-03-01"), None, 422);
    }
    for line in [ask_as(1, "c-1"), json!({"placement": "nowhere"}), with(&ask("c-1"), "dry_run", &json!(true))] {
        check("POST", "/v1/decisions:batch", "/v1/decisions:batch", Some(&line), 200);
    }
    let consents = "/v1/customers/{id}/consents";
    check("PUT", consents, "/v1/customers/c-1/consents", Some(&shop::consent("withdrawn")), 200);
    check("GET", consents, "/v1/customers/c-1/consents", None, 200);
    check("GET", consents, "/v1/customers/nobody/consents", None, 404);
    check("PUT", consents, "/v1/customers/c-1/consents", Some(&json!({"consents": []})), 422);
    check("POST", "/v1/offers:import", "/v1/offers:import", Some(&json!([shop::offers()[0]])), 200);
    check("POST", "/v1/offers:import", "/v1/offers:import", Some(&json!([{}])), 422);
    check("POST", "/v1/offers:import", "/v1/offers:import", Some(&json!({})), 400);
    check("POST", "/v1/offers:import", "/v1/offers:import", Some(&json!({"offers": []})), 422);
    shelf(&check);
    for path in ["/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"] {
        check("GET", path, path, None, 200);
    }
    let decided = |headers: &[(&str, &str)], body: &[u8]| service.send("POST", decide, headers, Some(body));
    hold(&document, "POST", decide, &decided(&[], b"{}"));
    let large = vec![b' '; 300 * 1024];
    let bearer = format!("Bearer {}", service.admin);
    hold(&document, "POST", decide, &decided(&[("authorization", &bearer)], &large));
    let key = service.wait(service.core.create_key("shop", &[Role::Audit], "test")).unwrap().unwrap();
    hold(&document, "POST", decide, &decided(&[("authorization", &format!("Bearer {key}"))], b"{}"));
    let text = [("authorization", bearer.as_str()), ("accept", "text/plain")];
    hold(&document, "GET", record, &service.send("GET", &format!("{decide}/{}", id(1)), &text, None));
    let full = Plan::new(Kind::Sqlite).waiting_max(0).start();
    let answer = full.decide(&ask("c-1"));
    assert_eq!(answer.status, 503);
    hold(&document, "POST", decide, &answer);
}

/// Offers and campaigns one by one.
fn shelf(check: &impl Fn(&str, &str, &str, Option<&Value>, u16)) {
    let campaign = json!({"campaign_id": "spring", "owner": "toys", "ends_at": "2026-03-02T00:00:00Z"});
    let one = "/v1/campaigns/{id}";
    check("PUT", one, "/v1/campaigns/spring", Some(&campaign), 200);
    check("PUT", one, "/v1/campaigns/autumn", Some(&campaign), 422);
    check("GET", one, "/v1/campaigns/spring", None, 200);
    check("GET", one, "/v1/campaigns/autumn", None, 404);
    check("GET", "/v1/campaigns", "/v1/campaigns?standing=running", None, 200);
    check("GET", "/v1/campaigns", "/v1/campaigns?standing=sold_out", None, 422);
    let offer = with(&with(&shop::offers()[0], "campaign", &json!("spring")), "stock", &json!(3));
    let (one, at) = ("/v1/offers/{id}", format!("/v1/offers/{}", offer["offer_id"].as_str().unwrap()));
    check("PUT", one, &at, Some(&offer), 200);
    check("PUT", one, &at, Some(&with(&offer, "campaign", &json!("summer"))), 422);
    check("GET", one, &at, None, 200);
    check("GET", one, &format!("{at}?revision=1"), None, 200);
    check("GET", one, &format!("{at}?revision=99"), None, 404);
    check("GET", one, "/v1/offers/nothing", None, 404);
    check("GET", "/v1/offers", "/v1/offers?limit=1", None, 200);
    check("GET", "/v1/offers:export", "/v1/offers:export", None, 200);
    check("GET", "/v1/offers:export", "/v1/offers:export?revision=99", None, 404);
    check("GET", "/v1/offers:export", "/v1/offers:export?as=xml", None, 422);
    check("GET", "/v1/offers", "/v1/offers?limit=0", None, 422);
    check("GET", "/v1/offers/{id}/revisions", &format!("{at}/revisions"), None, 200);
    check("GET", "/v1/offers/{id}/revisions", "/v1/offers/nothing/revisions", None, 404);
    let stock = format!("{at}/stock");
    check("POST", "/v1/offers/{id}/stock", &stock, Some(&json!({"add": -3, "request_id": "x"})), 200);
    check("POST", "/v1/offers/{id}/stock", &stock, Some(&json!({"add": -3, "request_id": "x"})), 200);
    check("POST", "/v1/offers/{id}/stock", &stock, Some(&json!({})), 422);
    for action in ["pause", "resume"] {
        check("POST", &format!("/v1/offers/{{id}}/{action}"), &format!("{at}/{action}"), None, 200);
        check("POST", &format!("/v1/offers/{{id}}/{action}"), &format!("/v1/offers/nothing/{action}"), None, 404);
        check("POST", &format!("/v1/campaigns/{{id}}/{action}"), &format!("/v1/campaigns/spring/{action}"), None, 200);
    }
    check("GET", "/v1/offers", "/v1/offers", None, 200);
}

#[test]
fn every_example_is_taken_as_it_stands_by_a_service_with_the_sample_policies() {
    let policies = read_policies(&package().join("policies")).unwrap();
    let service = Plan::new(Kind::Sqlite).policies(policies).start();
    let document = document(&service);
    let secret = service.source("checkout");
    let mut seen = 0;
    let asked = json!({"placement": "home_banner", "customer": {"id": "c-42"}});
    let decided = service.decide(&asked).ok()["decision_id"].as_str().unwrap().to_owned();
    service.consent("c-7", "granted");
    let jane = service.wait(service.core.create_key("jane", &[Role::ApprovePrivacy], "test")).unwrap().unwrap();
    let approve = |body: &[u8]| {
        let bearer = format!("Bearer {jane}");
        service.send("POST", "/v1/approvals", &[("authorization", &bearer)], Some(body))
    };
    let bundle = service.core.snapshot().bundle.hash_text();
    let own_word = json!({"bundle": bundle, "expires": "2026-04-01T00:00:00Z"}).to_string();
    let approved = approve(own_word.as_bytes()).ok()["approval"]["id"].to_string();
    let mut all = operations(&document);
    // Campaigns and offers first, then what refers to them.
    all.sort_by_key(|(_, path, _)| {
        let first = ["/v1/offers:import", "/v1/campaigns/{id}", "/v1/offers/{id}", "/v1/decisions"];
        first.iter().position(|known| known == path).unwrap_or(first.len())
    });
    for (method, path, operation) in all {
        let bodies = operation["requestBody"]["content"].as_object();
        let content = bodies.and_then(|bodies| bodies.values().next()).unwrap_or(&Value::Null);
        for (name, example) in content["examples"].as_object().into_iter().flatten() {
            let call = format!("{method} {path} `{name}`");
            let value = &example["value"];
            assert_eq!(mistakes(&document, &content["schema"], value), Vec::<String>::new(), "{call}");
            let body = value.to_string().into_bytes();
            let answer = if path == "/v1/outcomes" {
                service.core.clock.set(Timestamp(NOW.0));
                let seconds = NOW.0 / 1_000;
                let signature = sign(&secret, "m", seconds, &body);
                let seconds = seconds.to_string();
                let headers =
                    [("webhook-id", "m"), ("webhook-timestamp", seconds.as_str()), ("webhook-signature", &signature)];
                service.send(&method, &path, &headers, Some(&body))
            } else if path == "/v1/approvals" {
                approve(&body)
            } else {
                let own = value["offer_id"].as_str().or(value["campaign_id"].as_str());
                let any = match path.as_str() {
                    "/v1/decisions/{id}:recheck" => decided.as_str(),
                    "/v1/customers/{id}:merge" => "c-7",
                    "/v1/approvals/{id}:revoke" => approved.as_str(),
                    path if path.starts_with("/v1/offers/") => "spring-boots",
                    _ => "c-42",
                };
                service.call(&method, &path.replace("{id}", own.unwrap_or(any)), Some(value))
            };
            // Nobody has published the bundle that is taken back there.
            let told = if path.ends_with(":rollback") { answer.json() } else { answer.ok() };
            assert!(!told.to_string().contains("rejected"), "{call}: {}", answer.body);
            hold(&document, &method, &path, &answer);
            seen += 1;
        }
        let reads = operation["requestBody"].is_object();
        assert_eq!(reads, content["examples"].is_object(), "{method} {path} has examples if it has a body");
        assert!(
            reads
                || method == "GET"
                || method == "DELETE"
                || path.ends_with(":activate")
                || path.ends_with("/pause")
                || path.ends_with("/resume")
                || path.ends_with(":release")
                || path.ends_with(":unhold"),
            "{method} {path}"
        );
    }
    assert_eq!(seen, 28);
}

/// The names a type reads, as it lists them itself when it meets an unknown one, are those of its schema.
fn same_fields<T: DeserializeOwned>(document: &Value, name: &str) {
    let error = serde_json::from_value::<T>(json!({"no_such_field": 1})).err().unwrap().to_string();
    let (_, listed) = error.split_once("expected ").unwrap();
    let listed: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
    let schema = json!({"$ref": format!("#/components/schemas/{name}")});
    let schema = resolve(document, &schema);
    let told: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(told, listed, "{name}");
    assert_eq!(schema["additionalProperties"], json!(false), "{name}");
}

#[test]
fn schemas_of_what_is_read_have_the_fields_that_are_read() {
    let service = Plan::new(Kind::Sqlite).start();
    let document = document(&service);
    same_fields::<Offer>(&document, "Offer");
    same_fields::<Variant>(&document, "Variant");
    same_fields::<Campaign>(&document, "Campaign");
    same_fields::<Pause>(&document, "Pause");
    same_fields::<ConsentRecord>(&document, "ConsentRecord");
    same_fields::<Money>(&document, "Money");
    same_fields::<proffer::policy::SwitchSpec>(&document, "Switch");
    // What a request is read into is what its schema is made from; that it is strict shows in the document.
    for name in [
        "DecisionRequest",
        "Customer",
        "BasketLine",
        "Outcome",
        "PutConsents",
        "PutAttributes",
        "PostApproval",
        "RevokeApproval",
    ] {
        assert_eq!(document["components"]["schemas"][name]["additionalProperties"], json!(false), "{name}");
    }
}
