//! What lists for several tastes promise. Commits nothing.
