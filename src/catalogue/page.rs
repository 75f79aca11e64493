//! Test of the page for merchandisers: every example on it is read, and its mistakes are told as shown. Holds no page.

use super::read;
use super::tests::{catalogue, draft, file, specs};

const PAGE: &str = include_str!("../docs/catalogue.md");

/// The blocks of a language on the page.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    PAGE.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_example_on_the_page_is_read() {
    let yaml = catalogue(&draft(&[file("shop.yaml", blocks("yaml")[0])]));
    let sheets = blocks("csv");
    let csv = catalogue(&draft(&[file("offers.csv", sheets[0]), file("campaigns.csv", sheets[1])]));
    assert_eq!(yaml.campaigns(), csv.campaigns());
    assert_eq!((yaml.offers().len(), csv.offers().len()), (1, 2));
    assert_eq!(csv.offer("winter-boots").unwrap().variants.len(), 2);
}

#[test]
fn the_mistakes_on_the_page_are_told_as_shown() {
    let sheet = blocks("csv")[0].replace("content.image", "contnet.image");
    let sheet = sheet.replacen("80.00", "\"80,00\"", 1).replacen("120,a", "many,a", 1);
    let told = read(&[file("offers.csv", sheet)], &specs()).mistakes(Vec::new());
    let told = super::tests::shown(&told);
    assert_eq!(told, blocks("text")[0]);
}

#[test]
fn every_column_and_field_is_on_the_page() {
    let names = super::columns::OFFER.iter().chain(&super::columns::CAMPAIGN).chain(&super::items::OFFER);
    for name in names {
        assert!(PAGE.contains(&format!("`{name}`")), "`{name}` is not on the page");
    }
}
