//! `proffer policy approvals|approve|revoke`: what people have approved and what is missing. Judges nothing itself.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use proffer::domain::{AttributeId, Digest, Malformed, OfferId, PurposeId, Span, Timestamp, VariantId};
use proffer::policy::{Authority, Bundle, Held, Matter, Needed, Use, UseCase, did_you_mean, parse_hash, print_hash};
use proffer::runtime::{Approval, Approver, Proposed, keys_of, site_key};
use proffer::store::Revoked;
use serde_json::{Value, json};

use super::bundles::{Ended, InStore, named, told};
use super::policy::counted;

const DAY_MS: i64 = 86_400_000;

/// Arguments of `proffer policy approvals`.
#[derive(Args)]
#[command(
    after_help = "Exit code 0: everything is approved that the bundle asks for; 1: something is missing; 2: there \
is no such\nbundle.\n\nExamples:\n  proffer policy approvals\n  proffer policy approvals policies --soon 60d\n  \
proffer policy approvals --export approvals.json\n  proffer policy approvals --site-key"
)]
pub struct ApprovalsArgs {
    /// A folder, or the hash of a published bundle, or enough of its first digits, or `active`.
    #[arg(value_name = "HASH|DIR", default_value = "active")]
    target: String,
    /// Approvals that end within this time are told to end soon.
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    soon: String,
    /// Write every approval into this file, signed by the site, for `proffer policy check --approvals FILE`.
    #[arg(long, value_name = "FILE", conflicts_with = "site_key")]
    export: Option<PathBuf>,
    /// Print the public key by which exports of this site are checked.
    #[arg(long)]
    site_key: bool,
    #[command(flatten)]
    at: InStore,
}

/// Whose key, read from a file so that it stands in no list of processes.
#[derive(Args)]
struct WithKey {
    /// A file with your API key; the variable `PROFFER_KEY` otherwise.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Arguments of `proffer policy approve`.
#[derive(Args)]
#[command(after_help = "A use of an attribute needs two approvals, by keys of two people: one with the role \
`approve:privacy`, one with\n`approve:business`. `--hash` is what you looked at: an approval of anything else under the \
same name would not count.\n\nExamples:\n  proffer policy approve customer.tier --purpose offer_personalisation --use-case \
feature --hash b3:HASH\n  proffer policy approve --offer free-shipping --variant a --hash b3:HASH --expires 2026-06-30\n  \
proffer policy approve --bundle --hash b3:HASH --note 'Board, 3 March' --key-file my-key")]
pub struct ApproveArgs {
    /// The attribute whose use is approved.
    #[arg(value_name = "ATTRIBUTE", required_unless_present_any = ["offer", "bundle"], requires = "purpose",
        requires = "use_case", conflicts_with_all = ["offer", "bundle"])]
    attribute: Option<String>,
    /// What it is used for.
    #[arg(long)]
    purpose: Option<String>,
    /// As what: rule, feature, price, guard or measurement.
    #[arg(long)]
    use_case: Option<String>,
    /// The offer that is approved.
    #[arg(long, value_name = "OFFER", conflicts_with = "bundle")]
    offer: Option<String>,
    /// Its variant; every variant unless given.
    #[arg(long, value_name = "VARIANT", requires = "offer")]
    variant: Option<String>,
    /// Approve a bundle as a whole.
    #[arg(long)]
    bundle: bool,
    /// The hash of what you looked at, as `proffer policy approvals` shows it.
    #[arg(long, value_name = "b3:HASH")]
    hash: String,
    /// The approval ends with this day (UTC), or at this instant; in 180 days unless given, in 366 at the latest.
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// Why, or where that is written down.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    key: WithKey,
    #[command(flatten)]
    at: InStore,
}

/// Arguments of `proffer policy revoke`.
#[derive(Args)]
#[command(after_help = "No decision that starts after the command has returned relies on it.\n\nExample:\n  \
proffer policy revoke 17 --note 'Complaint 12'")]
pub struct RevokeArgs {
    /// The approval's number, as `proffer policy approvals` shows it.
    id: u64,
    /// Why.
    #[arg(long)]
    note: String,
    #[command(flatten)]
    key: WithKey,
    #[command(flatten)]
    at: InStore,
}

