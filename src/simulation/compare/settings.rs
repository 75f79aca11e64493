//! Settings of a comparison: which strategies, found by name in one place, and what each of them is given. Judges no
//! value of a strategy: the compiler of policies does, so that what is played is what `placements.yaml` could say.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Placement, Span, Strategy};
use crate::policy::PARTICULAR;

/// Settings that every strategy has.
const SHARED: [&str; 4] = ["exploration", "half_life", "lambda", "prior"];

/// Settings of a recorded file.
const OF_FILES: [&str; 3] = ["reward_max", "reward_min", "slots"];

/// Settings of a world.
const OF_WORLDS: [&str; 2] = ["delay", "publish"];

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Recorded events.
    File,
    /// A simulated world.
    World,
}

/// Why settings make no sense. The binary says it as a mistake in its usage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

/// What becomes of the slot of a logged event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Slots {
    /// It is one more value of the context, `slot`.
    #[default]
    Context,
    /// It is not looked at.
    Ignored,
}

/// A strategy with what it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name in `placements.yaml`, and its placement's.
    pub name: &'static str,
    /// What it is given, by name; what is not named has the default of `placements.yaml`.
    pub given: BTreeMap<String, String>,
}

impl Named {
    /// As `placements.yaml` has it, between the braces.
    pub fn yaml(&self) -> String {
        // No half-life is said by leaving it out.
        let given = self.given.iter().filter(|(key, value)| *key != "half_life" || *value != "none");
        given.fold(format!("name: {}", self.name), |yaml, (key, value)| format!("{yaml}, {key}: {value}"))
    }

    /// All that it is given, with the defaults that its placement took for the rest.
    pub fn in_force(&self, placement: &Placement) -> BTreeMap<String, String> {
        let half_life = placement.half_life_days.map_or("none".to_owned(), |days| format!("{days}d"));
        let mut all = BTreeMap::from([
            ("exploration".to_owned(), placement.champion.exploration.to_string()),
            ("half_life".to_owned(), half_life),
            ("lambda".to_owned(), placement.champion.lambda.to_string()),
            ("prior".to_owned(), placement.champion.prior.name().to_owned()),
        ]);
        let own = placement.champion.strategy.settings();
        all.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value.to_string())));
        all
    }
}

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// In the order they were asked for.
    pub strategies: Vec<Named>,
    /// The least reward, where it is declared and not found.
    pub reward_min: Option<f64>,
    /// The largest.
    pub reward_max: Option<f64>,
    /// What becomes of slots.
    pub slots: Slots,
    /// How often new posteriors are published, in a world's time.
    pub publish: Span,
    /// Whether decisions gain their weight along the delays of the world.
    pub delay: Delays,
}

/// What is made of the delays of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delays {
    /// A decision counts as not accepted until its order comes.
    #[default]
    Ignored,
    /// It counts as its age says, by the curves of the world.
    Known,
}

/// An hour: the service does it within seconds, and in an hour few visit one placement.
const PUBLISH: Span = Span(3_600_000);

