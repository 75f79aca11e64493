//! Gates of a purpose: from `purpose_gates` in `rules/*.yaml` to what they say of one request. Judges no offer.

use crate::domain::consent::{ConsentEntry, in_force};
use crate::domain::decision::ConsentReading;
use crate::domain::{Basis, ConsentState, Placement, PurposeId, Span, SubjectState, Timestamp};
use crate::policy::bundle::Bundle;
use crate::policy::codes;
use crate::policy::declare;
use crate::policy::declared::jurisdiction::covered;
use crate::policy::declared::purposes::PurposeSpec;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::syntax::Node;

/// What one gate asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The purpose guarded.
    pub purpose: PurposeId,
    /// The only bases that let through; every one that the purpose allows where nothing is said.
    pub bases: Option<Vec<Basis>>,
    /// Whether the yes has to be about the placement's channel itself.
    pub channel_opt_in: bool,
    /// How long ago the yes may have been given.
    pub consent_age: Option<Span>,
}

impl Gate {
    /// Whether an entry may count: a no always, a yes where it was given for the request's jurisdiction and, where an
    /// opt-in is asked for, for the channel.
    fn counts(&self, entry: &ConsentEntry, jurisdiction: Option<&str>) -> bool {
        let named = entry.jurisdiction.as_ref().map(std::slice::from_ref);
        let here = named.is_none_or(|named| covered(named, jurisdiction) == Some(true));
        entry.state != ConsentState::Granted || here && (entry.channel.is_some() || !self.channel_opt_in)
    }

    /// Whether an entry that counts opens the gate.
    fn opens(&self, entry: &ConsentEntry, allowed: &[Basis], now: Timestamp) -> bool {
        entry.state == ConsentState::Granted
            && entry.valid_until.is_none_or(|until| until > now)
            && self.consent_age.is_none_or(|age| entry.valid_from.plus(age) >= now)
            && self.bases.as_ref().is_none_or(|bases| bases.contains(&entry.basis))
            && allowed.contains(&entry.basis)
    }

    /// That it refused, in words.
    pub(in crate::policy) fn told(&self, obeys_signal: bool) -> String {
        let mut needed = Vec::new();
        if self.channel_opt_in {
            needed.push("given for the channel itself".to_owned());
        }
        needed.extend(self.consent_age.map(|age| format!("given at most {age} ago")));
        needed.extend(self.bases.as_ref().map(|bases| {
            let names: Vec<&str> = bases.iter().map(|basis| basis.name()).collect();
            format!("on the basis of {}", names.join(" or "))
        }));
        let needed = if needed.is_empty() { String::new() } else { format!(", {},", needed.join(", ")) };
        let signal = if obeys_signal { ", or the request carries `Sec-GPC: 1`" } else { "" };
        format!("no consent for `{}`{needed} is in force{signal}", self.purpose)
    }
}

/// What gates know of one request.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Where a decision is asked for.
    pub placement: &'a Placement,
    /// Whose consents count; nobody's where nobody is known.
    pub state: Option<&'a SubjectState>,
    /// Such as `US-NY`.
    pub jurisdiction: Option<&'a str>,
    /// Whether it carried the signal of Global Privacy Control.
    pub signal: bool,
    /// When.
    pub now: Timestamp,
}

/// What the gates of a purpose said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateVerdict {
    /// One per gate that was asked.
    pub readings: Vec<ConsentReading>,
    /// Position of the first gate that refused.
    pub refused_by: Option<u16>,
    /// Positions of the others that refused.
    pub also: Vec<u16>,
}

