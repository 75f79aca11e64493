//! Reads every record back through the API and sums up. Renders nothing.

use std::collections::BTreeMap;

use proffer::domain::Offer;
use proffer::policy::{Bundle, FloorLimit, FloorOver, Rule, RuleKind};
use proffer::simulation::{Crowd, World};

use super::{
    Chance, Excluded, Explained, FromCategory, LeftOut, Margins, Measured, OfferShare, PERIODS, Placed, Row, Summary,
    Sums, float,
};
use crate::commands::demo::DemoError;
use crate::commands::demo::client::{Access, Candidate, Client, Record, Shown};
use crate::commands::demo::crowd::{Driven, Made};
use crate::commands::demo::threads::hand_out;
use crate::commands::demo::twins::{LANES, placement_id};
use crate::commands::progress::Progress;

/// Offers with a layer of their own.
const LAYERS: usize = 9;

/// What is summed up.
pub struct Story<'a> {
    /// The truth.
    pub world: &'a World,
    /// Who visited.
    pub crowd: &'a Crowd,
    /// What came of it.
    pub driven: &'a Driven,
    /// The rules.
    pub bundle: &'a Bundle,
    /// How many visits there were.
    pub visits: usize,
    /// Who visited, in number.
    pub customers: usize,
    /// Clients at once.
    pub clients: usize,
}

/// What one record adds.
struct Seen {
    placement: usize,
    sums: Sums,
    excluded: BTreeMap<String, usize>,
    /// Of what was shown first; 0 where nothing was drawn.
    propensity: f64,
}

