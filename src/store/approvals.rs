//! Approvals as rows: what one says, and how both stores write and read it. Judges none.

use super::StoreError;
use super::column::{digest, natural};
use crate::domain::{Digest, Timestamp};
use crate::policy::{Authority, Given, Matter, Revocation};

/// An approval to be kept; who gives it and when is said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApproval {
    /// Of what.
    pub matter: Matter,
    /// The hash of what was seen.
    pub pinned: Digest,
    /// Under which authority.
    pub authority: Authority,
    /// It counts before this instant.
    pub expires: Timestamp,
    /// Why, or where that is written down.
    pub note: String,
}

impl NewApproval {
    pub(super) fn matter_text(&self) -> Result<String, StoreError> {
        serde_json::to_string(&self.matter).map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// For the list of privileged changes.
    pub(super) fn told(&self) -> String {
        format!("{} for {} until {}, pinned to {}", self.matter, self.authority.name(), self.expires, self.pinned.hex())
    }
}

/// What became of taking an approval back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It counts no longer.
    Now,
    /// It had been taken back before; nothing changed.
    Before,
    /// There is none of this id.
    Unknown,
}

/// sequence, matter, pinned, authority, at, `by_key`, expires, note, and of what took it back: sequence, at, `by_key`,
/// note
pub(super) type ApprovalColumns =
    (i64, String, Vec<u8>, String, i64, String, i64, String, Option<i64>, Option<i64>, Option<String>, Option<String>);

/// Every approval with what took it back, in the order they were given.
pub(super) const APPROVALS: &str = "select a.sequence, a.matter, a.pinned, a.authority, a.at, a.by_key, a.expires, \
    a.note, r.sequence, r.at, r.by_key, r.note from approval a left join approval_revoked r on r.approval = a.sequence \
    order by a.sequence";

pub(super) fn given(columns: ApprovalColumns) -> Result<Given, StoreError> {
    let (id, matter, pinned, authority, at, by, expires, note, revoked, revoked_at, revoked_by, why) = columns;
    let unreadable = |what: &str| StoreError::Corrupt(format!("approval {id}: `{what}`"));
    let revoked = match (revoked, revoked_at, revoked_by, why) {
        (Some(sequence), Some(at), Some(by), Some(note)) => {
            Some(Revocation { sequence: natural(sequence)?, at: Timestamp(at), by, note })
        }
        _ => None,
    };
    Ok(Given {
        id: natural(id)?,
        matter: serde_json::from_str(&matter).map_err(|_| unreadable(&matter))?,
        pinned: digest(&pinned)?,
        authority: Authority::parse(&authority).ok_or_else(|| unreadable(&authority))?,
        at: Timestamp(at),
        by,
        expires: Timestamp(expires),
        note,
        revoked,
    })
}
