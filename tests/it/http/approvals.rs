//! Approvals as callers meet them: who may give them, what is told where one is missing, and that the very next
//! decision obeys.

use proffer::domain::Timestamp;
use proffer::policy::{Bundle, Source, compile, creative};
use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Answer, Plan, Service};
use super::shop::{self, NOW, ask_as, policies_with};
use crate::harness::database::Kind;

const DAY: i64 = 86_400_000;

/// The shop, where people approve what is named.
pub fn asking(approvers: &str) -> Vec<Source> {
    policies_with("name: test-shop\nschema: 1\n", &format!("name: test-shop\nschema: 1\napprovers: {approvers}\n"))
}

/// What the shop's uses of the tier are: by whom each needs approval.
const PEOPLE: [(&str, Role); 2] = [("jane", Role::ApprovePrivacy), ("joe", Role::ApproveBusiness)];

struct Shop {
    service: Service,
    /// By name.
    keys: Vec<(&'static str, String)>,
    bundle: Bundle,
}

impl Shop {
    /// A service under the plain bundle, with a key for each person, and another bundle that asks for approvals.
    fn open(kind: Kind, approvers: &str) -> Self {
        let service = Plan::new(kind).start();
        service.import(&shop::offers());
        let key = |name: &'static str, role: Role| {
            (name, service.wait(service.core.create_key(name, &[role], "test")).unwrap().unwrap())
        };
        let keys = PEOPLE.iter().map(|(name, role)| key(name, *role)).collect();
        Self { keys, bundle: compile(&asking(approvers)).unwrap(), service }
    }

    fn send(&self, by: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let key = self.keys.iter().find(|(name, _)| *name == by).map_or(&self.service.admin, |(_, key)| key);
        let bearer = format!("Bearer {key}");
        let body = body.map(|body| body.to_string().into_bytes());
        self.service.send(method, path, &[("authorization", &bearer)], body.as_deref())
    }

    fn approve(&self, by: &str, what: &Value) -> Answer {
        let mut body = json!({"expires": Timestamp(NOW.0 + 30 * DAY), "note": "DPIA 7"});
        body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        self.send(by, "POST", "/v1/approvals", Some(&body))
    }

    fn tier(&self) -> Value {
        let id = proffer::domain::AttributeId::parse("customer.tier").unwrap();
        let hash = format!("b3:{}", self.bundle.definition(&id).unwrap().hex());
        json!({
            "attribute": "customer.tier", "purpose": "offer_personalisation", "use_case": "feature", "definition": hash,
        })
    }

    fn activate(&self) -> Result<(), String> {
        let activated = self.service.wait(self.service.core.activate(&self.bundle, "test"));
        activated.unwrap().map(|_| ()).map_err(|not| not.to_string())
    }

    /// What was seen of the tier, and what was withheld, by the decision of a number.
    fn seen(&self, number: u8) -> (Value, Value) {
        let answer = self.service.decide(&ask_as(number, "c-1")).ok();
        let private = self.service.record(&answer)["private"].clone();
        (private["attributes"]["customer.tier"].clone(), private["withheld"].clone())
    }
}

const PERSONAL: &str = "{attributes: [personal]}";

#[test]
fn a_use_is_withheld_until_two_people_approve_it_and_again_once_one_takes_it_back_or_it_ends() {
    let not_approved = json!([{"attribute": "customer.tier", "reason": "not_approved"}]);
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let shop = Shop::open(kind, PERSONAL);
        shop.service.consent("c-1", "granted");
        let first = shop.approve("jane", &shop.tier()).ok();
        assert_eq!(first["standing"]["approved"], false);
        assert!(shop.activate().unwrap_err().contains("nobody approved it for `business`"));
        let second = shop.approve("joe", &shop.tier()).ok();
        assert_eq!(
            (&second["standing"]["approved"], &second["approval"]["authority"]),
            (&json!(true), &json!("business"))
        );
        shop.activate().unwrap();
        assert_eq!(shop.seen(1), (json!("gold"), json!([])));

        // Either may take any back.
        let path = format!("/v1/approvals/{}:revoke", second["approval"]["id"]);
        let note = json!({"note": "complaint 12"});
        assert_eq!(shop.send("jane", "POST", &path, Some(&note)).ok()["status"], "revoked");
        assert_eq!(shop.seen(2), (Value::Null, not_approved.clone()));
        assert_eq!(shop.send("jane", "POST", &path, Some(&note)).ok()["status"], "revoked_before");
        let told = shop.service.record(&shop.service.decide(&ask_as(2, "c-1")).ok()).to_string();
        assert!(told.contains("its use for this purpose is not approved"), "{told}");

        shop.approve("joe", &shop.tier()).ok();
        assert_eq!(shop.seen(3), (json!("gold"), json!([])));
        // By the decision's own time.
        shop.service.core.clock.set(Timestamp(NOW.0 + 30 * DAY - 1));
        shop.service.consent("c-1", "granted");
        let late = |number| shop::with(&ask_as(number, "c-1"), "decision_id", &json!(null));
        let seen = |request: &Value| {
            let private = shop.service.record(&shop.service.decide(request).ok())["private"].clone();
            (private["attributes"]["customer.tier"].clone(), private["withheld"].clone())
        };
        assert_eq!(seen(&late(4)), (json!("gold"), json!([])));
        shop.service.core.clock.set(Timestamp(NOW.0 + 30 * DAY));
        assert_eq!(seen(&late(5)), (Value::Null, not_approved.clone()));
        // What was active stays so at a restart, with what is not approved withheld.
        let listed = shop.send("jane", "GET", "/v1/approvals?state=revoked", None).ok();
        assert_eq!(listed["approvals"].as_array().unwrap().len(), 1);
        assert_eq!(listed["needed"][0]["held"][1]["state"], "expired");
        shop.service.remove();
    }
}

