//! The summary as text for people: a table and sentences. Computes nothing.

use std::fmt::Write as _;

use proffer::simulation::compare::{AtPlacement, Compared, Summary, WorldFacts, WorldPlacement, number};

use super::About;
use crate::commands::progress::count;

/// Renders it.
pub fn render(summary: &Summary, about: &About) -> String {
    let mut text = String::new();
    head(&mut text, summary, about);
    match &summary.world {
        Some(world) => {
            world_table(&mut text, summary, world);
            places(&mut text, summary, world);
            money(&mut text, summary, world);
        }
        None => table(&mut text, summary),
    }
    let _ = writeln!(text, "\nWhat was found");
    for sentence in &summary.found {
        let _ = writeln!(text, "- {sentence}");
    }
    let _ = writeln!(text, "\nTo know");
    for sentence in &summary.notes {
        let _ = writeln!(text, "- {sentence}");
    }
    let _ = writeln!(text, "\nPlayed in {:.1} s on {} threads.", about.seconds, about.threads);
    text
}

fn head(text: &mut String, summary: &Summary, about: &About) {
    let _ = writeln!(text, "{}: {}", about.file, subject(summary));
    let _ = writeln!(text, "Features ({} dimensions): {}", summary.dimensions, listed(&summary.features));
    if !summary.features_left_out.is_empty() {
        let _ =
            writeln!(text, "Left out of the features, free text or too wide: {}", listed(&summary.features_left_out));
    }
    for strategy in &summary.strategies {
        let _ = writeln!(text, "  {}: {}", strategy.name, settings(strategy));
    }
    text.push('\n');
}

/// What was played, in one line.
pub fn subject(summary: &Summary) -> String {
    let (offers, seeds) = (count(summary.offers), summary.seeds);
    let each = format!("{offers} offers, {:.1} candidates each; {seeds} seeds", summary.candidates);
    match &summary.world {
        None => format!("{} events of {} feedback, {each}", count(summary.events), summary.feedback),
        Some(world) => format!(
            "{} decisions in {:.0} days at {} placements, {} customers, {each}",
            count(summary.events),
            world.days,
            world.placements.len(),
            count(world.customers)
        ),
    }
}

/// The table of a world, in money a decision.
fn world_table(text: &mut String, summary: &Summary, world: &WorldFacts) {
    let _ = writeln!(
        text,
        "{:16} {:>9} {:>8} {:>9} {:>8} {:>9} {:>8} {:>9} {:>9}",
        format!("{} a decision", world.currency),
        "margin",
        "se",
        "realised",
        "se",
        "regret",
        "of gain",
        "quarter 1",
        "quarter 4"
    );
    for strategy in &summary.strategies {
        let quarter = |at: usize| maybe(strategy.quarters.get(at).copied().flatten());
        let _ = writeln!(
            text,
            "{:16} {:>9} {:>8} {:>9} {:>8} {:>9} {:>8} {:>9} {:>9}",
            strategy.name,
            maybe(strategy.mean_reward),
            maybe(strategy.se),
            maybe(strategy.mean_realised),
            maybe(strategy.se_realised),
            maybe(strategy.regret),
            share(strategy.share_of_gain),
            quarter(0),
            quarter(3)
        );
    }
    for (name, value) in yardsticks(summary) {
        let _ = writeln!(text, "{:16} {:>9}", format!("({name})"), maybe(value));
    }
}

/// What needs no learning at a placement.
type Mark = fn(&WorldPlacement) -> f64;

/// The margin at each placement, with how far it is from uniform to the oracle.
fn places(text: &mut String, summary: &Summary, world: &WorldFacts) {
    let width = |place: &WorldPlacement| place.placement.len().max(14) + 2;
    let row = |text: &mut String, name: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells = world.placements.iter().zip(cells).map(|(place, cell)| format!("{cell:>0$}", width(place)));
        let _ = writeln!(text, "{}", format!("{name:16}{}", cells.collect::<String>()).trim_end());
    };
    let _ = writeln!(text);
    row(text, "by placement", &mut world.placements.iter().map(|place| place.placement.clone()));
    row(text, "(decisions)", &mut world.placements.iter().map(|place| format!("{:.0}", place.decisions)));
    for strategy in &summary.strategies {
        let cell = |at: &AtPlacement| format!("{} {:>6}", maybe(at.mean_reward), share(at.share_of_gain));
        row(text, strategy.name, &mut strategy.placements.iter().map(cell));
    }
    let marks: [(&str, Mark); 3] = [
        ("(uniform)", |place| place.uniform),
        ("(best fixed)", |place| place.best_fixed),
        ("(oracle)", |place| place.oracle),
    ];
    for (name, value) in marks {
        row(text, name, &mut world.placements.iter().map(|place| format!("{} {:6}", number(value(place)), "")));
    }
    let best = world.placements.iter().map(|place| format!("{} {}", place.placement, place.best_fixed_first));
    let _ = writeln!(text, "Best for everybody: {}", best.collect::<Vec<_>>().join(", "));
}

