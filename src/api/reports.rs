//! `GET /v1/reports/...`: what decisions came to and what rules left out, as JSON or CSV. Adds nothing up.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::App;
use super::problem::Problem;
use super::query::Query;
use crate::domain::money::print_decimal;
use crate::domain::{Currency, Malformed, Money, PlacementId};
use crate::policy::did_you_mean;
use crate::report::{
    Around, By, Exclusions, Group, Performance, Side, Tally, difference_of_means, difference_of_shares, share_within,
};
use crate::runtime::Scope;

/// The longest time that one report is about, in days.
pub const DAYS_MAX: i64 = 366;
/// The media type of tables.
pub const CSV: &str = "text/csv; charset=utf-8";

/// Reports that are made at once: a scan reads much, and decisions come first.
static RUNNING: Semaphore = Semaphore::const_new(2);

/// `GET /v1/reports/performance`.
pub async fn performance(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["placement", "from", "to", "by"]);
    let by = query.choice("by", &By::ALL);
    let scope = scope(&app, query)?;
    let by = by.unwrap_or(By::Placement);
    let _running = RUNNING.try_acquire().map_err(|_| Problem::busy("two reports are being made already"))?;
    let report = app.performance(&scope, by).await?;
    Ok(if table_wanted(&request) {
        table(performance_table(by, &report))
    } else {
        HttpResponse::Ok().json(performance_shown(&scope, by, &report))
    })
}

/// `GET /v1/reports/exclusions`.
pub async fn exclusions(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let scope = scope(&app, Query::read(&request, &["placement", "from", "to"]))?;
    let _running = RUNNING.try_acquire().map_err(|_| Problem::busy("two reports are being made already"))?;
    let report = app.exclusions(&scope).await?;
    Ok(if table_wanted(&request) {
        table(exclusions_table(&report))
    } else {
        HttpResponse::Ok().json(exclusions_shown(&scope, &report))
    })
}

fn scope(app: &App, mut query: Query) -> Result<Scope, Problem> {
    let (from, to) = query.times(app.clock.now(), DAYS_MAX);
    let snapshot = app.snapshot();
    let known = &snapshot.bundle.placements;
    let placement = query.parsed("placement", |name| {
        let id = PlacementId::new(name)?;
        // One that was there before may still be asked for; what is probably a slip is told.
        let meant = did_you_mean(name, known.keys().map(PlacementId::as_str));
        if !known.contains_key(&id) && !meant.is_empty() {
            return Err(Malformed(format!("the active bundle has no placement `{name}`{meant}")));
        }
        Ok(id)
    });
    query.done()?;
    Ok(Scope { from, to, placement })
}

fn table_wanted(request: &HttpRequest) -> bool {
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.starts_with("text/csv"))
}

fn share(part: u64, whole: u64) -> Option<f64> {
    share_within(part, whole).map(|share| share.value)
}

fn around(around: Option<Around>) -> Value {
    around.map_or(Value::Null, |around| json!({"value": around.value, "low": around.low, "high": around.high}))
}

/// An amount that may be larger than any money that is stored.
fn amount(minor: i128, currency: Currency) -> Money {
    let minor = i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX });
    Money { minor, currency }
}

/// Digits behind those of the currency in what is an average.
const MORE_DIGITS: u32 = 2;

/// An average in the currency, with more digits than can be paid.
fn average(minor: i128, count: u64, currency: Currency) -> Option<String> {
    let count = i128::from(count);
    let scaled = minor.checked_mul(10_i128.pow(MORE_DIGITS))?;
    let rounded = (scaled + count / 2).checked_div_euclid(count)?;
    Some(print_decimal(i64::try_from(rounded).ok()?, currency.exponent() + MORE_DIGITS))
}

#[expect(clippy::cast_possible_truncation, reason = "rounded, and far below 2^63; an average is for people")]
fn averaged(minor: f64, currency: Currency) -> String {
    let scaled = (minor * f64::from(10_u32.pow(MORE_DIGITS))).round();
    print_decimal(scaled as i64, currency.exponent() + MORE_DIGITS)
}

fn side_shown(side: &Side, currency: Currency) -> Value {
    json!({
        "decisions": side.decisions, "accepted": side.accepted,
        "acceptance": around(share_within(side.accepted, side.decisions)),
        "margin": amount(side.reward_minor, currency),
        "margin_per_decision": average(side.reward_minor, side.decisions, currency),
    })
}

