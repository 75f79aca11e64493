//! `/docs` and `/`: what a person sees in a browser, in a real one.

use std::process::Command;

use proffer::api::ROUTES;
use proffer::runtime::Role;
use serde_json::Value;

use super::service::Service;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What a browser makes of a page, and what it complains about.
fn browse(url: &str) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let run = |browser: &str| {
        Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--enable-logging=stderr", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .output()
    };
    let Some(output) = BROWSERS.iter().find_map(|browser| run(browser).ok()) else {
        panic!("no browser is there: install one of {BROWSERS:?}, as `./tests/run` does on Debian (package chromium)");
    };
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaints}");
    (String::from_utf8(output.stdout).unwrap(), complaints)
}

#[test]
fn a_browser_shows_every_operation_and_refuses_nothing_on_the_page() {
    let service = Service::start();
    let (dom, complaints) = browse(&format!("{}/docs", service.url));
    let document: Value = service.send("GET", "/openapi.json", &[], None).ok();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        let (id, summary) = (operation["operationId"].as_str().unwrap(), operation["summary"].as_str().unwrap());
        assert!(dom.contains(&format!("<a href=\"#{id}\">")), "{route:?} is not in the list");
        let section = dom.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_else(|| panic!("{route:?} has no section"));
        let section = section.split("</section>").next().unwrap();
        assert!(section.contains(&format!("<h3>{summary}</h3>")) && section.contains("curl -s"), "{section}");
        for role in route.access.roles() {
            assert!(section.contains(&format!("<span class=\"role\">{}</span>", role.name())), "{route:?}: {section}");
        }
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(dom.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
    // Every link within the page leads somewhere.
    for target in dom.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(dom.contains(&format!("id=\"{target}\"")), "#{target} leads nowhere");
    }
    assert!(!complaints.contains("Content Security Policy"), "{complaints}");
    assert!(!dom.contains("<script"), "the page needs no script");
}

#[test]
fn the_page_may_load_nothing_from_elsewhere() {
    let service = Service::start();
    for path in ["/docs", "/"] {
        let answer = service.send("GET", path, &[("accept", "text/html")], None);
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        for elsewhere in ["http://", "https://"] {
            let foreign = answer.body.matches(&format!("href=\"{elsewhere}")).count()
                + answer.body.matches(&format!("src=\"{elsewhere}")).count();
            assert_eq!(foreign, 0, "{path} links to {elsewhere}");
        }
    }
}

#[test]
fn the_root_leads_on_for_people_and_for_machines() {
    let service = Service::start();
    let page = service.send("GET", "/", &[("accept", "text/html,application/xhtml+xml")], None).body;
    let told: Value = service.send("GET", "/", &[], None).ok();
    for path in ["/docs", "/openapi.json", "/healthz", "/readyz"] {
        assert!(page.contains(&format!("<a href=\"{path}\">")), "{page}");
        assert!(told.as_object().unwrap().values().any(|value| value == path), "{told}");
        assert_eq!(service.send("GET", path, &[], None).status, 200, "{path}");
    }
}

#[test]
fn examples_on_the_page_are_answered_when_they_are_pasted_into_a_shell() {
    let service = Service::start();
    let page = service.send("GET", "/docs", &[], None).body;
    let plain = |text: &str| {
        ["&quot;\"", "&#39;'", "&gt;>", "&lt;<", "&amp;&"].iter().fold(text.to_owned(), |text, pair| {
            let (escaped, letter) = pair.split_at(pair.len() - 1);
            text.replace(escaped, letter)
        })
    };
    let blocks = page.split("<pre><code>").skip(1).map(|rest| plain(rest.split("</code></pre>").next().unwrap()));
    let approver = service.core.create_key("jane", &[Role::ApprovePrivacy], "test");
    let approver = service.wait(approver).unwrap().unwrap();
    // The log has a checkpoint by itself, a second later.
    service.wait(service.core.logged_all()).unwrap();
    let mut pasted = 0;
    for call in blocks.filter(|block| block.starts_with("curl ")) {
        let shell = format!("{call} -o /dev/null -w '%{{http_code}}'");
        // People approve, each with a key of their own.
        let key = if call.contains("/v1/approvals") { &approver } else { &service.admin };
        let output =
            Command::new("sh").args(["-c", &shell]).env("PROFFER", &service.url).env("KEY", key).output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        // What they name is not in this shop: that is told, and the call itself is understood.
        let understood = ["200", "404", "422"].contains(&status.as_str());
        assert!(output.status.success() && understood, "{status} to {call}");
        pasted += 1;
    }
    assert!(pasted >= ROUTES.len(), "{pasted} examples");
}
