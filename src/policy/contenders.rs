//! Contenders of a placement: from `strategy` and `challengers` in `placements.yaml` to strategies with their
//! settings. Gives no customer to any of them.

use super::codes;
use super::declare::{self, Declared};
use super::finding::Report;
use super::read::{self, Fields};
use super::syntax::Node;
use crate::domain::{Challenger, ChallengerId, Contender, Percent, Strategy};

/// Exploration mass where none is given.
const EXPLORATION_DEFAULT: f64 = 0.05;

/// The longest half-life, in days.
const HALF_LIFE_DAYS_MAX: u32 = 365;

/// What the settings of a strategy may be, whichever it is.
const SETTINGS: [&str; 4] = ["name", "exploration", "alpha", "lambda"];

/// Reads `strategy`: the champion, and the half-life of what all contenders learn.
pub(super) fn champion(report: &mut Report<'_>, what: &str, node: &Node) -> Option<(Contender, Option<u32>)> {
    let known: Vec<&str> = SETTINGS.into_iter().chain(["half_life"]).collect();
    let fields = Fields::open(report, format!("{what}: strategy"), node, &known, &[])?;
    let half_life = fields.get("half_life").map_or(Some(None), |node| half_life(report, &fields.what, node).map(Some));
    let champion = contender(report, &fields);
    Some((champion?, half_life?))
}