impl Story<'_> {
    /// Reads and sums up.
    pub fn read(&self, access: &Access, progress: &Progress) -> Result<Summary, DemoError> {
        let made = &self.driven.made;
        let parts = hand_out(made.len(), self.clients, access, &|client, at, part: &mut Read| {
            if let Some(made) = made.get(at) {
                let record = client.record(&made.decision_id)?;
                part.seen.push((at, self.seen(made, &record)));
                if made.lane == 0 {
                    let exclusions = record.exclusions();
                    part.whys.extend(
                        exclusions.into_iter().map(|exclusion| (exclusion.rule.clone(), exclusion.why.clone())),
                    );
                }
                progress.advance(1);
            }
            Ok(())
        });
        let mut read = Read::default();
        for part in parts? {
            read.seen.extend(part.seen);
            read.whys.extend(part.whys);
        }
        read.seen.sort_by_key(|(at, _)| *at);
        let seen: Vec<Seen> = read.seen.into_iter().map(|(_, seen)| seen).collect();
        let explained = match self.worth_explaining(&seen) {
            Some(made) => {
                let client = Client::new(access);
                explained(made, &client.record(&made.decision_id)?, client.replay(&made.decision_id)?)
            }
            None => Explained::default(),
        };
        Ok(self.sum_up(&seen, &read.whys, explained))
    }

    fn sum_up(&self, seen: &[Seen], whys: &BTreeMap<String, String>, explained: Explained) -> Summary {
        let (world, driven) = (self.world, self.driven);
        let last = self.crowd.visit(world, self.visits.saturating_sub(1));
        let placements = world
            .placements
            .iter()
            .enumerate()
            .map(|(at, place)| Placed { placement: place.id.to_string(), strategies: self.rows(seen, Some(at)) });
        let mut exclusions: BTreeMap<String, Excluded> = BTreeMap::new();
        let own = driven.made.iter().zip(seen).filter(|(made, _)| made.lane == 0);
        for (rule, candidates) in own.flat_map(|(_, seen)| &seen.excluded) {
            let entry = exclusions.entry(rule.clone()).or_default();
            entry.decisions += 1;
            entry.candidates += candidates;
            entry.why = whys.get(rule).cloned().unwrap_or_default();
        }
        let offers = || world.offers.iter().filter(|offer| offer.response.is_some());
        Summary {
            world: world.name.clone(),
            days: world.calendar.day(last.at) + 1,
            customers: self.customers,
            visits: self.visits,
            offers: offers().count(),
            candidates: offers().map(|offer| offer.offer.variants.len()).sum(),
            strategies: self.rows(seen, None),
            placements: placements.collect(),
            margins: self.margins(),
            silent: self.silent(&exclusions),
            exclusions,
            shares: self.shares(seen),
            margin_from: self.margin_from(),
            explained,
            log: String::new(),
            measured: Measured {
                decisions: driven.made.len(),
                clients: self.clients,
                decisions_per_second: float(driven.made.len()) / driven.seconds.max(1e-9),
                p50_ms: driven.latencies.percentile_ms(50.0),
                p99_ms: driven.latencies.percentile_ms(99.0),
                latencies: driven.latencies.histogram(),
                events: driven.events,
                duplicates: driven.duplicates,
                reordered: driven.reordered,
                refunds: driven.refunds,
                withdrawals: driven.withdrawals,
                seconds: 0.0,
            },
        }
    }

    fn seen(&self, made: &Made, record: &Record) -> Seen {
        let visit = self.crowd.visit(self.world, made.visit);
        let step = visit.steps.get(made.step);
        let worth = |offer: &str, variant: &str| {
            let money = self.world.offer(offer).map(|offer| &offer.offer);
            let (margin, cost) =
                money.map_or((0, 0), |offer: &Offer| (offer.margin_minor(), offer.cost_of_showing_minor()));
            let chance = step.map_or(0.0, |step| self.crowd.acceptance(self.world, &visit, step, offer, variant));
            chance * self.world.margin_kept() * minor(margin) - minor(cost)
        };
        let mut excluded = BTreeMap::new();
        for exclusion in record.exclusions() {
            *excluded.entry(exclusion.rule.clone()).or_insert(0) += 1;
        }
        let placement = step.and_then(|step| self.world.placements.iter().position(|place| place.id == step.placement));
        let mut sums = Sums::default();
        if made.holdout {
            sums.holdout = 1;
        } else {
            sums.decisions = 1;
            sums.fallbacks = usize::from(made.fallback);
            sums.nothing = usize::from(made.shown.is_empty());
            sums.impersonal = usize::from(record.refused_purpose.is_some());
            sums.accepted = usize::from(record.outcomes.accepted);
            sums.late = record.outcomes.late;
            sums.earned = record.outcomes.reward.cents();
            if !made.fallback {
                sums.expected = made.shown.iter().map(|shown| worth(&shown.offer_id, &shown.variant_id)).sum();
            }
            let slots = step.map_or(1, |step| self.slots(step.placement.as_str()));
            sums.best = best(&record.candidates, slots, &worth);
        }
        let first = |candidate: &&Candidate| {
            let shown = made.shown.first();
            shown.is_some_and(|shown| {
                candidate.offer_id.as_ref() == Some(&shown.offer_id)
                    && candidate.variant_id.as_ref() == Some(&shown.variant_id)
            })
        };
        let propensity = record.candidates.iter().find(first).and_then(|candidate| candidate.probability);
        Seen { placement: placement.unwrap_or(0), sums, excluded, propensity: propensity.unwrap_or(0.0) }
    }

    fn slots(&self, placement: &str) -> usize {
        self.bundle.placement(placement).map_or(1, |placement| usize::from(placement.slots))
    }

    fn period(&self, visit: usize) -> usize {
        (visit * PERIODS / self.visits.max(1)).min(PERIODS - 1)
    }

    /// One row for each strategy, at one placement or at all.
    fn rows(&self, seen: &[Seen], placement: Option<usize>) -> Vec<Row> {
        let row = |(at, lane): (usize, &crate::commands::demo::twins::Lane)| {
            let mut row = Row {
                strategy: self.strategy(at, lane.label, placement),
                all: Sums::default(),
                last_quarter: Sums::default(),
                periods: vec![Sums::default(); PERIODS],
            };
            let wanted = self.driven.made.iter().zip(seen).filter(|(made, _)| made.lane == at);
            for (made, seen) in wanted.filter(|(_, seen)| placement.is_none_or(|only| only == seen.placement)) {
                row.all.add(&seen.sums);
                if made.visit >= self.visits - self.visits / 4 {
                    row.last_quarter.add(&seen.sums);
                }
                if let Some(period) = row.periods.get_mut(self.period(made.visit)) {
                    period.add(&seen.sums);
                }
            }
            row
        };
        LANES.iter().enumerate().map(row).collect()
    }

    /// The name of the strategy in force, where it is the same at all placements asked about.
    fn strategy(&self, lane: usize, label: &str, placement: Option<usize>) -> String {
        let places =
            self.world.placements.iter().enumerate().filter(|(at, _)| placement.is_none_or(|only| only == *at));
        let names = places.filter_map(|(_, place)| self.bundle.placement(&placement_id(place.id.as_str(), lane)));
        let mut names: Vec<&str> = names.map(|placement| placement.champion.strategy.name()).collect();
        names.dedup();
        if let [only] = names.as_slice() { (*only).to_owned() } else { label.to_owned() }
    }

    /// Everything shown, against every floor that covers it.
    fn margins(&self) -> Margins {
        let mut margins = Margins::default();
        for made in self.driven.made.iter().filter(|made| !made.fallback) {
            let visit = self.crowd.visit(self.world, made.visit);
            let Some(step) = visit.steps.get(made.step) else { continue };
            let placement = placement_id(step.placement.as_str(), made.lane);
            for offer in made.shown.iter().filter_map(|shown| self.world.offer(&shown.offer_id)) {
                margins.checked += 1;
                margins.under_floor += usize::from(self.is_under(&placement, &offer.offer));
                let percent = 100.0 * minor(offer.offer.margin_minor()) / minor(offer.offer.net_price_minor()).max(1.0);
                let lowest = margins.lowest_percent.map_or(percent, |lowest: f64| lowest.min(percent));
                margins.lowest_percent = Some(lowest);
            }
        }
        let first = self.world.placements.first().map_or("", |place| place.id.as_str());
        let offers = self.world.offers.iter().filter(|offer| offer.response.is_some()).map(|offer| &offer.offer);
        margins.kept_out = offers.filter(|offer| self.is_under(first, offer)).map(called).collect();
        margins
    }

    fn is_under(&self, placement: &str, offer: &Offer) -> bool {
        let Some(placement) = self.bundle.placement(placement) else { return false };
        let (margin, net) = (offer.margin_minor(), offer.net_price_minor());
        let covers = |rule: &&Rule| rule.blocks() && rule.applies_to.covers(placement, offer);
        self.bundle.rules.iter().filter(covers).any(|rule| match &rule.kind {
            // Hundredths of a percent.
            RuleKind::MarginFloor { min: FloorLimit::Percent(floor), over: FloorOver::Offer } => {
                minor(margin) * 10_000.0 < f64::from(floor.0) * minor(net)
            }
            RuleKind::MarginFloor { min: FloorLimit::Amount(floor), over: FloorOver::Offer } => margin < floor.minor,
            _ => false,
        })
    }

    fn silent(&self, exclusions: &BTreeMap<String, Excluded>) -> Vec<String> {
        // A gate leaves no candidate out: it changes what may be read. A rule on trial leaves none out either.
        let speaks = |rule: &&Rule| rule.blocks() && !matches!(rule.kind, RuleKind::PurposeGate(_));
        let rules = self.bundle.rules.iter().filter(speaks);
        let ids = rules.map(|rule| rule.id.to_string());
        ids.filter(|id| !id.starts_with("proffer.") && !exclusions.contains_key(id)).collect()
    }

    /// What the first placement showed, period by period.
    fn shares(&self, seen: &[Seen]) -> Vec<OfferShare> {
        let mut counts: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let mut totals = [0.0; PERIODS];
        for (made, _) in self.driven.made.iter().zip(seen).filter(|(made, seen)| made.lane == 0 && seen.placement == 0)
        {
            let Some(shown) = made.shown.first().filter(|_| !made.holdout) else { continue };
            let period = self.period(made.visit);
            let name = self.world.offer(&shown.offer_id).map_or(String::new(), |offer| called(&offer.offer));
            let of = counts.entry(name).or_insert_with(|| vec![0.0; PERIODS]);
            if let Some((count, total)) = of.get_mut(period).zip(totals.get_mut(period)) {
                *count += 1.0;
                *total += 1.0;
            }
        }
        let mut common: Vec<(String, Vec<f64>)> = counts.into_iter().collect();
        common.sort_by(|a, b| b.1.iter().sum::<f64>().total_cmp(&a.1.iter().sum()));
        let rest = common.split_off(common.len().min(LAYERS));
        let others = (0..PERIODS).map(|at| rest.iter().filter_map(|(_, of)| of.get(at)).sum()).collect();
        common.push(("others".to_owned(), others));
        let share = |of: Vec<f64>| of.iter().zip(totals).map(|(count, total)| count / f64::max(total, 1.0)).collect();
        common.into_iter().map(|(offer, of)| OfferShare { offer, shares: share(of) }).collect()
    }

    fn margin_from(&self) -> Vec<FromCategory> {
        let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for made in &self.driven.made {
            for (slot, margin) in &made.sold {
                let offer = made.shown.get(*slot).and_then(|shown| self.world.offer(&shown.offer_id));
                let category = offer.and_then(|offer| offer.offer.category.as_ref());
                let category = category.map_or("none", |category| category.as_str());
                let of = all.entry(category.to_owned()).or_insert_with(|| vec![0.0; LANES.len()]);
                if let Some(sum) = of.get_mut(made.lane) {
                    *sum += minor(*margin);
                }
            }
        }
        let mut all: Vec<_> = all.into_iter().map(|(category, margin)| FromCategory { category, margin }).collect();
        all.sort_by(|a, b| b.margin.first().unwrap_or(&0.0).total_cmp(a.margin.first().unwrap_or(&0.0)));
        all
    }

    /// A decision worth explaining: at the first placement, ordered and kept, with several rules at work, and sure of
    /// itself.
    fn worth_explaining(&self, seen: &[Seen]) -> Option<&Made> {
        let own = self.driven.made.iter().zip(seen).filter(|(made, seen)| made.lane == 0 && seen.placement == 0);
        own.filter(|(made, _)| !made.fallback)
            .max_by(|(_, a), (_, b)| {
                let rank = |seen: &Seen| (seen.sums.accepted, seen.excluded.len().min(4));
                rank(a).cmp(&rank(b)).then(a.propensity.total_cmp(&b.propensity))
            })
            .map(|(made, _)| made)
    }
}

