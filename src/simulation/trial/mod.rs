//! Trials of strategies in a world: what each would earn there, learning online from its own choices only, from orders
//! that come late. A function of the world, the strategies with their settings, and the seed; no policy is in here.
//!
//! From the world to the table: [`Trial`] declares the world's attributes and makes a placement for every strategy,
//! `course` walks one crowd through the world once and knows the truth of every decision, `play` sends each strategy
//! along it through the code of [`crate::bandit`] and [`crate::learning`] that serves and learns, and [`summarise`]
//! compares what came of it.

mod bundle;

mod course;

mod delays;

mod learner;

mod play;

mod summary;

#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod pacing_tests;
#[cfg(test)]
mod tests;

pub use delays::{WatchedOffer, written};
pub use summary::summarise;

use super::World;
use super::compare::{Played, Settings, SettingsError};
use super::replay::PlayError;
use crate::domain::{Catalogue, Placement, Span};
use course::{Course, Facts};

/// A world, ready to be played by every strategy with any seed.
#[derive(Debug)]
pub struct Trial {
    /// What there is to show, without house content.
    pub(super) catalogue: Catalogue,
    /// For each candidate of the catalogue the position of its offer in the world's file.
    positions: Vec<usize>,
    /// For each strategy the placements in the order of the world's file.
    placements: Vec<Vec<Placement>>,
    /// What is learned from, as `placements.yaml` names it.
    pub(super) features: Vec<String>,
    /// How many decisions each play has.
    pub decisions: usize,
    /// How often new posteriors are published.
    publish: Span,
    /// Minor units in a unit of money.
    unit: f64,
    world: World,
}

/// What came of one seed: the same crowd met by every strategy.
#[derive(Debug)]
pub struct Round {
    pub(super) facts: Facts,
    /// One for each strategy.
    pub(super) plays: Vec<Played>,
}

impl Trial {
    /// Makes a world ready for strategies; learns from the features asked for, otherwise from all attributes.
    pub fn prepare(
        world: World,
        settings: &Settings,
        decisions: usize,
        features: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let made = bundle::make(&world, settings, features)?;
        let shown = world.offers.iter().filter(|offer| offer.response.is_some()).map(|offer| offer.offer.clone());
        let catalogue = Catalogue::new(1, shown.collect(), world.campaigns.clone());
        let position = |at: usize| catalogue.at(at).and_then(|(offer, _)| world.position(offer.offer_id.as_str()));
        let positions = (0..catalogue.candidates().len()).filter_map(position).collect();
        let exponent = world.offers.first().map_or(2, |offer| offer.offer.currency().exponent());
        Ok(Self {
            catalogue,
            positions,
            placements: made.placements,
            features: made.features,
            decisions,
            publish: settings.publish,
            unit: (0..exponent).fold(1.0, |unit, _| unit * 10.0),
            world,
        })
    }

    /// How many strategies there are.
    pub fn strategies(&self) -> usize {
        self.placements.len()
    }

    /// The world it was made of.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Sends every strategy past the crowd of a seed. `progress` is told of every decision.
    pub fn round(&self, seed: u64, progress: &mut dyn FnMut()) -> Result<Round, PlayError> {
        let course = Course::walk(self, seed);
        let plays = self.placements.iter().map(|placements| play::play(self, placements, &course, seed, progress));
        Ok(Round { plays: plays.collect::<Result<_, _>>()?, facts: course.facts })
    }

    /// Minor units as money of the reports.
    #[expect(clippy::cast_precision_loss, reason = "margins are small")]
    fn money(&self, minor: i64) -> f64 {
        self.part(minor as f64)
    }

    /// The same of what is no whole number of them.
    fn part(&self, minor: f64) -> f64 {
        minor / self.unit
    }
}
