//! Tests of reading: what is understood, and what people are told. Stores nothing.

use std::collections::BTreeMap;

use super::*;
use crate::domain::{AttributeId, Catalogue, CatalogueDraft, Offer};
use crate::policy::{AttributeClass, AttributeKind, AttributeSpec};

/// What the shop of these tests declares.
pub(super) fn specs() -> BTreeMap<AttributeId, AttributeSpec> {
    let spec = |name: &str, kind: AttributeKind| {
        let id = AttributeId::parse(name).unwrap();
        let class = AttributeClass::Public;
        let spec = AttributeSpec {
            id: id.clone(),
            kind,
            class,
            source: String::new(),
            time_to_live: None,
            owner: String::new(),
        };
        (id, spec)
    };
    BTreeMap::from([
        spec("offer.size", AttributeKind::Text),
        spec("offer.loyalty_only", AttributeKind::Bool),
        spec("offer.visits_needed", AttributeKind::Number { mean: 0.0, scale: 1.0 }),
    ])
}

pub(super) fn file(path: &str, bytes: impl AsRef<[u8]>) -> SourceFile {
    let format = FileFormat::of_path(path).unwrap();
    SourceFile { path: path.to_owned(), format, bytes: bytes.as_ref().to_vec() }
}

/// The draft of files without a mistake.
pub(super) fn draft(files: &[SourceFile]) -> CatalogueDraft {
    let reading = read(files, &specs());
    assert_eq!(shown(&reading.mistakes(Vec::new())), "");
    reading.draft
}

pub(super) fn catalogue(draft: &CatalogueDraft) -> Catalogue {
    let offers = draft.offers.iter().map(|placed| placed.item.clone()).collect();
    let campaigns = draft.campaigns.iter().map(|placed| placed.item.clone()).collect();
    Catalogue::new(1, offers, campaigns)
}

fn shown(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("{mistake}\n")).collect()
}

/// What somebody is told who sends such a file.
fn told(path: &str, bytes: impl AsRef<[u8]>) -> String {
    shown(&read(&[file(path, bytes)], &specs()).mistakes(Vec::new()))
}

fn one(path: &str, text: &str) -> Offer {
    draft(&[file(path, text)]).offers.pop().unwrap().item
}

#[test]
fn the_same_shop_is_read_from_yaml_and_from_two_sheets() {
    let yaml = draft(&[file("shop.yaml", include_str!("../../tests/data/catalogue/shop.yaml"))]);
    let sheets = draft(&[
        file("campaigns.csv", include_str!("../../tests/data/catalogue/campaigns.csv")),
        file("offers.csv", include_str!("../../tests/data/catalogue/offers.csv")),
    ]);
    assert_eq!(catalogue(&yaml), catalogue(&sheets));
    let catalogue = catalogue(&yaml);
    let boots = catalogue.offer("winter-boots").unwrap();
    assert_eq!((boots.margin_minor(), boots.stock, boots.variants.len()), (1860, Some(120), 2));
    let sale = catalogue.campaigns().values().last().unwrap();
    assert_eq!(sale.starts_at.unwrap().to_string(), "2026-11-27T05:00:00.000Z");
    assert_eq!(sale.pauses[0].until.to_string(), "2026-12-27T05:00:00.000Z");
}

#[test]
fn every_mistake_of_a_sheet_is_told_at_once_with_line_column_value_and_mend() {
    insta::assert_snapshot!(told("offers.csv", include_str!("../../tests/data/catalogue/ten-mistakes.csv")), @"");
}

