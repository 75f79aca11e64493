//! Tests of the schemas: that every file of the bundles here fits its own and misspelt ones do not. The checker is as
//! small as the words that the schemas use.

use serde_json::{Map, Value, json};

use super::{schema_of, schemas};
use crate::policy::finding::Report;
use crate::policy::sample::files;
use crate::policy::syntax::{self, Node, Yaml};
use crate::policy::{Source, compile};

/// What an editor makes of a file.
fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Scalar { text, plain: true } => match text.as_str() {
            "" | "~" | "null" => Value::Null,
            "true" | "false" => json!(text == "true"),
            text => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), _) => json!(number),
                (_, Ok(number)) => json!(number),
                _ => json!(text),
            },
        },
        Yaml::Scalar { text, .. } => json!(text),
        Yaml::List(items) => items.iter().map(value).collect(),
        Yaml::Map(entries) => {
            Value::Object(entries.iter().map(|(key, node)| (key.text.clone(), value(node))).collect::<Map<_, _>>())
        }
        Yaml::Refused => Value::Null,
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        other => panic!("type {other}"),
    }
}

/// Words that say nothing of whether a value fits.
const SILENT: [&str; 4] = ["$schema", "title", "description", "examples"];

/// Everything about a value that does not fit.
fn misfits(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let words = match schema {
        Value::Bool(true) => return,
        Value::Object(words) => words,
        other => panic!("{at}: {other}"),
    };
    let before = found.len();
    for (word, says) in words.iter().filter(|(word, _)| !SILENT.contains(&word.as_str())) {
        let fits = match word.as_str() {
            "type" => match says {
                Value::Array(kinds) => kinds.iter().any(|kind| is(value, kind.as_str().unwrap())),
                kind => is(value, kind.as_str().unwrap()),
            },
            "enum" => says.as_array().unwrap().contains(value),
            "const" => says == value,
            "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
            "minItems" => value.as_array().is_none_or(|items| !items.is_empty()),
            "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= says.as_f64().unwrap()),
            "required" => says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "anyOf" => says.as_array().unwrap().iter().any(|one| {
                let mut inner = Vec::new();
                misfits(one, value, at, &mut inner);
                inner.is_empty()
            }),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    misfits(says, item, &format!("{at}[{number}]"), found);
                }
                true
            }
            "properties" | "patternProperties" => true,
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                let patterns = words.contains_key("patternProperties");
                for (name, inner) in value.as_object().into_iter().flatten() {
                    let attribute = ["customer.", "context.", "offer."].iter().any(|scope| name.starts_with(scope));
                    let place = format!("{at}.{name}");
                    match known.and_then(|known| known.get(name)) {
                        Some(schema) => misfits(schema, inner, &place, found),
                        None if patterns && attribute => {}
                        None if *says == json!(false) => found.push(format!("{place}: unknown")),
                        None => misfits(says, inner, &place, found),
                    }
                }
                true
            }
            other => panic!("{at}: the checker does not know `{other}`"),
        };
        if !fits {
            found.push(format!("{at}: {word} {says}, found {value}"));
        }
    }
    assert!(found.len() >= before);
}

/// What does not fit of a file.
fn check(file: &Source) -> Vec<String> {
    let sources = std::slice::from_ref(file);
    let node = syntax::parse(&mut Report::new(sources), 0, &file.text).unwrap_or_else(|| panic!("{}", file.path));
    let name = schema_of(&file.path).unwrap_or_else(|| panic!("{} has no schema", file.path));
    let (_, schema) = schemas().into_iter().find(|(known, _)| *known == name).unwrap();
    let mut found = Vec::new();
    misfits(&schema, &value(&node), &file.path, &mut found);
    found
}

/// Every file of the bundle in a folder of the project.
fn folder(name: &str) -> Vec<Source> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let (mut waiting, mut found) = (vec![root.clone()], Vec::new());
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                waiting.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "yaml") {
                let path = entry.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path, text: std::fs::read_to_string(&entry).unwrap() });
            }
        }
    }
    assert!(found.len() >= 8, "{name}");
    found
}

#[test]
fn every_file_of_the_bundles_here_fits_its_schema() {
    let all = files().into_iter().chain(folder("policies")).chain(folder("src/commands/starter"));
    let found: Vec<String> = all.flat_map(|file| check(&file)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_misspelt_field_fits_nowhere_that_it_is_read() {
    let mut tried = 0;
    for file in folder("policies") {
        // Fields of lists of things, each misspelt once.
        let names: Vec<&str> = file
            .text
            .lines()
            .filter(|line| line.starts_with("    ") || line.starts_with("  - "))
            .filter_map(|line| line.trim_start_matches([' ', '-']).split_once(':'))
            .map(|(name, _)| name)
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            .collect();
        for name in names {
            let Some(line) =
                file.text.lines().find(|line| line.trim_start_matches([' ', '-']).starts_with(&format!("{name}:")))
            else {
                continue;
            };
            let wrong = line.replacen(&format!("{name}:"), &format!("{name}x:"), 1);
            let misspelt = Source { path: file.path.clone(), text: file.text.replacen(line, &wrong, 1) };
            assert!(!check(&misspelt).is_empty(), "{}: `{name}x` passes", file.path);
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn values_of_another_type_do_not_fit_and_what_compiles_does() {
    let rules = |rule: &str| Source { path: "rules/a.yaml".into(), text: format!("owner: sales\n{rule}\n") };
    for wrong in [
        "margin_floors: [{id: a, why: b, min_margin: [10%]}]",
        "margin_floors: [{why: b, min_margin: 10%}]",
        "margin_floors: [{id: a, why: b, min_margin: 10%, severity: blok}]",
        "margin_floors: [{id: a, why: b, min_margin: 10%, overridable: 'yes'}]",
        "margin_floors: [{id: a, why: b, min_margin: 10%, applies_to: {offer: [x]}}]",
        "frequency_caps: [{id: a, why: b, scope: [customer], max: 0, window: {rolling: 7d}, counts: decision}]",
        "frequency_caps: [{id: a, why: b, scope: [customer], max: 1, window: {roling: 7d}, counts: decision}]",
        "frequency_cap: []",
    ] {
        assert!(!check(&rules(wrong)).is_empty(), "{wrong}");
    }
    let placement = |to: &str| {
        let mut files = files();
        let file = files.iter_mut().find(|file| file.path == "placements.yaml").unwrap();
        file.text = file.text.replacen("strategy: {name: thompson_linear,", to, 1);
        (compile(&files).is_ok(), check(files.iter().find(|file| file.path == "placements.yaml").unwrap()).is_empty())
    };
    assert_eq!(placement("strategy: {name: bagged_linear, bags: 5,"), (true, true));
    assert_eq!(placement("strategy: {name: bagged_linear, bag: 5,"), (false, false));
    assert_eq!(placement("strategy: {nme: bagged_linear,"), (false, false));
}
