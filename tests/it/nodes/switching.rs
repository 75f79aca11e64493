//! Switches on two processes: whoever is asked after the acknowledgement keeps to them, wherever they were set.

use std::sync::atomic::{AtomicU64, Ordering};

use proffer::domain::{ConsentState, Timestamp};
use serde_json::{Value, json};

use super::facts::Fact;
use super::town::{Edition, Town, ask_as, import, put_consent};
use super::watched::Watched;
use crate::harness::client::{Client, json_of, now_ms};
use crate::harness::database::Kind;
use crate::harness::server::until;

/// The offer that the contest stops and lets go again.
pub const STOPPED: u32 = 4;

/// A kill switch of one offer.
fn kill(id: &str, offer: u32, life_ms: i64) -> Value {
    json!({
        "id": id, "kind": "kill_switch", "why": "Recalled", "approver": "Jane Doe", "ticket": "OPS-7",
        "effective": {"until": Timestamp(now_ms() + life_ms)}, "stop": {"offers": [format!("offer-{offer}")]},
    })
}

fn call(client: &Client, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = client.send(method, path, &[("content-type", "application/json")], &bytes).unwrap();
    (answer.status().as_u16(), json_of(&answer))
}

fn end(client: &Client, id: &str) -> (u16, Value) {
    call(client, "DELETE", &format!("/v1/switches/{id}?why=it%20is%20over"), &Value::Null)
}

/// A switch that is set and ended in turn while clients ask.
pub struct Switching {
    /// Whether the offer is stopped.
    watched: Watched<bool>,
    count: AtomicU64,
}

impl Switching {
    pub fn new() -> Self {
        Self { watched: Watched::new(false), count: AtomicU64::new(0) }
    }

    pub fn turn(&self) -> u64 {
        self.watched.turn()
    }

    /// What a request may have met that was sent at a turn and has just been answered.
    pub fn met(&self, sent: u64) -> Vec<bool> {
        self.watched.met(sent, self.watched.turn())
    }

    /// Sets it by one client, or ends it by the other; says what went wrong.
    pub fn turn_over(&self, clients: [&Client; 2]) -> Option<String> {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let (stop, id) = (count.is_multiple_of(2), format!("contest-{}", count / 2));
        let mut answer = (0, Value::Null);
        self.watched.change(stop, || {
            answer = if stop {
                call(clients[0], "POST", "/v1/switches", &kill(&id, STOPPED, 600_000))
            } else {
                end(clients[1], &id)
            };
        });
        (answer.0 != 200).then(|| format!("refused: {} {}", answer.0, answer.1))
    }

    /// Ends it if it is set.
    pub fn rest(&self, clients: [&Client; 2]) -> Option<String> {
        if self.count.load(Ordering::SeqCst).is_multiple_of(2) { None } else { self.turn_over(clients) }
    }
}

/// What of a decision does not fit the switches that it may have met.
pub fn wrong(fact: &Fact, met: &[bool]) -> Option<&'static str> {
    let always = met.iter().all(|stopped| *stopped);
    if always && fact.shown.contains(&STOPPED) {
        return Some("it shows an offer that had been stopped before it");
    }
    // Somebody without a consent, and in a contention, is answered by the house, whatever rules say.
    let judged = !fact.contended && fact.consent == Some(ConsentState::Granted);
    if !judged || always != met.iter().any(|stopped| *stopped) {
        return None;
    }
    let mut rows = (0_u32..).zip(&fact.opened.skeleton.candidates);
    let row = rows.find(|(at, _)| fact.offer_of(*at) == Some(STOPPED));
    let by_switch = row.is_some_and(|(_, row)| row.failed.iter().any(|failed| fact.switch == Some(failed.rule)));
    (by_switch != always).then_some("its record says otherwise of a switch than what had been acknowledged")
}

/// Which rules left an offer out of a decision, with what they say.
fn excluded(client: &Client, answer: &Value, offer: u32) -> Vec<(String, String)> {
    let record = json_of(&client.get(&format!("/v1/decisions/{}", answer["decision_id"].as_str().unwrap())).unwrap());
    let rows = record["candidates"].as_array().unwrap();
    let row = rows.iter().find(|row| row["offer_id"] == format!("offer-{offer}")).unwrap();
    let told = row["excluded_by"].as_array().unwrap().iter();
    told.map(|told| (told["rule"].as_str().unwrap().to_owned(), told["sentence"].as_str().unwrap().to_owned()))
        .collect()
}

