//! Audit: a record told in sentences, its draws recomputed, and the decision made again from it. Judges nobody.

pub mod draws;

mod consent;
mod money;
mod noted;
mod personas;
mod prices;

mod pools;

pub mod replay;

use crate::domain::decision::{
    CandidateRow, ContextGroup, Failed, FallbackReason, LearnedMargin, Private, Skeleton, Slot,
};
use crate::domain::money::Money;
use crate::domain::{AttributeId, Catalogue, ObjectiveKind, Offer, Prior, Value};
use crate::policy::{Bundle, Observed, Rule, Severity, basket_margin, describe, describe_lacking, describe_observed};

/// A rule that left a candidate out or spoke against it, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The rule's id.
    pub rule: String,
    /// Its justification.
    pub why: String,
    /// What became of the candidate by it.
    pub severity: Severity,
    /// Whether it is an override that lifts others.
    pub lifts: bool,
    /// What was observed, in the unit of the limit; nothing where that is personal and sealed away.
    pub observed: Option<i64>,
    /// What was required.
    pub limit: Option<i64>,
    /// All of it in a sentence.
    pub sentence: String,
}

/// Where a candidate was left out: its row, and the slot (from 0). What left it out of all slots is told of the first.
pub type Where = (usize, u16);

/// The exclusions of one candidate, or what only spoke against it. Usage of caps, what a customer has of loyalty and
/// what conditions read of a request are personal and come from the private groups, where they are at hand.
pub fn exclusions(
    failed: &[Failed],
    (position, slot): Where,
    skeleton: &Skeleton,
    private: Option<&Private>,
    (bundle, catalogue): (&Bundle, &Catalogue),
) -> Vec<Told> {
    let row = skeleton.candidates.get(position);
    let offer = row.and_then(|row| catalogue.at(row.candidate? as usize)).map(|(offer, _)| offer);
    let asked = bundle.placement(skeleton.placement.as_str()).map(|placement| (placement, skeleton.at));
    failed
        .iter()
        .map(|failed| {
            let reading = private.and_then(|private| {
                private.contacts.readings.iter().find(|reading| {
                    (reading.candidate as usize, reading.slot, reading.rule) == (position, slot, failed.rule)
                })
            });
            let context = private.map(|private| &private.context);
            let persona = skeleton.slots.get(usize::from(slot)).and_then(|slot| slot.persona.as_ref());
            let lacks = context.and_then(|seen| {
                let mut used = seen.used_for(persona).into_iter();
                used.find_map(|used| describe_lacking(bundle, failed.rule, used, seen.local))
            });
            let observed = failed.observed.or(reading.map(|reading| i64::from(reading.used)));
            let observed = observed.or(lacks.as_ref().and_then(|lacks| lacks.observed));
            let earned = || {
                let basket = (context?.basket.as_slice(), skeleton.terms.currency);
                let together = standing(skeleton, usize::from(slot)).chain([position]);
                let together =
                    together.map(|row| Some(catalogue.at(skeleton.candidates.get(row)?.candidate? as usize)?.0));
                basket_margin(bundle, failed.rule, basket, &together.collect::<Option<Vec<&Offer>>>()?)
            };
            let observed = observed.or_else(earned);
            let limit = failed.limit.or(lacks.as_ref().map(|lacks| lacks.limit));
            // Of a cool-down the sentence tells the end.
            let compared = reading.and_then(|reading| reading.until).map(|until| until.0).or(observed);
            let rule = bundle.rule(failed.rule);
            let sentence = || {
                let seen = context.map(|context| Observed::of(context, persona));
                let values = asked.map(|asked| describe_observed(bundle, failed.rule, asked, offer, seen.as_ref()));
                let said = describe(bundle, failed.rule, compared, failed.limit, skeleton.terms.currency);
                said + &values.unwrap_or_default()
            };
            Told {
                rule: rule.map_or_else(|| format!("rule {}", failed.rule), |rule| rule.id.to_string()),
                why: rule.map(|rule| rule.why.clone()).unwrap_or_default(),
                severity: rule.map(|rule| rule.severity).unwrap_or_default(),
                lifts: rule.is_some_and(Rule::lifts),
                observed,
                limit,
                sentence: lacks.map_or_else(sentence, |lacks| lacks.sentence),
            }
        })
        .collect()
}

