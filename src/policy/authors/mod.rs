//! What authors are told of a bundle beside its mistakes: lint, difference, explanation, layout, schema, SARIF. Decides
//! nothing.

pub(in crate::policy) mod difference;
pub(in crate::policy) mod explain;
pub(in crate::policy) mod layout;
pub(in crate::policy) mod lint;
pub(in crate::policy) mod sarif;
pub(in crate::policy) mod schema;
