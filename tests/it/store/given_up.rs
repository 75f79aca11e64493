//! Calls whose caller goes away at any moment, as a client does that closes its connection: whatever is written
//! afterwards is stored.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use proffer::store::{self, Learned, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use super::lease::elected;
use crate::harness::database::{Database, Kind, run};

/// Writes by the store that a call was given up on, and reads by another one.
async fn later_writes_are_stored(store: &dyn Store, other: &dyn Store, when: &str) {
    store.release_term(1).await.unwrap();
    assert!(!other.lease().await.unwrap().held, "{when}: the lease that was given up is held");
    assert!(store.renew_term(1).await.unwrap());
    assert!(other.lease().await.unwrap().held, "{when}: the lease that was renewed is not held");
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

#[test]
fn what_is_written_after_a_call_was_given_up_is_stored_on_sqlite() {
    run(Kind::Sqlite, async |database: Arc<Database>| {
        let (store, other) = (database.open().await, database.open().await);
        assert_eq!(elected(&*store, "a", 1).await, Some(1));
        for polls in 1.. {
            let ended = given_up(store.learn(1, &Learned::default()), polls).await;
            later_writes_are_stored(&*store, &*other, &format!("given up after {polls} polls")).await;
            if ended {
                break;
            }
        }
    });
}

/// Between a client and its server: lets a number of answers through and holds the next one back.
struct Relay {
    address: String,
    answers: watch::Sender<u32>,
    held: Notify,
}

impl Relay {
    async fn to(server: String) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let relay = Arc::new(Self { address, answers: watch::Sender::new(u32::MAX), held: Notify::new() });
        let through = relay.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(through.clone().carry(client, server));
            }
        });
        relay
    }

    async fn carry(self: Arc<Self>, client: TcpStream, server: TcpStream) {
        let ((mut asks, mut hears), (mut answers, mut serves)) = (client.into_split(), server.into_split());
        tokio::spawn(async move { copy(&mut asks, &mut serves).await });
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = answers.read(&mut buffer).await {
            if *self.answers.borrow() == 0 {
                self.held.notify_one();
                self.answers.subscribe().wait_for(|left| *left > 0).await.unwrap();
            }
            self.answers.send_modify(|left| *left -= 1);
            if hears.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    }
}

#[test]
fn what_is_written_after_a_call_was_given_up_at_any_answer_is_stored_on_postgres() {
    run(Kind::Postgres, async |database: Arc<Database>| {
        let (scheme, rest) = database.url.split_once('@').unwrap();
        let (server, path) = rest.split_once('/').unwrap();
        let relay = Relay::to(server.to_owned()).await;
        // With one connection the next call gets the one that was given up.
        let store = store::open(&format!("{scheme}@{}/{path}", relay.address), 1).await.unwrap();
        let other = database.open().await;
        assert_eq!(elected(&*store, "a", 1).await, Some(1));
        for answers in 0.. {
            let nothing = Learned::default();
            relay.answers.send_replace(answers);
            let ended = tokio::select! {
                learned = store.learn(1, &nothing) => learned.unwrap(),
                () = relay.held.notified() => false,
            };
            relay.answers.send_replace(u32::MAX);
            later_writes_are_stored(&*store, &*other, &format!("given up after {answers} answers")).await;
            if ended {
                assert!(answers > 3, "{answers} answers for a transaction");
                break;
            }
        }
    });
}
