//! What is answered about offers and campaigns, as the document shows it. No answer is written through these types.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]
#![expect(clippy::struct_field_names, reason = "fields have the names that the answers have")]

use utoipa::ToSchema;

use super::shapes::{Campaign, Instant, Money, Offer};

/// How something stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum State {
    Running,
    Paused,
    Scheduled,
    Ended,
    SoldOut,
    CampaignUnknown,
}

/// How something stands at an instant, apart from the rules of the policies.
#[derive(ToSchema)]
pub struct Standing {
    /// Of an offer that its campaign keeps back, how the campaign stands.
    state: State,
    /// In a sentence; `null` where it runs.
    #[schema(required = true)]
    why: Option<String>,
}

/// An offer as it is kept.
#[derive(ToSchema)]
pub struct OfferKept {
    offer: Offer,
    /// The revision of the catalogue that changed it last; the same as the header `ETag`.
    revision: u64,
    /// Now, or at the instant asked for; `null` for an older revision.
    #[schema(required = true)]
    standing: Option<Standing>,
}

/// An offer after a change.
#[derive(ToSchema)]
pub struct OfferChanged {
    offer: Offer,
    /// The revision of the catalogue that changed it last; the same as the header `ETag`.
    revision: u64,
    #[schema(required = true)]
    standing: Option<Standing>,
    result: ChangeResult,
    /// The catalogue's revision from now on.
    catalogue: u64,
}

/// What became of a change. `repeated`: its `request_id` was used before, and nothing was changed now.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ChangeResult {
    Created,
    Changed,
    Unchanged,
    Repeated,
}

/// A page of offers.
#[derive(ToSchema)]
pub struct Offers {
    /// The catalogue's revision.
    catalogue: u64,
    /// The instant that `standing` is of.
    at: Instant,
    offers: Vec<OfferKept>,
    /// Send it as `cursor` for what follows; `null` on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// One revision of an offer.
#[derive(ToSchema)]
pub struct OfferRevision {
    /// The catalogue's revision that changed the offer.
    revision: u64,
    at: Instant,
    /// The name of the key that did.
    by: String,
    /// The offer from then on.
    offer: Offer,
}

/// What an offer was.
#[derive(ToSchema)]
pub struct OfferRevisions {
    offer_id: String,
    /// Newest first.
    revisions: Vec<OfferRevision>,
    /// Send it as `cursor` for older ones; `null` where there are none.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// A campaign as it is kept.
#[derive(ToSchema)]
pub struct CampaignKept {
    campaign: Campaign,
    /// The revision of the catalogue that changed it last; the same as the header `ETag`.
    revision: u64,
    standing: Standing,
    /// How many offers name it.
    offers: u64,
    /// How its budget stands; `null` without one.
    #[schema(required = true)]
    spending: Option<Spending>,
}

/// How a campaign's budget stands, by what the learner has counted so far.
#[derive(ToSchema)]
pub struct Spending {
    /// Discounts of what counts as accepted, and costs of showing what counts as seen; a refund gives back.
    spent: Money,
    /// What should be spent by now; `null` where the campaign has no start or no end, and so no plan.
    #[schema(required = true)]
    planned: Option<Money>,
    /// How much a unit spent counts now beside what it costs; 0 while no more is spent than planned.
    multiplier: f64,
}

/// A campaign after a change.
#[derive(ToSchema)]
pub struct CampaignChanged {
    campaign: Campaign,
    /// The revision of the catalogue that changed it last; the same as the header `ETag`.
    revision: u64,
    standing: Standing,
    /// How many offers name it.
    offers: u64,
    /// How its budget stands; `null` without one.
    #[schema(required = true)]
    spending: Option<Spending>,
    result: ChangeResult,
    /// The catalogue's revision from now on.
    catalogue: u64,
}

/// A page of campaigns.
#[derive(ToSchema)]
pub struct Campaigns {
    /// The catalogue's revision.
    catalogue: u64,
    /// The instant that `standing` is of.
    at: Instant,
    campaigns: Vec<CampaignKept>,
    /// Send it as `cursor` for what follows; `null` on the last page.
    #[schema(required = true)]
    next_cursor: Option<String>,
}