/// What one side is above another, in acceptance and in money, where both have decisions.
fn lift(side: &Side, above: &Side) -> (Option<Around>, Option<Around>) {
    let sums = |side: &Side| (side.decisions, side.reward_minor, side.reward_squared);
    let acceptance = difference_of_shares((side.accepted, side.decisions), (above.accepted, above.decisions));
    (acceptance, difference_of_means(sums(side), sums(above)))
}

fn lift_shown((acceptance, margin): (Option<Around>, Option<Around>), currency: Currency) -> Value {
    let margin = margin.map(|margin| {
        let told = |minor| averaged(minor, currency);
        json!({"value": told(margin.value), "low": told(margin.low), "high": told(margin.high)})
    });
    json!({"acceptance": around(acceptance), "margin_per_decision": margin})
}

fn against_holdout(tally: &Tally, currency: Currency) -> Value {
    if tally.holdout.decisions == 0 {
        return Value::Null;
    }
    json!({
        "holdout": side_shown(&tally.holdout, currency), "rest": side_shown(&tally.rest, currency),
        "lift": lift_shown(lift(&tally.rest, &tally.holdout), currency),
    })
}

/// A challenger against its champion, both without those who have no name and without the holdout: customers come to
/// either by chance.
fn against_champion(tally: &Tally, champion: Option<&Tally>, currency: Currency) -> Value {
    let Some(champion) = champion.filter(|champion| champion.rest.decisions > 0) else { return Value::Null };
    json!({
        "champion": side_shown(&champion.rest, currency), "challenger": side_shown(&tally.rest, currency),
        "lift": lift_shown(lift(&tally.rest, &champion.rest), currency),
    })
}

fn performance_shown(scope: &Scope, by: By, report: &Performance) -> Value {
    let shown = |(group, tally): (&Group, &Tally)| {
        let currency = group.currency;
        json!({
            "group": group.name, "currency": currency, "decisions": tally.decisions, "shown": tally.shown,
            "exposed": tally.exposed, "accepted": tally.accepted,
            "acceptance": around(share_within(tally.accepted, tally.exposed)),
            "margin": amount(tally.reward_minor, currency),
            "margin_per_decision": average(tally.reward_minor, tally.decisions, currency),
            "fallback": tally.fallback, "fallback_share": share(tally.fallback, tally.decisions),
            "against_holdout": against_holdout(tally, currency),
            "against_champion": against_champion(tally, report.champion_of(group), currency),
        })
    };
    json!({
        "from": scope.from, "to": scope.to, "placement": scope.placement, "by": by.name(),
        "groups": report.groups().map(shown).collect::<Vec<_>>(),
    })
}

fn exclusions_shown(scope: &Scope, report: &Exclusions) -> Value {
    let rows = report.rows().map(|(placement, day, rule, left, of)| {
        json!({
            "placement": placement, "day": day, "rule": rule, "why": left.why, "decisions": left.decisions,
            "of_decisions": of, "share": share(left.decisions, of), "variants": left.variants,
            "later_slots": left.later_slots, "refused": left.refused,
            "would_have_left_out": {
                "decisions": left.would.decisions, "variants": left.would.variants,
                "later_slots": left.would.later_slots,
            },
        })
    });
    json!({"from": scope.from, "to": scope.to, "placement": scope.placement, "rules": rows.collect::<Vec<_>>()})
}

/// A row of a table: what is absent is an empty field.
type Row = Vec<Option<String>>;

