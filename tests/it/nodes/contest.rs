//! The contest: 64 clients ask two processes for the same few customers, while consents are withdrawn and granted,
//! bundles activated, offers imported, an offer stopped and let go, and impressions and clicks told, some of them late.
//! Every cap is exact, whether it counts for the customer, the household, the device or the session, and every decision
//! keeps to what was acknowledged before it was asked for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proffer::domain::outcome::OutcomeKind;
use proffer::domain::{ConsentState, DecisionId, Digest, Timestamp};
use serde_json::{Value, json};

use super::answers::{Told, answers, history};
use super::counting::{self, Between, Count, Witness};
use super::facts::{self, Fact};
use super::switching::Switching;
use super::town::{CHANNELS, Edition, Town, ask_as, import, put_consent, zone_of};
use super::watched::Watched;
use crate::crash::siege::progress;
use crate::harness::client::{Answer, Client, Source, json_of, now_ms};
use crate::harness::database::Kind;
use crate::harness::server::Server;

const CLIENTS: usize = 64;
/// Customers who are asked for at the same time.
const TOGETHER: u64 = 4;
/// Requests for one customer, more than any cap.
const EACH: u64 = 30;

/// How often a client sends the same again that was answered with 503, before it gives up.
const PATIENCE: u32 = 20;

/// An id of the client's own, by the step of its clock.
fn id_of(step: u64) -> DecisionId {
    let mut bits = [0; 10];
    bits[2..].copy_from_slice(&step.to_be_bytes());
    DecisionId::from_parts(now_ms(), bits)
}

/// Groups of customers, one after another.
fn groups() -> u64 {
    match std::env::var("PROFFER_CONTEST") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("PROFFER_CONTEST is `{text}`: expected a whole number")),
        Err(_) => 10,
    }
}

struct Contest<'a> {
    clients: [Client; 2],
    editions: [&'a Edition; 2],
    customers: u64,
    next: AtomicU64,
    over: AtomicBool,
    bundle: Watched<Digest>,
    revision: Watched<u64>,
    switching: Switching,
    /// Revision by import.
    imports: Mutex<BTreeMap<u64, u64>>,
    consents: Vec<Watched<ConsentState>>,
    told: Mutex<Vec<Told>>,
    source: Source,
    /// One step for every request and every answer of a decision or an outcome.
    clock: AtomicU64,
    /// When outcomes were told.
    outcomes: Mutex<BTreeMap<(DecisionId, OutcomeKind), Between>>,
    /// What is seen late, the next first: from when on, and by which decision.
    unseen: Mutex<VecDeque<(i64, DecisionId)>>,
    /// How many were answered to have come after their reservation had ended.
    late: AtomicU64,
    /// How often the store did not answer in time, and the same was sent again.
    unavailable: AtomicU64,
    /// What was answered where an answer of kind 200 was expected.
    refused: Mutex<Vec<String>>,
}

