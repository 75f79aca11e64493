//! Fixtures: named customers, offers and campaigns, and how one is `like` another. Reads no case.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::declare::{self, Declared};
use super::super::finding::{Place, Report};
use super::super::read::{self, Fields};
use super::super::syntax::Node;
use super::{Ground, attributes, customer, offer};
use crate::domain::{AttributeScope, CampaignId, Malformed, OfferId, Timestamp};

/// What fixtures are kept in, in a file of fixtures and beside the cases of a file.
pub(in crate::policy) const LISTS: [&str; 3] = ["customers", "offers", "campaigns"];

/// The word for a customer of whom nothing is known.
pub(super) const NOBODY: &str = "nobody";

/// One fixture.
#[derive(Debug, Clone)]
struct Fixture<T> {
    draft: T,
    place: Place,
    /// The fixture that it starts from, until it is settled.
    like: Option<(Place, String)>,
    settled: bool,
}

/// The fixtures of one kind.
#[derive(Debug, Clone)]
struct Row<T> {
    names: Declared,
    fixtures: BTreeMap<String, Fixture<T>>,
}

/// Everything that has a name in tests.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    customers: Row<customer::Draft>,
    offers: Row<offer::Draft>,
    campaigns: Row<offer::Draft>,
}

impl<T> Default for Row<T> {
    fn default() -> Self {
        Self { names: Declared::default(), fixtures: BTreeMap::new() }
    }
}

impl<T: Clone> Row<T> {
    fn refer(&self, report: &mut Report<'_>, what: &str, noun: &str, named: (Place, &str)) -> bool {
        let home = (codes::FIXTURE_UNKNOWN, noun, "tests/fixtures and not in this file");
        declare::refer(report, home, what, named, &self.names)
    }

    /// Gives every fixture what it takes from the one that it is like.
    fn settle(&mut self, report: &mut Report<'_>, noun: &str, over: impl Fn(&T, &T) -> T) {
        loop {
            let mut moved = false;
            let waiting: Vec<String> = self.fixtures.keys().cloned().collect();
            for name in waiting {
                let Some((place, parent)) = self.fixtures.get(&name).and_then(|fixture| fixture.like.clone()) else {
                    continue;
                };
                let made = match self.fixtures.get(&parent) {
                    Some(base) if base.like.is_some() => continue,
                    Some(base) => self.fixtures.get(&name).map(|fixture| over(&fixture.draft, &base.draft)),
                    None => {
                        self.refer(report, &format!("{noun} `{name}`"), noun, (place, &parent));
                        None
                    }
                };
                let Some(fixture) = self.fixtures.get_mut(&name) else { continue };
                fixture.draft = made.unwrap_or_else(|| fixture.draft.clone());
                fixture.like = None;
                moved = true;
            }
            if !moved {
                break;
            }
        }
        for (name, fixture) in &mut self.fixtures {
            if let Some((place, parent)) = fixture.like.take() {
                let message = format!("{noun} `{name}`: `like: {parent}` leads back to itself");
                let help = "one of them must stand by itself: write its fields out";
                report.add(codes::FIXTURE_CIRCLE, place, message, "a circle").with_help(help);
            }
        }
    }
}

impl Shelf {
    /// Reads the lists of one file, whichever it has.
    pub(super) fn read(&mut self, report: &mut Report<'_>, root: &Node, ground: Ground<'_>) {
        if let Some(fields) = Fields::open(report, "fixtures", root, &LISTS, &[]) {
            self.take(report, &fields, ground);
        } else {
            self.miss();
        }
    }

    /// Reads the lists that a file has.
    pub(super) fn take(&mut self, report: &mut Report<'_>, file: &Fields<'_>, ground: Ground<'_>) {
        for list in LISTS {
            for node in file.get(list).and_then(|node| read::list(report, list, node)).into_iter().flatten() {
                self.item(report, list, node, ground);
            }
        }
    }

    /// Notes that something could not be read, so that nothing can be called unknown.
    pub(super) fn miss(&mut self) {
        self.customers.names.miss();
        self.offers.names.miss();
        self.campaigns.names.miss();
    }

