//! Golden text of author mistakes in conditions, and in when rules hold. Not the others.
