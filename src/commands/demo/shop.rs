//! The demo: the sample shop, its crowd, its strategies, scenes, one summary, one report. Computes none of the numbers.

use std::error::Error;
use std::path::Path;

use proffer::domain::{Campaign, Offer, Timestamp};
use proffer::runtime::verify::Verified;
use proffer::runtime::{Clock, Core};
use proffer::simulation::{Crowd, World};
use serde_json::json;

use super::client::{Access, Client};
use super::crowd::{Drive, Driven};
use super::progress::{Progress, count, say};
use super::scenes::Scenes;
use super::summary::{Story, Summary};
use super::twins::{LANES, with_twins};
use super::{DemoArgs, DemoError, blocking, measure, report, service};
use crate::commands::local::Local;
use crate::commands::{Format, sample};

const WEEK_MS: i64 = 7 * 86_400_000;
/// The story ends at least this long ago, so that whoever keeps the shop running goes on in the present.
const BEFORE_MS: i64 = 3 * 86_400_000;
/// Days of the story.
const DAYS: u32 = 28;

/// Runs it.
pub async fn run(args: DemoArgs) -> Result<(), Box<dyn Error>> {
    let (format, keep) = (args.format, args.keep);
    let path = (!args.no_report).then(|| args.report.clone());
    if let Some(path) = &path {
        // Before a minute of work, not after.
        write(path, "")?;
    }
    let (summary, local) = perform(args).await?;
    match format {
        Format::Text => print!("{summary}"),
        Format::Json => println!("{}", summary.json()),
    }
    if let Some(path) = &path {
        write(path, &report::render(&summary)?)?;
        say(format, &format!("\nThe same with pictures: {}", path.display()));
    }
    if keep {
        say(format, &invitation(&local.url, &local.admin_key));
        tokio::select! {
            done = tokio::signal::ctrl_c() => done?,
            () = follow(&local.core) => {}
        }
    }
    local.stop().await;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    std::fs::write(path, text).map_err(|source| DemoError::Report { path: path.to_owned(), source })
}

/// Goes on in the present: the clock, set by hand until now, follows the store's.
async fn follow(core: &Core) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(200));
    loop {
        tick.tick().await;
        if let Ok(now) = core.store.now().await {
            core.clock.set(now);
        }
    }
}

/// Everything up to the summary. The service still runs.
pub async fn perform(args: DemoArgs) -> Result<(Summary, Local), Box<dyn Error>> {
    let watch = measure::start();
    let world = World::parse(sample::WORLD).map_err(DemoError::from)?;
    let world = recent(world, Clock::present());
    let clock = Clock::by_hand(world.calendar.start);
    let (local, access) = service(args.store.clone(), with_twins(sample::policies()), Some(clock)).await?;
    say(args.format, &format!("The service answers at {} on a store of its own.", local.url));
    let played = match play(args, world, access).await {
        Ok(summary) => verify(&local).await.map(|log| Summary { log, ..summary }),
        Err(error) => Err(error),
    };
    match played {
        Ok(mut summary) => {
            summary.measured.seconds = watch.elapsed().as_secs_f64();
            Ok((summary, local))
        }
        Err(error) => {
            local.stop().await;
            Err(error.into())
        }
    }
}

/// Verifies the whole store against its log, and says in a sentence what came of it.
async fn verify(local: &Local) -> Result<String, DemoError> {
    local.core.logged_all().await?;
    let Verified { decisions, changes, findings, .. } = local.core.verify_log().await?;
    Ok(match findings.first.first() {
        None => format!(
            "The log holds all {decisions} decisions and {changes} privileged changes under one signed root, and was \
             verified leaf by leaf: nothing was altered, nothing is missing."
        ),
        Some(first) => format!("The log was verified, with {} findings: {first}.", findings.count),
    })
}

/// The world moved by whole weeks, so that its days end shortly before now.
fn recent(mut world: World, now: Timestamp) -> World {
    let end = world.calendar.midnight(DAYS).0 + BEFORE_MS;
    let by = (now.0 - end).div_euclid(WEEK_MS) * WEEK_MS;
    let moved = |at: Timestamp| Timestamp(at.0 + by);
    world.calendar.start = moved(world.calendar.start);
    for offer in &mut world.offers {
        let Offer { starts_at, ends_at, pauses, .. } = &mut offer.offer;
        (*starts_at, *ends_at) = (starts_at.map(moved), ends_at.map(moved));
        for pause in pauses {
            (pause.from, pause.until) = (moved(pause.from), moved(pause.until));
        }
    }
    for campaign in &mut world.campaigns {
        let Campaign { starts_at, ends_at, pauses, .. } = campaign;
        (*starts_at, *ends_at) = (starts_at.map(moved), ends_at.map(moved));
        for pause in pauses {
            (pause.from, pause.until) = (moved(pause.from), moved(pause.until));
        }
    }
    world
}

