//! Budgets and stock as rules: what may be given out of a pool, and what is counted apart. Gives nothing out.

mod asked;
mod kept;
mod read;

pub use asked::{Pools, PoolsAsked};
pub(in crate::policy) use kept::{Pooled, pooled};
pub(in crate::policy) use read::{BUDGET_FIELDS, STOCK_FIELDS, budget, stock};

use chrono_tz::Tz;

use super::caps::{CalendarUnit, CapWindow, Zone};
use crate::domain::{Currency, Money, Span, Timestamp};

/// A pool that a rule limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// How much of what.
    pub amount: PoolAmount,
    /// What is counted apart.
    pub by: PoolBy,
    /// Since when.
    pub window: PoolWindow,
    /// Whether it is given out evenly over its window: never more than the share of it that has passed.
    pub even: bool,
}

/// How much may be given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolAmount {
    /// Offers chosen, each one unit.
    Units(u32),
    /// Their discounts and costs of showing.
    Money(Money),
}

/// What has a pool of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolBy {
    /// Everything that the rule applies to, together.
    All,
    /// Each offer.
    Offer,
    /// Each category; offers of none together.
    Category,
    /// Each campaign; offers of none together.
    Campaign,
    /// Each placement.
    Placement,
    /// Each offer in each store.
    OfferInStore,
}

/// Since when is counted what was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolWindow {
    /// Since ever.
    Lifetime,
    /// Since the current period began.
    Calendar(CalendarUnit, Tz),
}

/// Longer than any period.
const PERIOD_MAX: Span = Span(40 * 86_400_000);

impl PoolWindow {
    /// When the period that holds `now` began; 0 without periods.
    pub fn began(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Lifetime => Timestamp(0),
            Self::Calendar(unit, zone) => CapWindow::Calendar(unit, Zone::Named(zone)).from(now, Tz::UTC),
        }
    }

    /// When it ends: the first instant of the next one.
    fn ends(self, now: Timestamp) -> Timestamp {
        let (began, mut low, mut high) = (self.began(now), now.0, now.plus(PERIOD_MAX).0);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.began(Timestamp(middle)) == began { low = middle } else { high = middle }
        }
        Timestamp(high)
    }
}

impl Pool {
    /// What may have been given out of it by an instant; units or minor units.
    ///
    /// Given out evenly: `amount (t - began + 1) / (end - began)`, rounded up, so that something is there at once.
    pub fn total(&self, now: Timestamp) -> i64 {
        let amount = match self.amount {
            PoolAmount::Units(units) => i64::from(units),
            PoolAmount::Money(money) => money.minor,
        };
        if !self.even || self.window == PoolWindow::Lifetime {
            return amount;
        }
        let (began, ends) = (i128::from(self.window.began(now).0), i128::from(self.window.ends(now).0));
        let (passed, whole) = (i128::from(now.0) - began + 1, (ends - began).max(1));
        let share = (i128::from(amount) * passed + whole - 1) / whole;
        i64::try_from(share).unwrap_or(amount).min(amount)
    }

    /// That it leaves an offer out, in words: so much is gone of what may be given out.
    pub(in crate::policy) fn told(&self, gone: Option<i64>, total: Option<i64>, currency: Currency) -> String {
        let (Some(gone), Some(total)) = (gone, total) else { return "the store asked in is not known".to_owned() };
        let paced = if self.even { " that may be given out by then" } else { "" };
        match self.amount {
            PoolAmount::Units(_) => {
                let units = if total == 1 { "unit" } else { "units" };
                format!("of {total} {units}{paced} {gone} are ordered or reserved{}", self.whose())
            }
            PoolAmount::Money(_) => {
                let money = |minor| Money { minor, currency };
                format!("of {}{paced} {} is spent or reserved{}", money(total), money(gone), self.whose())
            }
        }
    }

    fn whose(&self) -> &'static str {
        match self.by {
            PoolBy::All => "",
            PoolBy::Offer => " of this offer",
            PoolBy::Category => " in its category",
            PoolBy::Campaign => " in its campaign",
            PoolBy::Placement => " at this placement",
            PoolBy::OfferInStore => " of this offer in this store",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn pool(units: u32, unit: CalendarUnit, zone: &str) -> Pool {
        let window = PoolWindow::Calendar(unit, zone.parse().unwrap());
        Pool { amount: PoolAmount::Units(units), by: PoolBy::All, window, even: true }
    }

    #[test]
    fn a_day_of_25_hours_is_given_out_evenly_and_the_next_begins_anew() {
        // The clocks go back in the night to 2026-10-25.
        let day = pool(25, CalendarUnit::Day, "Europe/Berlin");
        let total = |text| day.total(at(text));
        assert_eq!(day.window.ends(at("2026-10-25T10:00:00Z")), at("2026-10-25T23:00:00Z"));
        assert_eq!(total("2026-10-24T22:00:00Z"), 1, "something is there at once");
        assert_eq!(total("2026-10-24T22:59:59.999Z"), 1);
        assert_eq!(total("2026-10-24T23:00:00Z"), 2);
        assert_eq!(total("2026-10-25T22:59:59.999Z"), 25);
        assert_eq!(total("2026-10-25T23:00:00Z"), 1, "it begins anew");
        assert_eq!(total("2026-10-26T23:00:00Z"), 1);
        assert_eq!(total("2026-10-26T11:00:00Z"), 13, "half of a day of 24 hours");
        let month = pool(310, CalendarUnit::Month, "UTC");
        assert_eq!(month.total(at("2026-01-31T23:59:59.999Z")), 310);
        assert_eq!(month.total(at("2026-01-15T23:59:59.999Z")), 150);
        let all = Pool { even: false, ..month };
        assert_eq!(all.total(at("2026-01-01T00:00:00Z")), 310);
    }

    #[test]
    fn what_is_gone_is_told_with_what_there_was() {
        let usd = Currency::parse("USD").unwrap();
        let amount = PoolAmount::Money(Money { minor: 10_000, currency: usd });
        let budget = Pool { amount, by: PoolBy::Campaign, window: PoolWindow::Lifetime, even: false };
        let told = budget.told(Some(9_800), Some(10_000), usd);
        assert_eq!(told, "of 100.00 USD 98.00 USD is spent or reserved in its campaign");
        let day = pool(25, CalendarUnit::Day, "UTC");
        assert_eq!(
            day.told(Some(2), Some(2), usd),
            "of 2 units that may be given out by then 2 are ordered or reserved"
        );
        assert_eq!(day.told(None, None, usd), "the store asked in is not known");
    }
}