fn performance_table(by: By, report: &Performance) -> (Vec<&'static str>, Vec<Row>) {
    let head = vec![
        by.name(),
        "currency",
        "decisions",
        "shown",
        "exposed",
        "accepted",
        "acceptance",
        "acceptance_low",
        "acceptance_high",
        "margin",
        "margin_per_decision",
        "fallback",
        "fallback_share",
        "holdout_decisions",
        "holdout_margin_per_decision",
        "rest_decisions",
        "rest_margin_per_decision",
        "lift_acceptance",
        "lift_acceptance_low",
        "lift_acceptance_high",
        "lift_margin",
        "lift_margin_low",
        "lift_margin_high",
        "champion_decisions",
        "champion_margin_per_decision",
        "champion_lift_acceptance",
        "champion_lift_acceptance_low",
        "champion_lift_acceptance_high",
        "champion_lift_margin",
        "champion_lift_margin_low",
        "champion_lift_margin_high",
    ];
    let row = |(group, tally): (&Group, &Tally)| {
        let currency = group.currency;
        let rate = share_within(tally.accepted, tally.exposed);
        let compared = tally.holdout.decisions > 0;
        let (lift_acceptance, lift_margin) = if compared { lift(&tally.rest, &tally.holdout) } else { (None, None) };
        let champion = report.champion_of(group).map(|champion| champion.rest).filter(|side| side.decisions > 0);
        let (above_acceptance, above_margin) = champion.map_or((None, None), |champion| lift(&tally.rest, &champion));
        let number = |number: u64| Some(number.to_string());
        let only = |value: Option<String>| value.filter(|_| compared);
        let ends = |around: Option<Around>, print: &dyn Fn(f64) -> String| {
            let end = |end: fn(&Around) -> f64| around.as_ref().map(|around| print(end(around)));
            [end(|around| around.value), end(|around| around.low), end(|around| around.high)]
        };
        let plain = |value: f64| format!("{value:.6}");
        let mut row: Row = vec![group.name.clone(), Some(currency.to_string())];
        row.extend([tally.decisions, tally.shown, tally.exposed, tally.accepted].map(number));
        row.extend(ends(rate, &plain));
        row.push(Some(amount(tally.reward_minor, currency).amount()));
        row.push(average(tally.reward_minor, tally.decisions, currency));
        row.push(number(tally.fallback));
        row.push(share(tally.fallback, tally.decisions).map(plain));
        for side in [&tally.holdout, &tally.rest] {
            row.push(only(number(side.decisions)));
            row.push(only(average(side.reward_minor, side.decisions, currency)));
        }
        row.extend(ends(lift_acceptance, &plain));
        row.extend(ends(lift_margin, &|minor| averaged(minor, currency)));
        row.push(champion.map(|side| side.decisions.to_string()));
        row.push(champion.and_then(|side| average(side.reward_minor, side.decisions, currency)));
        row.extend(ends(above_acceptance, &plain));
        row.extend(ends(above_margin, &|minor| averaged(minor, currency)));
        row
    };
    (head, report.groups().map(row).collect())
}

fn exclusions_table(report: &Exclusions) -> (Vec<&'static str>, Vec<Row>) {
    let head = vec![
        "placement",
        "day",
        "rule",
        "why",
        "decisions",
        "of_decisions",
        "share",
        "variants",
        "later_slots",
        "refused",
        "would_decisions",
        "would_variants",
        "would_later_slots",
    ];
    let row = |(placement, day, rule, left, of): (&str, &str, &str, &crate::report::LeftOut, u64)| {
        let number = |number: u64| Some(number.to_string());
        let mut row: Row = [placement, day, rule, &left.why].map(|text| Some(text.to_owned())).into();
        row.extend([left.decisions, of].map(number));
        row.push(share(left.decisions, of).map(|share| format!("{share:.6}")));
        row.extend([left.variants, left.later_slots, left.refused].map(number));
        row.extend([left.would.decisions, left.would.variants, left.would.later_slots].map(number));
        row
    };
    (head, report.rows().map(row).collect())
}

fn table((head, rows): (Vec<&'static str>, Vec<Row>)) -> HttpResponse {
    let mut text = head.join(",") + "\r\n";
    for row in rows {
        let fields: Vec<String> = row.into_iter().map(|field| quoted(&field.unwrap_or_default())).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    HttpResponse::Ok().content_type(CSV).body(text)
}

/// A field as RFC 4180 writes it.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded_and_fields_are_quoted_where_they_must_be() {
        let dollars = Currency::parse("USD").unwrap();
        for (minor, count, told) in [(1_000, 3, "3.3333"), (-1_000, 3, "-3.3333"), (2, 3, "0.0067"), (0, 7, "0.0000")] {
            assert_eq!(average(minor, count, dollars).as_deref(), Some(told), "{minor} / {count}");
        }
        assert_eq!(average(5, 0, dollars), None);
        assert_eq!(average(10, 4, Currency::parse("JPY").unwrap()).as_deref(), Some("2.50"));
        assert_eq!(averaged(-333.335, dollars), "-3.3334");
        for (field, written) in [("a b", "a b"), ("a,b", "\"a,b\""), ("say \"a\"", "\"say \"\"a\"\"\"")] {
            assert_eq!(quoted(field), written);
        }
    }
}