async fn play(args: DemoArgs, world: World, access: Access) -> Result<Summary, DemoError> {
    let core = access.core.clone();
    let (told, access) = blocking(move || Ok((drive(args, world, &access)?, access))).await?;
    core.learned_all().await?;
    let bundle = core.snapshot().bundle.clone();
    blocking(move || {
        let Told { args, world, crowd, driven, visits, customers } = told;
        let clients = usize::from(args.clients);
        let story =
            Story { world: &world, crowd: &crowd, driven: &driven, bundle: &bundle, visits, customers, clients };
        let reading = Progress::new("reading records", driven.made.len(), args.format);
        let summary = story.read(&access, &reading)?;
        reading.finish();
        Ok(summary)
    })
    .await
}

/// What was played.
struct Told {
    args: DemoArgs,
    world: World,
    crowd: Crowd,
    driven: Driven,
    visits: usize,
    customers: usize,
}

fn drive(args: DemoArgs, mut world: World, access: &Access) -> Result<Told, DemoError> {
    let format = args.format;
    let wanted = usize::try_from(args.decisions).unwrap_or(usize::MAX) / LANES.len();
    let (visits, asked) = visits_of(&mut world, args.seed, wanted);
    let crowd = Crowd::new(&world, args.seed);
    let client = Client::new(access);
    client.import(&json!({"campaigns": world.campaigns, "offers": world.catalogue()}))?;
    let placements = access.core.snapshot().bundle.placements.clone();
    let slots = placements.iter().map(|(id, placement)| (id.to_string(), usize::from(placement.slots))).collect();
    let drive = Drive { world: &world, crowd: &crowd, access, slots, clients: usize::from(args.clients), visits };
    let visitors = drive.visitors();
    say(
        format,
        &format!(
            "{} offers, {} placements. {} customers come {} times in {DAYS} days; every visit is sent past {} \
             strategies.",
            world.offers.len() - 1,
            world.placements.len(),
            count(visitors.len()),
            count(visits),
            LANES.len()
        ),
    );
    let asking = Progress::new("asking for consent", visitors.len() * LANES.len(), format);
    drive.consents(&visitors, &asking)?;
    asking.finish();
    let deciding = Progress::new("deciding", asked * LANES.len(), format);
    let driven = drive.days(&visitors, Scenes::default(), &deciding)?;
    deciding.finish();
    let customers = visitors.len();
    Ok(Told { args, world, crowd, driven, visits, customers })
}

/// So many visits that they ask for about so many decisions, spread over the days of the story; and what they ask for.
fn visits_of(world: &mut World, seed: u64, wanted: usize) -> (usize, usize) {
    let crowd = Crowd::new(world, seed);
    let (mut visits, mut asked) = (0, 0);
    while asked < wanted.max(1) {
        asked += crowd.visit(world, visits).steps.len();
        visits += 1;
    }
    let of_story: usize = (0..DAYS).map(|day| world.calendar.visits_on(day)).sum();
    let factor = super::summary::float(visits) / super::summary::float(of_story.max(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "millions at most")]
    let per_day = (f64::from(world.calendar.visits_per_day) * factor).ceil() as u32;
    world.calendar.visits_per_day = per_day.max(1);
    (visits, asked)
}