#[test]
fn a_bundle_is_not_put_in_force_before_it_is_approved_and_the_old_one_stays() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let shop = Shop::open(kind, "{attributes: [personal], bundle: [privacy, business]}");
        let before = shop.service.core.snapshot().bundle.hash;
        let told = shop.activate().unwrap_err();
        let told = told
            .replace(&shop.bundle.hash_text(), "b3:BUNDLE")
            .replace(shop.tier()["definition"].as_str().unwrap(), "b3:TIER");
        for part in [
            "bundle b3:BUNDLE may not be put in force: 2 lacks of approval; nothing was changed",
            "error[P0501]: placement `home`: `customer.tier` as `feature` for `offer_personalisation`, and in one more \
             place: nobody approved it for `privacy`; nobody approved it for `business`\n  --> placements.yaml:10:16",
            "error[P0501]: bundle b3:BUNDLE: it needs approval as a whole: nobody approved it for `privacy`; nobody",
            "proffer policy approve customer.tier --purpose offer_personalisation --use-case feature --hash",
            "`proffer policy approve --bundle --hash",
        ] {
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(&part.split_whitespace().collect::<Vec<_>>().join(" ")), "{part}\n{told}");
        }
        assert_eq!(shop.service.core.snapshot().bundle.hash, before);
        for by in ["jane", "joe"] {
            shop.approve(by, &shop.tier()).ok();
            shop.approve(by, &json!({"bundle": shop.bundle.hash_text()})).ok();
        }
        shop.activate().unwrap();
        assert_eq!(shop.service.core.snapshot().bundle.hash, shop.bundle.hash);
        // Nobody gets rid of it alone: the plain bundle asks for less.
        let plain = compile(&shop::policies()).unwrap();
        let told = shop.service.wait(shop.service.core.activate(&plain, "test")).unwrap().unwrap_err().to_string();
        assert!(told.contains("it no longer asks for approval of `attributes: personal`"), "{told}");
        for by in ["jane", "joe"] {
            shop.approve(by, &json!({"bundle": plain.hash_text()})).ok();
        }
        shop.service.wait(shop.service.core.activate(&plain, "test")).unwrap().unwrap();
        shop.service.remove();
    }
}

#[test]
fn a_start_keeps_the_active_bundle_where_that_of_its_folder_is_not_approved() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let shop = Shop::open(kind, PERSONAL);
        let before = shop.service.core.snapshot().bundle.hash;
        let service = shop.service.restart_with(asking(PERSONAL));
        assert_eq!(service.core.snapshot().bundle.hash, before);
        service.remove();
    }
}

