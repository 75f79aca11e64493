//! Fields of a tree read into values, every mistake noted with its place. Knows no offer.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::Value as Json;

use super::decode;
use super::tree::{Node, Raw, Spot};
use crate::domain::{AttributeId, Malformed, Money, OfferStatus, Pause, Timestamp, Value};
use crate::policy::{AttributeSpec, did_you_mean};

/// What reading needs to know and what it found out.
pub(super) struct Reader<'a> {
    /// What the shop declared about offers.
    pub specs: &'a BTreeMap<AttributeId, AttributeSpec>,
    /// JSON is a contract: money is an object there and an instant complete.
    pub strict: bool,
    /// Where dates begin, if nothing nearer says so.
    pub zone: Tz,
    /// Every pointer that was seen, with its place.
    pub places: BTreeMap<String, Spot>,
    /// What is wrong: pointer, place, message.
    pub wrong: Vec<(String, Spot, String)>,
    /// Pointers under which something is wrong, whether told here or before.
    pub hurt: Vec<String>,
}

/// The fields of one object.
pub(super) struct Fields<'n> {
    pub at: String,
    pub spot: Spot,
    given: Vec<(&'n str, &'n Node)>,
    /// Where its dates begin.
    pub zone: Tz,
}

impl<'n> Fields<'n> {
    /// The value of a field that is there.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        let found = self.given.iter().find(|(given, _)| *given == name);
        found.map(|(_, node)| *node).filter(|node| !node.is_absent())
    }

    fn below(&self, name: &str) -> String {
        below(&self.at, name)
    }
}

