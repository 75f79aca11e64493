//! Offers and campaigns as merchandisers keep them: one by one, with their revisions, and what decisions make of them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use proffer::domain::Timestamp;
use serde_json::{Value, json};

use super::service::{Answer, Plan, Service};
use super::shop::{self, NOW, ask, ask_as, offer, with};
use super::transcript::Transcript;
use crate::harness::database::Kind;

fn boots() -> Value {
    offer("boots", "shoes", "80.00", "52.00")
}

fn put(service: &Service, offer: &Value) -> Answer {
    service.call("PUT", &format!("/v1/offers/{}", offer["offer_id"].as_str().unwrap()), Some(offer))
}

fn put_campaign(service: &Service, campaign: &Value) -> Value {
    let path = format!("/v1/campaigns/{}", campaign["campaign_id"].as_str().unwrap());
    service.call("PUT", &path, Some(campaign)).ok()
}

/// Sends with headers of its own.
fn with_headers(service: &Service, headers: &[(&str, &str)], offer: &Value) -> Answer {
    let bearer = format!("Bearer {}", service.admin);
    let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
    let path = format!("/v1/offers/{}", offer["offer_id"].as_str().unwrap());
    service.send("PUT", &path, &headers, Some(offer.to_string().as_bytes()))
}

fn stock(service: &Service, change: &Value) -> Value {
    let answer = service.call("POST", "/v1/offers/boots/stock", Some(change)).ok();
    json!([answer["offer"]["stock"], answer["revision"], answer["result"], answer["standing"]["state"]])
}

/// Of a decision for somebody new: whether the boots were candidates and what left them out, in sentences.
fn boots_in(service: &Service) -> String {
    static CUSTOMERS: AtomicU32 = AtomicU32::new(0);
    let customer = format!("new-{}", CUSTOMERS.fetch_add(1, Ordering::Relaxed));
    let answer = service.decide(&ask(&customer)).ok();
    in_record(&service.record(&answer))
}

fn in_record(record: &Value) -> String {
    let candidates = record["candidates"].as_array().unwrap();
    let Some(boots) = candidates.iter().find(|candidate| candidate["offer_id"] == "boots") else {
        return "no candidate".into();
    };
    let why = boots["excluded_by"].as_array().unwrap().iter().map(|one| one["sentence"].as_str().unwrap());
    let why: Vec<&str> = why.map(|text| text.rsplit_once("): ").map_or(text, |(_, why)| why)).collect();
    assert_eq!(boots["eligible"], why.is_empty());
    if why.is_empty() { "eligible".into() } else { why.join("; ") }
}

fn at(service: &Service, time: &str) {
    service.core.clock.set(Timestamp::parse(time).unwrap());
}

