//! Schemas as tables of their fields. Checks no value.

use std::fmt::Write as _;

use serde_json::Value;

use super::prose::{escape, inline};

/// A schema in a few words, with links to those that it names.
pub fn kind(schema: &Value) -> String {
    if let Some(name) = name_of(schema) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[word].as_array() {
            // What may be absent is said last.
            let (absent, present): (Vec<&Value>, Vec<&Value>) = choices.iter().partition(|one| one["type"] == "null");
            return present.into_iter().chain(absent).map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(names) = schema["enum"].as_array() {
        let names = names.iter().map(|name| format!("<code>{}</code>", escape(&plain(name))));
        return names.collect::<Vec<_>>().join(" or ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let told = types.iter().map(|kind| match *kind {
        "array" => format!("list of {}", super::schema::kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", super::schema::kind(&schema["additionalProperties"]))
        }
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "string" => match schema["format"].as_str() {
            Some("date-time") => "instant".to_owned(),
            Some("uuid") => "UUID".to_owned(),
            _ => "text".to_owned(),
        },
        other => escape(other),
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "anything".to_owned() } else { told.join(" or ") }
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The schema that a reference names, or the schema itself; of a list, that of its items.
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match name_of(schema) {
        Some(name) => &document["components"]["schemas"][name],
        None if schema["items"].is_object() => resolved(document, &schema["items"]),
        None => schema,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What is allowed besides the kind.
fn bounds(schema: &Value) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "letters at least"),
        ("maxLength", "letters at most"),
        ("minItems", "items at least"),
        ("maxItems", "items at most"),
        ("pattern", "as"),
        ("example", "such as"),
    ];
    let said = WORDS.iter().filter(|(word, _)| !schema[*word].is_null());
    said.map(|(word, told)| {
        format!("<span class=\"bound\">{told} <code>{}</code></span>", escape(&plain(&schema[*word])))
    })
    .collect::<Vec<_>>()
    .concat()
}

/// The fields of an object as a table; nothing where it has none.
pub fn fields(schema: &Value) -> String {
    let mut table = String::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        match name_of(part) {
            Some(_) => drop(writeln!(table, "<p>All that {} has, and:</p>", kind(part))),
            None => table.push_str(&fields(part)),
        }
    }
    let Some(properties) = schema["properties"].as_object() else { return table };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    table.push_str("<table>\n");
    for (name, property) in properties {
        let must = if required.contains(&name.as_str()) { " <b title=\"always there\">*</b>" } else { "" };
        let about = inline(property["description"].as_str().unwrap_or_default());
        let (name, kind, bounds) = (escape(name), kind(property), bounds(property));
        let _ = writeln!(table, "<tr><th><code>{name}</code>{must}</th><td>{kind}</td><td>{about} {bounds}</td></tr>");
    }
    table.push_str("</table>\n");
    table
}

/// The fields of what a body may be: of each choice where there are several.
pub fn fields_of_body(document: &Value, schema: &Value) -> String {
    let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    let Some(choices) = choices else { return fields(resolved(document, schema)) };
    let each = choices.iter().map(|choice| (kind(choice), fields(resolved(document, choice))));
    let each = each.filter(|(_, fields)| !fields.is_empty());
    each.map(|(kind, fields)| format!("<p class=\"case\">{kind}</p>\n{fields}")).collect::<Vec<_>>().concat()
}

/// A named schema in full.
pub fn named(name: &str, schema: &Value) -> String {
    let about = schema["description"].as_str().map(|about| format!("<p>{}</p>\n", inline(about))).unwrap_or_default();
    let fields = fields(schema);
    let shown = if fields.is_empty() { format!("<p>{} {}</p>\n", kind(schema), bounds(schema)) } else { fields };
    let name = escape(name);
    format!("<section class=\"schema\" id=\"schema-{name}\">\n<h3>{name}</h3>\n{about}{shown}</section>\n")
}
