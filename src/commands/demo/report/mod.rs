//! The summary as one page for people who sell: what was found, plots, tables, one decision. Computes nothing and loads
//! nothing.

mod plots;

use std::fmt::Write as _;

use plots::{Bar, Layer};
use plotters::style::RGBColor;

use super::DemoError;
use super::summary::{PERIODS, Row, Summary, Sums, float};
use crate::commands::progress::count;
use crate::commands::simulate::chart::{self, Series};
use crate::commands::simulate::page::{STYLE, coded, each, escape};

const BLUE: &str = "#0072b2";
const GREY: &str = "#b4bac4";
/// The strategies, in their order: told apart by people with any colour vision (Okabe and Ito).
const STRATEGIES: [(RGBColor, &str); 3] =
    [(RGBColor(0, 114, 178), BLUE), (RGBColor(213, 94, 0), "#d55e00"), (RGBColor(120, 126, 136), "#787e88")];
const INK: RGBColor = RGBColor(40, 48, 60);
/// Offers on one another; the last colour is for the rest.
const LAYERS: [&str; 10] =
    ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a6fb0", "#c9b800", "#7a9a3a", "#d3d7de"];
/// Candidates drawn of the explained decision.
const CHANCES: usize = 15;

const MORE_STYLE: &str = "\
.tiles{display:flex;gap:14px;margin:0 0 20px;flex-wrap:wrap}\
.tile{flex:1 1 150px;background:#fff;border:1px solid #e2e6ec;border-radius:10px;padding:16px 20px}\
.tile b{display:block;font-size:30px;line-height:1.2;color:#0072b2}.tile span{color:#5b6472;font-size:14px}\
tr.group td{font-weight:600;border-bottom:none;padding-top:14px}\
td.why{white-space:normal;text-align:left}";

/// Renders it.
pub fn render(summary: &Summary) -> Result<String, DemoError> {
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Proffer: four weeks of a shop</title><style>{STYLE}{MORE_STYLE}</style></head><body><main>\n\
         <h1>Four weeks of a shop</h1>\n<p class=\"lead\">{} customers, {} visits, {} offers in {} variants, {} placements. \
         Every visit was sent past {} strategies, with the same luck for each. The customers are simulated; the service, \
         its rules, its records and its learning are real.</p>\n",
        count(summary.customers),
        count(summary.visits),
        summary.offers,
        summary.candidates,
        summary.placements.len(),
        summary.strategies.len()
    );
    tiles(&mut page, summary);
    let found = each(&summary.found(), |sentence| format!("<li>{}</li>", coded(sentence)));
    section(&mut page, "What was found", "", &format!("<ul>{found}</ul>"));
    learning(&mut page, summary)?;
    table(&mut page, summary);
    shares(&mut page, summary);
    margin(&mut page, summary);
    rules(&mut page, summary);
    decision(&mut page, summary);
    service(&mut page, summary);
    notes(&mut page);
    let _ = writeln!(page, "<p class=\"note\">Made by <code>proffer demo</code>.</p>\n</main></body></html>");
    Ok(page)
}

fn section(page: &mut String, title: &str, about: &str, body: &str) {
    let about = if about.is_empty() { String::new() } else { format!("<p class=\"note\">{about}</p>") };
    let _ = writeln!(page, "<section><h2>{title}</h2>{about}{body}</section>");
}

fn tiles(page: &mut String, summary: &Summary) {
    let Some((own, uniform)) = summary.own_and_uniform() else { return };
    let each = |sums: &Sums| sums.each(sums.expected);
    let more = 100.0 * (each(&own.last_quarter) / each(&uniform.last_quarter).max(1e-9) - 1.0);
    let tile = |number: String, what: &str| format!("<div class=\"tile\"><b>{number}</b><span>{what}</span></div>");
    let _ = writeln!(
        page,
        "<div class=\"tiles\">{}{}{}{}</div>",
        tile(format!("{more:+.0} %"), "margin per decision against a random pick, last quarter"),
        tile(format!("{:.0} %", own.last_quarter.of_best()), "of the best that anybody could do, last quarter"),
        tile(count(summary.margins.under_floor), "offers shown under their margin floor"),
        tile(format!("{:.1} ms", summary.measured.p50_ms), "for half of all decisions, recorded on disk")
    );
}

