//! Floors under the margin: from `margin_floors` in `rules/*.yaml` to a limit, and what is compared with it. Knows no
//! slots: what stands together is added up by whoever asks.

use crate::domain::money::print_decimal;
use crate::domain::{BasketLine, Currency, Malformed, Money, Offer, Percent};
use crate::policy::applies::AppliesTo;
use crate::policy::bundle::Bundle;
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{self, Known, RuleKind};
use crate::policy::syntax::Node;

/// A floor under the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloorLimit {
    /// Share of the net price.
    Percent(Percent),
    /// Amount per accepted offer.
    Amount(Money),
}

/// What must reach a floor together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FloorOver {
    /// Each offer by itself.
    #[default]
    Offer,
    /// What stands in the slots before, with the offer.
    Answer,
    /// That, and what lies in the basket.
    Basket,
}

impl FloorOver {
    const ALL: [(&'static str, Self); 3] = [("offer", Self::Offer), ("answer", Self::Answer), ("basket", Self::Basket)];

    /// In the midst of a sentence, behind the margin.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Offer => "",
            Self::Answer => " of the answer with it",
            Self::Basket => " of the basket and the answer with it",
        }
    }
}

impl std::fmt::Display for FloorLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(percent) => percent.fmt(f),
            Self::Amount(money) => money.fmt(f),
        }
    }
}

impl FloorLimit {
    /// That it leaves an offer out, in words: `observed` and `limit` in basis points or minor units.
    pub(in crate::policy) fn told(&self, over: FloorOver, observed: Option<i64>, limit: Option<i64>) -> String {
        let (value, floor) = match self {
            Self::Percent(min) => (observed.map(percent), percent(limit.unwrap_or_else(|| i64::from(min.0)))),
            Self::Amount(Money { minor, currency }) => {
                let money = |minor| Money { minor, currency: *currency }.to_string();
                (observed.map(money), money(limit.unwrap_or(*minor)))
            }
        };
        match (value, over, self) {
            (Some(value), _, _) => format!("margin {value}{} is under the floor of {floor}", over.told()),
            // What lies in a basket is personal, and not everything in it may say what it earns.
            (None, FloorOver::Basket, _) => {
                format!("the margin{} is under the floor of {floor}, or not known", over.told())
            }
            (None, _, Self::Percent(_)) => {
                format!("the net price is not above zero, so that no margin reaches the floor of {floor}")
            }
            (None, _, Self::Amount(Money { currency, .. })) => {
                format!("the offer is not priced in {currency}, so that its margin cannot reach the floor of {floor}")
            }
        }
    }

    /// What was compared, if that leaves something out.
    pub(in crate::policy) fn fails(self, margin: &Margin) -> Option<Compared> {
        let (observed, limit) = (self.observed(margin), self.limit());
        observed.is_none_or(|observed| observed < limit).then_some((observed, Some(limit)))
    }

    /// In basis points or minor units.
    pub(in crate::policy) fn limit(self) -> i64 {
        match self {
            Self::Percent(min) => i64::from(min.0),
            Self::Amount(min) => min.minor,
        }
    }

    /// A margin in the unit of the limit.
    fn observed(self, margin: &Margin) -> Option<i64> {
        match self {
            Self::Percent(_) => margin.points(),
            Self::Amount(min) => (margin.currency == min.currency).then(|| saturated(margin.minor)),
        }
    }
}

