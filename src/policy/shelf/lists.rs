//! List prices on a shelf: what a customer pays less for an offer than it costs by the list, by whichever way. Asks
//! about no customer and computes no net price.

use std::collections::BTreeMap;

use super::super::bundle::Bundle;
use super::super::kinds::diversity::Per;
use super::is_considered;
use super::keys::kinds;
use super::prices::same_as;
use crate::domain::{Offer, OfferId, Placement};

/// What each product costs at most at one placement, in minor units: by offers of which a rule of personalised prices
/// says that they sell the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPrices(BTreeMap<OfferId, i64>);

impl ListPrices {
    /// Of the offers of one catalogue that may be shown there, in the placement's currency.
    pub fn of(bundle: &Bundle, placement: &Placement, offers: &[Offer]) -> Self {
        let mut lists: BTreeMap<OfferId, i64> = BTreeMap::new();
        let here = bundle.rules.iter().filter(|rule| rule.applies_to.covers_placement(placement));
        for attribute in here.filter_map(same_as) {
            let products = kinds(&Per::of(attribute), offers);
            let sold = || products.iter().zip(offers).filter_map(|(product, offer)| Some(((*product)?, offer)));
            let mut dearest: BTreeMap<u32, i64> = BTreeMap::new();
            let counts = |offer: &Offer| is_considered(placement, offer) && offer.currency() == placement.currency;
            for (product, offer) in sold().filter(|(_, offer)| counts(offer)) {
                let list = dearest.entry(product).or_insert(offer.price.minor);
                *list = offer.price.minor.max(*list);
            }
            for (product, offer) in sold() {
                let Some(list) = dearest.get(&product) else { continue };
                let known = lists.entry(offer.offer_id.clone()).or_insert(*list);
                *known = (*list).max(*known);
            }
        }
        Self(lists)
    }

    /// What a customer pays less for an offer than its list price: by a discount, or because it is the cheaper one of
    /// those that sell the same.
    pub fn less_minor(&self, offer: &Offer) -> i64 {
        let list = self.0.get(&offer.offer_id).copied().unwrap_or_default().max(offer.price.minor);
        list.saturating_sub(offer.net_price_minor())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::sample::{MARGIN, PLACEMENTS, files};
    use crate::policy::{Source, compile};

    fn offer(id: &str, price: &str, discount: &str, product: Option<&str>) -> Offer {
        let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
        let mut offer = json!({
            "offer_id": id, "price": money(price), "discount": money(discount), "variants": [{"variant_id": "a"}],
        });
        if let Some(product) = product {
            offer["attributes"] = json!({"brand": product});
        }
        serde_json::from_value(offer).unwrap()
    }

    /// What is paid less for each of some offers at the home banner, in minor units.
    fn less(rule: &str, offers: &[Offer]) -> Vec<i64> {
        let mut files: Vec<Source> = files();
        files.iter_mut().find(|file| file.path == MARGIN).unwrap().text.push_str(rule);
        let attribute = "  - {id: offer.brand, type: text}\n";
        let attributes = files.iter_mut().find(|file| file.path == "catalog/attributes.yaml").unwrap();
        if !attributes.text.contains("offer.brand") {
            attributes.text.push_str(attribute);
        }
        assert!(files.iter().any(|file| file.path == PLACEMENTS && file.text.contains("id: home_banner\n")));
        let bundle = compile(&files).unwrap_or_else(|findings| panic!("{findings:?}"));
        let lists = ListPrices::of(&bundle, bundle.placement("home_banner").unwrap(), offers);
        offers.iter().map(|offer| lists.less_minor(offer)).collect()
    }

    #[test]
    fn what_is_paid_less_than_the_list_price_counts_by_whichever_way() {
        let shelf = [
            offer("a", "100.00", "0.00", Some("boot")),
            offer("b", "80.00", "0.00", Some("boot")),
            offer("c", "90.00", "15.00", Some("boot")),
            offer("d", "70.00", "5.00", Some("lamp")),
            offer("e", "60.00", "5.00", None),
            offer("f", "50.00", "0.00", None),
        ];
        assert_eq!(less("", &shelf), [0, 0, 1_500, 500, 500, 0], "nobody says what sells the same");
        let rule = |more: &str| {
            format!("price_personalisation:\n  - {{id: p, why: Memo, same_as: offer.brand, allowed: []{more}}}\n")
        };
        assert_eq!(less(&rule(""), &shelf), [0, 2_000, 2_500, 500, 500, 0]);
        let elsewhere = ", applies_to: {placements: [home_banner_linucb]}";
        assert_eq!(less(&rule(elsewhere), &shelf), [0, 0, 1_500, 500, 500, 0], "not here");
        // What nobody may be shown is no list price.
        let mut paused = shelf;
        paused[0].status = crate::domain::OfferStatus::Paused;
        assert_eq!(less(&rule(""), &paused), [0, 1_000, 2_500 - 1_000, 500, 500, 0]);
        paused[2].price.currency = crate::domain::Currency::parse("EUR").unwrap();
        assert_eq!(less(&rule(""), &paused)[1], 0, "nor is another currency's");
    }
}
