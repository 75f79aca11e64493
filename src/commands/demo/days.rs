//! Days that pass by a clock set by hand: work of one moment is shared among clients, then the clock moves on. Knows
//! nothing of the work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};

use proffer::domain::Timestamp;

use super::DemoError;
use super::client::{Access, Client};

/// A day has so many moments at which the clock stands still.
pub const MOMENTS_A_DAY: usize = 8;
/// How far the clock moves from one moment to the next.
pub const MOMENT_MS: i64 = 86_400_000 / 8;

/// What happens at the moments.
pub trait Happenings: Sync {
    /// What one client keeps of its work.
    type Kept: Default + Send;
    /// Begins a moment, alone: how many pieces of work it has, or nothing when all is over.
    fn begin(&self, client: &Client, moment: usize) -> Result<Option<usize>, DemoError>;
    /// Does one piece of work beside the other clients.
    fn work(&self, client: &Client, piece: usize, kept: &mut Self::Kept) -> Result<(), DemoError>;
}

/// Lets moments pass until all is over. The first failure ends it: what follows a failure measures nothing.
pub fn pass<H: Happenings>(
    start: Timestamp,
    clients: usize,
    access: &Access,
    happenings: &H,
) -> Result<Vec<H::Kept>, DemoError> {
    let turn = Turn {
        barrier: Barrier::new(clients),
        next: AtomicUsize::new(0),
        pieces: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        failed: Mutex::new(None),
    };
    let kept = std::thread::scope(|scope| {
        let run = || {
            let client = Client::new(access);
            let mut kept = H::Kept::default();
            for moment in 0.. {
                if turn.barrier.wait().is_leader() {
                    turn.begin(start, access, &client, moment, happenings);
                }
                turn.barrier.wait();
                if turn.over.load(Ordering::Acquire) {
                    break;
                }
                turn.share(&client, happenings, &mut kept);
            }
            kept
        };
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| DemoError::Thread)).collect::<Result<Vec<_>, _>>()
    })?;
    match turn.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(kept),
    }
}

/// What clients share of the moment.
struct Turn {
    barrier: Barrier,
    next: AtomicUsize,
    pieces: AtomicUsize,
    /// Written only while everybody waits, so that all stop at the same moment.
    over: AtomicBool,
    failed: Mutex<Option<DemoError>>,
}

impl Turn {
    fn begin<H: Happenings>(&self, start: Timestamp, access: &Access, client: &Client, moment: usize, happenings: &H) {
        let passed = i64::try_from(moment).unwrap_or(i64::MAX).saturating_mul(MOMENT_MS);
        access.core.clock.set(Timestamp(start.0.saturating_add(passed)));
        access.core.follow_day();
        let pieces = if self.has_failed() { Ok(None) } else { happenings.begin(client, moment) };
        match pieces {
            Ok(Some(pieces)) => {
                self.pieces.store(pieces, Ordering::Release);
                self.next.store(0, Ordering::Release);
            }
            Ok(None) => self.over.store(true, Ordering::Release),
            Err(error) => {
                self.fail(error);
                self.over.store(true, Ordering::Release);
            }
        }
    }

    fn share<H: Happenings>(&self, client: &Client, happenings: &H, kept: &mut H::Kept) {
        let pieces = self.pieces.load(Ordering::Acquire);
        loop {
            let piece = self.next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return;
            }
            if let Err(error) = happenings.work(client, piece, kept) {
                self.next.fetch_max(pieces, Ordering::Relaxed);
                self.fail(error);
            }
        }
    }

    fn has_failed(&self) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn fail(&self, error: DemoError) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(error);
    }
}