fn decide(client: &Client, customer: u64) -> Value {
    let answer = client.decide(&ask_as(customer, 0)).unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body());
    json_of(&answer)
}

fn obeyed_by_whoever_is_asked(kind: Kind, nodes: &[&str]) {
    let a = Edition::a();
    let town = Town::new(kind, a.folder.path());
    let servers: Vec<_> = nodes.iter().map(|node| town.start(node, &a)).collect();
    let clients: Vec<Client> = servers.iter().map(|server| town.client(server)).collect();
    import(&clients[0], 0);
    let mut customer = 0;
    let mut somebody = || {
        customer += 1;
        assert_eq!(put_consent(&clients[0], &format!("c-{customer}"), "granted").status(), 200);
        customer
    };
    for round in 0..6_usize {
        let (setter, asked) = (&clients[round % clients.len()], &clients[(round + 1) % clients.len()]);
        let id = format!("recall-{round}");
        let (status, set) = call(setter, "POST", "/v1/switches", &kill(&id, 3, 600_000));
        assert_eq!((status, &set["state"], &set["changed"]), (200, &json!("in_force"), &json!(true)), "{set}");
        let answer = decide(asked, somebody());
        let rule = format!("proffer.switch.{id}");
        let sentence = format!("`{rule}` (Recalled): the offer is stopped, approved by Jane Doe, ticket OPS-7");
        assert_eq!(excluded(asked, &answer, 3), [(rule.clone(), sentence.clone())], "round {round}");
        assert_eq!(answer["versions"]["switches"], json!(2 * round + 1), "{answer}");
        let (status, ended) = end(asked, &id);
        assert_eq!((status, &ended["state"]), (200, &json!("ended")), "{ended}");
        let after = decide(setter, somebody());
        assert_eq!(excluded(setter, &after, 3), [], "round {round}");
        assert_eq!(after["versions"]["switches"], json!(2 * round + 2));
        // What was decided with it still says so.
        assert_eq!(excluded(setter, &answer, 3), [(rule, sentence)]);
    }
    // By the command, on the store itself.
    let switch = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["switch"].iter().chain(arguments).copied().collect();
        let output = town.site.command(&arguments).env("PROFFER_LOG", "off").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout) + &text(output.stderr))
    };
    let approved = ["--why", "Recalled", "--approver", "Jane Doe", "--ticket", "OPS-8"];
    let set = [&["set", "all-stop", "--stop-all", "--for", "1h"], &approved[..]].concat();
    let (code, said) = switch(&set);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("switch `all-stop` is in force until 20"), "{said}");
    for client in &clients {
        let answer = decide(client, somebody());
        assert_eq!((&answer["fallback"], &answer["offers"][0]["offer_id"]), (&json!(true), &json!("house-welcome")));
    }
    let (code, said) = switch(&["list"]);
    assert!(code == 0 && said.starts_with("in_force  all-stop stops \"all\" until 20"), "{said}");
    assert!(said.contains(": Recalled, approved by Jane Doe, ticket OPS-8; set at 20"), "{said}");
    assert_eq!(switch(&["end", "all-stop", "--why", "Mended"]).0, 0);
    for client in &clients {
        assert_eq!(decide(client, somebody())["fallback"], false);
    }
    // One that ends by itself needs nobody.
    let (status, _) = call(&clients[0], "POST", "/v1/switches", &kill("short", 3, 700));
    assert_eq!(status, 200);
    let asked = clients.last().unwrap();
    until("the switch to end by itself", || {
        let answer = decide(asked, somebody());
        excluded(asked, &answer, 3).is_empty().then_some(())
    });
    let (_, list) = call(asked, "GET", "/v1/switches?state=expired", &Value::Null);
    assert_eq!(list["switches"][0]["switch"]["id"], "short", "{list}");
    drop(servers);
    town.remove();
}

#[test]
fn a_switch_counts_for_whoever_is_asked_after_it_on_two_processes() {
    obeyed_by_whoever_is_asked(Kind::Postgres, &["first", "second"]);
}

#[test]
fn a_switch_counts_at_once_on_sqlite() {
    obeyed_by_whoever_is_asked(Kind::Sqlite, &["only"]);
}
