//! `GET /v1/models`: what was learned, arm by arm, and which process learns; of one placement with what it means, for
//! people. Learns nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::App;
use super::problem::Problem;
use crate::bandit::{ArmKey, ArmStatistics, Effect, Model, Posterior, effects};
use crate::decision::Snapshot;
use crate::domain::money::print_decimal;
use crate::domain::{Contender, Money, ObjectiveKind, Percent, Placement, PlacementId, Prior, Strategy, ValueSource};
use crate::policy::did_you_mean;
use crate::report::CHAMPION;

/// `GET /v1/models`.
pub async fn list(app: App) -> HttpResponse {
    let (snapshot, models) = (app.snapshot(), app.models());
    let listed: Vec<Value> = models
        .by_id
        .iter()
        .map(|(id, model)| {
            let placement = snapshot.bundle.placements.values().find(|placement| placement.model_id() == *id);
            let digits = placement.map_or(2, |placement| placement.currency.exponent());
            let arms: Vec<Value> = model
                .arms()
                .map(|(arm, statistics)| {
                    let reward = i64::try_from(statistics.reward()).unwrap_or(i64::MAX);
                    json!({
                        "offer_id": arm.offer, "variant_id": arm.variant, "exposures": statistics.exposures(),
                        "accepted": statistics.accepted(), "reward": print_decimal(reward, digits),
                    })
                })
                .collect();
            json!({
                "model": id, "placement": placement.map(|placement| &placement.id),
                "strategy": placement.map(|placement| placement.champion.strategy.name()),
                "sequence": model.sequence(), "digest": model.digest(), "dimensions": model.dimensions(), "arms": arms,
            })
        })
        .collect();
    // What was learned is told even while the store is away.
    let learner = app.store.lease().await.ok().filter(|lease| lease.term > 0).map(|lease| {
        json!({
            "term": lease.term, "node": lease.holder.node, "incarnation": lease.holder.incarnation,
            "lease_until": lease.until, "held": lease.held,
        })
    });
    let this = json!({
        "node": app.holder.node, "incarnation": app.holder.incarnation, "term": app.term(),
        "bundle": snapshot.bundle.hash_text(), "catalogue": snapshot.catalogue.revision,
    });
    HttpResponse::Ok().json(json!({"day": snapshot.day.0, "learner": learner, "this": this, "models": listed}))
}

/// Effects that are told of each arm at most.
const EFFECTS_MAX: usize = 5;
/// Deviations on either side of a mean that hold 95 % of a normal belief.
const Z: f64 = 1.96;

/// `GET /v1/models/{placement}`.
pub async fn show(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let snapshot = app.snapshot();
    let placements = &snapshot.bundle.placements;
    let Some(placement) = PlacementId::new(id.clone()).ok().and_then(|id| placements.get(&id)).cloned() else {
        let meant = did_you_mean(&id, placements.keys().map(PlacementId::as_str));
        return Err(Problem::not_found(format!("the active bundle has no placement `{id}`{meant}")));
    };
    let model = app.models().by_id.get(&placement.model_id()).cloned();
    // With hundreds of features and offers it takes a while, in which others are answered.
    let learned = web::block(move || Learned::of(&snapshot, &placement, model.as_deref())).await;
    let learned = learned.map_err(|_| Problem::unavailable("the service is stopping"))?;
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.starts_with("text/plain")) {
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(learned.text()));
    }
    Ok(HttpResponse::Ok().json(learned.shown()))
}

/// What was learned at a placement.
struct Learned {
    placement: Placement,
    sequence: u64,
    day: i32,
    arms: Vec<ArmLearned>,
    /// Variants of the catalogue that nothing was learned of.
    unknown: usize,
}

/// What was learned of a variant.
struct ArmLearned {
    arm: ArmKey,
    name: Option<String>,
    exposures: i64,
    accepted: i64,
    reward_minor: i64,
    /// Mean and deviation of the belief about its acceptance by all whom it was shown to.
    acceptance: (f64, f64),
    /// Margin if accepted and cost of showing, as the catalogue has them now, in minor units.
    worth: Option<(i64, i64)>,
    value: Option<ValueLearned>,
    effects: Vec<Effect>,
}

/// What accepted orders of a variant earn, where that is learned; minor units.
struct ValueLearned {
    margin: f64,
    catalogue: i64,
    mean: Option<f64>,
    orders: f64,
}

