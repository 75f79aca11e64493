//! The clock of a process: the store's time, carried forward between looks at it. Orders no decisions by itself.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::Timestamp;

/// Time as decisions read it. Never runs backwards within a process.
#[derive(Debug)]
pub struct Clock {
    /// What to add to this machine's clock to get the store's; unused when set by hand.
    offset_ms: AtomicI64,
    /// The latest instant given out.
    latest_ms: AtomicI64,
    by_hand: bool,
}

fn machine_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place that owns the clock")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

impl Clock {
    /// This machine's time, for what must be known before there is a store to ask.
    pub fn present() -> Timestamp {
        Timestamp(machine_ms())
    }

    /// A clock that goes by the store, whose time was just read.
    pub fn following(store_now: Timestamp) -> Self {
        let offset_ms = AtomicI64::new(store_now.0 - machine_ms());
        Self { offset_ms, latest_ms: AtomicI64::new(store_now.0), by_hand: false }
    }

    /// A clock that stands still until it is set: for replays of recorded days.
    pub fn by_hand(start: Timestamp) -> Self {
        Self { offset_ms: AtomicI64::new(0), latest_ms: AtomicI64::new(start.0), by_hand: true }
    }

    /// Whether it is set by hand.
    pub fn is_by_hand(&self) -> bool {
        self.by_hand
    }

    /// The instant.
    pub fn now(&self) -> Timestamp {
        if self.by_hand {
            return Timestamp(self.latest_ms.load(Ordering::Acquire));
        }
        let now = machine_ms() + self.offset_ms.load(Ordering::Acquire);
        Timestamp(self.latest_ms.fetch_max(now, Ordering::AcqRel).max(now))
    }

    /// Takes in the store's time again.
    pub fn follow(&self, store_now: Timestamp) {
        self.offset_ms.store(store_now.0 - machine_ms(), Ordering::Release);
    }

    /// Moves a clock that is set by hand, never backwards.
    pub fn set(&self, now: Timestamp) {
        self.latest_ms.fetch_max(now.0, Ordering::AcqRel);
    }
}
