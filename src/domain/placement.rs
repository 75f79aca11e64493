//! Placements: where decisions are asked for, and how they are made there. Parsed by policy, used by everything above.

use minicbor::{Decode, Encode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    AttributeId, ChallengerId, Currency, Delay, Holidays, ModelId, MoneySettings, OfferId, Percent, PlacementId,
    PurposeId, Span, VariantId,
};

/// What a placement maximises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectiveKind {
    /// Expected contribution margin: `y_a = m_a theta_a - c_a`.
    Margin,
    /// Probability of acceptance: m = 1, c = 0.
    Conversion,
    /// Probability of a click, which is what then counts as acceptance: m = 1, c = 0.
    Click,
}

/// From what on a decision counts as seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// From the decision itself.
    Decision,
    /// From its impression; without one nothing is learned from it.
    Impression,
}

/// The objective with its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// What is maximised.
    pub kind: ObjectiveKind,
    /// An order counts when it happened at most this long after the decision.
    pub window: Span,
    /// Reported reward is clamped to plus or minus this, in minor units.
    pub reward_cap_minor: i64,
    /// Where the margin that candidates are ranked by comes from.
    pub value: ValueSource,
}

/// Where the margin that candidates are ranked by comes from. Rules go by the catalogue's, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueSource {
    /// From the catalogue.
    Catalogue,
    /// Learned from accepted orders, and drawn to the catalogue's while there are few.
    Learned {
        /// As many orders the catalogue's margin counts for.
        orders: u32,
    },
}

/// How candidates are turned into a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// Beta-Bernoulli Thompson sampling, without features.
    ThompsonBeta,
    /// Linear Thompson sampling, disjoint arms.
    ThompsonLinear,
    /// Logistic Thompson sampling, disjoint arms.
    ThompsonLogistic,
    /// Disjoint LinUCB with confidence width `alpha`.
    Linucb {
        /// Width in deviations.
        alpha: f64,
    },
    /// `LinUCB` whose arms share the coefficients of features that read the offer.
    LinucbHybrid {
        /// Width in deviations.
        alpha: f64,
    },
    /// `LinUCB` whose width is drawn from a grid.
    LinucbRandomised {
        /// Points of the grid, from no width to the largest.
        widths: u16,
        /// The largest width, in deviations.
        width_max: f64,
    },
    /// Inverse-gap weighting.
    Squarecb {
        /// What gaps are multiplied by, before anything is learned.
        gamma_scale: f64,
        /// The power of what was learned that it grows with.
        gamma_exponent: f64,
    },
    /// The share of a bag of linear models that would take a candidate.
    BaggedLinear {
        /// Models in the bag.
        bags: u8,
    },
    /// The highest expected score, always.
    Greedy,
    /// The highest expected score, with the exploration mass as epsilon.
    EpsilonGreedy,
    /// Every eligible candidate alike.
    Uniform,
}

impl Strategy {
    /// Every name in `placements.yaml`.
    pub const NAMES: [&'static str; 11] = [
        "thompson_linear",
        "thompson_logistic",
        "thompson_beta",
        "linucb",
        "linucb_hybrid",
        "linucb_randomised",
        "squarecb",
        "bagged_linear",
        "greedy",
        "epsilon_greedy",
        "uniform",
    ];

    /// Whether features can change what it chooses.
    pub fn weighs_features(&self) -> bool {
        !matches!(self, Self::ThompsonBeta | Self::Uniform)
    }

