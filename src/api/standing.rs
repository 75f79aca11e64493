//! How offers and campaigns stand at an instant, and which revision of them a caller means. Changes neither.

use actix_web::http::header::{self, HeaderMap};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::domain::{Hindrance, Standing};

/// Words for how an offer or a campaign stands, as answers and filters say them.
pub const WORDS: [&str; 6] = ["running", "paused", "scheduled", "ended", "sold_out", "campaign_unknown"];

/// The word for what keeps an offer from being shown.
pub fn word(hindrance: Option<Hindrance>) -> &'static str {
    match hindrance {
        None | Some(Hindrance::Offer(Standing::Running) | Hindrance::Campaign(Standing::Running)) => "running",
        Some(Hindrance::Offer(standing) | Hindrance::Campaign(standing)) => match standing {
            Standing::Running => "running",
            Standing::Paused | Standing::PausedUntil(_) => "paused",
            Standing::StartsAt(_) => "scheduled",
            Standing::EndedAt(_) => "ended",
        },
        Some(Hindrance::CampaignUnknown) => "campaign_unknown",
        Some(Hindrance::SoldOut) => "sold_out",
    }
}

/// The same as JSON, with a sentence.
pub fn shown(hindrance: Option<Hindrance>) -> Value {
    let why = match hindrance {
        None => None,
        Some(Hindrance::Offer(standing)) => sentence("it", standing),
        Some(Hindrance::Campaign(standing)) => sentence("its campaign", standing),
        Some(Hindrance::CampaignUnknown) => Some("its campaign is not in the catalogue".to_owned()),
        Some(Hindrance::SoldOut) => Some("it is sold out".to_owned()),
    };
    json!({"state": word(hindrance), "why": why})
}

fn sentence(what: &str, standing: Standing) -> Option<String> {
    match standing {
        Standing::Running => None,
        Standing::Paused => Some(format!("{what} is paused until somebody resumes it")),
        Standing::PausedUntil(until) => Some(format!("{what} is paused until {until}")),
        Standing::StartsAt(at) => Some(format!("{what} starts at {at}")),
        Standing::EndedAt(at) => Some(format!("{what} ended at {at}")),
    }
}

/// What a caller says must be there for a change to be made (RFC 9110, section 13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there.
    Any,
    /// Nothing of this id: `If-None-Match: *`.
    Absent,
    /// Any revision: `If-Match: *`.
    Present,
    /// One of these: `If-Match: "3"`.
    Revisions(Vec<u64>),
}

impl Condition {
    /// Reads the headers.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
        match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
            (None, None) => Ok(Self::Any),
            (None, Some("*")) => Ok(Self::Absent),
            (Some("*"), None) => Ok(Self::Present),
            (Some(tags), None) => tags
                .split(',')
                .map(|tag| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok())
                .collect::<Option<Vec<u64>>>()
                .map(Self::Revisions)
                .ok_or_else(|| {
                    Problem::invalid_id(format!(
                        "`If-Match: {tags}` names no revision: send back an `ETag` as it came, such as `\"3\"`"
                    ))
                }),
            (None, Some(other)) => Err(Problem::invalid_id(format!(
                "`If-None-Match: {other}` is not known here: `*` means that nothing of this id may be there yet"
            ))),
            (Some(_), Some(_)) => {
                Err(Problem::invalid_id("`If-Match` and `If-None-Match` exclude each other: send one of them"))
            }
        }
    }

    /// Whether it holds of what is there; otherwise a problem that shows it.
    pub fn check(&self, what: &str, there: Option<(u64, Value)>) -> Result<(), Problem> {
        let holds = match (self, &there) {
            (Self::Any, _) | (Self::Absent, None) | (Self::Present, Some(_)) => true,
            (Self::Revisions(wanted), Some((revision, _))) => wanted.contains(revision),
            _ => false,
        };
        if holds {
            return Ok(());
        }
        Err(match there {
            None => Problem::precondition_failed(
                format!("{what} is not in the catalogue: send it without `If-Match` to create it"),
                None,
            ),
            Some((revision, shown)) => {
                let detail = if *self == Self::Absent {
                    format!(
                        "{what} is there already: `current` shows it; send `If-Match: \"{revision}\"` to replace it"
                    )
                } else {
                    format!(
                        "{what} is at revision {revision} by now: `current` shows it; change that, with its revision"
                    )
                };
                Problem::precondition_failed(detail, Some((revision, shown)))
            }
        })
    }
}
