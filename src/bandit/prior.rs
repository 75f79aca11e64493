//! Hierarchical priors (empirical Bayes): the variants of an offer share what is known of the offer, offers what is
//! known of their category, categories what is known of the placement. Derived from integers, all of it; patches
//! nothing.
//!
//! ```text
//! mu_0 ~ N(0, I / lambda)        mu_category ~ N(mu_0, T_c)        mu_offer ~ N(mu_category, T_o)
//! theta_a ~ N(mu_offer, T_v)     r = theta_a' x + noise of variance v_a^2
//! ```
//!
//! Spreads T come from [`super::spread`], beliefs from [`super::gaussians`]; every arm counts once in its own belief,
//! and through its parents in those of all others. A category sees the others through variances alone, rounded to
//! powers of two, so that what is learned in one category does not derive all others again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::day_sums::DaySums;
use super::gaussians::{Belief, Child, Information};
use super::lineup::{Group, Lineup};
use super::posterior::{Posterior, PosteriorAlarm};
use super::sharing::Scope;
use super::spread::{Spread, Spreads, Unit, rounded};
use super::statistics::ArmStatistics;

/// The beliefs of all arms of a lineup.
#[derive(Debug, Clone)]
pub(super) struct Hierarchy {
    scope: Scope,
    leaves: Vec<Option<Arc<Leaf>>>,
    branches: BTreeMap<usize, Branch>,
    /// By position.
    pub(super) posteriors: Vec<Arc<Posterior>>,
    /// Arms whose statistics are left out because they gave no belief, by position.
    pub(super) alarms: Vec<(usize, String)>,
}

/// An arm with its sums of the day.
#[derive(Debug)]
struct Leaf {
    statistics: Arc<ArmStatistics>,
    sums: DaySums,
    unit: Unit,
}

/// A category as it was derived.
#[derive(Debug, Clone)]
struct Branch {
    basis: Basis,
    says: Vec<Information>,
    prior: Vec<Diagonal>,
    posteriors: Vec<Arc<Posterior>>,
}

/// What a category's beliefs follow from, beside its prior.
#[derive(Debug, Clone)]
struct Basis {
    rate: f64,
    spreads: Spreads,
    members: Vec<Member>,
}

/// An arm of a category.
#[derive(Debug, Clone)]
struct Member {
    offer: usize,
    at: usize,
    leaf: Option<Arc<Leaf>>,
}

/// Independent Gaussians.
#[derive(Debug, Clone, PartialEq)]
struct Diagonal {
    mean: Vec<f64>,
    variance: Vec<f64>,
}

/// A category from below: its offers and arms, and what all of them say of it.
struct Risen {
    offers: Vec<(Child, Variants)>,
    known: Information,
}

/// The variants of an offer, from below.
enum Variants {
    /// It has one, which is all that there is of the offer: no variant differs from another.
    One,
    /// It has several, of which some are known.
    Several(Vec<Option<Child>>),
}

impl Hierarchy {
    /// Derives the beliefs of all arms; categories in which nothing differs from `before` are taken over from it.
    pub(super) fn derive(scope: Scope, lineup: &Lineup, before: Option<&Self>) -> Self {
        let before = before.filter(|old| old.scope == scope);
        let mut alarms = Vec::new();
        let leaf = |(at, statistics): (usize, &Option<Arc<ArmStatistics>>)| {
            let statistics = statistics.as_ref()?;
            let old = before.and_then(|old| old.leaves.get(at)?.as_ref());
            if let Some(old) = old.filter(|old| Arc::ptr_eq(&old.statistics, statistics)) {
                return Some(old.clone());
            }
            match Leaf::of(statistics, scope) {
                Ok(leaf) => Some(Arc::new(leaf)),
                Err(alarm) => {
                    alarms.push((at, alarm.to_string()));
                    None
                }
            }
        };
        let leaves: Vec<Option<Arc<Leaf>>> = lineup.arms.iter().enumerate().map(leaf).collect();
        let mut hierarchy = Self { scope, leaves, branches: BTreeMap::new(), posteriors: Vec::new(), alarms };
        hierarchy.grow(&lineup.groups, before);
        hierarchy
    }

