//! What a case is given: fields of its own over those that all cases of its file share. Expects nothing.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::declared::jurisdiction;
use super::super::finding::{Place, Report};
use super::super::read::{self, Fields};
use super::super::syntax::{Node, Yaml};
use super::attributes::{self, Said, Values};
use super::fixtures::{NOBODY, Shelf};
use super::moment::{NOW, Now};
use super::{Ground, customer, gone, offer};
use crate::domain::{AttributeScope, BasketLine, CategoryId, Malformed, OfferId, PlacementId, RuleId, StoreId};

/// Fields that a case and what its file shares may have.
pub(in crate::policy) const FIELDS: [&str; 12] = [
    "placement",
    "at",
    "time_zone",
    "jurisdiction",
    "gpc",
    "store",
    "customer",
    "consents",
    "history",
    "basket",
    "behind",
    "gone",
];

/// What authors may write for the offers asked about.
const OFFERS: [&str; 2] = ["offer", "offers"];

const SCOPES: [AttributeScope; 3] = [AttributeScope::Customer, AttributeScope::Context, AttributeScope::Offer];

/// Who the customer is.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Nobody,
    Somebody(String, customer::Draft),
}

/// What is given.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) placement: Option<PlacementId>,
    pub(super) at: Option<(Place, Now)>,
    pub(super) time_zone: Option<Said<String>>,
    pub(super) jurisdiction: Option<Said<String>>,
    /// Whether the request carries the signal of Global Privacy Control.
    pub(super) gpc: Option<bool>,
    pub(super) store: Option<Said<StoreId>>,
    pub(super) customer: Option<Who>,
    /// What is said of the customer besides.
    pub(super) own: customer::Draft,
    pub(super) context: Values,
    /// What is changed of every offer, and where.
    pub(super) offers: (offer::Draft, Option<Place>),
    pub(super) basket: Option<Vec<BasketLine>>,
    pub(super) behind: Option<Vec<(Place, OfferId)>>,
    /// What is gone of what may run out, by rule.
    pub(super) gone: Option<BTreeMap<RuleId, i64>>,
    /// Something given cannot be read.
    pub(super) broken: bool,
}

