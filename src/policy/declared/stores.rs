//! Stores of a shop: from `catalog/stores.yaml` to the clock and the region of each. Knows no offer and no stock.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::jurisdiction;
use crate::domain::{Malformed, StoreId};
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::Report;
use crate::policy::read;
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::Node;

/// Where they stand.
pub(in crate::policy) const STORES: &str = "catalog/stores.yaml";

/// What is known of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Store {
    zone: Tz,
    region: Option<String>,
}

/// The stores of a bundle. Cheap to copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stores(Arc<BTreeMap<StoreId, Store>>);

impl Stores {
    /// The time zone of a store; nothing where none is named, or one that nobody declared.
    pub(in crate::policy) fn zone(&self, store: Option<&StoreId>) -> Option<Tz> {
        self.0.get(store?).map(|store| store.zone)
    }

    /// Stores with these clocks.
    #[cfg(test)]
    pub(in crate::policy) fn of(stores: &[(&str, Tz)]) -> Self {
        let named =
            |(id, zone): &(&str, Tz)| StoreId::new(*id).ok().map(|id| (id, Store { zone: *zone, region: None }));
        Self(Arc::new(stores.iter().filter_map(named).collect()))
    }

    /// The region of a store, if it is known.
    pub(in crate::policy) fn region(&self, store: Option<&StoreId>) -> Option<&str> {
        self.0.get(store?)?.region.as_deref()
    }
}

/// The stores of a bundle, and how rules refer to them.
#[derive(Debug, Clone, Default)]
pub(in crate::policy) struct StoreNames {
    pub(in crate::policy) stores: Stores,
    declared: Declared,
    /// Whether there is a file, readable or not. Without one any store may be named.
    given: bool,
}

impl StoreNames {
    /// Those of a file that cannot be read.
    pub(in crate::policy) fn unreadable() -> Self {
        Self { declared: Declared::unreadable(), given: true, ..Self::default() }
    }

    /// Whether stores have clocks at all.
    pub(in crate::policy) fn given(&self) -> bool {
        self.given
    }

    /// Whether a rule may name a store; a finding where it is certainly not declared.
    pub(in crate::policy) fn refer(&self, report: &mut Report<'_>, what: &str, node: &Node, store: &StoreId) -> bool {
        let home = (codes::STORE_UNKNOWN, "store", STORES);
        !self.given || declare::refer(report, home, what, (node.place, store.as_str()), &self.declared)
    }
}

/// The fields of a store.
pub(in crate::policy) const FIELDS: [&str; 3] = ["id", "time_zone", "region"];

/// Reads `catalog/stores.yaml`.
pub(in crate::policy) fn read(report: &mut Report<'_>, root: &Node) -> StoreNames {
    let mut names = StoreNames { given: true, ..StoreNames::default() };
    let mut stores = BTreeMap::new();
    for item in declare::items(report, root, "stores", "stores: [...]", &mut names.declared) {
        let Some(fields) = declare::item(report, "store", item, &FIELDS, &mut names.declared) else { continue };
        let what = fields.what.as_str();
        let id = ("store", "a store such as `s-12`", "id: s-12");
        let id = declare::declare(report, &fields, id, |text| StoreId::new(text), &mut names.declared);
        let zone = fields
            .need(report, "time_zone", "time_zone: America/New_York")
            .and_then(|node| read::parsed(report, what, node, "an IANA time zone", time_zone));
        let region = fields
            .get("region")
            .map(|node| read::parsed(report, what, node, "`US` or `US-NY`", jurisdiction::check))
            .map_or(Some(None), |region| region.map(Some));
        if let (Some(id), Some(zone), Some(region)) = (id, zone, region) {
            stores.insert(id, Store { zone, region });
        }
    }
    names.stores = Stores(Arc::new(stores));
    names
}

fn time_zone(text: &str) -> Result<Tz, Malformed> {
    text.parse().map_err(|_| {
        let meant = did_you_mean(text, TZ_VARIANTS.iter().map(|zone: &Tz| zone.name()));
        Malformed::new(format!("`{text}` is not a time zone{meant}: expected an IANA name such as `America/New_York`"))
    })
}

#[cfg(test)]
mod tests {
    use super::STORES;
    use crate::policy::sample::{CAPS, files, shown};
    use crate::policy::{Bundle, Source, compile};

