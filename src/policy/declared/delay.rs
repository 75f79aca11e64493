//! Delays of a placement: from `delay` in `placements.yaml` to curves. Fits none.

use crate::domain::{Curve, CurveError, Delay, DelayStep, OfferCurve, OfferId, Span};
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::syntax::Node;

/// Every step is an event of its own for the learner.
const STEPS_MAX: usize = 16;

/// Reads `delay`, whose curves end within the window of the objective.
pub(in crate::policy) fn read(report: &mut Report<'_>, what: &str, node: &Node, window: Span) -> Option<Delay> {
    let fields = Fields::open(report, format!("{what}: delay"), node, &["version", "steps", "offers"], &[])?;
    let what = fields.what.as_str();
    let version = fields
        .need(report, "version", "version: 1")
        .and_then(|node| read::whole(report, what, node, 1, u32::from(u16::MAX)));
    let curve = steps(report, &fields, window);
    let mut offers: Vec<OfferCurve> = Vec::new();
    let mut whole = true;
    if let Some(node) = fields.get("offers") {
        for item in read::list(report, what, node)? {
            match of_offers(report, what, item, window) {
                Some((names, curve)) => {
                    for offer in names {
                        if offers.iter().any(|own| own.offer == offer) {
                            let message = format!("{what}: offer `{offer}` has two curves");
                            report
                                .add(codes::DELAY_CURVE, item.place, message, "the second")
                                .with_help("name each offer once");
                            return None;
                        }
                        offers.push(OfferCurve { offer, curve: curve.clone() });
                    }
                }
                None => whole = false,
            }
        }
    }
    offers.sort_by(|a, b| a.offer.cmp(&b.offer));
    Some(Delay { version: version?, curve: curve?, offers }).filter(|_| whole)
}

fn of_offers(report: &mut Report<'_>, what: &str, node: &Node, window: Span) -> Option<(Vec<OfferId>, Curve)> {
    let fields = Fields::open(report, format!("{what}: offers"), node, &["offers", "steps"], &[])?;
    let names = fields.need(report, "offers", "offers: [sofa]").and_then(|node| {
        let help = "name the offers that have this curve";
        read::list_of(report, &fields.what, node, help, |report, node| {
            read::parsed(report, &fields.what, node, "an offer id", OfferId::new)
        })
    });
    let curve = steps(report, &fields, window);
    Some((names?, curve?))
}

fn steps(report: &mut Report<'_>, fields: &Fields<'_>, window: Span) -> Option<Curve> {
    let what = fields.what.as_str();
    let node = fields.need(report, "steps", "steps: [{age: 10m, share: 31%}, {age: 7d, share: 100%}]")?;
    let items = read::list(report, what, node)?;
    if items.len() > STEPS_MAX {
        let message = format!("{what}: {} steps", items.len());
        report
            .add(codes::DELAY_CURVE, node.place, message, "too many")
            .with_help(format!("each costs a learning event of every decision; {STEPS_MAX} at most, six are enough"));
        return None;
    }
    let read: Vec<Option<DelayStep>> = items.iter().map(|item| step(report, what, item)).collect();
    let steps: Vec<DelayStep> = read.into_iter().collect::<Option<_>>()?;
    let curve = Curve::new(steps, window);
    if let Err(error) = curve {
        let (at, help) = match error {
            CurveError::Empty => (None, "write `{age: 7d, share: 100%}`, or leave `delay` out".to_owned()),
            CurveError::AgeNotRising(at) => (Some(at), "order the steps by age, each age once".to_owned()),
            CurveError::ShareNotRising(at) => {
                (Some(at), "a share says how much has come by then in all: it rises, from above 0%".to_owned())
            }
            CurveError::BehindWindow(at) => {
                (Some(at), format!("an order later than `window: {window}` counts for nothing: end by then"))
            }
            CurveError::Unfinished(at) => {
                let all = "end at `share: 100%`; only a step at the end of the window may say less";
                (Some(at), format!("{all}: `age: {window}`, where so much of all orders comes in time"))
            }
        };
        let place = at.and_then(|at| items.get(at)).map_or(node.place, |item| item.place);
        report.add(codes::DELAY_CURVE, place, format!("{what}: {error}"), "no curve").with_help(help);
    }
    curve.ok()
}

fn step(report: &mut Report<'_>, what: &str, node: &Node) -> Option<DelayStep> {
    let fields = Fields::open(report, format!("{what}: step"), node, &["age", "share"], &[])?;
    let what = fields.what.as_str();
    let age = fields
        .need(report, "age", "age: 10m")
        .and_then(|node| read::parsed(report, what, node, "a span such as `10m`, or `0s`", Span::parse));
    let share = fields.need(report, "share", "share: 31%").and_then(|node| read::percent(report, what, node));
    Some(DelayStep { age: age?, share: share? })
}
