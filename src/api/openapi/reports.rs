//! Reports and what was learned, as the document shows them: what each route is for and what it answers. Reports are
//! made elsewhere.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;

use super::operations::{About, Answer, STORE_AWAY, about};
use super::shapes::{Instant, Money};
use super::{JSON, Shape, shape, text};
use crate::api::reports::{CSV, DAYS_MAX};

/// A share with its interval of 95 %.
#[derive(ToSchema)]
pub struct Share {
    #[schema(minimum = 0, maximum = 1)]
    value: f64,
    low: f64,
    high: f64,
}

/// A difference with its interval of 95 %: where it holds 0, there may be none.
#[derive(ToSchema)]
pub struct Difference {
    value: f64,
    low: f64,
    high: f64,
}

/// A difference of money with its interval of 95 %, as decimal text in the group's currency.
#[derive(ToSchema)]
pub struct MoneyDifference {
    value: String,
    low: String,
    high: String,
}

/// What decisions came to.
#[derive(ToSchema)]
pub struct PerformanceReport {
    from: Instant,
    /// The first instant that is no longer in it.
    to: Instant,
    /// The only placement, if one was asked for.
    #[schema(required = true)]
    placement: Option<String>,
    by: String,
    groups: Vec<PerformanceGroup>,
}

/// What the decisions of one group came to.
#[derive(ToSchema)]
pub struct PerformanceGroup {
    /// Its name, such as an offer's id; `null` for decisions that showed nothing, or belong to none.
    #[schema(required = true)]
    group: Option<String>,
    currency: String,
    decisions: u64,
    /// Contents answered with, house content among them.
    shown: u64,
    /// Contents that count as seen.
    exposed: u64,
    /// Contents seen and accepted.
    accepted: u64,
    /// Accepted of those exposed; `null` where none was.
    #[schema(required = true)]
    acceptance: Option<Share>,
    /// Realised margin less the cost of showing.
    margin: Money,
    /// Decimal text in the currency, with two digits more than can be paid.
    #[schema(required = true)]
    margin_per_decision: Option<String>,
    /// Decisions answered with house content.
    fallback: u64,
    #[schema(required = true)]
    fallback_share: Option<f64>,
    /// What personal choice is worth; `null` where nobody was held out, and by offer, variant and campaign.
    #[schema(required = true)]
    against_holdout: Option<AgainstHoldout>,
    /// What a challenger is worth, by contender; `null` for the champion itself and by anything else.
    #[schema(required = true)]
    against_champion: Option<AgainstChampion>,
}

/// Customers of a challenger, and those of its champion, without the holdout and without those who have no name.
#[derive(ToSchema)]
pub struct AgainstChampion {
    champion: HoldoutSide,
    challenger: HoldoutSide,
    lift: Lift,
}

/// Customers who always get house content, and the others who might have.
#[derive(ToSchema)]
pub struct AgainstHoldout {
    holdout: HoldoutSide,
    rest: HoldoutSide,
    lift: Lift,
}

/// One side of the comparison. Decisions for nobody in particular, and those whose purpose was refused, are on neither.
#[derive(ToSchema)]
pub struct HoldoutSide {
    decisions: u64,
    /// Decisions of which something was accepted.
    accepted: u64,
    #[schema(required = true)]
    acceptance: Option<Share>,
    margin: Money,
    #[schema(required = true)]
    margin_per_decision: Option<String>,
}

/// The rest less the holdout, or the challenger less the champion.
#[derive(ToSchema)]
pub struct Lift {
    #[schema(required = true)]
    acceptance: Option<Difference>,
    /// `null` with fewer than two decisions on a side.
    #[schema(required = true)]
    margin_per_decision: Option<MoneyDifference>,
}

/// What rules left out.
#[derive(ToSchema)]
pub struct ExclusionsReport {
    from: Instant,
    /// The first instant that is no longer in it.
    to: Instant,
    /// The only placement, if one was asked for.
    #[schema(required = true)]
    placement: Option<String>,
    rules: Vec<RuleExclusions>,
}

/// What one rule left out at one placement on one day.
#[derive(ToSchema)]
pub struct RuleExclusions {
    placement: String,
    /// In UTC.
    day: String,
    rule: String,
    /// Why it is there, in its author's words.
    why: String,
    /// Decisions in which it left something out, or refused the purpose.
    decisions: u64,
    /// All decisions there on that day.
    of_decisions: u64,
    #[schema(required = true)]
    share: Option<f64>,
    /// Variants that it left out of a decision altogether.
    variants: u64,
    /// Variants that it left out of later slots only.
    later_slots: u64,
    /// Decisions whose purpose it refused.
    refused: u64,
    would_have_left_out: ReportWouldLeaveOut,
}

/// What a rule would have left out, had it not only warned or been on trial; counted in nothing else of the report.
#[derive(ToSchema)]
pub struct ReportWouldLeaveOut {
    /// Decisions in which it spoke against something.
    decisions: u64,
    /// Variants that it would have left out of a decision altogether.
    variants: u64,
    /// Variants that it would have left out of later slots only.
    later_slots: u64,
}

/// What was learned at a placement.
#[derive(ToSchema)]
pub struct PlacementModel {
    placement: String,
    strategy: String,
    /// `margin`, `conversion` or `click`.
    objective: String,
    currency: String,
    #[schema(required = true)]
    half_life_days: Option<u32>,
    /// Learning events absorbed.
    sequence: u64,
    /// Days since 1970-01-01 that it is told for.
    day: i32,
    /// Variants of the catalogue of which nothing was learned yet.
    not_yet_learned: u64,
    /// Who decides by what was learned, and for which share of the customers; the champion first.
    contenders: Vec<ContenderShown>,
    /// What showing is worth most comes first.
    arms: Vec<ArmLearned>,
}

