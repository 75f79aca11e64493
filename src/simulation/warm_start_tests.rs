//! What a warm start makes of a row: its amount, its name. Reads no store; who learns a row twice is tried on both
//! stores.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::replay::feedback::LoggedEvent;
use super::warm_start::{Mapping, WarmStart};
use crate::bandit::sample;
use crate::domain::{Catalogue, Currency, ObjectiveKind, OfferId, Placement, Propensity, Timestamp};

fn row(id: &str, reward: f64) -> LoggedEvent {
    LoggedEvent {
        line: 1,
        id: id.to_owned(),
        at: Timestamp(1_700_000_000_000),
        customer_id: "ann".to_owned(),
        context: BTreeMap::new(),
        candidates: None,
        chosen: OfferId::new("boots").unwrap(),
        propensity: Propensity::new(0.5).unwrap(),
        reward,
        slot: None,
    }
}

fn read(placement: &Placement, log: &[LoggedEvent]) -> WarmStart {
    let offer = json!({
        "offer_id": "boots", "price": {"amount": "100.00", "currency": "USD"},
        "cost_of_goods": {"amount": "60.00", "currency": "USD"}, "variants": [{"variant_id": "a"}],
    });
    let catalogue = Catalogue::new(1, vec![serde_json::from_value(offer).unwrap()], Vec::new());
    WarmStart::read(placement, &catalogue, log, &Mapping::default(), Timestamp(1_800_000_000_000)).unwrap()
}

fn placement(currency: &str, kind: ObjectiveKind) -> Placement {
    let mut placement = Placement { currency: Currency::parse(currency).unwrap(), ..sample::placement() };
    placement.objective.kind = kind;
    placement
}

#[test]
fn a_reward_is_learned_in_minor_units_of_the_placements_currency_and_up_to_its_cap() {
    // The cap is 20,000 minor units.
    let check = |currency: &str, kind: ObjectiveKind, reward: f64, accepted: bool, minor: i64| {
        let read = read(&placement(currency, kind), &[row("one", reward)]);
        let learned = &read.rows[0];
        assert_eq!((learned.applied.accepted, learned.applied.reward_minor), (accepted, minor), "{reward} {currency}");
        let increment = &learned.event.increment;
        let square = i128::from(minor) * i128::from(minor);
        assert_eq!((increment.exposure, increment.accepted), (1, i8::from(accepted)));
        assert_eq!((increment.reward, increment.reward_squared), (minor, square), "{reward} {currency}");
    };
    check("USD", ObjectiveKind::Margin, 28.0, true, 2_800);
    check("USD", ObjectiveKind::Margin, 0.286, true, 29);
    check("USD", ObjectiveKind::Margin, 0.0, false, 0);
    check("USD", ObjectiveKind::Margin, 1e9, true, 20_000);
    check("JPY", ObjectiveKind::Margin, 28.0, true, 28);
    check("KWD", ObjectiveKind::Margin, 2.5, true, 2_500);
    check("USD", ObjectiveKind::Conversion, 28.0, true, 0);
    check("USD", ObjectiveKind::Click, 1.0, true, 0);
}

#[test]
fn a_row_has_the_name_of_its_line_in_its_file_and_of_the_model_that_learns_it() {
    let home = placement("USD", ObjectiveKind::Margin);
    let names = |placement: &Placement, ids: &[&str]| -> Vec<_> {
        let log: Vec<LoggedEvent> = ids.iter().map(|id| row(id, 1.0)).collect();
        read(placement, &log).rows.into_iter().map(|row| row.decision_id).collect()
    };
    // All at one instant.
    let three = names(&home, &["one", "two", "three"]);
    assert_eq!(three.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(names(&home, &["three", "one"]), [three[2], three[0]], "whatever stands beside it");
    let shelf = Placement { id: crate::domain::PlacementId::new("shelf").unwrap(), ..home };
    assert!(names(&shelf, &["one", "two", "three"]).iter().all(|name| !three.contains(name)));
}
