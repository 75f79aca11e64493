//! Mistakes of authors beside what is right, where one is read with the other. The others are golden files, in
//! `tests/golden/mistakes`.

mod delay;
mod fairness;
mod in_tests;
mod measures;
mod money;
mod pools;
mod switches;