    fn grow(&mut self, groups: &[Group], before: Option<&Self>) {
        let mut categories: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
        for (at, (group, leaf)) in groups.iter().zip(&self.leaves).enumerate() {
            let member = Member { offer: group.offer, at, leaf: leaf.clone() };
            categories.entry(group.category).or_default().push(member);
        }
        let (rate, spreads) = measure(&categories, self.scope.dimensions);
        let prior = Arc::new(Posterior::prior(self.scope.dimensions, self.scope.lambda));
        self.posteriors = vec![prior; self.leaves.len()];
        let mut bases = Vec::new();
        let mut totals: Vec<Information> = parts(self.scope.dimensions).map(Information::none).to_vec();
        for (category, members) in categories {
            let basis = Basis { rate, spreads, members };
            let old = before.and_then(|old| old.branches.get(&category)).filter(|old| old.basis.is(&basis));
            let says = match old {
                Some(old) => Ok(old.says.clone()),
                None => basis.says(self.scope.dimensions),
            };
            let says = match says {
                Ok(says) => says,
                Err(alarm) => {
                    self.fall_back(&basis, alarm);
                    continue;
                }
            };
            totals.iter_mut().zip(&says).for_each(|(total, says)| total.add(says));
            bases.push((category, basis, says, old));
        }
        for (category, basis, says, old) in bases {
            let derived = self.prior_of(&totals, &says, &spreads).and_then(|prior| {
                let posteriors = match old.filter(|old| old.prior == prior) {
                    Some(old) => old.posteriors.clone(),
                    None => basis.posteriors(&prior)?,
                };
                Ok((prior, posteriors))
            });
            let (prior, posteriors) = match derived {
                Ok(derived) => derived,
                Err(alarm) => {
                    self.fall_back(&basis, alarm);
                    continue;
                }
            };
            for (member, posterior) in basis.members.iter().zip(&posteriors) {
                if let Some(place) = self.posteriors.get_mut(member.at) {
                    *place = posterior.clone();
                }
            }
            self.branches.insert(category, Branch { basis, says, prior, posteriors });
        }
    }

    /// The arms of a category that gives no beliefs decide by the prior.
    fn fall_back(&mut self, basis: &Basis, alarm: PosteriorAlarm) {
        self.alarms.extend(basis.members.iter().map(|member| (member.at, alarm.to_string())));
    }

    /// What all other categories say of one, component by component.
    fn prior_of(
        &self,
        totals: &[Information],
        says: &[Information],
        spreads: &Spreads,
    ) -> Result<Vec<Diagonal>, PosteriorAlarm> {
        let prior = |(total, says): (&Information, &Information)| -> Result<Diagonal, PosteriorAlarm> {
            let mut others = total.clone();
            others.subtract(says);
            let d = others.eta.len();
            let belief = others.with_prior(&vec![0.0; d], &vec![1.0 / self.scope.lambda; d])?;
            let variances = belief.variances();
            let variances = variances.iter().zip(spread(spreads.categories, d)).map(|(v, t)| rounded(v + t, 4.0));
            let variance: Vec<f64> = variances.collect();
            let mean = belief.mean.iter().zip(&variance).map(|(mean, variance)| {
                let step = variance.sqrt() / 16.0;
                libm::round(mean / step) * step
            });
            Ok(Diagonal { mean: mean.collect(), variance })
        };
        totals.iter().zip(says).map(prior).collect()
    }
}

impl Leaf {
    fn of(statistics: &Arc<ArmStatistics>, scope: Scope) -> Result<Self, PosteriorAlarm> {
        let sums = DaySums::of(statistics, scope.dimensions, scope.day, scope.half_life_days);
        let unit = Unit::of(&sums);
        let leaf = Self { statistics: statistics.clone(), unit, sums };
        // Spreads are at most one: what is fine with that is fine with every other.
        for known in leaf.known(0.5) {
            Child::of(&known, &vec![1.0; known.eta.len()])?;
        }
        Ok(leaf)
    }

    /// Of all components, and of the rate alone, without features.
    fn known(&self, rate: f64) -> [Information; 2] {
        let noise = self.unit.noise(rate);
        let scaled = |numbers: &[f64]| numbers.iter().map(|number| number / noise).collect();
        let full = Information { precision: scaled(&self.sums.a), eta: scaled(&self.sums.b) };
        let (n, accepted) = (self.sums.counts.weight, self.sums.counts.accepted);
        [full, Information { precision: scaled(&[n]), eta: scaled(&[accepted]) }]
    }
}

impl Basis {
    fn is(&self, other: &Self) -> bool {
        let same = |(a, b): (&Member, &Member)| {
            (a.offer, a.at) == (b.offer, b.at)
                && match (&a.leaf, &b.leaf) {
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                    (a, b) => a.is_none() && b.is_none(),
                }
        };
        (self.rate, self.spreads, self.members.len()) == (other.rate, other.spreads, other.members.len())
            && self.members.iter().zip(&other.members).all(same)
    }

    /// Members of each offer, in their order.
    fn offers(&self) -> impl Iterator<Item = &[Member]> {
        self.members.chunk_by(|a, b| a.offer == b.offer)
    }

    fn rise(&self, part: usize, d: usize) -> Result<Risen, PosteriorAlarm> {
        let (variants, offers) = (spread(self.spreads.variants, d), spread(self.spreads.offers, d));
        let mut risen = Risen { offers: Vec::new(), known: Information::none(d) };
        for members in self.offers() {
            let known = |member: &Member| member.leaf.as_ref()?.known(self.rate).into_iter().nth(part);
            let (of_offer, arms) = if let [only] = members {
                (known(only).unwrap_or_else(|| Information::none(d)), Variants::One)
            } else {
                let mut of_offer = Information::none(d);
                let mut arms = Vec::with_capacity(members.len());
                for known in members.iter().map(known) {
                    let child = known.map(|known| Child::of(&known, &variants)).transpose()?;
                    if let Some(child) = &child {
                        of_offer.add(&child.says(&variants));
                    }
                    arms.push(child);
                }
                (of_offer, Variants::Several(arms))
            };
            let offer = Child::of(&of_offer, &offers)?;
            risen.known.add(&offer.says(&offers));
            risen.offers.push((offer, arms));
        }
        Ok(risen)
    }

