//! Where two records differ, by the names of their fields. Says not which of them is right.

use serde::Serialize;
use serde_json::Value as Json;

use crate::decision::Problem;
use crate::domain::decision::{Private, Skeleton};

/// A field that came out otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its path, such as `slots[0].draw.u`.
    pub path: String,
    /// What the record says; nothing where it says nothing.
    pub recorded: Json,
    /// What came of deciding again.
    pub again: Json,
}

impl Difference {
    /// That the record is not what was stored.
    pub(super) fn of_bytes(what: &str) -> Self {
        Self { path: "bytes".to_owned(), recorded: what.into(), again: Json::Null }
    }

    /// That what the record says was asked cannot be asked.
    pub(super) fn of_problem(problem: &Problem) -> Self {
        let Problem { pointer, message } = problem;
        Self { path: format!("request{pointer}"), recorded: Json::Null, again: message.as_str().into() }
    }
}

/// Where two decisions differ: first what can be said of the public part, then of the private one.
pub(super) fn compare(recorded: (&Skeleton, &Private), again: (&Skeleton, &Private)) -> Vec<Difference> {
    let mut fields = differences("", recorded.0, again.0);
    fields.extend(differences("private", recorded.1, again.1));
    // Commitments differ with whatever they commit to.
    let named = fields.iter().filter(|field| !field.path.starts_with("commitments")).count();
    fields.retain(|field| named == 0 || !field.path.starts_with("commitments"));
    fields
}

/// Where two values of a kind differ.
pub(super) fn differences<T: Serialize>(path: &str, recorded: &T, again: &T) -> Vec<Difference> {
    let json = |value: &T| serde_json::to_value(value).unwrap_or_default();
    let mut found = Vec::new();
    walk(path, &json(recorded), &json(again), &mut found);
    found
}

fn walk(path: &str, recorded: &Json, again: &Json, found: &mut Vec<Difference>) {
    match (recorded, again) {
        (Json::Object(one), Json::Object(other)) => {
            let missing = Json::Null;
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            for name in names {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let of = |all: &serde_json::Map<String, Json>| all.get(name).unwrap_or(&missing).clone();
                walk(&below, &of(one), &of(other), found);
            }
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            for (at, (recorded, again)) in one.iter().zip(other).enumerate() {
                walk(&format!("{path}[{at}]"), recorded, again, found);
            }
        }
        _ if recorded == again => {}
        _ => found.push(Difference { path: path.to_owned(), recorded: recorded.clone(), again: again.clone() }),
    }
}
