//! `proffer serve --watch`: puts the bundle of the folder in force whenever its files change, for who writes rules and
//! tries them at once. Puts nothing in force that people have to approve and have not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proffer::policy::{Bundle, Source, compile_with_tests};
use proffer::runtime::{Core, NotActivated, mistakes, read_policies};

use super::policy_findings::print_findings;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Who changes the bundle, as the list of activations names it.
const BY: &str = "watch";

/// A bundle that was refused for want of approval, with the control row's sequence at that time: it is tried again once
/// that has moved.
type Refused = Option<(Arc<Bundle>, u64)>;

/// Watches a folder for as long as it is polled. `files` are those that the service was started with.
pub async fn watch(core: Arc<Core>, folder: PathBuf, files: Vec<Source>) {
    let (mut seen, mut tried, mut refused) = (files.clone(), files, Refused::None);
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tick.tick().await;
        let now = read(&folder).await;
        // A folder that is still being written looks different twice.
        let settled = now == seen;
        seen = now;
        if settled && seen != tried && !seen.is_empty() {
            tried.clone_from(&seen);
            refused = match compile_with_tests(&seen) {
                Ok((bundle, _)) => put_in_force(&core, Arc::new(bundle), true).await,
                Err(findings) => {
                    print_findings(&folder, &findings);
                    eprintln!("{} in {}; the bundle before stays in force", mistakes(findings.len()), folder.display());
                    None
                }
            };
        }
        if let Some((bundle, sequence)) = refused.take() {
            refused = if core.snapshot().control_sequence == sequence {
                Some((bundle, sequence))
            } else {
                put_in_force(&core, bundle, false).await
            };
        }
    }
}

async fn read(folder: &Path) -> Vec<Source> {
    let folder = folder.to_owned();
    // A file that is gone between two looks at the folder is there, or gone, at the next one.
    let read = tokio::task::spawn_blocking(move || read_policies(&folder).unwrap_or_default()).await;
    read.unwrap_or_default()
}

/// Puts a bundle in force, or gives it back where people have not approved it; `aloud` tells what is missing.
async fn put_in_force(core: &Arc<Core>, bundle: Arc<Bundle>, aloud: bool) -> Refused {
    let sequence = core.snapshot().control_sequence;
    match core.activate(&bundle, BY).await {
        Ok(Ok(_)) => {
            eprintln!("  watching  {} is active: every decision from now on is made under it", bundle.hash_text());
            None
        }
        Ok(Err(not @ NotActivated::Unapproved { .. })) => {
            if aloud {
                eprintln!("error: {not}\n\nthe bundle before stays in force; this one follows once it is approved");
            }
            Some((bundle, sequence))
        }
        Ok(Err(not)) => {
            eprintln!("error: {} is not put in force: {not}; the bundle before stays in force", bundle.hash_text());
            None
        }
        Err(error) => {
            eprintln!("error: {error}; the bundle before stays in force");
            None
        }
    }
}
