//! What approvals are pinned to: hashes of definitions and of content. Layout, comments and the order of fields change
//! none of them; whatever changes one voids the approvals given before.

use serde::Serialize;

use crate::domain::{AttributeId, CampaignId, CategoryId, Digest, Malformed, Money, Offer, OfferId, Value, Variant};
use crate::policy::declared::attributes::{AttributeKind, AttributeSpec};

/// A hash as people and answers show it: `b3:` and hexadecimal.
pub fn print_hash(hash: Digest) -> String {
    format!("b3:{}", hash.hex())
}

/// Reads what [`print_hash`] prints.
pub fn parse_hash(text: &str) -> Result<Digest, Malformed> {
    Digest::from_hex(text.strip_prefix("b3:").unwrap_or(text))
        .map_err(|_| Malformed(format!("`{text}` is not a hash: expected `b3:` and 64 hexadecimal digits")))
}

struct Fed(blake3::Hasher);

impl Fed {
    fn new(what: &str) -> Self {
        let mut fed = Self(blake3::Hasher::new());
        fed.text(what);
        fed
    }

    /// So that no two lists of texts give the same bytes.
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes()).update(bytes);
    }

    fn end(self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// The hash of an attribute's definition: everything declared of it, and of what it is derived from, however far back.
pub fn definition<'a>(spec: &AttributeSpec, others: &dyn Fn(&AttributeId) -> Option<&'a AttributeSpec>) -> Digest {
    let mut fed = Fed::new("proffer/attribute/1");
    fed.text(spec.id.as_str());
    match &spec.kind {
        AttributeKind::Enum(names) => {
            fed.text("enum");
            fed.bytes(&(names.len() as u64).to_be_bytes());
            for name in names {
                fed.text(name);
            }
        }
        AttributeKind::Number { mean, scale } => {
            fed.text("number");
            fed.bytes(&mean.to_bits().to_be_bytes());
            fed.bytes(&scale.to_bits().to_be_bytes());
        }
        AttributeKind::Bool => fed.text("bool"),
        AttributeKind::Date => fed.text("date"),
        AttributeKind::Text => fed.text("text"),
    }
    fed.text(spec.class.name());
    fed.text(&spec.source);
    fed.text(&spec.owner);
    fed.text(&spec.time_to_live.map_or_else(String::new, |span| span.0.to_string()));
    // A compiled bundle has no attribute that is derived from itself.
    for source in spec.derived_from.iter().filter_map(others) {
        fed.bytes(&definition(source, others).0);
    }
    fed.end()
}

/// What customers are promised and shown, apart from stock, dates, pauses and costs: those change by the hour, and
/// nobody sees them.
#[derive(Serialize)]
struct Content<'a> {
    offer_id: &'a OfferId,
    name: &'a str,
    category: Option<&'a CategoryId>,
    more_categories: &'a [CategoryId],
    campaign: Option<&'a CampaignId>,
    price: Money,
    discount: Option<Money>,
    prior_price: Option<Money>,
    attributes: &'a std::collections::BTreeMap<String, Value>,
    variant: &'a Variant,
}

/// The hash of what a variant of an offer promises and shows.
pub fn creative(offer: &Offer, variant: &Variant) -> Digest {
    let mut fed = Fed::new("proffer/creative/1");
    let content = Content {
        offer_id: &offer.offer_id,
        name: &offer.name,
        category: offer.category.as_ref(),
        more_categories: &offer.more_categories,
        campaign: offer.campaign.as_ref(),
        price: offer.price,
        discount: offer.discount,
        prior_price: offer.prior_price,
        attributes: &offer.attributes,
        variant,
    };
    fed.text(&serde_json::to_string(&content).unwrap_or_default());
    fed.end()
}

/// The hash of an offer with all its variants, in the order of their ids.
pub fn whole_offer(offer: &Offer) -> Digest {
    let mut fed = Fed::new("proffer/offer/1");
    let mut variants: Vec<&Variant> = offer.variants.iter().collect();
    variants.sort_by(|a, b| a.variant_id.cmp(&b.variant_id));
    for variant in variants {
        fed.bytes(&creative(offer, variant).0);
    }
    fed.end()
}
