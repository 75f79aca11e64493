//! Metrics: what a process counts and times of itself, in the text format that Prometheus reads. Every label has few
//! values, fixed by the code or by the policies: no id and nothing about a person ever becomes one.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// How long something takes, for metrics only: nothing is decided by it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts one.
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "times a span for the metrics; no decision reads it")]
        Self(std::time::Instant::now())
    }

    /// Seconds since.
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The media type of [`Metrics::print`] for those who know it.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// And for all others: what is printed is both.
pub const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDecision {
    placement: String,
    result: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutcome {
    r#type: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    method: &'static str,
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Result {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Doing {
    doing: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfType {
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPlacement {
    placement: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBuild {
    version: String,
}

/// From half a millisecond, below which nothing durable answers, to the ten seconds at which callers have given up.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0];
const DECISIONS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// Everything that is counted. Counting is a look-up and an atomic addition.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Family<OfDecision, Counter>,
    redecisions: Counter,
    outcomes: Family<OfOutcome, Counter>,
    after_reservation: Family<OfType, Counter>,
    requests: Family<OfRequest, Counter>,
    latency: Family<OfRoute, Histogram, fn() -> Histogram>,
    batches: Family<Result, Counter>,
    batch_decisions: Histogram,
    commit: Histogram,
    store_errors: Family<Doing, Counter>,
    signatures: Family<Reason, Counter>,
    stream_lines: Family<Result, Counter>,
    batches_unlearned: Gauge,
    outcomes_unapplied: Gauge,
    pools_late: Counter,
    bundle_refused: Gauge,
    model_sequence: Family<OfPlacement, Gauge>,
    exploration_spent: Family<OfPlacement, Gauge<f64, AtomicU64>>,
}

impl Metrics {
    /// Everything at zero.
    pub fn new(version: &str) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("proffer"),
            decisions: Family::default(),
            redecisions: Counter::default(),
            outcomes: Family::default(),
            after_reservation: Family::default(),
            requests: Family::default(),
            latency: Family::new_with_constructor(seconds),
            batches: Family::default(),
            batch_decisions: Histogram::new(DECISIONS),
            commit: seconds(),
            store_errors: Family::default(),
            signatures: Family::default(),
            stream_lines: Family::default(),
            batches_unlearned: Gauge::default(),
            outcomes_unapplied: Gauge::default(),
            pools_late: Counter::default(),
            bundle_refused: Gauge::default(),
            model_sequence: Family::default(),
            exploration_spent: Family::default(),
        };
        metrics.register(version);
        metrics
    }

    fn register(&mut self, version: &str) {
        let to = &mut self.registry;
        let build = Family::<OfBuild, Gauge>::default();
        build.get_or_create(&OfBuild { version: version.to_owned() }).set(1);
        to.register("build_info", "What runs", build);
        to.register("decisions", "Requests for a decision by what became of them", self.decisions.clone());
        let help = "Decisions made again, because what they had read changed before they were stored";
        to.register("redecisions", help, self.redecisions.clone());
        to.register("outcomes", "Outcomes by what became of them", self.outcomes.clone());
        let help = "Outcomes that caps counted though what they confirm was reserved no more";
        to.register("outcomes_after_reservation", help, self.after_reservation.clone());
        to.register("requests", "HTTP requests answered", self.requests.clone());
        to.register("request_seconds", "Time from a request's head to its answer", self.latency.clone());
        to.register("batches", "Commits by what the store said", self.batches.clone());
        to.register("batch_decisions", "Decisions per commit that was stored", self.batch_decisions.clone());
        to.register("commit_seconds", "Time of a commit, whatever the store said", self.commit.clone());
        to.register("store_errors", "Calls that the store did not answer", self.store_errors.clone());
        to.register("webhook_signature_failures", "Webhooks turned away", self.signatures.clone());
        let help = "Lines of streams of requests by what became of them";
        to.register("stream_lines", help, self.stream_lines.clone());
        let help = "Batches that the learner has not seen; -1 where the store does not say";
        to.register("learner_batches_unlearned", help, self.batches_unlearned.clone());
        let help = "Outcomes that the learner has not applied; -1 where the store does not say";
        to.register("learner_outcomes_unapplied", help, self.outcomes_unapplied.clone());
        let help =
            "Orders of what was given back to stock or budgets before, because they came after their reservation";
        to.register("pool_orders_late", help, self.pools_late.clone());
        let help = "1 where this process cannot decide under the active bundle, and decides nothing; 0 otherwise";
        to.register("bundle_refused", help, self.bundle_refused.clone());
        let help = "Learning events that the model in use here has absorbed";
        to.register("model_sequence", help, self.model_sequence.clone());
        let help = "Share of the exploration budget of the UTC day that is spent; 0 where there is no budget";
        to.register("exploration_budget_spent_ratio", help, self.exploration_spent.clone());
        // What is rare is shown from the start: a rate needs a zero to begin from.
        for result in ["stored", "refused", "failed"] {
            drop(self.batches.get_or_create(&Result { result }));
        }
        for result in ["answered", "refused", "failed", "waited"] {
            drop(self.stream_lines.get_or_create(&Result { result }));
        }
        for doing in ["load", "commit", "resync", "reload", "learn", "keys", "request", "metrics", "bundles"] {
            drop(self.store_errors.get_or_create(&Doing { doing }));
        }
        for kind in ["impression", "click", "order"] {
            drop(self.after_reservation.get_or_create(&OfType { r#type: kind }));
        }
        for reason in ["header", "timestamp", "signature"] {
            drop(self.signatures.get_or_create(&Reason { reason }));
        }
    }

    /// A request for a decision was settled. The placement is one of the active bundle, or empty.
    pub fn decided(&self, placement: &str, result: &'static str, reason: &'static str) {
        self.decisions.get_or_create(&OfDecision { placement: placement.to_owned(), result, reason }).inc();
    }

    /// A decision that was stored had been made this often before in vain.
    pub fn redecided(&self, times: u16) {
        self.redecisions.inc_by(u64::from(times));
    }

    /// An outcome was settled.
    pub fn outcome(&self, kind: &'static str, result: &'static str) {
        self.outcomes.get_or_create(&OfOutcome { r#type: kind, result }).inc();
    }

    /// An outcome that was accepted confirms a contact whose reservation had ended.
    pub fn confirmed_late(&self, kind: &'static str) {
        self.after_reservation.get_or_create(&OfType { r#type: kind }).inc();
    }

    /// A request was answered. The route is its pattern, never its path.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16, seconds: Option<f64>) {
        self.requests.get_or_create(&OfRequest { method, route, status }).inc();
        if let Some(seconds) = seconds {
            self.latency.get_or_create(&OfRoute { method, route }).observe(seconds);
        }
    }

    /// A commit ended; decisions are counted where it was stored.
    pub fn committed(&self, result: &'static str, decisions: usize, seconds: f64) {
        self.batches.get_or_create(&Result { result }).inc();
        self.commit.observe(seconds);
        if result == "stored" {
            self.batch_decisions.observe(f64::from(u32::try_from(decisions).unwrap_or(u32::MAX)));
        }
    }

    /// The store did not answer.
    pub fn store_failed(&self, doing: &'static str) {
        self.store_errors.get_or_create(&Doing { doing }).inc();
    }

    /// A webhook was turned away.
    pub fn signature_refused(&self, reason: &'static str) {
        self.signatures.get_or_create(&Reason { reason }).inc();
    }

    /// A line of a stream was answered, or had to wait for room.
    pub fn line(&self, result: &'static str) {
        self.stream_lines.get_or_create(&Result { result }).inc();
    }

    /// Whether this process cannot decide under the active bundle.
    pub fn bundle_refused(&self, refused: bool) {
        self.bundle_refused.set(i64::from(refused));
    }

    /// Batches and outcomes that wait for the learner, if the store says.
    pub fn backlog(&self, waiting: Option<(u64, u64)>) {
        let shown = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let (batches, outcomes) = waiting.map_or((-1, -1), |(a, b)| (shown(a), shown(b)));
        self.batches_unlearned.set(batches);
        self.outcomes_unapplied.set(outcomes);
    }

    /// So many orders came after what they take had been given back.
    pub fn pools_late(&self, orders: usize) {
        self.pools_late.inc_by(orders as u64);
    }

    /// How far the models in use have learned, of exactly these placements.
    pub fn models<'a>(&self, sequences: impl IntoIterator<Item = (&'a str, u64)>) {
        self.model_sequence.clear();
        for (placement, sequence) in sequences {
            let gauge = self.model_sequence.get_or_create(&OfPlacement { placement: placement.to_owned() });
            gauge.set(i64::try_from(sequence).unwrap_or(i64::MAX));
        }
    }

    /// How much of their exploration budgets is spent, of exactly these placements.
    pub fn explored<'a>(&self, shares: impl IntoIterator<Item = (&'a str, f64)>) {
        self.exploration_spent.clear();
        for (placement, share) in shares {
            self.exploration_spent.get_or_create(&OfPlacement { placement: placement.to_owned() }).set(share);
        }
    }

    /// Everything as text: [`OPEN_METRICS`], and with nothing in it that a reader of [`PLAIN`] would not know.
    pub fn print(&self) -> String {
        let mut printed = String::new();
        // Writing into a string cannot fail.
        let _ = text::encode(&mut printed, &self.registry);
        printed
    }
}