#[test]
fn an_offer_starts_pauses_and_ends_by_the_clock_without_a_call() {
    let service = Service::start();
    let mut scheduled = boots();
    scheduled["starts_at"] = json!("2026-03-02T00:00:00Z");
    scheduled["ends_at"] = json!("2026-03-05T00:00:00Z");
    scheduled["pauses"] = json!([{"from": "2026-03-03T00:00:00Z", "until": "2026-03-04T00:00:00Z"}]);
    put(&service, &scheduled).ok();
    let mut told = String::new();
    for time in [
        "2026-03-01T23:59:59.999Z",
        "2026-03-02T00:00:00Z",
        "2026-03-03T00:00:00Z",
        "2026-03-04T00:00:00Z",
        "2026-03-05T00:00:00Z",
    ] {
        at(&service, time);
        let standing = service.call("GET", "/v1/offers/boots", None).ok()["standing"]["state"].clone();
        let _ = writeln!(told, "{time}: {}, {}", standing.as_str().unwrap(), boots_in(&service));
    }
    insta::assert_snapshot!(told, @r#"
    2026-03-01T23:59:59.999Z: scheduled, the offer starts at 2026-03-02T00:00:00.000Z
    2026-03-02T00:00:00Z: running, eligible
    2026-03-03T00:00:00Z: paused, the offer is paused until 2026-03-04T00:00:00.000Z
    2026-03-04T00:00:00Z: running, eligible
    2026-03-05T00:00:00Z: ended, the offer ended at 2026-03-05T00:00:00.000Z
    "#);
    assert_eq!(service.core.snapshot().catalogue.revision, 2, "nobody changed anything");
}

#[test]
fn an_offer_runs_only_while_its_campaign_does() {
    let service = Service::start();
    let campaign = json!({"campaign_id": "spring", "owner": "toys", "starts_at": "2026-03-02T00:00:00Z"});
    service.import(&json!({"campaigns": [campaign], "offers": [with(&boots(), "campaign", &json!("spring"))]}));
    assert_eq!(boots_in(&service), "its campaign starts at 2026-03-02T00:00:00.000Z");
    at(&service, "2026-03-02T00:00:00Z");
    assert_eq!(boots_in(&service), "eligible");
    let paused = service.call("POST", "/v1/campaigns/spring/pause", None).ok();
    assert_eq!((&paused["standing"]["state"], &paused["offers"]), (&json!("paused"), &json!(1)));
    assert_eq!(boots_in(&service), "its campaign is paused");
    service.call("POST", "/v1/campaigns/spring/resume", None).ok();
    assert_eq!(boots_in(&service), "eligible");
    put_campaign(&service, &with(&campaign, "ends_at", &json!("2026-03-02T12:00:00Z")));
    assert_eq!(boots_in(&service), "eligible");
    at(&service, "2026-03-02T12:00:00Z");
    assert_eq!(boots_in(&service), "its campaign ended at 2026-03-02T12:00:00.000Z");
}

#[test]
fn an_offer_without_stock_is_left_out_with_the_reason_in_the_record() {
    let service = Service::start();
    assert_eq!(boots_in(&service), "eligible");
    assert_eq!(stock(&service, &json!({"set": 2})), json!([2, 2, "changed", "running"]));
    assert_eq!(boots_in(&service), "eligible");
    assert_eq!(stock(&service, &json!({"add": -2})), json!([0, 3, "changed", "sold_out"]));
    assert_eq!(boots_in(&service), "the offer is sold out");
    assert_eq!(stock(&service, &json!({"set": null})), json!([null, 4, "changed", "running"]));
    assert_eq!(boots_in(&service), "eligible");
}

#[test]
fn stock_that_is_sent_again_under_its_request_id_counts_once() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).start();
        service.import(&shop::offers());
        assert_eq!(stock(&service, &json!({"set": 10})), json!([10, 2, "changed", "running"]));
        assert_eq!(stock(&service, &json!({"set": 10})), json!([10, 2, "unchanged", "running"]));
        let sold = json!({"add": -3, "request_id": "order-1"});
        assert_eq!(stock(&service, &sold), json!([7, 3, "changed", "running"]));
        assert_eq!(stock(&service, &json!({"add": -3, "request_id": "order-2"})), json!([4, 4, "changed", "running"]));
        assert_eq!(stock(&service, &sold), json!([4, 4, "repeated", "running"]));
        // More sold than there were: nothing is left, and what comes in is counted from there.
        assert_eq!(stock(&service, &json!({"add": -9})), json!([0, 5, "changed", "sold_out"]));
        assert_eq!(stock(&service, &json!({"add": 5})), json!([5, 6, "changed", "running"]));
        service.remove();
    }
}

#[test]
fn stock_taken_by_many_at_once_through_two_nodes_is_counted_exactly() {
    let plan = Plan::new(Kind::Postgres);
    let (first, second) = (plan.beside("node-2").start(), plan.start());
    first.import(&shop::offers());
    stock(&first, &json!({"set": 1000}));
    std::thread::scope(|scope| {
        for service in [&first, &second, &first, &second] {
            scope.spawn(move || (0..10).for_each(|_| drop(stock(service, &json!({"add": -1})))));
        }
    });
    assert_eq!(stock(&second, &json!({"add": 0}))[0], 960);
    drop(first);
    second.remove();
}

#[test]
fn a_paused_offer_is_no_candidate_in_any_decision_after_the_answer() {
    let plan = Plan::new(Kind::Postgres);
    let (first, second) = (plan.beside("node-2").start(), plan.start());
    first.import(&shop::offers());
    assert_eq!(boots_in(&second), "eligible");
    let paused = first.call("POST", "/v1/offers/boots/pause", None).ok();
    assert_eq!((&paused["offer"]["status"], &paused["result"]), (&json!("paused"), &json!("changed")));
    // Nothing tells the other node but the commit that it tries.
    assert_eq!(boots_in(&second), "no candidate");
    assert_eq!(first.call("POST", "/v1/offers/boots/pause", None).ok()["result"], "unchanged");
    second.call("POST", "/v1/offers/boots/resume", None).ok();
    assert_eq!(boots_in(&first), "eligible");
    drop(first);
    second.remove();
}