/// `proffer policy approvals`.
pub async fn approvals(args: &ApprovalsArgs) -> Ended {
    let approver = Approver { store: args.at.open().await?.store };
    if args.site_key || args.export.is_some() {
        let settings = args.at.settings()?;
        let (keys, _) = keys_of(approver.store.as_ref(), &settings.key_file).await?;
        let key = site_key(&keys.master).to_string();
        let Some(path) = &args.export else {
            args.at.print(&key, &json!({"site_key": key}));
            return Ok(ExitCode::SUCCESS);
        };
        let export = approver.export().await?;
        std::fs::write(path, export.print(&keys.master))?;
        let count = counted(export.approvals.len(), "approval");
        let text = format!(
            "{}: {count} as of {}; `proffer policy check --approvals {} --site-key {key}` relies on them",
            path.display(),
            export.at,
            path.display()
        );
        args.at.print(&text, &json!({"file": path, "approvals": export.approvals.len(), "site_key": key}));
        return Ok(ExitCode::SUCCESS);
    }
    let soon = match Span::parse(&args.soon) {
        Ok(soon) => soon,
        Err(error) => return Ok(told(&format!("--soon: {error}"), 2)),
    };
    let bundle = match named(&args.target, &args.at).await? {
        Ok(bundle) => bundle,
        Err(code) => return Ok(code),
    };
    let now = approver.store.now().await?;
    let needed = approver.needed(&bundle, now).await?;
    let missing = needed.iter().filter(|needed| !needed.standing.is_approved()).count();
    let json = json!({
        "bundle": bundle.hash_text(), "missing": missing,
        "needed": needed.iter().map(|needed| shown(needed, now, soon)).collect::<Vec<_>>(),
    });
    args.at.print(&page(&bundle, &needed, now, soon), &json);
    Ok(ExitCode::from(u8::from(missing > 0)))
}

/// What a bundle asks for in a sentence.
fn asks(bundle: &Bundle) -> String {
    if bundle.demands.is_empty() {
        return "asks nobody to approve anything: `approvers` in bundle.yaml says what must be".to_owned();
    }
    let mut asks = Vec::new();
    if !bundle.demands.attributes.is_empty() {
        let classes: Vec<&str> = bundle.demands.attributes.iter().map(|class| class.name()).collect();
        asks.push(format!("privacy and business for each use of {} attributes", classes.join(", ")));
    }
    for (what, who) in [("every offer", &bundle.demands.offers), ("the bundle", &bundle.demands.bundle)] {
        if !who.is_empty() {
            let who: Vec<&str> = who.iter().map(|authority| authority.name()).collect();
            asks.push(format!("{} for {what}", who.join(" and ")));
        }
    }
    format!("asks {}", asks.join("; "))
}

/// Whether it ends within a time, and in how many days.
fn ends_soon(needed: &Needed, now: Timestamp, soon: Span) -> Option<i64> {
    let until = needed.standing.until().filter(|until| *until <= now.plus(soon))?;
    Some((until.0 - now.0).div_euclid(DAY_MS))
}

fn page(bundle: &Bundle, needed: &[Needed], now: Timestamp, soon: Span) -> String {
    let mut lines = vec![format!("bundle {} {}", bundle.hash_text(), asks(bundle))];
    for one in needed {
        let standing = &one.standing;
        let state = match (standing.is_approved(), ends_soon(one, now, soon)) {
            (false, _) => "missing ",
            (true, None) => "approved",
            (true, Some(_)) => "soon    ",
        };
        lines.push(format!("\n{state}  {}, {}", standing.matter, print_hash(standing.pinned)));
        lines.extend(one.used_by.iter().map(|site| format!("          {site}")));
        for (authority, held) in &standing.held {
            let told = match held {
                Held::By(given) => format!(
                    "`{}` approved it for `{}` at {} until {} (approval {})",
                    given.by,
                    authority.name(),
                    given.at,
                    given.expires,
                    given.id
                ),
                held => held.told(*authority).unwrap_or_default(),
            };
            lines.push(format!("          {told}"));
        }
        if let Some(days) = ends_soon(one, now, soon) {
            lines.push(format!("          it ends in {}", counted(usize::try_from(days).unwrap_or(0), "day")));
        }
        if !standing.is_approved() {
            lines.push(format!("          {}", command(one)));
        }
    }
    if !needed.is_empty() {
        let missing = needed.iter().filter(|one| !one.standing.is_approved()).count();
        let soon = needed.iter().filter(|one| ends_soon(one, now, soon).is_some()).count();
        let things = counted(needed.len(), "thing");
        lines.push(format!("\n{things} to approve: {missing} missing, {soon} ending soon"));
    }
    lines.join("\n")
}

/// How it is approved.
fn command(needed: &Needed) -> String {
    let hash = print_hash(needed.standing.pinned);
    let what = match &needed.standing.matter {
        Matter::Use(of) => {
            format!("{} --purpose {} --use-case {}", of.attribute, of.purpose, of.use_case.name())
        }
        Matter::Offer { offer_id, variant_id: Some(variant_id) } => {
            format!("--offer {offer_id} --variant {variant_id}")
        }
        Matter::Offer { offer_id, variant_id: None } => format!("--offer {offer_id}"),
        Matter::Bundle => "--bundle".to_owned(),
    };
    format!("proffer policy approve {what} --hash {hash}")
}

fn shown(needed: &Needed, now: Timestamp, soon: Span) -> Value {
    let standing = &needed.standing;
    let held = |(authority, held): &(Authority, Held)| {
        json!({
            "authority": authority.name(), "state": held.word(), "by": held.given().map(|given| &given.by),
            "id": held.given().map(|given| given.id), "expires": held.given().map(|given| given.expires),
            "sentence": held.told(*authority),
        })
    };
    json!({
        "what": standing.matter, "pinned": print_hash(standing.pinned), "approved": standing.is_approved(),
        "until": standing.until(), "ends_in_days": ends_soon(needed, now, soon), "used_by": needed.used_by,
        "held": standing.held.iter().map(held).collect::<Vec<_>>(),
        "command": (!standing.is_approved()).then(|| command(needed)),
    })
}

