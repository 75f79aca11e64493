//! The demo's summary: what the service's records say, beside what the world's truth says. Asks for no decision and
//! prints nothing.

mod read;
mod text;

use std::collections::BTreeMap;

pub use read::Story;
use serde::Serialize;

/// Steps into which the story is cut, with the same number of visits each.
pub const PERIODS: usize = 14;

/// The summary. Money is in minor units of US dollars.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The world's name.
    pub world: String,
    /// Days over which visits were spread.
    pub days: u32,
    /// Customers who visited.
    pub customers: usize,
    /// Visits, each of one or more decisions.
    pub visits: usize,
    /// Offers that could be shown, and their variants.
    pub offers: usize,
    /// Candidates: every variant of every offer.
    pub candidates: usize,
    /// Every strategy over all placements.
    pub strategies: Vec<Row>,
    /// The same by placement.
    pub placements: Vec<Placed>,
    /// Floors, over every offer shown by any strategy.
    pub margins: Margins,
    /// What rules left out of the shop's own decisions, by rule.
    pub exclusions: BTreeMap<String, Excluded>,
    /// Rules of the bundle that left out nothing.
    pub silent: Vec<String>,
    /// How often each offer was shown on the first placement by its own strategy, period by period, the commonest
    /// first; they sum to 1 with the rest.
    pub shares: Vec<OfferShare>,
    /// Margin of what was ordered and kept, by category and strategy.
    pub margin_from: Vec<FromCategory>,
    /// One decision.
    pub explained: Explained,
    /// What a verification of the log came to.
    pub log: String,
    /// What the service did.
    pub measured: Measured,
}

/// One strategy, as sums over some decisions.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub strategy: String,
    /// All of them.
    pub all: Sums,
    /// The last quarter of the visits.
    pub last_quarter: Sums,
    /// Period by period.
    pub periods: Vec<Sums>,
}

/// The strategies at one placement.
#[derive(Debug, Serialize)]
pub struct Placed {
    /// Its id.
    pub placement: String,
    /// In the order of [`Summary::strategies`].
    pub strategies: Vec<Row>,
}

/// Sums over decisions. Customers who always get the house content are counted and no more.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Sums {
    /// Decisions made by the strategy.
    pub decisions: usize,
    /// Of them, how many showed the house content because nothing else was left.
    pub fallbacks: usize,
    /// Of them, how many showed nothing because that was best.
    pub nothing: usize,
    /// Decisions beside them whose customers are held out.
    pub holdout: usize,
    /// Of them, how many were made from the context alone, because consent was lacking.
    pub impersonal: usize,
    /// Decisions that ended in an order that was kept.
    pub accepted: usize,
    /// Orders that came after the placement's window and taught nothing.
    pub late: usize,
    /// Measured: the reward that the service booked.
    pub earned: f64,
    /// Computed from the world's truth: the margin to be expected of what was shown.
    pub expected: f64,
    /// Computed from the world's truth: that of the best that the rules left.
    pub best: f64,
}

impl Sums {
    /// An amount per decision, in dollars.
    pub fn each(&self, minor: f64) -> f64 {
        minor / 100.0 / float(self.decisions).max(1.0)
    }

    /// Expected margin as a share of the best possible, in percent.
    pub fn of_best(&self) -> f64 {
        if self.best > 0.0 { 100.0 * self.expected / self.best } else { 0.0 }
    }

    /// Orders kept, in percent of decisions.
    pub fn acceptance(&self) -> f64 {
        100.0 * float(self.accepted) / float(self.decisions).max(1.0)
    }

    fn add(&mut self, one: &Self) {
        self.decisions += one.decisions;
        self.fallbacks += one.fallbacks;
        self.nothing += one.nothing;
        self.holdout += one.holdout;
        self.impersonal += one.impersonal;
        self.accepted += one.accepted;
        self.late += one.late;
        self.earned += one.earned;
        self.expected += one.expected;
        self.best += one.best;
    }
}

/// Whether floors were kept.
#[derive(Debug, Default, Serialize)]
pub struct Margins {
    /// Offers shown.
    pub checked: usize,
    /// Of them, how many lay under a floor that covers them.
    pub under_floor: usize,
    /// The lowest margin shown, in percent of the net price.
    pub lowest_percent: Option<f64>,
    /// Offers of the catalogue that lie under a floor and would otherwise have been candidates.
    pub kept_out: Vec<String>,
}

/// What one rule left out.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Excluded {
    /// Why the rule is there.
    pub why: String,
    /// Decisions in which it left out something.
    pub decisions: usize,
    /// Candidates that it left out.
    pub candidates: usize,
}

