//! The kinds of rules, each once: its list, its fields, its place among the others, its reader. Reads no file and asks
//! no rule.
//!
//! Whoever adds a kind adds a row here; lists of names in messages, ranks and what is answered to words that are not
//! available yet follow from it.

use super::super::applies::AppliesTo;
use super::super::condition;
use super::super::declared::lineage::ReadBy;
use super::super::finding::Report;
use super::super::kinds::{
    availability, caps, category_exclusions, cool_downs, diversity, fairness, floors, gate, guards, loyalty, overrides,
    pools, price_limits, price_personalisation, stackability, switches,
};
use super::super::read::Fields;
use super::{Known, RuleKind};

/// Reads the fields of one kind.
type Reader = fn(&mut Report<'_>, &Fields<'_>, Known<'_>, Option<&AppliesTo>) -> Option<RuleKind>;

/// A kind that authors write.
pub(in crate::policy) struct Kind {
    /// The list that holds its rules.
    pub(in crate::policy) list: &'static str,
    /// Its fields, beside those that every rule may have.
    pub(in crate::policy) fields: &'static [&'static str],
    /// Fields of the language that are not available yet.
    pub(in crate::policy) later: &'static [&'static str],
    /// Whether its rules read something that may be missing, so that `on_missing` says what becomes of it.
    pub(in crate::policy) reads: bool,
    /// Whether an override may lift its rules. What protects people by law or by their own word is never lifted.
    pub(in crate::policy) liftable: bool,
    /// Its place among the kinds of a bundle.
    pub(in crate::policy) rank: u8,
    pub(in crate::policy) read: Reader,
}

/// Every kind that authors write, by rank.
pub(in crate::policy) const KINDS: [Kind; 19] = [
    Kind {
        list: "purpose_gates",
        fields: &gate::FIELDS,
        later: &[],
        reads: false,
        liftable: false,
        rank: 1,
        read: |report, fields, known, _| gate::read(report, fields, known),
    },
    Kind {
        list: "margin_floors",
        fields: &floors::FIELDS,
        later: &[],
        reads: true,
        liftable: true,
        rank: 2,
        read: floors::read,
    },
    Kind {
        list: "frequency_caps",
        fields: &caps::FIELDS,
        later: &[],
        reads: false,
        liftable: true,
        rank: 3,
        read: |report, fields, known, _| caps::read(report, fields, known),
    },
    Kind {
        list: "availability",
        fields: &availability::FIELDS,
        later: &[],
        reads: true,
        liftable: true,
        rank: 4,
        read: |report, fields, known, _| availability::read(report, fields, known),
    },
    Kind {
        list: "exclusions",
        fields: &["when"],
        later: &[],
        reads: true,
        liftable: true,
        rank: 5,
        read: |report, fields, known, applies_to| {
            condition::read(report, fields, known, (applies_to, ReadBy::Exclusion))
                .map(|when| RuleKind::Exclusion { when })
        },
    },
    Kind {
        list: "requirements",
        fields: &["when"],
        later: &[],
        reads: true,
        liftable: true,
        rank: 6,
        read: |report, fields, known, applies_to| {
            condition::read(report, fields, known, (applies_to, ReadBy::Other))
                .map(|when| RuleKind::Requirement { when })
        },
    },
    Kind {
        list: "audience_guards",
        fields: &guards::FIELDS,
        later: &[],
        reads: true,
        liftable: false,
        rank: 7,
        read: guards::read,
    },
    Kind {
        list: "category_exclusions",
        fields: &category_exclusions::FIELDS,
        later: &[],
        reads: false,
        liftable: true,
        rank: 8,
        read: |report, fields, known, _| category_exclusions::read(report, fields, known),
    },
    Kind {
        list: "price_limits",
        fields: &price_limits::FIELDS,
        later: &[],
        reads: true,
        liftable: false,
        rank: 9,
        read: price_limits::read,
    },
    Kind {
        list: "price_personalisation",
        fields: &price_personalisation::FIELDS,
        later: &[],
        reads: true,
        liftable: false,
        rank: 10,
        read: |report, fields, known, _| price_personalisation::read(report, fields, known),
    },
    Kind {
        list: "stackability",
        fields: &stackability::FIELDS,
        later: &[],
        reads: false,
        liftable: true,
        rank: 20,
        read: |report, fields, known, _| stackability::read(report, fields, known),
    },
    Kind {
        list: "diversity",
        fields: &diversity::FIELDS,
        later: &[],
        reads: true,
        liftable: true,
        rank: 21,
        read: |report, fields, known, _| diversity::read(report, fields, known),
    },
    Kind {
        list: "loyalty_eligibility",
        fields: &loyalty::FIELDS,
        later: &[],
        reads: true,
        liftable: true,
        rank: 22,
        read: |report, fields, known, _| loyalty::read(report, fields, known),
    },
    Kind {
        list: "cool_downs",
        fields: &cool_downs::FIELDS,
        later: &[],
        reads: false,
        liftable: true,
        rank: 40,
        read: |report, fields, _, _| cool_downs::read(report, fields),
    },
    Kind {
        list: "budgets",
        fields: &pools::BUDGET_FIELDS,
        later: &[],
        reads: false,
        liftable: false,
        rank: 41,
        read: pools::budget,
    },
    Kind {
        list: "stock",
        fields: &pools::STOCK_FIELDS,
        later: &[],
        reads: true,
        liftable: false,
        rank: 42,
        read: |report, fields, _, _| pools::stock(report, fields),
    },
    Kind {
        list: "fairness_gates",
        fields: &fairness::FIELDS,
        later: &fairness::FIELDS_LATER,
        reads: false,
        liftable: false,
        rank: 43,
        read: |report, fields, known, _| fairness::read(report, fields, known),
    },
    Kind {
        list: "overrides",
        fields: &overrides::FIELDS,
        later: &[],
        reads: false,
        liftable: false,
        rank: 44,
        read: |report, fields, _, _| overrides::read(report, fields),
    },
    Kind {
        list: "kill_switches",
        fields: &switches::FIELDS,
        later: &[],
        reads: false,
        liftable: false,
        rank: 45,
        read: |report, fields, known, _| switches::read(report, fields, known),
    },
];

