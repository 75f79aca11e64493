//! Category exclusions: offers that touch on what is sensitive, that help a competitor, or that the law regulates.
//! Reads no customer: of a decision only whether anything personal was seen.

use crate::domain::{CategoryId, Offer, Value};
use crate::policy::applies;
use crate::policy::codes;
use crate::policy::declared::attributes::{AttributeClass, AttributeKind};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::Node;

/// Why offers of a category or a brand are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategorySort {
    /// They touch on health, belief and the like: nobody is to learn that somebody knows. Left out wherever anything
    /// personal was seen in the decision; never lifted.
    Sensitive,
    /// They help a competitor.
    Competitor,
    /// The law keeps them from some, mostly by region; never lifted.
    Regulated,
}

impl CategorySort {
    const ALL: [(&'static str, Self); 3] =
        [("sensitive", Self::Sensitive), ("competitor", Self::Competitor), ("regulated", Self::Regulated)];
}

/// The attribute whose value is the brand of an offer.
const BRAND: &str = "offer.brand";

/// Categories and brands that are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryExclusion {
    /// Why.
    pub sort: CategorySort,
    /// Offers of these categories.
    pub categories: Vec<CategoryId>,
    /// Offers of these brands, by `offer.brand`.
    pub brands: Vec<String>,
}

impl CategoryExclusion {
    /// Whether an offer belongs to what is left out. One without a brand is of none.
    pub fn names(&self, offer: &Offer) -> bool {
        let brand = offer.attributes.get("brand");
        offer.categories().any(|category| self.categories.contains(category))
            || matches!(brand, Some(Value::Text(brand)) if self.brands.contains(brand))
    }

    /// Whether it holds only where something personal was seen.
    pub fn is_about_persons(&self) -> bool {
        self.sort == CategorySort::Sensitive
    }

    /// That it leaves an offer out, in words.
    pub(in crate::policy) fn told(&self) -> &'static str {
        match self.sort {
            CategorySort::Sensitive => "the offer is sensitive, and something personal was seen",
            CategorySort::Competitor => "the offer is of a competitor",
            CategorySort::Regulated => "the offer is regulated here",
        }
    }
}

/// Whether a declared attribute says something about a person.
pub(in crate::policy) fn is_personal(class: AttributeClass) -> bool {
    class > AttributeClass::Public
}

/// Whether fields describe a rule that protects people, which no override lifts.
pub(in crate::policy) fn protects(fields: &Fields<'_>) -> bool {
    fields.get("kind").and_then(read::raw) != Some("competitor")
}

/// The fields of a rule of this kind.
pub(in crate::policy) const FIELDS: [&str; 3] = ["kind", "categories", "brands"];

/// Reads what is left out, and why.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let sort = fields.need(report, "kind", "kind: regulated").and_then(|node| {
        let names = CategorySort::ALL.map(|(name, _)| name);
        let chosen = read::choice(report, what, node, "kind", &names, &[])?;
        CategorySort::ALL.into_iter().find(|(name, _)| *name == chosen).map(|(_, sort)| sort)
    });
    let listed = ["categories", "brands"];
    if listed.iter().all(|name| fields.get(name).is_none()) {
        if !fields.misspelt(&listed) {
            let message = format!("{what}: it names neither categories nor brands");
            report
                .add(codes::CATEGORY_EXCLUSION_EMPTY, fields.place, message, "leaves nothing out")
                .with_help("say which, such as `categories: [beauty]` or `brands: [acme]`");
        }
        return None;
    }
    let empty = "it names nothing; leave the list out, or name something";
    let categories = fields.get("categories").map(|node| applies::categories_of(report, what, node, empty, known));
    let brands = fields.get("brands").map(|node| brands(report, what, node, empty, known));
    Some(RuleKind::CategoryExclusion(CategoryExclusion {
        sort: sort?,
        categories: categories.unwrap_or(Some(Vec::new()))?,
        brands: brands.unwrap_or(Some(Vec::new()))?,
    }))
}

fn brands(report: &mut Report<'_>, what: &str, node: &Node, empty: &str, known: Known<'_>) -> Option<Vec<String>> {
    let names = match known.attributes.specs.get(BRAND).map(|spec| &spec.kind) {
        Some(AttributeKind::Enum(names)) => Some(names),
        Some(AttributeKind::Text) => None,
        None if !known.attributes.declared.lacks(BRAND) => None,
        _ => {
            let message = format!("{what}: brands are named and `{BRAND}` does not say them");
            report.add(codes::BRAND_UNDECLARED, node.place, message, "whose brand?").with_help(
                "declare `offer.brand` in catalog/attributes.yaml with `type: text` or `type: {enum: [...]}`",
            );
            return None;
        }
    };
    read::list_of(report, what, node, empty, |report, node| {
        let brand = read::text(report, what, node)?;
        if let Some(names) = names.filter(|names| names.iter().all(|name| name != brand)) {
            let meant = did_you_mean(brand, names.iter().map(String::as_str));
            let message = format!("{what}: unknown brand `{brand}`{meant}");
            report
                .add(codes::BRAND_UNDECLARED, node.place, message, "not declared")
                .with_help(format!("`{BRAND}` is one of `{}`", names.join("`, `")));
            return None;
        }
        Some(brand.to_owned())
    })
}
