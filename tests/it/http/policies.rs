//! `/v1/policies` as authors meet it: checked, published, shown, compared, put in force and taken back.

use proffer::policy::Source;
use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Answer, Plan, Service};
use super::shop::{self, ask, with};
use super::transcript::whole;
use crate::harness::database::Kind;

fn files(sources: &[Source]) -> Value {
    sources.iter().map(|file| (file.path.clone(), json!(file.text))).collect::<serde_json::Map<_, _>>().into()
}

fn publish(service: &Service, sources: &[Source], dry_run: bool) -> Answer {
    service.call("POST", "/v1/policies", Some(&json!({"files": files(sources), "dry_run": dry_run})))
}

/// The bundle with a lower cap, and with a test of its own.
fn stricter(expect: &str) -> Vec<Source> {
    let mut sources = shop::policies_with("max: 2", "max: 1");
    let fixtures = "customers:\n  - {id: ann, consents: {offer_personalisation: granted}}\noffers:\n  - {id: tent, \
                    category: outdoor, price: 10.00 USD, cost_of_goods: 1.00 USD}\n";
    let case = format!(
        "given: {{placement: home, at: 2026-03-02 12:00, time_zone: America/New_York, jurisdiction: US-NY, customer: \
         ann}}\ncases:\n  - name: a tent is shown\n    expect: {{tent: [{expect}]}}\n"
    );
    sources.push(Source { path: "tests/fixtures/shop.yaml".into(), text: fixtures.into() });
    sources.push(Source { path: "tests/shop.test.yaml".into(), text: case });
    sources
}

fn under(service: &Service) -> Value {
    service.decide(&with(&ask("c-1"), "dry_run", &json!(true))).ok()["versions"]["bundle"].clone()
}

#[test]
fn a_bundle_goes_from_files_to_being_in_force_and_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).start();
        service.import(&shop::offers());
        let old = under(&service);
        let tried = publish(&service, &stricter(""), true).ok();
        let tests = json!({"holds": true, "cases": 1, "failed": [], "uncovered": tried["tests"]["uncovered"]});
        assert_eq!((&tried["new"], &tried["dry_run"], &tried["rules"]), (&json!(true), &json!(true), &json!(4)));
        assert_eq!(tried["tests"], tests);
        let list = || service.call("GET", "/v1/policies", None).ok();
        assert_eq!(list()["bundles"].as_array().unwrap().len(), 1);
        let new = &tried["bundle"];
        let hash = new.as_str().unwrap();
        for is_new in [true, false] {
            let kept = publish(&service, &stricter(""), false).ok();
            assert_eq!((&kept["bundle"], &kept["new"], &kept["dry_run"]), (new, &json!(is_new), &json!(false)));
        }
        assert_eq!((under(&service), list()["bundles"].as_array().unwrap().len()), (old.clone(), 2));
        let diff = service.call("GET", &format!("/v1/policies/{hash}/diff"), None).ok();
        assert_eq!((&diff["before"], &diff["after"], &diff["same"]), (&old, new, &json!(false)));
        let changes = diff["changes"].as_array().unwrap();
        assert_eq!((&changes[0]["id"], &changes[0]["how"]), (&json!("cap.offer.day"), &json!("changed")), "{diff}");
        let back = format!("/v1/policies/{}/diff?with={hash}", old.as_str().unwrap());
        assert_eq!(service.call("GET", &back, None).ok()["before"], *new);
        // Enough of its digits names it.
        let activate = format!("/v1/policies/{}:activate", &hash[..12]);
        for changed in [true, false] {
            let told = service.call("POST", &activate, None).ok();
            let expected = json!({"bundle": new, "changed": changed, "control_sequence": 3, "unheard": []});
            assert_eq!(told, expected);
        }
        assert_eq!(under(&service), *new);
        let shown = service.call("GET", &format!("/v1/policies/{hash}"), None).ok();
        assert_eq!((&shown["name"], &shown["active"]), (&json!("test-shop"), &json!(true)));
        assert_eq!(shown["files"], files(&stricter("")));
        let cap = shown["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "cap.offer.day").unwrap();
        assert_eq!((&cap["list"], &cap["place"]), (&json!("frequency_caps"), &json!("rules/shop.yaml:11")));
        assert_eq!((&shown["tests"], &shown["nodes"][0]["node"]), (&tests, &json!("node-1")), "{shown}");
        let rollback = |body: &Value| service.call("POST", "/v1/policies:rollback", Some(body)).ok();
        // Taken back once, however often that is sent.
        for changed in [true, false] {
            let told = rollback(&json!({"from": new}));
            assert_eq!((&told["bundle"], &told["changed"]), (&old, &json!(changed)), "{told}");
        }
        assert_eq!(under(&service), old);
        let told = list();
        let history: Vec<&Value> =
            told["activations"].as_array().unwrap().iter().map(|activation| &activation["bundle"]).collect();
        assert_eq!(history, [&old, new, &old]);
        assert_eq!((&told["active"]["bundle"], &told["active"]["control_sequence"]), (&old, &json!(4)));
        let key = told["active"]["by"].as_str().unwrap();
        assert!(key.starts_with("test-"), "{key}");
        let kept = told["bundles"].as_array().unwrap().iter().find(|bundle| bundle["bundle"] == *new).unwrap();
        assert_eq!((&kept["published_by"], &kept["active"]), (&json!(key), &json!(false)));
        let node = &told["nodes"][0];
        assert_eq!((&node["node"], &node["here"], &node["refused"]), (&json!("node-1"), &json!(true), &Value::Null));
        service.remove();
    }
}

