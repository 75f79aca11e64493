//! The plain reading of gates over groups: a discount is for every value of an attribute, or for none. Reads no
//! customer's own value.

use super::asked::Asked;
use super::chance::Chance;
use super::folk::text;
use super::town::TIERS;
use super::written::{Kind, Says, Written};
use crate::domain::{Offer, Value};

struct Groups(&'static str);

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(Groups(chance.one(&["customer.tier", "customer.member", "customer.staff"])))
}

impl Kind for Groups {
    fn text(&self) -> String {
        format!("attribute: {}, check: one_group_discount", self.0)
    }

    fn says(&self, _: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        if offer.discount.is_none_or(|discount| discount.minor == 0) {
            return Says::default();
        }
        let groups =
            if self.0 == "customer.tier" { TIERS.map(text).to_vec() } else { [true, false].map(Value::Bool).into() };
        let open = |group: &&Value| {
            let mut supposed = asked.clone();
            supposed.seen.insert(self.0.to_owned(), (*group).clone());
            let mut asking = supposed.town.rules.iter().filter(|rule| {
                let blocks = (rule.is_condition() || rule.list == "availability") && rule.severity == "block";
                blocks && rule.holds(&supposed) && rule.applies(&supposed, offer)
            });
            asking.all(|rule| rule.kind.says(rule, &supposed, offer).against.is_none())
        };
        let count = |count: usize| i64::try_from(count).ok();
        let (all, open) = (groups.len(), groups.iter().filter(open).count());
        Says { against: (0 < open && open < all).then(|| (count(open), count(all))), reading: None }
    }
}
