//! The summary as one self-contained page: what was found, curves, tables. Computes nothing and loads nothing.

use std::fmt::Write as _;

use plotters::style::RGBColor;
use proffer::simulation::compare::{AtPlacement, Compared, Summary, WorldFacts, WorldPlacement, number};

use super::chart::{self, Series};
use super::text::{self, listed, maybe, share, yardsticks};
use super::{About, SimulateError};

/// Told apart by people with any colour vision (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(170, 70, 130),
    RGBColor(200, 140, 0),
    RGBColor(60, 150, 210),
];
const GREY: RGBColor = RGBColor(120, 126, 136);
const INK: RGBColor = RGBColor(40, 48, 60);

/// How pages look.
pub const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;color:#28303c;background:#f6f7f9;margin:0}\
main{max-width:1000px;margin:0 auto;padding:32px 20px 60px}\
h1{font-size:28px;line-height:1.2;margin:0 0 6px}h2{font-size:19px;margin:0 0 10px}\
.lead{color:#5b6472;margin:0 0 24px}\
section{background:#fff;border:1px solid #e2e6ec;border-radius:10px;padding:20px 24px;margin:0 0 20px}\
svg{width:100%;height:auto;display:block}\
table{border-collapse:collapse;width:100%;font-size:15px}\
th,td{padding:7px 10px;text-align:right;border-bottom:1px solid #e9ecf1;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}th{color:#5b6472;font-weight:600}\
tr.mark td{color:#5b6472;font-style:italic}tr.best td{background:#eef6fb}\
.dot{display:inline-block;width:11px;height:11px;border-radius:50%;margin-right:8px}\
.note{color:#5b6472;font-size:14px}.wide{overflow-x:auto}\
ul{margin:0;padding-left:20px}li{margin:3px 0}code{font-size:14px;background:#f0f2f5;padding:1px 5px;border-radius:4px}";

/// Renders it.
pub(super) fn render(summary: &Summary, about: &About) -> Result<String, SimulateError> {
    // Folders of somebody's machine are nobody's business: the last one and the name say which file it was.
    let parts: Vec<&str> = about.file.split(['/', '\\']).collect();
    let name = parts.get(parts.len().saturating_sub(2)..).unwrap_or_default().join("/");
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{name}: strategies compared</title><style>{STYLE}</style></head><body><main>\n\
         <h1>{title}</h1>\n<p class=\"lead\"><code>{name}</code>: {}.</p>\n",
        escape(&text::subject(summary)),
        name = escape(&name),
        title = if summary.world.is_some() {
            "What does each strategy earn?"
        } else {
            "What would each strategy have earned?"
        },
    );
    list(&mut page, "What was found", &summary.found);
    curves(&mut page, summary)?;
    match &summary.world {
        Some(world) => {
            world_table(&mut page, summary, world);
            places(&mut page, summary, world);
            money(&mut page, summary, world);
        }
        None => table(&mut page, summary),
    }
    settings(&mut page, summary);
    list(&mut page, "To know when reading this", &summary.notes);
    let _ = writeln!(
        page,
        "<p class=\"note\">Made by <code>proffer simulate</code>; played in {:.1} s on {} threads.</p>\n\
         </main></body></html>",
        about.seconds, about.threads
    );
    Ok(page)
}

fn list(page: &mut String, title: &str, sentences: &[String]) {
    let items = each(sentences, |sentence| format!("<li>{}</li>", coded(sentence)));
    let _ = writeln!(page, "<section><h2>{title}</h2><ul>{items}</ul></section>");
}

/// What things are called where events are recorded, and in a world.
struct Words {
    events: &'static str,
    each: &'static str,
    missed: &'static str,
    regret: &'static str,
    as_time_goes_by: &'static str,
    fixed: &'static str,
}

impl Words {
    fn of(summary: &Summary) -> Self {
        if summary.world.is_some() {
            Self {
                events: "decisions",
                each: "margin a decision",
                missed: "Margin missed so far",
                regret: "summed margin missed",
                as_time_goes_by: "Margin a decision, as time goes by",
                fixed: "best for everybody",
            }
        } else {
            Self {
                events: "events",
                each: "reward per decision",
                missed: "Reward missed so far",
                regret: "summed regret",
                as_time_goes_by: "Reward per decision, as time goes by",
                fixed: "best fixed order",
            }
        }
    }
}

fn curves(page: &mut String, summary: &Summary) -> Result<(), SimulateError> {
    let full = summary.log.is_none();
    let words = Words::of(summary);
    let (title, y, about) = if full {
        (
            words.missed,
            words.regret,
            "How far behind an all-knowing choice each strategy has fallen, one after another. Flatter is better: a \
             flat line means that nothing more is being missed. Bands reach from the lowest to the highest play.",
        )
    } else {
        (
            "Reward collected so far",
            "summed reward",
            "Rewards of the events that counted. Strategies count different events: compare the means of the table.",
        )
    };
    let points: Vec<f64> = summary.points.iter().map(|point| float(*point)).collect();
    let along = |values: &[f64]| points.iter().copied().zip(values.iter().copied()).collect::<Vec<_>>();
    let mut series: Vec<Series<'_>> = Vec::new();
    if let Some((_, best_fixed)) = &summary.yardsticks {
        let points = along(best_fixed);
        series.push(Series { name: words.fixed, colour: INK, points, band: None, dashed: true });
    }
    for (at, strategy) in summary.strategies.iter().enumerate() {
        let band = Some((strategy.curve.low.clone(), strategy.curve.high.clone()));
        let points = along(&strategy.curve.mean);
        series.push(Series { name: strategy.name, colour: colour(at, strategy), points, band, dashed: false });
    }
    section(page, title, about, &chart::draw(words.events, y, &series).map_err(SimulateError::Chart)?);
    if full {
        let svg = chart::draw(words.events, words.each, &tenths(summary)).map_err(SimulateError::Chart)?;
        let about = "The mean of each tenth of the whole. A strategy that learns rises; the oracle shows what could \
                     have been had in that tenth.";
        section(page, words.as_time_goes_by, about, &svg);
    }
    Ok(())
}

fn section(page: &mut String, title: &str, about: &str, svg: &str) {
    let _ = writeln!(page, "<section><h2>{title}</h2><p class=\"note\">{about}</p>{svg}</section>");
}

/// Means of the tenths, at their middles.
fn tenths(summary: &Summary) -> Vec<Series<'_>> {
    let middle = |tenth: usize| float(summary.events) * (float(tenth) + 0.5) / 10.0;
    let mut series = Vec::new();
    for (name, colour, values) in
        [("oracle", INK, &summary.tenths_oracle), (Words::of(summary).fixed, GREY, &summary.tenths_best_fixed)]
    {
        let points = values.iter().enumerate().map(|(tenth, value)| (middle(tenth), *value)).collect();
        series.push(Series { name, colour, points, band: None, dashed: true });
    }
    for (at, strategy) in summary.strategies.iter().enumerate() {
        let points = strategy.tenths.iter().enumerate();
        let points = points.filter_map(|(tenth, value)| value.map(|value| (middle(tenth), value))).collect();
        series.push(Series { name: strategy.name, colour: colour(at, strategy), points, band: None, dashed: false });
    }
    series
}

/// The table of a world, in money a decision.
fn world_table(page: &mut String, summary: &Summary, world: &WorldFacts) {
    let heads = ["strategy", "margin", "±", "realised", "±", "regret", "of the gain", "quarter 1", "quarter 4"];
    let rows = rows(summary, &|strategy| {
        let quarter = |at: usize| maybe(strategy.quarters.get(at).copied().flatten());
        vec![
            maybe(strategy.mean_reward),
            maybe(strategy.se),
            maybe(strategy.mean_realised),
            maybe(strategy.se_realised),
            maybe(strategy.regret),
            share(strategy.share_of_gain),
            quarter(0),
            quarter(3),
        ]
    });
    let mut marks = String::new();
    for (name, value) in yardsticks(summary) {
        // As wide as the others, so that lines go through.
        let empty = heads.iter().skip(2).map(|_| String::new());
        marks.push_str(&mark(name, &std::iter::once(maybe(value)).chain(empty).collect::<Vec<_>>()));
    }
    let note = format!(
        "{} a decision. Margin is what was shown earns in the mean of all luck, after refunds; realised is what orders \
         brought. ± is one standard error over seeds, each another crowd. Of the gain: 0 % is a random pick, 100 % an \
         all-knowing one, who reads tastes that no attribute tells.",
        escape(&world.currency)
    );
    tabulate(page, "The table", &heads, &(rows + &marks), &note);
}

/// What stands in a column of a placement.
type Told = fn(&WorldPlacement) -> String;

/// The margin at each placement, with how far it is from uniform to the oracle.
fn places(page: &mut String, summary: &Summary, world: &WorldFacts) {
    let names = world.placements.iter().map(|place| escape(&place.placement));
    let heads: Vec<String> = std::iter::once("strategy".to_owned()).chain(names).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let cell =
        |at: &AtPlacement| format!("{} <span class=\"note\">{}</span>", maybe(at.mean_reward), share(at.share_of_gain));
    let mut rows = rows(summary, &|strategy| strategy.placements.iter().map(cell).collect());
    let marks: [(&str, Told); 5] = [
        ("uniform", |place| number(place.uniform)),
        ("best fixed", |place| number(place.best_fixed)),
        ("oracle", |place| number(place.oracle)),
        ("best for everybody", |place| escape(&place.best_fixed_first)),
        ("decisions", |place| format!("{:.0}", place.decisions)),
    ];
    for (name, value) in marks {
        rows.push_str(&mark(name, &world.placements.iter().map(value).collect::<Vec<_>>()));
    }
    let note = "Margin a decision, and how much of the gain from a random pick to an all-knowing one. Each placement \
                learns for itself.";
    tabulate(page, "By placement", &heads, &rows, note);
}

/// What settings of money came to at the placements that have some.
fn money(page: &mut String, summary: &Summary, world: &WorldFacts) {
    let heads: Vec<&str> = std::iter::once("strategy").chain(text::MONEY_HEADS).collect();
    for (at, place) in world.placements.iter().enumerate() {
        let Some(set) = text::money_set(place) else { continue };
        let cells = |strategy: &Compared| {
            let cells = strategy.placements.get(at).and_then(|at| text::money_cells(place, at));
            cells.map_or_else(Vec::new, Vec::from)
        };
        let note = format!(
            "{}: {set}. Exploring costs what was expected of the best less what was expected of what was shown. Budget \
             spent: decisions that came after it on their day, which explore nothing. Intervention: discount and cost \
             of showing of what was shown.",
            escape(&world.currency)
        );
        let title = format!("Money at {}", escape(&place.placement));
        tabulate(page, &title, &heads, &rows(summary, &cells), &note);
    }
}

/// A row for each strategy; the one that earned most is marked, unless nothing tells it from a random pick.
fn rows(summary: &Summary, cells: &dyn Fn(&Compared) -> Vec<String>) -> String {
    let best = summary.strategies.iter().filter_map(|one| one.mean_reward).fold(f64::NEG_INFINITY, f64::max);
    let mut rows = String::new();
    for (at, strategy) in summary.strategies.iter().enumerate() {
        let RGBColor(r, g, b) = colour(at, strategy);
        let won = strategy.mean_reward.is_some_and(|mean| mean >= best)
            && strategy.vs_uniform.is_some_and(|against| against.is_more());
        let class = if won { " class=\"best\"" } else { "" };
        let cells = each(&cells(strategy), |cell| format!("<td>{cell}</td>"));
        let dot = format!("<span class=\"dot\" style=\"background:rgb({r},{g},{b})\"></span>");
        let _ = write!(rows, "<tr{class}><td>{dot}{}</td>{cells}</tr>", strategy.name);
    }
    rows
}

/// A row for what needs no learning.
fn mark(name: &str, cells: &[String]) -> String {
    format!("<tr class=\"mark\"><td>{name}</td>{}</tr>", each(cells, |cell| format!("<td>{cell}</td>")))
}

fn tabulate(page: &mut String, title: &str, heads: &[&str], rows: &str, note: &str) {
    let heads = each(heads, |head| format!("<th>{head}</th>"));
    let _ = writeln!(
        page,
        "<section><h2>{title}</h2><div class=\"wide\"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>\
         </table></div><p class=\"note\">{note}</p></section>"
    );
}

fn table(page: &mut String, summary: &Summary) {
    let full = summary.log.is_none();
    let heads: &[&str] = if full {
        &[
            "strategy",
            "reward",
            "± seeds",
            "± events",
            "regret",
            "of the oracle",
            "of the gain",
            "quarter 1",
            "quarter 4",
        ]
    } else {
        &["strategy", "reward", "± seeds", "± events", "events that counted"]
    };
    let mut rows = rows(summary, &|strategy| {
        let mut cells = vec![maybe(strategy.mean_reward), maybe(strategy.se), maybe(strategy.se_events)];
        if full {
            let quarter = |at: usize| maybe(strategy.quarters.get(at).copied().flatten());
            cells.extend([maybe(strategy.regret), share(strategy.share_of_oracle), share(strategy.share_of_gain)]);
            cells.extend([quarter(0), quarter(3)]);
        } else {
            cells.push(format!("{:.1}", strategy.matched));
        }
        cells
    });
    for (name, value) in yardsticks(summary) {
        rows.push_str(&mark(name, &[maybe(value)]));
    }
    let gain = if full { " Of gain: 0 % is a random pick, 100 % an all-knowing one." } else { "" };
    let note = format!(
        "± is one standard error: over seeds, the luck of the draws; over events, how far another file of this kind \
         and length might be off.{gain}"
    );
    tabulate(page, "The table", heads, &rows, &note);
}

fn settings(page: &mut String, summary: &Summary) {
    let of = each(&summary.strategies, |one| {
        format!("<li><code>{}</code>: {}</li>", one.name, escape(&text::settings(one)))
    });
    let left_out = if summary.features_left_out.is_empty() {
        String::new()
    } else {
        format!(" Left out, free text or too wide: {}.", escape(&listed(&summary.features_left_out)))
    };
    let _ = writeln!(
        page,
        "<section><h2>Settings</h2><ul>{of}</ul><p class=\"note\">Learned from ({} numbers): {}.{left_out}</p>\
         </section>",
        summary.dimensions,
        escape(&listed(&summary.features))
    );
}

/// The markup of each, one after another.
pub fn each<T>(of: &[T], markup: impl Fn(&T) -> String) -> String {
    of.iter().map(markup).collect::<Vec<_>>().concat()
}

fn colour(at: usize, strategy: &Compared) -> RGBColor {
    if strategy.name == "uniform" { GREY } else { COLOURS.get(at % COLOURS.len()).copied().unwrap_or(GREY) }
}

/// Text of others, which cannot become markup.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What stands between backticks becomes code.
pub fn coded(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are far below 2^53")]
fn float(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_become_markup() {
        assert_eq!(escape("a<b>\"&"), "a&lt;b&gt;&quot;&amp;");
        assert_eq!(coded("`a<b` earned < 3"), "<code>a&lt;b</code> earned &lt; 3");
    }
}
