//! Every path with every method and every role, from one table; probes, and paths that do not exist.

use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::transcript::whole;
use crate::harness::database::Kind;

/// A path and its methods, each with the roles that may use it and what an empty JSON object is answered.
struct Path {
    path: &'static str,
    methods: &'static [(&'static str, &'static [Role], u16)],
}

const UNKNOWN: &str = "/v1/decisions/01969e0c-8a00-7000-8000-000000000001";

const PATHS: [Path; 6] = [
    Path { path: "/v1/decisions", methods: &[("POST", &[Role::Decide], 422)] },
    Path { path: UNKNOWN, methods: &[("GET", &[Role::Audit], 404)] },
    Path { path: "/v1/outcomes", methods: &[("POST", &[Role::Outcomes], 422)] },
    Path {
        path: "/v1/customers/c-1/consents",
        methods: &[("GET", &[Role::Privacy], 404), ("PUT", &[Role::Privacy], 422)],
    },
    Path { path: "/v1/offers:import", methods: &[("POST", &[Role::Catalogue], 400)] },
    Path { path: "/v1/models", methods: &[("GET", &[Role::Decide, Role::Audit, Role::Operate], 200)] },
];

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

fn status(service: &Service, method: &str, path: &str, key: Option<&str>) -> u16 {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let body = ["POST", "PUT", "PATCH"].contains(&method).then_some(&b"{}"[..]);
    service.send(method, path, &headers, body).status
}

#[test]
fn every_method_of_every_path_asks_for_its_role() {
    let service = Plan::new(Kind::Sqlite).start();
    let keys: Vec<(Role, String)> = Role::ALL
        .iter()
        .map(|(role, name)| {
            let (name, roles) = (format!("only-{name}"), [*role]);
            (*role, service.wait(service.core.create_key(&name, &roles, "test")).unwrap().unwrap())
        })
        .collect();
    for Path { path, methods } in &PATHS {
        for method in METHODS {
            // What may be got may be asked for its head.
            let known = methods.iter().find(|(name, ..)| *name == method || (*name == "GET" && method == "HEAD"));
            let Some((_, roles, answered)) = known else {
                assert_eq!(status(&service, method, path, Some(&service.admin)), 405, "{method} {path}");
                continue;
            };
            assert_eq!(status(&service, method, path, None), 401, "{method} {path} without a key");
            assert_eq!(status(&service, method, path, Some("proffer_x")), 401, "{method} {path} with an unknown key");
            for (role, key) in &keys {
                let expected = if roles.contains(role) || *role == Role::Admin { *answered } else { 403 };
                assert_eq!(status(&service, method, path, Some(key)), expected, "{method} {path} as {}", role.name());
            }
        }
    }
}

#[test]
fn callers_without_the_right_key_are_told_what_to_do() {
    let service = Plan::new(Kind::Sqlite).start();
    let key = service.wait(service.core.create_key("shop", &[Role::Decide], "test")).unwrap().unwrap();
    let ask = |headers: &[(&str, &str)]| whole(&service.send("GET", UNKNOWN, headers, None));
    insta::assert_snapshot!(ask(&[]), @r#"
    401 application/problem+json
    www-authenticate: Bearer realm="proffer"
    {
      "detail": "no API key was sent: add the header `Authorization: Bearer KEY`; `proffer keys create` makes one",
      "status": 401,
      "title": "the caller is not known",
      "type": "urn:proffer:problem:unauthorised"
    }
    "#);
    insta::assert_snapshot!(ask(&[("authorization", "Bearer proffer_nobody")]), @r#"
    401 application/problem+json
    www-authenticate: Bearer realm="proffer"
    {
      "detail": "the API key is unknown or was revoked: `proffer keys list` shows which are in force",
      "status": 401,
      "title": "the caller is not known",
      "type": "urn:proffer:problem:unauthorised"
    }
    "#);
    insta::assert_snapshot!(ask(&[("authorization", &format!("Bearer {key}"))]), @r#"
    403 application/problem+json
    {
      "detail": "key `shop` may `decide` and this needs the role `audit`: send another key; `proffer keys create` makes one",
      "status": 403,
      "title": "the key may not do this",
      "type": "urn:proffer:problem:forbidden"
    }
    "#);
    assert!(ask(&[("authorization", "Basic YTpi")]).contains("no API key was sent"));
    // The name of the scheme knows no case.
    assert!(ask(&[("authorization", &format!("bearer {}", service.admin))]).starts_with("404"));
}

#[test]
fn unknown_paths_methods_and_decisions_are_told_apart() {
    let service = Plan::new(Kind::Sqlite).start();
    let call = |method: &str, path: &str| whole(&service.call(method, path, None));
    insta::assert_snapshot!(call("GET", "/v1/decision"), @r#"
    404 application/problem+json
    {
      "detail": "there is nothing at /v1/decision",
      "status": 404,
      "title": "there is no such thing",
      "type": "urn:proffer:problem:not-found"
    }
    "#);
    insta::assert_snapshot!(call("GET", "/v1/decisions"), @r#"
    405 application/problem+json
    allow: POST
    {
      "detail": "/v1/decisions does not know GET: it knows POST",
      "status": 405,
      "title": "the path does not know this method",
      "type": "urn:proffer:problem:method-not-allowed"
    }
    "#);
    insta::assert_snapshot!(call("DELETE", "/v1/customers/c-1/consents"), @r#"
    405 application/problem+json
    allow: GET, HEAD, PUT
    {
      "detail": "/v1/customers/c-1/consents does not know DELETE: it knows GET, HEAD, PUT",
      "status": 405,
      "title": "the path does not know this method",
      "type": "urn:proffer:problem:method-not-allowed"
    }
    "#);
    insta::assert_snapshot!(call("GET", UNKNOWN), @r#"
    404 application/problem+json
    {
      "detail": "no decision `01969e0c-8a00-7000-8000-000000000001` is stored",
      "status": 404,
      "title": "there is no such thing",
      "type": "urn:proffer:problem:not-found"
    }
    "#);
    insta::assert_snapshot!(call("GET", "/v1/decisions/42"), @r#"
    422 application/problem+json
    {
      "detail": "`42` is not a UUIDv7, such as `01969e0c-8a00-7000-8000-000000000001`",
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
    insta::assert_snapshot!(call("GET", "/v1/customers/c-1/consents"), @r#"
    404 application/problem+json
    {
      "detail": "no customer `c-1` is known",
      "status": 404,
      "title": "there is no such thing",
      "type": "urn:proffer:problem:not-found"
    }
    "#);
}

#[test]
fn probes_answer_without_a_key() {
    let service = Plan::new(Kind::Sqlite).start();
    let probe = |path: &str| -> Value { service.send("GET", path, &[], None).ok() };
    assert_eq!(probe("/healthz"), json!({"status": "ok"}));
    assert_eq!(probe("/readyz"), json!({"status": "ready"}));
    let head = service.send("HEAD", "/readyz", &[], None);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn a_service_without_room_says_when_to_come_back() {
    let service = Plan::new(Kind::Sqlite).waiting_max(0).start();
    insta::assert_snapshot!(whole(&service.decide(&super::shop::ask("c-1"))), @r#"
    503 application/problem+json
    retry-after: 1
    {
      "detail": "too many requests wait already; send it again after a moment",
      "status": 503,
      "title": "the service is overloaded",
      "type": "urn:proffer:problem:overloaded"
    }
    "#);
}
