//! Tests of trials. Nothing here yet; nothing else.
