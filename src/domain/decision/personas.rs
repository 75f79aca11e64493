//! What a record keeps of personas, the tastes that share an account. Shares out no slot.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::private::{ContextGroup, Withheld};
use super::skeleton::{Scored, Skeleton};
use crate::domain::{AttributeId, Value};

/// The persona that a slot is for.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct SlotPersona {
    /// Its position in the request, from 0.
    #[n(0)]
    pub at: u16,
    /// How many personas the request named.
    #[n(1)]
    pub of: u16,
    /// Its scores by row, in the first of its slots; nothing in its other slots, and nothing for the persona whose seat
    /// is the first of all: its scores stand in the rows. [`Skeleton::scored`] finds them.
    #[n(2)]
    pub scores: Option<Vec<Option<Scored>>>,
}

/// The attributes of one persona that rules and features could see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct PersonaSeen {
    /// Its position in the request, from 0.
    #[n(0)]
    pub at: u16,
    /// The attributes: the persona's, the account's where it does not name them, and those of the context.
    #[n(1)]
    pub used: Vec<(AttributeId, Value)>,
    /// What guards of audiences saw of it; nothing where they saw nothing.
    #[n(2)]
    pub guarded: Option<Vec<(AttributeId, Value)>>,
    /// What was kept from rules and features, with the reason; nothing where nothing was.
    #[n(3)]
    pub withheld: Option<Vec<(AttributeId, Withheld)>>,
}

impl Skeleton {
    /// The score of a row that the distribution of a slot was computed from; both are positions.
    pub fn scored(&self, slot: usize, row: usize) -> Option<&Scored> {
        match self.scores_apart(slot) {
            Some(scores) => scores.get(row)?.as_ref(),
            None => self.candidates.get(row)?.scored.as_ref(),
        }
    }

    /// The scores by row that the distribution of a slot was computed from, where they are not those of the rows.
    pub fn scores_apart(&self, slot: usize) -> Option<&[Option<Scored>]> {
        let persona = self.slots.get(slot)?.persona.as_ref()?;
        let all = self.slots.iter().filter_map(|slot| slot.persona.as_ref());
        all.filter(|other| other.at == persona.at).find_map(|own| own.scores.as_deref())
    }
}

impl ContextGroup {
    /// The attributes seen for a slot's persona, then those seen for the others; those of the account without personas.
    pub fn used_for(&self, persona: Option<&SlotPersona>) -> Vec<&[(AttributeId, Value)]> {
        let all = self.personas.iter().flatten();
        let (own, others): (Vec<&PersonaSeen>, Vec<&PersonaSeen>) =
            all.partition(|seen| persona.is_some_and(|persona| persona.at == seen.at));
        let used = own.into_iter().chain(others).map(|seen| seen.used.as_slice());
        used.chain(std::iter::once(self.used.as_slice())).collect()
    }
}