/// The pointer of a field.
pub(super) fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl Reader<'_> {
    /// Notes a mistake.
    pub(super) fn add(&mut self, at: &str, spot: &Spot, message: impl Into<String>) {
        self.wrong.push((at.to_owned(), spot.clone(), message.into()));
        self.hurt.push(at.to_owned());
    }

    fn expected(&mut self, at: &str, node: &Node, what: &str) {
        if matches!(node.raw, Raw::Refused) {
            self.hurt.push(at.to_owned());
        } else {
            self.add(at, &node.spot, format!("expected {what}, found {}", node.found()));
        }
    }

    fn ok<T>(&mut self, at: &str, spot: &Spot, result: Result<T, Malformed>) -> Option<T> {
        result.map_err(|error| self.add(at, spot, error.to_string())).ok()
    }

    /// The fields of an object; unknown ones are mistakes. `what` says what was expected.
    pub(super) fn open<'n>(&mut self, at: &str, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        self.places.insert(at.to_owned(), node.spot.clone());
        let Raw::Map(entries) = &node.raw else {
            self.expected(at, node, what);
            return None;
        };
        let mut given = Vec::new();
        for (name, spot, value) in entries {
            let at = below(at, name);
            if known.contains(&name.as_str()) {
                self.places.insert(at, value.spot.clone());
                given.push((name.as_str(), value));
            } else {
                let meant = did_you_mean(name, known.iter().copied());
                let message = format!("unknown field `{name}`, expected one of `{}`{meant}", known.join("`, `"));
                self.add(&at, spot, message);
            }
        }
        let mut fields = Fields { at: at.to_owned(), spot: node.spot.clone(), given, zone: self.zone };
        if known.contains(&"time_zone")
            && let Some(zone) = self.parsed(&fields, "time_zone", decode::time_zone)
        {
            fields.zone = zone;
        }
        Some(fields)
    }

    /// Notes that a field has to be there.
    pub(super) fn require(&mut self, fields: &Fields<'_>, name: &str) {
        if fields.get(name).is_none() {
            // Told of the whole, and known of the field: what is said of the rest is still worth telling.
            self.wrong.push((fields.at.clone(), fields.spot.clone(), format!("the field `{name}` is missing")));
            self.hurt.push(fields.below(name));
        }
    }

    /// Text as it stands.
    pub(super) fn text<'n>(&mut self, fields: &Fields<'n>, name: &str) -> Option<&'n str> {
        let node = fields.get(name)?;
        if let Raw::Text { text, .. } = &node.raw {
            return Some(text);
        }
        self.expected(&fields.below(name), node, "text");
        None
    }

    /// Text that means something.
    pub(super) fn parsed<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Malformed>,
    ) -> Option<T> {
        let (text, node) = (self.text(fields, name)?, fields.get(name)?);
        self.ok(&fields.below(name), &node.spot, parse(text))
    }

    /// A list of values that mean something.
    pub(super) fn list<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        mut read: impl FnMut(&mut Self, &str, &Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = fields.get(name) else { return Vec::new() };
        let at = fields.below(name);
        let Raw::List(items) = &node.raw else {
            self.expected(&at, node, "a list");
            return Vec::new();
        };
        let mut found = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let at = format!("{at}/{position}");
            self.places.insert(at.clone(), item.spot.clone());
            found.extend(read(self, &at, item));
        }
        found
    }

    /// One value of a list that is text.
    pub(super) fn item<T>(&mut self, at: &str, node: &Node, parse: impl Fn(&str) -> Result<T, Malformed>) -> Option<T> {
        let Raw::Text { text, .. } = &node.raw else {
            self.expected(at, node, "text");
            return None;
        };
        self.ok(at, &node.spot, parse(text))
    }

    /// Whether it is active.
    pub(super) fn status(&mut self, fields: &Fields<'_>) -> OfferStatus {
        let parse = |text: &str| match text {
            "active" => Ok(OfferStatus::Active),
            "paused" => Ok(OfferStatus::Paused),
            other => {
                let meant = did_you_mean(other, ["active", "paused"]);
                Err(Malformed(format!("unknown value `{other}`, expected `active` or `paused`{meant}")))
            }
        };
        self.parsed(fields, "status", parse).unwrap_or_default()
    }

    /// An amount of money.
    pub(super) fn money(&mut self, fields: &Fields<'_>, name: &str) -> Option<Money> {
        let (node, at) = (fields.get(name)?, fields.below(name));
        match &node.raw {
            Raw::Text { text, .. } if !self.strict => self.ok(&at, &node.spot, decode::money(text, None)),
            Raw::Map(_) => {
                let money = self.open(&at, node, "", &["amount", "currency"])?;
                for name in ["amount", "currency"] {
                    self.require(&money, name);
                }
                let currency = self.parsed(&money, "currency", decode::currency_code);
                let amount = self.text(&money, "amount").map(str::to_owned);
                let (amount, currency) = (amount?, currency?);
                // The whole amount is what is wrong, as it was before there were several formats.
                self.ok(&at, &node.spot, Money::parse(&amount, currency))
            }
            _ => {
                let what = if self.strict {
                    "an amount as text with its currency, such as `{\"amount\": \"59.90\", \"currency\": \"USD\"}`"
                } else {
                    "an amount with its currency, such as `59.90 USD`"
                };
                self.expected(&at, node, what);
                None
            }
        }
    }

    fn instant_of(&self, fields_zone: Tz) -> impl Fn(&str) -> Result<Timestamp, Malformed> + use<> {
        let strict = self.strict;
        move |text| if strict { Timestamp::parse(text) } else { decode::instant(text, fields_zone) }
    }

    /// An instant.
    pub(super) fn instant(&mut self, fields: &Fields<'_>, name: &str) -> Option<Timestamp> {
        let parse = self.instant_of(fields.zone);
        self.parsed(fields, name, parse)
    }

    /// Announced pauses.
    pub(super) fn pauses(&mut self, fields: &Fields<'_>) -> Vec<Pause> {
        let zone = fields.zone;
        self.list(fields, "pauses", |reader, at, node| {
            let mut pause = reader.open(at, node, "a pause with `from` and `until`", &["from", "until"])?;
            pause.zone = zone;
            for name in ["from", "until"] {
                reader.require(&pause, name);
            }
            let (from, until) = (reader.instant(&pause, "from"), reader.instant(&pause, "until"));
            Some(Pause { from: from?, until: until? })
        })
    }

    /// A whole number from 0.
    pub(super) fn count(&mut self, fields: &Fields<'_>, name: &str) -> Option<u32> {
        let node = fields.get(name)?;
        let count = match &node.raw {
            Raw::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            Raw::Text { text, plain: true } => text.trim().parse().ok(),
            _ => None,
        };
        if count.is_none() {
            self.expected(&fields.below(name), node, "a whole number from 0 to 4294967295");
        }
        count
    }

    /// Declared attributes by name.
    pub(super) fn attributes(&mut self, fields: &Fields<'_>, name: &str) -> BTreeMap<String, Value> {
        let Some(node) = fields.get(name) else { return BTreeMap::new() };
        let at = fields.below(name);
        let Raw::Map(entries) = &node.raw else {
            self.expected(&at, node, "an object of attributes");
            return BTreeMap::new();
        };
        let mut found = BTreeMap::new();
        for (name, _, node) in entries {
            let at = below(&at, name);
            self.places.insert(at.clone(), node.spot.clone());
            if node.is_absent() && !self.strict {
                continue;
            }
            let spec = self.specs.get(format!("offer.{name}").as_str());
            let value = match &node.raw {
                Raw::Text { text, plain: true } => decode::attribute(text, spec),
                Raw::Null | Raw::List(_) | Raw::Map(_) | Raw::Refused => {
                    self.expected(&at, node, "text, a number, true or false");
                    continue;
                }
                _ => serde_json::from_value(node.to_json()).map_err(|error| Malformed(error.to_string())),
            };
            if let Some(value) = self.ok(&at, &node.spot, value) {
                found.insert(name.clone(), value);
            }
        }
        found
    }

    /// What the shop renders, unread.
    pub(super) fn content(&mut self, fields: &Fields<'_>) -> serde_json::Map<String, Json> {
        let Some(node) = fields.get("content") else { return serde_json::Map::new() };
        if let Json::Object(content) = node.to_json() {
            return content;
        }
        self.expected(&fields.below("content"), node, "an object");
        serde_json::Map::new()
    }
}
