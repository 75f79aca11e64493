//! Demands: whose approval a bundle asks for and for what, as `approvers` in bundle.yaml says. Holds no approval.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::policy::bundle::Source;
use crate::policy::codes;
use crate::policy::declared::attributes::{AttributeClass, CLASSES};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::syntax::{self, Node, Yaml};

/// On whose behalf somebody approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// For the people whose data it is.
    Privacy,
    /// For the shop.
    Business,
}

impl Authority {
    /// Each by its name.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Privacy, "privacy"), (Self::Business, "business")];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Privacy => "privacy",
            Self::Business => "business",
        }
    }

    /// The role of the keys that approve under it.
    pub fn role(self) -> &'static str {
        match self {
            Self::Privacy => "approve:privacy",
            Self::Business => "approve:business",
        }
    }

    /// The authority of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(authority, _)| authority)
    }

    /// Both.
    pub fn both() -> BTreeSet<Self> {
        Self::ALL.into_iter().map(|(authority, _)| authority).collect()
    }
}

/// What a bundle asks to be approved. Nothing unless it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demands {
    /// Classes of attributes of which each use needs both authorities.
    pub attributes: BTreeSet<AttributeClass>,
    /// Who approves every offer, or every variant of it.
    pub offers: BTreeSet<Authority>,
    /// Who approves the bundle as a whole.
    pub bundle: BTreeSet<Authority>,
}

impl Demands {
    /// Whether nothing needs anybody's approval.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.offers.is_empty() && self.bundle.is_empty()
    }

    /// What others ask for and these do not, in the words of bundle.yaml.
    pub(super) fn missing_of(&self, others: &Self) -> Vec<String> {
        let classes = others.attributes.difference(&self.attributes).map(|class| class.name());
        let mut missing: Vec<String> = classes.map(|class| format!("`attributes: {class}`")).collect();
        for (list, own, other) in [("offers", &self.offers, &others.offers), ("bundle", &self.bundle, &others.bundle)] {
            missing.extend(other.difference(own).map(|authority| format!("`{list}: {}`", authority.name())));
        }
        missing
    }

    /// These and others together.
    pub(super) fn with(&self, others: &Self) -> Self {
        Self {
            attributes: &self.attributes | &others.attributes,
            offers: &self.offers | &others.offers,
            bundle: &self.bundle | &others.bundle,
        }
    }

    /// What the files of a bundle ask for, whether or not the rest of them compiles; nothing where that cannot be read.
    pub fn of(files: &[Source]) -> Self {
        let mut report = Report::new(files);
        let at = files.iter().position(|file| file.path == "bundle.yaml");
        let root = at.and_then(|at| syntax::parse(&mut report, at, &files[at].text));
        let approvers = root.as_ref().and_then(|root| match &root.value {
            Yaml::Map(entries) => entries.iter().find(|(key, _)| key.text == "approvers").map(|(_, node)| node),
            _ => None,
        });
        approvers.and_then(|node| read(&mut report, node)).unwrap_or_default()
    }
}

/// As bundle.yaml has them.
impl std::fmt::Display for Demands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authorities = |list: &BTreeSet<Authority>| list.iter().map(|authority| authority.name()).collect();
        let lists: [(&str, Vec<&str>); 3] = [
            ("attributes", self.attributes.iter().map(|class| class.name()).collect()),
            ("offers", authorities(&self.offers)),
            ("bundle", authorities(&self.bundle)),
        ];
        let given = lists.iter().filter(|(_, names)| !names.is_empty());
        let given: Vec<String> = given.map(|(list, names)| format!("{list}: [{}]", names.join(", "))).collect();
        write!(f, "approvers: {{{}}}", given.join(", "))
    }
}

/// The fields of `approvers`.
pub(in crate::policy) const FIELDS: [&str; 3] = ["attributes", "offers", "bundle"];

const EXAMPLE: &str = "`approvers: {attributes: [personal, sensitive, protected], offers: [business], bundle: \
                       [privacy, business]}`";

/// Reads `approvers`.
pub(in crate::policy) fn read(report: &mut Report<'_>, node: &Node) -> Option<Demands> {
    let fields = Fields::open(report, "bundle: approvers", node, &FIELDS, &[])?;
    if fields.entries().is_empty() {
        report
            .add(codes::LIST_EMPTY, node.place, "bundle: approvers: nothing is said", "approves nothing")
            .with_help(format!("say what must be approved, such as {EXAMPLE}, or leave `approvers` out"));
        return None;
    }
    let classes = fields.get("attributes").map_or(Some(Vec::new()), |node| {
        let names: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).filter(|name| *name != "public").collect();
        let empty = "name the classes of attributes whose uses must be approved, or leave the list out";
        read::list_of(report, "bundle: approvers: attributes", node, empty, |report, node| {
            let chosen = read::choice(report, "bundle: approvers: attributes", node, "class", &names, &[])?;
            CLASSES.iter().find(|(name, _)| *name == chosen).map(|(_, class)| *class)
        })
    });
    let mut authorities = |list: &str| {
        let Some(node) = fields.get(list) else { return Some(Vec::new()) };
        let what = format!("bundle: approvers: {list}");
        let names = Authority::ALL.map(|(_, name)| name);
        read::list_of(report, &what, node, "name who approves, or leave the list out", |report, node| {
            Authority::parse(read::choice(report, &what, node, "authority", &names, &[])?)
        })
    };
    let (offers, bundle) = (authorities("offers"), authorities("bundle"));
    Some(Demands {
        attributes: classes?.into_iter().collect(),
        offers: offers?.into_iter().collect(),
        bundle: bundle?.into_iter().collect(),
    })
}
