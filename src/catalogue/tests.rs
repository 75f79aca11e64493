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
            derived_from: Vec::new(),
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

pub(super) fn shown(mistakes: &[Mistake]) -> String {
    mistakes.iter().fold(String::new(), |told, mistake| told + &mistake.to_string() + "\n")
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
    insta::assert_snapshot!(told("offers.csv", include_str!("../../tests/data/catalogue/ten-mistakes.csv")), @r#"
    offers.csv:1: discuont: unknown column `discuont`; did you mean `discount`?
    offers.csv:2: price: `80,00` has a decimal comma: write `80.00`
    offers.csv:3: variant_id: variant `a` of offer `winter-boots` stands in line 2 already: give this one another name, or remove it
    offers.csv:4: offer_id: `rain boots` is not an offer id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
    offers.csv:7: starts_at: `01.12.2026` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`; write `2026-12-01`
    offers.csv:8: price: `12.00` contradicts `10.00` in line 7 about offer `mug`: write the same in both lines, or leave one empty
    offers.csv:9: price: `25.00` has no currency: write it behind the amount, such as `25.00 USD`, or in the column `currency`
    offers.csv:10: stock: expected a whole number from 0 to 4294967295, found `-5`
    offers.csv:11: this line has 13 cells and the header 12: put a cell with a separator or a line break inside between quotes, and write amounts with a decimal point
    "#);
}

#[test]
fn what_spreadsheets_write_is_read() {
    let text = "\u{feff}sep=;\r\nOffer_ID;Price;currency;variant_id;content.headline;attribute.size;\
                attribute.loyalty_only\r\n\
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
    insta::assert_snapshot!(told("a.csv", ""), @r#"
    a.csv:1: the file is empty: its first line names the columns, such as `offer_id`
    "#);
    insta::assert_snapshot!(told("a.csv", b"PK\x03\x04 and more"), @r#"
    a.csv: this is a workbook, not CSV: save it as `CSV UTF-8`
    "#);
    insta::assert_snapshot!(told("a.csv", b"\xFF\xFEo\x00f\x00"), @r#"
    a.csv: this is not CSV in UTF-8 but UTF-16 or binary: save it as UTF-8 (`CSV UTF-8`)
    "#);
    let latin = b"offer_id,price,variant_id,name\na,1.00 USD,a,A Caf\xE9\nb,2 USD,a,\xFCber\n";
    insta::assert_snapshot!(told("a.csv", latin), @r#"
    a.csv:2: the byte `0xE9` is not UTF-8 (the first of 2 such lines); in Latin-1 it stands in `Café`: save the file as UTF-8 (`CSV UTF-8` in a spreadsheet)
    "#);
    insta::assert_snapshot!(told("a.csv", "name,colour\nx,y\n"), @r#"
    a.csv:1: the header has no column `offer_id`: add it; the first line names the columns
    a.csv:1: the header has no column `price`: add it; the first line names the columns
    a.csv:1: the header has no column `variant_id`: add it; the first line names the columns
    a.csv:1: colour: unknown column `colour`: remove it, or name it as one of `offer_id`, `name`, `category`, `more_categories`, `campaign`, `status`, `starts_at`, `ends_at`, `pauses`, `time_zone`, `currency`, `price`, `discount`, `cost_of_goods`, `shipping`, `expected_return_cost`, `loyalty_cost`, `vendor_funding`, `cost_of_showing`, `advertised_price_min`, `prior_price`, `stock`, `attributes`, `variant_id`, `content`, `content.NAME`, `attribute.NAME`
    "#);
    insta::assert_snapshot!(told("a.csv", "offer_id,price,variant_id,name\na,1.00 USD,a,\"x\nb,1.00 USD,a,y\n"), @r#"
    a.csv:2: a quote opens here and is never closed: close it at the end of the cell; a quote inside a cell in quotes is doubled (`""`)
    "#);
    insta::assert_snapshot!(told("a.json", "[{]"), @r#"
    a.json:1:3: not well-formed JSON: key must be a string
    "#);
    insta::assert_snapshot!(told("a.json", "3"), @r#"
    a.json: an import is a list of offers, or an object with the lists `campaigns` and `offers`
    "#);
    insta::assert_snapshot!(told("a.json", "[]"), @r#"
    a.json: 0 offers and campaigns were sent: expected 1 to 10000
    "#);
    insta::assert_snapshot!(told("a.yaml", "offers:\n  - offer_id: a\n   price: 3\n"), @r#"
    a.yaml:3:4: not well-formed YAML: this line is neither an item with a dash nor in line with the fields above it: look at the indentation of this line and the one above, and at quotes and brackets left open; text with `: ` or ` #` inside goes into quotes
    "#);
    insta::assert_snapshot!(told("a.yaml", ""), @r#"
    a.yaml:1:1: a catalogue is a list of offers, or has `campaigns:` and `offers:`
    "#);
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
    insta::assert_snapshot!(all, @r#"
    a.csv:2: price: `59,90` has a decimal comma: write `59.90`
    a.csv:2: price: `1.299,00` has a decimal comma: write `1299.00`
    a.csv:2: price: `1,299.00` has a comma between thousands: write `1299.00`
    a.csv:2: price: `1,299` has a comma: write `1.299` if it begins the decimals, `1299` if it parts thousands
    a.csv:2: price: `$59.90` has the sign `$`, which several currencies share: write the code, such as `59.90 USD`
    a.csv:2: price: `59.90` has no currency: write it behind the amount, such as `59.90 USD`, or in the column `currency`
    a.csv:2: price: `usd` is not a currency: write it as `USD`
    a.csv:2: price: `9.999` is not a decimal number with at most 2 digits behind the point, as USD has
    a.csv:2: price: `x` is not an amount: expected one such as `59.90 USD`
    a.csv:2: ends_at: `31.12.2026` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`; write `2026-12-31`
    a.csv:2: ends_at: `12/31/2026` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`; write `2026-12-31`
    a.csv:2: ends_at: `1/2/2026` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`
    a.csv:2: ends_at: `2026-13-01` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`
    a.csv:2: ends_at: `tomorrow` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`
    a.csv:2: ends_at: `2026-12-31 09:00` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`
    "#);
}

#[test]
fn every_mistake_of_a_yaml_file_is_told_with_line_and_column() {
    let text = "campaigns:\n  - campaign_id: sale\n    ownr: x\n    budget: 5\noffers:\n  - offer_id: a b\n    \
                price: [1]\n    \
                stock: 1.5\n    status: pasued\n    pauses: [{from: 2026-12-01}]\n    attributes: {loyalty_only: yes, \
                visits_needed: '3'}\n    variants:\n      - variant_id: x\n        content: hello\n      - {}\n  - 3\n";
    insta::assert_snapshot!(told("a.yaml", text), @r#"
    a.yaml:2:5: the field `owner` is missing
    a.yaml:3:5: ownr: unknown field `ownr`, expected one of `campaign_id`, `name`, `owner`, `status`, `starts_at`, `ends_at`, `pauses`, `budget`, `time_zone`; did you mean `owner`?
    a.yaml:4:13: budget: `5` has no currency: write it behind the amount, such as `5 USD`, or in the column `currency`
    a.yaml:6:15: offer_id: `a b` is not an offer id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
    a.yaml:7:12: price: expected an amount with its currency, such as `59.90 USD`, found a list
    a.yaml:8:12: stock: expected a whole number from 0 to 4294967295, found `1.5`
    a.yaml:9:13: status: unknown value `pasued`, expected `active` or `paused`; did you mean `paused`?
    a.yaml:10:14: pauses: the field `until` is missing
    a.yaml:11:32: loyalty_only: `yes` is neither `true` nor `false`
    a.yaml:14:18: content: expected an object, found `hello`
    a.yaml:15:9: variants: the field `variant_id` is missing
    a.yaml:16:5: expected an offer as an object, found `3`
    "#);
}

#[test]
fn json_keeps_its_contract_and_tells_every_mistake_by_pointer() {
    let text = r#"{"offers": [{"offer_id": 3, "price": "1.00 USD", "starts_at": "2026-12-01", "time_zone": "UTC",
        "discount": {"amount": "1,00", "currency": "usd", "x": 1}, "variants": [{"variant_id": "a"}, {"content": []}]}],
        "offer": []}"#;
    insta::assert_snapshot!(told("a.json", text), @r#"
    a.json: /offer: unknown field `offer`, expected one of `campaigns`, `offers`; did you mean `offers`?
    a.json: /offers/0/time_zone: unknown field `time_zone`, expected one of `offer_id`, `name`, `category`, `more_categories`, `campaign`, `status`, `starts_at`, `ends_at`, `pauses`, `stock`, `price`, `discount`, `cost_of_goods`, `shipping`, `expected_return_cost`, `loyalty_cost`, `vendor_funding`, `cost_of_showing`, `advertised_price_min`, `prior_price`, `attributes`, `variants`
    a.json: /offers/0/offer_id: expected text, found the number `3`
    a.json: /offers/0/price: expected an amount as text with its currency, such as `{"amount": "59.90", "currency": "USD"}`, found the text "1.00 USD"
    a.json: /offers/0/discount/x: unknown field `x`, expected one of `amount`, `currency`
    a.json: /offers/0/discount/currency: `usd` is not a currency: write it as `USD`
    a.json: /offers/0/starts_at: `2026-12-01` is not an instant: expected RFC 3339, such as `2026-03-01T09:30:00Z`
    a.json: /offers/0/variants/1: the field `variant_id` is missing
    a.json: /offers/0/variants/1/content: expected an object, found a list
    "#);
}

#[test]
fn what_the_bundle_refuses_is_told_at_its_place_and_not_beside_what_is_known_to_be_wrong() {
    let text = "offer_id,price,currency,discount,variant_id,campaign\na,\"1,00\",USD,5.00,a,\nb,1.00,USD,5.00,a,sale\n";
    let reading = read(&[file("a.csv", text)], &specs());
    let problems = reading.draft.offers.iter().flat_map(|placed| {
        let found = placed.item.problems().into_iter().chain([("/campaign".to_owned(), "no such campaign".to_owned())]);
        found.map(|(at, message)| crate::policy::CatalogueProblem { pointer: format!("{}{at}", placed.at), message })
    });
    insta::assert_snapshot!(shown(&reading.mistakes(problems.collect())), @r#"
    a.csv:2: no such campaign
    a.csv:2: price: `1,00` has a decimal comma: write `1.00`
    a.csv:3: campaign: no such campaign
    a.csv:3: discount: the discount `5.00` is larger than the price `1.00`: expected at most the price
    "#);
}
