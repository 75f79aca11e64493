//! What a replay over HTTP asks of a full-feedback file beyond its form, and the offers to import. Decides nothing.

use std::path::Path;

use proffer::simulation::replay::feedback::{self, Event, Offers};
use serde_json::{Value as Json, json};

use crate::commands::feedback::{FeedbackFileError, open};

/// The placement that a replay asks at.
pub const PLACEMENT: &str = "replay";

/// A file, ready to be replayed.
#[derive(Debug)]
pub struct ReplayFile {
    /// The offers beside it, with their names.
    pub offers: Offers,
    /// In the order of the file.
    pub events: Vec<Event>,
}

/// A reward is posted as an order of as many dollars, so it is at most this.
const REWARD_MAX: f64 = 1e9;

/// Reads a file and the offers beside it.
pub fn read(path: &Path) -> Result<ReplayFile, FeedbackFileError> {
    let (text, offers) = open(path)?;
    let events = feedback::full(&text, &offers).map_err(|mistake| FeedbackFileError::within(path, mistake))?;
    for event in &events {
        can_be_posted(event).map_err(|what| FeedbackFileError::Line {
            path: path.to_owned(),
            line: event.line,
            what,
        })?;
    }
    Ok(ReplayFile { offers, events })
}

fn can_be_posted(event: &Event) -> Result<(), String> {
    for (candidate, reward) in &event.rewards {
        if *reward < 0.0 {
            return Err(format!(
                "the reward {reward} of `{candidate}` is negative: a reward is posted as an order, and an order cannot \
                 take money away; shift the rewards to 0 or more, or use `proffer simulate --replay`"
            ));
        }
        if *reward > REWARD_MAX {
            return Err(format!("the reward {reward} of `{candidate}` is too large: at most {REWARD_MAX}"));
        }
    }
    Ok(())
}

/// The offers in the form of the import: price 1, one variant; their attributes in the file are not used.
pub fn offers(offers: &Offers, fallback: &str) -> Json {
    let one = |id: &str, name: &str| {
        json!({
            "offer_id": id, "name": name, "price": {"amount": "1.00", "currency": "USD"},
            "variants": [{"variant_id": "a"}],
        })
    };
    let mut offers: Vec<Json> = offers.iter().map(|(id, name)| one(id.as_str(), name)).collect();
    offers.push(one(fallback, "House content"));
    Json::Array(offers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reward_that_no_order_can_carry_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.full.ndjson");
        std::fs::write(folder.path().join("offers.json"), r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        let check = |reward: &str, expected: &str| {
            let line = |id: &str, reward: &str| {
                let start = format!(r#"{{"id":"{id}","at":"2026-01-01T00:00:00Z","customer_id":"c","context":{{}},"#);
                format!(r#"{start}"rewards":{{"a":1,"b":{reward}}}}}"#)
            };
            std::fs::write(&path, format!("{}\n{}\n", line("e1", "0"), line("e2", reward))).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert_eq!(error, format!("`{}` line 2: {expected}", path.display()));
        };
        check(
            "-35",
            "the reward -35 of `b` is negative: a reward is posted as an order, and an order cannot take money away; \
             shift the rewards to 0 or more, or use `proffer simulate --replay`",
        );
        check("2e9", "the reward 2000000000 of `b` is too large: at most 1000000000");
    }
}
