//! Work on several threads at once: handed out in order, results kept apart. Knows nothing of the work.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Hands out `0..count` in order to so many threads, each with something of its own to work with and a result of its
/// own. The first failure stops all: what follows a failure measures nothing. `lost` is the failure of a thread that
/// ended before its time.
pub fn hand_out<S, T: Default + Send, E: Send>(
    count: usize,
    threads: usize,
    start: &(dyn Fn() -> S + Sync),
    work: &(dyn Fn(&S, usize, &mut T) -> Result<(), E> + Sync),
    lost: &dyn Fn() -> E,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let run = || {
        let own = start();
        let mut result = T::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(result);
            }
            if let Err(error) = work(&own, number, &mut result) {
                next.fetch_max(count, Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.min(count.max(1))).map(|_| scope.spawn(run)).collect();
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(lost()))).collect();
        results.into_iter().collect()
    })
}