/// The rows of what stands in front of a slot, counted from 0.
fn standing(skeleton: &Skeleton, slot: usize) -> impl Iterator<Item = usize> {
    skeleton.slots.iter().take(slot).map(|slot| slot.draw.chosen as usize)
}

fn named(row: &CandidateRow, catalogue: &Catalogue) -> String {
    let Some(candidate) = row.candidate else { return "*nothing*".to_owned() };
    match catalogue.at(candidate as usize) {
        Some((offer, variant)) => format!("`{}/{}`", offer.offer_id, variant.variant_id),
        None => format!("candidate {candidate}"),
    }
}

fn day_in_full(short: &str) -> &str {
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    days.into_iter().find(|day| day.to_ascii_lowercase().starts_with(short)).unwrap_or(short)
}

fn percent(p: f64) -> String {
    format!("{:.1} %", p * 100.0)
}

/// One sentence: what was shown and why.
pub fn summary(skeleton: &Skeleton) -> String {
    let shown: Vec<String> =
        skeleton.shown.iter().map(|shown| format!("`{}/{}`", shown.offer, shown.variant)).collect();
    let eligible = skeleton.candidates.iter().filter(|row| row.failed.is_empty()).count();
    match (skeleton.slots.as_slice(), skeleton.fallback) {
        ([first, behind @ ..], _) => {
            let chance = percent(first.draw.propensity.get());
            let (what, given) = match (shown.as_slice(), behind.is_empty()) {
                ([], _) => ("*nothing*".to_owned(), String::new()),
                (_, true) => (shown.join(", "), String::new()),
                (_, false) => {
                    let later = behind.iter().map(|slot| percent(slot.draw.propensity.get())).collect::<Vec<_>>();
                    let ending = if shown.len() < skeleton.slots.len() { ", then *nothing*" } else { "" };
                    (shown.join(", ") + ending, format!(", then {} given what stood before", later.join(", ")))
                }
            };
            let verb = if skeleton.slots.len() > 1 { "were" } else { "was" };
            let all = skeleton.candidates.len();
            format!("{what} {verb} drawn with probability {chance}{given} from {eligible} eligible of {all} candidates")
        }
        ([], reason) => {
            let shown = shown.join(", ");
            let reason = match reason {
                Some(FallbackReason::PurposeRefused) => "consent for the purpose is lacking",
                Some(FallbackReason::Holdout) => "the customer is in the holdout",
                Some(FallbackReason::Contention) => "the customer's state kept changing while deciding",
                Some(FallbackReason::DistributionInvalid) => "the distribution failed its check",
                Some(FallbackReason::NoEligibleCandidate) | None => "no candidate was eligible",
            };
            format!("the house content {shown} was shown because {reason}")
        }
    }
}

/// A mean score in the unit that people read: money where margin is maximised, a share where acceptance is.
fn expected(mean: f64, skeleton: &Skeleton, bundle: &Bundle) -> String {
    let kind = bundle.placement(skeleton.placement.as_str()).map(|placement| placement.objective.kind);
    match kind {
        Some(ObjectiveKind::Conversion) => return format!("acceptance {}", percent(mean)),
        Some(ObjectiveKind::Click) => return format!("clicks {}", percent(mean)),
        Some(ObjectiveKind::Margin) | None => {}
    }
    format!("margin {}", money(mean, skeleton))
}

fn money(minor: f64, skeleton: &Skeleton) -> Money {
    #[expect(clippy::cast_possible_truncation, reason = "casting saturates, and margins are bounded at the door")]
    let minor = minor.round() as i64;
    Money { minor, currency: skeleton.terms.currency }
}

