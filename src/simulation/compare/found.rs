//! What was found, in sentences for people, and what to know of the numbers. Computes no number of its own.

use super::summary::{Compared, Summary, WorldFacts};

/// A number with as many decimals as its size needs.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// What was found, the best strategy first. What is no better than uniform or worse than greedy is said plainly.
pub(in crate::simulation) fn found(summary: &Summary) -> Vec<String> {
    let mut ranked: Vec<(&Compared, f64)> =
        summary.strategies.iter().filter_map(|strategy| strategy.mean_reward.map(|mean| (strategy, mean))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut found = Vec::new();
    if let Some((best, mean)) = ranked.first() {
        let gain = best.share_of_gain.map(|share| {
            format!(
                ", {:.0} % of the way from uniform ({}) to the oracle ({})",
                share * 100.0,
                number(summary.uniform.unwrap_or(0.0)),
                number(summary.oracle.unwrap_or(0.0))
            )
        });
        let none_apart = summary.log.is_some()
            && summary.strategies.iter().all(|one| one.vs_uniform.is_none_or(|against| !against.is_more()));
        if none_apart {
            found.push(format!(
                "Of {} events so few counted ({:.0} in a play of `{}`) that no strategy can be told from uniform.",
                summary.events, best.matched, best.name
            ));
        }
        found.push(format!("`{}` earned most: {} a decision{}.", best.name, number(*mean), gain.unwrap_or_default()));
        if let Some(fixed) = summary.best_fixed {
            let what = match (&summary.world, &summary.best_fixed_first) {
                (None, first) => format!(
                    "the best fixed order, which knows all rewards and begins with `{}`",
                    first.as_deref().unwrap_or_default()
                ),
                (Some(_), _) => {
                    "showing everybody the offer that is best at each placement, which knows the truth".into()
                }
            };
            found.push(best_fixed(best.name, *mean, fixed, &what));
        }
    }
    for (strategy, _) in ranked {
        found.extend(Some(against(strategy).join(" ")).filter(|told| !told.is_empty()));
    }
    for strategy in summary.strategies.iter().filter(|strategy| strategy.mean_reward.is_none()) {
        found.push(format!("`{}` never drew what was logged: nothing can be said of it.", strategy.name));
    }
    found
}

fn best_fixed(name: &str, mean: f64, fixed: f64, what: &str) -> String {
    let fixed = number(fixed);
    if number(mean) == fixed {
        format!("That equals {what}.")
    } else if mean > fixed.parse().unwrap_or(f64::NAN) {
        format!("`{name}` earned more than {what}: {fixed}.")
    } else {
        format!("No strategy earned as much as {what}: {fixed}.")
    }
}

fn against(strategy: &Compared) -> Vec<String> {
    let name = strategy.name;
    let mut told = Vec::new();
    if let Some(against) = strategy.vs_uniform.filter(|_| name != "uniform") {
        let by = format!("{} (standard error {})", number(against.difference.abs()), number(against.se));
        told.push(if against.is_more() {
            format!("`{name}` is better than uniform by {by}.")
        } else if against.is_less() {
            format!("`{name}` is worse than uniform by {by}.")
        } else {
            format!(
                "`{name}` is no better than uniform: the difference, {}, is within two standard errors of {}.",
                number(against.difference),
                number(against.se)
            )
        });
    }
    if let Some(against) = strategy.vs_greedy.filter(|_| name != "uniform") {
        let by = format!("{} (standard error {})", number(against.difference.abs()), number(against.se));
        told.push(if against.is_more() {
            format!("`{name}` is better than greedy by {by}.")
        } else if against.is_less() {
            format!("`{name}` is worse than greedy by {by}.")
        } else {
            format!(
                "`{name}` and greedy cannot be told apart: the difference, {}, is within two standard errors of {}.",
                number(against.difference),
                number(against.se)
            )
        });
    }
    if strategy.alarms > 0 {
        told.push(format!("`{name}`: the statistics of an arm made no posterior {} times.", strategy.alarms));
    }
    told
}

/// What to know of the numbers. `between` says that some reward lies between the ends of the range.
pub(in crate::simulation) fn notes(summary: &Summary, between: bool) -> Vec<String> {
    let mut notes = Vec::new();
    match &summary.log {
        None => notes.push("Each strategy learned from the rewards of its own choices only.".to_owned()),
        Some(log) => {
            notes.push(
                "Replay by rejection: an event counts, and is learned from, when the strategy draws what was logged."
                    .to_owned(),
            );
            let (least, largest) = log.propensity_times_candidates;
            notes.push(if log.uniform {
                "Every candidate had been logged with the same probability, so the means are unbiased.".to_owned()
            } else {
                format!(
                    "WARNING: candidates were logged with unequal probabilities ({} to {} times 1/K), so the means are \
                     biased towards what was shown often; use importance weights for this log.",
                    number(least),
                    number(largest)
                )
            });
            match log.slots {
                Some("context") => notes.push("The slot is one more value of the context, `slot`.".to_owned()),
                Some(_) => notes.push("The slot is ignored.".to_owned()),
                None => {}
            }
        }
    }
    if let Some(range) = &summary.range {
        let found = if range.declared { "as declared" } else { "as found in the whole file, which looks ahead" };
        notes.push(format!("Rewards from {} to {} are learned as 0 to 1, {found}.", range.low, range.high));
    }
    if between {
        notes.push(
            "Rewards between are learned as a part of an acceptance; the noise variance is then judged too large, \
             never too small."
                .to_owned(),
        );
    }
    notes.push(
        "Names, means and scales of the context's values were declared from the whole file, which looks ahead; \
         rewards were not looked at."
            .to_owned(),
    );
    notes.push("Every offer learns for itself; attributes of offers are not used.".to_owned());
    notes.push("Rewards came at once: delays are not modelled.".to_owned());
    notes.push(
        "Seeds change the numbers drawn and nothing else; all strategies drew the same ones. se is over seeds; \
         se(events) is over the events of the file."
            .to_owned(),
    );
    notes
}

/// What to know of the numbers of a world.
pub(in crate::simulation) fn world_notes(world: &WorldFacts) -> Vec<String> {
    [
        "Rewards are margins, in the mean of all luck and after refunds; realised is what orders brought with the \
         luck that they had.",
        "Each strategy learned from its own choices only, at each placement for itself, as the service does: what is \
         accepted is learned, margins come from the catalogue.",
        if world.delays_known {
            "Orders and refunds arrived when the world says; until then a decision counted as not accepted by the \
             share of its weight that the world's delays give its age."
        } else {
            "Orders and refunds arrived when the world says; until then a decision counted as not accepted."
        },
        "No policies were in here: no margin floor, no cap, no holdout; every offer that runs was a candidate. \
         Customers who refused consent or withdrew it were decided for without their own attributes.",
        "The oracle knows the truth of every visit, tastes that no attribute tells included: it cannot be reached.",
        "Every seed is another crowd with its own luck; all strategies met the same ones. se is over seeds.",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([format!("Posteriors were published once in {} of the world's time.", world.publish)])
    .collect()
}
