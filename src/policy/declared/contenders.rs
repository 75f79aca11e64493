//! Contenders of a placement: from `strategy` and `challengers` in `placements.yaml` to strategies with their
//! settings. Gives no customer to any of them.

use std::collections::BTreeMap;

use crate::domain::{Challenger, ChallengerId, Contender, Percent, Prior, Strategy};
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::syntax::Node;

/// Exploration mass where none is given.
const EXPLORATION_DEFAULT: f64 = 0.05;

/// Strategies that begin a variant as its category where no `prior` is given, since they earn more so; all others begin
/// with nothing (`src/docs/cold_start.md`).
const BEGIN_AS_CATEGORY: [&str; 3] = ["thompson_linear", "thompson_beta", "linucb"];

/// The longest half-life, in days.
const HALF_LIFE_DAYS_MAX: u32 = 365;

/// What reports call the one that decides where no challenger does.
const CHAMPION: &str = "champion";

/// What every strategy may be given.
const SHARED: [&str; 4] = ["name", "exploration", "lambda", "prior"];

/// A setting that only some strategies have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Particular {
    /// Whose.
    pub strategies: &'static [&'static str],
    /// Its name in `placements.yaml`.
    pub name: &'static str,
    default: f64,
    /// From the least to the largest, both included; `whole` where nothing lies between whole numbers.
    range: (f64, f64),
    whole: bool,
    /// What it is, as messages and documents say it.
    pub meaning: &'static str,
}

/// Settings that only some strategies have, with what they are where none is given.
pub(crate) const PARTICULAR: [Particular; 6] = [
    Particular {
        strategies: &["linucb", "linucb_hybrid"],
        name: "alpha",
        default: 1.0,
        range: (0.0, 100.0),
        whole: false,
        meaning: "a width",
    },
    Particular {
        strategies: &["linucb_randomised"],
        name: "widths",
        default: 20.0,
        range: (2.0, 64.0),
        whole: true,
        meaning: "a number of widths",
    },
    Particular {
        strategies: &["linucb_randomised"],
        name: "width_max",
        default: 2.0,
        range: (0.0, 100.0),
        whole: false,
        meaning: "a largest width",
    },
    Particular {
        strategies: &["squarecb"],
        name: "gamma_scale",
        default: 100.0,
        range: (1e-3, 1e6),
        whole: false,
        meaning: "a factor of gaps",
    },
    Particular {
        strategies: &["squarecb"],
        name: "gamma_exponent",
        default: 0.5,
        range: (0.0, 1.0),
        whole: false,
        meaning: "a power of what was learned",
    },
    Particular {
        strategies: &["bagged_linear"],
        name: "bags",
        default: 10.0,
        range: (2.0, 64.0),
        whole: true,
        meaning: "a number of models",
    },
];

/// What the settings of a strategy may be, whichever it is.
pub(in crate::policy) fn settings() -> Vec<&'static str> {
    SHARED.into_iter().chain(PARTICULAR.iter().map(|setting| setting.name)).collect()
}

/// Reads `strategy`: the champion, and the half-life of what all contenders learn.
pub(in crate::policy) fn champion(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
) -> Option<(Contender, Option<u32>)> {
    let known: Vec<&str> = settings().into_iter().chain(["half_life"]).collect();
    let fields = Fields::open(report, format!("{what}: strategy"), node, &known, &[])?;
    let half_life = fields.get("half_life").map_or(Some(None), |node| half_life(report, &fields.what, node).map(Some));
    let champion = contender(report, &fields);
    Some((champion?, half_life?))
}

