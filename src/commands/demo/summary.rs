//! The demo's summary: what the records say, beside what the world's truth says. Asks for no decision.

use std::collections::BTreeMap;
use std::fmt;

use proffer::policy::{Bundle, FloorLimit, RuleKind};
use proffer::simulation::{Crowd, World};
use serde::Serialize;

use super::DemoError;
use super::client::{Access, Client, Record};
use super::crowd::{Driven, Made, PLACEMENTS};
use super::progress::{Progress, count};
use super::threads::hand_out;
use crate::commands::Format;

/// The summary.
#[derive(Debug, Serialize)]
pub struct Summary {
    strategies: Vec<Row>,
    margins: Margins,
    /// By rule: decisions in which it left out something, and candidates left out.
    exclusions: BTreeMap<String, Excluded>,
    explained: String,
    decisions: usize,
    webhooks: usize,
    duplicates: usize,
    refunds: usize,
    decisions_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    clients: usize,
    /// From the start of the service to the end of the summary.
    pub seconds: f64,
    delays_modelled: bool,
}

/// One strategy over all its decisions, and over the last quarter of them.
#[derive(Debug, Serialize)]
struct Row {
    strategy: String,
    placement: String,
    all: Share,
    last_quarter: Share,
}

/// Sums over some decisions. Margins are in minor units.
#[derive(Debug, Default, Serialize)]
struct Share {
    decisions: usize,
    fallbacks: usize,
    accepted: usize,
    /// By the world's true probabilities, of what was shown.
    margin_expected: f64,
    /// Of orders that were kept.
    margin_realised: f64,
    /// By the world's true probabilities, of the best candidate that no rule left out.
    margin_best: f64,
}

#[derive(Debug, Default, Serialize)]
struct Margins {
    checked: usize,
    under_floor: usize,
    lowest_percent: Option<f64>,
}

#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Excluded {
    decisions: usize,
    candidates: usize,
}

/// What one record adds.
struct Seen {
    expected: f64,
    best: f64,
    excluded: BTreeMap<String, usize>,
}

impl Summary {
    /// Reads every record back through the API and sums up.
    pub fn read(
        world: &World,
        crowd: &Crowd,
        driven: &Driven,
        access: &Access,
        bundle: &Bundle,
        clients: usize,
        format: Format,
    ) -> Result<Self, DemoError> {
        let reading = Progress::new("reading records", driven.made.len(), format);
        let seen = read_all(world, crowd, &driven.made, access, clients, &reading)?;
        reading.finish();
        let explained = match pick(&driven.made, &seen) {
            Some(made) => Client::new(access).sentences(&made.decision_id)?,
            None => String::new(),
        };
        let visits = driven.made.iter().map(|made| made.visit + 1).max().unwrap_or(0);
        let mut exclusions: BTreeMap<String, Excluded> = BTreeMap::new();
        for (rule, candidates) in seen.iter().flat_map(|seen| &seen.excluded) {
            let entry = exclusions.entry(rule.clone()).or_default();
            entry.decisions += 1;
            entry.candidates += candidates;
        }
        let strategies = PLACEMENTS.iter().enumerate().map(|(placement, (name, _))| {
            let of = |from: usize| Share::sum(&driven.made, &seen, |m| m.placement == placement && m.visit >= from);
            Row {
                strategy: bundle.placement(name).map_or("", |placement| placement.strategy.name()).to_owned(),
                placement: (*name).to_owned(),
                all: of(0),
                last_quarter: of(visits - visits / 4),
            }
        });
        Ok(Self {
            strategies: strategies.collect(),
            margins: Margins::check(world, bundle, &driven.made),
            exclusions,
            explained,
            decisions: driven.made.len(),
            webhooks: driven.webhooks,
            duplicates: driven.duplicates,
            refunds: driven.refunds,
            decisions_per_second: ratio(driven.made.len(), driven.seconds),
            p50_ms: driven.latencies.percentile_ms(50.0),
            p99_ms: driven.latencies.percentile_ms(99.0),
            clients,
            seconds: 0.0,
            delays_modelled: false,
        })
    }

    /// For machines.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// The records of all decisions, in the order of the decisions.
fn read_all(
    world: &World,
    crowd: &Crowd,
    made: &[Made],
    access: &Access,
    clients: usize,
    progress: &Progress,
) -> Result<Vec<Seen>, DemoError> {
    let parts = hand_out(made.len(), clients, access, &|client, at, part: &mut Vec<(usize, Seen)>| {
        if let Some(made) = made.get(at) {
            part.push((at, Seen::new(world, crowd, made, &client.record(&made.decision_id)?)));
            progress.advance(1);
        }
        Ok(())
    });
    let mut seen: Vec<(usize, Seen)> = parts?.into_iter().flatten().collect();
    seen.sort_by_key(|(at, _)| *at);
    Ok(seen.into_iter().map(|(_, seen)| seen).collect())
}

impl Seen {
    fn new(world: &World, crowd: &Crowd, made: &Made, record: &Record) -> Self {
        let visit = crowd.visit(world, made.visit);
        let worth = |shown: &super::client::Shown| {
            let margin = world.offer(&shown.offer_id).map_or(0, |offer| offer.offer.margin_minor());
            let probability = |step| crowd.acceptance(world, &visit, step, &shown.offer_id, &shown.variant_id);
            visit.steps.first().map_or(0.0, probability) * float(margin)
        };
        let eligible = record.candidates.iter().filter(|candidate| candidate.eligible);
        let best = eligible.map(|candidate| worth(&candidate.named)).fold(0.0, f64::max);
        let expected = if made.fallback { 0.0 } else { worth(&made.shown) };
        let mut excluded = BTreeMap::new();
        for exclusion in record.candidates.iter().flat_map(|candidate| &candidate.excluded_by) {
            *excluded.entry(exclusion.rule.clone()).or_insert(0) += 1;
        }
        Self { expected, best, excluded }
    }
}

impl Share {
    fn sum(made: &[Made], seen: &[Seen], of: impl Fn(&Made) -> bool) -> Self {
        let mut share = Self::default();
        for (made, seen) in made.iter().zip(seen).filter(|(made, _)| of(made)) {
            share.decisions += 1;
            share.fallbacks += usize::from(made.fallback);
            share.accepted += usize::from(made.accepted);
            share.margin_expected += seen.expected;
            share.margin_realised += float(made.margin_minor);
            share.margin_best += seen.best;
        }
        share
    }

