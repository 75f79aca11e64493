//! Warnings about limits: a floor under a higher one, a cap that a wider cap keeps from its limit, and the like.
//! Looks at no condition; what leaves out more is asked of [`covers`](super::covers).

use super::{CAP_LOOSER, DUPLICATE, Found, Ground, SHADOWED, covers, place, scope, written};
use crate::policy::kinds::pools::{Pool, PoolAmount, PoolWindow};
use crate::policy::rules::{Rule, RuleKind};

pub(super) fn find(ground: &Ground<'_>, found: &mut Found<'_>) {
    let rules: Vec<&Rule> = written(ground.bundle).filter(|rule| rule.blocks()).collect();
    for (at, a) in rules.iter().enumerate() {
        for b in rules.iter().skip(at + 1) {
            let (first, second) = if a.place <= b.place { (a, b) } else { (b, a) };
            let wider = |wide: &Rule, narrow: &Rule| scope::contains(wide, narrow) && covers(wide, narrow);
            let id = |rule: &Rule| format!("`{}`", rule.id);
            match (wider(first, second), wider(second, first)) {
                (false, false) => {}
                (true, true) => {
                    let message = format!("rule {} says the same as {}", id(second), id(first));
                    let help = format!("{} stands at {}: keep one of them", id(first), place(first));
                    found.add(DUPLICATE, second, message, "again", help);
                }
                (over, _) => {
                    let (wide, narrow) = if over { (first, second) } else { (second, first) };
                    tell(wide, narrow, found);
                }
            }
            kept_out(first, second, found);
            kept_out(second, first, found);
        }
    }
}

fn tell(wide: &Rule, narrow: &Rule, found: &mut Found<'_>) {
    let (id, other, at) = (&narrow.id, &wide.id, place(wide));
    if let (RuleKind::FrequencyCap(wider), RuleKind::FrequencyCap(cap)) = (&wide.kind, &narrow.kind) {
        let message = format!(
            "cap `{id}` of {} in {} never comes to its limit: `{other}` allows {} in {}",
            cap.max, cap.window, wider.max, wider.window
        );
        let help = format!("`{other}` stands at {at}: lower `max` of `{id}`, or remove it");
        found.add(CAP_LOOSER, narrow, message, "looser than a wider cap", help);
        return;
    }
    if let (RuleKind::Budgeted(wider) | RuleKind::Stocked(wider), RuleKind::Budgeted(pool) | RuleKind::Stocked(pool)) =
        (&wide.kind, &narrow.kind)
    {
        let message =
            format!("`{id}` of {} never comes to its limit: `{other}` gives out {}", pooled(pool), pooled(wider));
        let help = format!("`{other}` stands at {at}: lower `{id}`, or remove it");
        found.add(CAP_LOOSER, narrow, message, "looser than a wider one", help);
        return;
    }
    let (its, others) = match &narrow.kind {
        RuleKind::PurposeGate(_) => ("what it refuses", "refuses as well"),
        RuleKind::Override(_) => ("what it does", "does as well"),
        _ => ("what it leaves out", "leaves out as well"),
    };
    let message = format!("rule `{id}` changes nothing: {its}, `{other}` {others}");
    let help = format!("`{other}` stands at {at} and is stricter everywhere that `{id}` applies: remove one of them");
    found.add(SHADOWED, narrow, message, "changes nothing", help);
}

/// How much a pool gives out, in words: `2000.00 USD a month`.
fn pooled(pool: &Pool) -> String {
    let amount = match pool.amount {
        PoolAmount::Units(1) => "1 unit".to_owned(),
        PoolAmount::Units(units) => format!("{units} units"),
        PoolAmount::Money(money) => money.to_string(),
    };
    match pool.window {
        PoolWindow::Lifetime => format!("{amount} in all"),
        PoolWindow::Calendar(unit, _) => format!("{amount} a {}", unit.name()),
    }
}

/// Warns of a rule about categories that another keeps out altogether: there is nothing left for it to leave out.
fn kept_out(wide: &Rule, narrow: &Rule, found: &mut Found<'_>) {
    let RuleKind::CategoryExclusion(exclusion) = &wide.kind else { return };
    let about = narrow.applies_to.categories.as_deref().unwrap_or_default();
    let none_left = !about.is_empty() && about.iter().all(|category| exclusion.categories.contains(category));
    // Two of the kind are compared by what they name.
    let two = matches!(narrow.kind, RuleKind::CategoryExclusion(_));
    if !none_left || two || exclusion.is_about_persons() || !scope::contains(wide, narrow) {
        return;
    }
    let (id, other) = (&narrow.id, &wide.id);
    let message = format!("rule `{id}` changes nothing: what it leaves out, `{other}` leaves out as well");
    let names = about.iter().map(|category| format!("`{category}`")).collect::<Vec<_>>().join(", ");
    let help = format!("`{other}` stands at {} and keeps {names} out altogether: remove one of them", place(wide));
    found.add(SHADOWED, narrow, message, "changes nothing", help);
}
