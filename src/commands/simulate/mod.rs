//! `proffer simulate`: plays strategies in a simulated world or through recorded events, side by side, and reports.
//! Decides nothing: the library plays; here are arguments, threads and printing.

pub mod chart;
pub mod page;
mod text;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use proffer::simulation::compare::{Kind, Played, Settings, SettingsError, Summary};
use proffer::simulation::replay::{PlayError, PrepareError, Replay, UnknownFeature, feedback, play, summarise};

use super::feedback::{FeedbackFileError, open};
use super::progress::Progress;
use super::threads::hand_out;
use super::{Format, failed, measure};

/// Arguments of `proffer simulate`.
#[derive(Args, Debug)]
#[command(after_help = "\
A world file says who the customers are and how they truly respond: what each strategy earns there is compared with a \
random pick, with the best offer for everybody, and with an oracle that knows the truth. No policies are in there: every \
offer that runs is a candidate. `--replay` plays recorded events instead.

Full feedback (`*.full.ndjson`) has the reward of every candidate: strategies learn online, each from the rewards of its \
own choices. Logged feedback (`*.logged.ndjson`) has one: an event counts when the strategy draws what was logged.

Strategies: thompson_linear, thompson_logistic, thompson_beta, linucb, linucb_hybrid, linucb_randomised, squarecb, \
bagged_linear, greedy, epsilon_greedy, uniform. Settings, for all of them or for one (`linucb.lambda=3`): lambda, prior \
(`category`, `none`), half_life (`60d`, `none`), exploration (all but greedy); alpha (linucb, linucb_hybrid); widths, \
width_max (linucb_randomised); gamma_scale, gamma_exponent (squarecb); bags (bagged_linear). Of a world: publish (how \
often new posteriors are taken into use, in its time: `1h`), delay (`known`: decisions gain their weight along the \
delays of the world; `ignore`). Of a recorded file: reward_min, reward_max (otherwise found), slots (`context`, `ignore`).

Exit code 0: played; 1: something is wrong with the file; 2: with the command.

Examples:
  proffer simulate simulators/shop.yaml
  proffer simulate simulators/shop.yaml --strategies thompson_linear,greedy --seeds 20 --report out.html
  proffer simulate simulators/shop.yaml --decisions 50000 --features customer.tier,hour_of_day --settings publish=5m
  proffer simulate --replay events.full.ndjson.gz
  proffer simulate --replay events.full.ndjson.gz --strategies thompson_linear,linucb --seeds 20 --report out.html
  proffer simulate --replay events.full.ndjson.gz --settings lambda=0.3,linucb.alpha=0.5,exploration=0.02
  proffer simulate --replay clicks.logged.ndjson.gz --settings slots=ignore --format json")]
pub struct SimulateArgs {
    /// A world, such as `simulators/shop.yaml`.
    #[arg(value_name = "WORLD.yaml", required_unless_present = "replay", conflicts_with = "replay")]
    world: Option<PathBuf>,
    /// A file of recorded events to play instead, `.gz` too; its `offers.json` lies beside it.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many decisions each play has in a world.
    #[arg(long, value_name = "N", default_value_t = 20_000, conflicts_with = "replay",
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    decisions: u32,
    /// Which strategies, separated by commas [default: all there are].
    #[arg(long, value_name = "NAMES")]
    strategies: Option<String>,
    /// How often each strategy is played.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    seeds: u16,
    /// `KEY=VALUE`, separated by commas [default: those of `placements.yaml`].
    #[arg(long, value_name = "SETTINGS")]
    settings: Option<String>,
    /// What is learned from, separated by commas, or `none`: features of a world as `placements.yaml` names them, keys
    /// of `context` of a file [default: all that fit].
    #[arg(long, value_name = "KEYS")]
    features: Option<String>,
    /// How many threads play [default: one for each core]; the result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    threads: Option<u16>,
    /// Write a page with curves and tables for people to this file.
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Why nothing was played to its end.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The file.
    #[error(transparent)]
    File(#[from] FeedbackFileError),
    /// The world.
    #[error(transparent)]
    World(#[from] world::WorldFileError),
    /// The command line asks for what is not there.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// So does it for a feature.
    #[error(transparent)]
    Feature(#[from] UnknownFeature),
    /// A play.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The page cannot be written.
    #[error(
        "the report `{}` cannot be written: name a file in a folder that exists and that you may write to",
        .path.display()
    )]
    Report {
        /// Where to.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A chart cannot be drawn.
    #[error("a chart of the report cannot be drawn: {0}")]
    Chart(String),
    /// A thread ended early.
    #[error("a thread stopped before its time")]
    Thread,
}

impl SimulateError {
    /// The command is wrong, not the thing it was given.
    fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Settings(_)
                | Self::Feature(_)
                | Self::World(world::WorldFileError::Read { .. })
                | Self::File(FeedbackFileError::Read { .. } | FeedbackFileError::NoOffers { .. })
        )
    }
}

/// What a run is about, apart from what came of it.
#[derive(Debug)]
struct About {
    file: String,
    threads: usize,
    seconds: f64,
}

