//! Town: a shop with two bundles that differ in a cap and in floors, and two services over one PostgreSQL. Asks
//! nothing.

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

use super::bylaws::{TownCap, caps, written};
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
  - id: offer.category
    type: {enum: [category-0, category-1, category-2]}
    class: public
    source: shop
    owner: web-team
";

const PLACEMENTS: &str = "\
placements:
  - id: home
    channel: web
    slots: 2
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 50.00}
    reservation: 10m
    strategy: {name: uniform, half_life: 60d, exploration: 0.05}
    features: [context.device_type]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
  - id: letter
    channel: email
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 50.00}
    reservation: 1s
    strategy: {name: uniform, half_life: 60d, exploration: 0.05}
    features: [context.device_type]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
";

/// Where they are, and for how many milliseconds what is not seen is reserved.
pub const CHANNELS: [(&str, &str, i64); 2] = [("home", "web", 600_000), ("letter", "email", 1_000)];

/// Where customers are, in turn.
pub const ZONES: [&str; 3] = ["America/New_York", "Asia/Kolkata", "Pacific/Auckland"];

fn rules((percent, of_answer): (i64, i64), caps: &[TownCap]) -> String {
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
    min_margin: {of_answer}%
    over: answer
{}",
        written(caps)
    )
}

/// One of the two bundles, in a folder.
pub struct Edition {
    pub folder: TempDir,
    pub bundle: Bundle,
    pub caps: Vec<TownCap>,
    /// The margin floor of an offer in basis points.
    pub floor: i64,
    /// The margin floor over what an answer shows, in basis points.
    pub floor_of_answer: i64,
}

impl Edition {
    fn new(percent: (i64, i64), of_all: u32) -> Self {
        let caps = caps(of_all);
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("bundle.yaml", "name: town\nschema: 1\n".to_owned()),
            ("catalog/purposes.yaml", PURPOSES.to_owned()),
            ("catalog/attributes.yaml", ATTRIBUTES.to_owned()),
            ("placements.yaml", PLACEMENTS.to_owned()),
            ("rules/town.yaml", rules(percent, &caps)),
        ];
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources: Vec<Source> = read_policies(folder.path()).unwrap();
        let bundle = compile(&sources).unwrap_or_else(|findings| panic!("{findings:?}"));
        Self { folder, bundle, caps, floor: percent.0 * 100, floor_of_answer: percent.1 * 100 }
    }

    /// Eight offers a week for one customer, every offer above the floors.
    pub fn a() -> Self {
        Self::new((10, 10), 8)
    }

    /// Twelve offers a week; the odd offers are above the floor only behind an even one.
    pub fn b() -> Self {
        Self::new((20, 45), 12)
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

/// The category and the campaign of an offer.
pub fn group_of(offer: u32) -> (String, String) {
    (format!("category-{}", offer % 3), format!("campaign-{}", offer % 4))
}

/// Every offer and campaign, with the number of the import in the content.
pub fn offers(import: u64) -> Value {
    let money = |cents: u32| json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "USD"});
    let variants = json!([{"variant_id": "a", "content": {"import": import}}]);
    let offer = |number: u32| {
        let cost = if number % 2 == 1 { 700 } else { 300 };
        let (category, campaign) = group_of(number);
        json!({
            "offer_id": format!("offer-{number}"), "price": money(1_000), "cost_of_goods": money(cost),
            "category": category, "campaign": campaign, "variants": variants,
        })
    };
    let house = json!({"offer_id": "house-welcome", "price": money(0), "variants": variants});
    let campaigns = (0..4).map(|number| json!({"campaign_id": format!("campaign-{number}"), "owner": "shop"}));
    json!({
        "campaigns": campaigns.collect::<Value>(),
        "offers": (0..OFFERS).map(offer).chain([house]).collect::<Value>(),
    })
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

/// The same for one of a household, by a device (now and then nobody knows which) and in one of three sessions.
/// Neighbours share both, each with another: `c-0` the household with `c-1` and the device with `c-2`.
pub fn ask_as(customer: u64, turn: u64) -> Value {
    let mut asked = ask(&format!("c-{customer}"));
    let group = customer / 4;
    asked["customer"]["household"] = json!(format!("h-{group}-{}", customer % 4 / 2));
    if turn % 5 != 4 {
        asked["customer"]["device"] = json!(format!("d-{group}-{}", customer % 2));
    }
    asked["customer"]["session"] = json!(format!("s-{customer}-{}", turn % 3));
    asked["placement"] = json!(CHANNELS[usize::from(turn % 4 == 3)].0);
    asked["time_zone"] = json!(zone_of(customer));
    asked
}

/// Where a customer is.
pub fn zone_of(customer: u64) -> &'static str {
    ZONES[usize::try_from(customer % 3).unwrap()]
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
