//! Every route with every role, held to the page that users read; probes, and paths that do not exist.

use proffer::api::ROUTES;
use proffer::config::{MetricsAccess, Settings};
use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::transcript::whole;
use crate::harness::database::Kind;
use crate::harness::source::package;

const UNKNOWN: &str = "/v1/decisions/01969e0c-8a00-7000-8000-000000000001";

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

fn status(service: &Service, method: &str, path: &str, key: Option<&str>) -> u16 {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let body = ["POST", "PUT", "PATCH"].contains(&method).then_some(&b"{}"[..]);
    service.send(method, path, &headers, body).status
}

/// One line of the matrix on the page: a route, and who may ask.
struct Line {
    method: String,
    path: String,
    /// By the heading of the column.
    may: Vec<(String, bool)>,
}

/// The matrix of the page `api.md`.
fn matrix() -> Vec<Line> {
    let page = std::fs::read_to_string(package().join("src/docs/api.md")).unwrap();
    let table = page.split("| route |").nth(1).expect("the page has a table that begins with `| route |`");
    let mut lines = table.lines();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let columns = cells(lines.next().unwrap());
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let line = |row: &str| {
        let cells = cells(row);
        let (method, path) = cells[0].split_once(' ').unwrap();
        assert!(cells[1..].iter().all(|cell| ["yes", ""].contains(&cell.as_str())), "{row}");
        let may = columns.iter().cloned().zip(cells[1..].iter().map(|cell| cell == "yes")).collect();
        Line { method: method.to_owned(), path: path.to_owned(), may }
    };
    rows.map(line).collect()
}

#[test]
fn the_page_lists_every_route_and_every_role() {
    let listed: Vec<String> = matrix().iter().map(|line| format!("{} {}", line.method, line.path)).collect();
    let served: Vec<String> = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(listed, served);
    for line in matrix() {
        let columns: Vec<&str> = line.may.iter().map(|(column, _)| column.as_str()).collect();
        let roles: Vec<&str> = ["no key"].into_iter().chain(Role::ALL.iter().map(|(_, name)| *name)).collect();
        assert_eq!(columns, roles, "{} {}", line.method, line.path);
    }
}

#[test]
fn the_limits_on_the_page_are_the_defaults() {
    let page = std::fs::read_to_string(package().join("src/docs/api.md")).unwrap();
    let defaults = Settings::default();
    for (setting, value, shown) in [
        ("body_bytes_max", defaults.body_bytes_max, 256 * 1024),
        ("import_bytes_max", defaults.import_bytes_max, 16 * 1024 * 1024),
        ("candidates_max", defaults.candidates_max, 1_000),
        ("attributes_max", defaults.attributes_max, 200),
        ("outcomes_max", defaults.outcomes_max, 1_000),
        ("waiting_max", defaults.waiting_max, 4_096),
        ("stream_lines_max", defaults.stream_lines_max, 256),
    ] {
        let said = match shown {
            bytes if bytes >= 1024 * 1024 => format!("{} MiB", bytes / (1024 * 1024)),
            bytes if bytes >= 64 * 1024 => format!("{} KiB", bytes / 1024),
            count if count >= 1_000 => format!("{},{:03}", count / 1_000, count % 1_000),
            count => count.to_string(),
        };
        let row = page.lines().find(|line| line.ends_with(&format!("| `{setting}` |")));
        let row = row.unwrap_or_else(|| panic!("no row of the page ends with `{setting}`"));
        assert!(row.contains(&format!("| {said}")), "{row}: expected {said}");
        assert_eq!(value, shown, "{setting}");
    }
}

#[test]
fn every_role_may_do_what_the_page_says_and_nothing_else() {
    let service = Plan::new(Kind::Sqlite).metrics(MetricsAccess::Key).start();
    let made = |name: &str, role: Role| {
        service.wait(service.core.create_key(&format!("only-{name}"), &[role], "test")).unwrap().unwrap()
    };
    let keys: Vec<(&str, String)> = Role::ALL.iter().map(|(role, name)| (*name, made(name, *role))).collect();
    for Line { method, path, may } in matrix() {
        let path = path.replace("{id}", "c-1");
        let open = may[0].1;
        for (column, may) in &may {
            let key = keys.iter().find(|(name, _)| name == column).map(|(_, key)| key.as_str());
            let status = status(&service, &method, &path, key);
            let turned_away = if key.is_none() { 401 } else { 403 };
            if *may {
                assert!(![401, 403, 405].contains(&status), "{method} {path} as {column}: {status}");
            } else {
                assert_eq!(status, turned_away, "{method} {path} as {column}");
            }
        }
        let unknown = status(&service, &method, &path, Some("proffer_x"));
        assert_eq!(unknown == 401, !open, "{method} {path} with an unknown key: {unknown}");
    }
}

#[test]
fn other_methods_of_a_path_are_refused_and_its_head_may_be_had_where_it_may_be_got() {
    let service = Plan::new(Kind::Sqlite).start();
    for route in ROUTES {
        let path = route.path.replace("{id}", "c-1");
        for method in METHODS {
            let known = ROUTES.iter().any(|other| {
                other.path == route.path && (other.method == method || (other.method == "GET" && method == "HEAD"))
            });
            let status = status(&service, method, &path, Some(&service.admin));
            assert_eq!(status == 405, !known, "{method} {path}: {status}");
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
