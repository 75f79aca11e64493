//! Decide and learn times of every strategy on a file of full feedback, in process and on one thread, as JSON; and the
//! file's events as the vectors that the strategies see. Times no store and no HTTP, and runs no other library:
//! `peers/run.py` does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot be set up has to stop")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use proffer::bandit::{self, Features};
use proffer::domain::{AttributeId, LocalTime, Placement, Timestamp};
use proffer::simulation::compare::{Kind, Settings};
use proffer::simulation::replay::feedback::{self, Event, Feedback};
use proffer::simulation::replay::{Known, Learner, Replay, earned};
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    /// Full feedback, not compressed; its `offers.json` lies beside it.
    #[arg(default_value = "")]
    file: PathBuf,
    /// As those of `proffer simulate`.
    #[arg(long)]
    strategies: Option<String>,
    /// As those of `proffer simulate`.
    #[arg(long)]
    settings: Option<String>,
    /// Events played; 0 means all.
    #[arg(long, default_value_t = 0)]
    events: usize,
    /// Plays of each strategy; the fastest counts.
    #[arg(long, default_value_t = 3)]
    repeats: u32,
    /// Print no times but, for each event, its vector, its candidates by position and what each of them earns.
    #[arg(long)]
    vectors: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let asked = Arguments::parse();
    if asked.file.as_os_str().is_empty() {
        eprintln!(
            "name a file of full feedback: `cargo bench --bench peers -- FILE`; `benches/peers/run.py` makes some"
        );
        return;
    }
    let (replay, events) = prepare(&asked.file, asked.strategies.as_deref(), asked.settings.as_deref());
    if asked.vectors {
        return print_vectors(&replay);
    }
    let count = if asked.events == 0 { events.len() } else { asked.events.min(events.len()) };
    let strategies: Vec<serde_json::Value> = replay
        .placements
        .iter()
        .map(|placement| {
            let plays = (0..asked.repeats.max(1)).map(|_| timed(&replay, &events, placement, count));
            let fastest = plays.min_by_key(|play| play.decide.at(50) + play.learn.at(50)).unwrap();
            json!({
                "name": placement.champion.strategy.name(),
                "decide": fastest.decide.json(),
                "learn": fastest.learn.json(),
            })
        })
        .collect();
    let about = json!({
        "file": asked.file.display().to_string(), "events": count, "candidates": replay.candidates(),
        "dimensions": replay.made.dimensions, "repeats": asked.repeats, "unit": "microseconds",
        "strategies": strategies,
    });
    println!("{about:#}");
}

fn prepare(file: &Path, strategies: Option<&str>, settings: Option<&str>) -> (Replay, Vec<Event>) {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let offers = feedback::parse_offers(&read(&file.with_file_name("offers.json"))).unwrap();
    let text = read(file);
    let settings = Settings::read(Kind::File, strategies, settings).unwrap_or_else(|e| panic!("{e}"));
    let events = feedback::full(&text, &offers).unwrap_or_else(|e| panic!("{e}"));
    let again = feedback::full(&text, &offers).unwrap();
    let replay = Replay::prepare(Feedback::Full(again), &offers, &settings, None).unwrap_or_else(|e| panic!("{e}"));
    (replay, events)
}

fn print_vectors(replay: &Replay) {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for step in &replay.steps {
        let Known::All(rewards) = &step.known else { continue };
        let line = json!({ "x": step.features.to_f64(), "candidates": step.candidates.as_ref(), "rewards": rewards });
        writeln!(out, "{line}").unwrap();
    }
}

/// What one part of every event of a play took.
#[derive(Default)]
struct Part(Vec<Duration>);

impl Part {
    fn add(&mut self, since: Instant) {
        self.0.push(since.elapsed());
    }

    /// What this share of the events, in hundredths, did not exceed: other work on the machine delays few of them.
    fn at(&self, share: usize) -> Duration {
        let mut each = self.0.clone();
        each.sort_unstable();
        each.get((each.len() * share / 100).min(each.len() - 1)).copied().unwrap()
    }

    fn json(&self) -> serde_json::Value {
        let micros = |took: Duration| took.as_secs_f64() * 1e6;
        let mean = micros(self.0.iter().sum()) / f64::from(u32::try_from(self.0.len()).unwrap());
        json!({"mean": mean, "p50": micros(self.at(50)), "p99": micros(self.at(99))})
    }
}

#[derive(Default)]
struct Play {
    decide: Part,
    learn: Part,
}

/// Plays like `proffer simulate --replay`: to decide is to encode the context, score, compute the distribution, check
/// it and draw; to learn is to add to the integers and to derive the arm's posterior again, after every event.
fn timed(replay: &Replay, events: &[Event], placement: &Placement, count: usize) -> Play {
    let mut learner = Learner::new(placement, replay, 1);
    let mut play = Play::default();
    for (step, event) in replay.steps.iter().zip(events).take(count) {
        let start = Instant::now();
        let x = encode(placement, event);
        let picked = black_box(learner.decide(step, &x).unwrap());
        play.decide.add(start);
        let reward = earned(step, picked).unwrap();
        let start = Instant::now();
        learner.learn(picked, step, reward);
        black_box(learner.view_on(step.day));
        play.learn.add(start);
    }
    play
}

fn encode(placement: &Placement, event: &Event) -> Features {
    bandit::features(placement, LocalTime::utc(Timestamp(0)), &|id: &AttributeId| event.context.get(id.name()).cloned())
}
