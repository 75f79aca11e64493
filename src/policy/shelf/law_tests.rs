//! The law of shelves: over random bundles, offers and customers they say what every rule asked about every offer
//! says. Tests no rule by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;

use super::super::merchandise::Merchandise;
use super::super::plain::{judge_behind, judge_from, judge_prices, judge_sums};
use super::super::{
    Bundle, CapWindows, Chosen, Contact, Facts, OnMissing, Seen, Severity, Source, States, Verdict, compile,
    count_contact, rebuild_caps,
};
use super::law_switches::{lift, one_group};
use super::*;
use crate::domain::outcome::OutcomeKind;
use crate::domain::{
    AttributeId, Campaign, DecisionId, DecisionRequest, Offer, OfferId, Span, StoreId, SubjectKind, SubjectKinds,
    SubjectState, Timestamp, Value,
};

const NOW: i64 = 1_780_000_000_000;
const HOUR: i64 = 3_600_000;

/// Random choices, each named by what it gives.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn below(&mut self, end: i64) -> i64 {
        self.0.random_range(0..end)
    }

    pub(super) fn often(&mut self, of_ten: i64) -> bool {
        self.below(10) < of_ten
    }

    pub(super) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(i64::try_from(of.len()).unwrap())).unwrap()]
    }

    /// Fields that any rule may have.
    fn common(&mut self) -> String {
        let scopes = [
            "offers: [o1, o3, o5]",
            "categories: [shoes]",
            "categories: [toys, home]",
            "placements: [home]",
            "channels: [email]",
            "channels: [web], categories: [shoes, toys]",
            "regions: [US]",
            "regions: [US-NY, DE]",
            "regions: [EU], categories: [shoes]",
        ];
        let applies = if self.often(4) { format!(", applies_to: {{{}}}", self.one(&scopes)) } else { String::new() };
        let times = ["from: 2026-05-28T20:00:00Z", "until: 2026-05-28T20:30:00Z", "from: 2026-05-28T20:20:00Z"];
        let effective = if self.often(2) { format!(", effective: {{{}}}", self.one(&times)) } else { String::new() };
        let severity = ["", "", "", ", severity: block", ", severity: warn", ", severity: shadow"];
        applies + &effective + self.one(&severity)
    }

    pub(super) fn list(&mut self, name: &str, mut rule: impl FnMut(&mut Self) -> String) -> String {
        let count = self.below(5);
        if count == 0 {
            return String::new();
        }
        let rules = (0..count).map(|at| {
            let (own, common) = (rule(self), self.common());
            format!("  - {{id: {name}.{at}, why: So it is, {own}{common}}}\n")
        });
        let rules = rules.collect::<String>();
        format!("{name}:\n{rules}")
    }

    fn rules(&mut self) -> String {
        let scopes =
            ["[customer]", "[all, customer]", "[customer, offer]", "[customer, category]", "[customer, campaign]"];
        let nobody = ["", ", without_identifier: allow"];
        let unknown = ["", ", without_identifier: allow", ", without_identifier: exclude"];
        [
            "owner: all\n".to_owned(),
            self.money_rules(),
            self.list("frequency_caps", |c| {
                let by = if c.often(2) { "[customer, channel]" } else { c.one(&scopes) };
                let by = by.replace("customer", c.one(&["customer", "customer", "household", "device", "session"]));
                let max = 1 + c.below(3);
                let window = c.one(&[
                    "{rolling: 5h}",
                    "{rolling: 72h}",
                    "lifetime",
                    "{calendar: day, time_zone: customer}",
                    "{calendar: week, time_zone: Europe/Berlin}",
                    "{calendar: week, time_zone: store, week_starts: saturday}",
                ]);
                let counts = c.one(&["decision", "impression", "click", "redemption"]);
                format!("scope: {by}, max: {max}, window: {window}, counts: {counts}{}", c.one(&unknown))
            }),
            self.list("cool_downs", |c| {
                let after = [
                    "{event: reject}",
                    "{event: order}",
                    "{event: reject, times: 2, within: 48h}",
                    "{event: impression, times: 2, within: 96h, unless: click}",
                    "{event: click, unless: order}",
                ];
                format!("scope: {}, after: {}, suppress_for: 3d{}", c.one(&scopes), c.one(&after), c.one(&nobody))
            }),
            self.list("exclusions", |c| {
                let when = ["customer.tier == \\\"gold\\\"", "offer.price > 30 USD", "offer.brand == \\\"acme\\\""];
                format!("when: \"{}\"", c.one(&when))
            }),
            self.list("category_exclusions", |c| {
                let of = ["categories: [shoes]", "brands: [acme, nobody]", "categories: [home], brands: [zeta]"];
                format!("kind: {}, {}", c.one(&["sensitive", "competitor", "regulated"]), c.one(&of))
            }),
            self.list("audience_guards", |c| {
                let who = ["when: \"customer.tier == \\\"gold\\\"\"", "audience: employees, attribute: customer.staff"];
                format!("{}{}", c.one(&who), c.one(&["", ", on_missing: allow"]))
            }),
            self.list("availability", |c| {
                c.one(&[
                    "channels: [web]",
                    "regions: [US]",
                    "stores: [s-1]",
                    "time_zone: store, dayparts: [{from: \"09:00\", until: \"22:30\"}]",
                ])
                .to_owned()
            }),
            self.list("diversity", |c| {
                let per = c.one(&["category", "campaign", "offer.brand"]);
                format!("per: {per}, at_most: {}{}", 1 + c.below(2), c.one(&["", ", on_missing: allow"]))
            }),
            self.list("stackability", |c| {
                c.one(&[
                    "group: {offers: [o1, o2, gone]}, at_most: 1",
                    "group: {categories: [toys], offers: [o4]}, at_most: 2",
                    "exclusive_pairs: [[o1, o2], [o3, o1], [o2, o1], [gone, o4]]",
                ])
                .to_owned()
            }),
        ]
        .concat()
    }

    fn bundle(&mut self) -> Bundle {
        compiled(&(self.rules() + &self.gates() + &self.switches()))
    }

    fn offer(&mut self, id: &str) -> Offer {
        let currency = if self.often(9) { "USD" } else { "EUR" };
        let money = |amount: i64| serde_json::json!({"amount": format!("{amount}.00"), "currency": currency});
        let price = self.below(60);
        let mut offer = serde_json::json!({
            "offer_id": id, "price": money(price), "cost_of_goods": money(self.below(40)),
            "variants": if self.often(3) {
                serde_json::json!([{"variant_id": "a"}, {"variant_id": "b"}])
            } else {
                serde_json::json!([{"variant_id": "a"}])
            },
        });
        let mut may = |chance: &mut Self, name: &str, of_ten: i64, values: &[serde_json::Value]| {
            if chance.often(of_ten) {
                let at = usize::try_from(chance.below(i64::try_from(values.len()).unwrap())).unwrap();
                offer[name] = values[at].clone();
            }
        };
        may(self, "discount", 5, &[money(price / 3), money(price / 2), money(0)]);
        may(self, "advertised_price_min", 6, &[money(10), money(25), money(price)]);
        may(self, "prior_price", 6, &[money(price), money(price - price / 4), money(price + 1)]);
        may(self, "status", 1, &["paused".into()]);
        may(self, "category", 7, &["shoes".into(), "toys".into(), "home".into()]);
        may(self, "more_categories", 3, &[serde_json::json!(["toys"]), serde_json::json!(["home", "shoes"])]);
        may(self, "campaign", 5, &["spring".into(), "autumn".into(), "unknown".into()]);
        may(self, "stock", 3, &[0.into(), 5.into()]);
        may(self, "starts_at", 2, &["2026-05-28T20:00:00Z".into(), "2026-05-28T21:00:00Z".into()]);
        may(self, "ends_at", 2, &["2026-05-28T22:00:00Z".into(), "2027-01-01T00:00:00Z".into()]);
        may(self, "attributes", 5, &[serde_json::json!({"brand": "acme"}), serde_json::json!({"brand": "zeta"})]);
        serde_json::from_value(offer).unwrap()
    }

    fn catalogue(&mut self) -> Catalogue {
        let mut offers: Vec<Offer> = (0..self.below(9)).map(|at| self.offer(&format!("o{at}"))).collect();
        offers.push(self.offer("house"));
        let campaign = |json: serde_json::Value| -> Campaign { serde_json::from_value(json).unwrap() };
        let spring = campaign(serde_json::json!({"campaign_id": "spring", "owner": "toys"}));
        let autumn = campaign(serde_json::json!({
            "campaign_id": "autumn", "owner": "toys", "starts_at": "2026-05-28T20:15:00Z",
        }));
        Catalogue::new(1, offers, vec![spring, autumn])
    }

    /// Contacts of the last days, some with offers and placements that are gone.
    fn history(&mut self) -> Vec<Contact> {
        let count = self.below(12);
        let contact = |number: i64| {
            let at = NOW - self.below(96 * HOUR);
            let event = |chance: &mut Self, kind| (kind, Timestamp(at + chance.below(NOW - at + 1)));
            let mut events = Vec::new();
            for kind in [OutcomeKind::Reject, OutcomeKind::Order, OutcomeKind::Click, OutcomeKind::Impression] {
                if self.often(4) {
                    events.push(event(self, kind));
                }
            }
            Contact {
                chosen: Chosen {
                    decision: DecisionId::from_parts(at, [u8::try_from(number).unwrap(); 10]),
                    slot: u16::try_from(self.below(2)).unwrap(),
                    at: Timestamp(at),
                    reserved_until: Timestamp(at).plus(Span(HOUR)),
                    stands_for: SubjectKinds::of(SubjectKind::Customer),
                },
                placement: PlacementId::new(self.one(&["home", "mail", "gone", "receipt"])).unwrap(),
                offer: OfferId::new(self.one(&["o0", "o1", "o2", "o3", "o4", "gone"])).unwrap(),
                seen: self.often(6).then_some(Timestamp(at + 1)),
                clicked: self.often(4).then_some(Timestamp(at + 2)),
                redeemed: self.often(3).then_some(Timestamp(at + 3)),
                events,
                released: self.often(1),
            }
        };
        (0..count).map(contact).collect()
    }

    /// What may be seen of the customer.
    fn seen(&mut self) -> Seen {
        let id = |name: &str| AttributeId::parse(name).unwrap();
        let gold = self.often(5).then(|| (id("customer.tier"), Value::Text("gold".into())));
        let staff = self.often(6).then(|| (id("customer.staff"), Value::Bool(self.often(4))));
        Seen::of(gold.into_iter().chain(staff).collect())
    }

    /// The states of whomever a request names, each with a history of its own.
    fn subjects(&mut self, bundle: &Bundle, catalogue: &Catalogue) -> Vec<(SubjectState, SubjectKinds)> {
        let mut named = |kind: &SubjectKind| self.often(8 - *kind as i64).then(|| "x".to_owned());
        let [id, session, household, device] = SubjectKind::ALL.each_ref().map(&mut named);
        let request = DecisionRequest {
            customer: crate::domain::Customer { id, session, device, household, ..Default::default() },
            ..request(PlacementId::new("home").unwrap(), None)
        };
        let counted = |(_, stands_for): (_, SubjectKinds)| {
            let mut state = SubjectState::default();
            let mut history = self.history();
            for contact in &mut history {
                contact.chosen.stands_for = stands_for;
            }
            rebuild_caps(bundle, catalogue, &history, &mut state, Timestamp(NOW));
            (state, stands_for)
        };
        request.subjects(bundle.counted).into_iter().map(counted).collect()
    }
}