fn learning(page: &mut String, summary: &Summary) -> Result<(), DemoError> {
    let day = |period: usize| f64::from(summary.days) * (float(period) + 0.5) / float(PERIODS);
    let along = |row: &Row, value: &dyn Fn(&Sums) -> f64| -> Vec<(f64, f64)> {
        row.periods.iter().enumerate().map(|(at, sums)| (day(at), value(sums))).collect()
    };
    let draw = |rows: &[Row], what: &str, value: &dyn Fn(&Sums) -> f64, best: bool| {
        let mut series = Vec::new();
        if let Some(own) = rows.first().filter(|_| best) {
            let points = along(own, &|sums| sums.each(sums.best));
            series.push(Series { name: "best possible", colour: INK, points, band: None, dashed: true });
        }
        for (row, (colour, _)) in rows.iter().zip(STRATEGIES) {
            let points = along(row, value);
            series.push(Series { name: &row.strategy, colour, points, band: None, dashed: false });
        }
        chart::draw("day", what, &series).map_err(DemoError::Chart)
    };
    let margin = draw(&summary.strategies, "USD per decision", &|sums| sums.each(sums.expected), true)?;
    section(
        page,
        "Margin per decision, as days go by",
        "Expected margin of what was shown, computed from the truth of the simulated world, all placements \
         together. The \
         dashed line is what somebody who knows every customer's mind would make under the same rules. In the middle of \
         the story spring begins and tastes change.",
        &margin,
    );
    let accepted = draw(&summary.strategies, "orders per 100 decisions", &Sums::acceptance, false)?;
    section(
        page,
        "Orders, as days go by",
        "Measured: decisions that ended in an order which was kept. More orders are not the goal, more margin is.",
        &accepted,
    );
    Ok(())
}

fn table(page: &mut String, summary: &Summary) {
    let heads =
        ["strategy", "decisions", "orders", "earned", "expected", "best possible", "of the best", "last quarter"];
    let heads = each(&heads, |head| format!("<th>{head}</th>"));
    let mut rows = String::new();
    let all = std::iter::once(("all placements", &summary.strategies));
    let each = summary.placements.iter().map(|placed| (placed.placement.as_str(), &placed.strategies));
    for (title, strategies) in all.chain(each) {
        let _ = write!(rows, "<tr class=\"group\"><td colspan=\"8\">{}</td></tr>", escape(title));
        for (at, (row, (_, colour))) in strategies.iter().zip(STRATEGIES).enumerate() {
            let sums = &row.all;
            let class = if at == 0 { " class=\"best\"" } else { "" };
            let _ = write!(
                rows,
                "<tr{class}><td><span class=\"dot\" \
                 style=\"background:{colour}\"></span>{}</td><td>{}</td><td>{:.1} %</td>\
                 <td>{:.3}</td><td>{:.3}</td><td>{:.3}</td><td>{:.0} %</td><td>{:.0} %</td></tr>",
                escape(&row.strategy),
                count(sums.decisions),
                sums.acceptance(),
                sums.each(sums.earned),
                sums.each(sums.expected),
                sums.each(sums.best),
                sums.of_best(),
                row.last_quarter.of_best()
            );
        }
    }
    section(
        page,
        "By placement and strategy",
        "US dollars per decision. <i>Earned</i> is measured: what the service booked from orders within the \
         window, less \
         refunds; luck of single orders is in it. <i>Expected</i> and <i>best possible</i> are computed from the world's \
         truth, which the service never sees.",
        &format!("<div class=\"wide\"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"),
    );
}

fn shares(page: &mut String, summary: &Summary) {
    let place = summary.placements.first().map_or("", |placed| placed.placement.as_str());
    let layers: Vec<Layer> = (summary.shares.iter().enumerate())
        .map(|(at, share)| {
            let rest = share.offer == "others";
            let colour = LAYERS.get(if rest { LAYERS.len() - 1 } else { at }).copied().unwrap_or(GREY);
            Layer { name: share.offer.clone(), colour, shares: share.shares.clone() }
        })
        .collect();
    let svg = plots::layers("share shown per offer", &layers, ("day 1", &format!("day {}", summary.days)));
    section(
        page,
        &format!("What <code>{}</code> showed", escape(place)),
        "Measured: the share of each offer among what its own strategy showed. It begins with a little of \
         everything and \
         ends with what sells, while some exploration always goes on.",
        &svg,
    );
}

fn margin(page: &mut String, summary: &Summary) {
    let mut bars = Vec::new();
    for from in &summary.margin_from {
        for (at, (margin, (row, (_, colour)))) in
            from.margin.iter().zip(summary.strategies.iter().zip(STRATEGIES)).enumerate()
        {
            bars.push(Bar {
                name: if at == 0 { from.category.clone() } else { String::new() },
                value: *margin,
                label: format!("{}, {}", thousands(margin / 100.0), row.strategy),
                colour,
            });
        }
    }
    section(
        page,
        "Where the margin came from",
        "Measured, in US dollars: margin of what was ordered, less refunds, by category of the offer.",
        &plots::bars("margin by category and strategy", &bars),
    );
}

