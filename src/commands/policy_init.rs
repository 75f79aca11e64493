//! `proffer policy init`: writes a small complete bundle to start from. Overwrites nothing.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::failed;
use super::policy_schema::{self, Unwritten};

/// The files written, each with comments that teach.
const FILES: [(&str, &str); 10] = [
    ("bundle.yaml", include_str!("starter/bundle.yaml")),
    ("catalog/attributes.yaml", include_str!("starter/catalog/attributes.yaml")),
    ("catalog/purposes.yaml", include_str!("starter/catalog/purposes.yaml")),
    ("placements.yaml", include_str!("starter/placements.yaml")),
    ("rules/10-consent.yaml", include_str!("starter/rules/10-consent.yaml")),
    ("rules/20-margin.yaml", include_str!("starter/rules/20-margin.yaml")),
    ("rules/30-caps.yaml", include_str!("starter/rules/30-caps.yaml")),
    ("rules/40-offers.yaml", include_str!("starter/rules/40-offers.yaml")),
    ("tests/fixtures/shop.yaml", include_str!("starter/tests/fixtures/shop.yaml")),
    ("tests/rules.test.yaml", include_str!("starter/tests/rules.test.yaml")),
];

/// Arguments of `proffer policy init`.
#[derive(Args)]
pub struct InitArgs {
    /// Folder to write, new or empty.
    #[arg(default_value = "policies")]
    folder: PathBuf,
}

/// Runs the command.
pub fn run(args: &InitArgs) -> ExitCode {
    let folder = args.folder.as_path();
    match holds_something(folder) {
        Ok(false) => {}
        Ok(true) => {
            eprintln!(
                "error: `{}` is not empty and nothing was written; name a new folder, such as `proffer policy init \
                 my-policies`",
                folder.display()
            );
            return ExitCode::from(2);
        }
        Err(error) => {
            eprintln!("error: `{}` cannot be used: {error}; name a folder", folder.display());
            return ExitCode::from(2);
        }
    }
    if let Err(error) = write(folder) {
        return failed(&error);
    }
    println!("{}: a bundle of {} files\n", folder.display(), FILES.len());
    for (path, what) in [
        ("placements.yaml", "the places that ask for an offer"),
        ("rules/", "the rules: consent, margin, contacts, one exclusion"),
        ("catalog/", "what may be known of customers and offers, and what for"),
        ("tests/", "customers and offers to try the rules on, and what is expected"),
        (".schema/", "by which editors complete and check the fields of these files"),
    ] {
        println!("  {path:18}{what}");
    }
    let quoted = quoted(folder);
    println!("\nNext: change a rule, then");
    for (command, what) in [
        (format!("proffer policy check {quoted}"), "says what is wrong with the files"),
        (format!("proffer policy test {quoted}"), "tries the rules on the tests"),
        (format!("proffer serve --policies {quoted}"), "decides under them"),
    ] {
        println!("  {command:40}  {what}");
    }
    ExitCode::SUCCESS
}

/// As a shell takes it.
fn quoted(folder: &Path) -> String {
    let text = folder.display().to_string();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn holds_something(folder: &Path) -> std::io::Result<bool> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write(folder: &Path) -> Result<(), Unwritten> {
    for (path, text) in FILES {
        let line = policy_schema::line(path).unwrap_or_default();
        policy_schema::put(&folder.join(path), &format!("{line}{text}"))?;
    }
    policy_schema::write(folder).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proffer::decision::trial::try_all;
    use proffer::domain::Timestamp;
    use proffer::policy::{Linted, Source, compile_with_tests, lay_out, lint};

    use super::FILES;

    #[test]
    fn what_is_written_is_a_bundle_without_warnings_laid_out_whose_tests_hold_and_cover_every_rule() {
        let files = FILES.map(|(path, text)| Source { path: path.into(), text: text.into() });
        let (bundle, tests) = compile_with_tests(&files)
            .unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
        let bundle = Arc::new(bundle);
        let trial = try_all(&bundle, &tests);
        let failed: Vec<String> = trial.failed().map(ToString::to_string).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        assert_eq!(trial.gaps().map(|(cover, gap)| (cover.rule.as_str(), gap)).collect::<Vec<_>>(), []);
        assert_eq!(lint(&bundle, &tests, &[], Timestamp(0)), Linted::default());
        for source in &files {
            assert_eq!(lay_out(source).ok().as_ref(), Some(&source.text), "{}", source.path);
        }
    }
}