/// Asks every gate of a purpose. Without a gate the purpose is allowed. A gate lets through a consent that was granted,
/// has not expired, and rests on a basis that the jurisdiction allows for the purpose; it refuses whatever was granted
/// where the request carries a signal that the purpose obeys.
pub fn gate(bundle: &Bundle, purpose: &PurposeId, asking: &Asking<'_>) -> GateVerdict {
    let mut verdict = GateVerdict::default();
    let Asking { placement, state, jurisdiction, now, .. } = *asking;
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let RuleKind::PurposeGate(gate) = &rule.kind else { continue };
        let guards = gate.purpose == *purpose && rule.in_force(now, jurisdiction);
        if !guards || !rule.applies_to.covers_placement(placement) {
            continue;
        }
        let spec = bundle.purposes.get(purpose);
        let signalled = asking.signal && spec.is_some_and(|spec| spec.obeys_signal);
        let about = (purpose, placement.channel.as_str());
        let find = |counts: &dyn Fn(&ConsentEntry) -> bool| in_force(&state?.consents, about, now, counts);
        let counting = find(&|entry| gate.counts(entry, jurisdiction));
        let allowed = spec.map(|spec| spec.bases_in(jurisdiction)).unwrap_or_default();
        let open = !signalled && counting.is_some_and(|entry| gate.opens(entry, &allowed, now));
        // Where nothing counts, what is there says why.
        let read = counting.or_else(|| find(&|_| true));
        verdict.readings.push(ConsentReading {
            purpose: purpose.clone(),
            state: read.map(|entry| entry.state),
            basis: read.map(|entry| entry.basis),
            valid_from: read.map(|entry| entry.valid_from),
            valid_until: read.and_then(|entry| entry.valid_until),
            channel: read.and_then(|entry| entry.channel.clone()),
            jurisdiction: read.and_then(|entry| entry.jurisdiction.clone()),
        });
        match (open, verdict.refused_by) {
            (true, _) => {}
            (false, None) => verdict.refused_by = Some(at),
            (false, Some(_)) => verdict.also.push(at),
        }
    }
    verdict
}

/// The fields of a gate.
pub(in crate::policy) const FIELDS: [&str; 4] = ["purpose", "bases", "channel_opt_in", "consent_age"];

/// Reads which purpose a gate guards, and what it asks for.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "purpose", "purpose: offer_personalisation")?;
    let purpose = read::parsed(report, what, node, "a purpose id", PurposeId::new)?;
    let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
    if !declare::refer(report, home, what, (node.place, purpose.as_str()), known.purposes) {
        return None;
    }
    let spec = known.specs.get(&purpose);
    if spec.is_some_and(|spec| spec.bases.is_empty()) {
        let message = format!("{what}: purpose `{purpose}` lists no lawful bases");
        report.add(codes::BASES_NONE, node.place, message, "no bases").with_help(
            "such a gate would refuse everyone: add `bases: {EU: [consent]}` to the purpose in \
             catalog/purposes.yaml, or remove the gate",
        );
        return None;
    }
    let bases = match fields.get("bases") {
        Some(node) => Some(bases(report, what, node, spec)?),
        None => None,
    };
    let channel_opt_in = fields.get("channel_opt_in").map_or(Some(false), |node| read::flag(report, what, node));
    let consent_age = fields.get("consent_age").map(|node| read::span(report, what, node));
    Some(RuleKind::PurposeGate(Gate {
        purpose,
        bases,
        channel_opt_in: channel_opt_in?,
        consent_age: consent_age.map_or(Some(None), |age| age.map(Some))?,
    }))
}

/// Bases that let through, each of them allowed for the purpose somewhere.
fn bases(report: &mut Report<'_>, what: &str, node: &Node, spec: Option<&PurposeSpec>) -> Option<Vec<Basis>> {
    let empty = "such a gate would refuse everyone; leave `bases` out to let through every basis of the purpose";
    read::list_of(report, what, node, empty, |report, node| {
        let basis = crate::policy::declared::purposes::basis(report, what, node)?;
        let allowed = |spec: &PurposeSpec| spec.bases.values().any(|bases| bases.contains(&basis));
        if let Some(spec) = spec.filter(|spec| !allowed(spec)) {
            let message = format!("{what}: purpose `{}` allows the basis `{}` nowhere", spec.id, basis.name());
            report.add(codes::GATE_BASIS, node.place, message, "lets nobody through").with_help(
                "add it to the `bases` of the purpose in catalog/purposes.yaml where the law allows it, or remove it",
            );
            return None;
        }
        Some(basis)
    })
}
