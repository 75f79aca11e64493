//! Schedules: when an offer or a campaign may be shown. Reads no clock: the instant is an argument.

use serde::{Deserialize, Serialize};

use super::{OfferStatus, Timestamp};

/// A time in which something is not shown: from its start, until just before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a pause as a JSON object with `from` and `until`")]
pub struct Pause {
    /// The first instant of the pause.
    pub from: Timestamp,
    /// The first instant after the pause.
    pub until: Timestamp,
}

/// How an offer or a campaign stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may be shown.
    Running,
    /// Somebody paused it; nobody said until when.
    Paused,
    /// It starts later.
    StartsAt(Timestamp),
    /// It is in an announced pause.
    PausedUntil(Timestamp),
    /// It is over.
    EndedAt(Timestamp),
}

/// How something with this status and schedule stands at an instant. The start belongs to it, the end does not.
pub(super) fn standing(
    status: OfferStatus,
    (starts_at, ends_at): (Option<Timestamp>, Option<Timestamp>),
    pauses: &[Pause],
    at: Timestamp,
) -> Standing {
    if let Some(end) = ends_at.filter(|end| *end <= at) {
        return Standing::EndedAt(end);
    }
    if status == OfferStatus::Paused {
        return Standing::Paused;
    }
    if let Some(start) = starts_at.filter(|start| *start > at) {
        return Standing::StartsAt(start);
    }
    let pause = pauses.iter().filter(|pause| pause.from <= at && at < pause.until).map(|pause| pause.until).max();
    pause.map_or(Standing::Running, Standing::PausedUntil)
}

/// Everything wrong with a schedule, each with a JSON pointer.
pub(super) fn problems(
    (starts_at, ends_at): (Option<Timestamp>, Option<Timestamp>),
    pauses: &[Pause],
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let (Some(start), Some(end)) = (starts_at, ends_at)
        && end <= start
    {
        found.push(("/ends_at".into(), format!("it ends at {end}, not after its start at {start}")));
    }
    for (at, pause) in pauses.iter().enumerate().filter(|(_, pause)| pause.until <= pause.from) {
        let message = format!("the pause ends at {}, not after its start at {}", pause.until, pause.from);
        found.push((format!("/pauses/{at}/until"), message));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_starts_pauses_and_ends_and_its_ends_do_not_belong_to_it() {
        let check = |status: OfferStatus, at: i64, expected: Standing| {
            let pauses = [Pause { from: Timestamp(30), until: Timestamp(40) }];
            let bounds = (Some(Timestamp(20)), Some(Timestamp(50)));
            assert_eq!(standing(status, bounds, &pauses, Timestamp(at)), expected, "{status:?} at {at}");
        };
        let active = OfferStatus::Active;
        check(active, 19, Standing::StartsAt(Timestamp(20)));
        check(active, 20, Standing::Running);
        check(active, 30, Standing::PausedUntil(Timestamp(40)));
        check(active, 40, Standing::Running);
        check(active, 50, Standing::EndedAt(Timestamp(50)));
        check(OfferStatus::Paused, 25, Standing::Paused);
        check(OfferStatus::Paused, 60, Standing::EndedAt(Timestamp(50)));
        assert_eq!(standing(active, (None, None), &[], Timestamp(0)), Standing::Running);
    }
}
