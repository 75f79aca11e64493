//! What is asked, by whom and for which taste, and what rules then see. Asks no rule.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::folk::Folk;
use super::gates::Gates;
use super::town::{HOUR, STORES, Town};
use super::written::Written;
use crate::domain::decision::Withheld;
use crate::domain::{DecisionRequest, Offer, OfferStatus, Persona, Value};

/// What is asked, by whom and after what.
#[derive(Clone)]
pub(super) struct Asked<'a> {
    pub(super) town: &'a Town,
    pub(super) spot: usize,
    pub(super) request: &'a DecisionRequest,
    pub(super) folk: &'a Folk,
    pub(super) now: i64,
    /// Where from, as rules about regions see it.
    pub(super) from: Option<String>,
    /// By what rules here say that offers sell the same.
    pub(super) same_by: Vec<&'static str>,
    /// What rules or features may see.
    pub(super) used: BTreeMap<String, Value>,
    /// What rules may see.
    pub(super) seen: BTreeMap<String, Value>,
    /// Of what is used, by name: what nobody approved it to be.
    pub(super) kept_from: BTreeSet<(String, &'static str)>,
    /// What guards of audiences may see.
    pub(super) guarded: BTreeMap<String, Value>,
    /// What stands in the slots before.
    pub(super) chosen: Vec<&'a Offer>,
    /// Whether the counters were made at this very instant.
    pub(super) fresh: bool,
}

/// What is kept from rules, and why.
pub(super) type Kept = BTreeSet<(String, String)>;

impl<'a> Asked<'a> {
    pub(super) fn new(
        town: &'a Town,
        spot: usize,
        (request, folk): (&'a DecisionRequest, &'a Folk),
        now: i64,
        fresh: bool,
    ) -> Self {
        let store = request.store.as_ref().and_then(|store| STORES.iter().find(|(id, ..)| *id == store.as_str()));
        let from = request.jurisdiction.clone().or(store.map(|(_, _, region)| (*region).to_owned()));
        let (id, channel) = (town.spots[spot].id, town.spots[spot].channel);
        let here = town.rules.iter().filter(|rule| rule.applies_here(id, channel));
        let same_by = here.filter_map(|rule| rule.kind.same_as()).collect();
        Self {
            town,
            spot,
            request,
            folk,
            now,
            from,
            same_by,
            used: BTreeMap::new(),
            seen: BTreeMap::new(),
            kept_from: BTreeSet::new(),
            guarded: BTreeMap::new(),
            chosen: Vec::new(),
            fresh,
        }
    }