#[test]
fn a_decision_from_before_a_change_is_still_explained_with_the_catalogue_it_read() {
    let service = Service::start();
    put_campaign(&service, &json!({"campaign_id": "spring", "owner": "toys", "ends_at": "2026-03-01T00:00:00Z"}));
    put(&service, &with(&boots(), "campaign", &json!("spring"))).ok();
    let before = service.decide(&ask_as(1, "c-1")).ok();
    let record = service.record(&before);
    assert_eq!(in_record(&record), "its campaign ended at 2026-03-01T00:00:00.000Z");
    // Everything it read is changed: the campaign, the offer, and what stands before the offer in the catalogue.
    put_campaign(&service, &json!({"campaign_id": "spring", "owner": "toys"}));
    put(&service, &offer("boots", "home", "1.00", "0.00")).ok();
    put(&service, &offer("apples", "home", "1.00", "0.00")).ok();
    assert_eq!(boots_in(&service), "eligible");
    assert_eq!(service.record(&before), record);
    let service = service.restart();
    assert_eq!(service.record(&before), record);
    assert_eq!(service.decide(&ask_as(1, "c-1")).ok(), before);
}

#[test]
fn what_is_there_already_makes_no_revision() {
    let service = Service::start();
    let again = service.import(&shop::offers());
    let expected = json!({"offers": 5, "campaigns": 0, "catalogue": 1, "created": 0, "changed": 0, "unchanged": 5});
    assert_eq!(again, expected);
    assert_eq!(put(&service, &boots()).ok()["result"], "unchanged");
    let changed = put(&service, &with(&boots(), "name", &json!("Boots"))).ok();
    assert_eq!(
        (&changed["result"], &changed["revision"], &changed["catalogue"]),
        (&json!("changed"), &json!(2), &json!(2))
    );
    assert_eq!(put(&service, &offer("hat", "shoes", "8.00", "2.00")).ok()["result"], "created");
    let kept = service.call("GET", "/v1/offers/boots", None);
    assert_eq!((kept.headers["etag"].as_str(), &kept.ok()["revision"]), ("\"2\"", &json!(2)));
}

