//! Full-feedback files: every line parsed and checked before anything starts. Decides and posts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use proffer::domain::{AttributeId, OfferId, Timestamp, Value};
use serde::Deserialize;

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("`{}` cannot be read", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No offers lie beside it.
    #[error("no offers: looked for `{}`; put the `offers.json` of the data set beside the file", .looked_for.display())]
    NoOffers {
        /// Where.
        looked_for: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: std::io::Error,
    },
    /// The offers are something else.
    #[error("`{}`: {what}", .path.display())]
    Offers {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A line is wrong.
    #[error("`{}` line {line}: {what}", .path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong and what was expected.
        what: String,
    },
    /// There is nothing in it.
    #[error("`{}` has no events", .path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A feature is asked for that the file does not have.
    #[error("no event has `{key}` in its context; it has {known}")]
    Feature {
        /// As given.
        key: String,
        /// What there is.
        known: String,
    },
}

/// A file, ready to be replayed.
#[derive(Debug)]
pub struct ReplayFile {
    /// The offers beside it, with their names.
    pub offers: BTreeMap<OfferId, String>,
    /// In the order of the file; `at` never decreases.
    pub events: Vec<Event>,
}

/// One event: who, when, what is known, what there is, and what each of it would have earned.
#[derive(Debug)]
pub struct Event {
    /// Unique within the file.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub customer_id: String,
    /// What is known.
    pub context: BTreeMap<String, Value>,
    /// What may be shown, each with its reward, 0 or more.
    pub rewards: BTreeMap<OfferId, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventText {
    id: String,
    at: Timestamp,
    customer_id: String,
    context: BTreeMap<String, Value>,
    candidates: Option<Vec<OfferId>>,
    rewards: BTreeMap<OfferId, f64>,
}

#[derive(Deserialize)]
struct OfferText {
    offer_id: OfferId,
    #[serde(default)]
    name: String,
}

/// A reward is posted as an order of as many dollars, so it is at most this.
const REWARD_MAX: f64 = 1e9;

/// Reads a file and the offers beside it.
pub fn read(path: &Path) -> Result<ReplayFile, ReplayError> {
    let failed = |source| ReplayError::Read { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(failed)?;
    } else {
        text = String::from_utf8(bytes).map_err(|error| failed(std::io::Error::other(error)))?;
    }
    let beside = path.with_file_name("offers.json");
    let offers = std::fs::read_to_string(&beside)
        .map_err(|source| ReplayError::NoOffers { looked_for: beside.clone(), source })?;
    let offers = parse_offers(&offers).map_err(|what| ReplayError::Offers { path: beside, what })?;
    let events = parse(&text, &offers).map_err(|(line, what)| match line {
        0 => ReplayError::Empty { path: path.to_owned() },
        line => ReplayError::Line { path: path.to_owned(), line, what },
    })?;
    Ok(ReplayFile { offers, events })
}

fn parse_offers(text: &str) -> Result<BTreeMap<OfferId, String>, String> {
    let listed: Vec<OfferText> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut offers = BTreeMap::new();
    for offer in listed {
        if offers.insert(offer.offer_id.clone(), offer.name).is_some() {
            return Err(format!("offer `{}` appears twice", offer.offer_id));
        }
    }
    if offers.is_empty() { Err("it lists no offer".to_owned()) } else { Ok(offers) }
}

/// Every event, or the first line that is wrong with what is wrong; line 0 where there is none at all.
fn parse(text: &str, offers: &BTreeMap<OfferId, String>) -> Result<Vec<Event>, (usize, String)> {
    let mut events: Vec<Event> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut kinds: BTreeMap<String, (&'static str, usize)> = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let at_line = |what: String| (line, what);
        let event = event(text, offers).map_err(at_line)?;
        if !ids.insert(event.id.clone()) {
            return Err(at_line(format!("event `{}` appears twice", event.id)));
        }
        if let Some(before) = events.last().map(|event| event.at).filter(|before| *before > event.at) {
            return Err(at_line(format!("at {} is earlier than {before} before it: sort the file by time", event.at)));
        }
        for (key, value) in &event.context {
            let (kind, first) = kinds.entry(key.clone()).or_insert((value.kind(), line));
            if *kind != value.kind() {
                let what = format!("context `{key}` is {} here and {kind} in line {first}: use one kind", value.kind());
                return Err(at_line(what));
            }
        }
        events.push(event);
    }
    if events.is_empty() { Err((0, String::new())) } else { Ok(events) }
}

fn event(text: &str, offers: &BTreeMap<OfferId, String>) -> Result<Event, String> {
    let event: EventText = serde_json::from_str(text).map_err(|error| tidy(&error))?;
    for (key, value) in &event.context {
        AttributeId::parse(&format!("context.{key}"))
            .map_err(|_| format!("context key `{key}` cannot name an attribute: use letters, digits, `_` and `.`"))?;
        if *value == Value::Text(String::new()) {
            return Err(format!("context `{key}` is empty text: leave a missing value out"));
        }
    }
    let candidates: Vec<OfferId> = event.candidates.unwrap_or_else(|| offers.keys().cloned().collect());
    if candidates.is_empty() {
        return Err("there is no candidate: name at least one, or leave `candidates` out to mean all".to_owned());
    }
    let mut rewards = BTreeMap::new();
    for candidate in candidates {
        if !offers.contains_key(&candidate) {
            return Err(format!("candidate `{candidate}` is not in offers.json"));
        }
        let Some(reward) = event.rewards.get(&candidate).copied() else {
            return Err(format!("candidate `{candidate}` has no reward"));
        };
        if reward < 0.0 {
            return Err(format!(
                "the reward {reward} of `{candidate}` is negative: a reward is posted as an order, and an order cannot \
                 take money away; shift the rewards to 0 or more, or use a simulation"
            ));
        }
        if reward > REWARD_MAX {
            return Err(format!("the reward {reward} of `{candidate}` is too large: at most {REWARD_MAX}"));
        }
        rewards.insert(candidate, reward);
    }
    Ok(Event { id: event.id, at: event.at, customer_id: event.customer_id, context: event.context, rewards })
}

/// The parser's sentence with the column only: it counts lines within one line.
fn tidy(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => format!("{} at column {}", &text[..at], error.column()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        r#"{"id":"e1","at":"2026-01-01T00:00:00Z","customer_id":"c","context":{"age":3},"rewards":{"a":1,"b":0}}"#;

    fn offers() -> BTreeMap<OfferId, String> {
        parse_offers(r#"[{"offer_id":"a","name":"A","attributes":{"x":1},"margin":null,"cost":null},{"offer_id":"b"}]"#)
            .unwrap()
    }

    fn check(second: &str, expected: &str) {
        let text = format!("{GOOD}\n{second}\n");
        let (line, what) = parse(&text, &offers()).unwrap_err();
        assert_eq!((line, what.as_str()), (2, expected));
    }

    #[test]
    fn a_good_file_is_read_with_all_offers_where_candidates_are_left_out() {
        let second = GOOD.replace("e1", "e2").replace(r#""rewards""#, r#""candidates":["b"],"rewards""#);
        let events = parse(&format!("{GOOD}\n\n{second}"), &offers()).unwrap();
        let rewards: Vec<usize> = events.iter().map(|event| event.rewards.len()).collect();
        assert_eq!(rewards, [2, 1]);
    }

    #[test]
    fn a_line_that_cannot_be_replayed_is_named_with_the_reason() {
        let second = |from: &str, to: &str| GOOD.replace("e1", "e2").replace(from, to);
        check("{\"id\": ", "EOF while parsing a value at column 7");
        check(&second(r#""customer_id":"c","#, ""), "missing field `customer_id` at column 83");
        check(
            &second(r#""rewards""#, r#""chosen":"a","rewards""#),
            "unknown field `chosen`, expected one of `id`, `at`, `customer_id`, `context`, `candidates`, `rewards` at \
             column 85",
        );
        check(
            &second(r#""b":0"#, r#""b":-35"#),
            "the reward -35 of `b` is negative: a reward is posted as an order, and an order cannot take money away; \
             shift the rewards to 0 or more, or use a simulation",
        );
        check(&second(r#","b":0"#, ""), "candidate `b` has no reward");
        check(&second(r#""rewards""#, r#""candidates":["z"],"rewards""#), "candidate `z` is not in offers.json");
        check(
            &second("2026-01-01T", "2025-12-31T"),
            "at 2025-12-31T00:00:00.000Z is earlier than 2026-01-01T00:00:00.000Z before it: sort the file by time",
        );
        check(GOOD, "event `e1` appears twice");
        check(&second("3}", "\"x\"}"), "context `age` is text here and a number in line 1: use one kind");
        check(&second("age", "a b"), "context key `a b` cannot name an attribute: use letters, digits, `_` and `.`");
    }

    #[test]
    fn missing_offers_say_where_they_were_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.full.ndjson");
        std::fs::write(&path, GOOD).unwrap();
        let error = read(&path).unwrap_err().to_string();
        let looked_for = folder.path().join("offers.json");
        assert!(error.contains(&format!("looked for `{}`", looked_for.display())), "{error}");

        std::fs::write(&looked_for, r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        assert_eq!(read(&path).unwrap().events.len(), 1);
        std::fs::write(&path, "").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("has no events"));
    }

    #[test]
    fn a_compressed_file_is_read_by_what_is_in_it() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.full.ndjson.gz");
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(GOOD.as_bytes()).unwrap();
        std::fs::write(&path, writer.finish().unwrap()).unwrap();
        std::fs::write(folder.path().join("offers.json"), r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        assert_eq!(read(&path).unwrap().events[0].id, "e1");
    }
}