/// Kinds of the language that are not available yet, with the ranks kept for them. Records name rules by their place,
/// so that a kind which old bundles cannot have may stand anywhere.
pub(in crate::policy) const LATER: [(&str, u8); 0] = [];

/// A rule that nobody wrote and every bundle has.
pub(in crate::policy) struct BuiltIn {
    pub(in crate::policy) kind: RuleKind,
    pub(in crate::policy) id: &'static str,
    pub(in crate::policy) why: &'static str,
    /// A further one takes 60 or more: in front of others it would rename them in records that are there.
    pub(in crate::policy) rank: u8,
}

/// Every rule that nobody wrote, by rank.
pub(in crate::policy) const BUILT_IN: [BuiltIn; 5] = [
    BuiltIn {
        kind: RuleKind::Currency,
        id: "proffer.currency",
        why: "an offer is shown only where its currency is the placement's",
        rank: 0,
    },
    BuiltIn {
        kind: RuleKind::Schedule,
        id: "proffer.schedule",
        why: "an offer is shown only within its own schedule",
        rank: 30,
    },
    BuiltIn {
        kind: RuleKind::Campaign,
        id: "proffer.campaign",
        why: "an offer is shown only while its campaign runs",
        rank: 31,
    },
    BuiltIn {
        kind: RuleKind::Stock,
        id: "proffer.stock",
        why: "an offer is shown only while there is stock of it",
        rank: 32,
    },
    BuiltIn {
        kind: RuleKind::Budget,
        id: "proffer.budget",
        why: "an offer is shown only while its campaign's budget lasts",
        rank: 50,
    },
];

