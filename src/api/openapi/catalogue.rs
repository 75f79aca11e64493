//! What the routes of offers and campaigns are for, what they read and what they may be answered. Reads no request.

use super::operations::{About, Answer, INVALID, STORE_AWAY, about};
use super::{examples, shape, shapes, shelf, text};
use crate::api::catalogue::StockWire;

const OFFER: &[(&str, &str)] = &[("id", "The offer's id.")];
const CAMPAIGN: &[(&str, &str)] = &[("id", "The campaign's id.")];
const CURSOR: (&str, &str) = ("cursor", "`next_cursor` of the page before.");
const LIMIT: (&str, &str) = ("limit", "At most so many, 1 to 1000; 100 unless given.");
const AT: (&str, &str) = ("at", "The instant that `standing` is of (RFC 3339); now unless given.");
const MATCH: &[(&str, &str)] = &[
    ("If-Match", "Change it only if it is still at this revision: the `ETag` as it came, such as `\"3\"`."),
    ("If-None-Match", "`*`: only if nothing of this id is there yet."),
];
const NO_OFFER: &str = "No offer has this id.";
const NO_CAMPAIGN: &str = "No campaign has this id.";
const ELSE: &str = "Something else is there than `If-Match` or `If-None-Match` says: `current` shows it.";