    fn item(&mut self, report: &mut Report<'_>, list: &str, node: &Node, ground: Ground<'_>) {
        let (noun, own, scope) = match list {
            "customers" => ("customer", &customer::FIELDS[..], Some(AttributeScope::Customer)),
            "offers" => ("offer", &offer::FIELDS[..], Some(AttributeScope::Offer)),
            _ => ("campaign", &offer::CAMPAIGN_FIELDS[..], None),
        };
        let names = match list {
            "customers" => &mut self.customers.names,
            "offers" => &mut self.offers.names,
            _ => &mut self.campaigns.names,
        };
        let mut known = [&["id", "like"][..], own].concat();
        known.extend((list == "offers").then_some("campaign"));
        let scopes: Vec<AttributeScope> = scope.into_iter().collect();
        let dotted = attributes::names(ground, &scopes);
        let title = read::title(noun, node);
        let Some(fields) = Fields::open_dotted(report, title, node, &known, &[], &dotted) else {
            names.miss();
            return;
        };
        let wanted = ("a name such as `ann`", "id: ann");
        let id = declare::declare(report, &fields, (noun, wanted.0, wanted.1), |text| name(list, text), names);
        let what = fields.what.as_str();
        let like = fields.get("like").and_then(|node| {
            let text = read::parsed(report, what, node, &format!("the name of another {noun}"), Ok)?;
            Some((node.place, text.to_owned()))
        });
        let rest = || fields.entries().iter().filter(|(key, _)| !["id", "like"].contains(&key.text.as_str()));
        let rest = || rest().filter(|(key, _)| known.contains(&key.text.as_str()) || dotted_by(&key.text, list));
        let (place, settled) = (fields.place, false);
        let Some(id) = id else { return };
        match list {
            "customers" => {
                let mut draft = customer::Draft::default();
                rest().for_each(|(key, node)| {
                    draft.put(report, what, (key, node), ground);
                });
                self.customers.fixtures.insert(id, Fixture { draft, place, like, settled });
            }
            list => {
                let mut draft = offer::Draft::new();
                rest().for_each(|(key, node)| {
                    offer::put(report, what, (key, node), ground, &mut draft);
                });
                let row = if list == "offers" { &mut self.offers } else { &mut self.campaigns };
                row.fixtures.insert(id, Fixture { draft, place, like, settled });
            }
        }
    }

    /// Follows every `like`, and checks what was read since the last time.
    pub(super) fn settle(&mut self, report: &mut Report<'_>) {
        self.customers.settle(report, "customer", customer::Draft::over);
        let over = |own: &offer::Draft, base: &offer::Draft| {
            let mut both = base.clone();
            both.extend(own.clone());
            both
        };
        self.offers.settle(report, "offer", over);
        self.campaigns.settle(report, "campaign", over);
        for (name, fixture) in self.customers.fixtures.iter_mut().filter(|(_, fixture)| !fixture.settled) {
            fixture.settled = true;
            for past in fixture.draft.history.iter().flatten() {
                let named = (past.place, past.offer.as_str());
                self.offers.refer(report, &format!("customer `{name}`: history"), "offer", named);
            }
        }
        for (name, fixture) in self.offers.fixtures.iter_mut().filter(|(_, fixture)| !fixture.settled) {
            fixture.settled = true;
            let what = format!("offer `{name}`");
            check(report, &what, (name, &fixture.draft), fixture.place);
            if let Some(offer::Field::Campaign(campaign, place)) = fixture.draft.get("campaign") {
                self.campaigns.refer(report, &what, "campaign", (*place, campaign.as_str()));
            }
        }
    }

    /// Whether a name in a case is that of an offer; says so if not.
    pub(super) fn refer_offer(&self, report: &mut Report<'_>, what: &str, named: (Place, &str)) -> bool {
        self.offers.refer(report, what, "offer", named)
    }

    /// Whether a name in a case is that of a customer; says so if not.
    pub(super) fn refer_customer(&self, report: &mut Report<'_>, what: &str, named: (Place, &str)) -> bool {
        self.customers.refer(report, what, "customer", named)
    }

    /// The customer of a name.
    pub(super) fn customer(&self, name: &str) -> Option<&customer::Draft> {
        self.customers.fixtures.get(name).map(|fixture| &fixture.draft)
    }

    /// The fields of the offer of a name.
    pub(super) fn offer(&self, name: &str) -> Option<&offer::Draft> {
        self.offers.fixtures.get(name).map(|fixture| &fixture.draft)
    }

    /// The campaigns, for a case at `now`.
    pub(super) fn campaigns(&self, now: Timestamp) -> Vec<crate::domain::Campaign> {
        let made = self.campaigns.fixtures.iter();
        made.filter_map(|(name, fixture)| offer::campaign(name, &fixture.draft, now)).collect()
    }
}

fn dotted_by(key: &str, list: &str) -> bool {
    key.starts_with(if list == "customers" { "customer." } else { "offer." }) && list != "campaigns"
}

fn name(list: &str, text: &str) -> Result<String, Malformed> {
    match list {
        "offers" => OfferId::new(text).map(|_| ())?,
        "campaigns" => CampaignId::new(text).map(|_| ())?,
        _ if text == NOBODY => {
            return Err(Malformed::new(
                "`nobody` stands for a request of which no customer is known: expected another name",
            ));
        }
        _ if text.trim().is_empty() || text.len() > 128 => {
            return Err(Malformed::new("a name has 1 to 128 bytes"));
        }
        _ => {}
    }
    Ok(text.to_owned())
}

/// Says what is wrong with an offer by itself. Its schedule may hang on the time of a case and is left alone.
pub(super) fn check(report: &mut Report<'_>, what: &str, (id, draft): (&str, &offer::Draft), place: Place) -> bool {
    let Some(made) = offer::offer(id, draft, Timestamp(0)) else {
        if !draft.contains_key("price") {
            report
                .add(codes::FIELD_MISSING, place, format!("{what}: field `price` is missing"), "no `price` here")
                .with_help("add it, such as `price: 20.00 USD`, or `like:` an offer that has one");
        }
        return false;
    };
    let problems = made.problems().into_iter().filter(|(at, _)| !at.starts_with("/ends_at"));
    let mut whole = true;
    for (_, message) in problems {
        report.add(codes::FIXTURE_WRONG, place, format!("{what}: {message}"), "no such offer can be");
        whole = false;
    }
    whole
}