impl Given {
    /// Opens what a file shares or a case, which has `more` fields.
    pub(super) fn open<'n>(
        report: &mut Report<'_>,
        what: &str,
        node: &'n Node,
        more: &[&str],
        ground: Ground<'_>,
    ) -> Option<Fields<'n>> {
        let own: Vec<String> = offer::FIELDS.iter().map(|name| format!("offer.{name}")).collect();
        let own = own.iter().map(String::as_str);
        let dotted: Vec<&str> = attributes::names(ground, &SCOPES).into_iter().chain(own).collect();
        // `offer` names nothing here; it is told better below.
        let fields = Fields::open_dotted(report, what, node, &[more, &FIELDS].concat(), &OFFERS, &dotted)?;
        for (key, _) in fields.entries().iter().filter(|(key, _)| OFFERS.contains(&key.text.as_str())) {
            let message = format!("{what}: unknown field `{}`: offers are named in `expect`", key.text);
            report.add(codes::FIELD_UNKNOWN, key.place, message, "unknown field").with_help(
                "write `expect: {boots: []}`; what is different about the offers of a case is written \
                 `offer.price: 10.00 USD`",
            );
        }
        Some(fields)
    }

    /// Reads what is given.
    pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, ground: Ground<'_>, shelf: &Shelf) -> Self {
        let what = fields.what.as_str();
        let mut given = Self::default();
        for (key, node) in fields.entries() {
            let name = key.text.as_str();
            let whole = match name {
                "placement" => {
                    given.placement = customer::placement(report, what, node, ground);
                    given.placement.is_some()
                }
                "at" => {
                    given.at = read::parsed(report, what, node, NOW, Now::parse).map(|now| (node.place, now));
                    given.at.is_some()
                }
                "time_zone" => {
                    given.time_zone = optional(report, what, node, "a time zone such as `America/New_York`", zone);
                    given.time_zone.is_some()
                }
                "jurisdiction" => {
                    given.jurisdiction = optional(report, what, node, "`EU`, `US` or `US-NY`", jurisdiction::check);
                    given.jurisdiction.is_some()
                }
                "gpc" => {
                    given.gpc = read::flag(report, what, node);
                    given.gpc.is_some()
                }
                "store" => {
                    given.store = optional(report, what, node, "a store such as `s-12`", |text| StoreId::new(text));
                    given.store.is_some()
                }
                "customer" => {
                    given.customer = who(report, what, node, ground, shelf);
                    given.customer.is_some()
                }
                "basket" => {
                    given.basket = basket(report, what, node, ground);
                    given.basket.is_some()
                }
                "behind" => {
                    given.behind = behind(report, what, node, shelf);
                    given.behind.is_some()
                }
                "gone" => {
                    given.gone = gone::read(report, what, node, ground);
                    given.gone.is_some()
                }
                "consents" | "history" => given.own.put(report, what, (key, node), ground),
                _ if name.starts_with("customer.") => given.own.put(report, what, (key, node), ground),
                _ if name.starts_with("context.") => {
                    attributes::put(report, what, (key, node), ground, &mut given.context)
                }
                _ if name.starts_with("offer.") => {
                    given.offers.1 = given.offers.1.or(Some(key.place));
                    offer::put(report, what, (key, node), ground, &mut given.offers.0)
                }
                _ => true,
            };
            given.broken |= !whole;
        }
        for past in given.own.history.iter().flatten() {
            let named = (past.place, past.offer.as_str());
            given.broken |= !shelf.refer_offer(report, &format!("{what}: history"), named);
        }
        given
    }

    /// What a case gives, over what its file shares.
    pub(super) fn over(&self, shared: &Self) -> Self {
        let mut both = shared.clone();
        both.placement = self.placement.clone().or(both.placement);
        both.at = self.at.or(both.at);
        both.time_zone = self.time_zone.clone().or(both.time_zone);
        both.jurisdiction = self.jurisdiction.clone().or(both.jurisdiction);
        both.gpc = self.gpc.or(both.gpc);
        both.store = self.store.clone().or(both.store);
        both.customer = self.customer.clone().or(both.customer);
        both.own = self.own.over(&both.own);
        both.context.extend(self.context.clone());
        both.offers.0.extend(self.offers.0.clone());
        both.offers.1 = self.offers.1.or(both.offers.1);
        both.basket = self.basket.clone().or(both.basket);
        both.gone = self.gone.clone().or(both.gone);
        both.behind = self.behind.clone().or(both.behind);
        both.broken |= self.broken;
        both
    }
}

/// A value that may be taken away again with `~`.
fn optional<T>(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    wanted: &str,
    parse: impl FnOnce(&str) -> Result<T, Malformed>,
) -> Option<Said<T>> {
    if read::kind(node) == "nothing" {
        return Some(Said::Unknown);
    }
    read::parsed(report, what, node, wanted, parse).map(Said::Is)
}

fn zone(text: &str) -> Result<String, Malformed> {
    text.parse::<chrono_tz::Tz>().map(|_| text.to_owned()).map_err(|_| {
        Malformed::new(format!("`{text}` is not a time zone: expected an IANA name such as `Europe/Berlin`"))
    })
}