/// `GET /v1/offers:export`.
pub fn export() -> About {
    let description = "Everything as `POST /v1/offers:import` takes it. JSON and YAML hold campaigns and offers; a CSV \
                       holds the offers, a row for each variant, or the campaigns. The revision is the `ETag`.";
    About {
        query: &[
            ("as", "`json` (if left out), `yaml` or `csv`."),
            ("of", "What a CSV holds: `offers` (if left out) or `campaigns`."),
            ("revision", "As the catalogue was at this revision."),
        ],
        answers: vec![
            Answer {
                status: 200,
                meaning: "The catalogue.",
                content: vec![
                    ("application/json", shape::<shapes::Catalogue>),
                    ("application/yaml", text),
                    ("text/csv; charset=utf-8", text),
                ],
            },
            Answer::problem(404, "The catalogue has no such revision."),
            Answer::problem(422, "A parameter says something that cannot be."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("exportOffers", "catalogue", "Export offers and campaigns", description)
    }
}

/// `GET /v1/offers`.
pub fn list_offers() -> About {
    let description = "Every offer, ordered by id, with its revision and how it stands: whether its own schedule, its \
                       campaign and its stock let it be shown. What rules of the policies say depends on who asks \
                       where, and is told by a `dry_run` decision.";
    About {
        query: &[
            CURSOR,
            LIMIT,
            ("campaign", "Only those of this campaign."),
            ("category", "Only those in this category, be it the first or a further one."),
            ("status", "Only `active` or `paused` ones."),
            ("standing", "Only those that stand so: `running`, `paused`, `scheduled`, `ended`, `sold_out`."),
            AT,
        ],
        answers: vec![
            Answer::json("A page of them.", shape::<shelf::Offers>),
            Answer::problem(422, "A parameter says something that cannot be."),
        ],
        ..about("listOffers", "catalogue", "List offers", description)
    }
}

/// `GET /v1/offers/{id}`.
pub fn show_offer() -> About {
    About {
        path_parts: OFFER,
        query: &[("revision", "As it was at this revision of the catalogue.")],
        answers: vec![
            Answer::json("The offer; its revision is the `ETag`.", shape::<shelf::OfferKept>),
            Answer::problem(404, "No offer has this id, or none had it at that revision."),
            Answer::problem(422, "That is no offer id, or no revision."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("showOffer", "catalogue", "See an offer", "As it is now, or as it was.")
    }
}

/// `PUT /v1/offers/{id}`.
pub fn put_offer() -> About {
    let description = "The whole offer: it is added, or replaces the one of this id, as the next revision of the \
                       catalogue. Sent again it changes nothing. With `If-Match` nobody's change is overwritten unseen.";
    About {
        path_parts: OFFER,
        headers: MATCH,
        body: Some((shape::<shapes::Offer>, examples::offer())),
        answers: changed(Answer::json("It is in force.", shape::<shelf::OfferChanged>)),
        ..about("putOffer", "catalogue", "Add or replace an offer", description)
    }
}

fn changed(done: Answer) -> Vec<Answer> {
    vec![done, Answer::problem(412, ELSE), Answer::problem(422, INVALID), Answer::problem(503, STORE_AWAY)]
}

/// `GET /v1/offers/{id}/revisions`.
pub fn revisions() -> About {
    About {
        path_parts: OFFER,
        query: &[CURSOR, ("limit", "At most so many, 1 to 100; 20 unless given.")],
        answers: vec![
            Answer::json("What it was, newest first.", shape::<shelf::OfferRevisions>),
            Answer::problem(404, NO_OFFER),
            Answer::problem(422, "That is no offer id, or a parameter says something that cannot be."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("offerRevisions", "catalogue", "See what an offer was", "Who changed it when, and to what.")
    }
}

/// `POST /v1/offers/{id}/stock`.
pub fn stock() -> About {
    let description = "`set` says how many units there are, `add` how many more or fewer; fewer than none are none, \
                       because what was sold is gone. What is chosen and ordered is counted down by itself: `set` \
                       says what there is now, all sales included, `add` what came or went besides. `set` may be sent again freely; with a `request_id` so may `add`, which without \
                       one counts each time.";
    About {
        path_parts: OFFER,
        body: Some((shape::<StockWire>, examples::stock())),
        answers: vec![
            Answer::json("What there is now.", shape::<shelf::OfferChanged>),
            Answer::problem(404, NO_OFFER),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("changeStock", "catalogue", "Change an offer's stock", description)
    }
}

fn switched(done: Answer, missing: &'static str) -> Vec<Answer> {
    let no_id = "That is no id.";
    vec![done, Answer::problem(404, missing), Answer::problem(422, no_id), Answer::problem(503, STORE_AWAY)]
}

/// `POST /v1/offers/{id}/pause`.
pub fn pause_offer() -> About {
    let description = "No decision that is committed after this is answered shows it. Its schedule stays as it is. A \
                       placement's house content is shown even so: that is what it is for.";
    let answers = switched(Answer::json("It is paused.", shape::<shelf::OfferChanged>), NO_OFFER);
    About { path_parts: OFFER, answers, ..about("pauseOffer", "catalogue", "Stop showing an offer", description) }
}

/// `POST /v1/offers/{id}/resume`.
pub fn resume_offer() -> About {
    let description = "Takes a pause back. Whether it is then shown is for its schedule, its campaign and its stock.";
    let answers = switched(Answer::json("It is active.", shape::<shelf::OfferChanged>), NO_OFFER);
    About { path_parts: OFFER, answers, ..about("resumeOffer", "catalogue", "Show an offer again", description) }
}

/// `GET /v1/campaigns`.
pub fn list_campaigns() -> About {
    let description = "Every campaign, ordered by id, with how it stands and how many offers name it.";
    About {
        query: &[
            CURSOR,
            LIMIT,
            ("standing", "Only those that stand so: `running`, `paused`, `scheduled`, `ended`."),
            AT,
        ],
        answers: vec![
            Answer::json("A page of them.", shape::<shelf::Campaigns>),
            Answer::problem(422, "A parameter says something that cannot be."),
        ],
        ..about("listCampaigns", "catalogue", "List campaigns", description)
    }
}

/// `GET /v1/campaigns/{id}`.
pub fn show_campaign() -> About {
    About {
        path_parts: CAMPAIGN,
        answers: vec![
            Answer::json("The campaign; its revision is the `ETag`.", shape::<shelf::CampaignKept>),
            Answer::problem(404, NO_CAMPAIGN),
            Answer::problem(422, "That is no campaign id."),
        ],
        ..about(
            "showCampaign",
            "catalogue",
            "See a campaign",
            "As it is now. `GET /v1/offers?campaign=` has its offers.",
        )
    }
}

/// `PUT /v1/campaigns/{id}`.
pub fn put_campaign() -> About {
    let description = "The whole campaign: it is added, or replaces the one of this id, as the next revision of the \
                       catalogue. Its offers are shown only while it runs and its budget lasts; with a start \
                       and an end the budget is paced, to be spent evenly between them.";
    About {
        path_parts: CAMPAIGN,
        headers: MATCH,
        body: Some((shape::<shapes::Campaign>, examples::campaign())),
        answers: changed(Answer::json("It is in force.", shape::<shelf::CampaignChanged>)),
        ..about("putCampaign", "catalogue", "Add or replace a campaign", description)
    }
}

/// `POST /v1/campaigns/{id}/pause`.
pub fn pause_campaign() -> About {
    let description = "No decision that is committed after this is answered shows any of its offers.";
    let answers = switched(Answer::json("It is paused.", shape::<shelf::CampaignChanged>), NO_CAMPAIGN);
    let (id, summary) = ("pauseCampaign", "Stop showing a campaign's offers");
    About { path_parts: CAMPAIGN, answers, ..about(id, "catalogue", summary, description) }
}

/// `POST /v1/campaigns/{id}/resume`.
pub fn resume_campaign() -> About {
    let description = "Takes a pause back. Its offers are shown again where their own schedule and stock allow it.";
    let answers = switched(Answer::json("It is active.", shape::<shelf::CampaignChanged>), NO_CAMPAIGN);
    let (id, summary) = ("resumeCampaign", "Show a campaign's offers again");
    About { path_parts: CAMPAIGN, answers, ..about(id, "catalogue", summary, description) }
}
