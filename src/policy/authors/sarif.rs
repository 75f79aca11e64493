//! Findings as SARIF 2.1.0, which code hosts and editors show beside the lines they are about. Looks for none itself.
//!
//! The fields are those that viewers need: a rule for every code, a level, a message with its way out, a region with
//! its line, and a fingerprint that stays the same while other lines move.

use serde_json::{Value, json};

use super::lint;
use crate::policy::Finding;

/// The schema that the document says it follows.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run with all findings. Their paths are relative to where the command was called, or absolute; columns are
/// counted in characters from 1, and the end of a region is the first column behind it.
pub fn sarif(findings: &[Finding]) -> Value {
    let mut codes: Vec<&'static str> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results = findings.iter().map(|finding| {
        let at = codes.binary_search(&finding.code).unwrap_or_default();
        result(finding, at)
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "proffer",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<Value>>(),
        }],
    })
}

fn rule(code: &str) -> Value {
    let meaning = lint::meaning(code).unwrap_or(code);
    let help = format!("`proffer policy explain {code}` shows it wrong and right.");
    json!({
        "id": code,
        "shortDescription": {"text": meaning},
        "help": {"text": help},
        "defaultConfiguration": {"level": lint::level(code)},
    })
}

fn result(finding: &Finding, rule: usize) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut place = json!({"artifactLocation": {"uri": uri(&finding.path)}});
    if finding.line > 0 {
        let behind = finding.source_line.chars().count() + 1;
        let end = finding.column.saturating_add(finding.length).min(behind).max(finding.column + 1);
        place["region"] = json!({
            "startLine": finding.line,
            "startColumn": finding.column,
            "endLine": finding.line,
            "endColumn": end,
            "snippet": {"text": finding.source_line},
        });
    }
    let mut hasher = blake3::Hasher::new();
    for text in [finding.code, &finding.path, &finding.message] {
        hasher.update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
    }
    let fingerprint: String = hasher.finalize().to_hex().chars().take(16).collect();
    json!({
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": lint::level(finding.code),
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"profferFinding/v1": fingerprint},
    })
}

/// A path as a reference: relative as it is, absolute with its scheme.
fn uri(path: &str) -> String {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let letters = path.strip_prefix("./").unwrap_or(path).bytes().map(|byte| {
        let plain = byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    });
    format!("{scheme}{}", letters.collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::compile;
    use crate::policy::sample::{CAPS, MARGIN, files};

    #[test]
    fn a_document_has_every_field_that_viewers_need_and_points_at_the_words_concerned() {
        let mut files = files();
        for (path, from, to) in [(CAPS, "max: 2", "max: 0"), (MARGIN, "min_margin: 10%", "min_margn: 10%")] {
            let file = files.iter_mut().find(|file| file.path == path).unwrap();
            file.text = file.text.replacen(from, to, 1);
        }
        let findings = compile(&files).unwrap_err();
        let document = sarif(&findings);
        assert_eq!(document["version"], "2.1.0");
        assert_eq!(document["$schema"], SCHEMA);
        let run = &document["runs"][0];
        assert_eq!(
            (&run["tool"]["driver"]["name"], &run["columnKind"]),
            (&json!("proffer"), &json!("unicodeCodePoints"))
        );
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), findings.len());
        for (result, finding) in results.iter().zip(&findings) {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!((&result["ruleId"], &rule["id"]), (&json!(finding.code), &json!(finding.code)));
            assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| text.contains(' ')), "{rule}");
            assert_eq!((&result["level"], &rule["defaultConfiguration"]["level"]), (&json!("error"), &json!("error")));
            let text = result["message"]["text"].as_str().unwrap();
            assert!(text.starts_with(&finding.message) && text.contains(finding.help.as_deref().unwrap_or("")));
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], finding.path);
            let region = &place["region"];
            let number = |name: &str| usize::try_from(region[name].as_u64().unwrap()).unwrap();
            let line = files.iter().find(|file| file.path == finding.path).unwrap().text.lines();
            let line: Vec<char> = line.clone().nth(number("startLine") - 1).unwrap().chars().collect();
            let words: String = line[number("startColumn") - 1..number("endColumn") - 1].iter().collect();
            assert!(["min_margn", "0"].contains(&words.as_str()), "{words}");
            assert_eq!(region["snippet"]["text"], finding.source_line);
            assert!(result["partialFingerprints"]["profferFinding/v1"].as_str().is_some_and(|text| text.len() == 16));
        }
    }

    #[test]
    fn a_fingerprint_stays_while_lines_move_and_changes_with_what_is_said() {
        let marks = |lines: &str, to: &str| -> Vec<Value> {
            let mut files = files();
            let file = files.iter_mut().find(|file| file.path == CAPS).unwrap();
            file.text = format!("{lines}{}", file.text.replacen("max: 2", to, 1));
            let document = sarif(&compile(&files).unwrap_err());
            document["runs"][0]["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["partialFingerprints"].clone())
                .collect()
        };
        assert_eq!(marks("", "max: 0"), marks("# one\n# two\n", "max: 0"));
        assert_ne!(marks("", "max: 0"), marks("", "max: none"));
    }

    #[test]
    fn paths_become_references_and_a_finding_about_a_file_has_no_region() {
        for (path, expected) in [
            ("policies/rules/a.yaml", "policies/rules/a.yaml"),
            ("./policies/a.yaml", "policies/a.yaml"),
            ("my shop/ä.yaml", "my%20shop/%C3%A4.yaml"),
            ("/srv/a.yaml", "file:///srv/a.yaml"),
        ] {
            assert_eq!(uri(path), expected);
        }
        let missing = compile(&[]).unwrap_err();
        let document = sarif(&missing);
        assert_eq!(document["runs"][0]["results"][0]["locations"][0]["physicalLocation"].get("region"), None);
        assert_eq!(sarif(&[])["runs"][0]["results"], json!([]));
    }
}
