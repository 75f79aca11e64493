//! `proffer policy explain`: what a rule says in plain words, or what the code of a finding means. Checks nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use proffer::decision::trial::try_all;
use proffer::domain::OfferId;
use proffer::policy::{Bundle, Case, Example, Rule, Tests, did_you_mean, example, explain, level, meaning};
use serde_json::{Value, json};

use super::Format;
use super::policy::counted;
use super::policy_findings::{checked, print_json};

/// Arguments of `proffer policy explain`.
#[derive(Args)]
#[command(after_help = "A rule is told with where and when it holds, with a customer and an offer that it leaves out \
and one that it does not,\nand with the cases of the tests that show it. A code is told with lines that have the mistake \
and lines that have not.\n\nExit code 0: told; 1: the bundle has mistakes; 2: there is no such rule, code or folder.\n\n\
Examples:\n  proffer policy explain margin.floor.beauty\n  proffer policy explain P0107\n  \
proffer policy explain loyalty.early.access /etc/proffer/policies --format json")]
pub struct ExplainArgs {
    /// The id of a rule, or the code of a finding.
    #[arg(value_name = "RULE|CODE")]
    name: String,
    /// Folder of the bundle; not read for a code.
    #[arg(default_value = "policies")]
    folder: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Runs the command.
pub fn run(args: &ExplainArgs) -> ExitCode {
    if let Some(meaning) = meaning(&args.name) {
        print_code(&args.name, meaning, args.format);
        return ExitCode::SUCCESS;
    }
    let (bundle, tests) = match checked(&args.folder, args.format.into()) {
        Ok(checked) => checked,
        Err(code) => return code,
    };
    let bundle = Arc::new(bundle);
    let Some(rule) = bundle.rules.iter().find(|rule| rule.id.as_str() == args.name) else {
        let meant = did_you_mean(&args.name, bundle.rules.iter().map(|rule| rule.id.as_str()));
        eprintln!("error: no finding has the code `{0}`, and the bundle has no rule `{0}`{meant}", args.name);
        return ExitCode::from(2);
    };
    print_rule(&bundle, &tests, rule, args);
    ExitCode::SUCCESS
}

fn print_code(code: &str, meaning: &str, format: Format) {
    let shown = example(code);
    match (format, shown) {
        (Format::Json, shown) => {
            print_json(&json!({"code": code, "level": level(code), "meaning": meaning, "example": shown}));
        }
        (Format::Text, None) => println!("{}[{code}]: {meaning}", level(code)),
        (Format::Text, Some(Example { path, right, wrong, .. })) => {
            let place = if path == "." { "the folder" } else { path };
            println!("{}[{code}]: {meaning}\n\nwrong, in {place}", level(code));
            println!("{}\n\nright\n{}", indented(wrong), indented(right));
        }
    }
}

fn indented(lines: &str) -> String {
    // A tab is shown, since it is what may be wrong.
    lines.lines().map(|line| format!("  | {}", line.replace('\t', "<tab>"))).collect::<Vec<_>>().join("\n")
}

/// A case that expects the rule, with the offers that it leaves out.
fn shown_by(folder: &Path, case: &Case, rule: &Rule) -> Option<Value> {
    let expected = case
        .expected
        .iter()
        .filter(|expected| expected.excluded_by.contains(&rule.id) || expected.noted.contains(&rule.id));
    let offers: Vec<&str> = expected.map(|expected| OfferId::as_str(&expected.offer)).collect();
    let refused = case.refused_by.contains(&rule.id);
    let path = folder.join(&case.place.0).to_string_lossy().into_owned();
    (refused || !offers.is_empty())
        .then(|| json!({"name": case.name, "path": path, "line": case.place.1, "offers": offers}))
}

fn print_rule(bundle: &Arc<Bundle>, tests: &Tests, rule: &Rule, args: &ExplainArgs) {
    let told = explain(bundle, rule);
    let cases: Vec<Value> = tests.cases.iter().filter_map(|case| shown_by(&args.folder, case, rule)).collect();
    let trial = try_all(bundle, tests).about(&rule.id);
    let (out, through) = trial.rules.first().map_or((0, 0), |cover| (cover.left_out, cover.let_through));
    let path = args.folder.join(&rule.place.0).to_string_lossy().into_owned();
    if args.format == Format::Json {
        print_json(&json!({
            "rule": rule.id, "list": rule.kind.list(), "path": path, "line": rule.place.1, "owner": rule.owner,
            "why": rule.why, "overridable": rule.overridable, "explained": told, "cases": cases,
            "left_out": out, "let_through": through,
        }));
        return;
    }
    let stands = if rule.place.1 == 0 { "built in".to_owned() } else { format!("{path}:{}", rule.place.1) };
    println!("rule `{}` ({}, {stands}), owner {}\n", rule.id, rule.kind.list(), rule.owner);
    let mut rows = vec![
        ("it", told.says),
        ("why", rule.why.clone()),
        ("applies", told.applies),
        ("holds", told.holds),
        ("effect", told.severity.to_owned()),
    ];
    rows.extend(told.missing.map(|missing| ("missing", missing.to_owned())));
    rows.extend(told.witnesses);
    let shown = format!("leave something out by it {}, let something pass {}", times(out), times(through));
    rows.push(("tests", if rule.is_for_cases() { shown } else { "no case can show it".to_owned() }));
    for (word, text) in rows {
        println!("  {word:16}{text}");
    }
    for case in &cases {
        let text = |field: &str| case.get(field).and_then(Value::as_str).unwrap_or_default();
        println!("  {:16}{}:{}: {}", "", text("path"), case["line"], text("name"));
    }
}

fn times(number: usize) -> String {
    counted(number, "time")
}