fn saturated(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

/// `12.5%`.
pub(in crate::policy) fn percent(basis_points: i64) -> String {
    let text = print_decimal(basis_points, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What was observed, and the limit.
pub(in crate::policy) type Compared = (Option<i64>, Option<i64>);

/// Margin and net price of something, or of several things together, in minor units of one currency.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Margin {
    currency: Currency,
    minor: i128,
    price: i128,
}

impl Margin {
    /// Of nothing yet.
    pub(in crate::policy) fn none(currency: Currency) -> Self {
        Self { currency, minor: 0, price: 0 }
    }

    /// Of one offer.
    pub(in crate::policy) fn of(offer: &Offer) -> Self {
        Self::none(offer.currency()).with(offer)
    }

    /// With an offer.
    pub(in crate::policy) fn with(self, offer: &Offer) -> Self {
        Self {
            minor: self.minor + i128::from(offer.margin_minor()),
            price: self.price + i128::from(offer.net_price_minor()),
            ..self
        }
    }

    /// With everything in a basket; nothing where some of it does not say in this currency what the floor compares.
    fn with_basket(mut self, basket: &[BasketLine], limit: FloorLimit) -> Option<Self> {
        for line in basket {
            let known = |money: Option<Money>| money.filter(|money| money.currency == self.currency);
            let price = match (known(line.price), limit) {
                (Some(price), _) => price.minor,
                (None, FloorLimit::Amount(_)) => 0,
                (None, FloorLimit::Percent(_)) => return None,
            };
            let times = |minor: i64| i128::from(minor) * i128::from(line.quantity);
            self.minor += times(known(line.margin)?.minor);
            self.price += times(price);
        }
        Some(self)
    }

    /// In basis points of the net price, rounded down. A net price of zero or less has no such share.
    fn points(&self) -> Option<i64> {
        (self.price > 0).then(|| saturated((self.minor * 10_000).div_euclid(self.price)))
    }
}

/// What a floor over the basket counts before any offer is added: nothing where that is not known.
pub(in crate::policy) fn ground(
    (min, over): (FloorLimit, FloorOver),
    basket: &[BasketLine],
    currency: Currency,
) -> Option<Margin> {
    let none = Margin::none(currency);
    if over == FloorOver::Basket { none.with_basket(basket, min) } else { Some(none) }
}

/// What a floor over the basket compared for the last of these offers behind the others, in basis points or minor
/// units, as far as that is known; for a reader who may know the basket. Nothing for other rules.
pub fn basket_margin(
    bundle: &Bundle,
    rule: u16,
    (basket, currency): (&[BasketLine], Currency),
    offers: &[&Offer],
) -> Option<i64> {
    let found = bundle.rule(rule)?;
    let RuleKind::MarginFloor { min, over: over @ FloorOver::Basket } = found.kind else { return None };
    let covered = offers.iter().filter(|offer| found.applies_to.covers_offer(offer));
    let together = covered.fold(ground((min, over), basket, currency)?, |sum, offer| sum.with(offer));
    min.observed(&together)
}

/// The fields of a floor.
pub(in crate::policy) const FIELDS: [&str; 2] = ["min_margin", "over"];

/// Reads what a floor checks.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "min_margin", "min_margin: 15%")?;
    let min = read::parsed(report, what, node, "`15%` or `5.00 USD`", percent_or_amount)?;
    let over = match fields.get("over") {
        Some(node) => {
            let chosen = read::choice(report, what, node, "sum", &FloorOver::ALL.map(|(name, _)| name), &[])?;
            FloorOver::ALL.into_iter().find(|(name, _)| *name == chosen)?.1
        }
        None => FloorOver::Offer,
    };
    if over != FloorOver::Basket && !rules::reads_nothing(report, fields, "a floor over the basket") {
        return None;
    }
    match min {
        FloorLimit::Percent(percent) if !(0..=10_000).contains(&percent.0) => {
            read::out_of_range(report, what, node, "0% to 100%");
            return None;
        }
        FloorLimit::Amount(money) => {
            let told = (what, "floor", "use a percent", codes::FLOOR_CURRENCY);
            fits_currency(report, told, node, money, (known, applies_to?))?;
        }
        FloorLimit::Percent(_) => {}
    }
    Some(RuleKind::MarginFloor { min, over })
}

/// An amount in the currency of every placement that it applies to; otherwise tells where it is not, and what else may
/// be written.
pub(in crate::policy) fn fits_currency(
    report: &mut Report<'_>,
    (what, noun, instead, code): (&str, &str, &str, &'static str),
    node: &Node,
    money: Money,
    (known, applies_to): (Known<'_>, &AppliesTo),
) -> Option<Money> {
    let mut covered = known.placements.values().filter(|placement| applies_to.covers_placement(placement));
    let Some(placement) = covered.find(|placement| placement.currency != money.currency) else { return Some(money) };
    let (id, currency) = (&placement.id, placement.currency);
    let message = format!("{what}: the {noun} is in {} but placement `{id}` is in {currency}", money.currency);
    let help = format!("{instead}, or name the placements of this currency in `applies_to: {{placements: [...]}}`");
    report.add(code, node.place, message, format!("not in {currency}")).with_help(help);
    None
}

/// `15%` or `5.00 USD`.
pub(in crate::policy) fn percent_or_amount(text: &str) -> Result<FloorLimit, Malformed> {
    if text.ends_with('%') {
        return Percent::parse(text).map(FloorLimit::Percent);
    }
    let is_currency = |word: &str| word.len() == 3 || word.chars().all(|letter| letter.is_ascii_uppercase());
    let words = text.split_once(' ').map(|(amount, currency)| (amount, currency.trim()));
    let Some((amount, currency)) = words.filter(|(_, word)| is_currency(word)) else {
        // Whoever wrote a number sees it written out both ways.
        let number = words.map_or(text, |(number, _)| number);
        let is_number = number.parse::<f64>().is_ok_and(f64::is_finite);
        let (percent, amount) = if is_number { (number, number) } else { ("15", "5.00") };
        return Err(Malformed::new(format!(
            "`{text}` is neither a percent nor an amount: expected a percent such as `{percent}%` or an amount such as \
             `{amount} USD`"
        )));
    };
    Money::parse(amount, Currency::parse(currency)?).map(FloorLimit::Amount)
}