#[test]
fn what_spreadsheets_write_is_read() {
    let text = "\u{feff}sep=;\r\nOffer_ID;Price;currency;variant_id;content.headline;attribute.size;attribute.loyalty_only\r\n\
                boots;80.00;USD;a;\"Two\nlines; one cell\";042;TRUE\r\n;;;b;Other;;\r\n;;;;;;\r\n\r\n";
    let boots = one("offers.csv", text);
    assert_eq!(boots.variants.len(), 2);
    assert_eq!(boots.variants[0].content["headline"], "Two\nlines; one cell");
    let attributes = serde_json::to_string(&boots.attributes).unwrap();
    assert_eq!(attributes, r#"{"loyalty_only":true,"size":"042"}"#);
    let wide = "offer_id\tprice\tvariant_id\tcontent\nmug\t10.00 USD\ta\t{\"badge\": {\"n\": 3}}\n";
    assert_eq!(one("offers.tsv", wide).variants[0].content["badge"]["n"], 3);
}

#[test]
fn files_that_are_something_else_are_told_so() {
    insta::assert_snapshot!(told("a.csv", ""), @"");
    insta::assert_snapshot!(told("a.csv", b"PK\x03\x04 and more"), @"");
    insta::assert_snapshot!(told("a.csv", b"\xFF\xFEo\x00f\x00"), @"");
    insta::assert_snapshot!(told("a.csv", b"offer_id,price,variant_id,name\na,1.00 USD,a,A Caf\xE9\nb,2 USD,a,\xFCber\n"), @"");
    insta::assert_snapshot!(told("a.csv", "name,colour\nx,y\n"), @"");
    insta::assert_snapshot!(told("a.csv", "offer_id,price,variant_id,name\na,1.00 USD,a,\"x\nb,1.00 USD,a,y\n"), @"");
    insta::assert_snapshot!(told("a.json", "[{]"), @"");
    insta::assert_snapshot!(told("a.json", "3"), @"");
    insta::assert_snapshot!(told("a.json", "[]"), @"");
    insta::assert_snapshot!(told("a.yaml", "offers:\n  - offer_id: a\n   price: 3\n"), @"");
    insta::assert_snapshot!(told("a.yaml", ""), @"");
}

#[test]
fn amounts_and_dates_as_people_write_them_elsewhere_are_refused_with_the_way_out() {
    let sheet = |column: &str, cell: &str| {
        let text = format!(
            "offer_id;price;variant_id;ends_at;discount\na;{}\n",
            match column {
                "price" => format!("{cell};a;;"),
                "ends_at" => format!("9 USD;a;{cell};"),
                _ => format!("9 USD;a;;{cell}"),
            }
        );
        told("a.csv", text)
    };
    let mut all = String::new();
    for cell in
        ["59,90 USD", "1.299,00 USD", "1,299.00 USD", "1,299 USD", "$59.90", "59.90", "59.90 usd", "9.999 USD", "x"]
    {
        all += &sheet("price", cell);
    }
    for cell in ["31.12.2026", "12/31/2026", "1/2/2026", "2026-13-01", "tomorrow", "2026-12-31 09:00"] {
        all += &sheet("ends_at", cell);
    }
    insta::assert_snapshot!(all, @"");
}

#[test]
fn every_mistake_of_a_yaml_file_is_told_with_line_and_column() {
    let text = "campaigns:\n  - campaign_id: sale\n    ownr: x\n    budget: 5\noffers:\n  - offer_id: a b\n    price: [1]\n    \
                stock: 1.5\n    status: pasued\n    pauses: [{from: 2026-12-01}]\n    attributes: {loyalty_only: yes, \
                visits_needed: '3'}\n    variants:\n      - variant_id: x\n        content: hello\n      - {}\n  - 3\n";
    insta::assert_snapshot!(told("a.yaml", text), @"");
}

#[test]
fn json_keeps_its_contract_and_tells_every_mistake_by_pointer() {
    let text = r#"{"offers": [{"offer_id": 3, "price": "1.00 USD", "starts_at": "2026-12-01", "time_zone": "UTC",
        "discount": {"amount": "1,00", "currency": "usd", "x": 1}, "variants": [{"variant_id": "a"}, {"content": []}]}],
        "offer": []}"#;
    insta::assert_snapshot!(told("a.json", text), @"");
}

#[test]
fn what_the_bundle_refuses_is_told_at_its_place_and_not_beside_what_is_known_to_be_wrong() {
    let text = "offer_id,price,currency,discount,variant_id,campaign\na,\"1,00\",USD,5.00,a,\nb,1.00,USD,5.00,a,sale\n";
    let reading = read(&[file("a.csv", text)], &specs());
    let problems = reading.draft.offers.iter().flat_map(|placed| {
        let found = placed.item.problems().into_iter().chain([("/campaign".to_owned(), "no such campaign".to_owned())]);
        found.map(|(at, message)| crate::policy::CatalogueProblem { pointer: format!("{}{at}", placed.at), message })
    });
    insta::assert_snapshot!(shown(&reading.mistakes(problems.collect())), @"");
}
