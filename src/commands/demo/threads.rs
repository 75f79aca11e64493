//! Several clients at once: hands out work in order, one connection to each thread. Knows nothing of the work.

use super::DemoError;
use super::client::{Access, Client};
use crate::commands::threads;

/// Hands out `0..count` in order to so many clients, each with a result of its own.
pub fn hand_out<T: Default + Send>(
    count: usize,
    clients: usize,
    access: &Access,
    work: &(dyn Fn(&Client, usize, &mut T) -> Result<(), DemoError> + Sync),
) -> Result<Vec<T>, DemoError> {
    threads::hand_out(count, clients, &|| Client::new(access), work, &|| DemoError::Thread)
}
