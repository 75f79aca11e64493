//! Scenes while the crowd visits: a refund, a withdrawal of consent, a cap. Each is told as it happens, in a few lines:
//! what was asked, what changed, which rule spoke.

use proffer::domain::Money;
use proffer::simulation::{Happened, Happening, World};
use serde_json::{Value, json};

use super::client::{Client, ClientError, Record};
use super::crowd::About;
use super::days::MOMENTS_A_DAY;
use super::measure;

const PLACEMENT: &str = "home_banner";

type Scene = fn(&mut Scenes, &Client, &World) -> Result<Vec<String>, ClientError>;

/// By the day on which each is played, in the middle of it, counted from 0.
const SCRIPT: [(usize, &str, Scene); 4] = [
    (4, "A purchase", |scenes, client, world| scenes.purchase(client, world)),
    (8, "A refund", |scenes, client, _| scenes.refund(client)),
    (12, "A withdrawal of consent", |_, client, _| withdrawal(client)),
    (16, "A cap reached", |_, client, world| cap(client, world)),
];

/// What is played, and what one scene leaves to a later one.
#[derive(Default)]
pub struct Scenes {
    played: usize,
    bought: Option<Bought>,
}

struct Bought {
    decision_id: String,
    offer: String,
    revenue: Money,
    margin: Money,
}

impl Scenes {
    /// Whether every scene was played.
    pub fn are_over(&self) -> bool {
        self.played == SCRIPT.len()
    }

    /// Plays what is due at a moment, told line by line.
    pub fn play(&mut self, client: &Client, world: &World, moment: usize) -> Result<Vec<String>, ClientError> {
        let mut lines = Vec::new();
        while let Some((day, title, scene)) = SCRIPT.get(self.played) {
            if day * MOMENTS_A_DAY + MOMENTS_A_DAY / 2 > moment {
                break;
            }
            self.played += 1;
            let told = scene(self, client, world)?;
            lines.push(format!("day {:<3} {title}", day + 1));
            lines.extend(told.into_iter().flat_map(|line| wrapped(&line, 90)).map(|line| format!("        {line}")));
        }
        Ok(lines)
    }

    /// Somebody buys what the banner shows.
    fn purchase(&mut self, client: &Client, world: &World) -> Result<Vec<String>, ClientError> {
        client.consent("ada", "granted", None)?;
        let decided = client.decide(&request("ada", None))?;
        let shown = decided.offers.first().map(|shown| shown.offer_id.clone()).unwrap_or_default();
        let Some(offer) = world.offer(&shown).map(|offer| &offer.offer).filter(|_| !decided.fallback) else {
            return Ok(vec![format!("Ada was shown `{shown}`, which nobody can buy.")]);
        };
        let money = |minor| Money { minor, currency: offer.currency() };
        let (revenue, margin) = (money(offer.net_price_minor()), money(offer.margin_minor()));
        let bought = Bought { decision_id: decided.decision_id, offer: shown, revenue, margin };
        client.webhook(&bought.event(client, Happened::Order))?;
        let earned = client.record(&bought.decision_id)?.outcomes.reward;
        let lines = vec![format!(
            "Ada is shown `{}` on the home banner and buys it for {revenue}. The signed webhook arrives; the decision \
             has earned {} {}.",
            bought.offer, earned.amount, earned.currency
        )];
        self.bought = Some(bought);
        Ok(lines)
    }

    /// All of it comes back: the reward is undone.
    fn refund(&mut self, client: &Client) -> Result<Vec<String>, ClientError> {
        let Some(bought) = self.bought.take() else { return Ok(vec!["Nothing was bought.".to_owned()]) };
        client.webhook(&bought.event(client, Happened::Refund))?;
        let again = client.webhook(&bought.event(client, Happened::Refund))?;
        let earned = client.record(&bought.decision_id)?.outcomes.reward;
        Ok(vec![format!(
            "Ada sends `{}` back and gets her {} again. The decision has now earned {} {}, and the model unlearns the \
             sale. The same webhook a second time: {}, nothing changes.",
            bought.offer, bought.revenue, earned.amount, earned.currency, again.status
        )])
    }
}

impl Bought {
    fn event(&self, client: &Client, what: Happened) -> Value {
        let now = client.now();
        let told = Happening {
            what,
            occurred_at: now,
            arrives_at: now,
            revenue_minor: self.revenue.minor,
            margin_minor: self.margin.minor,
            again: false,
        };
        About { decision_id: &self.decision_id, customer: "ada", offer: &self.offer }.event(
            &told,
            self.revenue,
            self.margin,
        )
    }
}

fn request(customer: &str, candidates: Option<&[&str]>) -> Value {
    let mut request = json!({
        "placement": PLACEMENT,
        "customer": {"id": customer, "attributes": {"tier": "gold", "region": "north", "visits_90d": 6}},
        "context": {"device_type": "mobile"},
        "jurisdiction": "US-NY",
    });
    if let Some(candidates) = candidates {
        request["candidates"] = json!(candidates);
    }
    request
}

/// A withdrawal is honoured by the very next decision.
fn withdrawal(client: &Client) -> Result<Vec<String>, ClientError> {
    let seen = |record: &Record| {
        let private = record.private.as_ref();
        let names =
            private.map(|private| private.attributes.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>());
        names.unwrap_or_default().join(", ")
    };
    client.consent("ben", "granted", None)?;
    let first = client.record(&client.decide(&request("ben", None))?.decision_id)?;
    client.consent("ben", "withdrawn", None)?;
    let watch = measure::start();
    let next = client.decide(&request("ben", None))?;
    let took = watch.elapsed().as_secs_f64() * 1_000.0;
    let second = client.record(&next.decision_id)?;
    let refused = second.explanation.iter().find(|line| line.contains("was refused")).cloned().unwrap_or_default();
    Ok(vec![
        format!("Ben's banner was decided under `{}` and read {}.", first.purpose, seen(&first)),
        format!(
            "He withdraws his consent. The very next decision ({took:.0} ms) is made under `{}` and reads {} alone.",
            second.purpose,
            seen(&second)
        ),
        refused,
    ])
}

/// The third request of a day no longer gets the offer that two showed.
fn cap(client: &Client, world: &World) -> Result<Vec<String>, ClientError> {
    client.consent("cleo", "granted", None)?;
    let first = client.decide(&request("cleo", None))?;
    let offer = first.offers.first().map(|shown| shown.offer_id.clone()).unwrap_or_default();
    let name = world.offer(&offer).map(|offer| offer.offer.name.clone()).unwrap_or_default();
    client.decide(&request("cleo", Some(&[offer.as_str()])))?;
    let third = client.decide(&request("cleo", None))?;
    let record = client.record(&third.decision_id)?;
    let shown = third.offers.first().map(|shown| shown.offer_id.clone()).unwrap_or_default();
    let why = record.candidates.iter().find(|candidate| candidate.offer_id.as_deref() == Some(offer.as_str()));
    let why = why.and_then(|candidate| candidate.excluded_by.first()).map(|exclusion| exclusion.sentence.clone());
    Ok(vec![
        format!("Cleo has seen `{offer}` ({name}) twice today. Her third visit gets `{shown}`."),
        why.unwrap_or_else(|| "No rule spoke.".to_owned()),
    ])
}

/// Breaks a sentence into lines of at most so many letters, between words.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_keep_all_of_them() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable words", 4), ["unbreakable", "words"]);
        assert_eq!(wrapped("", 4), Vec::<String>::new());
    }
}