/// The decision in sentences, from the record and the versions it names.
pub fn explain(skeleton: &Skeleton, private: Option<&Private>, bundle: &Bundle, catalogue: &Catalogue) -> Vec<String> {
    let mut told = vec![format!("At {} in placement `{}`: {}.", skeleton.at, skeleton.placement, summary(skeleton))];
    if let Some(refused) = &skeleton.refused {
        let gates: Vec<String> =
            refused.rules().filter_map(|gate| Some(format!("`{}`", bundle.rule(gate)?.id))).collect();
        let rule = if gates.is_empty() { String::new() } else { format!(" by {}", gates.join(" and ")) };
        let instead = if skeleton.purpose == refused.purpose {
            "so no candidate could be shown".to_owned()
        } else {
            format!("so it was decided under `{}` without personal attributes", skeleton.purpose)
        };
        told.push(format!("Purpose `{}` was refused{rule}, {instead}.", refused.purpose));
    }
    told.extend(private.iter().flat_map(|private| consent::told(private, skeleton, bundle)));
    if let Some(private) = private {
        told.extend(seen(&private.context));
    }
    if let Some(challenger) = skeleton.challenger.as_ref().filter(|_| !skeleton.slots.is_empty()) {
        let placement = bundle.placements.get(&skeleton.placement);
        let contender = placement.and_then(|placement| placement.contender_of(Some(challenger)));
        let by = contender.map(|contender| format!(", by `{}`", contender.strategy.name())).unwrap_or_default();
        told.push(format!("Challenger `{challenger}` decided{by}: the customer belongs to its share."));
    }
    if !skeleton.slots.is_empty() {
        told.extend(model(skeleton));
    }
    told.extend(money::told(skeleton, bundle, catalogue));
    told.extend(pools::told(skeleton, bundle));
    if let Some(slot) = skeleton.slots.first() {
        told.extend(personas::whose(0, slot));
        for (position, row, probability) in by_probability(skeleton, slot) {
            let chance = percent(probability);
            let row_named = named(row, catalogue);
            told.push(match skeleton.scored(0, position) {
                Some(scored) => {
                    let margin = Money { minor: row.margin_minor, currency: skeleton.terms.currency };
                    let expected = expected(scored.mean, skeleton, bundle);
                    let learned = row.learned.map_or_else(String::new, |learned| {
                        let LearnedMargin { margin, orders } = learned;
                        format!(" ({} as learned from orders of weight {orders:.1})", money(margin, skeleton))
                    });
                    format!(
                        "{row_named}: probability {chance}, margin {margin} if accepted{learned}, expected {expected}."
                    )
                }
                None => format!("{row_named}: probability {chance}."),
            });
        }
    }
    told.extend(left_out(skeleton, private, bundle, catalogue));
    if let Some(draw) = skeleton.slots.first().map(|slot| slot.draw) {
        let numbers: Vec<String> = skeleton.slots.iter().map(|slot| format!("{:.6}", slot.draw.u)).collect();
        told.push(format!(
            "The number{} drawn {} {}, from generator key period {}{}.",
            if numbers.len() > 1 { "s" } else { "" },
            if numbers.len() > 1 { "were" } else { "was" },
            numbers.join(", "),
            draw.key_period,
            if skeleton.id_minted { "" } else { "; the decision id was chosen by the caller" }
        ));
    }
    told
}

