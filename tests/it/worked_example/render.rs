//! The blocks of the worked example as text. Every number is printed so that reading it back gives the same bits.

use proffer::audit;
use proffer::bandit::{Arm, ArmKey, Increment, ModelView, Score, distribution, distribution_of, explore};
use proffer::domain::decision::{CandidateRow, GROUPS};
use proffer::domain::money::print_decimal;
use proffer::domain::{Percent, SubjectState};

use super::page::hex;
use super::story::{GENERATOR, Learned, MASTER, SUBJECT, SUBJECT_KEY, Story, TENANT, Told, arm, view};

pub const ARMS: [&str; 2] = ["free-shipping", "ten-off"];

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn name(story: &Story, row: &CandidateRow) -> String {
    let (offer, variant) = story.catalogue.at(row.candidate.unwrap() as usize).unwrap();
    format!("{}/{}", offer.offer_id, variant.variant_id)
}

pub fn keys() -> String {
    lines([
        format!("tenant         {TENANT}"),
        format!("master key     {}", hex(&MASTER.0)),
        format!("generator key  {} (key period {})", hex(&GENERATOR.key), GENERATOR.period),
        format!("subject        {}", SUBJECT.hex()),
        format!("subject key    {}", hex(&SUBJECT_KEY.0)),
    ])
}

pub fn bundle(story: &Story) -> String {
    let head = [
        format!("bundle  {}", story.bundle.hash_text()),
        format!("model   {} of {}, {} components", story.placement.model_id().hex(), story.placement.id, {
            story.placement.dimensions()
        }),
    ];
    let rules = story.bundle.rules.iter().enumerate().map(|(at, rule)| match &rule.place {
        (path, line) if path.is_empty() => format!("rule {at}  {} (built in, line {line})", rule.id),
        (path, line) => format!("rule {at}  {} at {path}:{line}", rule.id),
    });
    lines(head.into_iter().chain(rules))
}

pub fn candidates(story: &Story) -> String {
    let head = "position  offer/variant    net price  margin  share of price  cost of showing".to_owned();
    let rows = story.catalogue.candidates().iter().enumerate().map(|(at, _)| {
        let (offer, variant) = story.catalogue.at(at).unwrap();
        let money = |minor| print_decimal(minor, offer.currency().exponent());
        let (net, margin) = (offer.net_price_minor(), offer.margin_minor());
        let named = format!("{}/{}", offer.offer_id, variant.variant_id);
        if offer.offer_id == story.placement.fallback.offer {
            return format!("{at:<8}  {named:<15}  house content of the placement, no candidate there");
        }
        let share = Percent(i32::try_from((margin * 10_000).div_euclid(net)).unwrap());
        let cost = money(offer.cost_of_showing_minor());
        let (net, margin) = (money(net), money(margin));
        format!("{at:<8}  {named:<15}  {net:>9}  {margin:>6}  {:>14}  {cost:>15}", share.to_string())
    });
    lines(std::iter::once(head).chain(rows))
}

pub fn history(story: &Story) -> String {
    let rows = (1..).zip(&story.history).flat_map(|(sequence, event)| {
        let increment = &event.increment;
        [
            format!("event {sequence}: {}, {}", event.exposed_at, event.arm.offer),
            format!("    generation {}, weight {}", increment.generation, increment.weight),
            format!("    features {:?}", increment.features.as_slice()),
            differences(increment),
        ]
    });
    let model = &story.before.by_id[&story.placement.model_id()];
    lines(rows.chain([format!("model: sequence {}, digest {}", model.sequence(), model.digest().hex())]))
}

fn differences(increment: &Increment) -> String {
    let Increment { exposure, accepted, reward, reward_squared, .. } = increment;
    format!("    exposure {exposure:+}, accepted {accepted:+}, reward {reward:+}, reward squared {reward_squared:+}")
}

pub fn features(story: &Story) -> String {
    let names = ["intercept", "customer.tier = silver", "customer.tier = gold"];
    let x = story.features();
    let rows = names.iter().zip(x.as_slice()).zip(x.to_f64()).enumerate();
    lines(rows.map(|(at, ((name, q20), value))| format!("x_{at}  {name:22}  {value}  = {q20} / 2^20")))
}