    pub(super) fn placement(&self) -> &'static str {
        self.town.spots[self.spot].id
    }

    pub(super) fn channel(&self) -> &'static str {
        self.town.spots[self.spot].channel
    }

    /// Fills in what may be seen under what the gates left, for one taste. Gives what is kept from rules.
    pub(super) fn see(&mut self, gates: &Gates, persona: Option<&Persona>) -> Kept {
        let town = self.town;
        let (mut given, mut kept) = self.given(persona);
        let context = self.request.context.iter().map(|(name, value)| (format!("context.{name}"), value.clone()));
        given.extend(context);
        let here = |rule: &&Written| rule.applies_here(self.placement(), self.channel());
        let (guards, others): (Vec<&Written>, Vec<&Written>) =
            town.rules.iter().filter(here).partition(|rule| rule.list == "audience_guards");
        let ruled: BTreeSet<&str> = others.iter().flat_map(|rule| rule.kind.names()).collect();
        let weighed = town.spots[self.spot].features;
        let asking = guards.iter().filter(|rule| gates.guards && rule.holds(self));
        let guarding: BTreeSet<&str> = asking.flat_map(|rule| rule.kind.names()).collect();
        for (name, value) in given {
            let own = &*name;
            let may = gates.personal || own == "context.device";
            let (asked, guards) = (guarding.contains(own), self.approved(own, "guard"));
            let guarded = asked && guards;
            if guarded {
                self.guarded.insert(name.clone(), value.clone());
            }
            let readers = [("rule", ruled.contains(own)), ("feature", weighed.contains(&own))];
            let wanted: Vec<&str> = readers.into_iter().filter(|(_, reads)| *reads).map(|(reader, _)| reader).collect();
            let barred: Vec<&str> = wanted.iter().copied().filter(|reader| !self.approved(own, reader)).collect();
            let reads = may && barred.len() < wanted.len();
            let mut why = Vec::new();
            why.extend((asked && !guards).then_some(Withheld::GuardNotApproved));
            if !may {
                why.push(if guarded { Withheld::GuardsOnly } else { Withheld::PurposeNotConsented });
            } else if wanted.is_empty() {
                why.extend(guarded.then_some(Withheld::GuardsOnly));
                why.extend((!asked).then_some(Withheld::NotUsed));
            } else if !reads {
                why.push(Withheld::NotApproved);
            }
            if reads {
                for (reader, told) in [
                    ("rule", Withheld::RuleNotApproved),
                    ("feature", Withheld::FeatureNotApproved),
                    ("price", Withheld::PriceNotApproved),
                ] {
                    if barred.contains(&reader) || reader == "price" && !self.approved(own, reader) {
                        why.push(told);
                        self.kept_from.insert((name.clone(), reader));
                    }
                }
                if !barred.contains(&"rule") {
                    self.seen.insert(name.clone(), value.clone());
                }
                self.used.insert(name.clone(), value);
            }
            kept.extend(why.into_iter().map(|why| (name.clone(), format!("{why:?}"))));
        }
        kept
    }

    /// Whether an attribute may be read so here, as far as that is for people to say.
    fn approved(&self, name: &str, use_case: &str) -> bool {
        let purpose = match use_case {
            "guard" => "service",
            "price" => "price_personalisation",
            _ => self.town.spots[self.spot].purpose,
        };
        // Where no rule lets it move a price, nobody has to approve that it does.
        let here = |rule: &&Written| rule.applies_here(self.placement(), self.channel());
        let asks = use_case != "price" || self.town.rules.iter().filter(here).any(|rule| rule.kind.may_move(name));
        !asks || self.town.approvals.allow(name, (purpose, use_case), self.now)
    }

    /// What is known of the customer: what the taste says, then the request, then what is kept and still good; and
    /// what is kept in vain.
    fn given(&self, persona: Option<&Persona>) -> (BTreeMap<String, Value>, Kept) {
        let mut all = self.request.customer.attributes.clone();
        all.extend(persona.into_iter().flat_map(|persona| persona.attributes.clone()));
        let mut vain = Kept::new();
        for kept in self.folk.customer().into_iter().flat_map(|person| &person.kept) {
            if all.contains_key(&kept.name) {
                continue;
            }
            let old = kept.name == "points" && self.now - kept.at.0 >= HOUR;
            let why = if old || kept.until.is_some_and(|until| until.0 <= self.now) {
                Withheld::Expired
            } else if kept.name == "gone" || !Town::declares(&kept.name, &kept.value) {
                Withheld::Undeclared
            } else {
                all.insert(kept.name.clone(), kept.value.clone());
                continue;
            };
            vain.insert((format!("customer.{}", kept.name), format!("{why:?}")));
        }
        (all.into_iter().map(|(name, value)| (format!("customer.{name}"), value)).collect(), vain)
    }

    /// The offers that are there for whoever asks here.
    pub(super) fn considered(&self) -> impl Iterator<Item = &'a Offer> {
        let house = self.town.house(self.spot);
        let there = self.town.offers.values();
        there.filter(move |offer| offer.status == OfferStatus::Active && offer.offer_id.as_str() != house)
    }

    /// Where the customer is.
    pub(super) fn zone(&self) -> Option<Tz> {
        self.request.time_zone.as_deref().map(|zone| zone.parse().unwrap())
    }

    /// Where the store is.
    pub(super) fn store_zone(&self) -> Option<Tz> {
        let store = self.request.store.as_ref()?;
        STORES.iter().find(|(id, ..)| *id == store.as_str()).map(|(_, zone, _)| *zone)
    }
}
