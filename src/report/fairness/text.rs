//! A report for people: every gate with its groups, what was measured of them, and the verdict. Measures nothing.

use std::fmt::Write as _;

use super::verdict::percent;
use super::{FairnessReport, Found, GateMeasured, ParityMeasured, ProxyMeasured, scope, verdict};
use crate::domain::{Currency, Span};
use crate::policy::{Bundle, FairnessGate, Rule};
use crate::report::Around;

/// The report in lines.
pub fn text(bundle: &Bundle, report: &FairnessReport) -> String {
    let mut text =
        format!("fairness of `{}`, measured at {} over decisions until {}\n", bundle.name, report.at, report.to);
    for measured in &report.gates {
        let rule = bundle.rules.iter().find(|rule| rule.id == measured.rule);
        if let Some((rule, gate)) = rule.and_then(|rule| Some((rule, rule.fairness_gate()?))) {
            of_gate(&mut text, bundle, (rule, gate), report, measured);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn of_gate(
    text: &mut String,
    bundle: &Bundle,
    (rule, gate): (&Rule, &FairnessGate),
    report: &FairnessReport,
    measured: &GateMeasured,
) {
    let verdict = verdict(bundle, (rule, gate), measured);
    let trial = if rule.blocks() { "" } else { ", on trial: it keeps nothing from being put in force" };
    let covered = Span(report.to.0.saturating_sub(measured.from.0));
    let (decisions, read) = (measured.decisions, measured.read);
    let _ = writeln!(text, "\n{} ({}): {}{trial}", rule.id, rule.why, verdict.word());
    let _ = writeln!(text, "  {read} of {decisions} decisions in {covered} could be measured");
    match &measured.found {
        Found::Parity(found) => {
            let currency = scope(bundle, rule).map(|placement| placement.currency).next();
            of_parity(text, gate, currency, found);
        }
        Found::Proxy(found) => found.iter().for_each(|found| of_proxy(text, gate, found)),
    }
    let _ = writeln!(text, "  {}", verdict.sentence());
}

fn of_parity(text: &mut String, gate: &FairnessGate, currency: Option<Currency>, found: &ParityMeasured) {
    let wide = width(gate);
    let _ = writeln!(text, "  {:wide$}  customers  decisions  worth on average", gate.attribute.as_str());
    for group in &found.groups {
        let mean = group.mean.map_or_else(|| "too few to be told".to_owned(), |mean| amounts(mean, currency));
        let name = group.group.to_string();
        let _ = writeln!(text, "  {name:wide$}  {:>9}  {:>9}  {mean}", group.customers, group.decisions);
    }
}

fn of_proxy(text: &mut String, gate: &FairnessGate, found: &ProxyMeasured) {
    let features = if found.features.is_empty() { "no features".to_owned() } else { found.features.join(", ") };
    let _ = writeln!(text, "  at `{}`: {features}", found.placement);
    let wide = width(gate);
    let _ = writeln!(text, "  {:wide$}  customers  told from the others (AUC)", gate.attribute.as_str());
    for group in &found.groups {
        let name = group.group.to_string();
        let auc = group.auc.map_or_else(
            || "-".to_owned(),
            |auc| format!("{}, {} to {}", percent(auc.value), percent(auc.low), percent(auc.high)),
        );
        let _ = writeln!(text, "  {name:wide$}  {:>9}  {auc}", group.customers);
    }
}

/// As wide as the longest name in the first column.
fn width(gate: &FairnessGate) -> usize {
    let names = gate.groups.iter().map(|group| group.to_string().chars().count());
    names.max().unwrap_or(0).max(gate.attribute.as_str().len())
}

fn amounts(mean: Around, currency: Option<Currency>) -> String {
    let digits = currency.map_or(0, |currency| currency.exponent() as usize);
    let scale = (0..digits).fold(1.0, |scale, _| scale * 10.0);
    let amount = |minor: f64| format!("{:.*}", digits, minor / scale);
    let name = currency.map(|currency| format!(" {currency}")).unwrap_or_default();
    format!("{}{name}, {} to {}", amount(mean.value), amount(mean.low), amount(mean.high))
}