    /// Its name in `placements.yaml`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ThompsonBeta => "thompson_beta",
            Self::ThompsonLinear => "thompson_linear",
            Self::ThompsonLogistic => "thompson_logistic",
            Self::Linucb { .. } => "linucb",
            Self::LinucbHybrid { .. } => "linucb_hybrid",
            Self::LinucbRandomised { .. } => "linucb_randomised",
            Self::Squarecb { .. } => "squarecb",
            Self::BaggedLinear { .. } => "bagged_linear",
            Self::Greedy => "greedy",
            Self::EpsilonGreedy => "epsilon_greedy",
            Self::Uniform => "uniform",
        }
    }

    /// The settings that it has and others have not, by their names in `placements.yaml`.
    pub fn settings(&self) -> Vec<(&'static str, f64)> {
        match *self {
            Self::Linucb { alpha } | Self::LinucbHybrid { alpha } => vec![("alpha", alpha)],
            Self::LinucbRandomised { widths, width_max } => vec![("widths", widths.into()), ("width_max", width_max)],
            Self::Squarecb { gamma_scale, gamma_exponent } => {
                vec![("gamma_scale", gamma_scale), ("gamma_exponent", gamma_exponent)]
            }
            Self::BaggedLinear { bags } => vec![("bags", bags.into())],
            Self::ThompsonBeta
            | Self::ThompsonLinear
            | Self::ThompsonLogistic
            | Self::Greedy
            | Self::EpsilonGreedy
            | Self::Uniform => vec![],
        }
    }

    /// Models of its bag; 0 where it has none.
    pub fn bags(&self) -> u8 {
        if let Self::BaggedLinear { bags } = self { *bags } else { 0 }
    }
}

/// What an arm is thought to be before anything is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[cbor(index_only)]
pub enum Prior {
    /// As the other variants of its offer, the offers of its category and the placement, as far as those are alike.
    #[n(0)]
    Category,
    /// Nothing: each arm stands alone.
    #[n(1)]
    None,
}

impl Prior {
    /// Every name in `placements.yaml`.
    pub const NAMES: [&'static str; 2] = ["category", "none"];

    /// Its name in `placements.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::None => "none",
        }
    }
}

/// A strategy with its settings, as one that decides at a placement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contender {
    /// How candidates become a distribution.
    pub strategy: Strategy,
    /// Ridge prior, `A_0 = lambda I`.
    pub lambda: f64,
    /// Exploration mass, a total shared by all eligible candidates.
    pub exploration: f64,
    /// What arms are thought to be before anything is known of them.
    pub prior: Prior,
}

/// A contender that decides for a share of the customers, instead of the champion. It learns from the decisions of all
/// contenders, as they do from its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Challenger {
    /// Unique within the placement; records and reports name it.
    pub id: ChallengerId,
    /// Share of the customers, who stay with it as long as shares and the order of challengers stay.
    pub share: Percent,
    /// What it decides by.
    pub contender: Contender,
}

/// How one value becomes numbers.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Encoder {
    /// One component per name; an unseen or missing value is all zeros.
    #[n(0)]
    OneHot(#[n(0)] Vec<String>),
    /// `(value - mean) / scale`; missing is zero, which is the mean.
    #[n(1)]
    Standardised {
        /// Declared mean.
        #[n(0)]
        mean: f64,
        /// Declared scale, above zero.
        #[n(1)]
        scale: f64,
    },
    /// One for true, zero for false or missing.
    #[n(2)]
    Flag,
    /// Sine and cosine of the local hour.
    #[n(3)]
    HourOfDay,
    /// One component for each local day of the week, from Monday.
    #[n(4)]
    DayOfWeek,
    /// One on Saturdays and Sundays.
    #[n(5)]
    Weekend,
    /// Sine and cosine of the local day of the year.
    #[n(6)]
    Season,
    /// Whether the local day is a holiday or of a calendar, and how close the next one is: 7/8 on the day before it,
    /// 1/8 a week before.
    #[n(7)]
    Holiday(#[n(0)] Holidays),
}

/// One factor of a feature: an attribute (or the hour) and how it becomes numbers.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct FeatureAtom {
    /// The attribute read; nothing for what only reads the calendar and the clock.
    #[n(0)]
    pub attribute: Option<AttributeId>,
    /// How it becomes numbers.
    #[n(1)]
    pub encoder: Encoder,
}

impl FeatureAtom {
    /// Number of components.
    pub fn width(&self) -> usize {
        match &self.encoder {
            Encoder::OneHot(names) => names.len(),
            Encoder::Standardised { .. } | Encoder::Flag | Encoder::Weekend => 1,
            Encoder::HourOfDay | Encoder::Season | Encoder::Holiday(_) => 2,
            Encoder::DayOfWeek => 7,
        }
    }
}

/// A feature: one atom, or the product of two (`customer.tier * offer.category`).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Feature {
    /// As written by the author.
    #[n(0)]
    pub text: String,
    /// One or two factors.
    #[n(1)]
    pub atoms: Vec<FeatureAtom>,
}