fn states(counted: &[(SubjectState, SubjectKinds)]) -> States<'_> {
    counted.iter().fold(States::default(), |states, (state, stands_for)| states.with(state, *stands_for))
}

fn request(placement: PlacementId, candidates: Option<Vec<OfferId>>) -> DecisionRequest {
    DecisionRequest {
        decision_id: None,
        customer: crate::domain::Customer::default(),
        placement,
        count: None,
        jurisdiction: None,
        time_zone: None,
        context: BTreeMap::new(),
        basket: Vec::new(),
        candidates,
        store: None,
        privacy_signal: None,
    }
}

/// A bundle of placements with these rules.
fn compiled(rules: &str) -> Bundle {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let placement = |id: &str, channel: &str, (house, more): (&str, &str)| {
        format!(
            "  - {{id: {id}{more}, channel: {channel}, purpose: p, currency: USD, slots: 3, objective: {{kind: margin, \
             window: 7d, reward_cap: 200.00}}, strategy: {{name: uniform}}, features: [], fallback: {{offer: \
             {house}, variant: a}}}}\n"
        )
    };
    let placements = placement("home", "web", ("house", ""))
        + &placement("mail", "email", ("o2", ""))
        + &placement("letter", "email", ("o2", ", obeys_caps: false"))
        + &placement("receipt", "email", ("o2", ", counts_toward_caps: false"));
    let files = [
        file("bundle.yaml", "name: law\nschema: 1\n"),
        file(
            "catalog/attributes.yaml",
            "attributes:\n  - {id: customer.tier, type: {enum: [bronze, gold]}, class: personal}\n  \
             - {id: customer.staff, type: bool, class: sensitive}\n  \
             - {id: offer.brand, type: text}\n  - {id: offer.category, type: {enum: [shoes, toys, home]}}\n",
        ),
        file("catalog/purposes.yaml", "purposes:\n  - {id: p, dpv: Marketing, bases: {US: [consent]}}\n"),
        file("catalog/stores.yaml", "stores:\n  - {id: s-1, time_zone: Asia/Tokyo, region: US}\n"),
        file("placements.yaml", &format!("placements:\n{placements}")),
        file("rules/10.yaml", rules),
    ];
    compile(&files)
        .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<String>()))
}

