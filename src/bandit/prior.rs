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
    risen: Vec<Risen>,
    says: Vec<Information>,
    prior: Vec<Diagonal>,
    beliefs: Vec<Result<Arc<Posterior>, PosteriorAlarm>>,
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

/// A category from below: its offers in their order, and what all of them say of it.
#[derive(Debug, Clone)]
struct Risen {
    offers: Vec<Arc<RisenOffer>>,
    known: Information,
}

/// An offer from below.
#[derive(Debug)]
struct RisenOffer {
    own: Child,
    /// Its variants, of which some are known. If it has one, that is all that there is of the offer, no variant differs
    /// from another, and there are none here.
    variants: Vec<Option<Arc<Child>>>,
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
            let old = before.and_then(|old| old.branches.get(&category)).filter(|old| old.basis.alike(&basis));
            let same = old.filter(|old| old.basis.is(&basis));
            let risen = match same {
                Some(old) => Ok((old.risen.clone(), old.says.clone())),
                None => basis.rise(self.scope.dimensions, old),
            };
            match risen {
                Ok((risen, says)) => {
                    totals.iter_mut().zip(&says).for_each(|(total, says)| total.add(says));
                    bases.push((category, basis, risen, says, same));
                }
                Err(alarm) => self.fall_back(&basis, alarm),
            }
        }
        for (category, basis, risen, says, same) in bases {
            let derived = self.prior_of(&totals, &says, &spreads).and_then(|prior| {
                let beliefs = match same.filter(|old| old.prior == prior) {
                    Some(old) => old.beliefs.clone(),
                    None => basis.posteriors(&risen, &prior)?,
                };
                Ok((prior, beliefs))
            });
            let (prior, beliefs) = match derived {
                Ok(derived) => derived,
                Err(alarm) => {
                    self.fall_back(&basis, alarm);
                    continue;
                }
            };
            for (member, belief) in basis.members.iter().zip(&beliefs) {
                match (belief, self.posteriors.get_mut(member.at)) {
                    (Ok(posterior), Some(place)) => *place = posterior.clone(),
                    (Err(alarm), _) => self.alarms.push((member.at, alarm.to_string())),
                    (Ok(_), None) => {}
                }
            }
            self.branches.insert(category, Branch { basis, risen, says, prior, beliefs });
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
        self.alike(other) && same(&self.members, &other.members)
    }

    /// Whether what is the same in both says the same in both.
    fn alike(&self, other: &Self) -> bool {
        (self.rate, self.spreads) == (other.rate, other.spreads)
    }

    /// Members of each offer, in their order.
    fn offers(&self) -> impl Iterator<Item = &[Member]> {
        self.members.chunk_by(|a, b| a.offer == b.offer)
    }

    /// Both parts of the category from below, and what it says of the placement; from an old one, of which all but the
    /// members is alike, what did not change is taken over.
    fn rise(&self, dimensions: usize, old: Option<&Branch>) -> Result<(Vec<Risen>, Vec<Information>), PosteriorAlarm> {
        let (mut parts_risen, mut parts_say) = (Vec::new(), Vec::new());
        for (part, d) in parts(dimensions).into_iter().enumerate() {
            let old = old.and_then(|old| Some((&old.basis, old.risen.get(part)?)));
            let risen = self.rise_part(part, d, old)?;
            let categories = spread(self.spreads.categories, d);
            parts_say.push(Child::of(&risen.known, &categories)?.says(&categories));
            parts_risen.push(risen);
        }
        Ok((parts_risen, parts_say))
    }

    fn rise_part(&self, part: usize, d: usize, old: Option<(&Self, &Risen)>) -> Result<Risen, PosteriorAlarm> {
        let offers = spread(self.spreads.offers, d);
        let mut risen = Risen { offers: Vec::new(), known: Information::none(d) };
        let before: BTreeMap<usize, (&[Member], &Arc<RisenOffer>)> = old
            .into_iter()
            .flat_map(|(basis, risen)| basis.offers().zip(&risen.offers))
            .filter_map(|(members, offer)| Some((members.first()?.offer, (members, offer))))
            .collect();
        for members in self.offers() {
            let before = members.first().and_then(|member| before.get(&member.offer));
            let offer = match before {
                Some((old, offer)) if same(old, members) => Arc::clone(offer),
                _ => Arc::new(self.rise_offer((part, d), members, before)?),
            };
            risen.known.add(&offer.own.says(&offers));
            risen.offers.push(offer);
        }
        Ok(risen)
    }

    fn rise_offer(
        &self,
        (part, d): (usize, usize),
        members: &[Member],
        old: Option<&(&[Member], &Arc<RisenOffer>)>,
    ) -> Result<RisenOffer, PosteriorAlarm> {
        let (between, offers) = (spread(self.spreads.variants, d), spread(self.spreads.offers, d));
        let known = |member: &Member| member.leaf.as_ref()?.known(self.rate).into_iter().nth(part);
        if let [only] = members {
            let known = known(only).unwrap_or_else(|| Information::none(d));
            return Ok(RisenOffer { own: Child::of(&known, &offers)?, variants: Vec::new() });
        }
        let (mut of_offer, mut variants) = (Information::none(d), Vec::with_capacity(members.len()));
        for member in members {
            let mut before = old.into_iter().flat_map(|(old, offer)| old.iter().zip(&offer.variants));
            let before = before.find(|(old, _)| same(std::slice::from_ref(*old), std::slice::from_ref(member)));
            let child = match before {
                Some((_, child)) => child.clone(),
                None => known(member).map(|known| Child::of(&known, &between)).transpose()?.map(Arc::new),
            };
            if let Some(child) = &child {
                of_offer.add(&child.says(&between));
            }
            variants.push(child);
        }
        Ok(RisenOffer { own: Child::of(&of_offer, &offers)?, variants })
    }

    /// The beliefs of the members, in their order.
    fn beliefs(&self, risen: &Risen, prior: &Diagonal) -> Result<Vec<Result<Belief, PosteriorAlarm>>, PosteriorAlarm> {
        let d = prior.mean.len();
        let (variants, offers) = (spread(self.spreads.variants, d), spread(self.spreads.offers, d));
        let category = risen.known.with_prior(&prior.mean, &prior.variance)?.over(&offers)?;
        let mut beliefs = Vec::with_capacity(self.members.len());
        for offer in &risen.offers {
            let own = offer.own.under(&category);
            if offer.variants.is_empty() {
                beliefs.push(Ok(own));
                continue;
            }
            let parent = own.over(&variants);
            beliefs.extend(offer.variants.iter().map(|variant| match variant {
                Some(variant) => Ok(variant.under(parent.as_ref().map_err(|alarm| *alarm)?)),
                None => Ok(own.of_new_child(&variants)),
            }));
        }
        Ok(beliefs)
    }

    fn posteriors(
        &self,
        risen: &[Risen],
        prior: &[Diagonal],
    ) -> Result<Vec<Result<Arc<Posterior>, PosteriorAlarm>>, PosteriorAlarm> {
        let ([full, rates], [full_prior, rates_prior]) = (risen, prior) else { return Ok(Vec::new()) };
        let (full, rates) = (self.beliefs(full, full_prior)?, self.beliefs(rates, rates_prior)?);
        let posterior = |((member, full), rate): ((&Member, Result<Belief, _>), Result<Belief, _>)| {
            let leaf = member.leaf.as_deref();
            let counts = leaf.map(|leaf| leaf.sums.counts).unwrap_or_default();
            let (Belief { mean, covariance, precision }, rate) = (full?, rate?);
            Posterior::of(mean, covariance, precision, counts, self.pseudo(leaf, &rate)).map(Arc::new)
        };
        Ok(self.members.iter().zip(full).zip(rates).map(posterior).collect())
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

/// Whether these are the same arms with the same integers.
fn same(some: &[Member], others: &[Member]) -> bool {
    let same = |(a, b): (&Member, &Member)| {
        let leaves = match (&a.leaf, &b.leaf) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        leaves && (a.offer, a.at) == (b.offer, b.at)
    };
    some.len() == others.len() && some.iter().zip(others).all(same)
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
