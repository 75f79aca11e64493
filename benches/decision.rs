//! One whole decision in process, by candidates, feature components and how much was learned, with 40 rules; its parts,
//! at 32 components on a half-trained model; and a slate of twenty. Times no store and no HTTP.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use proffer::bandit::{
    ArmKey, Candidate, DrawPurpose, Features, Increment, Inputs, Model, ModelView, check, explore, features, pick,
    scores, uniform,
};
use proffer::decision::{Ask, Decision, Snapshot, SubjectView, decide};
use proffer::domain::decision::Record;
use proffer::domain::key::{GeneratorKey, SubjectKey};
use proffer::domain::{
    AttributeId, Catalogue, Customer, Day, DecisionId, DecisionRequest, Digest, LocalTime, Offer, OfferId, Placement,
    PlacementId, SubjectId, SubjectKind, SubjectState, Timestamp, Value, VariantId,
};
use proffer::policy::{CapWindows, Facts, Judging, Seen, Source, Verdict, compile};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

const NOW: Timestamp = Timestamp(1_780_000_000_000);
const GENERATOR: GeneratorKey = GeneratorKey { period: 1, key: [3; 32] };

/// How much was learned of each arm: nothing; thirty exposures; ten thousand in every region, for a clear winner.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Cold,
    HalfTrained,
    Converged,
}

/// Regions, and the intercept: as many components.
fn regions(components: usize) -> String {
    (1..components).map(|at| format!("r{at}")).collect::<Vec<_>>().join(", ")
}

fn snapshot(candidates: usize, components: usize, stage: Stage) -> Snapshot {
    let file = |path: &str, text: String| Source { path: path.to_owned(), text };
    let floors = (0..38).map(|at| format!("  - {{id: floor.{at}, why: Finance, min_margin: {}%}}\n", at % 20));
    let cap = |id: &str, terms: &str| format!("  - {{id: {id}, why: Contacts, {terms}, counts: decision}}\n");
    let rules = [
        "owner: pricing\nmargin_floors:\n".to_owned(),
        floors.collect(),
        "frequency_caps:\n".to_owned(),
        cap("cap.day", "scope: [customer, offer], max: 1, window: {rolling: 24h}"),
        cap("cap.week", "scope: [customer], max: 9, window: {rolling: 168h}"),
    ]
    .concat();
    let sources = [
        file("bundle.yaml", "name: bench\nschema: 1\n".into()),
        file(
            "catalog/attributes.yaml",
            format!(
                "attributes:\n  - {{id: context.region, type: {{enum: [{}]}}, class: public, source: shop}}\n",
                regions(components)
            ),
        ),
        file(
            "catalog/purposes.yaml",
            "purposes:\n  - {id: offer_contextual, dpv: ProvideProductRecommendations, bases: {US: [consent, \
             legitimate_interest]}}\n"
                .into(),
        ),
        file(
            "placements.yaml",
            "placements:\n  - id: home\n    channel: web\n    purpose: offer_contextual\n    currency: USD\n    \
             slots: 20\n    objective: {kind: margin, window: 7d, reward_cap: 200.00}\n    strategy: {name: thompson_linear, prior: none}\n    \
             features: [context.region]\n    fallback: {offer: house, variant: a}\n"
                .into(),
        ),
        file("rules/10.yaml", rules),
    ];
    let bundle = compile(&sources).unwrap();
    let offer = |id: String, goods: usize| -> Offer {
        let json = format!(
            r#"{{"offer_id":"{id}","price":{{"amount":"100.00","currency":"USD"}},
            "cost_of_goods":{{"amount":"{goods}.00","currency":"USD"}},"variants":[{{"variant_id":"a"}}]}}"#
        );
        serde_json::from_str(&json).unwrap()
    };
    let mut offers: Vec<Offer> = (0..candidates).map(|at| offer(format!("o{at:04}"), 40 + at % 30)).collect();
    offers.push(offer("house".into(), 50));
    let placement = bundle.placement("home").unwrap();
    let day = NOW.day();
    let catalogue = Catalogue::new(1, offers, Vec::new());
    let view = trained(placement, &catalogue, candidates, stage, day);
    let models = BTreeMap::from([(placement.id.clone(), vec![Arc::new(view)])]);
    Snapshot {
        tenant: "default".into(),
        build: "bench".into(),
        control_sequence: 1,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(catalogue),
        models,
        spend: Arc::new(proffer::domain::Spend::none(day)),
        approved: Arc::default(),
        day,
    }
}

