//! Pauses between attempts at something that fails for as long as the store is away. Knows not what is attempted.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);

/// A pause that doubles each time, from 20 milliseconds to two seconds.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    /// The attempt went well: the next pause is short again.
    pub(super) fn reset(&mut self) {
        self.0 = FIRST;
    }

    pub(super) async fn pause(&mut self) {
        #[expect(
            clippy::disallowed_methods,
            reason = "nothing announces that a database is back; asking is all there is"
        )]
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
