//! `POST /v1/decisions:batch`: a request in every line, an answer in every line, as they come. Keeps no batch: what is
//! in memory is the lines that are being decided.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::StreamExt as _;
use serde_json::{Value, json};

use super::decisions::{self, Asker};
use super::lines::{Line, Text, lines};
use super::problem::Problem;
use super::{App, auth};
use crate::runtime::Role;

/// The media type of a request and of its answer.
pub const NDJSON: &str = "application/x-ndjson";

/// The first and the longest wait of a line for which there is no room, in milliseconds.
const WAIT_MS: u64 = 10;
const WAIT_MS_MAX: u64 = 100;

/// `POST /v1/decisions:batch`.
///
/// The answer is asked for its next piece only while the client reads it, and then at most `stream_lines_max` lines are
/// in work: so a client that stops reading is soon not read from either.
pub async fn decide(app: App, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let personal = auth::may(&request, Role::Audit);
    let in_work_max = app.settings.stream_lines_max.max(1);
    let answers = lines(payload, app.settings.body_bytes_max)
        .map(move |line| {
            let app = app.clone();
            async move { Ok::<_, actix_web::Error>(print(&answer(&app, line, personal).await)) }
        })
        .buffered(in_work_max);
    HttpResponse::Ok().content_type(NDJSON).streaming(Box::pin(answers))
}

async fn answer(app: &App, line: Line, personal: bool) -> Value {
    let answered = match &line.text {
        Text::Whole(bytes) => decide_line(app, bytes, personal).await,
        Text::TooLong => Err(Problem::long_line(app.settings.body_bytes_max)),
        Text::Broken(why) => Err(Problem::malformed(format!(
            "the body broke off before the end of this line ({why}): it was not decided; send it again from here"
        ))),
    };
    app.metrics.line(match &answered {
        Ok(_) => "answered",
        Err(problem) if problem.status() < 500 => "refused",
        Err(_) => "failed",
    });
    let mut shown = match answered {
        Ok(answer) => answer,
        Err(problem) => {
            if problem.is_of_the_store() {
                app.metrics.store_failed("request");
            }
            let mut shown = json!(problem);
            if let Some(seconds) = problem.retry_after_seconds() {
                shown["retry_after_seconds"] = json!(seconds);
            }
            shown
        }
    };
    shown["line"] = json!(line.number);
    shown
}

/// Decides a line; where there is no room it waits, and with it the lines behind, until there is.
async fn decide_line(app: &App, bytes: &[u8], personal: bool) -> Result<Value, Problem> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to() + 1;
        return Err(Problem::malformed(format!("byte {at} of the line is not UTF-8: write the file as UTF-8")));
    }
    // A header speaks of one browser, and a batch is about many.
    let asker = Asker { personal, signal: false };
    let mut wait_ms = WAIT_MS;
    loop {
        match decisions::answer(app, bytes, asker).await {
            Err(problem) if problem.is_overload() => {
                app.metrics.line("waited");
                #[expect(clippy::disallowed_methods, reason = "nobody announces that there is room again")]
                actix_web::rt::time::sleep(Duration::from_millis(wait_ms)).await;
                wait_ms = (2 * wait_ms).min(WAIT_MS_MAX);
            }
            answered => return answered.map_err(Problem::of_a_line),
        }
    }
}

fn print(answer: &Value) -> web::Bytes {
    let mut text = answer.to_string();
    text.push('\n');
    text.into()
}