    /// What the category says of the placement.
    fn says(&self, dimensions: usize) -> Result<Vec<Information>, PosteriorAlarm> {
        let says = |(part, d): (usize, usize)| -> Result<Information, PosteriorAlarm> {
            let categories = spread(self.spreads.categories, d);
            Ok(Child::of(&self.rise(part, d)?.known, &categories)?.says(&categories))
        };
        parts(dimensions).into_iter().enumerate().map(says).collect()
    }

    /// The beliefs of the members, in their order.
    fn beliefs(&self, part: usize, prior: &Diagonal) -> Result<Vec<Belief>, PosteriorAlarm> {
        let d = prior.mean.len();
        let (variants, offers) = (spread(self.spreads.variants, d), spread(self.spreads.offers, d));
        let risen = self.rise(part, d)?;
        let category = risen.known.with_prior(&prior.mean, &prior.variance)?;
        let mut beliefs = Vec::with_capacity(self.members.len());
        for (offer, arms) in &risen.offers {
            let offer = offer.under(&category, &offers);
            match arms {
                Variants::One => beliefs.push(offer),
                Variants::Several(arms) => beliefs.extend(arms.iter().map(|arm| match arm {
                    Some(arm) => arm.under(&offer, &variants),
                    None => offer.of_new_child(&variants),
                })),
            }
        }
        Ok(beliefs)
    }

    fn posteriors(&self, prior: &[Diagonal]) -> Result<Vec<Arc<Posterior>>, PosteriorAlarm> {
        let [full, rates] = prior else { return Ok(Vec::new()) };
        let (full, rates) = (self.beliefs(0, full)?, self.beliefs(1, rates)?);
        let posterior = |((member, full), rate): ((&Member, Belief), &Belief)| {
            let leaf = member.leaf.as_deref();
            let counts = leaf.map(|leaf| leaf.sums.counts).unwrap_or_default();
            let pseudo = self.pseudo(leaf, rate);
            Arc::new(Posterior::of(full.mean, full.covariance, counts, pseudo))
        };
        Ok(self.members.iter().zip(full).zip(&rates).map(posterior).collect())
    }

    /// What everybody else says of an arm's rate, in acceptances and refusals beyond one of each: a Beta of the same
    /// mean and variance, and no Beta that has its mode at an end.
    fn pseudo(&self, leaf: Option<&Leaf>, rate: &Belief) -> (f64, f64) {
        let own = leaf.map_or((0.0, 0.0), |leaf| {
            let noise = leaf.unit.noise(self.rate);
            (leaf.sums.counts.weight / noise, leaf.sums.counts.accepted / noise)
        });
        let [mean, variance] = [&rate.mean, &rate.covariance].map(|of| of.first().copied().unwrap_or_default());
        let precision = 1.0 / variance - own.0;
        let p = ((mean / variance - own.1) / precision).clamp(self.rate / 4.0, 0.9);
        let strength = (p * (1.0 - p) * precision - 1.0).max(1.0 / p).max(1.0 / (1.0 - p));
        // Rounding may leave a hair less than none, and a Beta below one has no density at its end.
        ((strength * p - 1.0).max(0.0), (strength * (1.0 - p) - 1.0).max(0.0))
    }
}

/// Number of components of the two parts: everything, and the rate alone.
fn parts(dimensions: usize) -> [usize; 2] {
    [dimensions, 1]
}

fn spread([intercept, slope]: Spread, d: usize) -> Vec<f64> {
    std::iter::once(intercept).chain(std::iter::repeat(slope)).take(d).collect()
}

/// The rate of all, and how far arms, offers and categories differ.
fn measure(categories: &BTreeMap<usize, Vec<Member>>, dimensions: usize) -> (f64, Spreads) {
    let mut variants: Vec<Vec<&Unit>> = Vec::new();
    let (mut offers, mut counts) = (Vec::new(), Vec::new());
    for members in categories.values() {
        for members in members.chunk_by(|a, b| a.offer == b.offer) {
            let arms: Vec<&Unit> = members.iter().filter_map(|member| Some(&member.leaf.as_ref()?.unit)).collect();
            offers.push(Unit::sum(arms.iter().copied()).into_offer(members.len() > 1));
            variants.push(arms);
        }
        counts.push(offers.len());
    }
    let mut families: Vec<Vec<&Unit>> = Vec::new();
    let mut from = 0;
    for upto in counts {
        families.push(offers.iter().take(upto).skip(from).collect());
        from = upto;
    }
    let sums: Vec<Unit> = families.iter().map(|family| Unit::sum(family.iter().copied())).collect();
    let rate = Unit::sum(sums.iter()).rate();
    (rate, Spreads::of(rate, dimensions, &variants, &families, &sums.iter().collect::<Vec<_>>()))
}
