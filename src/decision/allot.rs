//! Who decides for a subject: the holdout, a challenger or the champion, each a fixed part of all subjects. Decides
//! nothing itself.

use sha2::{Digest as _, Sha256};

use crate::domain::{Placement, SubjectId};

/// Whether a subject belongs to the placement's holdout: fixed by its internal id, so it stays there.
pub(super) fn in_holdout(placement: &Placement, subject: SubjectId) -> bool {
    placement.holdout.0 > 0 && part(b"proffer/holdout/1", placement, subject) < placement.holdout.0
}

/// The contender that decides for a subject, 0 being the champion. Who has no name gets the champion, since nothing
/// says who of them is whom.
pub(super) fn contender(placement: &Placement, subject: Option<SubjectId>) -> usize {
    let Some(subject) = subject.filter(|_| !placement.challengers.is_empty()) else { return 0 };
    let (part, mut end) = (part(b"proffer/contender/1", placement, subject), 0);
    let own = placement.challengers.iter().position(|challenger| {
        end += challenger.share.0;
        part < end
    });
    own.map_or(0, |at| at + 1)
}

/// Where a subject stands among ten thousand parts of all subjects, by its internal id.
fn part(purpose: &[u8], placement: &Placement, subject: SubjectId) -> i32 {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(purpose)
        .chain_update(placement.id.as_str())
        .chain_update([0])
        .chain_update(subject.0)
        .finalize()
        .into();
    let head = hash.iter().take(8).fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    i32::try_from(head % 10_000).unwrap_or(0)
}
