//! Customers who ask what is held about them and then want to be gone, as privacy owners and checkout meet it.

use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, ask_as, id, order, with};
use crate::harness::database::Kind;

/// An id that occurs nowhere else.
const ZOE: &str = "customer-zoe-4711";

fn service(kind: Kind) -> Service {
    let service = Plan::new(kind).start();
    service.import(&shop::offers());
    service
}

/// Three decisions for each customer, all made before anything is learned, and an order of the first of each.
fn history(service: &Service, customers: &[(&str, u8)]) {
    for (customer, first) in customers {
        service.consent(customer, "granted");
        for number in *first..first + 3 {
            service.decide(&ask_as(number, customer)).ok();
        }
    }
    for (_, first) in customers {
        service.outcomes(&order(&format!("order-{first}"), &id(*first), "72.00"));
    }
    service.learn();
}

fn erase(service: &Service, customer: &str) -> Value {
    service.call("DELETE", &format!("/v1/customers/{customer}"), None).ok()
}

/// What every model holds, without how much it has absorbed.
fn digests(service: &Service) -> Vec<String> {
    let models = service.call("GET", "/v1/models", None).ok();
    let models = models["models"].as_array().unwrap().iter();
    models.map(|model| model["digest"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn whoever_is_erased_is_found_nowhere_and_the_models_are_as_if_it_had_never_come() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (service, never) = (service(kind), service(kind));
        history(&service, &[("bob", 1), (ZOE, 10), ("ann", 20)]);
        history(&never, &[("bob", 1), ("ann", 20)]);
        assert_ne!(digests(&service), digests(&never));
        // Decided by models that know of her, and with nobody to know of.
        for one in [&service, &never] {
            one.decide(&ask_as(4, "bob")).ok();
            one.learn();
        }
        let replayed = |number: u8| {
            let path = format!("/v1/decisions/{}/replay", id(number));
            service.call("GET", &path, None).ok()["verdict"].as_str().unwrap().to_owned()
        };
        assert_eq!([1, 4, 10].map(replayed), ["identical"; 3]);
        let leaf = service.record(&json!({"decision_id": id(10)}))["leaf"].clone();

        let told = erase(&service, ZOE);
        assert_eq!((&told["status"], &told["decisions"], &told["outcomes"]), (&json!("erased"), &json!(3), &json!(1)));
        assert!(told["learning_events"].as_u64().unwrap() >= 3, "{told}");
        assert_eq!(digests(&service), digests(&never));
        let told_again = erase(&service, ZOE);
        assert_eq!(told_again, told, "again it is answered as before");

        // What was decided by the models of before follows from their scores alone now.
        assert_eq!([1, 4, 10].map(replayed), ["identical", "identical_from_scores", "erased"]);
        // Who was erased is a leaf, and nothing else has changed of any.
        service.wait(service.core.logged_all()).unwrap();
        let verified = service.verify();
        assert_eq!((verified.findings.first, verified.decisions), (Vec::new(), 10));

        let record = service.record(&json!({"decision_id": id(10)}));
        assert_eq!((&record["private"], &record["leaf"]), (&Value::Null, &leaf));
        for path in ["", "/consents", "/attributes"] {
            assert_eq!(service.call("GET", &format!("/v1/customers/{ZOE}{path}"), None).status, 404, "{path}");
        }
        // What comes later of her names a decision, an event, or her alone.
        let came = |event: Value| service.outcomes(&event)[0]["status"].clone();
        assert_eq!(came(order("late-1", &id(11), "30.00")), "erased");
        assert_eq!(service.call("GET", "/v1/outcomes/checkout/late-1", None).status, 404, "nothing of it is kept");
        assert_eq!(came(order("order-10", &id(10), "72.00")), "erased", "sent again");
        let refund = shop::refund("refund-10", "order-10");
        assert_eq!(came(refund), "erased");
        let alone = with(&order("late-2", &id(90), "30.00"), "decision_id", &Value::Null);
        assert_eq!(came(with(&alone, "customer_id", &json!(ZOE))), "unmatched");
        service.learn();
        assert_eq!(digests(&service), digests(&never));

        // The others go on, and so does she, as somebody new.
        assert_eq!(service.outcomes(&order("order-2", &id(2), "30.00"))[0]["status"], "accepted");
        let refused = service.record(&service.decide(&ask_as(50, ZOE)).ok());
        assert_eq!(refused["refused_purpose"], "offer_personalisation", "she agreed to nothing");
        let restarted = service.restart();
        never.outcomes(&order("order-2", &id(2), "30.00"));
        never.decide(&ask_as(50, ZOE)).ok();
        restarted.learn();
        never.learn();
        assert_eq!(digests(&restarted), digests(&never), "a start reads what is left");
        restarted.remove();
        never.remove();
    }
}

#[test]
fn another_process_forgets_what_it_learned_too_and_the_learner_does_what_another_was_asked() {
    let learner = service(Kind::Postgres);
    let other = learner.beside("node-2");
    history(&learner, &[("bob", 1), (ZOE, 10)]);
    other.learn();
    assert_eq!(digests(&other), digests(&learner));
    let before = digests(&other);
    let told = erase(&other, ZOE);
    assert_eq!(told["status"], "erased");
    other.learn();
    learner.learn();
    assert_ne!(digests(&other), before);
    assert_eq!(digests(&other), digests(&learner));
}

#[test]
fn everything_held_about_a_customer_is_told_in_json_and_in_sentences() {
    let service = service(Kind::Sqlite);
    history(&service, &[("guest-7", 1), (ZOE, 10)]);
    service.call("POST", "/v1/customers/guest-7:merge", Some(&json!({"into": ZOE}))).ok();
    let path = format!("/v1/customers/{ZOE}");
    let attributes = json!({"attributes": {"tier": "gold"}});
    service.call("PUT", &format!("{path}/attributes"), Some(&attributes)).ok();
    service.call("POST", &format!("{path}:hold"), Some(&json!({"why": "Dispute 7"}))).ok();
    let held = service.call("GET", &path, None).ok();
    assert_eq!(held["known_as"], json!([{"kind": "customer", "id": ZOE}, {"kind": "customer", "id": "guest-7"}]));
    assert_eq!(held["legal_hold"]["why"], "Dispute 7");
    assert_eq!(held["decisions"].as_array().unwrap().len(), 6, "those of the guest too");
    let types: Vec<&Value> = held["outcomes"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(types, ["order", "order"]);
    assert_eq!(held["outcomes"][0]["revenue"], json!({"amount": "72.00", "currency": "USD"}));
    assert_eq!(held["attributes"][0]["value"], "gold");
    assert!(held["consents"].as_array().is_some_and(|consents| !consents.is_empty()));
    let bearer = format!("Bearer {}", service.admin);
    let headers = [("authorization", bearer.as_str()), ("accept", "text/plain")];
    let text = service.send("GET", &path, &headers, None).body;
    for expected in [
        "You are known as customer `customer-zoe-4711`.\nYou are also known as customer `guest-7`.\n",
        "your consent for `offer_personalisation` was noted: granted.",
        "`tier` is known as gold since ",
        "a legal hold says so.",
        "were drawn with probability",
        "`checkout` told of: order, of decision ",
    ] {
        assert!(text.contains(expected) || text.contains(&expected.replace("were", "was")), "{expected}\n{text}");
    }
}

#[test]
fn under_a_legal_hold_a_customer_is_not_erased_until_it_is_ended() {
    let service = service(Kind::Sqlite);
    history(&service, &[(ZOE, 1)]);
    let path = format!("/v1/customers/{ZOE}");
    let hold = |why: Value| service.call("POST", &format!("{path}:hold"), Some(&json!({"why": why})));
    assert_eq!(hold(json!("Dispute 7")).ok()["changed"], true);
    assert_eq!(hold(json!("Dispute 8")).ok()["changed"], false);
    let refused = service.call("DELETE", &path, None);
    assert_eq!(refused.status, 409);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("is under a legal hold since ") && detail.contains("(Dispute 7): end that first"),
        "{detail}"
    );
    assert_eq!(service.call("GET", &path, None).ok()["decisions"].as_array().unwrap().len(), 3, "access goes on");
    let ended = |changed: bool| {
        let answer = service.call("POST", &format!("{path}:unhold"), None).ok();
        assert_eq!(answer["changed"], changed);
    };
    ended(true);
    ended(false);
    assert_eq!(erase(&service, ZOE)["status"], "erased");
    let wrong = hold(json!(" "));
    assert_eq!((wrong.status, hold(json!("x")).status), (422, 404));
    assert!(wrong.body.contains("a reason has 1 to 500 bytes; this one has 0"), "{}", wrong.body);
}

#[test]
fn a_backup_from_before_is_erased_again_at_its_start_and_no_file_says_who_it_was() {
    let service = service(Kind::Sqlite);
    history(&service, &[(ZOE, 1), ("bob", 20)]);
    let path = std::path::PathBuf::from(service.store_url().strip_prefix("sqlite:").unwrap());
    let backup = path.with_extension("backup");
    let service = service.restart();
    service.wait(async { sqlx_backup(&path, &backup).await });
    assert!(holds(&backup, ZOE), "the backup knows her");
    assert_eq!(erase(&service, ZOE)["status"], "erased");
    for suffix in ["", "-wal", "-shm"] {
        let file = std::path::PathBuf::from(format!("{}{suffix}", path.display()));
        assert!(!file.exists() || !holds(&file, ZOE), "{}", file.display());
    }
    let list = std::fs::read_to_string(service.erased_file()).unwrap();
    assert!(list.lines().count() >= 3 && !list.contains(ZOE), "{list}");

    let restored = service.restart_from(&backup);
    assert_eq!(restored.call("GET", &format!("/v1/customers/{ZOE}"), None).status, 404);
    restored.learn();
    assert!(restored.call("GET", "/v1/customers/bob", None).status == 200);
    assert_eq!(erase(&restored, ZOE)["status"], "erased");
    let path = restored.store_url().strip_prefix("sqlite:").unwrap();
    assert!(!holds(std::path::Path::new(path), ZOE));
}

fn holds(file: &std::path::Path, text: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// As an operator would make it: SQLite's own copy of a database in use.
async fn sqlx_backup(from: &std::path::Path, to: &std::path::Path) {
    use sqlx::Connection as _;
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{}", from.display())).await.unwrap();
    sqlx::query("vacuum into ?").bind(to.to_str().unwrap()).execute(&mut connection).await.unwrap();
}
