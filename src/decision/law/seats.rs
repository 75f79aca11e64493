//! The plain reading of tastes that share an account: who has which slot, and what is left out for one of them alone.
//! Asks no rule.

use super::Said;
use crate::domain::{DecisionRequest, Persona};

/// Who has a seat, by position in the request, and whose each slot is, by position among those.
pub(super) struct Seats {
    pub(super) seated: Vec<usize>,
    by_slot: Vec<usize>,
    /// How many tastes the request names; none where it names nobody's.
    pub(super) of: usize,
}

impl Seats {
    pub(super) fn of(request: &DecisionRequest) -> Self {
        let slots = usize::from(request.count.unwrap_or(3));
        let personas = personas(request);
        if personas.is_empty() {
            return Self { seated: vec![0], by_slot: vec![0; slots], of: 0 };
        }
        // Every claim to a slot: its weight, over one, three, five and so on. The greatest have the slots.
        let mut claims: Vec<(u32, u32, usize)> = Vec::new();
        for (at, persona) in personas.iter().enumerate() {
            claims.extend((0..3).map(|slot| (persona.weight, 2 * slot + 1, at)));
        }
        claims.sort_by_key(|(weight, over, at)| (std::cmp::Reverse(weight * 15 / over), *at));
        let whose: Vec<usize> = claims.into_iter().map(|(_, _, at)| at).take(slots).collect();
        let mut seated: Vec<usize> = Vec::new();
        for at in &whose {
            if !seated.contains(at) {
                seated.push(*at);
            }
        }
        let by_slot = whose.iter().map(|at| seated.iter().position(|other| other == at).unwrap()).collect();
        Self { seated, by_slot, of: personas.len() }
    }

    /// Who may have a slot: whose it is, and then those behind in a circle.
    pub(super) fn turns(&self, slot: usize) -> Vec<usize> {
        let (own, all) = (self.by_slot.get(slot).copied().unwrap_or(0), self.seated.len());
        (own..all).chain(0..own).collect()
    }
}

pub(super) fn personas(request: &DecisionRequest) -> &[Persona] {
    request.customer.personas.as_deref().unwrap_or_default()
}

fn has(said: &Said, rule: &str) -> bool {
    said.iter().any(|(id, ..)| id == rule)
}

/// Adds what no rule has said there yet.
pub(super) fn add(all: &mut Said, said: &Said) {
    for (id, observed, limit) in said {
        if !has(all, id) {
            all.insert((id.clone(), *observed, *limit));
        }
    }
}

/// What leaves an offer out of the whole answer, of what leaves it out for each: what does so for all of them or, where
/// everybody has reasons and none is shared, all of these. And what is left for each.
pub(super) fn shared(each: &[Said]) -> (Said, Vec<Said>) {
    let all = |id: &str| each.iter().all(|said| has(said, id));
    let mut shared: Said = each[0].iter().filter(|(id, ..)| all(id)).cloned().collect();
    let own: Vec<Said> = each.iter().map(|said| said.iter().filter(|(id, ..)| !all(id)).cloned().collect()).collect();
    if shared.is_empty() && own.iter().all(|own| !own.is_empty()) {
        for own in &own {
            add(&mut shared, own);
        }
    }
    (shared, own)
}