impl RuleKind {
    /// The list that it is written in; the id of a built-in rule.
    pub fn list(&self) -> &'static str {
        match self {
            Self::Currency => "proffer.currency",
            Self::PurposeGate(_) => "purpose_gates",
            Self::MarginFloor { .. } => "margin_floors",
            Self::FrequencyCap(_) => "frequency_caps",
            Self::Availability(_) => "availability",
            Self::Exclusion { .. } => "exclusions",
            Self::Requirement { .. } => "requirements",
            Self::AudienceGuard(_) => "audience_guards",
            Self::PriceLimit(_) => "price_limits",
            Self::PricePersonalisation(_) => "price_personalisation",
            Self::Stackability(_) => "stackability",
            Self::Diversity(_) => "diversity",
            Self::LoyaltyEligibility(_) => "loyalty_eligibility",
            Self::Schedule => "proffer.schedule",
            Self::Campaign => "proffer.campaign",
            Self::Stock => "proffer.stock",
            Self::CoolDown(_) => "cool_downs",
            Self::Budget => "proffer.budget",
            Self::CategoryExclusion(_) => "category_exclusions",
            Self::FairnessGate(_) => "fairness_gates",
            Self::Override(_) => "overrides",
            Self::KillSwitch(_) => "kill_switches",
            Self::Budgeted(_) => "budgets",
            Self::Stocked(_) => "stock",
        }
    }
}

/// Order of kinds within a bundle.
pub(super) fn rank(kind: &RuleKind) -> u8 {
    let name = kind.list();
    let written = KINDS.iter().find(|kind| kind.list == name).map(|kind| kind.rank);
    let built_in = || BUILT_IN.iter().find(|rule| rule.id == name).map(|rule| rule.rank);
    written.or_else(built_in).unwrap_or(u8::MAX)
}

/// The lists of all kinds that authors write.
#[cfg(test)]
pub(crate) fn lists() -> impl Iterator<Item = &'static str> {
    const { &KINDS }.iter().map(|kind| kind.list)
}

/// The kind of a list.
pub(super) fn of(list: &str) -> Option<&'static Kind> {
    const { &KINDS }.iter().find(|kind| kind.list == list)
}

/// The lists of some kinds, for a sentence.
pub(super) fn named(of: impl Fn(&Kind) -> bool) -> String {
    let lists: Vec<String> = KINDS.iter().filter(|kind| of(kind)).map(|kind| format!("`{}`", kind.list)).collect();
    match lists.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::sample;

    #[test]
    fn every_kind_has_its_own_list_and_rank_and_ranks_that_records_know_stay() {
        let written = KINDS.iter().map(|kind| (kind.list, kind.rank));
        let all: Vec<(&str, u8)> =
            written.chain(LATER).chain(BUILT_IN.iter().map(|rule| (rule.id, rule.rank))).collect();
        for (at, (name, rank)) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|(other, _)| other != name), "{name} twice");
            assert!(all[..at].iter().all(|(_, other)| other != rank), "{name}: rank {rank} is taken");
        }
        assert!(KINDS.windows(2).all(|pair| pair[0].rank < pair[1].rank));
        assert!(BUILT_IN.iter().all(|rule| rule.rank <= 50 || rule.rank >= 60));
        let known = "purpose_gates 1, margin_floors 2, frequency_caps 3, availability 4, exclusions 5, requirements 6, \
                     stackability 20, diversity 21, loyalty_eligibility 22, cool_downs 40, proffer.currency 0, \
                     proffer.schedule 30, proffer.campaign 31, proffer.stock 32, proffer.budget 50";
        for row in known.split(", ") {
            let (name, rank) = row.split_once(' ').unwrap();
            assert!(all.contains(&(name, rank.parse().unwrap())), "{row}");
        }
        for rule in &sample::bundle().rules {
            assert!(rank(&rule.kind) < u8::MAX, "`{}` has no row", rule.kind.list());
        }
    }

    #[test]
    fn every_list_stands_on_the_page_for_authors() {
        let page = include_str!("../../docs/policies.md");
        for kind in &KINDS {
            assert!(page.contains(&format!("| `{}` |", kind.list)), "{} is not on the page", kind.list);
        }
        for (list, _) in LATER {
            assert!(!page.contains(&format!("| `{list}` |")), "{list} is shown and not available");
        }
    }
}
