//! One whole decision in process and its parts, by candidates, at 32 feature components and 40 rules, on a half-trained
//! model. Times no store and no HTTP.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use proffer::bandit::{
    Arm, ArmKey, DrawPurpose, Features, Increment, Model, ModelView, check, explore, features, pick, scores, uniform,
};
use proffer::decision::{Ask, Snapshot, SubjectView, decide};
use proffer::domain::decision::Record;
use proffer::domain::key::{GeneratorKey, SubjectKey};
use proffer::domain::{
    AttributeId, Catalogue, Customer, Day, DecisionId, DecisionRequest, LocalTime, Offer, OfferId, PlacementId,
    SubjectId, SubjectKind, SubjectState, Timestamp, Value, VariantId,
};
use proffer::policy::{CapWindows, Source, compile, judge};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

const NOW: Timestamp = Timestamp(1_780_000_000_000);
const GENERATOR: GeneratorKey = GeneratorKey { period: 1, key: [3; 32] };

/// 31 regions and the intercept: 32 components.
fn regions() -> String {
    (0..31).map(|at| format!("r{at}")).collect::<Vec<_>>().join(", ")
}

fn snapshot(candidates: usize) -> Snapshot {
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
                regions()
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
             objective: {kind: margin, window: 7d, reward_cap: 200.00}\n    strategy: {name: thompson_linear}\n    \
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
    let view = trained(placement, &catalogue, candidates, day);
    let models = BTreeMap::from([(placement.id.clone(), vec![Arc::new(view)])]);
    Snapshot {
        tenant: "default".into(),
        build: "bench".into(),
        control_sequence: 1,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(catalogue),
        models,
        day,
    }
}

/// Thirty exposures an arm, some of them accepted.
fn trained(placement: &proffer::domain::Placement, catalogue: &Catalogue, candidates: usize, day: Day) -> ModelView {
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let mut model = Model::new(placement.model_id(), placement.dimensions());
    let mut sequence = 0;
    for at in 0..candidates {
        let arm = ArmKey { offer: OfferId::new(format!("o{at:04}")).unwrap(), variant: VariantId::new("a").unwrap() };
        let rate = 0.02 + 0.1 * chance.random::<f64>();
        for _ in 0..30 {
            let region = chance.random_range(1..32_u16);
            let sparse = [(0, 1 << 20), (region, 1 << 20)];
            let features = Features::from_sparse(32, &sparse).unwrap();
            let accepted = i8::from(chance.random::<f64>() < rate);
            sequence += 1;
            let increment = Increment {
                generation: 0,
                weight: 1 << 16,
                features,
                exposure: 1,
                accepted,
                reward: 0,
                reward_squared: 0,
            };
            model.apply(sequence, &arm, &increment).unwrap();
        }
    }
    ModelView::derive(model.version(), placement, &placement.champion, model.lineup(catalogue), day, None)
}

fn request() -> DecisionRequest {
    DecisionRequest {
        decision_id: None,
        customer: Customer::default(),
        placement: PlacementId::new("home").unwrap(),
        count: Some(1),
        jurisdiction: Some("US-NY".into()),
        time_zone: Some("America/New_York".into()),
        context: BTreeMap::from([("region".to_owned(), Value::Text("r7".into()))]),
        basket: Vec::new(),
        candidates: None,
        store: None,
    }
}

fn decision(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for candidates in [10, 100, 1_000] {
        let snapshot = snapshot(candidates);
        let placement = snapshot.bundle.placement("home").unwrap();
        let model = &snapshot.models[&placement.id][0];
        let (request, id) = (request(), DecisionId::from_parts(NOW.0, [7; 10]));
        let digest = request.digest();
        let state = SubjectState::default();
        let subject =
            SubjectView { kind: SubjectKind::Customer, subject: SubjectId([1; 16]), version: 1, state: &state };
        let ask = Ask {
            request: &request,
            request_digest: digest,
            decision_id: id,
            id_minted: false,
            attempt: 0,
            purpose: DrawPurpose::Served,
            contended: false,
        };
        let whole = || decide(&snapshot, &ask, Some(subject), &GENERATOR, NOW).unwrap();
        let made = whole();
        assert!(made.skeleton.fallback.is_none(), "{:?}", made.skeleton.fallback);

        let mut part = |name: &str, run: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(name, candidates), |b| b.iter(&mut *run));
        };
        part("whole, record sealed", &mut || {
            let made = whole();
            black_box(Record::seal(made.skeleton, &made.private, &SubjectKey([1; 32])));
        });
        part("decide", &mut || drop(black_box(whole())));
        part("rules", &mut || {
            let windows = CapWindows::at(&snapshot.bundle, NOW, None);
            for offer in snapshot.catalogue.offers() {
                black_box(judge(&snapshot.bundle, placement, offer, Some(&state), &windows));
            }
        });
        let value = |id: &AttributeId| (id.name() == "region").then(|| Value::Text("r7".into()));
        let value_arms = || -> Vec<Arm> {
            let x = features(placement, LocalTime::utc(Timestamp(0)), &value).to_f64();
            let named =
                (0..snapshot.catalogue.candidates().len()).filter_map(|at| Some((at, snapshot.catalogue.at(at)?)));
            named
                .filter(|(_, (offer, _))| offer.offer_id != placement.fallback.offer)
                .map(|(at, (offer, _))| {
                    #[expect(clippy::cast_precision_loss, reason = "small amounts")]
                    let margin = offer.margin_minor() as f64;
                    model.arm(at, &x, margin, 0.0)
                })
                .collect()
        };
        part("features and scores", &mut || drop(black_box(scores(&placement.champion.strategy, &value_arms()))));
        let scored = scores(&placement.champion.strategy, &value_arms());
        assert_eq!(scored.len(), candidates);
        part("distribution and draw", &mut || {
            let w = model.distribution(black_box(&scored), false);
            let p = explore(&w, placement.champion.exploration);
            assert!(check(&p, placement.champion.exploration).is_ok());
            black_box(pick(&p, uniform(&GENERATOR, "default", &id, 0, DrawPurpose::Served)));
        });
        part("record sealed", &mut || {
            black_box(Record::seal(made.skeleton.clone(), &made.private, &SubjectKey([1; 32])));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .without_plots();
    targets = decision
}
criterion_main!(benches);
