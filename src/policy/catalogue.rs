//! Whether offers and campaigns fit the bundle, each other and the catalogue that is there: everything wrong at once.
//! Judges no margin and stores nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::Bundle;
use super::suggest::did_you_mean;
use crate::domain::{
    AttributeScope, Campaign, CampaignId, Catalogue, CatalogueDraft, Currency, Offer, OfferId, Placed, Value,
};

/// Something in a change of the catalogue that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueProblem {
    /// RFC 6901 pointer into what was sent.
    pub pointer: String,
    /// What was wrong, what was expected, how to mend it.
    pub message: String,
}

/// Gathers what is wrong.
#[derive(Default)]
struct Problems(Vec<CatalogueProblem>);

impl Problems {
    fn add(&mut self, at: &str, below: &str, message: impl Into<String>) {
        self.0.push(CatalogueProblem { pointer: format!("{at}{below}"), message: message.into() });
    }

    fn extend(&mut self, at: &str, found: Vec<(String, String)>) {
        for (below, message) in found {
            self.add(at, &below, message);
        }
    }
}

/// Everything wrong with a draft, campaigns first, each in the order sent: by itself, by what the bundle declares, and
/// beside what the catalogue holds that it is to change.
pub fn check_catalogue(draft: &CatalogueDraft, bundle: &Bundle, present: &Catalogue) -> Vec<CatalogueProblem> {
    let mut problems = Problems::default();
    let campaigns = campaigns(draft, present);
    let offered: BTreeSet<&OfferId> = draft.offers.iter().map(|placed| &placed.item.offer_id).collect();
    let mut seen = BTreeSet::new();
    for Placed { at, item: campaign } in &draft.campaigns {
        problems.extend(at, campaign.problems());
        if !seen.insert(&campaign.campaign_id) {
            problems.add(
                at,
                "/campaign_id",
                format!("campaign `{}` appears twice: send it once", campaign.campaign_id),
            );
        }
        // Offers that are sent too are blamed themselves.
        let stay = present.offers().iter().filter(|offer| !offered.contains(&offer.offer_id));
        let mut stay = stay.filter(|offer| offer.campaign.as_ref() == Some(&campaign.campaign_id));
        if let Some(budget) = campaign.budget
            && let Some(offer) = stay.find(|offer| offer.currency() != budget.currency)
        {
            let message = format!(
                "the budget is in {} but offer `{}` of this campaign is priced in {}: use one currency for the whole \
                 campaign",
                budget.currency,
                offer.offer_id,
                offer.currency()
            );
            problems.add(at, "/budget/currency", message);
        }
    }
    let mut seen = BTreeSet::new();
    for Placed { at, item: offer } in &draft.offers {
        problems.extend(at, offer.problems());
        attributes(&mut problems, at, offer, bundle);
        if let Some(named) = &offer.campaign {
            campaign(&mut problems, at, (offer, named), &campaigns, &draft.campaigns_unread);
        }
        if !seen.insert(&offer.offer_id) {
            problems.add(at, "/offer_id", format!("offer `{}` appears twice: send it once", offer.offer_id));
        }
    }
    problems.0
}

/// Every campaign that there will be, with the currency of its budget.
fn campaigns<'a>(draft: &'a CatalogueDraft, present: &'a Catalogue) -> BTreeMap<&'a CampaignId, Option<Currency>> {
    let sent = draft.campaigns.iter().map(|placed| &placed.item);
    let all = present.campaigns().values().chain(sent);
    all.map(|campaign: &Campaign| (&campaign.campaign_id, campaign.budget.map(|budget| budget.currency))).collect()
}