/// Runs the command.
pub fn run(args: &SimulateArgs) -> ExitCode {
    match perform(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = failed(&error);
            if error.is_usage() { ExitCode::from(2) } else { code }
        }
    }
}

fn perform(args: &SimulateArgs) -> Result<(), SimulateError> {
    let kind = if args.replay.is_some() { Kind::File } else { Kind::World };
    let settings = Settings::read(kind, args.strategies.as_deref(), args.settings.as_deref())?;
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args.threads.map_or_else(cores, usize::from);
    let watch = measure::start();
    let (file, summary) = match (&args.replay, &args.world) {
        (Some(file), _) => (file, replayed(args, file, &settings, threads)?),
        (None, Some(file)) => (file, world::played(args, file, &settings, threads)?),
        (None, None) => return Err(SettingsError("there is nothing to play: name a world".to_owned()).into()),
    };
    let about = About { file: file.display().to_string(), threads, seconds: watch.elapsed().as_secs_f64() };
    match args.format {
        Format::Text => print!("{}", text::render(&summary, &about)),
        Format::Json => println!("{:#}", json(&summary, &about)),
    }
    if let Some(path) = &args.report {
        write(path, &page::render(&summary, &about)?)?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

fn replayed(args: &SimulateArgs, file: &Path, settings: &Settings, threads: usize) -> Result<Summary, SimulateError> {
    let replay = prepare(file, settings, args.features.as_deref())?;
    reserve(args)?;
    let plays = play_all(&replay, args.seeds, threads, args.format)?;
    Ok(summarise(&replay, settings, &plays))
}

/// Makes sure that the report can be written: before minutes of playing, not after.
fn reserve(args: &SimulateArgs) -> Result<(), SimulateError> {
    args.report.as_ref().map_or(Ok(()), |path| write(path, ""))
}

/// The summary with what it is about.
fn json(summary: &Summary, about: &About) -> serde_json::Value {
    let mut json = serde_json::json!(summary);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("file".to_owned(), about.file.clone().into());
        fields.insert("seconds".to_owned(), about.seconds.into());
    }
    json
}

fn write(path: &Path, text: &str) -> Result<(), SimulateError> {
    std::fs::write(path, text).map_err(|source| SimulateError::Report { path: path.to_owned(), source })
}

fn prepare(path: &Path, settings: &Settings, features: Option<&str>) -> Result<Replay, SimulateError> {
    let (text, offers) = open(path)?;
    let within = |mistake| FeedbackFileError::within(path, mistake);
    let feedback = feedback::read(&text, &offers).map_err(within)?;
    Replay::prepare(feedback, &offers, settings, features).map_err(|error| match error {
        PrepareError::Feature(error) => error.into(),
        PrepareError::Settings(error) => error.into(),
        PrepareError::Mistake(mistake) => within(mistake).into(),
    })
}

/// Every strategy with every seed, on so many threads.
fn play_all(replay: &Replay, seeds: u16, threads: usize, format: Format) -> Result<Vec<Vec<Played>>, SimulateError> {
    let seeds = usize::from(seeds);
    let size = (replay.placements.len() * seeds, replay.steps.len());
    let played = in_order(size, threads, format, &|job, told| {
        let placement = replay.placements.get(job / seeds).ok_or(SimulateError::Thread)?;
        Ok(play(replay, placement, (job % seeds) as u64 + 1, told)?)
    })?;
    let mut plays: Vec<Vec<Played>> = replay.placements.iter().map(|_| Vec::new()).collect();
    for (job, played) in played.into_iter().enumerate() {
        if let Some(strategy) = plays.get_mut(job / seeds) {
            strategy.push(played);
        }
    }
    Ok(plays)
}

/// Plays the job of a number and tells of every step.
type Job<'a, T> = dyn Fn(usize, &mut dyn FnMut()) -> Result<T, SimulateError> + Sync + 'a;

/// Plays so many jobs of so many steps each, with a bar that a job tells of every step. Results are put in their place
/// by number, so that it does not matter which thread comes first.
fn in_order<T: Send>(
    (jobs, steps): (usize, usize),
    threads: usize,
    format: Format,
    play: &Job<'_, T>,
) -> Result<Vec<T>, SimulateError> {
    let bar = Progress::new("playing", jobs * steps, format);
    let work = |(): &(), job: usize, played: &mut Vec<(usize, T)>| {
        let mut waiting = 0;
        let result = play(job, &mut || {
            waiting += 1;
            if waiting == 256 {
                bar.advance(waiting);
                waiting = 0;
            }
        })?;
        bar.advance(waiting);
        played.push((job, result));
        Ok::<(), SimulateError>(())
    };
    let parts = hand_out(jobs, threads, &|| (), &work, &|| SimulateError::Thread);
    bar.finish();
    let mut all: Vec<(usize, T)> = parts?.into_iter().flatten().collect();
    all.sort_by_key(|(job, _)| *job);
    Ok(all.into_iter().map(|(_, played)| played).collect())
}