    fn of_best(&self) -> f64 {
        if self.margin_best > 0.0 { 100.0 * self.margin_expected / self.margin_best } else { 0.0 }
    }

    /// Minor units as an amount per decision.
    fn each(&self, minor: f64) -> f64 {
        minor / 100.0 / float(i64::try_from(self.decisions).unwrap_or(i64::MAX)).max(1.0)
    }
}

impl Margins {
    /// Everything shown, against every floor in percent that covers it.
    fn check(world: &World, bundle: &Bundle, made: &[Made]) -> Self {
        let mut margins = Self::default();
        for made in made.iter().filter(|made| !made.fallback) {
            let placement = PLACEMENTS.get(made.placement).and_then(|(name, _)| bundle.placement(name));
            let Some((placement, offer)) = placement.zip(world.offer(&made.shown.offer_id)) else { continue };
            let offer = &offer.offer;
            let percent = 100.0 * float(offer.margin_minor()) / float(offer.net_price_minor()).max(1.0);
            let under = bundle.rules.iter().any(|rule| match &rule.kind {
                RuleKind::MarginFloor { min: FloorLimit::Percent(floor) } => {
                    rule.applies_to.covers(placement, offer) && percent < f64::from(floor.0) / 100.0
                }
                _ => false,
            });
            margins.checked += 1;
            margins.under_floor += usize::from(under);
            margins.lowest_percent = Some(margins.lowest_percent.map_or(percent, |lowest: f64| lowest.min(percent)));
        }
        margins
    }
}

/// A decision worth explaining: late, kept as an order, with as many rules at work as any.
fn pick<'a>(made: &'a [Made], seen: &[Seen]) -> Option<&'a Made> {
    let kept = made.iter().zip(seen).filter(|(made, _)| made.placement == 0 && made.accepted);
    kept.max_by_key(|(made, seen)| (seen.excluded.len(), made.visit)).map(|(made, _)| made)
}

#[expect(clippy::cast_precision_loss, reason = "sums of margins are small")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of decisions are small")]
fn ratio(number: usize, seconds: f64) -> f64 {
    number as f64 / seconds.max(1e-9)
}

fn percent(part: usize, of: usize) -> f64 {
    100.0 * ratio(part, ratio(of, 1.0))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nMargin by strategy, USD per decision (the same crowd past each)\n")?;
        writeln!(
            f,
            "{:16} {:>9} {:>8} {:>8} | {:>8} {:>8} {:>7} | {:>13} {:>7}",
            "strategy",
            "decisions",
            "fallback",
            "accepted",
            "expected",
            "realised",
            "of best",
            "last quarter",
            "of best"
        )?;
        for row in &self.strategies {
            let (all, last) = (&row.all, &row.last_quarter);
            writeln!(
                f,
                "{:16} {:>9} {:>7.1}% {:>7.1}% | {:>8.3} {:>8.3} {:>6.1}% | {:>13.3} {:>6.1}%",
                row.strategy,
                count(all.decisions),
                percent(all.fallbacks, all.decisions),
                percent(all.accepted, all.decisions),
                all.each(all.margin_expected),
                all.each(all.margin_realised),
                all.of_best(),
                last.each(last.margin_expected),
                last.of_best()
            )?;
        }
        writeln!(
            f,
            "\nexpected: by the true probabilities of the simulated world; of best: against showing everyone the best\n\
             offer that the rules left, which only somebody who knows the truth could do. Outcomes come back at once:\n\
             the delays of the real world are not modelled.\n"
        )?;
        let lowest =
            self.margins.lowest_percent.map_or_else(String::new, |p| format!(" (lowest margin shown {p:.1}%)"));
        writeln!(
            f,
            "Margins kept: {} of {} decisions showed an offer under its floor{lowest}",
            self.margins.under_floor,
            count(self.margins.checked)
        )?;
        writeln!(f, "\nLeft out, by rule")?;
        for (rule, excluded) in &self.exclusions {
            writeln!(
                f,
                "  {rule:24} {:>9} candidates in {:>7} decisions",
                count(excluded.candidates),
                count(excluded.decisions)
            )?;
        }
        writeln!(f, "\nOne decision, explained")?;
        for line in self.explained.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(
            f,
            "\n{} decisions from {} clients, each answered once its record was on disk: {:.0} a second, p50 {:.1} ms, \
             p99 {:.1} ms\n{} webhooks came back ({} of them twice, {} refunds) while it decided; all of it took {:.0} s",
            count(self.decisions),
            self.clients,
            self.decisions_per_second,
            self.p50_ms,
            self.p99_ms,
            count(self.webhooks),
            count(self.duplicates),
            count(self.refunds),
            self.seconds
        )
    }
}
