//! The catalogue as a table: what each offer earns and how it stands. Reads no store and no clock.

use proffer::domain::{Catalogue, Hindrance, Money, Offer, Standing, Timestamp};
use serde_json::{Value, json};

const HEADS: [&str; 7] = ["OFFER", "PRICE", "MARGIN", "STANDING", "CAMPAIGN", "STOCK", "VARIANTS"];

/// Columns that are aligned to the right.
const NUMBERS: [bool; 7] = [false, true, true, false, false, true, true];

/// Offers in rows.
pub struct Table<'a> {
    catalogue: &'a Catalogue,
    now: Timestamp,
}

/// How an offer stands, in words.
pub fn standing(hindrance: Option<Hindrance>) -> String {
    let (whose, standing) = match hindrance {
        None => return "running".to_owned(),
        Some(Hindrance::SoldOut) => return "sold out".to_owned(),
        Some(Hindrance::CampaignUnknown) => return "campaign unknown".to_owned(),
        Some(Hindrance::Offer(standing)) => ("", standing),
        Some(Hindrance::Campaign(standing)) => ("campaign ", standing),
    };
    let said = match standing {
        Standing::Running => "running".to_owned(),
        Standing::Paused => "paused".to_owned(),
        Standing::StartsAt(at) => format!("starts {}", minute(at)),
        Standing::PausedUntil(at) => format!("paused until {}", minute(at)),
        Standing::EndedAt(at) => format!("ended {}", minute(at)),
    };
    format!("{whose}{said}")
}

/// An instant to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{minute}Z"))
}

/// What an offer earns if it is accepted.
pub fn margin(offer: &Offer) -> String {
    Money { minor: offer.margin_minor(), currency: offer.currency() }.to_string()
}

/// How much there is.
pub fn counted(catalogue: &Catalogue) -> String {
    let (offers, campaigns) = (catalogue.offers().len(), catalogue.campaigns().len());
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    format!(
        "{offers} offer{}, {campaigns} campaign{}, revision {}",
        plural(offers),
        plural(campaigns),
        catalogue.revision
    )
}

impl<'a> Table<'a> {
    /// The offers as they stand at an instant.
    pub fn of(catalogue: &'a Catalogue, now: Timestamp) -> Self {
        Self { catalogue, now }
    }

    fn row(&self, offer: &Offer) -> [String; 7] {
        [
            offer.offer_id.to_string(),
            offer.price.to_string(),
            margin(offer),
            standing(self.catalogue.hindrance(offer, self.now)),
            offer.campaign.as_ref().map(ToString::to_string).unwrap_or_default(),
            offer.stock.map(|units| units.to_string()).unwrap_or_default(),
            offer.variants.len().to_string(),
        ]
    }

    /// The same for machines.
    pub fn json(&self) -> Value {
        let offers = self.catalogue.offers().iter().map(|offer| {
            json!({
                "offer_id": offer.offer_id, "name": offer.name, "price": offer.price,
                "margin": Money { minor: offer.margin_minor(), currency: offer.currency() },
                "standing": standing(self.catalogue.hindrance(offer, self.now)), "campaign": offer.campaign,
                "stock": offer.stock, "variants": offer.variants.len(),
            })
        });
        let offers: Vec<Value> = offers.collect();
        json!({"catalogue": self.catalogue.revision, "at": self.now, "offers": offers})
    }
}

impl std::fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.catalogue.offers().is_empty() {
            return write!(f, "no offers; `proffer catalog import FILE` adds some");
        }
        let mut rows = vec![HEADS.map(str::to_owned)];
        rows.extend(self.catalogue.offers().iter().map(|offer| self.row(offer)));
        let mut widths = [0; 7];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &rows {
            let cells = row.iter().zip(widths).zip(NUMBERS).map(|((cell, width), number)| {
                if number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        f.write_str(&counted(self.catalogue))
    }
}
