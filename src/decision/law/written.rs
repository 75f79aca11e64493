//! Rules as they are written, with the fields that every one may have and what those mean. Knows no single kind.

use super::asked::Asked;
use super::at_once::Act;
use super::chance::Chance;
use super::gates::Read;
use super::town::{HOUR, NOW};
use super::{
    answers, at_once, availability, categories, conditions, counted, fairness, gates, guards, money, personal_prices,
    pools,
};
use crate::domain::{Offer, PlacementId};

/// Makes a random rule of one kind.
type Maker = fn(&mut Chance) -> Box<dyn Kind>;

/// Every kind that has a plain reading. Whoever adds a kind to the language adds it here.
pub(super) const KINDS: [(&str, Maker); 20] = [
    ("purpose_gates", gates::any),
    ("margin_floors", money::any),
    ("frequency_caps", counted::any_cap),
    ("cool_downs", counted::any_cool_down),
    ("availability", availability::any),
    ("exclusions", conditions::any_exclusion),
    ("requirements", conditions::any_requirement),
    ("loyalty_eligibility", conditions::any_loyalty),
    ("audience_guards", guards::any),
    ("category_exclusions", categories::any),
    ("price_limits", money::any_price),
    ("price_personalisation", personal_prices::any),
    ("fairness_gates", fairness::any),
    ("overrides", at_once::any_override),
    ("kill_switches", at_once::any_switch),
    ("stackability", answers::any_stackability),
    ("diversity", answers::any_diversity),
    ("budgets", pools::any_budget),
    ("stock", pools::any_stock),
    ("proffer.currency", money::currency),
];

/// What no override lifts: it protects people, or acts at once, or cannot be more than there is.
const KEPT: [&str; 9] = [
    "purpose_gates",
    "audience_guards",
    "price_limits",
    "price_personalisation",
    "fairness_gates",
    "budgets",
    "stock",
    "overrides",
    "kill_switches",
];

/// When a rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Once, about every offer, before anything is drawn.
    Before,
    /// Then, and again for every slot behind the first.
    BeforeAndBehind,
    /// For every slot, about what may stand there so far.
    EverySlot,
}

/// What a cap or a cool-down counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) used: u32,
    pub(super) limit: u32,
    pub(super) until: Option<i64>,
}

impl Reading {
    /// A cap keeps as many as it takes to see that it is reached.
    pub(super) fn seen(self) -> Self {
        Self { used: self.used.min(self.limit), ..self }
    }
}

/// What a rule says of an offer.
#[derive(Default)]
pub(super) struct Says {
    /// That it speaks against it, with what was observed and the limit.
    pub(super) against: Option<(Option<i64>, Option<i64>)>,
    pub(super) reading: Option<Reading>,
}

impl Says {
    /// Speaks against it or not, with nothing compared.
    pub(super) fn plainly(against: bool) -> Self {
        Self { against: against.then_some((None, None)), reading: None }
    }
}

/// One kind of rule.
pub(super) trait Kind {
    /// Its own fields, as they are written.
    fn text(&self) -> String;

    /// What it says of an offer that it applies to.
    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says;

    /// When it is asked.
    fn when(&self) -> When {
        When::Before
    }

    /// Whether it may say what becomes of a missing value.
    fn reads(&self) -> bool {
        false
    }

    /// The purpose that it guards, if it is a gate.
    fn guards(&self) -> Option<&'static str> {
        None
    }

    /// Whether it opens, if it is a gate, and what it read of what was said.
    fn opens(&self, _: &Asked<'_>) -> (bool, Read) {
        (true, ("", None))
    }

    /// The names that it reads.
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whether it protects people, if others of its list do not.
    fn protects(&self) -> bool {
        false
    }

    /// Whether it acts at once and passes, so that it begins and ends.
    fn acts_at_once(&self) -> bool {
        false
    }

    /// Which offers it speaks for, if it does: it holds only where that is known.
    fn favours(&self) -> Option<(Act, &'static [&'static str])> {
        None
    }

    /// By what offers sell the same, if it says so.
    fn same_as(&self) -> Option<&'static str> {
        None
    }

    /// Whether it lets an attribute move prices.
    fn may_move(&self, _: &str) -> bool {
        false
    }

    /// Whether it has something said beside a price.
    fn tells(&self) -> bool {
        false
    }
}