fn rules(page: &mut String, summary: &Summary) {
    let mut by_count: Vec<_> = summary.exclusions.iter().collect();
    by_count.sort_by_key(|(_, excluded)| std::cmp::Reverse(excluded.candidates));
    let bars: Vec<Bar> = (by_count.iter())
        .map(|(rule, excluded)| Bar {
            name: (*rule).clone(),
            value: float(excluded.candidates),
            label: format!("{} in {} decisions", count(excluded.candidates), count(excluded.decisions)),
            colour: BLUE,
        })
        .collect();
    let rows = each(&by_count, |(rule, excluded)| {
        format!("<tr><td><code>{}</code></td><td class=\"why\">{}</td></tr>", escape(rule), coded(&excluded.why))
    });
    let mut more = String::new();
    for (title, listed) in
        [("Always kept out by a floor", &summary.margins.kept_out), ("Rules that never had to speak", &summary.silent)]
    {
        if !listed.is_empty() {
            let _ = write!(more, "<p>{title}: {}.</p>", escape(&listed.join(", ")));
        }
    }
    let impersonal = summary.strategies.first().map_or(0, |row| row.all.impersonal);
    let _ = write!(
        more,
        "<p>Without consent, {} decisions were made from the context alone: no personal attribute was read.</p>",
        count(impersonal)
    );
    section(
        page,
        "What rules left out",
        "Measured, in the shop's own decisions: candidates left out, by the rule that did. Every rule is \
         asked about every \
         candidate, and each that says no is recorded.",
        &format!("{}{more}<table><tbody>{rows}</tbody></table>", plots::bars("candidates left out by rule", &bars)),
    );
}

fn decision(page: &mut String, summary: &Summary) {
    let explained = &summary.explained;
    let bars: Vec<Bar> = (explained.chances.iter().take(CHANCES))
        .map(|chance| Bar {
            name: chance.candidate.clone(),
            value: chance.probability,
            label: format!("{:.1} %{}", 100.0 * chance.probability, if chance.shown { ", shown" } else { "" }),
            colour: if chance.shown { STRATEGIES[1].1 } else { BLUE },
        })
        .collect();
    let rest = explained.chances.get(CHANCES..).unwrap_or_default();
    let others = if rest.is_empty() {
        String::new()
    } else {
        let sum: f64 = rest.iter().map(|chance| chance.probability).sum();
        format!("<p class=\"note\">{} others share {:.1} %.</p>", rest.len(), 100.0 * sum)
    };
    let opening: Vec<&String> = explained.opening().collect();
    let opening = each(&opening, |sentence| format!("<li>{}</li>", coded(sentence)));
    let left_out = each(&explained.left_out, |left| {
        format!("<li>Left out: {}: {}</li>", escape(&left.offers.join(", ")), coded(&left.sentence))
    });
    section(
        page,
        "One decision, explained",
        "Every decision is recorded like this one: the whole distribution it was drawn from, what was read, \
         and every rule \
         that left something out.",
        &format!(
            "{}{others}<ul>{opening}{left_out}</ul><p class=\"note\">Decision <code>{}</code>. Decided again, from its \
             record and from the model as it was: {}.</p><p class=\"note\">{}</p>",
            plots::bars("probability of each candidate", &bars),
            escape(&explained.decision_id),
            escape(&explained.again),
            escape(&summary.log)
        ),
    );
}

fn service(page: &mut String, summary: &Summary) {
    let measured = &summary.measured;
    let mut from = 0.0;
    let mut columns = Vec::new();
    for (bound, number) in &measured.latencies {
        let name = bound.map_or_else(|| format!("{from:.0} ms +"), |bound| format!("{from:.0} to {bound:.0} ms"));
        let share = 100.0 * float(*number) / float(measured.decisions).max(1.0);
        columns.push((name, share, if *number == 0 { String::new() } else { format!("{share:.1} %") }));
        from = bound.unwrap_or(from);
    }
    let about = format!(
        "Measured by {} clients at once, over HTTP, each answer sent once its record was on disk: {} \
         decisions, {:.0} a \
         second, half of them within {:.1} ms, 99 of 100 within {:.1} ms. Meanwhile {} events came back by signed webhooks, \
         {} of them twice and {} orders behind their own refund; {} refunds and {} withdrawals of consent were honoured. \
         All in {:.0} s.",
        measured.clients,
        count(measured.decisions),
        measured.decisions_per_second,
        measured.p50_ms,
        measured.p99_ms,
        count(measured.events),
        count(measured.duplicates),
        count(measured.reordered),
        count(measured.refunds),
        count(measured.withdrawals),
        measured.seconds
    );
    section(page, "How fast it answered", &about, &plots::columns("time to answer", &columns, BLUE));
}

fn notes(page: &mut String) {
    const NOTES: [&str; 5] = [
        "Every strategy has customers of its own with the same minds, so that none uses up another one's caps.",
        "The clock is set by hand: four weeks pass in a minute. Orders come back hours or days after the \
         decision, refunds \
         days after the order, some messages twice and some in the wrong order.",
        "The best possible is an upper bound: it takes the best candidates that the rules left in that \
         decision, and does not \
         save a cap for a better day. With several slots it takes one variant of each of the best offers.",
        "Held-out customers always see the house content; they are left out of the comparison.",
        "Refunds are in the expected margins as the share that is kept in the mean.",
    ];
    let items = each(&NOTES, |note| format!("<li>{note}</li>"));
    section(page, "To know when reading this", "", &format!("<ul>{items}</ul>"));
}

/// Whole dollars with their thousands apart.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of a demo, sign kept apart")]
fn thousands(dollars: f64) -> String {
    format!("{}{}", if dollars < 0.0 { "-" } else { "" }, count(dollars.abs().round() as usize))
}
