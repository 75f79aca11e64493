//! Following: a process that does not learn has the models of the one that does, and everybody decides under the one
//! active bundle, whatever folders they were started with.

use super::pair::{Pair, work_ms};
use super::town::{Edition, Town, ask, import, models};
use crate::crash::check::learned;
use crate::crash::siege::seed;
use crate::harness::client::{Client, json_of, now_ms};
use crate::harness::database::Kind;
use crate::harness::server::until;

#[test]
fn the_models_of_those_who_follow_equal_the_learners() {
    let seed = seed();
    let pair = Pair::new(5);
    let learner = pair.start("learner", &[]);
    pair.until_learner("learner");
    pair.witness();
    pair.siege.furnish(&learner);
    let follower = pair.start("follower", &[]);
    pair.load([&learner, &follower], seed, || {
        pair.until_it_learns("learner");
        work_ms(2_000);
    });
    let digests = learned(&pair.siege, &pair.siege.wire(&learner));
    let settled = now_ms();
    assert_eq!(learned(&pair.siege, &pair.siege.wire(&follower)), digests);
    // A poll of half a second and the reading itself, with room for a busy machine.
    assert!(now_ms() - settled < 3_000, "the follower came {} ms later", now_ms() - settled);
    // One that comes later reads everything, from checkpoints and events.
    let late = pair.start("late", &[]);
    assert_eq!(learned(&pair.siege, &pair.siege.wire(&late)), digests);
    for (server, node) in [(&learner, "learner"), (&follower, "follower"), (&late, "late")] {
        let told = models(&pair.siege.wire(server).client);
        assert_eq!((told["learner"]["node"].as_str(), &told["learner"]["held"]), (Some("learner"), &true.into()));
        assert_eq!(told["this"]["node"].as_str(), Some(node));
        let term = if node == "learner" { told["learner"]["term"].clone() } else { serde_json::Value::Null };
        assert_eq!(told["this"]["term"], term);
    }
    drop(late);
    pair.settle("following", [learner, follower], seed);
}

/// The bundle that a process decides under, as it says itself.
fn bundle(client: &Client) -> String {
    models(client)["this"]["bundle"].as_str().unwrap().to_owned()
}

/// The bundle that a decision is made under.
fn decided_under(client: &Client) -> String {
    let answer = client.decide(&ask("somebody")).unwrap();
    json_of(&answer)["versions"]["bundle"].as_str().unwrap().to_owned()
}

fn until_all_follow(clients: &[&Client], edition: &Edition) {
    let began = now_ms();
    until("every process to take the bundle up by itself", || {
        clients.iter().all(|client| bundle(client) == edition.hash_text()).then_some(())
    });
    assert!(now_ms() - began < 2_000, "it took {} ms", now_ms() - began);
}

#[test]
fn processes_with_different_folders_decide_under_one_active_bundle() {
    let (a, b) = (Edition::a(), Edition::b());
    let town = Town::new(Kind::Postgres, a.folder.path());
    let first = town.start("first", &a);
    let on_first = town.client(&first);
    import(&on_first, 0);
    assert_eq!(decided_under(&on_first), a.hash_text());
    // A bundle that the store does not know is activated by the start, for everybody.
    let second = town.start("second", &b);
    let on_second = town.client(&second);
    assert_eq!(decided_under(&on_second), b.hash_text());
    until_all_follow(&[&on_first], &b);
    // The first one comes back with its old folder, and does not bring the old rules back.
    first.kill();
    let first = town.start("first", &a);
    let on_first = town.client(&first);
    assert_eq!((decided_under(&on_first), decided_under(&on_second)), (b.hash_text(), b.hash_text()));
    let said = first.said();
    let folder = a.path();
    for expected in [
        format!("policies  the active bundle of the store ({} rules), {}", b.bundle.rules.len(), b.hash_text()),
        format!("{folder} holds {}, which is neither new to the store nor in force;", a.hash_text()),
        format!("`proffer policy activate {folder}` puts it in force"),
    ] {
        assert!(said.contains(&expected), "{expected}\n{said}");
    }
    // Once the command has returned no decision is made under the other, whichever process is asked.
    let (code, _, err) = town.policy(&["activate", folder]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((decided_under(&on_first), decided_under(&on_second)), (a.hash_text(), a.hash_text()));
    let (code, _, err) = town.policy(&["rollback"]);
    assert_eq!(code, 0, "{err}");
    until_all_follow(&[&on_first, &on_second], &b);
    drop((first, second));
    town.remove();
}

#[test]
fn on_sqlite_a_start_activates_its_folder_and_the_command_another_bundle() {
    let (a, b) = (Edition::a(), Edition::b());
    let town = Town::new(Kind::Sqlite, a.folder.path());
    let server = town.start("only", &a);
    let client = town.client(&server);
    import(&client, 0);
    let (code, _, err) = town.policy(&["activate", b.path()]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(decided_under(&client), b.hash_text());
    server.kill();
    let server = town.start("only", &a);
    let client = town.client(&server);
    assert_eq!((decided_under(&client), bundle(&client)), (a.hash_text(), a.hash_text()));
    drop(server);
    town.remove();
}
