//! Verdicts: whether what was measured for a gate is what the gate asks for, in a sentence. Measures nothing.

use super::{Found, GateMeasured, ParityMeasured, ProxyMeasured, scope};
use crate::domain::{AttributeScope, Percent, Placement, Value};
use crate::policy::{Bundle, FairnessAsk, FairnessGate, Measure, Rule};

/// Whether a gate holds. Whatever is not shown does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds(String),
    /// Too little is known to say.
    TooLittle(String),
    /// It does not hold, or is not shown to.
    Fails(String),
}

impl Verdict {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Holds(_))
    }

    /// In a few words.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds(_) => "holds",
            Self::TooLittle(_) => "too little data",
            Self::Fails(_) => "does not hold",
        }
    }

    /// Why.
    pub fn sentence(&self) -> &str {
        match self {
            Self::Holds(why) | Self::TooLittle(why) | Self::Fails(why) => why,
        }
    }
}

/// What a gate of a bundle makes of what was measured for it. Its limits are those of the bundle, whatever the report
/// was made with.
pub fn verdict(bundle: &Bundle, (rule, gate): (&Rule, &FairnessGate), measured: &GateMeasured) -> Verdict {
    match (&gate.asks, &measured.found) {
        (FairnessAsk::Parity(measure), Found::Parity(found)) => of_parity(gate, measure, found),
        (FairnessAsk::Proxy(measure), Found::Proxy(found)) => {
            let mut said = Vec::new();
            for placement in scope(bundle, rule) {
                let of_place = found.iter().find(|found| found.placement == placement.id);
                match of_place.map(|found| of_proxy(gate, measure, placement, found)) {
                    Some(Verdict::Holds(why)) => said.push(why),
                    Some(other) => return other,
                    None => return Verdict::TooLittle(format!("nothing was measured at `{}`", placement.id)),
                }
            }
            Verdict::Holds(said.join("; "))
        }
        _ => Verdict::TooLittle("something else was measured for it".to_owned()),
    }
}

/// The first group that is missing or too small.
fn too_small<'a>(
    gate: &FairnessGate,
    measure: &Measure,
    groups: &(impl Iterator<Item = (&'a Value, u64)> + Clone),
) -> Option<Verdict> {
    for value in &gate.groups {
        let customers = groups.clone().find(|(group, _)| *group == value).map_or(0, |(_, customers)| customers);
        if customers < u64::from(measure.group_min) {
            return Some(Verdict::TooLittle(format!(
                "`{} = {value}` has {customers} customers who may be measured, and every group needs {}",
                gate.attribute, measure.group_min
            )));
        }
    }
    None
}

fn of_parity(gate: &FairnessGate, measure: &Measure, found: &ParityMeasured) -> Verdict {
    if let Some(small) = too_small(gate, measure, &found.groups.iter().map(|group| (&group.group, group.customers))) {
        return small;
    }
    let Some(worst) = &found.ratio else {
        let why = "decisions were worth too little, or too unevenly, for a ratio to be told";
        return Verdict::TooLittle(why.to_owned());
    };
    let (ratio, limit, level) = (worst.ratio, measure.limit, measure.interval);
    let told = format!(
        "what decisions are worth to `{}` is {} of what they are worth to `{}`, {level} interval {} to {}",
        worst.least,
        percent(ratio.value),
        worst.most,
        percent(ratio.low),
        percent(ratio.high)
    );
    if ratio.low >= share(limit) {
        Verdict::Holds(format!("{told}: at least {limit} is asked for"))
    } else if ratio.high < share(limit) {
        Verdict::Fails(format!("{told}: less than the {limit} asked for"))
    } else {
        Verdict::Fails(format!("{told}: not shown to be at least {limit}; more customers make the interval narrower"))
    }
}

fn of_proxy(gate: &FairnessGate, measure: &Measure, placement: &Placement, found: &ProxyMeasured) -> Verdict {
    let id = &placement.id;
    let of_people = |atom: &crate::domain::FeatureAtom| {
        atom.attribute.as_ref().is_none_or(|attribute| attribute.scope() != AttributeScope::Offer)
    };
    if !placement.features.iter().flat_map(|feature| &feature.atoms).any(of_people) {
        return Verdict::Holds(format!("at `{id}` no feature says anything of customers"));
    }
    if let Some(small) = too_small(gate, measure, &found.groups.iter().map(|group| (&group.group, group.customers))) {
        return match small {
            Verdict::TooLittle(why) => Verdict::TooLittle(format!("at `{id}` {why}")),
            other => other,
        };
    }
    if let Some(unknown) = found.unknown.first() {
        return Verdict::TooLittle(format!(
            "at `{id}` the feature `{unknown}` is known of fewer than {} of the customers measured: nothing says what \
             it would tell",
            measure.group_min
        ));
    }
    let worst = found.groups.iter().filter_map(|group| Some((&group.group, group.auc?)));
    let Some((group, auc)) = worst.max_by(|a, b| a.1.high.total_cmp(&b.1.high)) else {
        return Verdict::TooLittle(format!("at `{id}` nothing was measured"));
    };
    let (limit, level) = (measure.limit, measure.interval);
    let told = format!(
        "at `{id}` features tell `{} = {group}` from the others with an AUC of {}, {level} interval {} to {}",
        gate.attribute,
        percent(auc.value),
        percent(auc.low),
        percent(auc.high)
    );
    if auc.high <= share(limit) {
        Verdict::Holds(format!("{told}: at most {limit} is asked for"))
    } else if auc.low > share(limit) {
        Verdict::Fails(format!("{told}: more than the {limit} asked for"))
    } else {
        Verdict::Fails(format!("{told}: not shown to be at most {limit}; more customers make the interval narrower"))
    }
}

fn share(limit: Percent) -> f64 {
    f64::from(limit.0) / 10_000.0
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}