/// What settings of money came to at the placements that have some.
fn money(text: &mut String, summary: &Summary, world: &WorldFacts) {
    for (at, place) in world.placements.iter().enumerate() {
        let Some(set) = money_set(place) else { continue };
        let _ = writeln!(text, "\nMoney at {}, {} each: {set}", place.placement, world.currency);
        let _ = write!(text, "{:16}", "");
        for head in MONEY_HEADS {
            let _ = write!(text, " {head:>15}");
        }
        text.push('\n');
        for strategy in &summary.strategies {
            let Some(cells) = strategy.placements.get(at).and_then(|at| money_cells(place, at)) else { continue };
            let _ = write!(text, "{:16}", strategy.name);
            for cell in cells {
                let _ = write!(text, " {cell:>15}");
            }
            text.push('\n');
        }
    }
}

/// What stands over [`money_cells`].
pub const MONEY_HEADS: [&str; 5] = ["exploring a day", "most", "budget spent", "share reached", "intervention"];

/// What a placement sets about money, as a sentence; nothing where it sets nothing.
pub fn money_set(place: &WorldPlacement) -> Option<String> {
    let budget = place.exploration_budget.map(|budget| format!("exploring may cost {} a day", number(budget)));
    let cheapest = place.cheapest.map(percent);
    let cheapest = cheapest.map(|share| format!("the cheapest that reaches {share} of the best is taken"));
    let set: Vec<String> = budget.into_iter().chain(cheapest).collect();
    (!set.is_empty()).then(|| set.join("; "))
}

/// What exploring cost on a day in the mean and at most, how many decisions came after the budget was spent, the share
/// of the best that the cheapest reached, and discount and cost of showing of a decision.
pub fn money_cells(place: &WorldPlacement, at: &AtPlacement) -> Option<[String; 5]> {
    let money = at.money?;
    let explored = |value: f64| maybe(place.exploration_budget.map(|_| value));
    Some([
        explored(money.explored_a_day),
        explored(money.explored_most),
        share(place.exploration_budget.map(|_| money.over)),
        share(money.reached),
        number(money.intervention),
    ])
}

fn table(text: &mut String, summary: &Summary) {
    let full = summary.log.is_none();
    let _ = write!(text, "{:16} {:>9} {:>8} {:>10}", "strategy", "reward", "se", "se(events)");
    let _ = if full {
        writeln!(text, " {:>9} {:>9} {:>9} {:>9}", "regret", "of gain", "quarter 1", "quarter 4")
    } else {
        writeln!(text, " {:>9}", "matched")
    };
    for strategy in &summary.strategies {
        let _ = write!(
            text,
            "{:16} {:>9} {:>8} {:>10}",
            strategy.name,
            maybe(strategy.mean_reward),
            maybe(strategy.se),
            maybe(strategy.se_events)
        );
        let _ = if full {
            let quarter = |at: usize| maybe(strategy.quarters.get(at).copied().flatten());
            writeln!(
                text,
                " {:>9} {:>9} {:>9} {:>9}",
                maybe(strategy.regret),
                share(strategy.share_of_gain),
                quarter(0),
                quarter(3)
            )
        } else {
            writeln!(text, " {:>9.1}", strategy.matched)
        };
    }
    for (name, value) in yardsticks(summary) {
        let _ = writeln!(text, "{:16} {:>9}", format!("({name})"), maybe(value));
    }
}

/// What needs no learning, by name.
pub fn yardsticks(summary: &Summary) -> Vec<(&'static str, Option<f64>)> {
    match &summary.log {
        None => {
            vec![("uniform", summary.uniform), ("best fixed", summary.best_fixed), ("oracle", summary.oracle)]
        }
        Some(log) => vec![("the log", Some(log.value))],
    }
}

/// All that a strategy was given.
pub fn settings(strategy: &Compared) -> String {
    strategy.settings.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
}

/// A number, or a dash.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), number)
}

/// A share in whole percent, or a dash.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), percent)
}

/// A share in whole percent.
pub fn percent(share: f64) -> String {
    // Never minus zero.
    format!("{:.0} %", (share * 100.0).round() + 0.0)
}

/// Names told one by one; what is left is counted.
const NAMES_MAX: usize = 16;

/// Names, or that there are none.
pub fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let told = names.get(..names.len() - more).unwrap_or_default().join(", ");
    match (names.len(), more) {
        (0, _) => "none".to_owned(),
        (_, 0) => told,
        (_, more) => format!("{told} and {more} more"),
    }
}