#[derive(Default)]
struct Read {
    seen: Vec<(usize, Seen)>,
    whys: BTreeMap<String, String>,
}

/// The margin to be expected of the best offers that no rule left out, one variant of each, as many as there are slots.
fn best(candidates: &[Candidate], slots: usize, worth: &dyn Fn(&str, &str) -> f64) -> f64 {
    let mut by_offer: BTreeMap<&str, f64> = BTreeMap::new();
    let mut least = f64::NEG_INFINITY;
    for candidate in candidates.iter().filter(|candidate| candidate.eligible) {
        match (&candidate.offer_id, &candidate.variant_id) {
            (Some(offer), Some(variant)) => {
                let worth = worth(offer, variant);
                by_offer.entry(offer).and_modify(|most| *most = most.max(worth)).or_insert(worth);
            }
            // Nothing may be shown: then nothing needs to be worse than that.
            _ => least = 0.0,
        }
    }
    let mut worths: Vec<f64> = by_offer.into_values().filter(|worth| *worth > least).collect();
    worths.sort_by(|a, b| b.total_cmp(a));
    worths.iter().take(slots).sum()
}

fn called(offer: &Offer) -> String {
    if offer.name.is_empty() { offer.offer_id.to_string() } else { offer.name.clone() }
}

fn explained(made: &Made, record: &Record, again: String) -> Explained {
    let chance = |candidate: &Candidate| {
        let name = match (&candidate.offer_id, &candidate.variant_id) {
            (Some(offer), Some(variant)) => format!("{offer}/{variant}"),
            _ => "nothing".to_owned(),
        };
        let is = |shown: &Shown| Some(&shown.offer_id) == candidate.offer_id.as_ref();
        let shown =
            made.shown.iter().any(|shown| is(shown) && Some(&shown.variant_id) == candidate.variant_id.as_ref());
        Some(Chance { candidate: name, probability: candidate.probability?, shown })
    };
    let mut chances: Vec<Chance> = record.candidates.iter().filter_map(chance).collect();
    chances.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let mut left_out: Vec<LeftOut> = Vec::new();
    for candidate in &record.candidates {
        let offer = candidate.offer_id.clone().unwrap_or_default();
        for exclusion in &candidate.excluded_by {
            match left_out.iter_mut().find(|known| known.sentence == exclusion.sentence) {
                Some(known) if known.offers.contains(&offer) => {}
                Some(known) => known.offers.push(offer.clone()),
                None => left_out.push(LeftOut { offers: vec![offer.clone()], sentence: exclusion.sentence.clone() }),
            }
        }
    }
    let decision_id = made.decision_id.clone();
    Explained { decision_id, sentences: record.explanation.clone(), chances, left_out, again }
}

