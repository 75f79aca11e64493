//! Town: a shop with two bundles that differ in a cap and a floor, and two services over one PostgreSQL. Asks nothing.

use std::path::Path;
use std::sync::Arc;

use proffer::domain::Digest;
use proffer::policy::{Bundle, Source, compile};
use proffer::runtime::read_policies;
use proffer::store::Store;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::harness::client::{Answer, Client, json_of};
use crate::harness::database::{Database, Kind};
use crate::harness::server::{Server, Site};

/// Offers; the odd ones earn 30 %, the even ones 70 %.
pub const OFFERS: u32 = 10;

const PURPOSES: &str = "\
purposes:
  - id: offer_personalisation
    dpv: ProvideProductRecommendations
    bases: {US: [consent]}
";

const ATTRIBUTES: &str = "\
attributes:
  - id: context.device_type
    type: {enum: [desktop, mobile]}
    class: public
    source: shop-front
    owner: web-team
";

const PLACEMENTS: &str = "\
placements:
  - id: home
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 50.00}
    reservation: 10m
    strategy: {name: uniform, half_life: 60d, exploration: 0.05}
    features: [context.device_type]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
";

fn rules(percent: i64, max: u32) -> String {
    format!(
        "\
owner: shop
purpose_gates:
  - id: consent.personal
    why: Personal offers need a consent in force
    purpose: offer_personalisation
margin_floors:
  - id: margin.floor
    why: Finance floor for the year
    min_margin: {percent}%
  - id: margin.answer
    why: Finance floor for the year, over what is answered with
    min_margin: {percent}%
    over: answer
frequency_caps:
  - id: cap.all.week
    why: Contact standard
    scope: [customer]
    max: {max}
    window: {{rolling: 7d}}
    counts: decision
  - id: cap.offer.day
    why: Nobody sees one offer more than twice a day
    scope: [customer, offer]
    max: 2
    window: {{rolling: 24h}}
    counts: decision
"
    )
}

/// One of the two bundles, in a folder.
pub struct Edition {
    pub folder: TempDir,
    pub bundle: Bundle,
    /// Offers a week for one customer.
    pub max: u32,
    /// The margin floor in basis points.
    pub floor: i64,
}

impl Edition {
    fn new(percent: i64, max: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("bundle.yaml", "name: town\nschema: 1\n".to_owned()),
            ("catalog/purposes.yaml", PURPOSES.to_owned()),
            ("catalog/attributes.yaml", ATTRIBUTES.to_owned()),
            ("placements.yaml", PLACEMENTS.to_owned()),
            ("rules/town.yaml", rules(percent, max)),
        ];
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources: Vec<Source> = read_policies(folder.path()).unwrap();
        let bundle = compile(&sources).unwrap_or_else(|findings| panic!("{findings:?}"));
        Self { folder, bundle, max, floor: percent * 100 }
    }

    /// Six offers a week, every offer above the floor.
    pub fn a() -> Self {
        Self::new(10, 6)
    }

    /// Nine offers a week, the odd offers below the floor.
    pub fn b() -> Self {
        Self::new(60, 9)
    }

    pub fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub fn hash(&self) -> Digest {
        self.bundle.hash
    }

    pub fn hash_text(&self) -> String {
        self.bundle.hash_text()
    }
}

/// Every offer, with the number of the import in its content.
pub fn offers(import: u64) -> Value {
    let money = |cents: u32| json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "USD"});
    let variants = json!([{"variant_id": "a", "content": {"import": import}}]);
    let offer = |number: u32| {
        let cost = if number % 2 == 1 { 700 } else { 300 };
        json!({
            "offer_id": format!("offer-{number}"), "price": money(1_000), "cost_of_goods": money(cost),
            "variants": variants,
        })
    };
    let house = json!({"offer_id": "house-welcome", "price": money(0), "variants": variants});
    (0..OFFERS).map(offer).chain([house]).collect()
}

/// A database with its site: services are started on it by name.
pub struct Town {
    pub site: Site,
    pub runtime: Runtime,
    database: Database,
}

impl Town {
    /// An empty database of either kind.
    pub fn new(kind: Kind, policies: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = runtime.block_on(Database::create(kind));
        Self { site: Site::new(&database.url, policies), runtime, database }
    }

    /// Starts a service under a name, with the bundle of a folder.
    pub fn start(&self, node: &str, edition: &Edition) -> Server {
        self.site.start(&[("PROFFER_NODE", node), ("PROFFER_POLICIES", edition.path())])
    }

    pub fn client(&self, server: &Server) -> Client {
        server.client(&self.site.admin_key())
    }

    pub fn open(&self) -> Arc<dyn Store> {
        self.runtime.block_on(self.database.open())
    }

    /// Runs `proffer policy ...` on the store; exit code, standard output, standard error.
    pub fn policy(&self, arguments: &[&str]) -> (i32, String, String) {
        let arguments: Vec<&str> = ["policy"].iter().chain(arguments).copied().collect();
        let output = self.site.command(&arguments).env("PROFFER_LOG", "off").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Plants a fault: words of the function that stores batches are replaced by others.
    pub fn replace_in_commit(&self, words: &str, others: &str) {
        self.replace_in("commit_batch", words, others);
    }

    /// The same in any function of the database.
    pub fn replace_in(&self, function: &str, words: &str, others: &str) {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.database.url).await.unwrap();
            let function: String = sqlx::query_scalar("select pg_get_functiondef($1::text::regproc)")
                .bind(function)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert!(function.contains(words), "{function}");
            let faulty = AssertSqlSafe(function.replace(words, others));
            sqlx::raw_sql(faulty).execute(&mut connection).await.unwrap();
        });
    }

    /// Removes the database.
    pub fn remove(self) {
        self.runtime.block_on(self.database.remove());
    }
}

/// What `GET /v1/models` says, which every process answers of itself.
pub fn models(client: &Client) -> Value {
    json_of(&client.get("/v1/models").unwrap())
}

/// What is asked of the town.
pub fn ask(customer: &str) -> Value {
    json!({
        "customer": {"id": customer}, "placement": "home", "jurisdiction": "US-NY",
        "context": {"device_type": "mobile"},
    })
}

/// Puts one consent record.
pub fn put_consent(client: &Client, customer: &str, state: &str) -> Answer {
    client.put_consents(customer, &json!([{"purpose": "offer_personalisation", "state": state}])).unwrap()
}

/// Imports the offers; the revision that was answered.
pub fn import(client: &Client, number: u64) -> u64 {
    let answer = client.import(&offers(number)).unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body());
    json_of(&answer)["catalogue"].as_u64().unwrap()
}