pub fn posteriors(story: &Story) -> String {
    lines(ARMS.iter().flat_map(|offer| {
        let posterior = story.posterior(&story.view, offer);
        let estimate = posterior.score(&story.features().to_f64());
        [
            format!("{offer}: n = {}, theta = {:?}", posterior.weight(), posterior.theta()),
            format!("    theta'x = {}, sqrt(x'A^-1x) = {}", estimate.mean, estimate.bonus),
            format!("    v^2 = {}", posterior.variance()),
        ]
    }))
}

pub fn distribution_block(story: &Story, told: &Told) -> String {
    let skeleton = &told.skeleton;
    let rows = skeleton.candidates.iter().zip(&skeleton.slots[0].probabilities);
    let eligible: Vec<_> = rows.filter_map(|(row, p)| Some((row, row.scored.as_ref()?, (*p)?))).collect();
    let scores: Vec<Score> = eligible.iter().map(|(_, s, _)| Score::gaussian(s.mean, s.deviation)).collect();
    let pi = distribution_of(&story.placement.champion.strategy, skeleton.distribution_rule, &scores, false);
    let head = format!("rule {}, exploration {}", skeleton.distribution_rule, skeleton.exploration);
    let rows = eligible.iter().zip(pi).flat_map(|((row, scored, p), pi)| {
        [
            format!("{}: m = {}, c = {}", name(story, row), row.margin_minor, row.cost_minor),
            format!("    mean = {}, deviation = {}", scored.mean, scored.deviation),
            format!("    pi = {pi}, p = {p}"),
        ]
    });
    lines(std::iter::once(head).chain(rows))
}

/// The message that the draw's number is a keyed hash of.
pub fn draw_message(told: &Told) -> Vec<Vec<u8>> {
    let id = told.skeleton.decision_id.as_bytes().to_vec();
    vec![b"proffer/draw/1".to_vec(), TENANT.as_bytes().to_vec(), id, vec![0, 0], vec![0]]
}

pub fn draw(story: &Story, told: &Told) -> String {
    let slot = &told.skeleton.slots[0];
    let draw = slot.draw;
    let message: Vec<String> = draw_message(told).iter().map(|part| hex(part)).collect();
    let mut upper = 0.0;
    let walk = told.skeleton.candidates.iter().zip(&slot.probabilities).filter_map(|(row, p)| {
        upper += (*p)?;
        Some(format!("up to    {upper}: {}", name(story, row)))
    });
    let mut all = vec![format!("message  {}", message.join(" || ")), format!("u        {}", draw.u)];
    all.extend(walk);
    let chosen = name(story, told.skeleton.chosen().next().unwrap().2);
    all.push(format!("chosen   {chosen}, propensity {}", draw.propensity.get()));
    lines(all)
}

pub fn sentences(story: &Story, told: &Told) -> String {
    lines(audit::explain(&told.skeleton, Some(&told.private), &story.bundle, &story.catalogue))
}

pub fn steps(told: &Told) -> String {
    lines(told.steps.iter().cloned())
}

pub fn state(story: &Story) -> String {
    let told = |version: u64, state: &SubjectState| {
        let consents =
            state.consents.iter().map(|c| format!("{} {} since {}", c.purpose, c.state.name(), c.valid_from));
        let caps = state.caps.iter().map(|c| {
            let offer = c.of.as_deref().unwrap_or("all");
            format!("{} counts {} contact of {offer} at {}", c.rule, c.at.len(), c.at[0])
        });
        let facts = consents.chain(caps).map(|fact| format!("    {fact}"));
        std::iter::once(format!("version {version}")).chain(facts).collect::<Vec<_>>()
    };
    lines([told(1, &story.state), told(2, &story.state_after)].concat())
}

