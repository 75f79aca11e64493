//! `proffer policy delay`: fits the delay curve of a placement from what is stored, or from a world, and prints it as
//! `placements.yaml` has it. Puts nothing in force.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use proffer::domain::{Curve, Delay, OfferId, Placement, Span};
use proffer::learning::{DelayFit, Exposed, Watched, fold};
use proffer::runtime::BundleMaker;
use proffer::simulation::World;
use proffer::simulation::compare::{Kind, Settings};
use proffer::simulation::trial::{Trial, written};
use proffer::store::Store;
use serde_json::{Value, json};

use super::bundles::{InStore, told};

/// Arguments of `proffer policy delay`.
#[derive(Args)]
pub struct DelayArgs {
    /// The placement.
    placement: String,
    /// Fit offers with so many rewards by themselves, besides all of them together.
    #[arg(long, value_name = "REWARDS")]
    by_offer: Option<usize>,
    /// Fit what a crowd does in a world, instead of what is stored.
    #[arg(long, value_name = "WORLD.yaml")]
    world: Option<PathBuf>,
    /// How many decisions the crowd of the world is asked for.
    #[arg(long, default_value_t = 50_000, requires = "world")]
    decisions: usize,
    #[command(flatten)]
    at: InStore,
}

/// What is fitted: every decision watched with its offer, within a window, and the curves in force.
struct Found {
    watched: Vec<(OfferId, Watched)>,
    window: Span,
    in_force: Option<Delay>,
}

const PAGE: u32 = 1_000;
/// A world's window: long enough for whatever comes.
const WORLD_WINDOW: Span = Span(30 * 86_400_000);
const BAR: usize = 40;

/// Runs the command.
pub async fn run(args: &DelayArgs) -> Result<ExitCode, Box<dyn Error>> {
    let found = if let Some(path) = &args.world {
        of_world(path, &args.placement, args.decisions)
    } else {
        let maker = args.at.open().await?;
        match placement(&maker, &args.placement).await? {
            Ok(placement) => Ok(of_store(maker.store.as_ref(), &placement).await?),
            Err(message) => Err(message),
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(message) => return Ok(told(&message, 2)),
    };
    let all: Vec<Watched> = found.watched.iter().map(|(_, watched)| *watched).collect();
    let Some(fit) = DelayFit::of(&all, found.window) else {
        let message = format!(
            "no order or click of `{}` is stored yet: nothing to fit; without `delay` every decision counts at once",
            args.placement
        );
        return Ok(told(&message, 1));
    };
    let mut own: BTreeMap<OfferId, DelayFit> = BTreeMap::new();
    if let Some(rewards_min) = args.by_offer {
        let mut by_offer: BTreeMap<&OfferId, Vec<Watched>> = BTreeMap::new();
        for (offer, watched) in &found.watched {
            by_offer.entry(offer).or_default().push(*watched);
        }
        let fitted = by_offer.into_iter().filter_map(|(offer, all)| Some((offer, DelayFit::of(&all, found.window)?)));
        own = fitted.filter(|(_, fit)| fit.rewards >= rewards_min.max(1)).map(|(id, fit)| (id.clone(), fit)).collect();
    }
    let version = found.in_force.as_ref().map_or(1, |delay| delay.version + 1);
    let yaml = yaml(version, &fit, &own);
    let mut text = section(&args.placement, &fit, found.in_force.as_ref().map(|delay| &delay.curve));
    for (offer, fit) in &own {
        let curve = found.in_force.as_ref().map(|delay| delay.curve_of(offer));
        let _ = write!(text, "\n{}", section(&format!("{} of `{offer}`", args.placement), fit, curve));
    }
    let _ = write!(text, "\nFor placements.yaml:\n\n{yaml}");
    let json = json!({
        "placement": args.placement, "yaml": yaml, "fit": told_fit(&fit),
        "offers": own.iter().map(|(offer, fit)| (offer.to_string(), told_fit(fit))).collect::<BTreeMap<_, _>>(),
    });
    args.at.print(&text, &json);
    Ok(ExitCode::SUCCESS)
}

/// The placement of the active bundle.
async fn placement(maker: &BundleMaker, id: &str) -> Result<Result<Placement, String>, Box<dyn Error>> {
    let Some(active) = maker.store.control().await?.bundle else {
        return Ok(
            Err("no bundle is active in this store: `proffer policy activate DIR` puts one in force".to_owned()),
        );
    };
    let bundle = maker.read(active).await?;
    Ok(bundle.placement(id).cloned().ok_or_else(|| {
        let known: Vec<String> = bundle.placements.keys().map(|id| format!("`{id}`")).collect();
        format!("the active bundle has no placement `{id}`: it has {}", known.join(", "))
    }))
}

async fn of_store(store: &dyn Store, placement: &Placement) -> Result<Found, Box<dyn Error>> {
    let now = store.now().await?;
    let (mut watched, mut after) = (Vec::new(), None);
    loop {
        let page = store.decisions_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.decision_id);
        let ids: Vec<_> = page.iter().map(|stored| stored.decision_id).collect();
        let mut outcomes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (decision, fact) in store.outcomes_of_all(&ids).await? {
            outcomes.entry(decision).or_default().push(fact);
        }
        for stored in &page {
            let skeleton = stored.record.skeleton()?;
            if skeleton.placement != placement.id {
                continue;
            }
            let outcomes = outcomes.get(&stored.decision_id).map_or(&[][..], Vec::as_slice);
            let upto = Span((now.0 - skeleton.at.0).clamp(0, placement.objective.window.0));
            for (slot, shown, _) in skeleton.chosen() {
                let of_slot: Vec<_> = outcomes.iter().filter(|fact| fact.is_of(slot)).copied().collect();
                let earned = fold(&Exposed::of(&skeleton, slot), &of_slot);
                if earned.exposed {
                    let delay = earned.accepted_at.map(|at| Span((at.0 - skeleton.at.0).max(0)));
                    watched.push((shown.offer.clone(), Watched { delay, upto }));
                }
            }
        }
    }
    Ok(Found { watched, window: placement.objective.window, in_force: placement.delay.clone() })
}