#[test]
fn an_offer_is_left_out_until_it_is_approved_as_it_is() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let shop = Shop::open(kind, "{offers: [business]}");
        shop.activate().unwrap();
        shop.service.consent("c-1", "granted");
        let why = |number: u8| {
            let answer = shop.service.decide(&shop::with(&ask_as(number, "c-1"), "candidates", &json!(["boots"]))).ok();
            let row = shop.service.record(&answer)["candidates"][0].clone();
            let excluded = row["excluded_by"].as_array().unwrap().clone();
            assert_eq!(answer["offers"][0]["offer_id"] == "boots", excluded.is_empty(), "{answer}");
            excluded.iter().map(|why| why["sentence"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let unapproved = "`proffer.approval` (an offer is shown only while people have approved it as it is): nobody \
                          has approved it as it is";
        assert_eq!(why(1), [unapproved]);
        let boots = shop.service.core.snapshot().catalogue.offer("boots").unwrap().clone();
        let hash = format!("b3:{}", creative(&boots, &boots.variants[0]).hex());
        let approval = json!({"offer_id": "boots", "variant_id": "a", "content": hash});
        let needed = shop.send("joe", "GET", "/v1/approvals", None).ok()["needed"].clone();
        assert!(needed.as_array().unwrap().iter().all(|one| one["kind"] == "offer" && one["approved"] == false));
        shop.approve("joe", &approval).ok();
        assert_eq!(why(2), [""; 0]);
        // Its price is part of what was approved.
        shop.service.import(&json!([shop::offer("boots", "shoes", "79.00", "52.00")]));
        assert_eq!(why(3), [unapproved]);
        shop.service.remove();
    }
}

#[test]
fn who_may_not_approve_and_what_cannot_be_approved_is_told() {
    let shop = Shop::open(Kind::Sqlite, PERSONAL);
    let key = |name: &str, roles: &[Role]| {
        shop.service.wait(shop.service.core.create_key(name, roles, "test")).unwrap().unwrap()
    };
    let both = key("max", &[Role::ApprovePrivacy, Role::ApproveBusiness]);
    let ask = |key: &str, body: &Value| {
        let bearer = format!("Bearer {key}");
        let body = body.to_string().into_bytes();
        told(&shop.service.send("POST", "/v1/approvals", &[("authorization", &bearer)], Some(&body)))
    };
    let mut tier = shop.tier();
    tier["expires"] = json!(Timestamp(NOW.0 + DAY));
    assert_eq!(
        ask(&key("boss", &[Role::Admin]), &tier),
        "403 key `boss` may do everything, and this is for a key that has the role `approve:privacy` or \
         `approve:business` itself: people approve, each with a key of their own; `proffer keys create NAME --role \
         ROLE` makes one"
    );
    assert_eq!(
        ask(&both, &tier),
        "403 key `max` has the roles `approve:privacy` and `approve:business`: a key approves under one of them, so \
         that two people are needed; make one key for each with `proffer keys create NAME --role ROLE`"
    );
    assert_eq!(
        ask(&key("ann", &[Role::Author]), &tier),
        "403 key `ann` may `author` and this needs the role `approve:privacy` or `approve:business`: send another key; \
         `proffer keys create` makes one"
    );
    // A key that replaces a revoked one is the same person's.
    shop.approve("jane", &shop.tier()).ok();
    let store = shop.service.core.store.clone();
    shop.service.wait(store.revoke_key("jane", proffer::store::By { key: "test", at: NOW })).unwrap();
    let again = key("jane", &[Role::ApproveBusiness]);
    assert_eq!(
        ask(&again, &tier),
        "409 `jane` has approved `customer.tier` as `feature` for `offer_personalisation` for `privacy` already: for \
         `business` it needs another person"
    );
    tier["expires"] = json!(NOW);
    assert_eq!(
        ask(&again, &tier),
        "422 /expires: `expires` 2026-03-01T09:30:00.000Z is past: it is 2026-03-01T09:30:00.000Z now; name an \
         instant to come"
    );
    tier["expires"] = json!(Timestamp(NOW.0 + 367 * DAY));
    assert_eq!(
        ask(&again, &tier),
        "422 /expires: `expires` 2027-03-03T09:30:00.000Z is too far away: an approval lasts 366 days at most, until \
         2027-03-02T09:30:00.000Z"
    );
    let wrong = json!({"attribute": "tier", "use_case": "features", "definition": "b3:12", "expires": NOW});
    assert_eq!(
        ask(&again, &wrong),
        "422 /attribute: `tier` is not an attribute: expected `customer.`, `context.` or `offer.` and a name of \
         letters, digits and `_`; /purpose: `purpose` is missing: say what it is read for; /use_case: unknown use \
         case `features`: expected one of `rule`, `feature`, `price`, `guard`, `measurement`; did you mean \
         `feature`?; /definition: `b3:12` is not a hash: expected `b3:` and 64 hexadecimal digits"
    );
    let mixed = json!({"attribute": "customer.tier", "bundle": "b3:12", "expires": NOW});
    assert_eq!(
        ask(&again, &mixed),
        "422 : fields of use and of bundle are given: send either `attribute`, `purpose`, `use_case` and \
         `definition`, or `offer_id` and `content`, or `bundle`"
    );
    assert_eq!(
        told(&shop.send("joe", "POST", "/v1/approvals/99:revoke", Some(&json!({"note": "x"})))),
        "404 there is no approval 99; `GET /v1/approvals` lists them"
    );
    assert_eq!(
        told(&shop.send("joe", "GET", "/v1/approvals?state=gone", None)),
        "422 ?state: `gone` is unknown, expected one of `in_force`, `expired`, `revoked`"
    );
}

/// Status and detail of a problem, or every place that is wrong.
fn told(answer: &Answer) -> String {
    let body = answer.json();
    let errors = body["errors"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors: Vec<String> =
        errors.map(|error| format!("{}: {}", text(&error["pointer"]), text(&error["message"]))).collect();
    let what = if errors.is_empty() { text(&body["detail"]) } else { errors.join("; ") };
    format!("{} {what}", answer.status)
}
