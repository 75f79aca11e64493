//! What a caller is told, as text that people review. Judges nothing.

use std::fmt::Write as _;

use super::service::Answer;

/// A list of cases with what each was answered.
#[derive(Default)]
pub struct Transcript(pub String);

impl Transcript {
    /// Adds a problem: its status, kind and every place that is wrong.
    pub fn problem(&mut self, case: &str, answer: &Answer) {
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{case}: {}", answer.body);
        let body = answer.json();
        let kind = body["type"].as_str().unwrap().strip_prefix("urn:proffer:problem:").unwrap();
        assert_eq!(body["status"], answer.status, "{case}");
        let _ = writeln!(self.0, "{case}\n  {} {kind}: {}", answer.status, body["detail"].as_str().unwrap());
        for error in body["errors"].as_array().into_iter().flatten() {
            let (at, message) = (error["pointer"].as_str().unwrap(), error["message"].as_str().unwrap());
            // One mistake is told in `detail`; only its place is new.
            let told = if body["detail"] == error["message"] { "" } else { message };
            let _ = writeln!(self.0, "    {}", format!("{at}: {told}").trim_end());
        }
    }

    /// Adds the results of an intake of outcomes.
    pub fn results(&mut self, case: &str, answer: &Answer) {
        let _ = writeln!(self.0, "{case}\n  {}", answer.status);
        for result in answer.ok()["results"].as_array().unwrap() {
            let text = |field: &str| result[field].as_str().unwrap_or_default().to_owned();
            let line = format!("{}: {} {}", text("event_id"), text("status"), text("reason"));
            let _ = writeln!(self.0, "    {}", line.trim_end());
            for error in result["errors"].as_array().into_iter().flatten() {
                let _ = writeln!(self.0, "      {}", error["pointer"].as_str().unwrap());
            }
        }
    }
}

/// A problem as it is sent, for people.
pub fn whole(answer: &Answer) -> String {
    let mut text = format!("{} {}\n", answer.status, answer.headers["content-type"]);
    for name in ["www-authenticate", "allow", "retry-after"] {
        if let Some(value) = answer.headers.get(name) {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    text + &serde_json::to_string_pretty(&answer.json()).unwrap()
}