fn of_world(path: &Path, placement: &str, decisions: usize) -> Result<Found, String> {
    let named = |what: &dyn std::fmt::Display| format!("`{}`: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(&format!("cannot be read: {error}")))?;
    let world = World::parse(&text).map_err(|error| named(&error))?;
    let settings = Settings::read(Kind::World, Some("uniform"), None).map_err(|error| named(&error))?;
    let trial = Trial::prepare(world, &settings, decisions, Some("none")).map_err(|error| named(&error))?;
    let watched = trial.watch(1, WORLD_WINDOW).into_iter().filter(|one| one.placement.as_str() == placement);
    let watched: Vec<_> = watched.map(|one| (one.offer, one.watched)).collect();
    if watched.is_empty() {
        let known: Vec<String> = trial.world().placements.iter().map(|place| format!("`{}`", place.id)).collect();
        return Err(named(&format!("no placement `{placement}`: it has {}", known.join(", "))));
    }
    Ok(Found { watched, window: WORLD_WINDOW, in_force: None })
}

/// As it stands within a placement.
fn yaml(version: u32, fit: &DelayFit, own: &BTreeMap<OfferId, DelayFit>) -> String {
    let mut yaml = format!("    delay:\n      version: {version}\n      steps: {}", written(&fit.steps()));
    for (at, (id, fit)) in own.iter().enumerate() {
        yaml.push_str(if at == 0 { "\n      offers:" } else { "" });
        let _ = write!(yaml, "\n        - {{offers: [{id}], steps: {}}}", written(&fit.steps()));
    }
    yaml
}

/// The fit as a table with its uncertainty and a picture, beside the curve in force.
fn section(title: &str, fit: &DelayFit, in_force: Option<&Curve>) -> String {
    let mut text = format!(
        "{title}: {} rewards of {} decisions, watched for {} at most\n\n",
        fit.rewards,
        fit.decisions,
        about(fit.watched)
    );
    let steps = fit.steps();
    let ages = steps.iter().map(|step| step.age).filter(|age| age.0 > 0 && *age <= fit.watched);
    let mut off = Vec::new();
    let _ = writeln!(text, "  by age  has come           in force");
    for age in ages {
        let (share, deviation) = fit.share(age);
        let declared = in_force.map(|curve| f64::from(curve.share(curve.reached(age)).0) / 10_000.0);
        let (before, after) = in_force.map_or((0.0, 1.0), |curve| around(curve, age));
        if share + 2.0 * deviation < before || share - 2.0 * deviation > after {
            off.push(age.to_string());
        }
        let bar = "#".repeat(length(share));
        let in_force = declared.map_or_else(|| "     -".to_owned(), percent);
        let _ = writeln!(
            text,
            "  {:>6}  {} +- {:<5}  {in_force}  {bar}",
            age.to_string(),
            percent(share),
            percent(2.0 * deviation).trim()
        );
    }
    if !off.is_empty() {
        let _ = writeln!(
            text,
            "\nThe curve in force does not fit by {}: delays have changed, or it was a guess. Publish the new one.",
            off.join(", ")
        );
    }
    if fit.watched < fit.window() {
        let _ = writeln!(
            text,
            "\nNo decision was watched for longer than {} of the window of {}: what comes later is not in this curve.",
            about(fit.watched),
            fit.window()
        );
    }
    text
}

/// The shares of the steps that an age lies between: from each step on counts the mean until the next.
fn around(curve: &Curve, age: Span) -> (f64, f64) {
    let reached = curve.reached(age);
    let share = |reached: u16| f64::from(curve.share(reached).0) / 10_000.0;
    (share(reached.saturating_sub(1)), share(reached.saturating_add(1)))
}

fn told_fit(fit: &DelayFit) -> Value {
    let step = |step: &proffer::domain::DelayStep| {
        let (share, deviation) = fit.share(step.age);
        json!({"age": step.age.to_string(), "share": step.share.to_string(), "come": share, "deviation": deviation})
    };
    json!({
        "rewards": fit.rewards, "decisions": fit.decisions, "watched": fit.watched.to_string(),
        "steps": fit.steps().iter().map(step).collect::<Vec<_>>(),
    })
}

/// A span in whole days, hours or minutes.
fn about(span: Span) -> Span {
    let unit = [86_400_000, 3_600_000, 60_000, 1].into_iter().find(|unit| span.0 >= 2 * unit).unwrap_or(1);
    Span(span.0 / unit * unit)
}

fn percent(share: f64) -> String {
    format!("{:>5.1}%", 100.0 * share)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of forty, clamped")]
fn length(share: f64) -> usize {
    ((share * 40.0).round().clamp(0.0, 40.0) as usize).min(BAR)
}