impl ApproveArgs {
    fn matter(&self) -> Result<(Matter, Digest), Malformed> {
        let pinned = parse_hash(&self.hash)?;
        if self.bundle {
            return Ok((Matter::Bundle, pinned));
        }
        if let Some(offer) = &self.offer {
            let variant_id = self.variant.as_deref().map(VariantId::new).transpose()?;
            return Ok((Matter::Offer { offer_id: OfferId::new(offer.as_str())?, variant_id }, pinned));
        }
        let text = self.use_case.as_deref().unwrap_or_default();
        let use_case = UseCase::ALL.iter().find(|(_, name)| *name == text).map(|(use_case, _)| *use_case);
        let use_case = use_case.ok_or_else(|| {
            let names = UseCase::ALL.map(|(_, name)| name);
            let meant = did_you_mean(text, names);
            Malformed(format!("`{text}` is not a use case: expected one of `{}`{meant}", names.join("`, `")))
        })?;
        let of = Use {
            attribute: AttributeId::parse(self.attribute.as_deref().unwrap_or_default())?,
            purpose: PurposeId::new(self.purpose.as_deref().unwrap_or_default())?,
            use_case,
        };
        Ok((Matter::Use(of), pinned))
    }

    /// A day counts to its end.
    fn ends(&self, now: Timestamp) -> Result<Timestamp, Malformed> {
        let Some(text) = &self.expires else { return Ok(now.plus(Span(180 * DAY_MS))) };
        let day = Timestamp::parse(&format!("{text}T00:00:00Z")).map(|start| start.plus(Span(DAY_MS)));
        day.or_else(|_| Timestamp::parse(text)).map_err(|_| {
            Malformed(format!("--expires `{text}` is neither a date nor an instant: expected such as `2026-06-30`"))
        })
    }
}

impl WithKey {
    fn text(&self) -> Result<String, Box<dyn Error>> {
        match &self.key_file {
            Some(path) => Ok(std::fs::read_to_string(path).map_err(|error| {
                format!("`{}` cannot be read: {error}; name a file with your API key", path.display())
            })?),
            None => Ok(std::env::var("PROFFER_KEY").map_err(|_| {
                "no API key was given: name a file that holds it with --key-file, or set PROFFER_KEY".to_owned()
            })?),
        }
    }
}

/// `proffer policy approve`.
pub async fn approve(args: &ApproveArgs) -> Ended {
    let (matter, pinned) = match args.matter() {
        Ok(found) => found,
        Err(error) => return Ok(told(&error.to_string(), 2)),
    };
    let approver = Approver { store: args.at.open().await?.store };
    let now = approver.store.now().await?;
    let expires = match args.ends(now) {
        Ok(expires) => expires,
        Err(error) => return Ok(told(&error.to_string(), 2)),
    };
    let Some(key) = approver.key(&args.key.text()?).await? else {
        return Ok(told("the API key is unknown or was revoked: `proffer keys list` shows which are in force", 1));
    };
    let proposed = Proposed { matter, pinned, expires, note: args.note.clone() };
    let Approval { given, standing } = match approver.approve(&key, proposed, now).await? {
        Ok(approval) => approval,
        Err(message) => return Ok(told(&message, 1)),
    };
    let (id, what, authority) = (given.id, &given.matter, given.authority.name());
    let mut text = format!("approval {id}: `{}` approved {what} for `{authority}` until {}", given.by, given.expires);
    if matches!(given.matter, Matter::Use(_)) && !standing.is_approved() {
        text = format!("{text}\nstill missing: {}", standing.told());
    }
    args.at.print(&text, &json!({"id": id, "authority": authority, "expires": given.expires}));
    Ok(ExitCode::SUCCESS)
}

/// `proffer policy revoke`.
pub async fn revoke(args: &RevokeArgs) -> Ended {
    let approver = Approver { store: args.at.open().await?.store };
    let Some(key) = approver.key(&args.key.text()?).await? else {
        return Ok(told("the API key is unknown or was revoked: `proffer keys list` shows which are in force", 1));
    };
    let id = args.id;
    match approver.revoke(&key, id, &args.note).await? {
        Err(message) => Ok(told(&message, 1)),
        Ok(Revoked::Unknown) => {
            Ok(told(&format!("there is no approval {id}: `proffer policy approvals` shows those that count"), 1))
        }
        Ok(revoked) => {
            let text = match revoked {
                Revoked::Before => format!("approval {id} was taken back before; nothing was changed"),
                _ => format!("approval {id} is taken back: no decision from now on relies on it"),
            };
            args.at.print(&text, &json!({"id": id, "changed": revoked == Revoked::Now}));
            Ok(ExitCode::SUCCESS)
        }
    }
}