impl Feature {
    /// Number of components.
    pub fn width(&self) -> usize {
        self.atoms.iter().map(FeatureAtom::width).product()
    }
}

/// Content served when no candidate may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// An offer of the catalogue; it is house content and no candidate in its placement.
    pub offer: OfferId,
    /// One of its variants.
    pub variant: VariantId,
}

/// A slot on a channel that asks for decisions. It fixes the purpose and the currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Unique within the bundle.
    pub id: PlacementId,
    /// Such as `web` or `email`.
    pub channel: String,
    /// The purpose of processing.
    pub purpose: PurposeId,
    /// Currency of margins and rewards.
    pub currency: Currency,
    /// The most offers that one answer holds.
    pub slots: u16,
    /// Whether showing nothing is a candidate too.
    pub nothing_allowed: bool,
    /// What is maximised.
    pub objective: Objective,
    /// From what on a decision counts as seen.
    pub exposure: Exposure,
    /// How a decision gains its weight while its reward may still come; nothing: all of it at once.
    pub delay: Option<Delay>,
    /// How long a chosen offer stays reserved.
    pub reservation: Span,
    /// Whether caps leave offers out here; a message that has to be sent is sent however many were before.
    pub obeys_caps: bool,
    /// Whether what is shown here uses up the caps of a customer.
    pub counts_toward_caps: bool,
    /// Who decides, but for the customers of challengers and the holdout.
    pub champion: Contender,
    /// Who decides for shares of the customers.
    pub challengers: Vec<Challenger>,
    /// Half-life of what was learned, in days; nothing means no decay.
    pub half_life_days: Option<u32>,
    /// Features behind the intercept, in the order of their components.
    pub features: Vec<Feature>,
    /// Share of customers who always get the fallback, for measurement.
    pub holdout: Percent,
    /// House content.
    pub fallback: Fallback,
    /// What it sets about money.
    pub money: MoneySettings,
}

impl Placement {
    /// Number of components of a feature vector, the intercept included.
    pub fn dimensions(&self) -> usize {
        1 + self.features.iter().map(Feature::width).sum::<usize>()
    }

    /// Its contenders, the champion first.
    pub fn contenders(&self) -> impl Iterator<Item = &Contender> {
        std::iter::once(&self.champion).chain(self.challengers.iter().map(|challenger| &challenger.contender))
    }

    /// The contender that a record names: a challenger, or the champion where it names none.
    pub fn contender_of(&self, challenger: Option<&ChallengerId>) -> Option<&Contender> {
        let Some(id) = challenger else { return Some(&self.champion) };
        Some(&self.challengers.iter().find(|challenger| challenger.id == *id)?.contender)
    }

    /// Bags that its model learns beside the plain sums: as many as the largest of its contenders reads, since the
    /// bags of a smaller one are the first of them.
    pub fn bags(&self) -> u8 {
        self.contenders().map(|contender| contender.strategy.bags()).max().unwrap_or(0)
    }

    /// The model this placement learns into. It changes with whatever changes the meaning of its statistics:
    /// placement, feature layout, half-life, what exposes and what accepts, whether values are learned, the number of
    /// bags; not with the strategy otherwise, so that strategies can be swapped, and not with the delay curve, whose
    /// steps end in the same weight.
    pub fn model_id(&self) -> ModelId {
        let named = (self.id.as_str(), self.half_life_days.unwrap_or(0), &self.features);
        let (click, impression) = (self.objective.kind == ObjectiveKind::Click, self.exposure == Exposure::Impression);
        let learned = matches!(self.objective.value, ValueSource::Learned { .. });
        let bytes = if self.bags() > 0 {
            minicbor::to_vec((4_u16, named.0, named.1, named.2, click, impression, learned, self.bags()))
        } else if learned {
            minicbor::to_vec((3_u16, named.0, named.1, named.2, click, impression, true))
        } else if click || impression {
            minicbor::to_vec((2_u16, named.0, named.1, named.2, click, impression))
        } else {
            minicbor::to_vec((1_u16, named.0, named.1, named.2))
        };
        let bytes = bytes.unwrap_or_default();
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(&bytes)[..16]);
        ModelId(id)
    }
}
