//! The contest: 64 clients ask two processes for the same few customers, while consents are withdrawn and granted,
//! bundles activated, and offers imported. Every cap is exact, and every decision keeps to what was acknowledged before
//! it was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proffer::domain::{ConsentState, DecisionId, Digest};
use serde_json::Value;

use super::facts::{self, Fact};
use super::town::{Edition, Town, ask, import, put_consent};
use crate::crash::siege::progress;
use crate::harness::client::{Answer, Client, json_of, now_ms};
use crate::harness::database::Kind;
use crate::harness::server::Server;

const CLIENTS: usize = 64;
/// Customers who are asked for at the same time.
const TOGETHER: u64 = 4;
/// Requests for one customer, more than any cap.
const EACH: u64 = 30;

/// Groups of customers, one after another.
fn groups() -> u64 {
    match std::env::var("PROFFER_CONTEST") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("PROFFER_CONTEST is `{text}`: expected a whole number")),
        Err(_) => 20,
    }
}

/// Something that is changed from time to time, and what a request may have met: whatever was in force when it was
/// asked, or came into force before it was answered.
struct Watched<T> {
    /// Twice the number of changes acknowledged, and one more while a change is under way.
    turn: AtomicU64,
    states: Mutex<Vec<T>>,
}

impl<T: Copy> Watched<T> {
    fn new(first: T) -> Self {
        Self { turn: AtomicU64::new(0), states: Mutex::new(vec![first]) }
    }

    fn turn(&self) -> u64 {
        self.turn.load(Ordering::SeqCst)
    }

    fn change(&self, to: T, make: impl FnOnce()) {
        self.states.lock().unwrap().push(to);
        self.turn.fetch_add(1, Ordering::SeqCst);
        make();
        self.turn.fetch_add(1, Ordering::SeqCst);
    }

    /// What a request could meet that was sent at one turn and answered at another.
    fn met(&self, sent: u64, answered: u64) -> Vec<T> {
        let (first, last) = (usize::try_from(sent / 2).unwrap(), usize::try_from(answered.div_ceil(2)).unwrap());
        self.states.lock().unwrap()[first..=last].to_vec()
    }
}

/// An answer with what it had to keep to.
struct Told {
    id: DecisionId,
    customer: u64,
    bundle: String,
    catalogue: u64,
    /// The import whose content was shown.
    content: Option<u64>,
    house: bool,
    bundles: Vec<Digest>,
    revisions: Vec<u64>,
    consents: Vec<ConsentState>,
}

struct Contest<'a> {
    clients: [Client; 2],
    editions: [&'a Edition; 2],
    customers: u64,
    next: AtomicU64,
    over: AtomicBool,
    bundle: Watched<Digest>,
    revision: Watched<u64>,
    /// Revision by import.
    imports: Mutex<BTreeMap<u64, u64>>,
    consents: Vec<Watched<ConsentState>>,
    told: Mutex<Vec<Told>>,
    /// What was answered where an answer of kind 200 was expected.
    refused: Mutex<Vec<String>>,
}

