//! What is changed while clients ask, and what each of them may have met. Asks nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that is changed from time to time, and what a request may have met: whatever was in force when it was
/// asked, or came into force before it was answered.
pub struct Watched<T> {
    /// Twice the number of changes acknowledged, and one more while a change is under way.
    turn: AtomicU64,
    pub states: Mutex<Vec<T>>,
}

impl<T: Copy> Watched<T> {
    pub fn new(first: T) -> Self {
        Self { turn: AtomicU64::new(0), states: Mutex::new(vec![first]) }
    }

    pub fn turn(&self) -> u64 {
        self.turn.load(Ordering::SeqCst)
    }

    pub fn change(&self, to: T, make: impl FnOnce()) {
        self.states.lock().unwrap().push(to);
        self.turn.fetch_add(1, Ordering::SeqCst);
        make();
        self.turn.fetch_add(1, Ordering::SeqCst);
    }

    /// What a request could meet that was sent at one turn and answered at another.
    pub fn met(&self, sent: u64, answered: u64) -> Vec<T> {
        let (first, last) = (usize::try_from(sent / 2).unwrap(), usize::try_from(answered.div_ceil(2)).unwrap());
        self.states.lock().unwrap()[first..=last].to_vec()
    }
}
