//! Money in a decision: budgets that are paced, the cheapest intervention, an exploration budget. Counts nothing: what
//! was counted stands in the snapshot. What is left of a budget is asked apart.

use super::snapshot::Snapshot;
use crate::bandit::{self, ModelView, Score};
use crate::domain::decision::{CandidateRow, CheapestTaken, Exploring, MoneyTerms, RowMoney, SlotMoney};
use crate::domain::{Belongs, CampaignBudget, Catalogue, Day, Offer, Placement, Spend, Strategy, Timestamp};

/// The budgets of all campaigns at one instant, so that each is asked once per decision and not once per offer.
pub(super) struct Budgets {
    /// By position in the catalogue, each with its position in a record once a candidate of it was met.
    all: Vec<Option<(CampaignBudget, Option<u16>)>>,
    met: u16,
    /// Whether the placement asks for the cheapest intervention, so that what it spends is recorded of every candidate.
    every_row: bool,
}

impl Budgets {
    /// How they stand.
    pub(super) fn at(snapshot: &Snapshot, placement: &Placement, now: Timestamp) -> Self {
        let budget = |campaign: &crate::domain::Campaign| {
            let spent = snapshot.spend.of_campaign(&campaign.campaign_id);
            Some((campaign.budget_at(spent, now)?, None))
        };
        let all: Vec<_> = snapshot.catalogue.campaigns().values().map(budget).collect();
        Self { all, met: 0, every_row: placement.money.cheapest.is_some() }
    }

    /// What the record keeps of what an eligible offer, given by its position, spends; nothing where nobody counts it.
    pub(super) fn ask(&mut self, at: usize, catalogue: &Catalogue) -> Option<RowMoney> {
        // Most shops have no budgets.
        if !self.every_row && self.all.iter().all(Option::is_none) {
            return None;
        }
        self.row(catalogue.belongs(at), catalogue.offers().get(at)?)
    }

    fn row(&mut self, belongs: Belongs, offer: &Offer) -> Option<RowMoney> {
        let discount_minor = offer.discount_minor();
        let campaign = match belongs {
            Belongs::To(campaign) => self.all.get_mut(campaign).and_then(Option::as_mut),
            Belongs::Alone | Belongs::Unknown => None,
        };
        let met = &mut self.met;
        let campaign = campaign.map(|(_, at)| {
            *at.get_or_insert_with(|| {
                let next = *met;
                *met = met.saturating_add(1);
                next
            })
        });
        (campaign.is_some() || self.every_row).then_some(RowMoney { discount_minor, campaign })
    }

    /// The budgets of the campaigns met, in the order of their positions in the record.
    pub(super) fn met(self) -> Vec<CampaignBudget> {
        let mut met: Vec<_> = self.all.into_iter().flatten().filter_map(|(budget, at)| Some((at?, budget))).collect();
        met.sort_by_key(|(at, _)| *at);
        met.into_iter().map(|(_, budget)| budget).collect()
    }
}

/// Budgets and settings in force for a decision; nothing where there are none.
pub(crate) fn terms(
    spend: &Spend,
    placement: &Placement,
    campaigns: Vec<CampaignBudget>,
    day: Day,
) -> Option<MoneyTerms> {
    let exploring = placement
        .money
        .exploration_budget_micros
        .map(|budget_micros| Exploring { budget_micros, spent_micros: spend.explored_on(&placement.id, day) });
    let cheapest = placement.money.cheapest;
    let any = !campaigns.is_empty() || exploring.is_some() || cheapest.is_some();
    any.then_some(MoneyTerms { campaigns, exploring, cheapest })
}

/// The exploration mass in force: none once the exploration budget is spent.
pub(crate) fn exploration(view: &ModelView, terms: Option<&MoneyTerms>) -> f64 {
    if terms.is_some_and(|terms| terms.exploring.is_some_and(|exploring| exploring.over())) {
        return 0.0;
    }
    view.contender().exploration
}