/// Reads `challengers`; their shares may not leave the champion without anybody.
pub(in crate::policy) fn challengers(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Vec<Challenger>> {
    let (mut challengers, mut declared) = (Vec::new(), Declared::default());
    let items = read::list(report, what, node)?;
    for item in items {
        let title = format!("{what}: challenger");
        let Some(fields) = Fields::open(report, title, item, &["id", "share", "strategy"], &[]) else { continue };
        let id = ("challenger", "a challenger id", "id: bolder");
        let id = declare::declare(report, &fields, id, |text| ChallengerId::new(text), &mut declared);
        if let Some(node) = fields.get("id").filter(|_| id.as_ref().is_some_and(|id| id.as_str() == CHAMPION)) {
            let message = format!("{}: a challenger cannot be called `{CHAMPION}`", fields.what);
            report
                .add(codes::CHAMPION, node.place, message, "the champion's name")
                .with_help("reports call the strategy of the placement itself so; name this one by what it tries");
        }
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
            let fields = Fields::open(report, format!("{}: strategy", fields.what), node, &settings(), &[])?;
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
            Some(name @ ("linucb" | "linucb_hybrid" | "epsilon_greedy")) if mass <= 0.0 => {
                let instead = if name.starts_with("linucb") { "thompson_linear" } else { "greedy" };
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
    let lambda = fields
        .get("lambda")
        .map_or(Some(1.0), |node| read::number(report, what, node, 1e-3, 1e6, "a ridge prior from 0.001 to 1000000"));
    let begins = name.filter(|name| BEGIN_AS_CATEGORY.contains(name)).map_or(Prior::None, |_| Prior::Category);
    let prior = fields.get("prior").map_or(Some(begins), |node| {
        let named = read::choice(report, what, node, "prior", &Prior::NAMES, &[])?;
        Some(if named == "none" { Prior::None } else { Prior::Category })
    });
    let particular = particular(report, fields, name);
    let strategy = strategy(name?, &particular?);
    Some(Contender { strategy, lambda: lambda?, exploration: exploration?, prior: prior? })
}

/// Reads the settings that the strategy has and others have not, and refuses those that it has not.
fn particular(report: &mut Report<'_>, fields: &Fields<'_>, name: Option<&str>) -> Option<BTreeMap<&'static str, f64>> {
    let (what, mut values, mut complete) = (fields.what.as_str(), BTreeMap::new(), true);
    for Particular { strategies, name: setting, default, range: (low, high), whole, meaning } in PARTICULAR {
        let own = name.is_some_and(|name| strategies.contains(&name));
        let Some(node) = fields.get(setting) else {
            values.extend(own.then_some((setting, default)));
            continue;
        };
        if name.is_some() && !own {
            let has = if strategies.len() == 1 { "has" } else { "have" };
            let message = format!("{what}: only {} {has} {meaning} `{setting}`", strategies.join(" and "));
            report
                .add(codes::SETTING_UNUSED, node.place, message, "not used")
                .with_help(format!("remove it, or write `name: {}`", strategies.first().unwrap_or(&"")));
        }
        let expected = format!("{} from {low} to {high}", if whole { "a whole number" } else { meaning });
        match read::number(report, what, node, low, high, &expected) {
            Some(value) if whole && value.fract() != 0.0 => {
                read::out_of_range(report, what, node, &expected);
                complete = false;
            }
            Some(value) => values.extend(own.then_some((setting, value))),
            None => complete = false,
        }
    }
    complete.then_some(values)
}

/// The strategy of a name with the settings that it has.
fn strategy(name: &str, settings: &BTreeMap<&'static str, f64>) -> Strategy {
    let of = |setting: &str| settings.get(setting).copied().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within its range")]
    let whole = |setting: &str| of(setting) as u8;
    match name {
        "thompson_beta" => Strategy::ThompsonBeta,
        "thompson_logistic" => Strategy::ThompsonLogistic,
        "linucb" => Strategy::Linucb { alpha: of("alpha") },
        "linucb_hybrid" => Strategy::LinucbHybrid { alpha: of("alpha") },
        "linucb_randomised" => {
            Strategy::LinucbRandomised { widths: whole("widths").into(), width_max: of("width_max") }
        }
        "squarecb" => Strategy::Squarecb { gamma_scale: of("gamma_scale"), gamma_exponent: of("gamma_exponent") },
        "bagged_linear" => Strategy::BaggedLinear { bags: whole("bags") },
        "greedy" => Strategy::Greedy,
        "epsilon_greedy" => Strategy::EpsilonGreedy,
        "uniform" => Strategy::Uniform,
        _ => Strategy::ThompsonLinear,
    }
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
    use super::{PARTICULAR, Particular};
    use crate::domain::{Placement, Prior, Strategy};
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
        assert_eq!(strategy("name: linucb_hybrid, alpha: 2"), (Strategy::LinucbHybrid { alpha: 2.0 }, 0.05));
    }

    #[test]
    fn a_variant_begins_as_its_category_with_the_strategies_that_earn_more_so_and_otherwise_where_it_is_said() {
        let prior = |text: &str| Ok::<_, String>(compiled(&format!("strategy: {{{text}}}"))?.champion.prior);
        for name in Strategy::NAMES {
            let earns_more = ["thompson_linear", "thompson_beta", "linucb"].contains(&name);
            let begins = if earns_more { Prior::Category } else { Prior::None };
            assert_eq!(prior(&format!("name: {name}")), Ok(begins), "{name}");
            for said in [Prior::Category, Prior::None] {
                assert_eq!(prior(&format!("name: {name}, prior: {}", said.name())), Ok(said), "{name}");
            }
        }
        let mistake = prior("name: linucb, prior: offer").unwrap_err();
        assert!(mistake.contains("category") && mistake.contains("none"), "{mistake}");
    }

    #[test]
    fn a_setting_of_one_strategy_is_read_there_and_refused_at_every_other() {
        for (Particular { strategies, name, default, range: (low, high), whole, .. }, owner) in
            PARTICULAR.into_iter().flat_map(|setting| setting.strategies.iter().map(move |owner| (setting, *owner)))
        {
            let settings = |text: &str| strategy(text).0.settings();
            let of = |text: &str| settings(text).into_iter().find(|(setting, _)| *setting == name).unwrap().1;
            assert_eq!(of(&format!("name: {owner}")), default);
            for value in [low, high] {
                assert_eq!(of(&format!("name: {owner}, {name}: {value}")), value);
            }
            let refused = |text: &str| compiled(&format!("strategy: {{{text}}}")).unwrap_err();
            for value in [low - 1.0, high + 1.0] {
                let findings = refused(&format!("name: {owner}, {name}: {value}"));
                assert!(findings.contains(&format!("from {low} to {high}")), "{findings}");
            }
            if whole {
                let findings = refused(&format!("name: {owner}, {name}: {}", low + 0.5));
                assert!(findings.contains("a whole number from"), "{findings}");
            }
            for other in Strategy::NAMES.into_iter().filter(|other| !strategies.contains(other)) {
                let findings = refused(&format!("name: {other}, {name}: {high}"));
                assert!(findings.contains(&format!("remove it, or write `name: {}`", strategies[0])), "{findings}");
            }
        }
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
        check(&of("champion", "1%"), "challenger: a challenger cannot be called `champion`");
    }
}
