//! Personas in sentences: whom a slot is for. Recomputes nothing.

use crate::domain::decision::Slot;

/// Whom a slot, counted from 0, is for; nothing without personas.
pub(super) fn whose(number: u16, slot: &Slot) -> Option<String> {
    let persona = slot.persona.as_ref()?;
    Some(format!("Slot {} is for persona {} of {}.", number + 1, persona.at + 1, persona.of))
}