fn who(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>, shelf: &Shelf) -> Option<Who> {
    let what = format!("{what}: customer");
    if let Yaml::Map(_) = &node.value {
        let known = [&["like"][..], &customer::FIELDS].concat();
        let dotted = attributes::names(ground, &[AttributeScope::Customer]);
        let fields = Fields::open_dotted(report, what, node, &known, &[], &dotted)?;
        let mut draft = customer::Draft::default();
        let mut whole = true;
        let mut named = String::new();
        for (key, node) in fields.entries() {
            if key.text == "like" {
                read::parsed(report, &fields.what, node, "the name of a customer", Ok)?.clone_into(&mut named);
                whole &= shelf.refer_customer(report, &fields.what, (node.place, &named));
            } else if key.text.contains('.') || customer::FIELDS.contains(&key.text.as_str()) {
                whole &= draft.put(report, &fields.what, (key, node), ground);
            }
        }
        for past in draft.history.iter().flatten() {
            whole &= shelf.refer_offer(report, &format!("{}: history", fields.what), (past.place, past.offer.as_str()));
        }
        let draft = shelf.customer(&named).map_or_else(|| draft.clone(), |base| draft.over(base));
        return whole.then_some(Who::Somebody(named, draft));
    }
    let name = read::parsed(report, &what, node, "the name of a customer, or `nobody`", Ok)?;
    if name == NOBODY {
        return Some(Who::Nobody);
    }
    shelf.refer_customer(report, &what, (node.place, name)).then_some(())?;
    Some(Who::Somebody(name.to_owned(), shelf.customer(name)?.clone()))
}

/// Things in the basket: an amount is one thing at that price.
fn basket(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>) -> Option<Vec<BasketLine>> {
    let what = format!("{what}: basket");
    let mut lines = Vec::new();
    let mut whole = true;
    // A single amount needs no brackets.
    let items = match &node.value {
        Yaml::Scalar { .. } => std::slice::from_ref(node),
        _ => read::list(report, &what, node)?,
    };
    for node in items {
        match line(report, &what, node, ground) {
            Some(line) => lines.push(line),
            None => whole = false,
        }
    }
    whole.then_some(lines)
}

fn line(report: &mut Report<'_>, what: &str, node: &Node, ground: Ground<'_>) -> Option<BasketLine> {
    let sku = "thing".to_owned();
    let Yaml::Map(_) = &node.value else {
        let price = Some(offer::amount(report, what, node)?);
        return Some(BasketLine { sku, category: None, quantity: 1, price, margin: None });
    };
    let fields = Fields::open(report, what, node, &["sku", "category", "quantity", "price", "margin"], &[])?;
    let what = fields.what.as_str();
    let named = fields.get("sku").map(|node| read::parsed(report, what, node, "an article", Ok));
    let category = fields.get("category").map(|node| {
        let id = read::parsed(report, what, node, "a category", CategoryId::new)?;
        super::super::applies::category_known(report, what, node, id.as_str(), ground.known).then_some(id)
    });
    let quantity = fields.get("quantity").map_or(Some(1), |node| read::whole(report, what, node, 1, 1_000_000));
    let price = fields.get("price").map(|node| offer::amount(report, what, node));
    let margin = fields.get("margin").map(|node| offer::signed(report, what, node));
    Some(BasketLine {
        sku: named.map_or(Some(sku), |named| named.map(str::to_owned))?,
        category: category.map_or(Some(None), |category| category.map(Some))?,
        quantity: quantity?,
        price: price.map_or(Some(None), |price| price.map(Some))?,
        margin: margin.map_or(Some(None), |margin| margin.map(Some))?,
    })
}

fn behind(report: &mut Report<'_>, what: &str, node: &Node, shelf: &Shelf) -> Option<Vec<(Place, OfferId)>> {
    let what = format!("{what}: behind");
    let mut found: Vec<(Place, OfferId)> = Vec::new();
    let mut whole = true;
    for node in read::list(report, &what, node)? {
        let id = read::parsed(report, &what, node, "the name of an offer", OfferId::new);
        let id = id.filter(|id| shelf.refer_offer(report, &what, (node.place, id.as_str())));
        let Some(id) = id else {
            whole = false;
            continue;
        };
        if found.iter().any(|(_, other)| *other == id) {
            let message = format!("{what}: `{id}` appears twice in the list");
            let help = "an offer stands in one slot at most: keep one of them";
            report.add(codes::ENTRY_TWICE, node.place, message, "again").with_help(help);
            whole = false;
        }
        found.push((node.place, id));
    }
    whole.then_some(found)
}