#[test]
fn a_bundle_whose_tests_fail_is_published_and_not_put_in_force() {
    let service = Service::start();
    let old = under(&service);
    let kept = publish(&service, &stricter("margin.floor"), false).ok();
    assert_eq!((&kept["tests"]["holds"], &kept["tests"]["cases"]), (&json!(false), &json!(1)));
    assert_eq!(kept["tests"]["failed"][0]["name"], "a tent is shown");
    let hash = kept["bundle"].as_str().unwrap();
    let answer = service.call("POST", &format!("/v1/policies/{hash}:activate"), None);
    insta::assert_snapshot!(whole(&answer).replace(hash, "b3:HASH"), @r#"
    409 application/problem+json
    {
      "detail": "1 of the 1 tests of the bundle fails, the first is `a tent is shown` (tests/shop.test.yaml:3); `proffer policy test` shows what came instead",
      "status": 409,
      "title": "it is not put in force",
      "type": "urn:proffer:problem:refused"
    }
    "#);
    assert_eq!(under(&service), old);
}

#[test]
fn mistakes_in_files_are_told_with_code_and_place() {
    let service = Service::start();
    let mut sources = shop::policies_with("min_margin: 10%", "min_margn: 10%");
    sources.push(Source { path: "rules/more.yml".into(), text: "owner: shop\n".into() });
    insta::assert_snapshot!(whole(&publish(&service, &sources, true)), @r#"
    422 application/problem+json
    {
      "detail": "2 things are wrong; see `errors`",
      "errors": [
        {
          "code": "P0007",
          "message": "a bundle has no file `rules/more.yml`; did you mean `rules/more.yaml`? a bundle has bundle.yaml, placements.yaml, fairness.yaml, catalog/attributes.yaml, catalog/calendars.yaml, catalog/purposes.yaml, catalog/stores.yaml, rules/*.yaml and tests/**",
          "pointer": "/files/rules~1more.yml"
        },
        {
          "code": "P0101",
          "column": 5,
          "line": 9,
          "message": "rule `margin.floor`: unknown field `min_margn`; did you mean `min_margin`? the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`, `overridable`, `min_margin`, `over`",
          "pointer": "/files/rules~1shop.yaml"
        }
      ],
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
    let call = |method: &str, path: &str, body: Option<&Value>| whole(&service.call(method, path, body));
    insta::assert_snapshot!(call("POST", "/v1/policies", Some(&json!({"file": {}}))), @r#"
    422 application/problem+json
    {
      "detail": "unknown field `file`, expected `files` or `dry_run`; did you mean `files`?",
      "errors": [
        {
          "message": "unknown field `file`, expected `files` or `dry_run`; did you mean `files`?",
          "pointer": "/file"
        }
      ],
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
    insta::assert_snapshot!(call("POST", "/v1/policies/b3:00000000:activate", None), @r#"
    404 application/problem+json
    {
      "detail": "no bundle with the hash `b3:00000000` is published here: `GET /v1/policies` lists those that are, `POST /v1/policies` publishes one",
      "status": 404,
      "title": "there is no such thing",
      "type": "urn:proffer:problem:not-found"
    }
    "#);
    insta::assert_snapshot!(call("GET", "/v1/policies/active", None), @r#"
    422 application/problem+json
    {
      "detail": "`active` is not the hash of a bundle: expected `b3:` and at least 4 hexadecimal digits",
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
    insta::assert_snapshot!(call("POST", "/v1/policies:rollback", None), @r#"
    409 application/problem+json
    {
      "detail": "no other bundle was active before: `GET /v1/policies` shows the history",
      "status": 409,
      "title": "the id names something else",
      "type": "urn:proffer:problem:conflict"
    }
    "#);
}

#[test]
fn who_changed_what_is_kept_with_the_name_of_the_key() {
    let service = Service::start();
    let make = |name: &str, role: Role| {
        format!("Bearer {}", service.wait(service.core.create_key(name, &[role], "test")).unwrap().unwrap())
    };
    let (author, operator) = (make("ann-author", Role::Author), make("olaf-operator", Role::Operate));
    let send = |method: &str, path: &str, bearer: &str, body: &Value| {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        service.send(method, path, &[("authorization", bearer)], Some(&body))
    };
    let wanted = json!({"files": files(&stricter(""))});
    let kept = send("POST", "/v1/policies", &author, &wanted).ok();
    let activate = format!("/v1/policies/{}:activate", kept["bundle"].as_str().unwrap());
    assert_eq!(send("POST", &activate, &operator, &Value::Null).status, 403);
    send("POST", &activate, &author, &Value::Null).ok();
    send("POST", "/v1/policies:rollback", &operator, &Value::Null).ok();
    let told = service.call("GET", "/v1/policies", None).ok();
    let by: Vec<&Value> = told["activations"].as_array().unwrap().iter().map(|told| &told["by"]).collect();
    assert_eq!(by, ["olaf-operator", "ann-author", "start"]);
}