/// How often one offer was shown.
#[derive(Debug, Serialize)]
pub struct OfferShare {
    /// Its name; `others` for the rest.
    pub offer: String,
    /// From 0 to 1, period by period.
    pub shares: Vec<f64>,
}

/// Margin from the offers of one category, strategy by strategy.
#[derive(Debug, Serialize)]
pub struct FromCategory {
    /// The category.
    pub category: String,
    /// In the order of [`Summary::strategies`].
    pub margin: Vec<f64>,
}

/// One decision, explained.
#[derive(Debug, Default, Serialize)]
pub struct Explained {
    /// Its name.
    pub decision_id: String,
    /// All that the service says of it.
    pub sentences: Vec<String>,
    /// Candidates with their probabilities, the likeliest first.
    pub chances: Vec<Chance>,
    /// Offers that rules left out, with what they said.
    pub left_out: Vec<LeftOut>,
    /// What became of it when it was made again.
    pub again: String,
}

/// The probability of a candidate.
#[derive(Debug, Serialize)]
pub struct Chance {
    /// Offer and variant, or `nothing`.
    pub candidate: String,
    /// Of being shown.
    pub probability: f64,
    /// Whether it was.
    pub shown: bool,
}

/// Offers that one rule left out for one reason.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// The offers.
    pub offers: Vec<String>,
    /// What the rule said.
    pub sentence: String,
}

/// What the service did, as its clients saw it.
#[derive(Debug, Default, Serialize)]
pub struct Measured {
    /// Decisions in all.
    pub decisions: usize,
    /// Clients at once.
    pub clients: usize,
    /// While decisions and webhooks went on.
    pub decisions_per_second: f64,
    /// Median of a decision.
    pub p50_ms: f64,
    /// 99 of 100 decisions were no slower.
    pub p99_ms: f64,
    /// Upper bound in milliseconds (none for the last), and how many decisions fell below it.
    pub latencies: Vec<(Option<f64>, usize)>,
    /// Events sent by webhooks.
    pub events: usize,
    /// Of them, how many were known already.
    pub duplicates: usize,
    /// Orders that arrived behind their own refund.
    pub reordered: usize,
    /// Refunds.
    pub refunds: usize,
    /// Consents withdrawn.
    pub withdrawals: usize,
    /// From the start of the service to the end of the summary.
    pub seconds: f64,
}

impl Summary {
    /// For machines.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The shop's own strategy and the random pick.
    pub fn own_and_uniform(&self) -> Option<(&Row, &Row)> {
        self.strategies.first().zip(self.strategies.last())
    }

    /// What was found, in sentences for people who sell.
    pub fn found(&self) -> Vec<String> {
        let Some((own, uniform)) = self.own_and_uniform() else { return Vec::new() };
        let each = |sums: &Sums| sums.each(sums.expected);
        let more = |own: &Sums, uniform: &Sums| 100.0 * (each(own) / each(uniform).max(1e-9) - 1.0);
        let (all, last) = (&own.all, &own.last_quarter);
        let mut found = vec![
            format!(
                "`{}` made {:.2} USD of margin per decision, a random pick {:.2}: {:+.0} %. In the last \
                 quarter {:+.0} %.",
                own.strategy,
                each(all),
                each(&uniform.all),
                more(all, &uniform.all),
                more(last, &uniform.last_quarter)
            ),
            format!(
                "The best that anybody could do who knows every customer's mind is {:.2} USD. It reached \
                 {:.0} % of that, \
                 and {:.0} % in the last quarter.",
                all.each(all.best),
                all.of_best(),
                last.of_best()
            ),
        ];
        for other in self.strategies.iter().skip(1).filter(|other| each(&other.all) > each(all)) {
            found.push(format!(
                "`{}` did better on these visits, with {:.2} USD; one run proves little, and `proffer simulate` \
                 plays many.",
                other.strategy,
                each(&other.all)
            ));
        }
        let margins = &self.margins;
        let lowest = margins.lowest_percent.map_or_else(String::new, |p| format!(" The lowest was {p:.1} %."));
        found.push(if margins.under_floor == 0 {
            format!(
                "No floor was ever breached: of {} offers shown, none had a margin under its floor.{lowest}",
                crate::commands::progress::count(margins.checked)
            )
        } else {
            format!("{} offers were shown under their floor!", margins.under_floor)
        });
        found
    }
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts of decisions are small")]
pub fn float(number: usize) -> f64 {
    number as f64
}
