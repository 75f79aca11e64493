//! Personas that share an account: who of them has which slot, what each is known by, and what rules leave out for one
//! of them alone. Judges and scores nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::seats::seats;
use crate::domain::decision::{Failed, LeftOut};
use crate::domain::{DecisionRequest, Placement};

/// Who of the personas has which slot. Without personas the account has all of them, as if it were the only one.
pub(super) struct Seating {
    /// The personas that have a seat, in the order of their first seats, by position in the request.
    seated: Vec<usize>,
    /// Of each slot the position in [`Seating::seated`].
    by_slot: Vec<usize>,
    /// How many personas the request names; nothing where it names none.
    of: Option<u16>,
}

impl Seating {
    /// Shares out the slots asked for.
    pub(super) fn of(placement: &Placement, request: &DecisionRequest) -> Self {
        let personas = request.customer.personas.as_deref().filter(|personas| !personas.is_empty());
        let Some(personas) = personas else { return Self { seated: vec![0], by_slot: Vec::new(), of: None } };
        let weights: Vec<u32> = personas.iter().map(|persona| persona.weight).collect();
        let mut seated: Vec<usize> = Vec::new();
        let by_slot = seats(&weights, request.count.unwrap_or(placement.slots).into()).into_iter().map(|at| {
            seated.iter().position(|other| *other == at).unwrap_or_else(|| {
                seated.push(at);
                seated.len() - 1
            })
        });
        let by_slot = by_slot.collect();
        Self { seated, by_slot, of: Some(u16::try_from(personas.len()).unwrap_or(u16::MAX)) }
    }

    /// How many have a seat.
    pub(super) fn len(&self) -> usize {
        self.seated.len()
    }

    /// Who may have a slot, by position among those who have a seat: whose seat it is first, then whoever is behind.
    pub(super) fn turns(&self, slot: u16) -> impl Iterator<Item = usize> + Clone + use<> {
        let (own, all) = (self.by_slot.get(usize::from(slot)).copied().unwrap_or(0), self.seated.len());
        (0..all).map(move |behind| (own + behind) % all)
    }

    /// Position in the request, and how many there are, of one who has a seat; nothing without personas.
    pub(super) fn named(&self, seat: usize) -> Option<(u16, u16)> {
        Some((u16::try_from(*self.seated.get(seat)?).ok()?, self.of?))
    }

    /// What each who has a seat asks: the request with the persona's attributes laid over the account's own.
    pub(super) fn requests<'a>(&self, request: &'a DecisionRequest) -> Vec<Cow<'a, DecisionRequest>> {
        let laid_over = |at: &usize| {
            let personas = request.customer.personas.as_ref();
            let Some(persona) = personas.and_then(|personas| personas.get(*at)) else { return Cow::Borrowed(request) };
            let mut own = request.clone();
            own.customer.attributes.extend(persona.attributes.clone());
            Cow::Owned(own)
        };
        self.seated.iter().map(laid_over).collect()
    }
}

/// What rules leave out for one persona and not for every other, by row, of each who has a seat.
#[derive(Default)]
pub(super) struct Apart(Vec<BTreeMap<u32, Vec<Failed>>>);

impl Apart {
    /// Nothing, for so many.
    pub(super) fn none(seated: usize) -> Self {
        Self(vec![BTreeMap::new(); seated])
    }

    /// Whether nobody has anything left out for them alone.
    pub(super) fn is_none(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }

    /// Adds what failed of a row for each who has a seat.
    pub(super) fn add(&mut self, row: u32, failed: &[Vec<Failed>]) {
        for (own, failed) in self.0.iter_mut().zip(failed).filter(|(_, failed)| !failed.is_empty()) {
            own.insert(row, failed.clone());
        }
    }

    /// Whether a row is left out for one who has a seat, though not for every other.
    pub(super) fn bars(&self, seat: usize, row: usize) -> bool {
        self.of(seat).is_some_and(|own| u32::try_from(row).is_ok_and(|row| own.contains_key(&row)))
    }

    /// Adds to what a slot leaves out what is left out for whom it is for. `stands` says of a row whether its offer
    /// stands in a slot before.
    pub(super) fn extend(&self, seat: usize, left_out: &mut Vec<LeftOut>, stands: impl Fn(u32) -> bool) {
        for (row, failed) in self.of(seat).into_iter().flatten().filter(|(row, _)| !stands(**row)) {
            match left_out.iter_mut().find(|left| left.row == *row) {
                Some(left) => left.failed.extend(failed),
                None => left_out.push(LeftOut { row: *row, failed: failed.clone() }),
            }
        }
        left_out.sort_by_key(|left| left.row);
    }

    fn of(&self, seat: usize) -> Option<&BTreeMap<u32, Vec<Failed>>> {
        self.0.get(seat).filter(|own| !own.is_empty())
    }
}

/// Takes out of what failed for each what failed for all. What leaves the candidate out altogether is that or, where
/// everybody has reasons of their own, all of them; nothing where somebody may have it.
pub(super) fn common(failed: &mut [Vec<Failed>]) -> Vec<Failed> {
    let Some((first, others)) = failed.split_first() else { return Vec::new() };
    let is_in = |of: &[Failed], rule: u16| of.iter().any(|failed| failed.rule == rule);
    let everybodys = |found: &&Failed| others.iter().all(|other| is_in(other, found.rule));
    let mut common: Vec<Failed> = first.iter().filter(everybodys).copied().collect();
    for own in failed.iter_mut() {
        own.retain(|found| !is_in(&common, found.rule));
    }
    if common.is_empty() && failed.iter().all(|own| !own.is_empty()) {
        for found in failed.iter().flatten() {
            if !is_in(&common, found.rule) {
                common.push(*found);
            }
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::common;
    use crate::domain::decision::Failed;

    #[test]
    fn a_candidate_is_out_altogether_by_what_all_have_in_common_or_by_everybodys_own_reasons() {
        let check = |each: &[&[u16]], out: &[u16], apart: &[&[u16]]| {
            let failed = |rules: &[u16]| -> Vec<Failed> {
                rules.iter().map(|rule| Failed { rule: *rule, observed: None, limit: None }).collect()
            };
            let mut each: Vec<Vec<Failed>> = each.iter().map(|rules| failed(rules)).collect();
            assert_eq!(common(&mut each), failed(out));
            assert_eq!(each, apart.iter().map(|rules| failed(rules)).collect::<Vec<_>>());
        };
        check(&[&[], &[]], &[], &[&[], &[]]);
        check(&[&[1], &[]], &[], &[&[1], &[]]);
        check(&[&[1, 2], &[2, 3]], &[2], &[&[1], &[3]]);
        check(&[&[1], &[3, 1]], &[1], &[&[], &[3]]);
        check(&[&[1], &[2]], &[1, 2], &[&[1], &[2]]);
        check(&[&[1], &[2], &[]], &[], &[&[1], &[2], &[]]);
    }
}