/// Attributes and categories as the bundle declares them.
fn attributes(problems: &mut Problems, at: &str, offer: &Offer, bundle: &Bundle) {
    let category = |category: &str| -> Option<String> {
        let value = BTreeMap::from([("category".to_owned(), Value::Text(category.to_owned()))]);
        bundle.check_attributes(AttributeScope::Offer, &value).pop().map(|(_, message)| message)
    };
    if let Some(message) = offer.category.as_ref().and_then(|name| category(name.as_str())) {
        problems.add(at, "/category", message);
    }
    for (position, name) in offer.more_categories.iter().enumerate() {
        let below = format!("/more_categories/{position}");
        if offer.categories().take(position + 1).any(|earlier| earlier == name) {
            problems.add(at, &below, format!("category `{name}` appears twice: name each once"));
        } else if let Some(message) = category(name.as_str()) {
            problems.add(at, &below, message);
        }
    }
    for (name, message) in bundle.check_attributes(AttributeScope::Offer, &offer.attributes) {
        problems.add(at, &format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1")), message);
    }
}

/// The campaign that an offer names.
fn campaign(
    problems: &mut Problems,
    at: &str,
    (offer, named): (&Offer, &CampaignId),
    known: &BTreeMap<&CampaignId, Option<Currency>>,
    unread: &[String],
) {
    match known.get(named) {
        None if unread.iter().any(|id| id == named.as_str()) => {}
        None => {
            let meant = did_you_mean(named.as_str(), known.keys().map(|id| id.as_str()));
            let way = if meant.is_empty() { ": send the campaign first, or with the offer" } else { meant.as_str() };
            problems.add(at, "/campaign", format!("campaign `{named}` is not in the catalogue{way}"));
        }
        Some(Some(currency)) if *currency != offer.currency() => {
            let message = format!(
                "the offer is priced in {} but the budget of campaign `{named}` is in {currency}: use one currency for \
                 the whole campaign",
                offer.currency()
            );
            problems.add(at, "/campaign", message);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::policy::sample::bundle;

    fn campaign(id: &str, budget: &str) -> Campaign {
        let budget = json!({"amount": "100.00", "currency": budget});
        serde_json::from_value(json!({"campaign_id": id, "owner": "toys", "budget": budget})).unwrap()
    }

    fn offer(id: &str, more: &Json) -> Offer {
        let price = json!({"amount": "20.00", "currency": "USD"});
        let mut offer = json!({"offer_id": id, "price": price, "variants": [{"variant_id": "a"}]});
        offer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(offer).unwrap()
    }

    fn check(draft: &CatalogueDraft, present: &Catalogue) -> String {
        let found = check_catalogue(draft, &bundle(), present);
        let told: Vec<String> = found.iter().map(|one| format!("{}: {}", one.pointer, one.message)).collect();
        told.join("\n")
    }

    #[test]
    fn everything_wrong_with_offers_and_campaigns_is_told_at_once() {
        let there = offer("there", &json!({"campaign": "spring"}));
        let present = Catalogue::new(1, vec![there], vec![campaign("spring", "USD"), campaign("euro", "EUR")]);
        let mut nobody = campaign("summer", "USD");
        nobody.owner = " ".into();
        let draft = CatalogueDraft {
            recounted: None,
            campaigns: vec![
                Placed::new("/campaigns/0", nobody),
                Placed::new("/campaigns/1", campaign("spring", "EUR")),
                Placed::new("/campaigns/2", campaign("summer", "USD")),
            ],
            offers: vec![
                Placed::new("/offers/0", offer("a", &json!({"campaign": "sprung", "category": "shoe"}))),
                Placed::new("/offers/1", offer("b", &json!({"campaign": "euro", "attributes": {"colour": "red"}}))),
                Placed::new("/offers/2", offer("a", &json!({"campaign": "elsewhere"}))),
                Placed::new("/offers/4", offer("c", &json!({"campaign": "broken"}))),
                Placed::new(
                    "/offers/5",
                    offer("d", &json!({"category": "shoes", "more_categories": ["shoes", "x"], "variants": []})),
                ),
            ],
            campaigns_unread: vec!["broken".into()],
        };
        insta::assert_snapshot!(check(&draft, &present), @r#"
        /campaigns/0/owner: nobody owns the campaign: name a team or a person
        /campaigns/1/budget/currency: the budget is in EUR but offer `there` of this campaign is priced in USD: use one currency for the whole campaign
        /campaigns/2/campaign_id: campaign `summer` appears twice: send it once
        /offers/0/category: `shoe` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `beauty`, `grocery`, `electronics`, `service`; did you mean `shoes`?
        /offers/0/campaign: campaign `sprung` is not in the catalogue; did you mean `spring`?
        /offers/1/attributes/colour: `offer.colour` is not declared in catalog/attributes.yaml
        /offers/1/campaign: the offer is priced in USD but the budget of campaign `euro` is in EUR: use one currency for the whole campaign
        /offers/2/campaign: campaign `elsewhere` is not in the catalogue: send the campaign first, or with the offer
        /offers/2/offer_id: offer `a` appears twice: send it once
        /offers/5/variants: an offer needs at least one variant
        /offers/5/more_categories/0: category `shoes` appears twice: name each once
        /offers/5/more_categories/1: `x` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `beauty`, `grocery`, `electronics`, `service`
        "#);
    }

    #[test]
    fn what_fits_has_no_problems() {
        let draft = CatalogueDraft {
            recounted: None,
            campaigns: vec![Placed::new("", campaign("spring", "USD"))],
            offers: vec![Placed::new("", offer("a", &json!({"campaign": "spring", "category": "shoes"})))],
            campaigns_unread: Vec::new(),
        };
        assert_eq!(check(&draft, &Catalogue::default()), "");
    }
}