impl<'a> Contest<'a> {
    fn new(town: &Town, servers: [&Server; 2], editions: [&'a Edition; 2], (source, groups): (Source, u64)) -> Self {
        let clients = servers.map(|server| town.client(server));
        let revision = import(&clients[0], 0);
        let customers = groups * TOGETHER;
        for customer in 0..customers {
            let answer = put_consent(&clients[0], &format!("c-{customer}"), "granted");
            assert_eq!(answer.status(), 200, "{}", answer.body());
        }
        Self {
            clients,
            editions,
            customers,
            next: AtomicU64::new(0),
            over: AtomicBool::new(false),
            bundle: Watched::new(editions[0].hash()),
            revision: Watched::new(revision),
            switching: Switching::new(),
            imports: Mutex::new(BTreeMap::from([(0, revision)])),
            consents: (0..customers).map(|_| Watched::new(ConsentState::Granted)).collect(),
            told: Mutex::default(),
            source,
            clock: AtomicU64::new(0),
            outcomes: Mutex::default(),
            unseen: Mutex::default(),
            late: AtomicU64::new(0),
            unavailable: AtomicU64::new(0),
            refused: Mutex::default(),
        }
    }

    /// The customer of a request: the groups come one after another, the customers of a group all at once.
    fn customer(request: u64) -> u64 {
        request / (TOGETHER * EACH) * TOGETHER + request % TOGETHER
    }

    fn client(&self, number: usize) {
        loop {
            let request = self.next.fetch_add(1, Ordering::SeqCst);
            if request >= self.customers * EACH {
                return;
            }
            self.ask(number, Self::customer(request), request / TOGETHER);
            self.see_late();
        }
    }

    fn answered(&self, answer: &Answer) -> bool {
        let answered = answer.status() == 200;
        if !answered {
            self.refused.lock().unwrap().push(format!("refused: {} {}", answer.status(), answer.body()));
        }
        answered
    }

    /// Asks for a customer and says whether it was house content.
    fn ask(&self, number: usize, customer: u64, turn: u64) -> bool {
        let consents = &self.consents[usize::try_from(customer).unwrap()];
        let sent = (self.bundle.turn(), self.revision.turn(), consents.turn(), self.switching.turn());
        let asked = self.tick();
        let mut body = ask_as(customer, turn);
        body["decision_id"] = json!(id_of(asked));
        let answer = self.again(|| self.clients[number % 2].decide(&body).unwrap());
        let between = (asked, self.tick());
        let bundles = self.bundle.met(sent.0, self.bundle.turn());
        let revisions = self.revision.met(sent.1, self.revision.turn());
        let (consents, stopped) = (consents.met(sent.2, consents.turn()), self.switching.met(sent.3));
        if !self.answered(&answer) {
            return true;
        }
        let told: Value = json_of(&answer);
        let house = told["fallback"].as_bool().unwrap();
        let id = DecisionId::parse(told["decision_id"].as_str().unwrap()).unwrap();
        self.told.lock().unwrap().push(Told {
            id,
            customer,
            between,
            bundle: told["versions"]["bundle"].as_str().unwrap().to_owned(),
            catalogue: told["versions"]["catalogue"].as_u64().unwrap(),
            content: told["offers"][0]["content"]["import"].as_u64(),
            house,
            bundles,
            revisions,
            consents,
            stopped,
        });
        // A third is seen at once, through the other process, a third late or never, and of all a half is followed.
        match (house, turn % 3) {
            (true, _) => {}
            (false, 0) => self.tell(number + 1, id, OutcomeKind::Impression, None),
            (false, 1) => self.unseen.lock().unwrap().push_back((now_ms() + CHANNELS[1].2 + 1, id)),
            (false, _) => {
                let first = told["offers"][0]["offer_id"].as_str();
                self.tell(number + 1, id, OutcomeKind::Click, first);
            }
        }
        house
    }

    /// Sends until it is answered otherwise than that the store does not answer: what is sent again is the same.
    fn again(&self, send: impl Fn() -> Answer) -> Answer {
        for _ in 0..PATIENCE {
            let answer = send();
            if answer.status() != 503 {
                return answer;
            }
            self.unavailable.fetch_add(1, Ordering::SeqCst);
        }
        send()
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Tells what followed a decision, once: of all its offers where none is named.
    fn tell(&self, number: usize, id: DecisionId, kind: OutcomeKind, offer: Option<&str>) {
        let name = kind.name();
        let mut event = json!({
            "event_id": format!("{name}-{id}"), "source": "shop-front", "type": name, "decision_id": id.to_string(),
            "occurred_at": Timestamp(now_ms()),
        });
        if let Some(offer) = offer {
            event["offer_id"] = json!(offer);
        }
        let sent = self.tick();
        let answer = self.again(|| self.clients[number % 2].outcomes(&self.source, &event).unwrap());
        self.outcomes.lock().unwrap().insert((id, kind), (sent, self.tick()));
        let told = json_of(&answer)["results"][0].clone();
        // What was sent again may have been taken the first time.
        if told["status"] != "accepted" && told["status"] != "duplicate" {
            self.refused.lock().unwrap().push(format!("refused: {} {}", answer.status(), answer.body()));
        }
        self.late.fetch_add(u64::from(told["after_reservation"] == true), Ordering::SeqCst);
    }

    /// Tells of one that is seen after its reservation has ended, if there is one by now.
    fn see_late(&self) {
        let due = {
            let mut unseen = self.unseen.lock().unwrap();
            let due = unseen.front().is_some_and(|(from, _)| *from <= now_ms());
            if due { unseen.pop_front() } else { None }
        };
        if let Some((_, id)) = due {
            self.tell(id.as_bytes()[15].into(), id, OutcomeKind::Impression, None);
        }
    }

    fn activate(&self, town: &Town, edition: &Edition) {
        self.bundle.change(edition.hash(), || {
            let (code, _, err) = town.policy(&["activate", &edition.hash_text()]);
            assert_eq!(code, 0, "{err}");
        });
    }

    /// Changes one thing after another, through both processes in turn, until the clients are done.
    fn unrest(&self, town: &Town) -> u64 {
        let mut round = 0;
        while !self.over.load(Ordering::SeqCst) {
            round += 1;
            let client = |offset: u64| &self.clients[usize::try_from((round + offset) % 2).unwrap()];
            let now = Self::customer(self.next.load(Ordering::SeqCst)).min(self.customers - 1);
            let consents = &self.consents[usize::try_from(now).unwrap()];
            let put = |client: &Client, state| {
                self.answered(&put_consent(client, &format!("c-{now}"), state));
            };
            consents.change(ConsentState::Withdrawn, || put(client(0), "withdrawn"));
            self.activate(town, self.editions[usize::try_from(round % 2).unwrap()]);
            let (name, revision) = (round, *self.revision.states.lock().unwrap().last().unwrap() + 1);
            self.imports.lock().unwrap().insert(name, revision);
            self.revision.change(revision, || assert_eq!(import(client(1), name), revision));
            consents.change(ConsentState::Granted, || put(client(1), "granted"));
            self.refused.lock().unwrap().extend(self.switching.turn_over([client(0), client(1)]));
        }
        self.refused.lock().unwrap().extend(self.switching.rest([&self.clients[0], &self.clients[1]]));
        self.activate(town, self.editions[1]);
        round
    }

    /// Makes up for what contention cost: asks for each customer until nothing is left. Says how often something was.
    fn fill(&self) -> usize {
        let mut late = 0;
        for customer in 0..self.customers {
            // More often than any cap allows, so that it ends even where nothing is counted.
            for turn in 0..2 * EACH {
                self.see_late();
                // In every session, by either channel.
                if (0..12).all(|more| self.ask(usize::from(more % 2 == 1), customer, 12 * turn + more)) {
                    break;
                }
                late += 1;
            }
        }
        late
    }
}

/// Counts again what every cap counted: never over a cap, never short of it, and each of them was reached.
fn caps(contest: &Contest<'_>, facts: &BTreeMap<DecisionId, Fact>) -> Count {
    let zone = |told: &Told| zone_of(told.customer).parse().unwrap();
    let mut count = counting::count(&Witness {
        facts,
        editions: contest.editions,
        asked: contest.told.lock().unwrap().iter().map(|told| (told.id, (told.between, zone(told)))).collect(),
        told: contest.outcomes.lock().unwrap().clone(),
    });
    for cap in contest.editions[1].caps.iter().filter(|cap| !count.reached.contains(cap.id)) {
        count.wrong.push(format!("{} was never reached, so that nothing is proven of it", cap.id));
    }
    count
}

/// Lets the clients contend over a store, with a fault planted in its commit: words of the function that are replaced
/// by others. Says everything that was found wrong.
fn contend(groups: u64, fault: Option<(&str, &str)>) -> Vec<String> {
    let (a, b) = (Edition::a(), Edition::b());
    let town = Town::new(Kind::Postgres, a.folder.path());
    let source = town.site.create_source("shop-front");
    let first = town.start("first", &a);
    let second = town.start("second", &a);
    if let Some((words, others)) = fault {
        town.replace_in_commit(words, others);
    }
    let (code, _, err) = town.policy(&["publish", b.path()]);
    assert_eq!(code, 0, "{err}");
    let contest = Contest::new(&town, [&first, &second], [&a, &b], (source, groups));
    let began = now_ms();
    let rounds = std::thread::scope(|scope| {
        let asking = |number| {
            scope.spawn({
                let contest = &contest;
                move || contest.client(number)
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(asking).collect();
        let unrest = scope.spawn(|| contest.unrest(&town));
        let ended: Vec<_> = clients.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        contest.over.store(true, Ordering::SeqCst);
        for client in ended {
            client.unwrap();
        }
        unrest.join().unwrap()
    });
    let took = now_ms() - began;
    let concurrent = contest.told.lock().unwrap().len();
    let late = contest.fill();
    let (store, keys) = (town.open(), town.site.keys());
    let facts = town.runtime.block_on(facts::read(&*store, &keys, [&a, &b]));
    let count = |wanted: &dyn Fn(&Fact) -> bool| facts.values().filter(|fact| wanted(fact)).count();
    let conflicts: u32 = facts.values().map(|fact| u32::from(fact.attempt)).sum();
    let mut wrong = contest.refused.lock().unwrap().clone();
    wrong.extend(answers(&contest.told.lock().unwrap(), &contest.imports.lock().unwrap(), &facts));
    let counted = caps(&contest, &facts);
    wrong.extend(counted.wrong);
    wrong.extend(history(&town.runtime.block_on(town.open().activations()).unwrap(), &facts));
    progress(&format!(
        "{concurrent} decisions by {CLIENTS} clients in {took} ms, {} customers, {rounds} rounds of a withdrawal, an \
         activation, an import, a grant and a switch: {} drawn, {conflicts} conflicts, {} contended, {} found nothing \
         left; \
         {late} drawn afterwards; {} floored over the answer; {} caps reached, {} counts compared, {} reservations \
         released, {} counted late ({} told late); {} sent again; {} wrong{}",
        contest.customers,
        count(&|fact| !fact.shown.is_empty()),
        count(&|fact| fact.contended),
        count(&|fact| fact.exhausted),
        count(&|fact| fact.answer_floored),
        counted.reached.len(),
        counted.compared,
        counted.released,
        counted.confirmed,
        contest.late.load(Ordering::SeqCst),
        contest.unavailable.load(Ordering::SeqCst),
        wrong.len(),
        fault.map_or_else(String::new, |(words, others)| format!(", planted `{others}` for `{words}`")),
    ));
    let told = contest.told.lock().unwrap().len();
    assert!(told == facts.len() || fault.is_some(), "{told} answers and {} records", facts.len());
    assert!(conflicts > 0 || fault.is_some(), "nobody was in anybody's way");
    assert!(rounds > 1 || fault.is_some(), "nothing was changed meanwhile");
    drop((first, second));
    town.remove();
    wrong
}

#[test]
fn sixty_four_clients_of_two_processes_get_exact_caps_and_nothing_that_was_taken_back() {
    let wrong = contend(groups(), None);
    assert!(wrong.is_empty(), "{} are wrong, the first:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

/// Whether one of the findings says this.
fn caught(wrong: &[String], what: &str) {
    assert!(wrong.iter().any(|told| told.contains(what)), "the planted fault was not caught: {wrong:?}");
}

#[test]
fn a_commit_that_ignores_the_control_row_is_caught() {
    let wrong = contend(20, Some(("if gate <> expected_sequence then", "if false then")));
    caught(&wrong, "that had been replaced before it");
}

#[test]
fn a_commit_that_ignores_versions_is_caught() {
    let wrong = contend(5, Some((" and s.version = wanted.version", "")));
    caught(&wrong, "read a version of a customer that another one had replaced");
    caught(&wrong, "went over a cap");
}

#[test]
fn a_commit_that_ignores_versions_of_those_beside_the_customer_is_caught() {
    let fault = " and (s.version = wanted.version or wanted.subject_id <> all (decision_subjects))";
    let wrong = contend(5, Some((" and s.version = wanted.version", fault)));
    assert!(!wrong.iter().any(|told| told.contains("version of a customer")), "{wrong:?}");
    // Which of those beside two clients meet at first is chance.
    let twice = |kind: &str| format!("read a version of a {kind} that another one had replaced");
    let beside = ["household", "device"].map(twice);
    assert!(wrong.iter().any(|told| beside.iter().any(|twice| told.contains(twice))), "not caught: {wrong:?}");
}
