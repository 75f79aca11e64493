//! Whether a JSON value has the shape that a schema of the OpenAPI document says: as much of JSON Schema as stands
//! there. Stricter in one point: a field that no schema declares is a mistake even where more would be allowed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Every place where a value departs from a schema.
pub fn mistakes(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

/// The schema behind a reference.
pub fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let found = document.pointer(reference.strip_prefix('#').unwrap());
            found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
        None => schema,
    }
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = resolve(document, schema);
    for word in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[word].as_array() {
            let fitting = choices.iter().filter(|choice| mistakes(document, choice, value).is_empty()).count();
            let fits = if word == "oneOf" { fitting == 1 } else { fitting > 0 };
            if !fits {
                found.push(format!("{at}: {value} fits {fitting} of {word}"));
            }
            return;
        }
    }
    if !of_type(&schema["type"], value) {
        found.push(format!("{at}: {value} is not of the type {}", schema["type"]));
        return;
    }
    if let Some(names) = schema["enum"].as_array()
        && !names.contains(value)
    {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    match value {
        Value::Object(fields) => object(document, schema, fields, at, found),
        Value::Array(items) => {
            if schema["minItems"].as_u64().is_some_and(|min| (items.len() as u64) < min) {
                found.push(format!("{at}: too few items"));
            }
            for (position, item) in items.iter().enumerate().filter(|_| schema["items"].is_object()) {
                check(document, &schema["items"], item, &format!("{at}/{position}"), found);
            }
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            let out = schema["minimum"].as_f64().is_some_and(|min| number < min)
                || schema["maximum"].as_f64().is_some_and(|max| number > max);
            if out {
                found.push(format!("{at}: {number} is out of its range"));
            }
        }
        Value::String(text) => match schema["format"].as_str() {
            Some("uuid") if text.len() != 36 => found.push(format!("{at}: `{text}` is no UUID")),
            Some("date-time") if proffer::domain::Timestamp::parse(text).is_err() => {
                found.push(format!("{at}: `{text}` is no instant"));
            }
            _ => {}
        },
        _ => {}
    }
}

/// The properties of an object's schema and of all that it is composed of, with the names of those that must be there.
fn declared<'a>(document: &'a Value, schema: &'a Value) -> (Vec<(&'a String, &'a Value)>, BTreeSet<&'a str>) {
    let schema = resolve(document, schema);
    let mut properties: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    let mut required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let closed = resolve(document, part)["additionalProperties"] == Value::Bool(false);
        assert!(!closed, "nothing fits two parts of which one allows no more fields: {schema}");
        let (more, needed) = declared(document, part);
        properties.extend(more);
        required.extend(needed);
    }
    (properties, required)
}

fn object(document: &Value, schema: &Value, fields: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
    let (properties, required) = declared(document, schema);
    for name in required.iter().filter(|name| !fields.contains_key(**name)) {
        found.push(format!("{at}/{name}: is missing"));
    }
    let free = properties.is_empty() && schema["additionalProperties"].is_null();
    for (name, value) in fields.iter().filter(|_| !free) {
        let at = format!("{at}/{name}");
        match properties.iter().find(|(known, _)| *known == name) {
            Some((_, property)) => check(document, property, value, &at, found),
            None if schema["additionalProperties"].is_object() => {
                check(document, &schema["additionalProperties"], value, &at, found);
            }
            None => found.push(format!("{at}: is not declared")),
        }
    }
}

fn of_type(kind: &Value, value: &Value) -> bool {
    let one = |kind: &Value| match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is no type"),
    };
    match kind {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(one),
        kind => one(kind),
    }
}

#[test]
fn values_that_depart_from_a_schema_are_found_with_their_place() {
    let document = serde_json::json!({"components": {"schemas": {"Money": {
        "type": "object", "required": ["amount"], "additionalProperties": false,
        "properties": {"amount": {"type": "string"}, "digits": {"type": ["integer", "null"], "minimum": 0}},
    }}}});
    let schema = serde_json::json!({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Money"}});
    let check = |value: Value| mistakes(&document, &schema, &value);
    assert_eq!(check(serde_json::json!([{"amount": "1", "digits": null}])), Vec::<String>::new());
    assert_eq!(check(serde_json::json!([])), [": too few items"]);
    assert_eq!(check(serde_json::json!([{"digits": 2}])), ["/0/amount: is missing"]);
    assert_eq!(check(serde_json::json!([{"amount": "1", "more": 2}])), ["/0/more: is not declared"]);
    assert_eq!(check(serde_json::json!([{"amount": 1}])), ["/0/amount: 1 is not of the type \"string\""]);
    assert_eq!(check(serde_json::json!([{"amount": "1", "digits": -1}])), ["/0/digits: -1 is out of its range"]);
}