/// The offers under consideration, one rule and one offer at a time.
fn plain(
    (bundle, catalogue): (&Bundle, &Arc<Catalogue>),
    placement: &Placement,
    (facts, request): (&Facts<'_>, &DecisionRequest),
    states: States<'_>,
    windows: &CapWindows,
) -> Vec<(u32, i64, i64, Verdict)> {
    let columns = bundle.columns(catalogue);
    let mut conditions = bundle.ask(&columns, placement, facts);
    let merchandise = Merchandise::at(merchandise::positions(&bundle.rules), catalogue, windows.now);
    let mut found = Vec::new();
    for (position, candidate) in (0..).zip(catalogue.candidates()) {
        let offer = &catalogue.offers()[candidate.offer];
        let considered = offer.status == OfferStatus::Active
            && offer.offer_id != placement.fallback.offer
            && request.candidates.as_ref().is_none_or(|asked| asked.contains(&offer.offer_id));
        if considered {
            let personal = !facts.attributes.used().is_empty();
            let mut verdict = judge_from(bundle, (placement, facts.jurisdiction, personal), offer, states, windows);
            conditions.fail(candidate.offer, &mut verdict.failed);
            one_group((bundle, &columns), placement, facts, (candidate.offer, offer), &mut verdict.failed);
            verdict.failed.extend(guarded(bundle, placement, facts, offer));
            merchandise.fail(candidate.offer, offer, &mut verdict.failed);
            verdict.failed.extend(judge_prices(bundle, placement, facts, (catalogue.offers(), offer)));
            part(bundle, &mut verdict);
            lift(bundle, (placement, facts.jurisdiction), offer, windows.now, &mut verdict);
            found.push((position, offer.margin_minor(), offer.cost_of_showing_minor(), verdict));
        }
    }
    found
}

/// The guards that leave an offer out: whoever is gold or works here belongs, and whoever may.
fn guarded(bundle: &Bundle, placement: &Placement, facts: &Facts<'_>, offer: &Offer) -> Vec<Failed> {
    let mut found = Vec::new();
    for (at, rule) in (0..).zip(&bundle.rules) {
        let RuleKind::AudienceGuard(guard) = &rule.kind else { continue };
        let known = |name: &str| facts.attributes.get(&AttributeId::parse(name).unwrap());
        let belongs = match guard.audience {
            None => known("customer.tier").map(|tier| *tier == Value::Text("gold".into())),
            Some(_) => known("customer.staff").map(|staff| *staff == Value::Bool(true)),
        };
        let asked = rule.effective.holds(facts.now)
            && rule.applies_to.covers_region(facts.jurisdiction) != Some(false)
            && rule.applies_to.covers(placement, offer);
        if asked && belongs.unwrap_or(rule.on_missing == OnMissing::Exclude) {
            found.push(Failed { rule: at, observed: None, limit: None });
        }
    }
    found
}

/// In the order of the rules: which are asked first says nothing.
fn sort(verdict: &mut Verdict) {
    verdict.failed.sort_by_key(|failed| failed.rule);
    verdict.noted.sort_by_key(|failed| failed.rule);
}

/// Parts what only speaks from what leaves the offer out.
fn part(bundle: &Bundle, verdict: &mut Verdict) {
    sort(verdict);
    let blocks = |failed: &Failed| bundle.rules[usize::from(failed.rule)].severity == Severity::Block;
    (verdict.failed, verdict.noted) = std::mem::take(&mut verdict.failed).into_iter().partition(blocks);
}

fn check(seed: u64) -> Result<(), TestCaseError> {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let (bundle, catalogue) = (chance.bundle(), Arc::new(chance.catalogue()));
    let counted = chance.subjects(&bundle, &catalogue);
    let seen = chance.seen();
    let store = chance.often(5).then(|| StoreId::new("s-1").unwrap());
    let zone = chance.often(5).then_some("Asia/Tokyo");
    let asked = chance.often(3).then(|| ["gone", "house", "o1", "o4"].map(|id| OfferId::new(id).unwrap()).to_vec());
    let now = Timestamp(NOW + chance.below(2) * HOUR);
    let windows = CapWindows::at(now, zone).in_store(bundle.stores.zone(store.as_ref()));
    let from = [Some("US-NY"), Some("US"), Some("DE"), Some("GB"), None][usize::try_from(chance.below(5)).unwrap()];
    let shelves = bundle.shelves(&catalogue);
    let basket = chance.basket();
    for placement in bundle.placements.values() {
        let facts = Facts {
            attributes: &seen,
            basket: &basket,
            currency: placement.currency,
            jurisdiction: from,
            time_zone: zone,
            store: store.as_ref(),
            now,
        };
        let request = request(placement.id.clone(), asked.clone());
        let expected = plain((&bundle, &catalogue), placement, (&facts, &request), states(&counted), &windows);
        let both = (shelves.as_ref(), catalogue.as_ref());
        let mut judging = Judging::new(&bundle, both, placement, &facts, states(&counted), &windows).unwrap();
        let mut found = Vec::new();
        for stand in shelves.at(&placement.id).unwrap().stands(asked.as_deref(), &catalogue) {
            let mut verdict = Verdict::default();
            judging.ask(stand, &mut verdict);
            sort(&mut verdict);
            for candidate in stand.candidates.clone() {
                found.push((candidate, stand.margin_minor, stand.cost_minor, verdict.clone()));
            }
        }
        prop_assert_eq!(found, expected, "at {}", placement.id);
        let setting = Setting { placement, jurisdiction: from, basket: &basket };
        behind((&bundle, both), setting, &counted, &windows, &mut chance)?;
    }
    Ok(())
}

/// The same behind some offers.
fn behind(
    (bundle, both): (&Bundle, (&Shelves, &Catalogue)),
    setting: Setting<'_>,
    counted: &[(SubjectState, SubjectKinds)],
    windows: &CapWindows,
    chance: &mut Chance,
) -> Result<(), TestCaseError> {
    let (offers, placement) = (both.1.offers(), setting.placement);
    let first = Behind::nothing(bundle, both, setting, windows.now);
    for (at, offer) in (0..).zip(offers) {
        let mut found = Verdict::default();
        if let Some(first) = &first {
            first.ask(at, &mut found);
        }
        sort(&mut found);
        let failed = judge_sums(bundle, setting, offer, &[], windows.now);
        let mut expected = Verdict { failed, ..Verdict::default() };
        part(bundle, &mut expected);
        lift(bundle, (placement, setting.jurisdiction), offer, windows.now, &mut expected);
        prop_assert_eq!(found, expected, "{} in front of everything", offer.offer_id);
    }
    let there: Vec<u32> = (0..u32::try_from(offers.len()).unwrap()).filter(|_| chance.often(3)).collect();
    let chosen: Vec<&Offer> = there.iter().map(|at| &offers[*at as usize]).collect();
    // What the answer has shown counts for whomever nobody stands for.
    let unknown = |kind: &SubjectKind| counted.iter().all(|(_, stands_for)| !stands_for.has(*kind));
    let unknown = SubjectKind::ALL.into_iter().filter(unknown).fold(SubjectKinds::NONE, SubjectKinds::and);
    let (mut next, mut answer) = (counted.to_vec(), (SubjectState::default(), unknown));
    for (slot, offer) in (0..).zip(&chosen) {
        for (next, stands_for) in next.iter_mut().chain([&mut answer]) {
            let decision = DecisionId::from_parts(windows.now.0, [255; 10]);
            let (at, reserved_until) = (windows.now, windows.now.plus(Span(HOUR)));
            let chosen = Chosen { decision, slot, at, reserved_until, stands_for: *stands_for };
            count_contact(bundle, placement, offer, next, &chosen);
        }
    }
    let states = states(&next).within(&answer.0);
    let behind = Behind::new(bundle, both, setting, &there, states, windows).unwrap();
    for (at, offer) in (0..).zip(offers).filter(|(at, _)| !there.contains(at)) {
        let mut found = Verdict::default();
        behind.ask(at, &mut found);
        sort(&mut found);
        let mut expected = judge_behind(bundle, setting, offer, &chosen, states, windows);
        part(bundle, &mut expected);
        lift(bundle, (setting.placement, setting.jurisdiction), offer, windows.now, &mut expected);
        prop_assert_eq!(found, expected, "{} behind {:?}", offer.offer_id, there);
    }
    Ok(())
}

/// What rules say of every offer, by the ids of the rules: what leaves it out, and what only speaks.
type Said = Vec<(Vec<(String, Option<i64>, Option<i64>)>, Vec<(String, Option<i64>, Option<i64>)>)>;

/// What the rules of a bundle say in the first slot, and behind some offers.
fn said(bundle: &Bundle, catalogue: &Arc<Catalogue>, history: &[Contact], known: bool, there: &[u32]) -> Said {
    let shelves = bundle.shelves(catalogue);
    let both = (shelves.as_ref(), catalogue.as_ref());
    let mut counted = SubjectState::default();
    rebuild_caps(bundle, catalogue, history, &mut counted, Timestamp(NOW));
    let state = known.then_some(&counted);
    let windows = CapWindows::at(Timestamp(NOW), None);
    let named = |failed: &Vec<Failed>| {
        let named =
            |failed: &Failed| (bundle.rules[usize::from(failed.rule)].id.to_string(), failed.observed, failed.limit);
        let mut named: Vec<_> = failed.iter().map(named).collect();
        named.sort();
        named
    };
    let mut found = Vec::new();
    for placement in bundle.placements.values() {
        let facts = Facts {
            attributes: &Seen::default(),
            basket: &[],
            currency: placement.currency,
            jurisdiction: Some("US-NY"),
            time_zone: None,
            store: None,
            now: windows.now,
        };
        let mut judging = Judging::new(bundle, both, placement, &facts, state, &windows).unwrap();
        let setting = Setting { placement, jurisdiction: Some("US-NY"), basket: &[] };
        let behind = Behind::new(bundle, both, setting, there, state, &windows).unwrap();
        for stand in shelves.at(&placement.id).unwrap().stands(None, catalogue) {
            let (mut first, mut second) = (Verdict::default(), Verdict::default());
            judging.ask(stand, &mut first);
            behind.ask(stand.offer, &mut second);
            found.extend([first, second].map(|verdict| (named(&verdict.failed), named(&verdict.noted))));
        }
    }
    found
}

/// The same rules, all of one severity.
fn all_of(rules: &str, severity: &str) -> String {
    let mut text = rules.to_owned();
    for other in ["block", "warn", "shadow"] {
        text = text.replace(&format!(", severity: {other}"), "");
    }
    text.replace("why: So it is", &format!("why: So it is, severity: {severity}"))
}

fn check_shadow(seed: u64) -> Result<(), TestCaseError> {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let rules = chance.rules();
    let catalogue = Arc::new(chance.catalogue());
    let (history, known) = (chance.history(), chance.often(8));
    let count = u32::try_from(catalogue.offers().len()).unwrap();
    let there: Vec<u32> = (0..count).filter(|_| chance.often(3)).collect();
    let said = |rules: &str| said(&compiled(rules), &catalogue, &history, known, &there);
    let bare = said("owner: all\n");
    let blocking = said(&all_of(&rules, "block"));
    for severity in ["warn", "shadow"] {
        let speaking = said(&all_of(&rules, severity));
        prop_assert_eq!(bare.len(), speaking.len());
        for ((without, speaks), blocks) in bare.iter().zip(&speaking).zip(&blocking) {
            prop_assert_eq!(&without.0, &speaks.0, "what only speaks leaves nothing out");
            let mut all: Vec<_> = speaks.0.iter().chain(&speaks.1).cloned().collect();
            all.sort();
            prop_assert_eq!(&all, &blocks.0, "and says what it would have left out");
            prop_assert!(blocks.1.is_empty() && without.1.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shelf_says_what_every_rule_asked_about_every_offer_says(seed in any::<u64>()) {
        check(seed)?;
    }

    #[test]
    fn with_every_rule_in_shadow_nothing_is_left_out_that_is_not_left_out_without_the_rules(seed in any::<u64>()) {
        check_shadow(seed)?;
    }
}
