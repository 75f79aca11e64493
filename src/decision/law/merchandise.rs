//! The plain reading of what nobody wrote: schedules, campaigns and stock. Reads no rule.

use super::asked::Asked;
use crate::domain::schedule::Pause;
use crate::domain::{Offer, OfferStatus, Timestamp};

type Compared = (Option<i64>, Option<i64>);

/// Whether a schedule keeps something back at an instant, and what then was compared.
fn kept(
    paused: bool,
    (starts, ends): (Option<Timestamp>, Option<Timestamp>),
    pauses: &[Pause],
    now: i64,
) -> Option<Compared> {
    // What has ended cannot be resumed, so that it is told first.
    if let Some(end) = ends.filter(|end| end.0 <= now) {
        return Some((Some(now), Some(end.0)));
    }
    if paused {
        return Some((Some(now), None));
    }
    if let Some(start) = starts.filter(|start| now < start.0) {
        return Some((Some(now), Some(start.0)));
    }
    let within = pauses.iter().find(|pause| pause.from.0 <= now && now < pause.until.0);
    within.map(|pause| (None, Some(pause.until.0)))
}

/// What speaks against an offer.
pub(super) fn against(asked: &Asked<'_>, offer: &Offer) -> Vec<(&'static str, Compared)> {
    let mut found = Vec::new();
    let own = kept(false, (offer.starts_at, offer.ends_at), &offer.pauses, asked.now);
    found.extend(own.map(|compared| ("proffer.schedule", compared)));
    if let Some(id) = &offer.campaign {
        let campaign = asked.town.campaigns.iter().find(|campaign| campaign.campaign_id.as_str() == id.as_str());
        let compared = match campaign {
            None => Some((None, None)),
            Some(campaign) => {
                let paused = campaign.status == OfferStatus::Paused;
                kept(paused, (campaign.starts_at, campaign.ends_at), &campaign.pauses, asked.now)
            }
        };
        found.extend(compared.map(|compared| ("proffer.campaign", compared)));
    }
    // Of as many as there are, none is left.
    if offer.stock == Some(0) {
        found.push(("proffer.stock", (Some(0), Some(0))));
    }
    found
}
