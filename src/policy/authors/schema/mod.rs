//! JSON Schemas (2020-12) of the files of a bundle, for editors that complete and check YAML while it is written.
//! Checks no file: `policy check` knows more.
//!
//! Which fields there are comes from the tables that the readers use, so that the schemas know every field that is read
//! and no other; what a field holds stands in [`shapes`], one row each. A kind of rule whose fields have no row is
//! found by a test.

mod shapes;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::policy::bundle;
use crate::policy::cases::fields as tests_fields;
use crate::policy::declared::{attributes, calendars, measured, placements, purposes, stores};
use crate::policy::rules::{FIELDS, KINDS};
use shapes::{described, shape};

/// Every schema by its name: one per kind of file.
pub fn schemas() -> Vec<(&'static str, Value)> {
    let declared = |list: &str, fields: &[&str], required: &[&str]| {
        let item = object(list, fields, required);
        document(list, &Map::from_iter([(list.to_owned(), items(&item))]), &[list])
    };
    let bundle = object("bundle", &bundle::FIELDS, &["name", "schema"]);
    vec![
        ("bundle", titled("bundle", bundle)),
        ("attributes", declared("attributes", &attributes::FIELDS, &["id", "type"])),
        ("purposes", declared("purposes", &purposes::FIELDS, &["id"])),
        ("calendars", declared("calendars", &calendars::FIELDS, &["id", "days"])),
        ("fairness", titled("fairness", object("fairness", &measured::FIELDS, &["report"]))),
        ("stores", declared("stores", &stores::FIELDS, &["id"])),
        (
            "placements",
            declared(
                "placements",
                &placements::KNOWN,
                &["id", "channel", "purpose", "currency", "objective", "strategy", "fallback"],
            ),
        ),
        ("rules", rules()),
        ("fixtures", document("fixtures", &fixtures(), &[])),
        ("tests", tests()),
    ]
}

/// Which files of a bundle have which schema, as editors are told: name and pattern.
pub const SCHEMA_FILES: [(&str, &str); 10] = [
    ("bundle", "bundle.yaml"),
    ("attributes", "catalog/attributes.yaml"),
    ("purposes", "catalog/purposes.yaml"),
    ("calendars", "catalog/calendars.yaml"),
    ("stores", "catalog/stores.yaml"),
    ("fairness", measured::FAIRNESS),
    ("placements", "placements.yaml"),
    ("rules", "rules/*.yaml"),
    ("fixtures", "tests/fixtures/*.yaml"),
    ("tests", "tests/*.test.yaml"),
];

/// The name of the schema of a file of a bundle, by its path.
pub fn schema_of(path: &str) -> Option<&'static str> {
    let fits = |pattern: &str| match pattern.split_once('*') {
        None => path == pattern,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
    };
    SCHEMA_FILES.into_iter().find(|(_, pattern)| fits(pattern)).map(|(name, _)| name)
}

/// A list of rules for every kind, and who answers for them.
fn rules() -> Value {
    let mut lists = Map::from_iter([("owner".to_owned(), shape("rules", "owner").unwrap_or(Value::Bool(true)))]);
    for kind in &KINDS {
        let own = [&FIELDS[..], kind.fields].concat();
        let list = items(&object(kind.list, &own, &["id", "why"]));
        lists.insert(kind.list.to_owned(), described(kind.list, list));
    }
    document("rules", &lists, &[])
}

fn fixtures() -> Map<String, Value> {
    let fields = |list: &str| match list {
        "customers" => [&["id", "like"][..], &tests_fields::CUSTOMER].concat(),
        "offers" => [&["id", "like", "campaign"][..], &tests_fields::OFFER].concat(),
        _ => [&["id", "like"][..], &tests_fields::CAMPAIGN].concat(),
    };
    let lists =
        tests_fields::LISTS.iter().map(|list| ((*list).to_owned(), items(&dotted(list, &fields(list), &["id"]))));
    lists.collect()
}

fn tests() -> Value {
    let mut lists = fixtures();
    lists.insert("given".to_owned(), dotted("given", &tests_fields::GIVEN, &[]));
    let case = [&tests_fields::CASE[..], &tests_fields::GIVEN].concat();
    lists.insert("cases".to_owned(), items(&dotted("cases", &case, &["name", "expect"])));
    document("tests", &lists, &["cases"])
}

/// A whole file.
fn document(name: &str, lists: &Map<String, Value>, required: &[&str]) -> Value {
    titled(name, json!({"type": "object", "properties": lists, "required": required, "additionalProperties": false}))
}

fn titled(name: &str, mut schema: Value) -> Value {
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(format!("Proffer: {name}"));
    schema
}

fn items(item: &Value) -> Value {
    json!({"type": "array", "items": item})
}

/// A mapping with these fields and no other.
fn object(of: &str, fields: &[&str], required: &[&str]) -> Value {
    let shapes = fields.iter().map(|field| ((*field).to_owned(), shape(of, field).unwrap_or(Value::Bool(true))));
    let shapes: Map<String, Value> = shapes.collect();
    json!({"type": "object", "properties": shapes, "required": required, "additionalProperties": false})
}

/// As [`object`], with attributes beside its fields.
fn dotted(of: &str, fields: &[&str], required: &[&str]) -> Value {
    let mut schema = object(of, fields, required);
    schema["patternProperties"] = json!({"^(customer|context|offer)\\.": true});
    schema
}
