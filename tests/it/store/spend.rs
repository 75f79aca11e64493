//! Sums of spending: differences add up with the step that stores them, by campaign and by placement and day.

use std::sync::Arc;

use proffer::domain::{CampaignId, Day, PlacementId, Spend, SpendKey};
use proffer::store::{Learned, Spent};

use super::lease::elected;
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    sums_of_spending_are_those_of_all_steps_that_were_stored,
}

fn campaign(name: &str, day: i32) -> SpendKey {
    SpendKey::Campaign(CampaignId::new(name).unwrap(), Day(day))
}

fn exploration(name: &str, day: i32) -> SpendKey {
    SpendKey::Exploration(PlacementId::new(name).unwrap(), Day(day))
}

async fn sums_of_spending_are_those_of_all_steps_that_were_stored(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    assert_eq!(store.spend(Day(9)).await.unwrap(), Spend::none(Day(9)));
    let learn = async |term: u64, spent: &[(SpendKey, i64)]| {
        let spent: Spent = spent.iter().cloned().collect();
        store.learn(term, &Learned { spent, ..Learned::default() }).await.unwrap()
    };
    assert!(learn(term, &[(campaign("sale", 8), 300), (exploration("home", 8), 7_000_000)]).await);
    assert!(learn(term, &[(campaign("sale", 9), 500), (campaign("tea", 9), 1), (exploration("home", 9), 2)]).await);
    // The same name means another thing, and a refund takes back from the day of its decision.
    assert!(learn(term, &[(campaign("sale", 8), -300), (campaign("home", 9), 5), (exploration("home", 9), 3)]).await);
    assert!(!learn(term + 1, &[(campaign("sale", 9), 1_000)]).await, "a fenced step counts nothing");
    let found = store.spend(Day(9)).await.unwrap();
    let mut expected = Spend::none(Day(9));
    for (key, amount) in [(campaign("sale", 8), 500), (campaign("tea", 9), 1), (campaign("home", 9), 5)] {
        expected.add(&key, amount);
    }
    expected.add(&exploration("home", 9), 5);
    assert_eq!(found, expected);
    assert_eq!(store.spend(Day(8)).await.unwrap().explored_on(&PlacementId::new("home").unwrap(), Day(8)), 7_000_000);
    let other = database.open().await;
    assert_eq!(other.spend(Day(9)).await.unwrap(), expected);
}