/// One that decides at a placement.
#[derive(ToSchema)]
pub struct ContenderShown {
    /// `champion`, or a challenger's id.
    contender: String,
    strategy: String,
    /// Of the customers who are not in the holdout; those without a name are the champion's.
    share: f64,
    exploration: f64,
    lambda: f64,
    /// What a variant is thought to be before anything is known of it: `category` or `none`.
    prior: String,
    /// What only its strategy has, by name.
    settings: std::collections::BTreeMap<String, f64>,
}

/// What was learned of one variant.
#[derive(ToSchema)]
pub struct ArmLearned {
    offer_id: String,
    variant_id: String,
    /// As the catalogue says; `null` where it is no longer there.
    #[schema(required = true)]
    name: Option<String>,
    exposures: i64,
    accepted: i64,
    /// Realised margin less the cost of showing.
    reward: Money,
    acceptance: Belief,
    /// What showing it once is worth, as decimal text in the currency; `null` where it is no longer in the catalogue.
    #[schema(required = true)]
    expected_margin: Option<String>,
    #[schema(required = true)]
    expected_margin_deviation: Option<String>,
    /// What accepted orders earn; `null` where the placement does not learn that, or it is no longer in the catalogue.
    #[schema(required = true)]
    learned_margin: Option<LearnedMargin>,
    /// What it is surest of, five at most.
    effects: Vec<FeatureEffect>,
}

/// What an accepted order earns, as candidates are ranked by it.
#[derive(ToSchema)]
pub struct LearnedMargin {
    /// Decimal text in the currency; drawn to the catalogue's margin while there are few orders.
    margin: String,
    /// What the catalogue says.
    catalogue: String,
    /// Mean of the orders alone; `null` without any.
    #[schema(required = true)]
    mean: Option<String>,
    /// Weight of the orders it was learned from, old ones counting less where there is a half-life.
    orders: f64,
}

/// How many accept, of all to whom it was shown, old ones counting less where there is a half-life.
#[derive(ToSchema)]
pub struct Belief {
    mean: f64,
    deviation: f64,
    /// Where 95 % of the belief begin.
    low: f64,
    high: f64,
}

/// What one feature adds to the acceptance.
#[derive(ToSchema)]
pub struct FeatureEffect {
    /// When it counts, such as `customer.tier is gold`.
    feature: String,
    /// What is added then: 0.05 is five more of a hundred.
    effect: f64,
    deviation: f64,
    /// Whether 95 % of the belief lie on one side of zero.
    clear: bool,
}

const PLACEMENT: (&str, &str) = ("placement", "Only decisions for this placement.");
const FROM: (&str, &str) = ("from", "A date (its beginning in UTC) or an instant; 30 days before `to` unless given.");
const TO: (&str, &str) = ("to", "A date, which is included, or an instant, which is not; now unless given.");
const TABLE: &[(&str, &str)] = &[("Accept", "`text/csv` for a table instead of JSON.")];

fn report(meaning: &'static str, shown: Shape) -> Vec<Answer> {
    vec![
        Answer { status: 200, meaning, content: vec![(JSON, shown), (CSV, text)] },
        Answer::problem(422, "A parameter says something that cannot be: `errors` names every one."),
        Answer::problem(503, "Two reports are being made already, or the store does not answer."),
    ]
}

/// `GET /v1/reports/performance`.
pub fn performance() -> About {
    let description = format!(
        "What decisions came to so far, added up from the records and every outcome that is attributed to them: one \
         row per group and currency. Orders count within the placement's window, so that the last days still grow. \
         Shares have Wilson intervals, differences those of Newcombe and Welch, all of 95 %; they take decisions for \
         independent, and are too narrow where few customers decide often. House content earns what its orders say \
         as `margin`.\n\nLimits: {DAYS_MAX} days at once; two reports at once. The time it takes grows with the \
         decisions of the time asked for."
    );
    About {
        query: &[
            PLACEMENT,
            FROM,
            TO,
            (
                "by",
                "`placement` (unless given), `strategy`, `offer`, `variant`, `day`, `campaign` or `contender`, which \
                 compares each challenger with its champion.",
            ),
        ],
        headers: TABLE,
        answers: report("The report.", shape::<PerformanceReport>),
        ..about("reportPerformance", "reports", "See what decisions came to", description)
    }
}

/// `GET /v1/reports/exclusions`.
pub fn exclusions() -> About {
    let description = format!(
        "How often each rule left offers out, with why the rule is there, by placement and day.\n\n\
         Limits: {DAYS_MAX} days at once; two reports at once."
    );
    About {
        query: &[PLACEMENT, FROM, TO],
        headers: TABLE,
        answers: report("The report.", shape::<ExclusionsReport>),
        ..about("reportExclusions", "reports", "See what rules left out", description)
    }
}

/// `GET /v1/models/{placement}`.
pub fn model() -> About {
    let description = "For people in marketing: how many accept each variant, what showing it is worth, and which \
                       features of customers and contexts change that most surely. Needs no mathematics to read.";
    About {
        path_parts: &[("placement", "A placement of the active bundle.")],
        headers: &[("Accept", "`text/plain` for sentences instead of JSON.")],
        answers: vec![
            Answer {
                status: 200,
                meaning: "What was learned.",
                content: vec![(JSON, shape::<PlacementModel>), ("text/plain", text)],
            },
            Answer::problem(404, "The active bundle has no such placement."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("showModel", "models", "See what was learned at a placement", description)
    }
}