#[test]
fn every_revision_of_an_offer_stays_to_be_seen() {
    let service = Service::start();
    for name in ["one", "two", "three"] {
        put(&service, &with(&boots(), "name", &json!(name))).ok();
        put(&service, &with(&offer("lamp", "home", "40.00", "25.00"), "name", &json!(name))).ok();
    }
    let key = service.core.ring.key(&service.admin).unwrap().name;
    let page = |query: &str| -> (Vec<String>, Value) {
        let page = service.call("GET", &format!("/v1/offers/boots/revisions{query}"), None).ok();
        let of = |one: &Value| {
            assert_eq!((&one["by"], &one["at"]), (&json!(key), &json!(NOW)));
            format!("{} {}", one["revision"], one["offer"]["name"].as_str().unwrap())
        };
        (page["revisions"].as_array().unwrap().iter().map(of).collect(), page["next_cursor"].clone())
    };
    assert_eq!(page(""), (vec!["6 three".into(), "4 two".into(), "2 one".into(), "1 boots".into()], Value::Null));
    assert_eq!(page("?limit=2"), (vec!["6 three".into(), "4 two".into()], json!("4")));
    assert_eq!(page("?limit=2&cursor=4"), (vec!["2 one".into(), "1 boots".into()], Value::Null));
    let as_of = |revision: u64| service.call("GET", &format!("/v1/offers/boots?revision={revision}"), None);
    for (revision, since, name) in [(1, 1, "boots"), (3, 2, "one"), (5, 4, "two"), (7, 6, "three")] {
        let answer = as_of(revision).ok();
        assert_eq!((&answer["revision"], &answer["offer"]["name"]), (&json!(since), &json!(name)), "{revision}");
    }
    let mut told = Transcript::default();
    told.problem("before the first", &as_of(0));
    told.problem("after the last", &as_of(8));
    told.problem("never there", &service.call("GET", "/v1/offers/hat/revisions", None));
    insta::assert_snapshot!(told.0, @r#"
    before the first
      404 not-found: the catalogue has no offer `boots` at revision 0; it is at revision 7 now
    after the last
      404 not-found: the catalogue has no offer `boots` at revision 8; it is at revision 7 now
    never there
      404 not-found: no offer `hat` is in the catalogue; `GET /v1/offers` lists those that are
    "#);
}

#[test]
fn a_change_that_expects_another_revision_is_refused_with_what_is_there() {
    let service = Service::start();
    let renamed = |name: &str| with(&boots(), "name", &json!(name));
    with_headers(&service, &[("if-match", "\"1\"")], &renamed("mine")).ok();
    let refused = with_headers(&service, &[("if-match", "\"1\"")], &renamed("yours"));
    assert_eq!((refused.status, refused.headers["etag"].as_str()), (412, "\"2\""));
    let current = &refused.json()["current"];
    assert_eq!((&current["offer"]["name"], &current["revision"]), (&json!("mine"), &json!(2)));
    with_headers(&service, &[("if-match", "\"1\", \"2\"")], &renamed("yours")).ok();
    with_headers(&service, &[("if-match", "*")], &renamed("ours")).ok();
    let hat = offer("hat", "shoes", "8.00", "2.00");
    let mut told = Transcript::default();
    told.problem("stale", &refused);
    told.problem("not there", &with_headers(&service, &[("if-match", "\"1\"")], &hat));
    told.problem("there already", &with_headers(&service, &[("if-none-match", "*")], &boots()));
    told.problem("no tag", &with_headers(&service, &[("if-match", "2")], &boots()));
    told.problem("no star", &with_headers(&service, &[("if-none-match", "\"2\"")], &boots()));
    told.problem("both", &with_headers(&service, &[("if-match", "*"), ("if-none-match", "*")], &boots()));
    insta::assert_snapshot!(told.0, @r#"
    stale
      412 precondition-failed: offer `boots` is at revision 2 by now: `current` shows it; change that, with its revision
    not there
      412 precondition-failed: offer `hat` is not in the catalogue: send it without `If-Match` to create it
    there already
      412 precondition-failed: offer `boots` is there already: `current` shows it; send `If-Match: "4"` to replace it
    no tag
      422 invalid: `If-Match: 2` names no revision: send back an `ETag` as it came, such as `"3"`
    no star
      422 invalid: `If-None-Match: "2"` is not known here: `*` means that nothing of this id may be there yet
    both
      422 invalid: `If-Match` and `If-None-Match` exclude each other: send one of them
    "#);
    assert_eq!(with_headers(&service, &[("if-none-match", "*")], &hat).ok()["result"], "created");
}

#[test]
fn each_mistake_about_one_offer_or_campaign_is_told_with_its_place() {
    let service = Service::start();
    let mut told = Transcript::default();
    let mut check = |case: &str, method: &str, path: &str, body: &Value| {
        told.problem(case, &service.call(method, path, Some(body)));
    };
    let wrong = with(&with(&boots(), "category", &json!("shoos")), "campaign", &json!("spring"));
    check("three at once", "PUT", "/v1/offers/boot", &wrong);
    check("no id", "PUT", "/v1/offers/-", &boots());
    let backwards = json!({
        "campaign_id": "spring", "owner": "", "starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z",
        "budget": {"amount": "-1.00", "currency": "USD"},
    });
    check("a campaign that ends before it starts", "PUT", "/v1/campaigns/summer", &backwards);
    check("an unknown offer's stock", "POST", "/v1/offers/boot/stock", &json!({"set": 1}));
    check("neither set nor add", "POST", "/v1/offers/boots/stock", &json!({"request_id": ""}));
    check("both set and add", "POST", "/v1/offers/boots/stock", &json!({"set": null, "add": 1}));
    check("a negative stock", "POST", "/v1/offers/boots/stock", &json!({"set": -1}));
    check("added to what is not counted", "POST", "/v1/offers/boots/stock", &json!({"add": 1}));
    let import = json!({
        "campaigns": [{"campaign_id": "spring"}, {"campaign_id": "summer", "owner": "toys"}],
        "offers": [
            with(&boots(), "campaign", &json!("spring")),
            with(&offer("hat", "shoes", "8.00", "2.00"), "campaign", &json!("sumer")),
            with(&offer("cap", "shoes", "8.00", "2.00"), "stock", &json!("many")),
        ],
    });
    check("an import of both", "POST", "/v1/offers:import", &import);
    check("an import with a list of something", "POST", "/v1/offers:import", &json!({"offers": [], "campaign": []}));
    let mut get = |case: &str, path: &str| told.problem(case, &service.call("GET", path, None));
    get("parameters", "/v1/offers?limit=5000&standing=soldout&cursr=a&status=active&status=paused");
    get("an unknown campaign", "/v1/campaigns/spring");
    insta::assert_snapshot!(told.0, @r#"
    three at once
      422 invalid: 3 things are wrong; see `errors`
        /offer_id: the body is offer `boots` and the path names `boot`: use one id
        /category: `shoos` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `service`; did you mean `shoes`?
        /campaign: campaign `spring` is not in the catalogue: send the campaign first, or with the offer
    no id
      422 invalid: `-` is not an offer id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
    a campaign that ends before it starts
      422 invalid: 4 things are wrong; see `errors`
        /campaign_id: the body is campaign `spring` and the path names `summer`: use one id
        /ends_at: it ends at 2026-03-01T00:00:00.000Z, not after its start at 2026-03-02T00:00:00.000Z
        /owner: nobody owns the campaign: name a team or a person
        /budget/amount: budget `-1.00` is negative: expected 0.00 or more
    an unknown offer's stock
      404 not-found: no offer `boot` is in the catalogue; `GET /v1/offers` lists those that are
    neither set nor add
      422 invalid: 2 things are wrong; see `errors`
        : say either `set`, the units there are, or `add`, how many more or fewer
        /request_id: a request id has 1 to 128 bytes; this one has 0
    both set and add
      422 invalid: say either `set`, the units there are, or `add`, how many more or fewer
        :
    a negative stock
      422 invalid: expected a whole number from 0 to 4294967295, found the number `-1`
        /set:
    added to what is not counted
      422 invalid: the stock of offer `boots` is not counted: `set` it once, then `add` to it
        /add:
    an import of both
      422 invalid: 3 things are wrong; see `errors`
        /campaigns/0: the field `owner` is missing
        /offers/2/stock: expected a whole number from 0 to 4294967295, found the text "many"
        /offers/1/campaign: campaign `sumer` is not in the catalogue; did you mean `summer`?
    an import with a list of something
      422 invalid: unknown field `campaign`, expected one of `campaigns`, `offers`; did you mean `campaigns`?
        /campaign:
    parameters
      422 invalid: 4 things are wrong; see `errors`
        ?cursr: unknown parameter `cursr`, expected one of `cursor`, `limit`, `campaign`, `category`, `status`, `standing`, `at`; did you mean `cursor`?
        ?status: `status` is given twice
        ?limit: `5000` is not a whole number from 1 to 1000
        ?standing: `soldout` is unknown, expected one of `running`, `paused`, `scheduled`, `ended`, `sold_out`, `campaign_unknown`; did you mean `sold_out`?
    an unknown campaign
      404 not-found: no campaign `spring` is in the catalogue; `GET /v1/campaigns` lists those that are
    "#);
    assert_eq!(service.core.snapshot().catalogue.revision, 1, "refused whole");
}

#[test]
fn offers_are_listed_page_by_page_by_what_they_are_and_how_they_stand() {
    let service = Service::start();
    put_campaign(&service, &json!({"campaign_id": "spring", "owner": "toys", "ends_at": "2026-03-03T00:00:00Z"}));
    let mut tent = offer("tent", "outdoor", "120.00", "90.00");
    tent["more_categories"] = json!(["home"]);
    tent["campaign"] = json!("spring");
    put(&service, &tent).ok();
    put(&service, &with(&boots(), "starts_at", &json!("2026-03-02T00:00:00Z"))).ok();
    service.call("POST", "/v1/offers/mug/pause", None).ok();
    let page = |query: &str| -> (String, Value) {
        let page = service.call("GET", &format!("/v1/offers{query}"), None).ok();
        let ids = page["offers"].as_array().unwrap().iter().map(|one| one["offer"]["offer_id"].as_str().unwrap());
        (ids.collect::<Vec<_>>().join(" "), page["next_cursor"].clone())
    };
    let list = |query: &str| page(query).0;
    assert_eq!(page(""), ("boots house-welcome lamp mug tent".into(), Value::Null));
    assert_eq!(page("?limit=2"), ("boots house-welcome".into(), json!("house-welcome")));
    assert_eq!(page("?limit=2&cursor=house-welcome"), ("lamp mug".into(), json!("mug")));
    assert_eq!(page("?limit=2&cursor=mug"), ("tent".into(), Value::Null));
    assert_eq!(list("?campaign=spring"), "tent");
    assert_eq!(list("?category=home"), "lamp mug tent");
    assert_eq!(list("?status=paused"), "mug");
    assert_eq!(list("?standing=running"), "house-welcome lamp tent");
    assert_eq!(list("?standing=scheduled"), "boots");
    assert_eq!(list("?standing=running&at=2026-03-02T00:00:00Z&category=shoes"), "boots");
    assert_eq!(list("?standing=ended&at=2026-03-03T00:00:00Z"), "tent");
    let campaigns = service.call("GET", "/v1/campaigns?standing=running", None).ok();
    assert_eq!(campaigns["campaigns"][0]["campaign"]["owner"], "toys");
    let ended = service.call("GET", "/v1/campaigns?standing=running&at=2026-03-03T00:00:00Z", None).ok();
    assert_eq!(ended["campaigns"], json!([]));
}
