//! Catalogues as files over HTTP: what is read, what is told about mistakes, what comes back.

use super::service::{Answer, Service};
use super::transcript::Transcript;

fn sent(service: &Service, media_type: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {}", service.admin);
    let headers = [("authorization", bearer.as_str()), ("content-type", media_type)];
    let headers = if media_type.is_empty() { &headers[..1] } else { &headers[..] };
    service.send("POST", "/v1/offers:import", headers, Some(body.as_bytes()))
}

const YAML: &str = include_str!("../../data/catalogue/shop.yaml");

#[test]
fn a_catalogue_comes_in_as_yaml_or_csv_and_goes_out_in_every_format() {
    let service = Service::start();
    let taken = sent(&service, "application/yaml", YAML).ok();
    assert_eq!(
        (&taken["created"], &taken["campaigns"], &taken["offers"]),
        (&3.into(), &2.into(), &3.into()),
        "{taken}"
    );
    let revision = taken["catalogue"].clone();
    // The same again in other formats is nothing new.
    for (media_type, asked) in [
        ("text/csv; charset=utf-8", "as=csv"),
        ("text/csv", "as=csv&of=campaigns"),
        ("application/yaml", "as=yaml"),
        ("application/json", "as=json"),
        ("", "as=json"),
        ("application/x-www-form-urlencoded", ""),
    ] {
        let written = service.call("GET", &format!("/v1/offers:export?{asked}"), None);
        assert_eq!(written.status, 200, "{}", written.body);
        assert_eq!(written.headers["etag"], format!("\"{revision}\""));
        let again = sent(&service, media_type, &written.body).ok();
        assert_eq!(
            (&again["created"], &again["changed"], &again["catalogue"]),
            (&0.into(), &0.into(), &revision),
            "{asked}"
        );
    }
    let before = service.call("GET", "/v1/offers:export?as=csv&revision=0", None);
    assert_eq!(before.body.lines().count(), 1, "the empty catalogue has a header: {}", before.body);
}

#[test]
fn mistakes_in_files_are_told_with_line_and_column() {
    let service = Service::start();
    let mut told = Transcript::default();
    told.problem("an unknown type", &sent(&service, "application/xml", "<offers/>"));
    told.problem("an empty body", &sent(&service, "text/csv", ""));
    told.problem("yaml that is none", &sent(&service, "application/yaml", "offers: [\n"));
    let answer = sent(&service, "text/csv", "offer_id,price,variant_id,category\nlamp,\"40,00 USD\",a,hom\n");
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.json()["errors"]).unwrap(), @r#"
    [
      {
        "field": "category",
        "line": 2,
        "message": "`hom` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `service`; did you mean `home`?",
        "pointer": ""
      },
      {
        "field": "price",
        "line": 2,
        "message": "`40,00` has a decimal comma: write `40.00`",
        "pointer": ""
      }
    ]
    "#);
    let answer = sent(&service, "application/yaml", &YAML.replace("campaign: house", "campaign: hous"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.json()["errors"]).unwrap(), @r#"
    [
      {
        "column": 15,
        "line": 45,
        "message": "campaign `hous` is not in the catalogue; did you mean `house`?",
        "pointer": "/offers/2/campaign"
      }
    ]
    "#);
    told.problem("of without csv", &service.call("GET", "/v1/offers:export?as=yaml&of=campaigns", None));
    insta::assert_snapshot!(told.0, @r#"
    an unknown type
      415 unsupported: `Content-Type: application/xml` is not read here: send `application/json`, `application/yaml` or `text/csv`
    an empty body
      400 malformed: the body is empty: send CSV
    yaml that is none
      400 malformed: line 1 column 9: not well-formed YAML: a bracket or a brace is not closed: look at the indentation of this line and the one above, and at quotes and brackets left open; text with `: ` or ` #` inside goes into quotes
    of without csv
      422 invalid: `of` chooses what a CSV holds: JSON and YAML hold campaigns and offers together
        ?of:
    "#);
}