impl Settings {
    /// Reads the names of strategies (all where none are given) and the settings, as the command line has them:
    /// `thompson_linear,linucb` and `lambda=0.3,linucb.alpha=0.5`.
    pub fn read(kind: Kind, strategies: Option<&str>, settings: Option<&str>) -> Result<Self, SettingsError> {
        let mut read = Self {
            strategies: named(strategies)?,
            reward_min: None,
            reward_max: None,
            slots: Slots::default(),
            publish: PUBLISH,
            delay: Delays::default(),
        };
        let mut seen = BTreeSet::new();
        for part in settings.into_iter().flat_map(|text| text.split(',')) {
            let Some((key, value)) = part.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
                return wrong(format!("setting `{part}` has no value: write `KEY=VALUE`, such as `lambda=0.3`"));
            };
            if !seen.insert(key) {
                return wrong(format!("setting `{key}` is given twice: keep one"));
            }
            if value.is_empty() || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-_".contains(&b)) {
                return wrong(format!("setting `{key}={value}`: expected a number or a word"));
            }
            read.set(kind, key, value)?;
        }
        // What is said of one strategy wins over what is said of all.
        for (key, value) in
            settings.into_iter().flat_map(|text| text.split(',')).filter_map(|part| part.split_once('='))
        {
            if let Some((name, key)) = key.trim().split_once('.')
                && let Some(strategy) = read.strategies.iter_mut().find(|strategy| strategy.name == name)
            {
                strategy.given.insert(key.to_owned(), value.trim().to_owned());
            }
        }
        Ok(read)
    }

    fn set(&mut self, kind: Kind, key: &str, value: &str) -> Result<(), SettingsError> {
        let (others, there) = match kind {
            Kind::File => (&OF_WORLDS[..], "is of worlds, and a file is played"),
            Kind::World => (&OF_FILES[..], "is of recorded files, and a world is played"),
        };
        if others.contains(&key) {
            return wrong(format!("setting `{key}` {there}: leave it out"));
        }
        let number = || {
            let read = value.parse::<f64>().ok().filter(|number| number.is_finite());
            read.map_or_else(|| wrong(format!("setting `{key}={value}`: expected a number")), |number| Ok(Some(number)))
        };
        match (key, value) {
            ("reward_min", _) => self.reward_min = number()?,
            ("reward_max", _) => self.reward_max = number()?,
            ("slots", "context") => self.slots = Slots::Context,
            ("slots", "ignore") => self.slots = Slots::Ignored,
            ("slots", _) => return wrong(format!("setting `slots={value}`: expected `context` or `ignore`")),
            ("delay", "known") => self.delay = Delays::Known,
            ("delay", "ignore") => self.delay = Delays::Ignored,
            ("delay", _) => return wrong(format!("setting `delay={value}`: expected `known` or `ignore`")),
            ("publish", _) => {
                self.publish = Span::parse(value)
                    .ok()
                    .filter(|span| span.0 > 0)
                    .map_or_else(|| wrong(format!("setting `publish={value}`: expected a span such as `1h`")), Ok)?;
            }
            _ => self.set_strategy(kind, key, value)?,
        }
        Ok(())
    }

    fn set_strategy(&mut self, kind: Kind, key: &str, value: &str) -> Result<(), SettingsError> {
        let (only, name) = match key.split_once('.') {
            Some((strategy, name)) => (Some(strategy), name),
            None => (None, key),
        };
        if let Some(only) = only
            && !self.strategies.iter().any(|strategy| strategy.name == only)
        {
            let asked = self.strategies.iter().map(|strategy| strategy.name);
            return wrong(format!("setting `{key}`: `{only}` is not among the strategies: {}", listed(asked)));
        }
        // Greedy explores nothing unless that is said of it alone: otherwise it would be another strategy.
        let spared = |strategy: &Named| only.is_none() && name == "exploration" && strategy.name == "greedy";
        let owners = PARTICULAR.iter().find(|setting| setting.name == name).map(|setting| setting.strategies);
        let has =
            |strategy: &Named| SHARED.contains(&name) || owners.is_some_and(|owners| owners.contains(&strategy.name));
        let asked = self.strategies.iter_mut();
        let mut takers: Vec<&mut Named> = asked
            .filter(|strategy| only.is_none_or(|only| only == strategy.name) && has(strategy) && !spared(strategy))
            .collect();
        if takers.is_empty() {
            let own = if kind == Kind::File { &OF_FILES[..] } else { &OF_WORLDS[..] };
            let known = SHARED.iter().chain(PARTICULAR.iter().map(|setting| &setting.name)).chain(own);
            return match owners.map(<[&str]>::first) {
                Some(owner) => {
                    let owner = owner.unwrap_or(&"");
                    wrong(format!("setting `{key}`: only `{owner}` has it, which is not meant here"))
                }
                None => wrong(format!("unknown setting `{key}`: expected one of {}", listed(known.copied()))),
            };
        }
        for strategy in &mut takers {
            strategy.given.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }
}