impl Explained {
    /// What is said of the decision itself, before single candidates.
    pub fn opening(&self) -> impl Iterator<Item = &String> {
        let single = |sentence: &str| {
            self.chances.iter().any(|chance| sentence.contains(&format!("`{}`: probability", chance.candidate)))
                || sentence.starts_with("*nothing*: probability")
                || sentence.contains("` was left out: ")
        };
        self.sentences.iter().filter(move |sentence| !single(sentence))
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of margins are small")]
fn minor(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(offer: Option<&str>, variant: &str, eligible: bool) -> Candidate {
        Candidate {
            offer_id: offer.map(str::to_owned),
            variant_id: offer.map(|_| variant.to_owned()),
            eligible,
            probability: None,
            excluded_by: Vec::new(),
        }
    }

    #[test]
    fn the_best_slate_has_one_variant_of_each_of_the_best_offers() {
        let worth = |offer: &str, variant: &str| match (offer, variant) {
            ("a", "b") => 5.0,
            ("a", _) => 4.0,
            ("b", _) => 3.0,
            ("c", _) => 9.0,
            _ => -1.0,
        };
        let all = [("a", "a", true), ("a", "b", true), ("b", "a", true), ("c", "a", false), ("d", "a", true)];
        let mut candidates: Vec<Candidate> = all.iter().map(|(o, v, e)| candidate(Some(o), v, *e)).collect();
        assert_eq!(best(&candidates, 1, &worth), 5.0);
        assert_eq!(best(&candidates, 2, &worth), 8.0);
        assert_eq!(best(&candidates, 3, &worth), 7.0, "every slot is filled");
        candidates.push(candidate(None, "", true));
        assert_eq!(best(&candidates, 3, &worth), 8.0, "nothing is better than what costs more than it brings");
    }
}
