//! `POST /v1/outcomes`: signed webhooks, one event or an array. Computes no reward.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{At, Problem};
use super::{App, auth, body};
use crate::domain::outcome::{Outcome, OutcomeKind};
use crate::domain::{DecisionId, Money, OfferId, Timestamp};
use crate::runtime::{Intake, Role};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeWire {
    event_id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    occurred_at: Timestamp,
    decision_id: Option<String>,
    customer_id: Option<String>,
    offer_id: Option<String>,
    coupon: Option<String>,
    refers_to: Option<String>,
    revenue: Option<Money>,
    margin: Option<Money>,
}

/// An event may lie this far in the future: clocks differ, but not by more.
const FUTURE_MS_MAX: i64 = 300_000;
const EVENT_ID_BYTES_MAX: usize = 256;

impl OutcomeWire {
    fn parse(self, signed_by: Option<&str>, now: Timestamp) -> Result<Outcome, String> {
        if let Some(source) = signed_by
            && source != self.source
        {
            return Err(format!("source `{}` did not sign this: the signature is of `{source}`", self.source));
        }
        if self.event_id.is_empty() || self.event_id.len() > EVENT_ID_BYTES_MAX {
            return Err(format!("event_id has {} bytes: expected 1 to {EVENT_ID_BYTES_MAX}", self.event_id.len()));
        }
        let kind = match self.kind.as_str() {
            "order" => OutcomeKind::Order,
            "refund" => OutcomeKind::Refund,
            "impression" | "click" | "return" | "reject" | "unsubscribe" => {
                return Err(format!("type `{}` is not taken in yet: expected `order` or `refund`", self.kind));
            }
            other => return Err(format!("type `{other}` is not known: expected `order` or `refund`")),
        };
        if self.occurred_at.0 > now.0.saturating_add(FUTURE_MS_MAX) {
            return Err(format!("occurred_at {} is in the future: it is {now}", self.occurred_at));
        }
        for (field, money) in [("revenue", self.revenue), ("margin", self.margin)] {
            // A margin may be a loss; a revenue is what was paid (or paid back, in a refund), never below zero.
            if let Some(money) = money
                && money.minor < 0
                && field == "revenue"
            {
                return Err(format!("revenue `{}` is negative: send money paid back as a `refund`", money.amount()));
            }
        }
        if let (Some(revenue), Some(margin)) = (self.revenue, self.margin)
            && revenue.currency != margin.currency
        {
            let (a, b) = (revenue.currency, margin.currency);
            return Err(format!("revenue is in {a} but margin in {b}: use one currency"));
        }
        let decision_id =
            self.decision_id.map(|text| DecisionId::parse(&text)).transpose().map_err(|error| error.to_string())?;
        let offer_id = self.offer_id.map(OfferId::new).transpose().map_err(|error| error.to_string())?;
        Ok(Outcome {
            event_id: self.event_id,
            source: self.source,
            kind,
            occurred_at: self.occurred_at,
            decision_id,
            customer_id: self.customer_id,
            offer_id,
            coupon: self.coupon,
            refers_to: self.refers_to,
            revenue: self.revenue,
            margin: self.margin,
        })
    }
}

/// `POST /v1/outcomes`.
pub async fn take(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.body_bytes_max.max(1024 * 1024)).await?;
    let signed_by = if auth::is_signed(&request) {
        Some(auth::signed_source(&app, &request, &bytes)?)
    } else {
        let missing = "sign the body (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`), or send an API \
                       key with the role `outcomes`";
        if !request.headers().contains_key("authorization") {
            return Err(Problem::unauthorised(missing));
        }
        auth::authorise(&app, &request, &[Role::Outcomes])?;
        None
    };
    let now = app.clock.now();
    let parsed: Value = body::parse(&bytes)?;
    let one = !parsed.is_array();
    let events = match parsed {
        Value::Array(events) => events,
        event => vec![event],
    };
    if events.len() > app.settings.outcomes_max {
        let message =
            format!("{} events are too many: at most {} in one array", events.len(), app.settings.outcomes_max);
        return Err(Problem::invalid(vec![At { pointer: String::new(), message }]));
    }
    let mut event_ids = Vec::new();
    let mut outcomes = Vec::new();
    for event in events {
        event_ids.push(event.get("event_id").cloned().unwrap_or(Value::Null));
        let outcome = body::parse_value::<OutcomeWire>(event).and_then(|wire| wire.parse(signed_by.as_deref(), now));
        outcomes.push(outcome);
    }
    if one && let Some(Err(message)) = outcomes.first() {
        return Err(Problem::invalid(vec![At { pointer: String::new(), message: message.clone() }]));
    }
    let good: Vec<Outcome> = outcomes.iter().filter_map(|outcome| outcome.clone().ok()).collect();
    let mut taken = app.take_outcomes(&good).await?.into_iter();
    let results: Vec<Value> = event_ids
        .into_iter()
        .zip(outcomes)
        .map(|(event_id, outcome)| match outcome {
            Ok(_) => result(&event_id, &taken.next().unwrap_or(Intake::Unmatched)),
            Err(reason) => result(&event_id, &Intake::Rejected(reason)),
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"results": results})))
}

fn result(event_id: &Value, intake: &Intake) -> Value {
    match intake {
        Intake::Accepted { decision_id, late } => {
            json!({"event_id": event_id, "status": "accepted", "decision_id": decision_id, "late": late})
        }
        Intake::Duplicate => json!({"event_id": event_id, "status": "duplicate"}),
        Intake::Unmatched => json!({
            "event_id": event_id, "status": "unmatched",
            "reason": "it names no decision that is known; it is kept",
        }),
        Intake::Rejected(reason) => json!({"event_id": event_id, "status": "rejected", "reason": reason}),
    }
}
