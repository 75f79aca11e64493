//! Several clients at once: hands out work in order, one connection to each thread. Knows nothing of the work.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::DemoError;
use super::client::{Access, Client};

/// Hands out `0..count` in order to so many clients, each with a result of its own. The first failure stops all: what
/// follows a failure measures nothing.
pub fn hand_out<T: Default + Send>(
    count: usize,
    clients: usize,
    access: &Access,
    work: &(dyn Fn(&Client, usize, &mut T) -> Result<(), DemoError> + Sync),
) -> Result<Vec<T>, DemoError> {
    let next = AtomicUsize::new(0);
    let run = || {
        let client = Client::new(access);
        let mut result = T::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(result);
            }
            if let Err(error) = work(&client, number, &mut result) {
                next.fetch_max(count, Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients.min(count.max(1))).map(|_| scope.spawn(run)).collect();
        let results: Vec<_> =
            threads.into_iter().map(|thread| thread.join().unwrap_or(Err(DemoError::Thread))).collect();
        results.into_iter().collect()
    })
}