/// Reads `challengers`; their shares may not leave the champion without anybody.
pub(super) fn challengers(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Vec<Challenger>> {
    let (mut challengers, mut declared) = (Vec::new(), Declared::default());
    let items = read::list(report, what, node)?;
    for item in items {
        let title = format!("{what}: challenger");
        let Some(fields) = Fields::open(report, title, item, &["id", "share", "strategy"], &[]) else { continue };
        let id = ("challenger", "a challenger id", "id: bolder");
        let id = declare::declare(report, &fields, id, |text| ChallengerId::new(text), &mut declared);
        let share = fields.need(report, "share", "share: 10%").and_then(|node| {
            let share = read::percent(report, &fields.what, node)?;
            if !(1..10_000).contains(&share.0) {
                read::out_of_range(report, &fields.what, node, "a share above 0% and below 100%");
                return None;
            }
            Some(share)
        });
        let strategy = fields.need(report, "strategy", "strategy: {name: linucb}").and_then(|node| {
            // What is learned is learned for all of them, so that it fades alike for all: no half-life here.
            let fields = Fields::open(report, format!("{}: strategy", fields.what), node, &SETTINGS, &[])?;
            contender(report, &fields)
        });
        if let (Some(id), Some(share), Some(contender)) = (id, share, strategy) {
            challengers.push(Challenger { id, share, contender });
        }
    }
    let all: i32 = challengers.iter().map(|challenger| challenger.share.0).sum();
    if all >= 10_000 {
        let message = format!("{what}: the challengers have {} of the customers together", Percent(all));
        report
            .add(codes::SHARES, node.place, message, "100% and more")
            .with_help("leave a part for the champion, which `strategy` names");
        return None;
    }
    (challengers.len() == items.len()).then_some(challengers)
}

fn contender(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<Contender> {
    let what = fields.what.as_str();
    let name = fields
        .need(report, "name", "name: thompson_linear")
        .and_then(|node| read::choice(report, what, node, "strategy", &Strategy::NAMES, &[]));
    let default = if name == Some("greedy") { 0.0 } else { EXPLORATION_DEFAULT };
    let exploration = fields.get("exploration").map_or(Some(default), |node| {
        let mass = read::number(report, what, node, 0.0, 1.0, "a share from 0 to 1")?;
        match name {
            Some(name @ ("linucb" | "epsilon_greedy")) if mass <= 0.0 => {
                let instead = if name == "linucb" { "thompson_linear" } else { "greedy" };
                report
                    .add(
                        codes::EXPLORATION_ZERO,
                        node.place,
                        format!("{what}: {name} needs exploration above 0"),
                        "zero",
                    )
                    .with_help(format!(
                        "{name} alone always takes the same candidate, so that nothing could be estimated later; \
                         write `exploration: 0.05` or choose {instead}"
                    ));
                None
            }
            _ => Some(mass),
        }
    });
    let alpha = fields.get("alpha").map_or(Some(1.0), |node| {
        if name.is_some_and(|name| name != "linucb") {
            report
                .add(codes::ALPHA_UNUSED, node.place, format!("{what}: only linucb has a width `alpha`"), "not used")
                .with_help("remove it, or write `name: linucb`");
        }
        read::number(report, what, node, 0.0, 100.0, "a width from 0 to 100")
    });
    let lambda = fields
        .get("lambda")
        .map_or(Some(1.0), |node| read::number(report, what, node, 1e-3, 1e6, "a ridge prior from 0.001 to 1000000"));
    let strategy = match name? {
        "thompson_beta" => Strategy::ThompsonBeta,
        "thompson_logistic" => Strategy::ThompsonLogistic,
        "linucb" => Strategy::Linucb { alpha: alpha? },
        "greedy" => Strategy::Greedy,
        "epsilon_greedy" => Strategy::EpsilonGreedy,
        "uniform" => Strategy::Uniform,
        _ => Strategy::ThompsonLinear,
    };
    Some(Contender { strategy, lambda: lambda?, exploration: exploration? })
}

fn half_life(report: &mut Report<'_>, what: &str, node: &Node) -> Option<u32> {
    let span = read::span(report, what, node)?;
    let days = span.whole_days().filter(|days| (1..=HALF_LIFE_DAYS_MAX).contains(days));
    if days.is_none() {
        read::out_of_range(report, what, node, "whole days from `1d` to `365d`");
    }
    days
}

#[cfg(test)]
mod tests {
    use crate::domain::{Placement, Strategy};
    use crate::policy::{Source, compile};

    fn compiled(text: &str) -> Result<Placement, String> {
        let file = |path: &str, text: String| Source { path: path.to_owned(), text };
        let bundle = compile(&[
            file("bundle.yaml", "name: sample\nschema: 1\n".into()),
            file("catalog/attributes.yaml", "attributes: []\n".into()),
            file(
                "catalog/purposes.yaml",
                "purposes:\n  - {id: p, dpv: ProvideProductRecommendations, bases: {US: [consent]}}\n".into(),
            ),
            file(
                "placements.yaml",
                format!(
                    "placements:\n  - id: home\n    channel: web\n    purpose: p\n    currency: USD\n    objective: \
                     {{kind: margin, window: 7d, reward_cap: 200.00}}\n    {text}\n    \
                     fallback: {{offer: house, variant: a}}\n"
                ),
            ),
        ])
        .map_err(|findings| findings.iter().map(ToString::to_string).collect::<String>())?;
        Ok(bundle.placement("home").unwrap().clone())
    }

    fn strategy(text: &str) -> (Strategy, f64) {
        let placement = compiled(&format!("strategy: {{{text}}}")).unwrap_or_else(|findings| panic!("{findings}"));
        (placement.champion.strategy, placement.champion.exploration)
    }

    #[test]
    fn every_strategy_is_read_by_its_name_and_explores_unless_it_is_greedy() {
        for name in Strategy::NAMES {
            let (read, exploration) = strategy(&format!("name: {name}"));
            assert_eq!(read.name(), name);
            assert_eq!(exploration, if name == "greedy" { 0.0 } else { 0.05 }, "{name}");
        }
        assert_eq!(strategy("name: greedy, exploration: 0.2"), (Strategy::Greedy, 0.2));
        assert_eq!(strategy("name: epsilon_greedy, exploration: 0.2"), (Strategy::EpsilonGreedy, 0.2));
        assert_eq!(strategy("name: linucb, alpha: 2"), (Strategy::Linucb { alpha: 2.0 }, 0.05));
    }

    #[test]
    fn challengers_have_their_shares_and_their_own_settings() {
        let text = "strategy: {name: thompson_linear, half_life: 60d}\n    challengers:\n      - {id: bolder, share: \
                    12.5%, strategy: {name: linucb, alpha: 2, lambda: 3}}\n      - {id: plain, share: 1%, strategy: \
                    {name: greedy}}";
        let placement = compiled(text).unwrap();
        let told = placement.challengers.iter().map(|it| (it.id.as_str(), it.share.0, it.contender.strategy.name()));
        assert_eq!(told.collect::<Vec<_>>(), [("bolder", 1_250, "linucb"), ("plain", 100, "greedy")]);
        assert_eq!(placement.contenders().map(|it| it.lambda).collect::<Vec<_>>(), [1.0, 3.0, 1.0]);
        assert_eq!(placement.half_life_days, Some(60));
    }

    #[test]
    fn challengers_leave_the_champion_its_part_and_have_no_half_life_of_their_own() {
        let check = |challengers: &str, expected: &str| {
            let text = format!("strategy: {{name: thompson_linear}}\n    challengers: [{challengers}]");
            let findings = compiled(&text).unwrap_err();
            assert!(findings.contains(expected), "{findings}");
        };
        let of = |id: &str, share: &str| format!("{{id: {id}, share: {share}, strategy: {{name: greedy}}}}");
        let both = [of("one", "60%"), of("two", "40%")].join(", ");
        check(&both, "the challengers have 100% of the customers together");
        check(&of("one", "0%"), "a share above 0% and below 100%");
        check(&[of("one", "1%"), of("one", "1%")].join(", "), "challenger `one` is declared twice");
        check("{id: one, share: 1%, strategy: {name: greedy, half_life: 3d}}", "half_life");
    }
}
