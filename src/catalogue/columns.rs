//! The columns of the two kinds of sheet: which a header may name and what each is for. Reads no row.

use std::sync::Arc;

use crate::policy::did_you_mean;

/// Columns of a sheet of offers, in the order in which they are written.
pub(super) const OFFER: [&str; 25] = [
    "offer_id",
    "name",
    "category",
    "more_categories",
    "campaign",
    "status",
    "starts_at",
    "ends_at",
    "pauses",
    "time_zone",
    "currency",
    "price",
    "discount",
    "cost_of_goods",
    "shipping",
    "expected_return_cost",
    "loyalty_cost",
    "vendor_funding",
    "cost_of_showing",
    "advertised_price_min",
    "prior_price",
    "stock",
    "attributes",
    "variant_id",
    "content",
];

/// Columns of a sheet of campaigns, in the order in which they are written.
pub(super) const CAMPAIGN: [&str; 10] =
    ["campaign_id", "name", "owner", "status", "starts_at", "ends_at", "pauses", "time_zone", "currency", "budget"];

/// Columns that hold amounts of money.
pub(super) const MONEY: [&str; 11] = [
    "price",
    "discount",
    "cost_of_goods",
    "shipping",
    "expected_return_cost",
    "loyalty_cost",
    "vendor_funding",
    "cost_of_showing",
    "advertised_price_min",
    "prior_price",
    "budget",
];

/// What a sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Offers,
    Campaigns,
}

impl About {
    /// The columns there are.
    pub(super) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Offers => &OFFER,
            Self::Campaigns => &CAMPAIGN,
        }
    }

    /// The columns without which a sheet says nothing.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Offers => &["offer_id", "price", "variant_id"],
            Self::Campaigns => &["campaign_id", "owner"],
        }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    /// A field by its name.
    Field(&'static str),
    /// `content.NAME`.
    Content(String),
    /// `attribute.NAME`.
    Attribute(String),
    /// Already reported, or without a name.
    Unknown,
}

/// What is wrong with a header: column and message.
pub(super) type Misnamed = Vec<(Arc<str>, String)>;

/// What a header names.
pub(super) fn read(header: &[Arc<str>]) -> (About, Vec<Column>, Misnamed) {
    let fits = |about: About| header.iter().filter(|name| about.columns().contains(&lower(name).as_str())).count();
    let has = |name: &str| header.iter().any(|given| lower(given) == name);
    let campaigns = !has("offer_id") && (has("campaign_id") || fits(About::Campaigns) > fits(About::Offers));
    let about = if campaigns { About::Campaigns } else { About::Offers };
    let mut wrong = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    for name in header {
        let column = column(about, name);
        if column != Column::Unknown && columns.contains(&column) {
            wrong.push((name.clone(), format!("the header names column `{name}` twice: keep one of them")));
            columns.push(Column::Unknown);
            continue;
        }
        if column == Column::Unknown && !name.is_empty() {
            wrong.push((name.clone(), unknown(about, name)));
        }
        columns.push(column);
    }
    for name in about.required() {
        if !columns.contains(&Column::Field(name)) {
            let message = format!("the header has no column `{name}`: add it; the first line names the columns");
            wrong.push((Arc::from(*name), message));
        }
    }
    (about, columns, wrong)
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn column(about: About, name: &str) -> Column {
    if let Some(known) = about.columns().iter().find(|known| **known == lower(name)) {
        return Column::Field(known);
    }
    match name.split_once('.') {
        Some((kind, rest)) if about == About::Offers && !rest.is_empty() => match lower(kind).as_str() {
            "content" => Column::Content(rest.to_owned()),
            "attribute" => Column::Attribute(rest.to_owned()),
            _ => Column::Unknown,
        },
        _ => Column::Unknown,
    }
}

fn unknown(about: About, name: &str) -> String {
    let meant = match name.split_once('.') {
        Some((kind, rest)) if about == About::Offers => {
            let kinds = ["content", "contents", "attribute", "attributes"];
            let kind = if did_you_mean(&lower(kind), kinds.into_iter().take(2)).is_empty() {
                (!did_you_mean(&lower(kind), kinds.into_iter().skip(2)).is_empty()).then_some("attribute")
            } else {
                Some("content")
            };
            kind.map(|kind| format!("; did you mean `{kind}.{rest}`?")).unwrap_or_default()
        }
        _ => did_you_mean(&lower(name), about.columns().iter().copied()),
    };
    if !meant.is_empty() {
        return format!("unknown column `{name}`{meant}");
    }
    let free = if about == About::Offers { ", `content.NAME`, `attribute.NAME`" } else { "" };
    format!("unknown column `{name}`: remove it, or name it as one of `{}`{free}", about.columns().join("`, `"))
}
