//! Calls whose caller goes away at any moment, as a client does that closes its connection: whatever is written
//! afterwards is stored.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use proffer::store::{self, Learned};

use super::lease::elected;
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    what_is_written_after_a_call_was_given_up_is_stored,
}

/// Drops a call that has not ended when it was polled so many times. Says whether it has.
async fn given_up<T>(call: impl Future<Output = T>, polls: u32) -> bool {
    let (mut call, mut left) = (pin!(call), polls);
    poll_fn(|context| {
        left -= 1;
        match call.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn what_is_written_after_a_call_was_given_up_is_stored(database: Arc<Database>) {
    // With one connection the next call gets the one that was given up.
    let (store, other) = (store::open(&database.url, 1).await.unwrap(), database.open().await);
    assert_eq!(elected(&*store, "a", 1).await, Some(1));
    for polls in 1.. {
        let ended = given_up(store.learn(1, &Learned::default()), polls).await;
        store.release_term(1).await.unwrap();
        assert!(!other.lease().await.unwrap().held, "after {polls} polls the lease that was given up is held");
        assert!(store.renew_term(1).await.unwrap());
        assert!(other.lease().await.unwrap().held, "after {polls} polls the lease that was renewed is not held");
        if ended {
            break;
        }
    }
}