fn named(names: Option<&str>) -> Result<Vec<Named>, SettingsError> {
    let all = Strategy::NAMES;
    let Some(names) = names else {
        return Ok(all.map(|name| Named { name, given: BTreeMap::new() }).to_vec());
    };
    let mut strategies: Vec<Named> = Vec::new();
    for asked in names.split(',').map(str::trim) {
        let Some(name) = all.iter().find(|name| **name == asked) else {
            return wrong(format!("unknown strategy `{asked}`: expected some of {}", listed(all.into_iter())));
        };
        if strategies.iter().any(|strategy| strategy.name == *name) {
            return wrong(format!("strategy `{name}` is named twice: keep one"));
        }
        strategies.push(Named { name, given: BTreeMap::new() });
    }
    Ok(strategies)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn wrong<T>(what: String) -> Result<T, SettingsError> {
    Err(SettingsError(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_one_strategy_wins_over_that_of_all() {
        let read = Settings::read(
            Kind::File,
            Some("linucb, uniform"),
            Some("linucb.lambda=3,lambda=0.3,alpha=0.5,reward_min=-1"),
        )
        .unwrap();
        let yaml: Vec<String> = read.strategies.iter().map(Named::yaml).collect();
        assert_eq!(yaml, ["name: linucb, alpha: 0.5, lambda: 3", "name: uniform, lambda: 0.3"]);
        assert_eq!((read.reward_min, read.reward_max, read.slots), (Some(-1.0), None, Slots::Context));
        let read = Settings::read(Kind::File, None, Some("half_life=none,slots=ignore")).unwrap();
        assert_eq!(read.strategies.len(), Strategy::NAMES.len());
        assert_eq!((read.strategies[0].yaml().as_str(), read.slots), ("name: thompson_linear", Slots::Ignored));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_was_expected() {
        let check = |strategies: &str, settings: &str, expected: &str| {
            let refused = Settings::read(Kind::File, Some(strategies), Some(settings).filter(|text| !text.is_empty()))
                .unwrap_err();
            let names = listed(Strategy::NAMES.into_iter());
            assert_eq!(refused.to_string().replace(&names, "STRATEGIES"), expected);
        };
        check("linucb,linus", "", "unknown strategy `linus`: expected some of STRATEGIES");
        check("uniform,uniform", "", "strategy `uniform` is named twice: keep one");
        check("uniform", "alpha", "setting `alpha` has no value: write `KEY=VALUE`, such as `lambda=0.3`");
        check("uniform", "alpha=1", "setting `alpha`: only `linucb` has it, which is not meant here");
        check("uniform", "linucb.alpha=1", "setting `linucb.alpha`: `linucb` is not among the strategies: `uniform`");
        check("uniform", "lambda=1,lambda=2", "setting `lambda` is given twice: keep one");
        check("uniform", "lambda={", "setting `lambda={`: expected a number or a word");
        check("uniform", "reward_max=much", "setting `reward_max=much`: expected a number");
        check("uniform", "slots=2", "setting `slots=2`: expected `context` or `ignore`");
        check("uniform", "publish=1h", "setting `publish` is of worlds, and a file is played: leave it out");
        let of_world = |settings: &str| Settings::read(Kind::World, None, Some(settings));
        let refused = |settings: &str| of_world(settings).unwrap_err().to_string();
        assert_eq!(
            refused("slots=ignore"),
            "setting `slots` is of recorded files, and a world is played: leave it out"
        );
        assert_eq!(refused("delay=short"), "setting `delay=short`: expected `known` or `ignore`");
        assert_eq!(of_world("delay=known").unwrap().delay, Delays::Known);
        assert_eq!(refused("publish=soon"), "setting `publish=soon`: expected a span such as `1h`");
        assert_eq!(of_world("publish=5m").unwrap().publish, Span(300_000));
        let refused = Settings::read(Kind::File, None, Some("lamda=1")).unwrap_err().to_string();
        assert!(
            refused.starts_with("unknown setting `lamda`: expected one of `exploration`, `half_life`, "),
            "{refused}"
        );
    }
}
