//! `GET /` and `GET /docs`: what can be asked, as a page for people, made from the same document that machines read.
//! No script, nothing from elsewhere: it works without a network, and shows nothing that the document does not say.

mod operation;

mod prose;

mod schema;

use std::fmt::Write as _;
use std::sync::OnceLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use self::prose::{code, escape, paragraphs};
use super::openapi;

const STYLE: &str = include_str!("style.css");
const TITLE: &str = "Proffer: the HTTP interface";

/// `GET /`: a page for browsers, JSON for everybody else.
pub(super) async fn home(request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return html().body(whole("Proffer", &home_body()));
    }
    HttpResponse::Ok().json(json!({
        "service": "proffer", "version": env!("CARGO_PKG_VERSION"), "docs": "/docs", "openapi": "/openapi.json",
        "health": "/healthz", "ready": "/readyz",
    }))
}

/// `GET /docs`. The same for everybody, so it is written once.
pub(super) async fn docs() -> HttpResponse {
    static WRITTEN: OnceLock<String> = OnceLock::new();
    let written = WRITTEN.get_or_init(|| {
        let document = serde_json::from_str(&openapi::print()).unwrap_or_default();
        whole(TITLE, &body(&document))
    });
    html().body(written.as_str())
}

/// An answer in which nothing but this style is allowed: whatever might get into the page, it does nothing.
fn html() -> HttpResponseBuilder {
    static POLICY: OnceLock<String> = OnceLock::new();
    let policy = POLICY.get_or_init(|| {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    });
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy.as_str()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    response
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

fn home_body() -> String {
    let links = [
        ("/docs", "What can be asked, with examples"),
        ("/openapi.json", "The same for machines (OpenAPI 3.1)"),
        ("/healthz", "Whether the process lives"),
        ("/readyz", "Whether it can decide"),
    ];
    let mut body = String::from(
        "<main class=\"home\">\n<h1>Proffer</h1>\n<p>Which offer, in which content variant, for this customer, here, \
         now? And what came of it?</p>\n<ul>\n",
    );
    for (path, what) in links {
        let _ = writeln!(body, "<li><a href=\"{path}\">{path}</a> {what}</li>");
    }
    let _ = writeln!(body, "</ul>\n<p class=\"quiet\">Version {}</p>\n</main>", env!("CARGO_PKG_VERSION"));
    body
}

/// Every operation with its path and method, in the order of the document.
fn operations(document: &Value) -> Vec<operation::Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, about)| operation::Operation { method, path, about })
    });
    let mut all: Vec<_> = all.collect();
    // As the table of routes has them: paths of the document are sorted by their letters.
    let place = |operation: &operation::Operation<'_>| {
        let same =
            |route: &super::Route| route.path == operation.path && route.method.eq_ignore_ascii_case(operation.method);
        super::ROUTES.iter().position(same)
    };
    all.sort_by_key(place);
    all
}

fn body(document: &Value) -> String {
    let operations = operations(document);
    let mut tags: Vec<&str> = Vec::new();
    for operation in &operations {
        if !tags.contains(&operation.tag()) {
            tags.push(operation.tag());
        }
    }
    let version = document["info"]["version"].as_str().unwrap_or_default();
    let mut nav =
        format!("<nav>\n<p class=\"brand\"><a href=\"#top\">Proffer</a> <span>{}</span></p>\n", escape(version));
    let mut main = format!("<main id=\"top\">\n<h1>The HTTP interface</h1>\n{}", introduction(document));
    for tag in tags {
        let title = escape(tag);
        let _ = writeln!(nav, "<h2>{title}</h2>\n<ul>");
        let _ = writeln!(main, "<h2 class=\"tag\" id=\"tag-{title}\">{title}</h2>");
        for operation in operations.iter().filter(|operation| operation.tag() == tag) {
            nav.push_str(&operation.link());
            main.push_str(&operation.section(document));
        }
        nav.push_str("</ul>\n");
    }
    let _ = writeln!(nav, "<h2><a href=\"#schemas\">schemas</a></h2>\n</nav>");
    main.push_str("<h2 class=\"tag\" id=\"schemas\">schemas</h2>\n");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        main.push_str(&schema::named(name, schema));
    }
    main.push_str("</main>\n");
    nav + &main
}

fn introduction(document: &Value) -> String {
    let mut text = paragraphs(document["info"]["description"].as_str().unwrap_or_default());
    let setting =
        "export PROFFER=http://localhost:8080\nexport KEY=proffer_...   # proffer keys create NAME --role ROLE";
    let _ = writeln!(
        text,
        "<p>The examples are for a shell in which these two are set. For machines, this page is \
         <a href=\"/openapi.json\">/openapi.json</a>. Fields with a <b>*</b> are always there.</p>\n{}",
        code(setting)
    );
    text
}
