//! The worked example of `src/docs/worked_example.md`: its inputs are read from the page, everything it prints is
//! computed anew and compared, and the most important numbers are computed a second time by other means.

mod page;
mod render;
mod story;

use proffer::bandit::{Score, distribution_of, rules};
use proffer::domain::decision::{Record, leaf};
use proffer::domain::{Digest, Prior};
use proffer::engine::learner::Models;
use proffer::learning::LearningEvent;
use sha2::{Digest as _, Sha256};

use page::{Page, golden_names, hold, read_golden};
use story::{GENERATOR, INPUTS, SUBJECT_KEY, Story, arm};

#[test]
fn every_number_on_the_page_is_what_the_library_computes() {
    let page = Page::read();
    let story = Story::tell(&page);
    let computed = [
        ("keys", render::keys()),
        ("bundle", render::bundle(&story)),
        ("candidates", render::candidates(&story)),
        ("learned-before", render::history(&story)),
        ("features", render::features(&story)),
        ("posteriors", render::posteriors(&story)),
        ("distribution", render::distribution_block(&story, &story.first)),
        ("draw", render::draw(&story, &story.first)),
        ("sentences", render::sentences(&story, &story.first)),
        ("steps", render::steps(&story.first)),
        ("record", render::record(&story.first)),
        ("state", render::state(&story)),
        ("second-steps", render::steps(&story.second)),
        ("second-sentences", render::sentences(&story, &story.second)),
        ("events", render::events(&story)),
        ("integers", render::integers_block(&story)),
        ("digests", render::digests(&story)),
        ("better", render::better(&story)),
    ];
    let record = &story.first.batch.decisions[0].record;
    let order = &story.learned[1];
    let files = [
        ("skeleton.2", record.skeleton.clone()),
        ("private.2", record.private.clone()),
        ("learning_event.1", order.event.encode()),
        ("model.1", order.models.by_id[&story.placement.model_id()].encode()),
    ];
    let files = files.map(|(name, bytes)| (format!("worked_example.{name}.hex"), bytes));
    let rules = page.blocks_ending(".yaml").into_iter().map(|(label, _)| label);
    let inputs: Vec<&str> = INPUTS.into_iter().chain(rules).collect();
    hold(&page, &inputs, &computed, &files);
}

/// HMAC as RFC 2104 has it, from SHA-256 alone.
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let padded = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

#[test]
fn the_number_drawn_follows_from_the_revealed_key() {
    let story = Story::tell(&Page::read());
    for told in [&story.first, &story.second] {
        let tag = hmac(&GENERATOR.key, &render::draw_message(told).concat());
        let mut head = [0; 8];
        head.copy_from_slice(&tag[..8]);
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let u = (u64::from_be_bytes(head) >> 11) as f64 / (1_u64 << 53) as f64;
        assert_eq!(told.skeleton.slots[0].draw.u, u);
    }
}

#[test]
fn posteriors_and_distribution_follow_by_hand() {
    let page = Page::read();
    let story = Story::tell(&page);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{a} is not {b}");
    for event in &story.history {
        assert_eq!((event.increment.generation, event.increment.weight), (14, 1 << 21));
        assert_eq!(event.exposed_at.day().0, 14 * 24 * 60 + 300);
    }
    // One exposure x at half weight: theta = w r x / (1 + w x'x), by Sherman and Morrison.
    let free = story.posterior(&story.view, "free-shipping");
    free.theta().iter().zip([0.25, 0.0, 0.25]).for_each(|(theta, expected)| close(*theta, expected));
    close(free.variance(), 1.125 / 1.25);
    close(story.posterior(&story.view, "ten-off").variance(), 1.0 / 1.25);
    let deviations = [1_200.0 * 0.9_f64.sqrt(), 1_800.0 * (0.8 * 1.75_f64).sqrt()];
    let scored: Vec<_> = story.first.skeleton.candidates.iter().filter_map(|row| row.scored.as_ref()).collect();
    let p: Vec<f64> = story.first.skeleton.slots[0].probabilities.iter().copied().flatten().collect();
    for (scored, (mean, deviation)) in scored.iter().zip([600.0, -5.0].into_iter().zip(deviations)) {
        close(scored.mean, mean);
        close(scored.deviation, deviation);
    }
    let said = format!("Phi(605 / sqrt({:.1}^2 + {:.1}^2))", deviations[0], deviations[1]);
    assert!(page.says(&said), "the page does not say {said}");
    // Of two Gaussians, the first is larger with probability Phi of their distance in deviations of the difference.
    let distance = 605.0 / (deviations[0] * deviations[0] + deviations[1] * deviations[1]).sqrt();
    let pi = 0.5 * libm::erfc(-distance / std::f64::consts::SQRT_2);
    let scores: Vec<_> = scored.iter().map(|scored| Score::gaussian(scored.mean, scored.deviation)).collect();
    close(distribution_of(&story.placement.champion.strategy, rules::EXACT, &scores, false)[0], pi);
    assert!((p[0] - (0.05 / 2.0 + 0.95 * pi)).abs() < 1e-4, "the rule of the record keeps within 1e-4");
    close(p[0] + p[1], 1.0);
}

