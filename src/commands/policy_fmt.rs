//! `proffer policy fmt`: brings the files of a bundle into their canonical layout. Changes no value and no comment.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use proffer::policy::{NotLaidOut, lay_out};
use proffer::runtime::{StartError, mistakes, read_policies};

use super::policy::counted;
use super::policy_findings::print_findings;
use super::{failed, policy_schema};

/// Arguments of `proffer policy fmt`.
#[derive(Args)]
#[command(after_help = "Two spaces per level, dashes two further in than the name of their list, one space behind \
colons and commas, the fields\nof a rule in one order, one blank line at most. What is written is read again and compared: \
a file that would say\nsomething else is left alone. A file with mistakes is left alone too, and they are told.\n\n\
Exit code 0: every file is laid out; 1: a file has mistakes, or with `--check` another layout; 2: there is no such \
folder.\n\nExamples:\n  proffer policy fmt\n  proffer policy fmt policies --check")]
pub struct FmtArgs {
    /// Folder of the bundle.
    #[arg(default_value = "policies")]
    folder: PathBuf,
    /// Write nothing: say which files have another layout, and fail if any has.
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(args: &FmtArgs) -> ExitCode {
    let sources = match read_policies(&args.folder) {
        Ok(sources) => sources,
        Err(StartError::Read { path, source }) => {
            eprintln!("error: `{}` cannot be read: {source}; name the folder of a bundle", path.display());
            return ExitCode::from(2);
        }
        Err(error) => return failed(&error),
    };
    let (mut changed, mut wrong) = (0, 0);
    for source in &sources {
        let path = args.folder.join(&source.path);
        match lay_out(source) {
            Ok(laid) if laid == source.text => {}
            Ok(laid) => {
                changed += 1;
                println!("{}: {}", path.display(), if args.check { "has another layout" } else { "laid out" });
                if !args.check
                    && let Err(error) = policy_schema::put(&path, &laid)
                {
                    return failed(&error);
                }
            }
            Err(NotLaidOut::Wrong(findings)) => {
                wrong += findings.len();
                print_findings(&args.folder, &findings);
            }
            Err(NotLaidOut::Beyond) => {
                eprintln!("{}: left alone: it has a comment within brackets, or the like", path.display());
            }
        }
    }
    let what = if args.check { "with another layout" } else { "laid out anew" };
    println!("{}: {}, {changed} {what}", args.folder.display(), counted(sources.len(), "file"));
    if wrong > 0 {
        eprintln!("{} in {}", mistakes(wrong), args.folder.display());
    }
    if wrong > 0 || args.check && changed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS }
}
