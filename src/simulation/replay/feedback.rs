//! Feedback files: every line parsed and checked, with its place where it is wrong. Opens no file and replays nothing.
//!
//! *Full* feedback knows what every candidate would have earned; *logged* feedback knows what one of them did, and the
//! probability with which it had been chosen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::domain::{AttributeId, AttributeScope, OfferId, Propensity, Timestamp, Value};

/// The offers of a data set, with their names.
pub type Offers = BTreeMap<OfferId, String>;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// A line.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong and what was expected.
        what: String,
    },
    /// There is nothing in it.
    #[error("there are no events")]
    Empty,
}

/// All events of a file, in its order; `at` never decreases.
#[derive(Debug)]
pub enum Feedback {
    /// Every candidate's reward is known.
    Full(Vec<Event>),
    /// Only that of the logged choice is.
    Logged(Vec<LoggedEvent>),
}

/// One event of full feedback: who, when, what is known, what there is, and what each of it would have earned.
#[derive(Debug, PartialEq)]
pub struct Event {
    /// Line of the file, counted from 1.
    pub line: usize,
    /// Unique within the file.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub customer_id: String,
    /// What is known.
    pub context: BTreeMap<String, Value>,
    /// What may be shown, each with its reward.
    pub rewards: BTreeMap<OfferId, f64>,
}

