//! The plain reading of conditions and of loyalty: a walk over what was meant, with a third truth where a value is
//! missing. Parses nothing.

use chrono::{DateTime, NaiveDate, Timelike as _};
use chrono_tz::Tz;

use super::asked::Asked;
use super::chance::Chance;
use super::money::earns;
use super::town::TIERS;
use super::written::{Kind, Says, Written};
use crate::domain::{Offer, Value};

const MILLION: i128 = 1_000_000;
const DAY: i128 = 86_400_000;

/// A value; nothing is one that is missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Is {
    Truth(bool),
    /// Millionths.
    Number(i128),
    /// Millionths of a cent, and the currency.
    Money(i128, String),
    /// Milliseconds.
    Date(i128),
    Span(i128),
    Text(String),
}

/// What is written.
pub(super) enum Part {
    Name(&'static str),
    Constant(&'static str, Is),
    Has(&'static str),
    Not(Box<Part>),
    Minus(Box<Part>),
    Two(&'static str, Box<Part>, Box<Part>),
    In(Box<Part>, Vec<Part>),
}

fn two(op: &'static str, a: Part, b: Part) -> Part {
    Part::Two(op, Box::new(a), Box::new(b))
}

fn constant(chance: &mut Chance, of: &[(&'static str, Is)]) -> Part {
    let (text, is) = &of[chance.below(of.len())];
    Part::Constant(text, is.clone())
}

fn any_text(chance: &mut Chance) -> Part {
    let brand = |brand: &'static str, quoted| (quoted, Is::Text(brand.to_owned()));
    match chance.below(3) {
        0 => Part::Name(chance.one(&["customer.brand", "offer.brand"])),
        1 => Part::Name("offer.brand"),
        _ => constant(chance, &[brand("acme", "\"acme\""), brand("zeta", "\"zeta\""), brand("none", "\"none\"")]),
    }
}

fn any_number(chance: &mut Chance, depth: usize) -> Part {
    let literals = [("1", MILLION), ("2.5", 2_500_000), ("0", 0), ("499", 499 * MILLION), ("-3", -3 * MILLION)];
    let literals = literals.map(|(text, is)| (text, Is::Number(is)));
    match chance.below(if depth == 0 { 5 } else { 8 }) {
        0 => Part::Name("customer.points"),
        1 => Part::Name("offer.rank"),
        2 => Part::Name(chance.one(&["basket.size", "hour_of_day"])),
        3 | 4 => constant(chance, &literals),
        5 => two(chance.one(&["+", "-"]), any_number(chance, depth - 1), any_number(chance, depth - 1)),
        6 => {
            let by = constant(chance, &[("0.3", Is::Number(300_000)), ("-2", Is::Number(-2 * MILLION))]);
            two("*", any_number(chance, depth - 1), by)
        }
        _ => Part::Minus(Box::new(Part::Name("offer.rank"))),
    }
}

fn any_money(chance: &mut Chance, depth: usize) -> Part {
    let usd = |cents: i128| Is::Money(cents * MILLION, "USD".to_owned());
    let literals = [("5 USD", usd(500)), ("20.50 USD", usd(2_050)), ("0 USD", usd(0))];
    let names = ["offer.price", "offer.discount", "offer.net_price", "offer.margin", "basket.total"];
    match chance.below(if depth == 0 { 4 } else { 6 }) {
        0..3 => Part::Name(chance.one(&names)),
        3 => constant(chance, &literals),
        4 => two(chance.one(&["+", "-"]), any_money(chance, depth - 1), any_money(chance, depth - 1)),
        _ => {
            let share = [("33.33%", Is::Number(333_300)), ("50%", Is::Number(500_000)), ("3", Is::Number(3 * MILLION))];
            two("*", any_money(chance, depth - 1), constant(chance, &share))
        }
    }
}

fn any_date(chance: &mut Chance) -> Part {
    let date = |text: &'static str| (text, Is::Date(day(text).unwrap()));
    let days = [date("2026-05-28"), date("2026-05-29"), date("2026-04-28")];
    let span = [("24h", Is::Span(DAY)), ("30d", Is::Span(30 * DAY))];
    match chance.below(5) {
        0 => Part::Name("customer.member_since"),
        1 => Part::Name("offer.season"),
        2 => Part::Name("context.today"),
        3 => constant(chance, &days),
        _ => two(chance.one(&["+", "-"]), Part::Name("offer.season"), constant(chance, &span)),
    }
}

/// A comparison that reads something.
fn compared(chance: &mut Chance) -> Part {
    let order = chance.one(&["==", "!=", "<", "<=", ">", ">="]);
    let same = chance.one(&["==", "!="]);
    let tier = |tier: &'static str, quoted| (quoted, Is::Text(tier.to_owned()));
    let tiers = [tier("bronze", "\"bronze\""), tier("silver", "\"silver\""), tier("gold", "\"gold\"")];
    match chance.below(10) {
        0 => two(order, Part::Name(chance.one(&["offer.rank", "customer.points"])), any_number(chance, 2)),
        1 => two(order, Part::Name(chance.one(&["offer.price", "offer.margin"])), any_money(chance, 2)),
        2 => two(order, any_money(chance, 1), Part::Name("basket.total")),
        3 => two(same, Part::Name("customer.brand"), any_text(chance)),
        4 => two(same, Part::Name("customer.tier"), constant(chance, &tiers)),
        5 => Part::In(Box::new(Part::Name("customer.tier")), vec![constant(chance, &tiers), constant(chance, &tiers)]),
        6 => Part::In(Box::new(Part::Name("offer.brand")), vec![any_text(chance), any_text(chance)]),
        7 => two(order, Part::Name(chance.one(&["offer.season", "customer.member_since"])), any_date(chance)),
        8 => two(same, Part::Name("context.mood"), Part::Constant("\"calm\"", Is::Text("calm".to_owned()))),
        _ => {
            let passed = two("-", Part::Name("offer.season"), Part::Name("customer.member_since"));
            two(order, passed, constant(chance, &[("24h", Is::Span(DAY)), ("30d", Is::Span(30 * DAY))]))
        }
    }
}

fn any(chance: &mut Chance, depth: usize) -> Part {
    match chance.below(if depth == 0 { 6 } else { 12 }) {
        0 => Part::Name(chance.one(&["customer.member", "offer.loyalty_only"])),
        1 => {
            Part::Has(chance.one(&["customer.tier", "offer.brand", "customer.points", "context.device", "offer.rank"]))
        }
        2..6 => compared(chance),
        6 => Part::Not(Box::new(any(chance, depth - 1))),
        7 => two("==", Part::Name("customer.member"), Part::Name("offer.loyalty_only")),
        8 | 9 => two("||", any(chance, depth - 1), any(chance, depth - 1)),
        _ => two("&&", any(chance, depth - 1), any(chance, depth - 1)),
    }
}

/// The first moment of a day.
fn day(text: &str) -> Option<i128> {
    let date: NaiveDate = text.parse().ok()?;
    Some(i128::from(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
}

/// What a name stands for.
fn named(name: &str, asked: &Asked<'_>, offer: &Offer) -> Option<Is> {
    let (margin, net) = earns(offer);
    let money = |minor: i64| Some(Is::Money(i128::from(minor) * MILLION, offer.price.currency.to_string()));
    let zone = asked.zone().unwrap_or(Tz::UTC);
    let there = DateTime::from_timestamp_millis(asked.now)?.with_timezone(&zone);
    match name {
        "offer.price" => return money(offer.price.minor),
        "offer.discount" => return money(offer.discount.map_or(0, |discount| discount.minor)),
        "offer.net_price" => return money(net),
        "offer.margin" => return money(margin),
        "hour_of_day" => return Some(Is::Number(i128::from(there.hour()) * MILLION)),
        "context.today" => return day(&there.date_naive().to_string()).map(Is::Date),
        "basket.size" => {
            let size: u32 = asked.request.basket.iter().map(|line| line.quantity).sum();
            return Some(Is::Number(i128::from(size) * MILLION));
        }
        "basket.total" => {
            let mut total = 0;
            for line in &asked.request.basket {
                let price = line.price.filter(|price| price.currency.to_string() == "USD")?;
                total += i128::from(price.minor) * i128::from(line.quantity);
            }
            return Some(Is::Money(total * MILLION, "USD".to_owned()));
        }
        _ => {}
    }
    let value = match name.strip_prefix("offer.") {
        Some(own) => offer.attributes.get(own),
        None => asked.seen.get(name),
    };
    Some(match value? {
        Value::Bool(truth) => Is::Truth(*truth),
        Value::Number(number) => Is::Number(i128::from(number.0)),
        Value::Text(text) if ["offer.season", "customer.member_since"].contains(&name) => Is::Date(day(text)?),
        Value::Text(text) => Is::Text(text.clone()),
    })
}

impl Part {
    /// What guards ask of the customer.
    pub(super) fn any_guarded(chance: &mut Chance) -> Self {
        let number = |text, is: i128| Self::Constant(text, Is::Number(is * MILLION));
        match chance.below(4) {
            0 => two("<", Self::Name("customer.points"), number("500", 500)),
            1 => Self::Not(Box::new(Self::Name("customer.member"))),
            2 => two("==", Self::Name("customer.tier"), Self::Constant("\"bronze\"", Is::Text("bronze".to_owned()))),
            _ => two("&&", Self::Name("customer.member"), two(">", Self::Name("customer.points"), number("1", 1))),
        }
    }

    /// The names that stand in it.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Name(name) | Self::Has(name) => vec![*name],
            Self::Constant(..) => Vec::new(),
            Self::Not(inner) | Self::Minus(inner) => inner.names(),
            Self::Two(_, a, b) => [a.names(), b.names()].concat(),
            Self::In(a, list) => list.iter().fold(a.names(), |names, item| [names, item.names()].concat()),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Name(name) => (*name).to_owned(),
            Self::Constant(text, _) => (*text).to_owned(),
            Self::Has(name) => format!("has({name})"),
            Self::Not(inner) => format!("!({})", inner.text()),
            Self::Minus(inner) => format!("-({})", inner.text()),
            Self::Two(op, a, b) => format!("({}) {op} ({})", a.text(), b.text()),
            Self::In(a, list) => {
                let list: Vec<String> = list.iter().map(Self::text).collect();
                format!("{} in [{}]", a.text(), list.join(", "))
            }
        }
    }

    pub(super) fn truth(&self, asked: &Asked<'_>, offer: &Offer) -> Option<bool> {
        match self.is(asked, offer)? {
            Is::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    fn is(&self, asked: &Asked<'_>, offer: &Offer) -> Option<Is> {
        match self {
            Self::Name(name) => named(name, asked, offer),
            Self::Constant(_, is) => Some(is.clone()),
            Self::Has(name) => Some(Is::Truth(named(name, asked, offer).is_some())),
            Self::Not(inner) => inner.truth(asked, offer).map(|truth| Is::Truth(!truth)),
            Self::Minus(inner) => match inner.is(asked, offer)? {
                Is::Number(number) => Some(Is::Number(-number)),
                _ => None,
            },
            Self::Two("&&", a, b) => match (a.truth(asked, offer), b.truth(asked, offer)) {
                (Some(true), Some(true)) => Some(Is::Truth(true)),
                (Some(false), _) | (_, Some(false)) => Some(Is::Truth(false)),
                _ => None,
            },
            Self::Two("||", a, b) => match (a.truth(asked, offer), b.truth(asked, offer)) {
                (Some(false), Some(false)) => Some(Is::Truth(false)),
                (Some(true), _) | (_, Some(true)) => Some(Is::Truth(true)),
                _ => None,
            },
            Self::Two(op @ ("+" | "-" | "*"), a, b) => reckon(op, a.is(asked, offer)?, b.is(asked, offer)?),
            Self::Two(op, a, b) => order(op, &a.is(asked, offer)?, &b.is(asked, offer)?).map(Is::Truth),
            Self::In(a, list) => {
                let a = a.is(asked, offer)?;
                let each: Vec<Option<bool>> =
                    list.iter().map(|item| order("==", &a, &item.is(asked, offer)?)).collect();
                match (each.contains(&Some(true)), each.contains(&None)) {
                    (true, _) => Some(Is::Truth(true)),
                    (false, true) => None,
                    (false, false) => Some(Is::Truth(false)),
                }
            }
        }
    }
}

fn reckon(op: &str, a: Is, b: Is) -> Option<Is> {
    let sign = if op == "-" { -1 } else { 1 };
    match (op, a, b) {
        ("*", Is::Number(a), Is::Number(b)) => Some(Is::Number((a * b).div_euclid(MILLION))),
        ("*", Is::Money(a, of), Is::Number(b)) => Some(Is::Money((a * b).div_euclid(MILLION), of)),
        ("*", ..) => None,
        (_, Is::Number(a), Is::Number(b)) => Some(Is::Number(a + sign * b)),
        (_, Is::Money(a, of), Is::Money(b, other)) if of == other => Some(Is::Money(a + sign * b, of)),
        (_, Is::Date(a), Is::Span(b)) => Some(Is::Date(a + sign * b)),
        ("-", Is::Date(a), Is::Date(b)) => Some(Is::Span(a - b)),
        _ => None,
    }
}

fn order(op: &str, a: &Is, b: &Is) -> Option<bool> {
    let (a, b) = match (a, b) {
        (Is::Number(a), Is::Number(b)) | (Is::Date(a), Is::Date(b)) | (Is::Span(a), Is::Span(b)) => (*a, *b),
        (Is::Money(a, of), Is::Money(b, other)) if of == other => (*a, *b),
        (Is::Truth(a), Is::Truth(b)) => (i128::from(*a), i128::from(*b)),
        (Is::Text(a), Is::Text(b)) => (0, i128::from(a != b)),
        _ => return None,
    };
    Some(match op {
        "==" => a == b,
        "!=" => a != b,
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        _ => a >= b,
    })
}

/// Leaves an offer out where a condition holds, or where it does not.
struct When {
    part: Part,
    excludes: bool,
}

pub(super) fn any_exclusion(chance: &mut Chance) -> Box<dyn Kind> {
    let part = any(chance, 3);
    // What is sensitive may keep an offer from somebody, and give none to anybody.
    let spared = |part: Part| two("||", Part::Name("customer.staff"), part);
    Box::new(When { part: if chance.often(2) { spared(part) } else { part }, excludes: true })
}

pub(super) fn any_requirement(chance: &mut Chance) -> Box<dyn Kind> {
    Box::new(When { part: any(chance, 3), excludes: false })
}

impl Kind for When {
    fn text(&self) -> String {
        format!("when: '{}'", self.part.text())
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        Says::plainly(match self.part.truth(asked, offer) {
            Some(truth) => truth == self.excludes,
            None => !rule.allows_missing,
        })
    }

    fn reads(&self) -> bool {
        true
    }

    fn names(&self) -> Vec<&'static str> {
        self.part.names()
    }
}

/// What a customer needs.
#[derive(Default)]
struct Loyal {
    tier: Option<usize>,
    points: Option<i64>,
    days: Option<i64>,
}

pub(super) fn any_loyalty(chance: &mut Chance) -> Box<dyn Kind> {
    let mut rule = Loyal::default();
    for _ in 0..=chance.below(2) {
        match chance.below(3) {
            0 => rule.tier = Some(chance.below(3)),
            1 => rule.points = Some(chance.one(&[1, 500])),
            _ => rule.days = Some(chance.one(&[1, 30])),
        }
    }
    Box::new(rule)
}

impl Kind for Loyal {
    fn text(&self) -> String {
        let mut fields = Vec::new();
        fields.extend(self.tier.map(|tier| format!("tier: {}", TIERS[tier])));
        fields.extend(self.points.map(|points| format!("points: {points}")));
        fields.extend(self.days.map(|days| format!("member_for: {days}d")));
        fields.join(", ")
    }

    fn says(&self, rule: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let known = |name: &str| named(name, asked, offer);
        let mut answers = Vec::new();
        answers.extend(self.tier.map(|least| match known("customer.tier")? {
            Is::Text(tier) => TIERS.iter().position(|name| *name == tier).map(|at| at >= least),
            _ => None,
        }));
        answers.extend(self.points.map(|least| match known("customer.points")? {
            Is::Number(points) => Some(points >= i128::from(least) * MILLION),
            _ => None,
        }));
        answers.extend(self.days.map(|least| match (known("customer.member_since")?, known("context.today")?) {
            (Is::Date(since), Is::Date(today)) => Some(today - since >= i128::from(least) * DAY),
            _ => None,
        }));
        Says::plainly(answers.contains(&Some(false)) || answers.contains(&None) && !rule.allows_missing)
    }

    fn reads(&self) -> bool {
        true
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        names.extend(self.tier.map(|_| "customer.tier"));
        names.extend(self.points.map(|_| "customer.points"));
        names.extend(self.days.map(|_| "customer.member_since"));
        names
    }
}
