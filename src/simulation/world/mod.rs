//! Worlds: one file of `simulators/` as it is written, with its defaults. Draws nothing.

mod calendar;

mod check;

mod response;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use calendar::{Calendar, Weekday};
pub use check::WorldError;
pub(in crate::simulation) use response::Shown;
pub use response::{Change, Effect, Hours, Response};

use crate::domain::{AttributeId, Campaign, CategoryId, Offer, OfferId, PlacementId};

/// A world of customers: who they are, what there is for them, how they truly respond.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// For people.
    pub name: String,
    /// When visits happen.
    #[serde(default)]
    pub calendar: Calendar,
    /// Who there is.
    pub population: Population,
    /// Where visitors are shown something; one banner unless said otherwise.
    #[serde(default = "one_banner")]
    pub placements: Vec<Place>,
    /// Which placements a visit passes; every one of them unless said otherwise.
    #[serde(default)]
    pub journeys: Vec<Journey>,
    /// What happens to orders.
    pub orders: Orders,
    /// What changes tastes at a day.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// In the form of the import.
    #[serde(default)]
    pub campaigns: Vec<Campaign>,
    /// What there is to show.
    pub offers: Vec<WorldOffer>,
}

/// Where visitors are shown something.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// As the service knows it.
    pub id: PlacementId,
    /// What it adds to the log-odds of everything shown there.
    #[serde(default)]
    pub adds: f64,
    /// What exploring may cost there on one day, as `placements.yaml` has it: `20.00`, in the currency of the offers.
    #[serde(default)]
    pub exploration_budget: Option<String>,
    /// The cheapest intervention, as `placements.yaml` has it: `{share: 90%}`.
    #[serde(default)]
    pub cheapest: Option<Reaching>,
}

/// What an intervention has to reach so that it may be taken in place of a dearer one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaching {
    /// Of the best expected score, in percent.
    pub share: String,
}

/// The placements that a share of the visits passes, in their order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journey {
    /// Of all visits; shares sum to 1.
    pub share: f64,
    /// At least one; each of them is a decision.
    pub passes: Vec<PlacementId>,
}

/// Who there is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// How many customers.
    pub customers: usize,
    /// Share of customers who refuse personalisation, from 0 to 1.
    pub consent_refused: f64,
    /// Those who consent at first and not for ever.
    #[serde(default)]
    pub consent_withdrawn: Withdrawn,
    /// Deviation of a customer's own liking for a category, in log-odds: what no attribute tells.
    pub taste: f64,
    /// The same for categories that have another one.
    #[serde(default)]
    pub tastes: BTreeMap<CategoryId, f64>,
    /// Likings that run through all categories.
    #[serde(default)]
    pub factors: Factors,
    /// How customers respond to money.
    #[serde(default)]
    pub price: PriceSensitivity,
    /// How attributes are spread: those of a customer are drawn once, those of a context at every visit.
    pub attributes: BTreeMap<AttributeId, Drawn>,
}

/// Customers who withdraw their consent, on any day of the first so many with the same chance.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Of those who consented, from 0 to 1.
    pub share: f64,
    /// Counted from the start of the world.
    pub within_days: u32,
}

/// Likings that run through all categories: every customer and every offer has a place in a space of so many
/// dimensions, and the nearer their directions, the more the customer likes the offer. No attribute tells it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factors {
    /// Dimensions; none without factors.
    pub number: usize,
    /// Of what they add to the log-odds.
    pub deviation: f64,
}

/// How customers respond to money: log-odds, drawn for each customer, never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSensitivity {
    /// Added for each unit of the discount relative to the price: at 4, a quarter off adds 1.
    #[serde(default)]
    pub discount: Spread,
    /// Taken away for each unit of the net price's logarithm above the mean of all offers.
    #[serde(default)]
    pub log_price: Spread,
}

/// A normal distribution.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Its mean.
    pub mean: f64,
    /// Its deviation.
    pub deviation: f64,
}

/// How an attribute is spread over customers or visits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawn {
    /// Names with their shares, which sum to 1.
    Shares(BTreeMap<String, f64>),
    /// A whole number: normal, rounded, held within bounds.
    Number {
        /// Mean before rounding.
        mean: f64,
        /// Deviation before rounding.
        deviation: f64,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
}

/// What happens to orders. Shares are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Relative deviation of an order's margin from the catalogue's.
    pub margin_spread: f64,
    /// How long after the decision an order is placed.
    #[serde(default)]
    pub delay: Delay,
    /// Share of orders that are refunded, in full unless `refunds` says otherwise.
    pub refunded: f64,
    /// How refunds come.
    #[serde(default)]
    pub refunds: Refunds,
    /// Share of orders whose webhook arrives twice.
    pub sent_twice: f64,
    /// Share of orders whose webhook is held up for an hour, and arrives behind that of its own refund.
    #[serde(default)]
    pub out_of_order: f64,
}

