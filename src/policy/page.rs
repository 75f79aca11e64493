//! Test of the page for authors: every example on it compiles, and every mistake on it is told as shown. Holds no page.

use super::sample::{OFFERS, PLACEMENTS, files, shown};
use super::{Source, compile};

const PAGE: &str = include_str!("../docs/policies.md");

/// The page without its section about tests, whose examples are tried where decisions are.
fn page() -> &'static str {
    PAGE.split("\n## Testing your rules").next().unwrap()
}

/// The blocks of a language on the page.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    page().split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The sample bundle without its own rules about offers, with the attributes of the page and these rules.
fn with(rules: &str) -> Vec<Source> {
    let mut files = files();
    files.retain(|file| file.path != OFFERS);
    let (attributes, _) = blocks("yaml")
        .into_iter()
        .map(|block| (block, block.starts_with("# catalog/attributes")))
        .find(|b| b.1)
        .unwrap();
    let declared = files.iter_mut().find(|file| file.path == "catalog/attributes.yaml").unwrap();
    declared.text.push_str(attributes.split_once("attributes:\n").unwrap().1);
    if rules.starts_with("# bundle.yaml\n") {
        let file = files.iter_mut().find(|file| file.path == "bundle.yaml").unwrap();
        rules.clone_into(&mut file.text);
        return files;
    }
    if rules.starts_with("# catalog/calendars.yaml\n") {
        files.push(Source { path: "catalog/calendars.yaml".into(), text: rules.to_owned() });
        return files;
    }
    if rules.starts_with("# catalog/stores.yaml\n") {
        files.push(Source { path: "catalog/stores.yaml".into(), text: rules.to_owned() });
        return files;
    }
    let product = blocks("yaml").into_iter().find(|block| block.starts_with("# catalog/attributes.yaml, more"));
    let declared = files.iter_mut().find(|file| file.path == "catalog/attributes.yaml").unwrap();
    declared.text.push_str(product.unwrap().split_once("attributes:\n").unwrap().1);
    if let Some(lines) = rules.strip_prefix("# placements.yaml, within a placement\n") {
        placed(&mut files, lines);
        return files;
    }
    // Purposes of the page come with the gates that ask for them.
    if let Some(more) = rules.strip_prefix("# catalog/purposes.yaml\npurposes:\n") {
        let (more, gates) = more.split_once("# rules/10-consent.yaml\n").unwrap();
        let purposes = files.iter_mut().find(|file| file.path == "catalog/purposes.yaml").unwrap();
        purposes.text.push_str(more);
        files.push(Source { path: "rules/11-consent.yaml".into(), text: format!("owner: privacy\n\n{gates}") });
        return files;
    }
    // A placement of the page stands beside those of the sample.
    if let Some(more) = rules.strip_prefix("# placements.yaml\nplacements:\n") {
        let placements = files.iter_mut().find(|file| file.path == "placements.yaml").unwrap();
        placements.text.push_str(more);
        return files;
    }
    files.push(Source { path: "rules/20-exclusions.yaml".into(), text: format!("owner: sales\n\n{rules}") });
    files
}

/// Puts lines into the first placement, in the place of its own field of that name.
fn placed(files: &mut [Source], lines: &str) {
    let file = files.iter_mut().find(|file| file.path == PLACEMENTS).unwrap();
    let field = format!("    {}:", lines.split(':').next().unwrap());
    let (head, place) = file.text.split_once("    strategy:").unwrap();
    let head: Vec<&str> = head.lines().filter(|line| !line.starts_with(&field)).collect();
    let lines: Vec<String> = lines.lines().map(|line| format!("    {line}")).collect();
    file.text = format!("{}\n{}\n    strategy:{place}", head.join("\n"), lines.join("\n"));
}

#[test]
fn every_example_on_the_page_compiles() {
    let blocks = blocks("yaml");
    assert!(blocks.len() >= 5, "the examples are gone");
    for block in blocks.into_iter().filter(|block| !block.starts_with("# catalog/attributes")) {
        if let Err(findings) = compile(&with(block)) {
            panic!("{block}\n{}", shown(&findings));
        }
    }
    // The conditions of the table, each as a rule of its own.
    let conditions =
        page().lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(text, _)| text);
    let conditions: Vec<&str> =
        conditions.filter(|text| text.contains(' ') && text.contains('.') && !text.contains(": ")).collect();
    assert!(conditions.len() >= 8, "{conditions:?}");
    for (at, text) in conditions.iter().enumerate() {
        let text = text.replace("\\|", "|").replace('\'', "''");
        let rule = format!("exclusions:\n  - {{id: e{at}, why: because, when: '{text}'}}\n");
        if let Err(findings) = compile(&with(&rule)) {
            panic!("{}", shown(&findings));
        }
    }
}

#[test]
fn the_mistake_on_the_page_is_told_as_shown() {
    let example = blocks("yaml").into_iter().find(|block| block.contains("loyalty.bronze")).unwrap();
    let seen = shown(&compile(&with(&example.replace("customer.tier ==", "customer.teir =="))).unwrap_err());
    assert_eq!(seen, blocks("text").first().unwrap().to_string());
}
