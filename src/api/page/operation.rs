//! One operation of the document: what it is for, who may ask, an example for a shell, and what it answers. Knows no
//! route that the document does not tell of.

use std::fmt::Write as _;

use serde_json::Value;

use super::prose::{code, escape, inline, json, paragraphs};
use super::schema::{fields_of_body, kind};
use crate::api::openapi::{BEARER, SIGNATURE};

/// A method of a path.
pub struct Operation<'a> {
    /// In lower case.
    pub method: &'a str,
    /// With the names of its parts in braces.
    pub path: &'a str,
    /// What the document says of it.
    pub about: &'a Value,
}

/// Values for the parts of paths, with which the sample policies have an answer.
const PARTS: [(&str, &str); 4] =
    [("{source}", "checkout"), ("{event_id}", "order-9001"), ("{placement}", "home_banner"), ("{id}", "c-42")];
const DECISION: &str = "019ca8bb-b5c0-7101-8101-010101010101";

impl Operation<'_> {
    /// What it is grouped under.
    pub fn tag(&self) -> &str {
        self.about["tags"][0].as_str().unwrap_or("other")
    }

    fn id(&self) -> String {
        escape(self.about["operationId"].as_str().unwrap_or_default())
    }

    fn badge(&self) -> String {
        format!("<span class=\"method {0}\">{0}</span>", escape(self.method))
    }

    /// Its line in the list of all.
    pub fn link(&self) -> String {
        format!("<li><a href=\"#{}\">{} {}</a></li>\n", self.id(), self.badge(), breakable(self.path))
    }

    /// All of it.
    pub fn section(&self, document: &Value) -> String {
        let summary = escape(self.about["summary"].as_str().unwrap_or_default());
        let mut text = format!(
            "<section class=\"operation\" id=\"{}\">\n<h3>{summary}</h3>\n<p class=\"call\">{} <code>{}</code></p>\n",
            self.id(),
            self.badge(),
            breakable(self.path)
        );
        text.push_str(&self.roles());
        let description = self.about["description"].as_str().unwrap_or_default();
        // Who may ask is shown above.
        let description = description.rsplit_once("\n\nNeeds ").map_or(description, |(description, _)| description);
        text.push_str(&paragraphs(description));
        text.push_str(&self.parameters());
        text.push_str(&self.request(document));
        text.push_str(&self.answers(document));
        text.push_str("</section>\n");
        text
    }

    /// The roles that are let in; nothing where no key is needed.
    fn keys(&self) -> Vec<&str> {
        let alternatives = self.about["security"].as_array().into_iter().flatten();
        alternatives.flat_map(|one| one[BEARER].as_array().into_iter().flatten()).filter_map(Value::as_str).collect()
    }

    fn is_signed(&self) -> bool {
        let alternatives = self.about["security"].as_array().into_iter().flatten();
        alternatives.into_iter().any(|one| SIGNATURE.iter().all(|(name, ..)| one[*name].is_array()))
    }

    fn roles(&self) -> String {
        let keys = self.keys();
        if keys.is_empty() {
            return "<p class=\"roles\">no key needed</p>\n".to_owned();
        }
        let roles: Vec<String> =
            keys.iter().map(|role| format!("<span class=\"role\">{}</span>", escape(role))).collect();
        let roles = roles.concat();
        let signed = if self.is_signed() { "<span class=\"role\">signed by its source</span>" } else { "" };
        format!("<p class=\"roles\">may be asked by {roles}{signed}</p>\n")
    }

    fn parameters(&self) -> String {
        let parameters = self.about["parameters"].as_array().into_iter().flatten();
        let row = |parameter: &Value| {
            let text = |field: &str| parameter[field].as_str().unwrap_or_default();
            let place = match text("in") {
                "path" => "in the path",
                "query" => "behind <code>?</code>",
                _ => "a header",
            };
            let (name, about) = (escape(text("name")), inline(text("description")));
            format!("<tr><th><code>{name}</code></th><td>{place}</td><td>{about}</td></tr>\n")
        };
        let rows: String = parameters.map(row).collect();
        if rows.is_empty() { rows } else { format!("<h4>Parameters</h4>\n<table>\n{rows}</table>\n") }
    }

    fn request(&self, document: &Value) -> String {
        let mut text = String::from("<h4>Example</h4>\n");
        let Some((media_type, body)) =
            self.about["requestBody"]["content"].as_object().and_then(|all| all.iter().next())
        else {
            text.push_str(&code(&self.curl(None)));
            return text;
        };
        let examples: Vec<&Value> = body["examples"].as_object().into_iter().flatten().map(|(_, one)| one).collect();
        // Of a stream every example is a line, and one call has them all.
        let calls: Vec<&[&Value]> =
            if is_lines(media_type) { vec![examples.as_slice()] } else { examples.chunks(1).collect() };
        for call in calls {
            let said: Vec<String> =
                call.iter().map(|example| inline(example["summary"].as_str().unwrap_or_default())).collect();
            let values: Vec<&Value> = call.iter().map(|example| &example["value"]).collect();
            let call = code(&self.curl(Some((media_type, &values))));
            let _ = write!(text, "<p class=\"case\">{}</p>\n{call}", said.join("; "));
        }
        let schema = &body["schema"];
        let (kind, fields) = (kind(schema), fields_of_body(document, schema));
        let of = if is_lines(media_type) { "Every line" } else { "The body" };
        let _ = write!(
            text,
            "<h4>Request</h4>\n<details><summary>{of} is {kind} <span class=\"quiet\">{}</span></summary>\n\
             {fields}</details>\n",
            escape(media_type)
        );
        text
    }

    /// The call as it can be pasted into a shell.
    fn curl(&self, body: Option<(&str, &[&Value])>) -> String {
        let mut path = self.path.to_owned();
        if path.starts_with("/v1/decisions/") {
            path = path.replace("{id}", DECISION);
        }
        for (part, value) in PARTS {
            path = path.replace(part, value);
        }
        let mut call = "curl -s".to_owned();
        // A body makes it a POST, and nothing a GET.
        if self.method != if body.is_some() { "post" } else { "get" } {
            let _ = write!(call, " -X {}", self.method.to_uppercase());
        }
        let _ = write!(call, " \"$PROFFER{path}\"");
        if !self.keys().is_empty() {
            call.push_str(" \\\n  -H \"Authorization: Bearer $KEY\"");
        }
        if let Some((media_type, values)) = body {
            let (flag, value) = if is_lines(media_type) {
                // The ends of the lines stand within the quotes.
                ("--data-binary", values.iter().map(|value| format!("{value}\n")).collect::<Vec<_>>().concat())
            } else {
                ("--data", values.iter().map(|value| json(value, 0)).collect::<String>())
            };
            let _ =
                write!(call, " \\\n  -H 'Content-Type: {media_type}' \\\n  {flag} '{}'", value.replace('\'', "'\\''"));
        }
        call
    }

    fn answers(&self, document: &Value) -> String {
        let mut text = "<h4>Answers</h4>\n".to_owned();
        for (status, answer) in self.about["responses"].as_object().into_iter().flatten() {
            let about = inline(answer["description"].as_str().unwrap_or_default());
            let good = if status.starts_with('2') { "good" } else { "bad" };
            let head = format!("<span class=\"status {good}\">{}</span> {about}", escape(status));
            let content = answer["content"].as_object().into_iter().flatten();
            let mut types = String::new();
            let mut inside = String::new();
            for (media_type, body) in content.filter(|(media_type, _)| good == "good" || media_type.ends_with("json")) {
                let named = if good == "good" { format!(" {}", escape(media_type)) } else { String::new() };
                let _ = write!(types, " <span class=\"quiet\">{}{named}</span>", kind(&body["schema"]));
                if good == "good" {
                    inside.push_str(&fields_of_body(document, &body["schema"]));
                }
            }
            if inside.is_empty() {
                let _ = writeln!(text, "<p class=\"answer\">{head}{types}</p>");
            } else {
                let _ =
                    writeln!(text, "<details class=\"answer\"><summary>{head}{types}</summary>\n{inside}</details>");
            }
        }
        text
    }
}

fn is_lines(media_type: &str) -> bool {
    media_type.ends_with("ndjson")
}

/// A path that may be broken behind each of its slashes.
fn breakable(path: &str) -> String {
    escape(path).replace('/', "/<wbr>")
}
