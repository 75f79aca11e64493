//! Tests. Placeholder.