impl<'a> Contest<'a> {
    fn new(town: &Town, servers: [&Server; 2], editions: [&'a Edition; 2], groups: u64) -> Self {
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
            imports: Mutex::new(BTreeMap::from([(0, revision)])),
            consents: (0..customers).map(|_| Watched::new(ConsentState::Granted)).collect(),
            told: Mutex::default(),
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
            self.ask(number, Self::customer(request));
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
    fn ask(&self, number: usize, customer: u64) -> bool {
        let consents = &self.consents[usize::try_from(customer).unwrap()];
        let sent = (self.bundle.turn(), self.revision.turn(), consents.turn());
        let answer = self.clients[number % 2].decide(&ask(&format!("c-{customer}"))).unwrap();
        let bundles = self.bundle.met(sent.0, self.bundle.turn());
        let revisions = self.revision.met(sent.1, self.revision.turn());
        let consents = consents.met(sent.2, consents.turn());
        if !self.answered(&answer) {
            return true;
        }
        let told: Value = json_of(&answer);
        let house = told["fallback"].as_bool().unwrap();
        self.told.lock().unwrap().push(Told {
            id: DecisionId::parse(told["decision_id"].as_str().unwrap()).unwrap(),
            customer,
            bundle: told["versions"]["bundle"].as_str().unwrap().to_owned(),
            catalogue: told["versions"]["catalogue"].as_u64().unwrap(),
            content: told["offers"][0]["content"]["import"].as_u64(),
            house,
            bundles,
            revisions,
            consents,
        });
        house
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
        }
        self.activate(town, self.editions[1]);
        round
    }

    /// Makes up for what contention cost: asks for each customer until nothing is left. Says how often something was.
    fn fill(&self) -> usize {
        let mut late = 0;
        for customer in 0..self.customers {
            // More often than any cap allows, so that it ends even where nothing is counted.
            for _ in 0..2 * EACH {
                if (0..2).all(|node| self.ask(node, customer)) {
                    break;
                }
                late += 1;
            }
        }
        late
    }
}

/// What is wrong with the answers, compared with what their records say and what had been acknowledged.
fn answers(contest: &Contest<'_>, facts: &BTreeMap<DecisionId, Fact>) -> Vec<String> {
    let (told, imports) = (contest.told.lock().unwrap(), contest.imports.lock().unwrap());
    let mut wrong = Vec::new();
    for told in told.iter() {
        let Some(fact) = facts.get(&told.id) else {
            wrong.push(format!("decision {} was answered and is not stored", told.id));
            continue;
        };
        let mut check = |fits: bool, what: &str| {
            if !fits {
                wrong.push(format!("decision {} of c-{}: {what}", told.id, told.customer));
            }
        };
        check(told.bundles.contains(&fact.bundle), "it was made under a bundle that had been replaced before it");
        check(told.bundle == format!("b3:{}", fact.bundle.hex()), "its answer names another bundle than its record");
        check(told.revisions.contains(&fact.catalogue), "it was made over offers that had been replaced before it");
        check(told.catalogue == fact.catalogue, "its answer names another catalogue than its record");
        let content = told.content.and_then(|import| imports.get(&import));
        check(content == Some(&fact.catalogue), "its content is not of the catalogue that it names");
        check(told.house == fact.drawn.is_none(), "its record and its answer differ about the house content");
        // A contended one reads no consent.
        let consent = fact.consent.filter(|_| !fact.contended);
        check(
            consent.is_none_or(|read| told.consents.contains(&read)),
            "it read a consent that had been changed before",
        );
        let allowed = fact.consent == Some(ConsentState::Granted);
        check(fact.drawn.is_none() || allowed, "it was drawn without a consent in force");
        for what in &fact.wrong {
            check(false, what);
        }
    }
    wrong
}

/// Counts every customer's offers again, in the order of the states that were read: never over a cap, and at the end
/// the cap of the last bundle is reached.
fn caps(contest: &Contest<'_>, facts: &BTreeMap<DecisionId, Fact>) -> Vec<String> {
    let mut drawn: BTreeMap<_, BTreeMap<u64, &Fact>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for fact in facts.values().filter(|fact| fact.drawn.is_some()) {
        if drawn.entry(fact.subject).or_default().insert(fact.version.unwrap(), fact).is_some() {
            wrong.push(format!("decision {} read a version that another one had replaced", fact.id));
        }
    }
    let subjects: BTreeSet<_> = facts.values().map(|fact| fact.subject).collect();
    for subject in subjects {
        let mut of_offer: BTreeMap<&str, u32> = BTreeMap::new();
        let mut used = 0;
        for fact in drawn.entry(subject).or_default().values() {
            let edition = contest.editions.iter().find(|edition| edition.hash() == fact.bundle).unwrap();
            let shown = of_offer.entry(fact.drawn.as_deref().unwrap()).or_default();
            if used >= edition.max || *shown >= 2 {
                wrong.push(format!("decision {} went over a cap: {used} of all, {shown} of its offer", fact.id));
            }
            if fact.counted.unwrap_or((0, edition.max)) != (used, edition.max) {
                wrong.push(format!("decision {} counted {:?}; there were {used}", fact.id, fact.counted));
            }
            (used, *shown) = (used + 1, *shown + 1);
        }
        if used != contest.editions[1].max {
            wrong.push(format!("{subject:?} was shown {used} offers; the cap is {}", contest.editions[1].max));
        }
    }
    wrong
}

/// The bundle of every record is the one that was active at the control row it names.
fn history(town: &Town, facts: &BTreeMap<DecisionId, Fact>) -> Vec<String> {
    let activations = town.runtime.block_on(town.open().activations()).unwrap();
    let active = |sequence| activations.iter().find(|activation| activation.sequence <= sequence).map(|it| it.hash);
    let strange = facts.values().filter(|fact| active(fact.control_sequence) != Some(fact.bundle));
    strange.map(|fact| format!("decision {}: another bundle was active at its control row", fact.id)).collect()
}

/// Lets the clients contend over a store, with a fault planted in its commit: words of the function that are replaced
/// by others. Says everything that was found wrong.
fn contend(groups: u64, fault: Option<(&str, &str)>) -> Vec<String> {
    let (a, b) = (Edition::a(), Edition::b());
    let town = Town::new(Kind::Postgres, a.folder.path());
    let first = town.start("first", &a);
    let second = town.start("second", &a);
    if let Some((words, others)) = fault {
        town.replace_in_commit(words, others);
    }
    let (code, _, err) = town.policy(&["publish", b.path()]);
    assert_eq!(code, 0, "{err}");
    let contest = Contest::new(&town, [&first, &second], [&a, &b], groups);
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
    wrong.extend(answers(&contest, &facts));
    wrong.extend(caps(&contest, &facts));
    wrong.extend(history(&town, &facts));
    progress(&format!(
        "{concurrent} decisions by {CLIENTS} clients in {took} ms, {} customers, {rounds} rounds of a withdrawal, an \
         activation, an import and a grant: {} drawn, {conflicts} conflicts, {} contended, {} found nothing left; {late} \
         drawn afterwards; {} wrong{}",
        contest.customers,
        count(&|fact| fact.drawn.is_some()),
        count(&|fact| fact.contended),
        count(&|fact| fact.exhausted),
        wrong.len(),
        fault.map_or_else(String::new, |(words, others)| format!(", planted `{others}` for `{words}`")),
    ));
    let told = contest.told.lock().unwrap().len();
    assert!(told == facts.len() || fault.is_some(), "{told} answers and {} records", facts.len());
    assert!(conflicts > 0 || fault.is_some(), "nobody was in anybody's way");
    assert!(rounds > 1, "nothing was changed meanwhile");
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
    let wrong = contend(10, Some(("if gate <> expected_sequence then", "if false then")));
    caught(&wrong, "made under a bundle that had been replaced before it");
}

#[test]
fn a_commit_that_ignores_versions_is_caught() {
    let wrong = contend(10, Some((" and s.version = wanted.version", "")));
    caught(&wrong, "read a version that another one had replaced");
    caught(&wrong, "went over a cap");
}
