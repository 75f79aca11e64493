//! Wire: sends what the ledger names and writes the answers down. What is sent again must be answered as before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use proffer::domain::DecisionId;
use serde_json::Value;

use super::ledger::Ledger;
use crate::harness::client::{Answer, Client, Source, json_of};
use crate::harness::server::until;

/// The connection broke: whether the request arrived is unknown.
#[derive(Debug)]
pub struct Gone;

/// One client of the service, for any number of threads.
pub struct Wire<'a> {
    pub client: Client,
    pub source: &'a Source,
    ledger: &'a Mutex<Ledger>,
    broken: AtomicBool,
}

impl<'a> Wire<'a> {
    pub fn new(client: Client, source: &'a Source, ledger: &'a Mutex<Ledger>) -> Self {
        Self { client, source, ledger, broken: AtomicBool::new(false) }
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Whether any connection broke.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Lets the clients end as if a connection had broken.
    pub fn end(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// The body of an answer; nothing where the service was busy, which says that it may be sent again.
    fn read(&self, what: &str, answer: Result<Answer, ureq::Error>) -> Result<Option<Value>, Gone> {
        match answer {
            Ok(answer) if answer.status() == 200 => Ok(Some(json_of(&answer))),
            Ok(answer) if answer.status() == 503 => Ok(None),
            Ok(answer) => {
                let told = format!("{what} was answered {}: {}", answer.status(), answer.body());
                self.ledger().findings.wrong(&told);
                Ok(None)
            }
            Err(_) => {
                self.broken.store(true, Ordering::SeqCst);
                Err(Gone)
            }
        }
    }

    /// Asks for a decision; says whether it was answered.
    pub fn ask(&self, id: DecisionId) -> Result<bool, Gone> {
        let request = self.ledger().decisions[&id].request.clone();
        let answer = self.read(&format!("decision {id}"), self.client.decide(&request))?;
        let Some(answer) = answer else { return Ok(false) };
        let mut ledger = self.ledger();
        let asked = ledger.decisions.get_mut(&id).unwrap();
        match asked.answer.replace(answer) {
            Some(before) if Some(&before) != asked.answer.as_ref() => {
                let told = format!("decision {id} was answered {before} and now {}", asked.answer.as_ref().unwrap());
                asked.answer = Some(before);
                ledger.findings.wrong(&told);
            }
            _ => {}
        }
        Ok(true)
    }

    /// Sends events in one array; says whether they were answered.
    pub fn tell(&self, names: &[String]) -> Result<bool, Gone> {
        let events: Vec<Value> = {
            let mut ledger = self.ledger();
            let sent = names.iter().map(|name| {
                let sent = ledger.events.get_mut(name).unwrap();
                sent.times += 1;
                sent.event.clone()
            });
            sent.collect()
        };
        let answer = self.read(&format!("{names:?}"), self.client.outcomes(self.source, &Value::Array(events)))?;
        let Some(answer) = answer else { return Ok(false) };
        for (name, result) in names.iter().zip(answer["results"].as_array().unwrap()) {
            self.told(name, result);
        }
        Ok(true)
    }

    fn told(&self, name: &str, result: &Value) {
        let mut ledger = self.ledger();
        let sent = ledger.events.get_mut(name).unwrap();
        let (acknowledged, first) = (sent.acknowledged, sent.times == 1);
        sent.acknowledged = true;
        match result["status"].as_str() {
            Some("duplicate") if first => ledger.findings.doubled(&format!("{name}, sent once, was there already")),
            Some("accepted" | "unmatched") if acknowledged => {
                ledger.findings.lost(&format!("outcome {name} was acknowledged, sent again and answered {result}"));
            }
            Some("duplicate" | "accepted" | "unmatched") => {}
            _ => ledger.findings.wrong(&format!("outcome {name} was answered {result}")),
        }
    }

    /// Puts a consent record; says whether it was answered.
    pub fn put(&self, evidence: &str) -> Result<bool, Gone> {
        let (customer, record) = {
            let mut ledger = self.ledger();
            let put = ledger.consents.get_mut(evidence).unwrap();
            put.times += 1;
            (put.customer.clone(), put.record.clone())
        };
        let answer = self.client.put_consents(&customer, &Value::Array(vec![record]));
        let answered = self.read(&format!("consent {evidence}"), answer)?.is_some();
        if answered {
            self.ledger().consents.get_mut(evidence).unwrap().acknowledged = true;
        }
        Ok(answered)
    }

    /// Imports offers; says whether it was answered.
    pub fn import(&self, name: u64) -> Result<bool, Gone> {
        let offers = {
            let mut ledger = self.ledger();
            let made = ledger.imports.get_mut(&name).unwrap();
            made.times += 1;
            made.offers.clone()
        };
        let answer = self.read(&format!("import {name}"), self.client.import(&offers))?;
        let Some(answer) = answer else { return Ok(false) };
        self.ledger().imports.get_mut(&name).unwrap().revision = answer["catalogue"].as_u64();
        Ok(true)
    }

    /// Sends until an answer comes; fails if the service goes away or does not come round.
    pub fn insist(what: &str, mut send: impl FnMut() -> Result<bool, Gone>) {
        until(what, || send().unwrap_or_else(|Gone| panic!("the connection broke over {what}")).then_some(()));
    }
}