/// How long something takes: at once, or log-normal.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// Share that takes no time.
    pub at_once: f64,
    /// Half of the rest takes less than this.
    pub median_hours: f64,
    /// Deviation of the logarithm of the hours.
    pub spread: f64,
}

impl Delay {
    /// P(it takes no longer than so many hours).
    pub(in crate::simulation) fn by(&self, hours: f64) -> f64 {
        let late = match hours {
            hours if hours <= 0.0 => 0.0,
            _ if self.median_hours <= 0.0 => 1.0,
            hours if self.spread <= 0.0 => f64::from(u8::from(hours >= self.median_hours)),
            hours => {
                let z = libm::log(hours / self.median_hours) / self.spread;
                0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
            }
        };
        self.at_once + (1.0 - self.at_once) * late
    }
}

impl Default for Delay {
    fn default() -> Self {
        Self { at_once: 1.0, median_hours: 0.0, spread: 0.0 }
    }
}

/// How refunds come.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refunds {
    /// After the order.
    #[serde(default)]
    pub delay: Delay,
    /// Share of refunds that give back a part only.
    pub partial: f64,
    /// That part of the order, above 0 and below 1.
    pub part: f64,
}

impl Default for Refunds {
    fn default() -> Self {
        Self { delay: Delay::default(), partial: 0.0, part: 0.5 }
    }
}

/// An offer as it is imported, and how customers truly respond to it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldOffer {
    /// In the form of the import.
    pub offer: Offer,
    /// Nothing for house content, which nobody accepts.
    #[serde(default)]
    pub response: Option<Response>,
    /// How long after the decision it is ordered, where that is not as `orders.delay` says.
    #[serde(default)]
    pub delay: Option<Delay>,
}

fn one_banner() -> Vec<Place> {
    PlacementId::new("home_banner")
        .map(|id| Place { id, adds: 0.0, exploration_budget: None, cheapest: None })
        .into_iter()
        .collect()
}

impl World {
    /// Parses a world file, or says everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let mut world: Self = serde_saphyr::from_str(text).map_err(|error| WorldError::Shape(error.to_string()))?;
        if world.journeys.is_empty() {
            let passes = world.placements.iter().map(|place| place.id.clone()).collect();
            world.journeys.push(Journey { share: 1.0, passes });
        }
        let problems = check::problems(&world, text);
        if problems.is_empty() { Ok(world) } else { Err(WorldError::Wrong(problems)) }
    }

    /// The offer of an id.
    pub fn offer(&self, offer_id: &str) -> Option<&WorldOffer> {
        self.offers.get(self.position(offer_id)?)
    }

    /// The offers that are imported, in the order of the file.
    pub fn catalogue(&self) -> Vec<&Offer> {
        self.offers.iter().map(|offer| &offer.offer).collect()
    }

    /// Position of an offer in the file.
    pub(super) fn position(&self, offer_id: &str) -> Option<usize> {
        self.offers.iter().position(|offer| offer.offer.offer_id.as_str() == offer_id)
    }

    /// How long after the decision an offer is ordered.
    pub(in crate::simulation) fn delay_of(&self, offer_id: &OfferId) -> Delay {
        self.offer(offer_id.as_str()).and_then(|offer| offer.delay).unwrap_or(self.orders.delay)
    }

    /// Share of an order's margin that is kept in the mean, after refunds.
    ///
    /// `1 - refunded (1 - partial (1 - part))`
    pub fn margin_kept(&self) -> f64 {
        let Orders { refunded, refunds, .. } = self.orders;
        1.0 - refunded * (1.0 - refunds.partial * (1.0 - refunds.part))
    }

    /// What changes have added to an offer's log-odds up to a day, counted from 0.
    fn changed(&self, offer_id: &OfferId, category: Option<&CategoryId>, day: u32) -> f64 {
        let of = |change: &&Change| {
            let meant = change.offers.contains(offer_id)
                || category.is_some_and(|category| change.categories.contains(category));
            meant && change.day <= day
        };
        self.changes.iter().filter(of).map(|change| change.adds).sum()
    }
}

impl Population {
    fn mean(&self, id: &AttributeId) -> f64 {
        match self.attributes.get(id) {
            Some(Drawn::Number { mean, .. }) => *mean,
            _ => 0.0,
        }
    }
}
