//! The plain reading of guards of audiences: whom they keep from what. They see what they read, whatever was said to
//! other purposes, and show it to no other rule.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use super::asked::Asked;
use super::chance::Chance;
use super::conditions::Part;
use super::written::{Kind, Says, Written};
use crate::domain::{Offer, Value};

enum Guard {
    /// Whoever a condition holds for.
    When(Part),
    /// An audience, and what says who belongs to it.
    Of(&'static str, &'static str),
}

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    let named = [
        ("minors", "customer.age"),
        ("minors", "customer.born"),
        ("employees", "customer.staff"),
        ("vulnerable", "customer.staff"),
        ("open_complaint", "customer.complaints"),
    ];
    Box::new(if chance.often(5) {
        let (audience, attribute) = chance.one(&named);
        Guard::Of(audience, attribute)
    } else {
        Guard::When(Part::any_guarded(chance))
    })
}

impl Guard {
    fn belongs(&self, asked: &Asked<'_>, offer: &Offer) -> Option<bool> {
        let (audience, attribute) = match self {
            Self::When(part) => {
                // What they see is theirs.
                let own = Asked { seen: asked.guarded.clone(), ..asked.clone() };
                return part.truth(&own, offer);
            }
            Self::Of(audience, attribute) => (*audience, *attribute),
        };
        Some(match (asked.guarded.get(attribute)?, audience) {
            (Value::Bool(truth), _) => *truth,
            (Value::Number(years), "minors") => years.0 < 18_000_000,
            (Value::Number(count), _) => count.0 > 0,
            (Value::Text(born), _) => {
                let born: NaiveDate = born.parse().unwrap();
                let now = DateTime::from_timestamp_millis(asked.now).unwrap();
                let today = now.with_timezone(&asked.zone().unwrap_or(Tz::UTC)).date_naive();
                // Eighteen years have at most five days more than eighteen times 365.
                (today - born).num_days() < 18 * 365 + 5
            }
        })
    }
}

impl Kind for Guard {
    fn text(&self) -> String {
        match self {
            Self::When(part) => format!("when: '{}'", part.text()),
            Self::Of(audience, attribute) => format!("audience: {audience}, attribute: {attribute}"),
        }
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        Says::plainly(self.belongs(asked, offer).unwrap_or(!rule.allows_missing))
    }

    fn reads(&self) -> bool {
        true
    }

    fn names(&self) -> Vec<&'static str> {
        match self {
            Self::When(part) => part.names(),
            Self::Of(_, attribute) => vec![*attribute],
        }
    }
}