fn trained(placement: &Placement, catalogue: &Catalogue, candidates: usize, stage: Stage, day: Day) -> ModelView {
    let (mut chance, components) = (ChaCha8Rng::seed_from_u64(5), placement.dimensions());
    let mut model = Model::new(placement.model_id(), components);
    let mut learn = |arm: &ArmKey, region: u16, times: f64, accepted: f64| {
        let features = Features::from_sparse(components, &[(0, 1 << 20), (region, 1 << 20)]).unwrap();
        let increment = Increment {
            generation: 0,
            weight: 0,
            features,
            exposure: 0,
            accepted: 0,
            reward: 0,
            reward_squared: 0,
            matured: None,
            value: 0,
            bags: Vec::new(),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
        let weight = |times: f64| (65_536.0 * times) as i64;
        let exposed = Increment { weight: weight(times), exposure: 1, ..increment.clone() };
        model.apply(model.sequence() + 1, arm, &exposed).unwrap();
        if accepted > 0.0 {
            let accepted = Increment { weight: weight(accepted), accepted: 1, ..increment };
            model.apply(model.sequence() + 1, arm, &accepted).unwrap();
        }
    };
    for at in 0..candidates {
        let arm = ArmKey { offer: OfferId::new(format!("o{at:04}")).unwrap(), variant: VariantId::new("a").unwrap() };
        let rate = 0.02 + 0.1 * chance.random::<f64>();
        let regions = 1..u16::try_from(components).unwrap();
        match stage {
            Stage::Cold => {}
            Stage::HalfTrained => {
                for _ in 0..30 {
                    let accepted = f64::from(u8::from(chance.random::<f64>() < rate));
                    learn(&arm, chance.random_range(regions.clone()), 1.0, accepted);
                }
            }
            Stage::Converged => regions.for_each(|region| learn(&arm, region, 1e4, 1e4 * rate)),
        }
    }
    ModelView::derive(model.version(), placement, &placement.champion, model.lineup(catalogue), day, None)
}

fn request(count: u16) -> DecisionRequest {
    DecisionRequest {
        decision_id: None,
        customer: Customer::default(),
        placement: PlacementId::new("home").unwrap(),
        count: Some(count),
        jurisdiction: Some("US-NY".into()),
        time_zone: Some("America/New_York".into()),
        context: BTreeMap::from([("region".to_owned(), Value::Text("r7".into()))]),
        basket: Vec::new(),
        candidates: None,
        store: None,
        privacy_signal: None,
    }
}

/// One whole decision, not yet sealed.
fn whole(snapshot: &Snapshot, request: &DecisionRequest) -> Decision {
    let state = SubjectState::default();
    let subject = SubjectView { kind: SubjectKind::Customer, subject: SubjectId([1; 16]), version: 1, state: &state };
    let ask = Ask {
        request,
        request_digest: Digest([5; 32]),
        decision_id: DecisionId::from_parts(NOW.0, [7; 10]),
        id_minted: false,
        attempt: 0,
        purpose: DrawPurpose::Served,
        contended: false,
        purse: &proffer::domain::Purse::default(),
    };
    let made = decide(snapshot, &ask, Some(subject), &GENERATOR, NOW).unwrap();
    assert!(made.skeleton.fallback.is_none(), "{:?}", made.skeleton.fallback);
    made
}

fn decision(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for components in [16, 32, 64] {
        for stage in [Stage::Cold, Stage::HalfTrained, Stage::Converged] {
            for candidates in [10, 100, 1_000] {
                let (snapshot, request) = (snapshot(candidates, components, stage), request(1));
                let name = format!("whole, record sealed, d {components} {stage:?}");
                group.bench_function(BenchmarkId::new(name, candidates), |b| {
                    b.iter(|| seal(&mut whole(&snapshot, &request)));
                });
            }
        }
    }
    for candidates in [100, 1_000] {
        let (snapshot, request) = (snapshot(candidates, 32, Stage::HalfTrained), request(20));
        group.bench_function(BenchmarkId::new("slate of twenty, record sealed", candidates), |b| {
            b.iter(|| seal(&mut whole(&snapshot, &request)));
        });
    }
}

fn parts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("part");
    for candidates in [10, 100, 1_000] {
        let (snapshot, request) = (snapshot(candidates, 32, Stage::HalfTrained), request(1));
        let placement = snapshot.bundle.placement("home").unwrap();
        let model = &snapshot.models[&placement.id][0];
        let made = whole(&snapshot, &request);

        let mut part = |name: &str, run: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(name, candidates), |b| b.iter(&mut *run));
        };
        part("decide", &mut || drop(black_box(whole(&snapshot, &request))));
        let state = SubjectState::default();
        let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
        let (shelves, attributes) = (bundle.shelves(catalogue), Seen::default());
        let shelf = shelves.at(&placement.id).unwrap();
        println!("{candidates} candidates: a shelf of {} bytes", shelf.bytes());
        let facts = Facts {
            attributes: &attributes,
            basket: &[],
            currency: placement.currency,
            jurisdiction: Some("US-NY"),
            time_zone: Some("America/New_York"),
            store: None,
            now: NOW,
        };
        part("rules", &mut || {
            let windows = CapWindows::at(NOW, facts.time_zone);
            let both = (shelves.as_ref(), catalogue.as_ref());
            let mut judging = Judging::new(bundle, both, placement, &facts, Some(&state), &windows).unwrap();
            let mut verdict = Verdict::default();
            for stand in shelf.stands(None, catalogue) {
                verdict.failed.clear();
                verdict.readings.clear();
                judging.ask(stand, &mut verdict);
                black_box(&verdict);
            }
        });
        part("rules at load", &mut || {
            // A copy of the bundle has made no shelves yet.
            black_box((**bundle).clone().shelves(catalogue));
        });
        let value = |id: &AttributeId| (id.name() == "region").then(|| Value::Text("r7".into()));
        let score = || {
            let x = features(placement, LocalTime::utc(Timestamp(0)), &value).to_f64();
            let named = snapshot.catalogue.candidates().iter().enumerate();
            let listed: Vec<Candidate> = named
                .filter_map(|(at, candidate)| {
                    let offer = snapshot.catalogue.offers().get(candidate.offer)?;
                    #[expect(clippy::cast_precision_loss, reason = "small amounts")]
                    let margin = offer.margin_minor() as f64;
                    (offer.offer_id != placement.fallback.offer).then_some(Candidate { at, margin, cost: 0.0 })
                })
                .collect();
            scores(&placement.champion.strategy, &model.arms(&listed, Inputs::Shared(&x)))
        };
        part("features and scores", &mut || drop(black_box(score())));
        let scored = score();
        assert_eq!(scored.len(), candidates);
        part("distribution and draw", &mut || {
            let w = model.distribution(black_box(&scored), false);
            let p = explore(&w, placement.champion.exploration);
            assert!(check(&p, placement.champion.exploration).is_ok());
            let id = DecisionId::from_parts(NOW.0, [7; 10]);
            black_box(pick(&p, uniform(&GENERATOR, "default", &id, 0, DrawPurpose::Served)));
        });
        let mut made = made;
        part("record sealed", &mut || seal(&mut made));
    }
}

fn seal(made: &mut Decision) {
    black_box(Record::seal(&mut made.skeleton, &made.private, &SubjectKey([1; 32])));
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(500))
        .sample_size(30)
        .without_plots();
    targets = decision, parts
}
criterion_main!(benches);