/// `m_a` and `c_a` with the multiplier of the campaign that pays: `m' = m - lambda s`, `c' = (1 + lambda) c`.
pub(super) fn paced(row: &CandidateRow, terms: Option<&MoneyTerms>, worth: (f64, f64)) -> (f64, f64) {
    let Some((money, terms)) = row.money.zip(terms) else { return worth };
    let budget = money.campaign.and_then(|at| terms.campaigns.get(usize::from(at)));
    budget.map_or(worth, |budget| budget.paced(money.discount_minor, worth))
}

/// The distribution of one slot before the exploration mass, and what settings of money made of it.
pub(crate) struct Distributed {
    /// Of each candidate that is open, *nothing* last.
    pub(crate) w: Vec<f64>,
    /// The cheapest intervention, by positions among them.
    cheapest: Option<bandit::Cheapest>,
    /// Expected scores, where a setting reads them.
    expected: Vec<f64>,
}

/// Distributes over what is open in a slot: `costs` are those of interventions, one more than `scores` where *nothing*
/// may be drawn, which is the last; `by` is the strategy's own distribution of scores. Reads nothing that a record does
/// not hold.
pub(crate) fn distribute(
    strategy: &Strategy,
    terms: Option<&MoneyTerms>,
    (costs, scores): (&[i64], &[Score]),
    by: impl Fn(&[Score], bool) -> Vec<f64>,
) -> Distributed {
    let nothing = costs.len() > scores.len();
    let Some(terms) = terms.filter(|terms| terms.exploring.is_some() || terms.cheapest.is_some()) else {
        return Distributed::plain(by(scores, nothing));
    };
    let of_offers = scores.iter().map(|score| bandit::expected(strategy, score));
    let expected: Vec<f64> = of_offers.chain(nothing.then_some(0.0)).collect();
    let greedily = terms.exploring.is_some_and(|exploring| exploring.over());
    let mut w = if greedily {
        let known: Vec<Score> = expected.iter().take(scores.len()).map(|score| Score::gaussian(*score, 0.0)).collect();
        bandit::strategies::greedy::distribution(&known, nothing)
    } else {
        by(scores, nothing)
    };
    // Without the setting the share of the best is all of it, and nobody is dearer: the best itself.
    let cheapest = match terms.cheapest {
        Some(share) => bandit::take_cheapest(&mut w, &expected, costs, f64::from(share.0) / 10_000.0),
        None => bandit::cheapest(&expected, &vec![0; expected.len()], 1.0),
    };
    Distributed { w, cheapest, expected }
}

/// What an intervention costs whoever makes it: its discount and its cost of showing; *nothing* costs nothing.
pub(super) fn intervention_minor(row: &CandidateRow) -> i64 {
    row.cost_minor.saturating_add(row.money.map_or(0, |money| money.discount_minor))
}

impl Distributed {
    /// Where no setting of money reads it.
    pub(super) fn plain(w: Vec<f64>) -> Self {
        Self { w, cheapest: None, expected: Vec::new() }
    }

    /// What the record keeps, given what was drawn; positions among what was open, `rows` their rows.
    pub(crate) fn kept(&self, terms: Option<&MoneyTerms>, rows: &[usize], drawn: usize) -> Option<SlotMoney> {
        let terms = terms.filter(|terms| terms.exploring.is_some() || terms.cheapest.is_some())?;
        let found = self.cheapest?;
        let expected = |at: usize| self.expected.get(at).copied().unwrap_or(0.0);
        let row = |at: usize| rows.get(at).and_then(|row| u32::try_from(*row).ok());
        let reached = if expected(found.best) > 0.0 { expected(found.to) / expected(found.best) } else { 1.0 };
        let taken = || Some(CheapestTaken { best: row(found.best)?, to: row(found.to)?, reached });
        Some(SlotMoney {
            cheapest: terms.cheapest.and_then(|_| taken()),
            explored: terms.exploring.map(|_| (expected(found.to) - expected(drawn)).max(0.0)),
        })
    }
}