pub fn record(told: &Told) -> String {
    let record = &told.batch.decisions[0].record;
    let mut all = vec![
        format!("skeleton      {} bytes, tests/golden/worked_example.skeleton.2.hex", record.skeleton.len()),
        format!("private part  {} bytes, sealed, tests/golden/worked_example.private.2.hex", record.private.len()),
        format!("request       {}", told.skeleton.request_digest.hex()),
        format!("leaf          {}", record.leaf.hex()),
        format!("batch         {}", told.batch.digest.hex()),
    ];
    let commitments = GROUPS.iter().zip(&told.skeleton.commitments);
    all.extend(commitments.map(|(group, digest)| format!("{group:12}  {}", digest.hex())));
    lines(all)
}

pub fn events(story: &Story) -> String {
    lines(story.learned.iter().flat_map(|Learned { what, sequence, event, sealed, .. }| {
        let increment = &event.increment;
        [
            format!("event {sequence}, {what}: {} bytes, {} sealed", event.encode().len(), sealed.len()),
            format!("    generation {}, weight {}", increment.generation, increment.weight),
            differences(increment),
        ]
    }))
}

/// The integers of one arm: (name, value).
pub fn integers(models: &proffer::engine::learner::Models, story: &Story, of: &ArmKey) -> Vec<(String, i128)> {
    let model = &models.by_id[&story.placement.model_id()];
    let (_, arm) = model.arms().find(|(key, _)| *key == of).unwrap();
    let sums = &arm.generations()[&14];
    let mut all = vec![
        ("exposures".to_owned(), arm.exposures().into()),
        ("accepted".to_owned(), arm.accepted().into()),
        ("reward".to_owned(), arm.reward()),
        ("reward squared".to_owned(), arm.reward_squared()),
        ("sum w".to_owned(), sums.w()),
        ("sum w r".to_owned(), sums.r()),
    ];
    all.extend((0..3).map(|i| (format!("sum w r x_{i}"), sums.rx(i))));
    all.extend(
        (0..3).flat_map(|j| (0..=j).map(move |i| (i, j))).map(|(i, j)| (format!("sum w x_{i} x_{j}"), sums.xx(i, j))),
    );
    all
}

pub fn integers_block(story: &Story) -> String {
    let of = arm(ARMS[0]);
    let columns: Vec<Vec<(String, i128)>> = std::iter::once(&story.before)
        .chain(story.learned.iter().map(|learned| &learned.models))
        .map(|models| integers(models, story, &of))
        .collect();
    let head = format!("{:15} {:>22} {:>22} {:>22} {:>22}", of.offer, "before", "exposure", "order", "refund");
    let rows = (0..columns[0].len()).map(|at| {
        let numbers: Vec<String> = columns.iter().map(|column| format!("{:>22}", column[at].1)).collect();
        format!("{:15} {}", columns[0][at].0, numbers.join(" "))
    });
    lines(std::iter::once(head).chain(rows))
}

pub fn digests(story: &Story) -> String {
    let states = std::iter::once(("before", &story.before));
    let states = states.chain(story.learned.iter().map(|learned| (learned.what, &learned.models)));
    lines(states.map(|(what, models)| {
        let model = &models.by_id[&story.placement.model_id()];
        format!("{what:8}  sequence {}  {}", model.sequence(), model.digest().hex())
    }))
}

fn cents(minor: i64) -> f64 {
    i32::try_from(minor).unwrap().into()
}

/// What the same customer would be offered the same day, by a model.
pub fn offered(story: &Story, view: &ModelView) -> Vec<f64> {
    let x = story.features().to_f64();
    let arms: Vec<Arm> = ARMS
        .iter()
        .map(|offer| {
            let (posterior, found) = (story.posterior(view, offer), story.catalogue.offer(offer).unwrap());
            Arm::new(posterior, &x, cents(found.margin_minor()), cents(found.cost_of_showing_minor()))
        })
        .collect();
    explore(&distribution(&story.placement.champion.strategy, &arms, false).1, story.placement.champion.exploration)
}

pub fn better(story: &Story) -> String {
    let now = story.first.skeleton.at;
    let states = std::iter::once(("before", &story.before));
    let states = states.chain(story.learned.iter().map(|learned| (learned.what, &learned.models)));
    lines(states.map(|(what, models)| {
        let p = offered(story, &view(models, &story.placement, &story.catalogue, now));
        format!("{what:8}  {} {}  {} {}", ARMS[0], p[0], ARMS[1], p[1])
    }))
}
