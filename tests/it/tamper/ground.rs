//! A store with a history that was logged, copies of it to alter, and one from before. Alters none.

use std::path::PathBuf;
use std::sync::Arc;

use proffer::config::keyfile::{checkpoint_file, replace_file};
use proffer::domain::key::MasterKey;
use proffer::runtime::Role;
use proffer::store::{self, Store};
use serde_json::json;
use tempfile::TempDir;

use super::alter::{Database, TABLES};
use crate::harness::database::Kind;
use crate::http::service::{Plan, Service};
use crate::http::shop::{self, NOW, ask};

/// Decisions before the older copy is made, and after that: more than a segment of the log together.
const DECISIONS: [u32; 2] = [120, 180];

pub struct Ground {
    pub master: MasterKey,
    pub key_file: PathBuf,
    kind: Kind,
    url: String,
    folder: TempDir,
    /// Kept for its database.
    service: Service,
}

fn history(service: &Service, from: u32, to: u32) {
    for number in from..to {
        let customer = format!("c-{}", number % 17);
        if number % 40 == 0 {
            service.consent(&customer, "granted");
        }
        let request = if number % 9 == 0 { json!({"placement": "explore"}) } else { ask(&customer) };
        let answer = service.decide(&request).ok();
        if number % 25 == 0 {
            let id = answer["decision_id"].as_str().unwrap();
            service.outcomes(&json!([shop::order(&format!("o-{number}"), id, "80.00")]));
        }
    }
}

impl Ground {
    pub async fn make(kind: Kind) -> Self {
        tokio::task::spawn_blocking(move || Self::made(kind)).await.unwrap()
    }

    fn made(kind: Kind) -> Self {
        let service = Plan::new(kind).engines(2).start();
        service.import(&shop::offers());
        let logged = || service.wait(service.core.logged_all()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        history(&service, 0, DECISIONS[0]);
        logged();
        let url = service.store_url().to_owned();
        let copy = |name: &str| {
            service.wait(async {
                let mut database = Database::connect(kind, &url).await;
                match kind {
                    Kind::Sqlite => {
                        let path = folder.path().join(name);
                        database.run(&format!("vacuum into '{}'", path.display())).await;
                    }
                    Kind::Postgres => {
                        for table in TABLES {
                            let table = table.name;
                            database.run(&format!("create table {name}_{table} as table {table}")).await;
                        }
                    }
                }
            });
        };
        copy("older");
        service.wait(service.core.create_key("second", &[Role::Audit], "test")).unwrap();
        let switch = json!({
            "id": "s-1", "kind": "kill_switch", "why": "Recalled", "approver": "Jane", "ticket": "OPS-7",
            "effective": {"until": NOW.plus(proffer::domain::Span(86_400_000))}, "stop": {"offers": ["mug"]},
        });
        assert_eq!(service.call("POST", "/v1/switches", Some(&switch)).status, 200);
        service.import(&json!([shop::offer("kettle", "home", "60.00", "30.00")]));
        history(&service, DECISIONS[0], DECISIONS[0] + DECISIONS[1]);
        logged();
        // Nobody writes any more.
        service.wait(service.core.stop());
        copy("whole");
        let key_file = folder.path().join("keys.toml");
        let note = service.wait(service.core.store.log_state()).unwrap().checkpoint.unwrap();
        replace_file(&checkpoint_file(&key_file), &note).unwrap();
        Self { master: MasterKey([1; 32]), key_file, kind, url, folder, service }
    }

    async fn copy_of(&self, name: &str) -> Database {
        match self.kind {
            Kind::Sqlite => {
                let path = self.folder.path().join("altered.sqlite");
                for ending in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
                }
                std::fs::copy(self.folder.path().join(name), &path).unwrap();
                Database::connect(self.kind, &format!("sqlite:{}", path.display())).await
            }
            Kind::Postgres => {
                let mut database = Database::connect(self.kind, &self.url).await;
                for table in TABLES {
                    let table = table.name;
                    database.run(&format!("truncate {table}")).await;
                    database
                        .run(&format!("insert into {table} overriding system value select * from {name}_{table}"))
                        .await;
                }
                database
            }
        }
    }

    /// The store as it was in the end.
    pub async fn fresh(&self) -> Database {
        self.copy_of("whole").await
    }

    /// The store as it was before most of it.
    pub async fn older(&self) -> Database {
        self.copy_of("older").await
    }

    /// The store that a database is.
    pub async fn open(&self, database: &Database) -> Arc<dyn Store> {
        store::open(&database.url, 4).await.unwrap()
    }

    pub async fn remove(self) {
        tokio::task::spawn_blocking(move || self.service.remove()).await.unwrap();
    }
}