    const DECLARED: &str = "stores:\n  - {id: s-1, time_zone: America/New_York, region: US-NY}\n  - {id: s-2, \
                            time_zone: Asia/Tokyo}\n";

    fn sources(stores: Option<&str>, rule: &str) -> Vec<Source> {
        let mut files = files();
        files.extend(stores.map(|stores| Source { path: STORES.into(), text: stores.into() }));
        let file = files.iter_mut().find(|file| file.path == CAPS).unwrap();
        file.text = format!("owner: care\n{rule}");
        files
    }

    fn bundle(stores: Option<&str>, rule: &str) -> Bundle {
        compile(&sources(stores, rule)).unwrap_or_else(|found| panic!("{}", shown(&found)))
    }

    fn said(stores: Option<&str>, rule: &str) -> String {
        shown(&compile(&sources(stores, rule)).expect_err("it compiled"))
    }

    const OPEN: &str = "availability:\n  - {id: open, why: Opening hours, stores: [s-1], dayparts: [{from: \"09:00\"}]\
                        , time_zone: store}\n";

    #[test]
    fn a_store_has_a_clock_and_a_region_and_one_that_nobody_declared_has_neither() {
        let bundle = bundle(Some(DECLARED), OPEN);
        let store = |id: &str| crate::domain::StoreId::new(id).unwrap();
        let zone = |id: &str| bundle.stores.zone(Some(&store(id))).map(chrono_tz::Tz::name);
        assert_eq!([zone("s-1"), zone("s-2"), zone("s-3")], [Some("America/New_York"), Some("Asia/Tokyo"), None]);
        assert_eq!(bundle.stores.region(Some(&store("s-1"))), Some("US-NY"));
        assert_eq!(bundle.stores.region(Some(&store("s-2"))), None);
        assert_eq!((bundle.stores.zone(None), bundle.stores.region(None)), (None, None));
    }

    #[test]
    fn mistakes_in_stores_and_in_rules_that_name_them_are_told_by_place_and_value() {
        insta::assert_snapshot!(said(None, OPEN), @r#"
        error[P0241]: rule `open`: nobody knows what time it is at a store
         --> rules/30-caps.yaml:3:91
          |
        3 |   - {id: open, why: Opening hours, stores: [s-1], dayparts: [{from: "09:00"}], time_zone: store}
          |                                                                                           ^^^^^ no catalog/stores.yaml
          = help: declare the stores in catalog/stores.yaml, such as `- {id: s-12, time_zone: America/New_York}`
        "#);
        let wrong = "stores:\n  - {id: s-1, time_zone: America/New_Yorc, region: New York}\n  - {id: s-1}\n";
        insta::assert_snapshot!(said(Some(wrong), "frequency_caps: []\n"), @"
        error[P0104]: store `s-1`: `America/New_Yorc` is not a time zone; did you mean `America/New_York`?
         --> catalog/stores.yaml:2:26
          |
        2 |   - {id: s-1, time_zone: America/New_Yorc, region: New York}
          |                          ^^^^^^^^^^^^^^^^ expected an IANA time zone
          = help: expected an IANA name such as `America/New_York`

        error[P0104]: store `s-1`: `New York` is not a jurisdiction
         --> catalog/stores.yaml:2:52
          |
        2 |   - {id: s-1, time_zone: America/New_Yorc, region: New York}
          |                                                    ^^^^^^^^ expected `US` or `US-NY`
          = help: expected `EU`, a country such as `US` or a region such as `US-NY`

        error[P0102]: store `s-1`: field `time_zone` is missing
         --> catalog/stores.yaml:3:6
          |
        3 |   - {id: s-1}
          |      ^^ no `time_zone` here
          = help: add it, such as `time_zone: America/New_York`

        error[P0112]: store `s-1` is declared twice
         --> catalog/stores.yaml:3:10
          |
        3 |   - {id: s-1}
          |          ^^^ first declared at catalog/stores.yaml:2:10
          = help: rename one of them or remove it
        ");
        insta::assert_snapshot!(said(Some(DECLARED), &OPEN.replace("[s-1]", "[s-11]")), @r#"
        error[P0242]: rule `open`: unknown store `s-11`; did you mean `s-1`?
         --> rules/30-caps.yaml:3:45
          |
        3 |   - {id: open, why: Opening hours, stores: [s-11], dayparts: [{from: "09:00"}], time_zone: store}
          |                                             ^^^^ not in catalog/stores.yaml
        "#);
    }
}