/// What rules left out of all slots and of each, and the chances in slots behind the first.
fn left_out(skeleton: &Skeleton, private: Option<&Private>, bundle: &Bundle, catalogue: &Catalogue) -> Vec<String> {
    let mut told = Vec::new();
    let reasons = |failed: &[Failed], at: Where| {
        let told = exclusions(failed, at, skeleton, private, (bundle, catalogue));
        told.into_iter().map(|told| told.sentence).collect::<Vec<_>>().join("; ")
    };
    let notes =
        |failed: &[Failed], at: Where| noted::told(&exclusions(failed, at, skeleton, private, (bundle, catalogue)));
    for (position, row) in skeleton.candidates.iter().enumerate().filter(|(_, row)| !row.failed.is_empty()) {
        told.push(format!("{} was left out: {}.", named(row, catalogue), reasons(&row.failed, (position, 0))));
    }
    for (position, row) in skeleton.candidates.iter().enumerate() {
        let Some(noted) = &row.noted else { continue };
        told.push(format!("Noted of {}: {}.", named(row, catalogue), notes(noted, (position, 0))));
    }
    for (number, slot) in (0_u16..).zip(&skeleton.slots) {
        if number > 0 {
            told.extend(personas::whose(number, slot));
            let chances = by_probability(skeleton, slot);
            let chances: Vec<String> =
                chances.into_iter().map(|(_, row, p)| format!("{} {}", named(row, catalogue), percent(p))).collect();
            told.push(format!("Slot {}: {}.", number + 1, chances.join(", ")));
        }
        told.extend(prices::told(number, skeleton, bundle));
        for left in &slot.left_out {
            let Some(row) = skeleton.candidates.get(left.row as usize) else { continue };
            let reasons = reasons(&left.failed, (left.row as usize, number));
            told.push(format!("Slot {}: {} was left out: {reasons}.", number + 1, named(row, catalogue)));
        }
        for noted in slot.noted.iter().flatten() {
            let Some(row) = skeleton.candidates.get(noted.row as usize) else { continue };
            let notes = notes(&noted.failed, (noted.row as usize, number));
            told.push(format!("Slot {}: noted of {}: {notes}.", number + 1, named(row, catalogue)));
        }
    }
    told
}

/// What was learned before, what explores, and what variants begin as.
fn model(skeleton: &Skeleton) -> impl Iterator<Item = String> {
    let begins = (skeleton.prior == Some(Prior::Category))
        .then(|| "What little was known of was thought to be as its offer, its category and the placement.".to_owned());
    let absorbed = format!(
        "Model {} had absorbed {} learning events; exploration mass {} was shared by all eligible candidates.",
        &skeleton.model.id.hex()[..8],
        skeleton.model.sequence,
        percent(skeleton.exploration)
    );
    std::iter::once(absorbed).chain(begins)
}

/// What rules and features could see, and what was kept from them.
fn seen(context: &ContextGroup) -> Vec<String> {
    let mut told = Vec::new();
    let listed = |used: &[(AttributeId, Value)]| {
        let used: Vec<String> = used.iter().map(|(id, value)| format!("{id} = {value}")).collect();
        used.join(", ")
    };
    match &context.personas {
        Some(personas) => {
            for seen in personas.iter().filter(|seen| !seen.used.is_empty()) {
                let (number, used) = (seen.at + 1, listed(&seen.used));
                told.push(format!("Seen by rules and features for persona {number}: {used}."));
            }
        }
        None if context.used.is_empty() => {}
        None => told.push(format!("Seen by rules and features: {}.", listed(&context.used))),
    }
    if let Some(guarded) = &context.guarded {
        told.push(format!("Seen by guards of audiences alone: {}.", listed(guarded)));
    }
    if !context.withheld.is_empty() {
        let withheld = context.withheld.iter().map(|(id, why)| format!("`{id}` ({})", consent::why(*why)));
        told.push(format!("Withheld from them: {}.", withheld.collect::<Vec<_>>().join(", ")));
    }
    if let Some(store) = &context.store {
        told.push(format!("Asked in store `{store}`."));
    }
    if let Some(local) = context.local {
        let told_where = if local.zone_named { "where the customer is" } else { "in UTC: no time zone was named" };
        told.push(format!("It was {} {local} {told_where}.", day_in_full(local.weekday_name())));
    }
    told
}

/// The candidates of a slot with their probabilities, the likeliest first.
fn by_probability<'a>(skeleton: &'a Skeleton, slot: &Slot) -> Vec<(usize, &'a CandidateRow, f64)> {
    let rows = skeleton.candidates.iter().zip(&slot.probabilities).enumerate();
    let mut likely: Vec<(usize, &CandidateRow, f64)> =
        rows.filter_map(|(at, (row, p))| Some((at, row, (*p)?))).collect();
    likely.sort_by(|a, b| b.2.total_cmp(&a.2));
    likely
}
