//! What changed from one bundle to another, in sentences: by rule, by placement, by declaration, by case. Says nothing
//! of what it would do to real decisions.

mod effect;
mod items;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::policy::bundle::Bundle;
use crate::policy::rules::Rule;
use effect::effect;
use items::{Item, Name, Said, items};

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was not there before.
    Added,
    /// It is no longer there.
    Removed,
    /// It says something else, or says it elsewhere.
    Changed,
}

/// A field that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// With dots for what lies deeper: `window.rolling`.
    pub field: String,
    /// As it was written; nothing where it was not given.
    pub before: Option<String>,
    /// As it is written.
    pub after: Option<String>,
}

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is: `rule`, `placement`, `attribute`, `purpose`, `calendar`, `case`, `setting` and so on.
    pub part: &'static str,
    /// The list it stands in: for a rule its kind.
    pub list: String,
    /// Its name.
    pub id: String,
    /// What became of it.
    pub how: How,
    /// File and line, in the new bundle where it is there.
    pub place: (String, usize),
    /// Field by field, by name.
    pub fields: Vec<FieldChange>,
    /// All of it in sentences.
    pub sentences: Vec<String>,
}

/// What a field of a rule means where it is not given.
const DEFAULTS: [(&str, &str); 3] = [("severity", "`block`"), ("on_missing", "`exclude`"), ("effective", "always")];

/// Everything that changed: what was removed and changed by the order of the old bundle's names, then what is new.
pub fn difference(before: &Bundle, after: &Bundle) -> Vec<Change> {
    let (old, mut new) = (items(before), items(after));
    let mut changes = Vec::new();
    for (name, was) in old {
        let Some((now_called, is)) = take(&mut new, &name) else {
            changes.push(whole(before, &name, &was, How::Removed));
            continue;
        };
        changes.extend(changed((before, &name, &was), (after, &now_called, &is)));
    }
    changes.extend(new.iter().map(|(name, item)| whole(after, name, item, How::Added)));
    changes
}

/// The thing of this name. A rule may have moved to another list.
fn take(new: &mut BTreeMap<Name, Item>, name: &Name) -> Option<(Name, Item)> {
    let found = if new.contains_key(name) {
        name.clone()
    } else {
        new.keys().find(|(part, _, id)| *part == "rule" && name.0 == "rule" && *id == name.2)?.clone()
    };
    let item = new.remove(&found)?;
    Some((found, item))
}

fn rule<'a>(bundle: &'a Bundle, (part, _, id): &Name) -> Option<&'a Rule> {
    bundle.rules.iter().find(|rule| *part == "rule" && rule.id.as_str() == id)
}

/// A thing that is there in one of both.
fn whole(bundle: &Bundle, name: &Name, item: &Item, how: How) -> Change {
    let (part, list, id) = name.clone();
    let (said, verb) = match how {
        How::Removed => (false, "is gone"),
        How::Added | How::Changed => (true, "is new"),
    };
    let fields = item.fields.iter().map(|(field, value)| FieldChange {
        field: field.clone(),
        before: (!said).then(|| one_line(value)),
        after: said.then(|| one_line(value)),
    });
    let mut sentences = vec![format!("{part} `{id}` {verb}")];
    if let Some(rule) = rule(bundle, name) {
        let tense = if said { "it" } else { "it said that it" };
        sentences.push(format!("{tense} {}", super::explain::says(bundle, rule)));
        sentences.push(format!("why: {}", rule.why));
    }
    Change { part, list, id, how, place: item.place.clone(), fields: fields.collect(), sentences }
}

fn changed((before, old, was): (&Bundle, &Name, &Item), (after, new, is): (&Bundle, &Name, &Item)) -> Option<Change> {
    let mut names: Vec<&String> = was.fields.keys().chain(is.fields.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let (mut fields, mut sentences) = (Vec::new(), Vec::new());
    if old.1 != new.1 {
        sentences.push(format!("it is one of `{}` instead of `{}`", new.1, old.1));
    }
    for name in names {
        let (then, now) = (was.fields.get(name), is.fields.get(name));
        if then != now {
            sentences.push(told(name, then, now));
            fields.push(FieldChange { field: name.clone(), before: then.map(one_line), after: now.map(one_line) });
        }
    }
    if was.place.0 != is.place.0 {
        sentences.push(format!("it stands in {} instead of {}", is.place.0, was.place.0));
    }
    if sentences.is_empty() {
        return None;
    }
    if let (Some(then), Some(now)) = (rule(before, old), rule(after, new)) {
        sentences.extend(effect(then, now));
    }
    let (part, list, id) = new.clone();
    Some(Change { part, list, id, how: How::Changed, place: is.place.clone(), fields, sentences })
}

fn told(name: &str, then: Option<&Said>, now: Option<&Said>) -> String {
    let default = DEFAULTS.iter().find(|(field, _)| *field == name.split('.').next().unwrap_or(name));
    let not_given = default.map_or_else(|| "not given".to_owned(), |(_, value)| format!("not given ({value})"));
    match (then, now) {
        (Some(Said::List(then)), Some(Said::List(now))) => {
            let more: Vec<&String> = now.iter().filter(|one| !then.contains(one)).collect();
            let less: Vec<&String> = then.iter().filter(|one| !now.contains(one)).collect();
            let listed = |names: &[&String]| names.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
            match (more.is_empty(), less.is_empty()) {
                (true, true) => format!("`{name}` has another order: `{}`", now.join("`, `")),
                (false, true) => format!("`{name}` names {} as well", listed(&more)),
                (true, false) => format!("`{name}` no longer names {}", listed(&less)),
                (false, false) => format!("`{name}` names {} and no longer {}", listed(&more), listed(&less)),
            }
        }
        (Some(then), Some(now)) => format!("`{name}` is `{}` instead of `{}`", one_line(now), one_line(then)),
        (None, Some(now)) => format!("`{name}` is `{}`; it was {not_given}", one_line(now)),
        (Some(then), None) => format!("`{name}` is {not_given}; it was `{}`", one_line(then)),
        (None, None) => String::new(),
    }
}

fn one_line(said: &Said) -> String {
    match said {
        Said::Text(text) => text.clone(),
        Said::List(list) => format!("[{}]", list.join(", ")),
    }
}