/// A rule.
pub(super) struct Written {
    pub(super) list: &'static str,
    pub(super) id: String,
    offers: Option<&'static [&'static str]>,
    categories: Option<&'static [&'static str]>,
    channels: Option<&'static [&'static str]>,
    placements: Option<&'static [&'static str]>,
    regions: Option<&'static [&'static str]>,
    from: Option<i64>,
    until: Option<i64>,
    pub(super) severity: &'static str,
    /// Whether a missing value lets an offer be.
    pub(super) allows_missing: bool,
    /// Whether no override lifts it by its own word.
    stays: bool,
    pub(super) kind: Box<dyn Kind>,
}

/// Everything, for a rule that nobody wrote.
fn everywhere(list: &'static str, kind: Box<dyn Kind>) -> Written {
    Written {
        list,
        id: list.to_owned(),
        offers: None,
        categories: None,
        channels: None,
        placements: None,
        regions: None,
        from: None,
        until: None,
        severity: "block",
        allows_missing: false,
        stays: false,
        kind,
    }
}

/// Some rules of every kind.
pub(super) fn any(chance: &mut Chance) -> Vec<Written> {
    let mut rules = Vec::new();
    // Where few rules are written, many offers are left for the later slots.
    let counts: &[usize] = if chance.often(5) { &[0, 0, 0, 0, 1] } else { &[0, 0, 1, 1, 2, 3] };
    for (list, make) in KINDS {
        if list.starts_with("proffer.") {
            rules.push(everywhere(list, make(chance)));
            continue;
        }
        // What is about whole answers speaks only where offers are left, and so does what puts them first.
        let counts: &[usize] = match list {
            "stackability" | "diversity" => &[0, 1, 1, 2],
            "overrides" => &[0, 0, 1, 2, 4],
            "purpose_gates" => &[0, 1, 1, 2, 3],
            "kill_switches" => &[0, 0, 0, 0, 1],
            _ => counts,
        };
        for at in 0..chance.one(counts) {
            let mut rule = everywhere(list, make(chance));
            rule.id = format!("{list}.{at}");
            let (gate, at_once) = (rule.kind.guards().is_some(), rule.kind.acts_at_once());
            if chance.often(4) {
                match chance.below(if gate || at_once { 3 } else { 5 }) {
                    0 => rule.channels = Some(chance.one(&[&["web"], &["email"]])),
                    1 => rule.placements = Some(&["home"]),
                    2 => rule.regions = Some(chance.one(&[&["US"] as &[&str], &["US-NY", "DE"], &["EU"]])),
                    3 => rule.offers = Some(&["o1", "o3", "o5"]),
                    _ => rule.categories = Some(chance.one(&[&["shoes"] as &[&str], &["toys", "home"]])),
                }
            }
            if at_once {
                let spans = [(-HOUR, 0), (-HOUR, 1), (0, HOUR), (1, HOUR), (-HOUR, HOUR), (-HOUR, 9 * HOUR)];
                let (from, until) = spans[chance.below(spans.len()).max(chance.below(spans.len()))];
                (rule.from, rule.until) = (Some(NOW + from), Some(NOW + until));
            } else if chance.often(2) {
                rule.from = chance.maybe(5, &[NOW - HOUR, NOW, NOW + 1, NOW + HOUR]);
                rule.until = if rule.from.is_none() { Some(chance.one(&[NOW, NOW + 1, NOW + HOUR])) } else { None };
            }
            if !gate && !at_once {
                rule.severity = chance.one(&["block", "block", "block", "warn", "shadow"]);
            }
            rule.allows_missing = rule.kind.reads() && chance.often(4);
            rule.stays = chance.often(3);
            rules.push(rule);
        }
    }
    rules
}

/// The file that they stand in.
pub(super) fn text(rules: &[Written]) -> String {
    let mut text = "owner: all\n".to_owned();
    for (list, _) in KINDS {
        let mut of: Vec<&Written> = rules.iter().filter(|rule| rule.list == list && rule.id != list).collect();
        if of.is_empty() {
            continue;
        }
        // In which order they are written means nothing.
        of.reverse();
        text += &[list, ":\n"].concat();
        for rule in of {
            text += &["  - {id: ", &rule.id, ", why: So it is, ", &rule.kind.text(), &rule.common(), "}\n"].concat();
        }
    }
    text
}