impl Learned {
    fn of(snapshot: &Snapshot, placement: &Placement, model: Option<&Model>) -> Self {
        let arms = model.into_iter().flat_map(Model::arms);
        let mut arms: Vec<ArmLearned> =
            arms.map(|(arm, statistics)| arm_learned(snapshot, placement, arm, statistics)).collect();
        arms.sort_by(|a, b| b.expected_minor().0.total_cmp(&a.expected_minor().0).then_with(|| a.arm.cmp(&b.arm)));
        let known: BTreeSet<(&str, &str)> =
            arms.iter().map(|learned| (learned.arm.offer.as_str(), learned.arm.variant.as_str())).collect();
        let offers = snapshot.catalogue.offers().iter().filter(|offer| offer.offer_id != placement.fallback.offer);
        let variants = offers.flat_map(|offer| offer.variants.iter().map(move |variant| (offer, variant)));
        let unknown = variants
            .filter(|(offer, variant)| !known.contains(&(offer.offer_id.as_str(), variant.variant_id.as_str())))
            .count();
        let sequence = model.map_or(0, Model::sequence);
        Self { placement: placement.clone(), sequence, day: snapshot.day.0, arms, unknown }
    }

    fn shown(&self) -> Value {
        let currency = self.placement.currency;
        let arm = |learned: &ArmLearned| {
            let (mean, deviation) = learned.acceptance;
            let (low, high) = within(learned.acceptance);
            let (expected, spread) = learned.expected_minor();
            let worth = learned.worth.is_some();
            let effect = |effect: &Effect| {
                json!({
                    "feature": effect.name, "effect": effect.effect, "deviation": effect.deviation,
                    "clear": is_clear(effect),
                })
            };
            json!({
                "offer_id": learned.arm.offer, "variant_id": learned.arm.variant, "name": learned.name,
                "exposures": learned.exposures, "accepted": learned.accepted,
                "reward": Money { minor: learned.reward_minor, currency },
                "acceptance": {"mean": mean, "deviation": deviation, "low": low, "high": high},
                "expected_margin": worth.then(|| digits(expected, currency.exponent())),
                "expected_margin_deviation": worth.then(|| digits(spread, currency.exponent())),
                "learned_margin": learned.value.as_ref().map(|value| json!({
                    "margin": digits(value.margin, currency.exponent()),
                    "catalogue": print_decimal(value.catalogue, currency.exponent()),
                    "mean": value.mean.map(|mean| digits(mean, currency.exponent())), "orders": value.orders,
                })),
                "effects": learned.effects.iter().map(effect).collect::<Vec<_>>(),
            })
        };
        json!({
            "placement": self.placement.id, "strategy": self.placement.champion.strategy.name(),
            "objective": objective(&self.placement), "currency": currency,
            "half_life_days": self.placement.half_life_days, "sequence": self.sequence, "day": self.day,
            "contenders": contenders(&self.placement).map(contender_shown).collect::<Vec<_>>(),
            "not_yet_learned": self.unknown, "arms": self.arms.iter().map(arm).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let (placement, currency) = (&self.placement, self.placement.currency);
        let mut text = format!(
            "What was learned at `{}` for {} by `{}`, after {} learning events.\n",
            placement.id,
            objective(placement),
            placement.champion.strategy.name(),
            self.sequence
        );
        for (id, share, contender) in contenders(placement).filter(|_| !placement.challengers.is_empty()) {
            let _ = writeln!(text, "{share} of the customers: {id}, by `{}`.", contender.strategy.name());
        }
        for learned in &self.arms {
            let (low, high) = within(learned.acceptance);
            let named = learned.name.as_ref().filter(|name| !name.is_empty());
            let _ = write!(
                text,
                "\n{}/{}{}\n  seen {}, accepted {}: {} accept ({} to {})\n",
                learned.arm.offer,
                learned.arm.variant,
                named.map(|name| format!(" ({name})")).unwrap_or_default(),
                times(learned.exposures),
                times(learned.accepted),
                percent(learned.acceptance.0),
                percent(low),
                percent(high)
            );
            let earned = Money { minor: learned.reward_minor, currency };
            let (expected, spread) = learned.expected_minor();
            let _ = match learned.worth {
                Some(_) => writeln!(
                    text,
                    "  earned {earned}; worth {} {currency} each time it is seen (give or take {})",
                    rounded(expected, currency.exponent()),
                    rounded(Z * spread, currency.exponent())
                ),
                None => writeln!(text, "  earned {earned}; no longer in the catalogue"),
            };
            if let Some(ValueLearned { margin, catalogue, orders, .. }) = learned.value {
                let (margin, catalogue) =
                    (rounded(margin, currency.exponent()), print_decimal(catalogue, currency.exponent()));
                let _ = writeln!(
                    text,
                    "  an order earns {margin} {currency}, learned from orders of weight {orders:.1}; the catalogue \
                     says {catalogue}"
                );
            }
            for effect in &learned.effects {
                let _ = writeln!(
                    text,
                    "  {}: {:+.1} points (give or take {:.1}){}",
                    effect.name,
                    100.0 * effect.effect,
                    100.0 * Z * effect.deviation,
                    if is_clear(effect) { "" } else { ", not clear yet" }
                );
            }
        }
        if self.unknown > 0 {
            let (count, is) = (self.unknown, if self.unknown == 1 { " is" } else { "s are" });
            let _ = writeln!(text, "\n{count} variant{is} in the catalogue of which nothing was learned yet.");
        }
        text
    }
}

impl ArmLearned {
    /// Mean and deviation of what showing it once is worth, in minor units.
    fn expected_minor(&self) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^53")]
        let worth = self.worth.map(|(margin, cost)| (margin as f64, cost as f64));
        let (margin, cost) = worth.unwrap_or_default();
        let margin = self.value.as_ref().map_or(margin, |value| value.margin);
        (margin * self.acceptance.0 - cost, margin.abs() * self.acceptance.1)
    }
}

fn arm_learned(snapshot: &Snapshot, placement: &Placement, arm: &ArmKey, statistics: &ArmStatistics) -> ArmLearned {
    let (dimensions, half_life) = (placement.dimensions(), placement.half_life_days);
    let champion = &placement.champion;
    let alone = &Posterior::derive(statistics, dimensions, snapshot.day, half_life, champion.lambda).posterior;
    let (accepted, declined) = alone.counts();
    let view = snapshot.view(placement, 0);
    let shares = champion.prior != Prior::None || matches!(champion.strategy, Strategy::LinucbHybrid { .. });
    let place = || snapshot.catalogue.place(&arm.offer, &arm.variant);
    let posterior = if shares { place().map_or(alone, |at| view.posterior(at)) } else { alone };
    // Beta from a flat prior, whatever the strategy: how many of those who saw it accept, whoever they were.
    let (alpha, beta) = (1.0 + accepted, 1.0 + declined);
    let both = alpha + beta;
    let acceptance = (alpha / both, (alpha * beta / (both * both * (both + 1.0))).sqrt());
    let offer = snapshot.catalogue.offer(arm.offer.as_str());
    let priced = offer.filter(|offer| offer.currency() == placement.currency);
    #[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^53")]
    let value = |margin: i64| match placement.objective.value {
        ValueSource::Catalogue => None,
        ValueSource::Learned { orders } => Some(ValueLearned {
            margin: posterior.value(margin as f64, f64::from(orders)),
            catalogue: margin,
            mean: (accepted > 0.0).then(|| posterior.value(0.0, 0.0)),
            orders: accepted,
        }),
    };
    // Effects are told in shares, which is not what a strategy with Beta scores or logits goes by.
    let by_shares = !matches!(champion.strategy, Strategy::ThompsonBeta | Strategy::ThompsonLogistic);
    ArmLearned {
        arm: arm.clone(),
        name: offer.map(|offer| offer.name.clone()),
        exposures: statistics.exposures(),
        accepted: statistics.accepted(),
        reward_minor: i64::try_from(statistics.reward()).unwrap_or(i64::MAX),
        acceptance,
        worth: priced.map(|offer| (offer.margin_minor(), offer.cost_of_showing_minor())),
        value: priced.and_then(|offer| value(offer.margin_minor())),
        effects: if by_shares { effects(posterior, placement, EFFECTS_MAX) } else { Vec::new() },
    }
}

/// Who decides at a placement, and for which share of the customers; the champion first.
fn contenders(placement: &Placement) -> impl Iterator<Item = (&str, Percent, &Contender)> {
    let challengers = placement.challengers.iter().map(|it| (it.id.as_str(), it.share, &it.contender));
    let taken: i32 = placement.challengers.iter().map(|it| it.share.0).sum();
    std::iter::once((CHAMPION, Percent(10_000 - taken), &placement.champion)).chain(challengers)
}

fn contender_shown((id, share, contender): (&str, Percent, &Contender)) -> Value {
    let settings: BTreeMap<&str, f64> = contender.strategy.settings().into_iter().collect();
    json!({
        "contender": id, "strategy": contender.strategy.name(), "share": f64::from(share.0) / 10_000.0,
        "exploration": contender.exploration, "lambda": contender.lambda,
        "prior": contender.prior.name(), "settings": settings,
    })
}

fn objective(placement: &Placement) -> &'static str {
    match placement.objective.kind {
        ObjectiveKind::Margin => "margin",
        ObjectiveKind::Conversion => "conversion",
        ObjectiveKind::Click => "click",
    }
}

/// Where 95 % of a belief about a share lies, near enough.
fn within((mean, deviation): (f64, f64)) -> (f64, f64) {
    ((mean - Z * deviation).max(0.0), (mean + Z * deviation).min(1.0))
}

fn is_clear(effect: &Effect) -> bool {
    effect.effect.abs() > Z * effect.deviation
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn times(count: i64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// An average amount, with two digits more than can be paid.
pub(super) fn digits(minor: f64, exponent: u32) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "rounded, and far below 2^63")]
    let scaled = (minor * 100.0).round() as i64;
    print_decimal(scaled, exponent + 2)
}

/// The same in what can be paid.
fn rounded(minor: f64, exponent: u32) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "rounded, and far below 2^63")]
    let whole = minor.round() as i64;
    print_decimal(whole, exponent)
}
