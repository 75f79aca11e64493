//! Random rules about margins and prices, and what lies in a basket, for the law of shelves. Checks nothing.

use super::law_chance::Chance;
use crate::domain::{BasketLine, Currency, Money};

impl Chance {
    /// Lists of rules.
    pub(super) fn money_rules(&mut self) -> String {
        [
            self.list("margin_floors", |c| {
                let over = c.one(&["", "", ", over: answer", ", over: basket", ", over: basket, on_missing: allow"]);
                if over.is_empty() || c.often(5) {
                    return format!("min_margin: {}%{over}", c.below(60));
                }
                format!("min_margin: {}.00 USD{over}", c.below(40))
            }),
            self.list("price_limits", |c| {
                let limit = match c.below(5) {
                    0 => format!("max_discount: {}%", c.below(100)),
                    1 => format!("max_discount: {}.00 USD", c.below(30)),
                    2 => format!("min_price: {}.00 USD", c.below(40)),
                    3 => "respect: advertised_price_min".to_owned(),
                    _ => "respect: prior_price".to_owned(),
                };
                let allowed = if limit.starts_with("respect") { c.one(&["", ", on_missing: allow"]) } else { "" };
                limit + allowed
            }),
            self.list("price_personalisation", |c| {
                c.one(&[
                    "allowed: []",
                    "allowed: [customer.tier]",
                    "allowed: [customer.tier], banned_in: [US-NY]",
                    "banned_in: [EU], same_as: offer.brand",
                    "allowed: [], same_as: offer.brand, max_spread: 40%",
                    "same_as: offer.brand, max_spread: 25%, on_missing: allow",
                ])
                .to_owned()
            }),
        ]
        .concat()
    }

    /// Things of which most say what they earn.
    pub(super) fn basket(&mut self) -> Vec<BasketLine> {
        let dollars = |amount: i64| Some(Money { minor: amount * 100, currency: Currency::parse("USD").unwrap() });
        let count = self.below(3);
        let line = |_| BasketLine {
            sku: "thing".into(),
            category: None,
            quantity: u32::try_from(1 + self.below(3)).unwrap(),
            price: dollars(self.below(50)).filter(|_| self.often(9)),
            margin: dollars(self.below(30) - 10).filter(|_| self.often(9)),
        };
        (0..count).map(line).collect()
    }
}