impl Written {
    fn common(&self) -> String {
        let mut text = String::new();
        let lists = [
            ("offers", self.offers),
            ("categories", self.categories),
            ("channels", self.channels),
            ("placements", self.placements),
            ("regions", self.regions),
        ];
        let lists = lists.iter().filter_map(|(name, names)| Some(format!("{name}: [{}]", (*names)?.join(", "))));
        let lists: Vec<String> = lists.collect();
        if !lists.is_empty() {
            text += &[", applies_to: {", &lists.join(", "), "}"].concat();
        }
        let ends = [("from", self.from), ("until", self.until)];
        let ends = ends.iter().filter_map(|(name, at)| Some(format!("{name}: {}", crate::domain::Timestamp((*at)?))));
        let ends: Vec<String> = ends.collect();
        if !ends.is_empty() {
            text += &[", effective: {", &ends.join(", "), "}"].concat();
        }
        if self.severity != "block" {
            text += &[", severity: ", self.severity].concat();
        }
        if self.allows_missing {
            text.push_str(", on_missing: allow");
        }
        if self.stays {
            text.push_str(", overridable: false");
        }
        text
    }

    /// Whether it holds now, and for requests from there. Where from nobody knows what speaks against offers holds.
    pub(super) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.holds_at(asked.now) && self.covers(asked.from.as_deref())
    }

    /// Whether it holds at an instant.
    pub(super) fn holds_at(&self, now: i64) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// Whether it is for requests from there. What speaks for an offer has to know.
    pub(super) fn covers(&self, from: Option<&str>) -> bool {
        self.regions.is_none_or(|named| lies_in(named, from).unwrap_or(self.kind.favours().is_none()))
    }

    /// Whether an override may lift it.
    pub(super) fn overridable(&self) -> bool {
        !self.stays && !self.kind.protects() && !KEPT.contains(&self.list) && !self.list.starts_with("proffer.")
    }

    /// Whether it is a condition of a customer and an offer.
    pub(super) fn is_condition(&self) -> bool {
        ["exclusions", "requirements", "loyalty_eligibility"].contains(&self.list)
    }

    /// Whether it applies where somebody asks.
    pub(super) fn applies_here(&self, placement: &str, channel: &str) -> bool {
        self.placements.is_none_or(|named| named.contains(&placement))
            && self.channels.is_none_or(|named| named.contains(&channel))
    }

    pub(super) fn applies(&self, asked: &Asked<'_>, offer: &Offer) -> bool {
        self.applies_here(asked.placement(), asked.channel()) && self.covers_offer(offer)
    }

    pub(super) fn covers_offer(&self, offer: &Offer) -> bool {
        self.offers.is_none_or(|named| named.contains(&offer.offer_id.as_str()))
            && self.categories.is_none_or(|named| categories(offer).iter().any(|category| named.contains(category)))
    }

    /// Whether a contact of the past is one that it counts: what is gone cannot be shown to fall outside.
    pub(super) fn covers_contact(&self, asked: &Asked<'_>, placement: &PlacementId, offer: &str) -> bool {
        let channel = asked.town.channel_of(placement.as_str());
        self.placements.is_none_or(|named| named.contains(&placement.as_str()))
            && self.channels.is_none_or(|named| channel.is_none_or(|channel| named.contains(&channel)))
            && match asked.town.offers.get(offer) {
                Some(offer) => self.covers_offer(offer),
                None => self.offers.is_none_or(|named| named.contains(&offer)),
            }
    }
}

/// All categories of an offer.
pub(super) fn categories(offer: &Offer) -> Vec<&str> {
    let mut found: Vec<&str> = offer.category.iter().map(crate::domain::CategoryId::as_str).collect();
    found.extend(offer.more_categories.iter().map(crate::domain::CategoryId::as_str));
    found
}

/// Whether somewhere lies in one of the regions; nothing where that is not known.
pub(super) fn lies_in(named: &[&str], from: Option<&str>) -> Option<bool> {
    let from = from?;
    let union = ["DE", "FR"];
    let country = |text: &str| text[..2].to_owned();
    let mut open = false;
    for region in named {
        let inside = *region == from || *region == country(from) || *region == "EU" && union.contains(&&*country(from));
        if inside {
            return Some(true);
        }
        open |= from == country(region) || from == "EU" && union.contains(&&*country(region));
    }
    (!open).then_some(false)
}