#[test]
fn the_leaf_and_the_batch_follow_from_the_bytes() {
    let story = Story::tell(&Page::read());
    let write = &story.first.batch.decisions[0];
    let by_hand = Digest(Sha256::digest([&[0], write.record.skeleton.as_slice()].concat()).into());
    assert_eq!((write.record.leaf, story.first.batch.digest), (by_hand, by_hand), "a tree of one leaf is that leaf");
}

#[test]
fn the_integers_are_products_and_the_refund_brings_them_back_exactly() {
    let story = Story::tell(&Page::read());
    let of = arm("free-shipping");
    let at = |models: &Models, name: &str| {
        render::integers(models, &story, &of).into_iter().find(|(named, _)| named == name).unwrap().1
    };
    let [exposure, order, refund] = &story.learned[..] else { panic!("three events") };
    let (w, q20) = (1_i128 << 22, 1_i128 << 20);
    for (name, exposed, ordered) in [
        ("sum w", w, 0),
        ("sum w r", 0, w),
        ("sum w r x_0", 0, w * q20),
        ("sum w r x_1", 0, 0),
        ("sum w x_0 x_0", w * q20 * q20, 0),
        ("sum w x_0 x_1", 0, 0),
        ("sum w x_0 x_2", w * q20 * q20, 0),
        ("reward", 0, 1_200),
        ("reward squared", 0, 1_440_000),
    ] {
        assert_eq!(at(&exposure.models, name) - at(&story.before, name), exposed, "{name} by the exposure");
        assert_eq!(at(&order.models, name) - at(&exposure.models, name), ordered, "{name} by the order");
        assert_eq!(at(&refund.models, name), at(&exposure.models, name), "{name} after the refund");
    }
    let digest = |models: &Models| models.by_id[&story.placement.model_id()].digest();
    assert_eq!(digest(&refund.models), digest(&exposure.models));
    assert_ne!(digest(&order.models), digest(&exposure.models));
}

#[test]
fn the_offer_shown_is_left_out_by_its_cap_an_hour_later() {
    let story = Story::tell(&Page::read());
    let shown = &story.first.skeleton.shown[0].offer;
    assert_eq!(shown.as_str(), "free-shipping");
    assert_ne!(story.second.skeleton.shown[0].offer, *shown);
    assert_eq!(story.second.batch.subjects[0].version, 2, "read from the state that the first decision made");
}

#[test]
fn old_bytes_stay_readable() {
    let skeletons = golden_names("worked_example.skeleton.");
    assert!(!skeletons.is_empty());
    for name in skeletons {
        let skeleton = read_golden(&name).unwrap();
        let private = read_golden(&name.replace("skeleton", "private")).unwrap();
        let record = Record { leaf: leaf(&skeleton), skeleton, private };
        let decoded = record.skeleton().unwrap();
        assert_eq!(decoded.decision_id.to_string(), "019cccc8-39c0-7000-8000-000000000005", "{name}");
        // What variants begin as was not kept at first.
        let early = ["worked_example.skeleton.1.hex", "worked_example.skeleton.2.early.hex"].contains(&name.as_str());
        assert_eq!(decoded.prior, (!early).then_some(Prior::None), "{name}");
        let opened = record.private(&SUBJECT_KEY).unwrap();
        // Nor, later, what else was asked for.
        assert_eq!(opened.context.asked.is_some(), name == "worked_example.skeleton.2.hex", "{name}");
        assert_eq!(opened.context.features, [(0, 1 << 20), (2, 1 << 20)], "{name}");
    }
    for name in golden_names("worked_example.learning_event.") {
        let event = LearningEvent::decode(&read_golden(&name).unwrap()).unwrap();
        assert_eq!((event.arm, event.increment.accepted), (arm("free-shipping"), 1), "{name}");
    }
    for name in golden_names("worked_example.model.") {
        let model = proffer::bandit::Model::decode(&read_golden(&name).unwrap()).unwrap();
        assert_eq!((model.sequence(), model.dimensions()), (4, 3), "{name}");
    }
}
