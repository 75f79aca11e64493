//! `proffer policy schema`: JSON Schemas of the files of a bundle, for editors. Makes none itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use proffer::policy::{SCHEMA_FILES, did_you_mean, schema_of, schemas};

use super::failed;
use super::policy_findings::print_json;

/// The folder of the schemas within that of a bundle. A bundle has only YAML files, so that they are no part of it.
const FOLDER: &str = ".schema";

/// Arguments of `proffer policy schema`.
#[derive(Args)]
#[command(after_help = "Schemas follow JSON Schema 2020-12. Editors with the YAML language server complete and check \
fields by them, where a\nfile begins with a line such as\n\n  # yaml-language-server: $schema=../.schema/rules.json\n\n\
`proffer policy init` writes these lines and the schemas. After an update of Proffer, `--out` writes them \
anew, and says how\nfiles without such a line find them.\n\n\
Exit code 0: written; 1: a file cannot be written; 2: there is no such schema.\n\n\
Examples:\n  proffer policy schema rules\n  proffer policy schema --out policies")]
pub struct SchemaArgs {
    /// Which one: bundle, attributes, purposes, calendars, stores, placements, rules, fixtures or tests.
    #[arg(required_unless_present = "out")]
    name: Option<String>,
    /// Write all of them into `.schema` in the folder of this bundle.
    #[arg(long, value_name = "FOLDER", conflicts_with = "name")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &SchemaArgs) -> ExitCode {
    if let Some(folder) = &args.out {
        return match write(folder) {
            Ok(written) => {
                println!("{}: {written} schemas\n\n{}", folder.join(FOLDER).display(), settings(folder));
                ExitCode::SUCCESS
            }
            Err(error) => failed(&error),
        };
    }
    let name = args.name.as_deref().unwrap_or_default();
    let all = schemas();
    if let Some((_, schema)) = all.iter().find(|(known, _)| *known == name) {
        print_json(schema);
        return ExitCode::SUCCESS;
    }
    let names: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
    let meant = did_you_mean(name, names.iter().copied());
    eprintln!("error: there is no schema `{name}`{meant} (there are `{}`)", names.join("`, `"));
    ExitCode::from(2)
}

/// How files and editors find the schemas.
fn settings(folder: &Path) -> String {
    let path = |below: &str| folder.join(below).display().to_string();
    let rows = SCHEMA_FILES
        .map(|(name, pattern)| format!("    \"./{}\": \"{}\"", path(&format!("{FOLDER}/{name}.json")), path(pattern)));
    format!(
        "A file names its own in its first line, such as\n  {}or the settings of the editor do for all (Visual Studio \
         Code: .vscode/settings.json):\n  \"yaml.schemas\": {{\n{}\n  }}",
        line("rules/20-margin.yaml").unwrap_or_default(),
        rows.join(",\n")
    )
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be written; check who may write there and how much room is left")]
pub struct Unwritten {
    path: PathBuf,
    source: std::io::Error,
}

/// Writes a file with the folders that it stands in.
pub fn put(path: &Path, text: &str) -> Result<(), Unwritten> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text)).map_err(|source| Unwritten { path: path.to_owned(), source })
}

/// Writes every schema into the folder of a bundle and says how many.
pub fn write(folder: &Path) -> Result<usize, Unwritten> {
    let all = schemas();
    for (name, schema) in &all {
        put(&folder.join(FOLDER).join(format!("{name}.json")), &format!("{schema:#}\n"))?;
    }
    Ok(all.len())
}

/// The line by which an editor finds the schema of a file of a bundle.
pub fn line(path: &str) -> Option<String> {
    let up = "../".repeat(path.matches('/').count());
    schema_of(path).map(|name| format!("# yaml-language-server: $schema={up}{FOLDER}/{name}.json\n"))
}
