//! The short demo: the sample shop, its crowd, three strategies, one summary. Computes none of the numbers.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proffer::simulation::{Crowd, World};
use serde_json::json;

use super::client::{Access, Client, ClientError, pause};
use super::crowd::{Drive, PLACEMENTS};
use super::progress::{Progress, count, say};
use super::scenes::SCENES;
use super::summary::Summary;
use super::{DemoArgs, DemoError, blocking, measure, service};
use crate::commands::local::Local;
use crate::commands::{Format, sample};

/// Runs it.
pub async fn run(args: DemoArgs) -> Result<(), Box<dyn Error>> {
    let (format, keep) = (args.format, args.keep);
    let (summary, local) = perform(args).await?;
    match format {
        Format::Text => print!("{summary}"),
        Format::Json => println!("{}", summary.json()),
    }
    if keep {
        say(format, &invitation(&local.url, &local.admin_key));
        tokio::signal::ctrl_c().await?;
    }
    local.stop().await;
    Ok(())
}

/// Everything up to the summary. The service still runs.
pub async fn perform(args: DemoArgs) -> Result<(Summary, Local), Box<dyn Error>> {
    let watch = measure::start();
    let world = World::parse(sample::WORLD).map_err(DemoError::from)?;
    let (local, access) = service(args.store.clone(), sample::policies(), None).await?;
    say(args.format, &format!("The service answers at {} on a store of its own.", local.url));
    match play(args, world, access).await {
        Ok(mut summary) => {
            summary.seconds = watch.elapsed().as_secs_f64();
            Ok((summary, local))
        }
        Err(error) => {
            local.stop().await;
            Err(error.into())
        }
    }
}

async fn play(args: DemoArgs, world: World, access: Access) -> Result<Summary, DemoError> {
    let core = access.core.clone();
    let (driven, crowd, world, access, args) = blocking(move || {
        let crowd = Crowd::new(&world, args.seed);
        let driven = drive(&args, &world, &crowd, &access)?;
        Ok((driven, crowd, world, access, args))
    })
    .await?;
    core.learned_all().await?;
    let bundle = core.snapshot().bundle.clone();
    blocking(move || Summary::read(&world, &crowd, &driven, &access, &bundle, usize::from(args.clients), args.format))
        .await
}

fn drive(args: &DemoArgs, world: &World, crowd: &Crowd, access: &Access) -> Result<super::crowd::Driven, DemoError> {
    let client = Client::new(access);
    let offers: Vec<_> = world.offers.iter().map(|offer| &offer.offer).collect();
    client.import(&json!(offers))?;
    let visits = usize::try_from(args.decisions).unwrap_or(usize::MAX) / PLACEMENTS.len();
    let visitors: Vec<usize> =
        (0..visits).map(|visit| crowd.visit(world, visit).customer).collect::<BTreeSet<_>>().into_iter().collect();
    say(
        args.format,
        &format!(
            "Imported {} offers. {} customers visit {} times; every visit is sent past all {} placements.",
            offers.len(),
            count(visitors.len()),
            count(visits),
            PLACEMENTS.len()
        ),
    );
    let drive = Drive { world, crowd, access, clients: usize::from(args.clients) };
    let asking = Progress::new("asking for consent", visitors.len() * PLACEMENTS.len(), args.format);
    drive.consents(&visitors, &asking)?;
    asking.finish();
    let visiting = Progress::new("deciding", visits * PLACEMENTS.len(), args.format);
    let driven =
        drive.visits(visits, &visiting, &|done, over| play_scenes(&client, world, visits, done, over, &visiting))?;
    visiting.finish();
    Ok(driven)
}

/// Plays each scene when its share of the visits is done, the rest of them at the end.
fn play_scenes(
    client: &Client,
    world: &World,
    visits: usize,
    done: &AtomicUsize,
    over: &AtomicBool,
    progress: &Progress,
) -> Result<(), ClientError> {
    for (share, scene) in SCENES {
        #[expect(clippy::cast_precision_loss, reason = "counts of visits are small")]
        while (done.load(Ordering::Relaxed) as f64) < share * visits as f64 && !over.load(Ordering::Relaxed) {
            pause();
        }
        progress.say(&scene(client, world)?);
    }
    Ok(())
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
        let (summary, local) = perform(args("--decisions 90 --clients 4 --format json")).await.unwrap();
        local.stop().await;
        let json: serde_json::Value = serde_json::from_str(&summary.json()).unwrap();
        assert_eq!((&json["decisions"], &json["margins"]["under_floor"]), (&json!(90), &json!(0)));
        assert_eq!(json["exclusions"]["margin.floor.beauty"]["decisions"], 90);
        let strategies = json["strategies"].as_array().unwrap();
        let names: Vec<&str> = strategies.iter().map(|row| row["strategy"].as_str().unwrap()).collect();
        assert_eq!(names, ["thompson_linear", "linucb", "uniform"]);
        for row in strategies {
            let sum = |key: &str| row["all"][key].as_f64().unwrap();
            assert!(sum("margin_expected") > 0.0 && sum("margin_expected") <= sum("margin_best"), "{row}");
        }
        assert!(summary.to_string().contains("One decision, explained"));
    }
}
