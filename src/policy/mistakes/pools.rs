//! Text of author mistakes in budgets and stock, and what right ones are read as. Not the others.

use crate::policy::compile;
use crate::policy::sample::{MARGIN, files, shown, wrong};
use crate::policy::{PoolAmount, PoolBy, PoolWindow, RuleKind};

/// What is said of a rule with these fields: the first line, and the way out.
fn check(list: &str, fields: &str, message: &str, help: &str) {
    let rule = format!("{list}:\n  - {{id: b, why: w, {fields}}}\nmargin_floors:");
    let seen = wrong(MARGIN, "margin_floors:", &rule);
    assert_eq!(seen.lines().next(), Some(message), "{seen}");
    assert!(seen.contains(help), "{seen}");
}

fn read(list: &str, fields: &str) -> RuleKind {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == MARGIN).unwrap();
    file.text = format!("{}{list}:\n  - {{id: b, why: w, {fields}}}\n", file.text);
    let bundle = compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    bundle.rules.iter().find(|rule| rule.id.as_str() == "b").unwrap().kind.clone()
}

#[test]
fn budgets_and_stock_are_read_as_they_are_written() {
    let RuleKind::Budgeted(pool) = read("budgets", "amount: 20.50 USD, by: campaign, window: lifetime") else {
        panic!()
    };
    assert!(matches!(pool.amount, PoolAmount::Money(money) if money.minor == 2_050));
    assert_eq!((pool.by, pool.window, pool.even), (PoolBy::Campaign, PoolWindow::Lifetime, false));
    let window = "window: {calendar: week, time_zone: Europe/Berlin}, pace: even";
    let RuleKind::Budgeted(pool) = read("budgets", &format!("units: 7, {window}")) else { panic!() };
    assert_eq!((pool.amount, pool.by, pool.even), (PoolAmount::Units(7), PoolBy::All, true));
    assert!(matches!(pool.window, PoolWindow::Calendar(_, zone) if zone.name() == "Europe/Berlin"));
    let RuleKind::Stocked(pool) = read("stock", "units: 3, per: store, on_missing: allow") else { panic!() };
    assert_eq!((pool.amount, pool.by), (PoolAmount::Units(3), PoolBy::OfferInStore));
}

#[test]
fn mistakes_in_budgets_say_the_way_out() {
    check(
        "budgets",
        "window: lifetime",
        "error[P0102]: rule `b`: what may be given out is missing",
        "write `amount: 500.00 USD` or `units: 200`",
    );
    check(
        "budgets",
        "amount: 5.00 USD, units: 5, window: lifetime",
        "error[P0102]: rule `b`: a budget is of money or of units",
        "for both limits write two rules",
    );
    check(
        "budgets",
        "amount: 500, window: lifetime",
        "error[P0104]: rule `b`: `500` is not an amount with its currency",
        "an amount such as `500.00 USD`",
    );
    check(
        "budgets",
        "amount: -5.00 USD, window: lifetime",
        "error[P0105]: rule `b`: `-5.00 USD` is out of range: expected an amount of at least 0",
        "an amount of at least 0",
    );
    check(
        "budgets",
        "amount: 5.00 EUR, window: lifetime",
        "error[P0280]: rule `b`: the budget is in EUR but placement `home_banner` is in USD",
        "name the placements of this currency in `applies_to: {placements: [...]}`",
    );
    check(
        "budgets",
        "units: 5, window: lifetime, pace: even",
        "error[P0281]: rule `b`: a lifetime has no end to pace it by",
        "write `window: {calendar: month, time_zone: Europe/Berlin}`",
    );
    check(
        "budgets",
        "units: 5, window: {calendar: day, time_zone: customer}",
        "error[P0104]: rule `b`: `customer` is no time zone of a budget: it begins for all customers at once, by one \
         clock",
        "an IANA time zone",
    );
    check(
        "budgets",
        "units: 5, by: brand, window: lifetime",
        "error[P0106]: rule `b`: unknown thing counted apart `brand`",
        "`all`, `offer`, `category`, `campaign`, `placement`",
    );
    check("budgets", "units: 5", "error[P0102]: rule `b`: field `window` is missing", "such as `window: lifetime`");
}

#[test]
fn mistakes_in_stock_say_the_way_out() {
    check("stock", "per: store", "error[P0102]: rule `b`: field `units` is missing", "such as `units: 40`");
    check("stock", "units: 5, per: shelf", "error[P0106]: rule `b`: unknown place `shelf`", "`offer`, `store`");
    check(
        "stock",
        "units: 5, overridable: true",
        "error[P0217]: rule `b`: no override lifts a rule of `stock`",
        "`overridable: false`",
    );
}
