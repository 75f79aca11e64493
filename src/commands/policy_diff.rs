//! `proffer policy diff`: says in sentences what changed from one bundle to another. Compares nothing itself.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use proffer::policy::{Change, How, difference};
use serde_json::json;

use super::bundles::{InStore, named};
use super::policy::counted;

/// Arguments of `proffer policy diff`.
#[derive(Args)]
#[command(after_help = "Each of both is a folder, the hash of a published bundle or enough of its first digits, or \
`active`. What a rule says is\ntold field by field, and where it has a condition, with a customer and an offer that it \
newly leaves out or no longer does.\n\nExit code 0: told; 1: a bundle has mistakes or is not published; 2: no such \
thing can be meant.\n\n\
Examples:\n  proffer policy diff active policies\n  proffer policy diff b3:4f1c29aa b3:77ab01cd --format json\n  \
proffer policy diff ../main/policies policies")]
pub struct DiffArgs {
    /// The bundle before.
    #[arg(value_name = "HASH|DIR|active")]
    before: String,
    /// The bundle after.
    #[arg(value_name = "HASH|DIR|active", default_value = "policies")]
    after: String,
    #[command(flatten)]
    at: InStore,
}

/// Runs the command.
pub async fn run(args: &DiffArgs) -> Result<ExitCode, Box<dyn Error>> {
    let before = match named(&args.before, &args.at).await? {
        Ok(bundle) => bundle,
        Err(code) => return Ok(code),
    };
    let after = match named(&args.after, &args.at).await? {
        Ok(bundle) => bundle,
        Err(code) => return Ok(code),
    };
    let changes = difference(&before, &after);
    let (from, to) = (before.hash_text(), after.hash_text());
    let end = match (from == to, changes.len()) {
        (true, _) => "both are the same bundle".to_owned(),
        (false, 0) => "nothing differs but comments, layout or order".to_owned(),
        (false, some) => counted(some, "change"),
    };
    let head = format!("from {from} ({})\nto   {to} ({})", args.before, args.after);
    let told = changes.iter().map(|change| format!("\n{}\n", text(change))).collect::<Vec<_>>().concat();
    let json = json!({"before": from, "after": to, "same": from == to, "changes": changes});
    args.at.print(&format!("{head}\n{told}\n{end}"), &json);
    Ok(ExitCode::SUCCESS)
}

fn text(change: &Change) -> String {
    let sign = match change.how {
        How::Added => '+',
        How::Removed => '-',
        How::Changed => '~',
    };
    let Change { part, id, list, place: (path, line), .. } = change;
    let list = if list == path { String::new() } else { format!("{list}, ") };
    let told = change.sentences.iter().map(|sentence| format!("\n    {sentence}"));
    format!("{sign} {part} `{id}` ({list}{path}:{line}){}", told.collect::<Vec<_>>().concat())
}
