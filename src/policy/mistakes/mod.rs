//! The mistakes of authors as golden text: each message alone is enough to mend it. Tries nothing that compiles.

mod conditions;
mod consent;
mod contenders;
mod delay;
mod everyday;
mod fairness;
mod form;
mod in_tests;
mod meaning;
mod measures;
mod money;
mod pools;
mod prices;
mod slate;
mod switches;
mod validity;
mod values;