/// One event of logged feedback: who, when, what is known, what was chosen, how probable that was and what it earned.
#[derive(Debug, PartialEq)]
pub struct LoggedEvent {
    /// Line of the file, counted from 1.
    pub line: usize,
    /// Unique within the file.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub customer_id: String,
    /// What is known.
    pub context: BTreeMap<String, Value>,
    /// What could have been shown, by id; nothing means every offer.
    pub candidates: Option<BTreeSet<OfferId>>,
    /// What was.
    pub chosen: OfferId,
    /// How probable that was.
    pub propensity: Propensity,
    /// What it earned.
    pub reward: f64,
    /// Position on the page, counted from 1, where there are several.
    pub slot: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FullText {
    id: String,
    at: Timestamp,
    customer_id: String,
    context: BTreeMap<String, Value>,
    candidates: Option<Vec<OfferId>>,
    rewards: BTreeMap<OfferId, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoggedText {
    id: String,
    at: Timestamp,
    customer_id: String,
    context: BTreeMap<String, Value>,
    candidates: Option<Vec<OfferId>>,
    chosen: OfferId,
    propensity: f64,
    reward: f64,
    slot: Option<u32>,
}

#[derive(Deserialize)]
struct OfferText {
    offer_id: OfferId,
    #[serde(default)]
    name: String,
}

/// Reads the `offers.json` of a data set.
pub fn parse_offers(text: &str) -> Result<Offers, String> {
    let listed: Vec<OfferText> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut offers = BTreeMap::new();
    for offer in listed {
        if offers.insert(offer.offer_id.clone(), offer.name).is_some() {
            return Err(format!("offer `{}` appears twice", offer.offer_id));
        }
    }
    if offers.is_empty() { Err("it lists no offer".to_owned()) } else { Ok(offers) }
}

/// Reads a file of either kind: its first event tells which.
pub fn read(text: &str, offers: &Offers) -> Result<Feedback, Mistake> {
    let (line, first) = lines(text).next().ok_or(Mistake::Empty)?;
    let wrong = |what: String| Mistake::Line { line, what };
    let keys: BTreeMap<String, serde_json::Value> = serde_json::from_str(first).map_err(|error| wrong(tidy(&error)))?;
    match (keys.contains_key("rewards"), keys.contains_key("chosen")) {
        (true, _) => full(text, offers).map(Feedback::Full),
        (false, true) => logged(text, offers).map(Feedback::Logged),
        (false, false) => Err(wrong(
            "neither full nor logged feedback: expected `rewards` with a number for every candidate, or `chosen` with \
             its `propensity` and `reward`"
                .to_owned(),
        )),
    }
}

/// Reads full feedback: every event, or the first line that is wrong.
pub fn full(text: &str, offers: &Offers) -> Result<Vec<Event>, Mistake> {
    let mut order = Order::default();
    let events = lines(text).map(|(line, text)| {
        let wrong = |what: String| Mistake::Line { line, what };
        let event = full_event(line, text, offers).map_err(wrong)?;
        order.next(line, (&event.id, event.at), &event.context).map_err(wrong)?;
        Ok(event)
    });
    some(events.collect::<Result<_, _>>()?)
}

/// Reads logged feedback: every event, or the first line that is wrong.
pub fn logged(text: &str, offers: &Offers) -> Result<Vec<LoggedEvent>, Mistake> {
    logged_of(text, Some(offers))
}

/// The same of whatever offers: whether they exist the caller checks.
pub fn logged_of_any(text: &str) -> Result<Vec<LoggedEvent>, Mistake> {
    logged_of(text, None)
}

fn logged_of(text: &str, offers: Option<&Offers>) -> Result<Vec<LoggedEvent>, Mistake> {
    let mut order = Order::default();
    let events = lines(text).map(|(line, text)| {
        let wrong = |what: String| Mistake::Line { line, what };
        let event = logged_event(line, text, offers).map_err(wrong)?;
        order.next(line, (&event.id, event.at), &event.context).map_err(wrong)?;
        Ok(event)
    });
    some(events.collect::<Result<_, _>>()?)
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty())
}

fn some<T>(events: Vec<T>) -> Result<Vec<T>, Mistake> {
    if events.is_empty() { Err(Mistake::Empty) } else { Ok(events) }
}

/// What the lines before fix for those that follow.
#[derive(Default)]
struct Order {
    ids: BTreeSet<String>,
    before: Option<Timestamp>,
    kinds: BTreeMap<String, (&'static str, usize)>,
}

impl Order {
    fn next(
        &mut self,
        line: usize,
        (id, at): (&str, Timestamp),
        context: &BTreeMap<String, Value>,
    ) -> Result<(), String> {
        if !self.ids.insert(id.to_owned()) {
            return Err(format!("event `{id}` appears twice"));
        }
        if let Some(before) = self.before.replace(at).filter(|before| *before > at) {
            return Err(format!("at {at} is earlier than {before} before it: sort the file by time"));
        }
        for (key, value) in context {
            let (kind, first) = self.kinds.entry(key.clone()).or_insert((value.kind(), line));
            if *kind != value.kind() {
                return Err(format!(
                    "context `{key}` is {} here and {kind} in line {first}: use one kind",
                    value.kind()
                ));
            }
        }
        Ok(())
    }
}

fn full_event(line: usize, text: &str, offers: &Offers) -> Result<Event, String> {
    let event: FullText = serde_json::from_str(text).map_err(|error| tidy(&error))?;
    check_context(&event.context)?;
    let candidates = match event.candidates {
        Some(listed) => candidates(listed, Some(offers))?,
        None => offers.keys().cloned().collect(),
    };
    let mut rewards = BTreeMap::new();
    for candidate in candidates {
        let Some(reward) = event.rewards.get(&candidate).copied() else {
            return Err(format!("candidate `{candidate}` has no reward"));
        };
        rewards.insert(candidate, reward);
    }
    let FullText { id, at, customer_id, context, .. } = event;
    Ok(Event { line, id, at, customer_id, context, rewards })
}

fn logged_event(line: usize, text: &str, offers: Option<&Offers>) -> Result<LoggedEvent, String> {
    let event: LoggedText = serde_json::from_str(text).map_err(|error| tidy(&error))?;
    check_context(&event.context)?;
    let candidates = event.candidates.map(|listed| candidates(listed, offers)).transpose()?;
    let chosen = &event.chosen;
    if offers.is_some_and(|offers| !offers.contains_key(chosen)) {
        return Err(format!("chosen `{chosen}` is not in offers.json"));
    }
    if candidates.as_ref().is_some_and(|candidates| !candidates.contains(chosen)) {
        return Err(format!("chosen `{chosen}` is not among its candidates"));
    }
    let propensity = Propensity::new(event.propensity)
        .map_err(|_| format!("propensity {} of `{chosen}`: expected above 0 and at most 1", event.propensity))?;
    if event.slot == Some(0) {
        return Err("slot 0: slots are counted from 1".to_owned());
    }
    let LoggedText { id, at, customer_id, context, chosen, reward, slot, .. } = event;
    Ok(LoggedEvent { line, id, at, customer_id, context, candidates, chosen, propensity, reward, slot })
}

fn check_context(context: &BTreeMap<String, Value>) -> Result<(), String> {
    for (key, value) in context {
        AttributeId::of(AttributeScope::Context, key)
            .map_err(|_| format!("context key `{key}` cannot name an attribute: use letters, digits, `_` and `.`"))?;
        if *value == Value::Text(String::new()) {
            return Err(format!("context `{key}` is empty text: leave a missing value out"));
        }
    }
    Ok(())
}

fn candidates(listed: Vec<OfferId>, offers: Option<&Offers>) -> Result<BTreeSet<OfferId>, String> {
    let mut candidates = BTreeSet::new();
    for candidate in listed {
        if offers.is_some_and(|offers| !offers.contains_key(&candidate)) {
            return Err(format!("candidate `{candidate}` is not in offers.json"));
        }
        if candidates.contains(&candidate) {
            return Err(format!("candidate `{candidate}` appears twice"));
        }
        candidates.insert(candidate);
    }
    if candidates.is_empty() {
        return Err("there is no candidate: name at least one, or leave `candidates` out to mean all".to_owned());
    }
    Ok(candidates)
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

    fn offers() -> Offers {
        parse_offers(r#"[{"offer_id":"a","name":"A","attributes":{"x":1},"margin":null,"cost":null},{"offer_id":"b"}]"#)
            .unwrap()
    }

    fn check(second: &str, expected: &str) {
        let text = format!("{GOOD}\n{second}\n");
        assert_eq!(full(&text, &offers()), Err(Mistake::Line { line: 2, what: expected.to_owned() }));
    }

    #[test]
    fn a_good_file_is_read_with_all_offers_where_candidates_are_left_out() {
        let second = GOOD.replace("e1", "e2").replace(r#""rewards""#, r#""candidates":["b"],"rewards""#);
        let events = full(&format!("{GOOD}\n\n{second}"), &offers()).unwrap();
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

    const LOGGED: &str = concat!(
        r#"{"id":"l1","at":"2026-01-01T00:00:00Z","customer_id":"c","context":{"age":3},"#,
        r#""chosen":"a","propensity":0.5,"reward":1,"slot":2}"#
    );

    #[test]
    fn the_first_event_tells_which_kind_of_feedback_it_is() {
        assert!(matches!(read(GOOD, &offers()), Ok(Feedback::Full(events)) if events.len() == 1));
        let Ok(Feedback::Logged(events)) = read(LOGGED, &offers()) else { panic!("not logged") };
        assert_eq!((events[0].slot, &events[0].candidates, events[0].reward), (Some(2), &None, 1.0));
        let check = |text: &str, expected: &str| {
            assert_eq!(read(text, &offers()).map(|_| ()).map_err(|e| e.to_string()), Err(expected.to_owned()));
        };
        check("\n\n", "there are no events");
        check("\n[1]", "line 2: invalid type: sequence, expected a map at column 0");
        check(
            r#"{"id":"e1"}"#,
            "line 1: neither full nor logged feedback: expected `rewards` with a number for every candidate, or \
             `chosen` with its `propensity` and `reward`",
        );
    }

    #[test]
    fn a_logged_line_that_cannot_be_replayed_is_named_with_the_reason() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = format!("{LOGGED}\n{}", LOGGED.replace("l1", "l2").replace(from, to));
            assert_eq!(logged(&text, &offers()), Err(Mistake::Line { line: 2, what: expected.to_owned() }));
        };
        check("0.5", "0", "propensity 0 of `a`: expected above 0 and at most 1");
        check("0.5", "1.5", "propensity 1.5 of `a`: expected above 0 and at most 1");
        check(r#""a""#, r#""z""#, "chosen `z` is not in offers.json");
        check(r#""chosen""#, r#""candidates":["b"],"chosen""#, "chosen `a` is not among its candidates");
        check(r#""chosen""#, r#""candidates":["a","a"],"chosen""#, "candidate `a` appears twice");
        check(
            r#""chosen""#,
            r#""candidates":[],"chosen""#,
            "there is no candidate: name at least one, or leave `candidates` out to mean all",
        );
        check("\"slot\":2", "\"slot\":0", "slot 0: slots are counted from 1");
        check("l2", "l1", "event `l1` appears twice");
        check(r#","reward":1"#, "", "missing field `reward` at column 116");
    }
}