fn invitation(url: &str, key: &str) -> String {
    format!(
        "\nThe service keeps running; end it with Ctrl-C. Try:\n\n\
         curl -s {url}/v1/decisions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n  \
         -d '{{\"placement\":\"home_banner\",\"customer\":{{\"id\":\"dora\",\"attributes\":{{\"tier\":\"gold\",\
         \"region\":\"north\"}}}},\"context\":{{\"device_type\":\"mobile\"}}}}'\n\n\
         curl -s {url}/v1/decisions/DECISION_ID -H 'Authorization: Bearer {key}' -H 'Accept: text/plain'\n\n\
         curl -s -X PUT {url}/v1/customers/dora/consents -H 'Authorization: Bearer {key}' \
         -H 'Content-Type: application/json' \\\n  \
         -d '{{\"consents\":[{{\"purpose\":\"offer_personalisation\",\"state\":\"granted\"}}]}}'\n\n\
         curl -s {url}/v1/models -H 'Authorization: Bearer {key}'"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::args;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_short_demo_ends_with_every_decision_in_the_summary_and_no_margin_under_its_floor() {
        let (summary, local) = perform(args("--decisions 240 --clients 4 --format json")).await.unwrap();
        local.stop().await;
        let json: serde_json::Value = serde_json::from_str(&summary.json()).unwrap();
        let decisions = json["measured"]["decisions"].as_u64().unwrap();
        assert!((240..=252).contains(&decisions), "{decisions}");
        assert_eq!(json["margins"]["under_floor"], 0);
        assert!(json["margins"]["lowest_percent"].as_f64().unwrap() >= 10.0);
        assert_eq!(json["margins"]["kept_out"], json!(["Perfume", "Pantry deal", "Headphones"]));
        assert_eq!(json["exclusions"]["margin.floor.beauty"]["decisions"], decisions / 3);
        let rows = json["strategies"].as_array().unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row["strategy"].as_str().unwrap()).collect();
        assert_eq!(names, ["thompson_linear", "linucb", "uniform"]);
        let of = |row: &serde_json::Value, key: &str| row["all"][key].as_f64().unwrap();
        for row in rows {
            assert!(of(row, "expected") > 0.0 && of(row, "expected") <= of(row, "best"), "{row}");
        }
        let placed = json["placements"].as_array().unwrap();
        let sum: f64 = placed.iter().map(|placed| of(&placed["strategies"][0], "expected")).sum();
        assert!((sum - of(&rows[0], "expected")).abs() < 1e-6, "placements add up to all of it");
        let text = summary.to_string();
        assert!(
            text.contains("ONE DECISION, EXPLAINED") && text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert_eq!(json["explained"]["again"], "identical");
        check_page(&report::render(&summary).unwrap());
    }

    /// Every part is there, every element is closed, nothing is loaded, and no number went wrong.
    fn check_page(page: &str) {
        for title in [
            "What was found",
            "Margin per decision, as days go by",
            "Orders, as days go by",
            "By placement and strategy",
            "What <code>home_banner</code> showed",
            "Where the margin came from",
            "What rules left out",
            "One decision, explained",
            "How fast it answered",
        ] {
            assert!(page.contains(&format!("<section><h2>{title}</h2>")), "{title}");
        }
        assert_eq!(page.matches("<svg").count(), 7);
        for loaded in ["http:", "https:", "src=", "href="] {
            let namespaces = page.matches("http://www.w3.org/").count();
            let found = page.matches(loaded).count();
            assert!(found == 0 || (loaded == "http:" && found == namespaces), "{loaded}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"), "a number went wrong");
        let mut open: Vec<&str> = Vec::new();
        for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
            match tag {
                _ if tag.starts_with('!') || tag.ends_with('/') || name == "meta" => {}
                _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name)),
                _ => open.push(name),
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn scenes_tell_what_changed_and_which_rule_spoke() {
        let world = World::parse(sample::WORLD).unwrap();
        let clock = Clock::by_hand(world.calendar.start);
        let (local, access) = service(None, with_twins(sample::policies()), Some(clock)).await.unwrap();
        let lines = blocking(move || {
            let client = Client::new(&access);
            client.import(&json!({"campaigns": world.campaigns, "offers": world.catalogue()}))?;
            let mut scenes = Scenes::default();
            assert!(scenes.play(&client, &world, 0)?.is_empty(), "nothing is due yet");
            let lines = scenes.play(&client, &world, usize::MAX)?;
            assert!(scenes.are_over());
            Ok(lines)
        });
        let lines = lines.await.unwrap();
        local.stop().await;
        assert!(lines.iter().all(|line| line.chars().count() <= 100), "{lines:?}");
        let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        for said in [
            "day 5 A purchase Ada is shown",
            "The decision has now earned 0.00 USD",
            "a second time: duplicate, nothing changes",
            "Ben's banner was decided under `offer_personalisation` and read `context.device_type`, `customer.region`",
            "is made under `offer_contextual` and reads `context.device_type` alone",
            "Purpose `offer_personalisation` was refused by `consent.personal`",
            "`cap.offer.day` (Nobody sees one offer more than twice a day, contact standard 3)",
        ] {
            assert!(text.replace("  ", " ").replace("  ", " ").contains(said), "{said} is not in {text}");
        }
        assert!(!text.contains("earned 0.00 USD. The decision"), "{text}");
    }

    #[test]
    fn a_world_is_moved_by_whole_weeks_and_ends_before_now() {
        let world = World::parse(sample::WORLD).unwrap();
        let before = world.calendar.start;
        let now = Timestamp(before.0 + 400 * 86_400_000);
        let moved = recent(world, now);
        assert_eq!((moved.calendar.start.0 - before.0) % WEEK_MS, 0);
        let end = moved.calendar.midnight(DAYS).0;
        assert!(end + BEFORE_MS <= now.0 && now.0 < end + BEFORE_MS + WEEK_MS);
    }
}
