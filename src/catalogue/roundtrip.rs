//! Laws of reading and writing: what is written is read again as it was. Tests no message.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::tests::{catalogue, draft, file, specs};
use super::*;
use crate::domain::{
    Campaign, CampaignId, Catalogue, CategoryId, Currency, Money, Number, Offer, OfferId, OfferStatus, Pause,
    Timestamp, Value, Variant, VariantId,
};

/// Text with what formats stumble over.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "",
        " ",
        "true",
        "no",
        "~",
        "null",
        "3",
        "-0.5",
        "1e3",
        "2026-12-01",
        "a: b",
        "# x",
        "- y",
        "*z",
        "&z",
        "!t",
        "\"q\"",
        "it's",
        "a,b;c\td",
        "two\nlines",
        "tab\n\tindented",
        "cr\r\nlf",
        " edge ",
        "<<",
        "%YAML",
        "{a}",
        "[b]",
        "=1+1",
        "sep=;",
        "\u{feff}",
        "é",
        "😀",
        "\u{85}",
        "\u{2028}",
        "\u{7f}",
        "---",
        "a #b",
        "'",
        "|",
        ">",
        "a\u{0}b",
    ];
    prop_oneof![proptest::sample::select(odd.to_vec()).prop_map(str::to_owned), "[ -~éß\n\t]{0,12}"]
}

fn visible() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), text().prop_filter("a blank cell is no name", |text| !text.trim().is_empty())]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(|millionths| Value::Number(Number(millionths))),
    ]
}

fn content() -> impl Strategy<Value = Map<String, Json>> {
    let leaf = prop_oneof![
        text().prop_map(Json::String),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| json!(n)),
        (-1e9..1e9).prop_map(|n: f64| json!(n)),
        Just(Json::Null),
    ];
    let json = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::Array),
            proptest::collection::btree_map(text(), inner, 0..3)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map(prop_oneof![Just("headline".to_owned()), text()], json, 0..4)
        .prop_map(|map| map.into_iter().collect())
}

fn instant() -> impl Strategy<Value = Option<Timestamp>> {
    proptest::option::of((0_i64..4_000_000_000_000).prop_map(Timestamp))
}

fn pauses() -> impl Strategy<Value = Vec<Pause>> {
    let at = || (0_i64..4_000_000_000_000).prop_map(Timestamp);
    proptest::collection::vec((at(), at()).prop_map(|(from, until)| Pause { from, until }), 0..3)
}

fn money(currency: &'static str) -> impl Strategy<Value = Money> {
    let currency = Currency::parse(currency).unwrap();
    (0_i64..10_000_000).prop_map(move |minor| Money { minor, currency })
}

fn status() -> impl Strategy<Value = OfferStatus> {
    prop_oneof![Just(OfferStatus::Active), Just(OfferStatus::Paused)]
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let currency = proptest::sample::select(vec!["USD", "JPY", "KWD"]);
    let amounts = currency.prop_flat_map(|currency| {
        let amount = || proptest::option::of(money(currency));
        (money(currency), amount(), amount(), amount(), amount(), amount(), amount(), amount(), amount())
    });
    let word = || "[a-z][a-z0-9.:_-]{0,6}";
    let names = (word(), visible(), proptest::option::of(word()), proptest::collection::vec(word(), 0..3));
    let times = (instant(), instant(), pauses(), proptest::option::of(any::<u32>()), status());
    let attribute =
        prop_oneof![Just("size".to_owned()), Just("loyalty_only".to_owned()), Just("colour".to_owned()), text()];
    let attributes = proptest::collection::btree_map(attribute, value(), 0..3);
    // A declaration decides what words without quotes are, so what contradicts it is not kept.
    let declared = |name: &str, value: &Value| {
        let specs = specs();
        specs.get(format!("offer.{name}").as_str()).is_none_or(|spec| spec.problem(value).is_none())
    };
    let attributes = attributes.prop_map(move |mut attributes| {
        attributes.retain(|name, value| declared(name, value));
        attributes
    });
    let variants = proptest::collection::btree_map(word(), content(), 1..3);
    let offer = (names, proptest::option::of(word()), times, amounts, attributes, variants);
    let offer = offer.prop_map(|(names, campaign, times, amounts, attributes, variants)| Offer {
        offer_id: OfferId::new(names.0).unwrap(),
        name: names.1,
        category: names.2.map(|name| CategoryId::new(name).unwrap()),
        more_categories: names.3.into_iter().map(|name| CategoryId::new(name).unwrap()).collect(),
        campaign: campaign.map(|name| CampaignId::new(name).unwrap()),
        status: times.4,
        starts_at: times.0,
        ends_at: times.1,
        pauses: times.2,
        stock: times.3,
        price: amounts.0,
        discount: amounts.1,
        cost_of_goods: amounts.2,
        shipping: amounts.3,
        expected_return_cost: amounts.4,
        vendor_funding: amounts.5,
        loyalty_cost: amounts.6,
        cost_of_showing: None,
        advertised_price_min: amounts.7,
        prior_price: amounts.8,
        attributes,
        variants: variants
            .into_iter()
            .map(|(id, content)| Variant { variant_id: VariantId::new(id).unwrap(), content })
            .collect(),
    });
    proptest::collection::vec(offer, 1..4)
}

fn campaigns() -> impl Strategy<Value = Vec<Campaign>> {
    let owner = text().prop_filter("somebody owns it", |text| !text.trim().is_empty());
    let campaign = ("[a-z]{1,6}", visible(), owner, instant(), instant(), pauses(), proptest::option::of(money("EUR")));
    let campaign = (campaign, status()).prop_map(|((id, name, owner, starts_at, ends_at, pauses, budget), status)| {
        let campaign_id = CampaignId::new(id).unwrap();
        Campaign { campaign_id, name, owner, status, starts_at, ends_at, pauses, budget }
    });
    proptest::collection::vec(campaign, 0..3)
}

/// What is read again from what was written in each format.
fn again(written: &Catalogue) -> [(&'static str, Catalogue); 3] {
    let one = |path: &str, text: String| catalogue(&draft(&[file(path, text)]));
    let mut sheets = vec![file("offers.csv", write_offers_csv(written, &specs()))];
    if !written.campaigns().is_empty() {
        sheets.push(file("campaigns.csv", write_campaigns_csv(written)));
    }
    [
        ("json", one("a.json", write_json(written))),
        ("yaml", one("a.yaml", write_yaml(written))),
        ("csv", catalogue(&draft(&sheets))),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_as_it_was(offers in offers(), campaigns in campaigns()) {
        let written = Catalogue::new(1, offers, campaigns);
        for (format, read) in again(&written) {
            prop_assert_eq!(&read, &written, "{}", format);
        }
    }

    #[test]
    fn no_file_makes_the_reader_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in ".{0,80}",
        rows in proptest::collection::vec("[a-c0-9,;\"|/{}.\n]{0,20}", 0..4)) {
        let sheet = format!("offer_id,price,variant_id,pauses,content,stock\n{}", rows.join("\n"));
        for path in ["a.csv", "a.yaml", "a.json"] {
            read(&[file(path, &bytes), file(path, &text), file(path, &sheet)], &specs()).mistakes(Vec::new());
        }
    }
}
