//! What a bundle lacks before it may be put in force, as findings with line and column and with the command that mends
//! each. Approves nothing.

use std::collections::BTreeSet;

use super::definition::print_hash;
use super::demands::{Authority, Demands};
use super::given::{Given, Matter};
use super::standing::{Book, Held, Standing};
use super::uses::{Use, UseCase};
use crate::domain::Timestamp;
use crate::policy::bundle::Bundle;
use crate::policy::codes;
use crate::policy::finding::{Finding, Place, Report};

/// Everything that is not approved at an instant: each use of an attribute at the first place that names it, and the
/// bundle where it needs approval as a whole. Offers are asked about in each decision.
pub fn lacking(bundle: &Bundle, given: &[Given], now: Timestamp) -> Vec<Finding> {
    let (mut report, book) = (Report::new(&bundle.sources), Book::of(given));
    of_uses(&mut report, bundle, &book, now, |_| true);
    of_the_bundle(&mut report, bundle, (&book, &bundle.demands.bundle), now);
    report.finish()
}

/// As [`lacking`], of nothing but what fairness gates compare groups by: who measures reads that before the bundle is
/// in force, and reads nothing that is not approved.
pub fn lacking_to_measure(bundle: &Bundle, given: &[Given], now: Timestamp) -> Vec<Finding> {
    let mut report = Report::new(&bundle.sources);
    of_uses(&mut report, bundle, &Book::of(given), now, |of| of.use_case == UseCase::Measurement);
    report.finish()
}

fn of_uses(report: &mut Report<'_>, bundle: &Bundle, book: &Book<'_>, now: Timestamp, asked: impl Fn(&Use) -> bool) {
    let both = Authority::both();
    for (of, sites) in bundle.uses.distinct().into_iter().filter(|(of, _)| asked(of)) {
        let (Some(site), Some(pinned)) = (sites.first(), bundle.definition(&of.attribute)) else { continue };
        let standing = Standing::in_book(book, (&Matter::Use(of.clone()), pinned), &both, now);
        let (Some(code), told) = (code(&standing), standing.told()) else { continue };
        let more = match sites.len() - 1 {
            0 => String::new(),
            1 => ", and in one more place".to_owned(),
            more => format!(", and in {more} more places"),
        };
        let message = format!("{}: {of}{more}: {told}", site.by);
        let command = format!(
            "proffer policy approve {} --purpose {} --use-case {} --hash {}",
            of.attribute,
            of.purpose,
            of.use_case.name(),
            print_hash(standing.pinned)
        );
        report.add(code, site.place, message, label(&standing)).with_help(mend(&standing, &command));
    }
}

/// That a bundle asks for less approval than the one in force. Then it is not for its author alone to say: both
/// authorities approve it.
pub fn weakened(bundle: &Bundle, in_force: &Demands, given: &[Given], now: Timestamp) -> Vec<Finding> {
    let missing = bundle.demands.missing_of(in_force);
    let both = Authority::both();
    let standing = Standing::of(given, (&Matter::Bundle, bundle.hash), &both, now);
    if missing.is_empty() || standing.is_approved() {
        return Vec::new();
    }
    let mut report = Report::new(&bundle.sources);
    let message = format!(
        "bundle: it no longer asks for approval of {}, as the bundle in force does: {}",
        missing.join(" and "),
        standing.told()
    );
    let help = format!(
        "{}; or ask for it as before, in bundle.yaml: `{}`",
        mend(&standing, &bundle_command(&standing)),
        bundle.demands.with(in_force)
    );
    report.add(codes::APPROVAL_WEAKENED, top(bundle), message, "").with_help(help);
    report.finish()
}

fn of_the_bundle(
    report: &mut Report<'_>,
    bundle: &Bundle,
    (book, needed): (&Book<'_>, &BTreeSet<Authority>),
    now: Timestamp,
) {
    let standing = Standing::in_book(book, (&Matter::Bundle, bundle.hash), needed, now);
    let Some(code) = code(&standing) else { return };
    let message = format!("bundle {}: it needs approval as a whole: {}", bundle.hash_text(), standing.told());
    report.add(code, top(bundle), message, "").with_help(mend(&standing, &bundle_command(&standing)));
}

fn bundle_command(standing: &Standing) -> String {
    format!("proffer policy approve --bundle --hash {}", print_hash(standing.pinned))
}

fn top(bundle: &Bundle) -> Place {
    Place::file(bundle.sources.iter().position(|source| source.path == "bundle.yaml").unwrap_or(0))
}

/// The code of the first thing missing.
fn code(standing: &Standing) -> Option<&'static str> {
    standing.held.iter().find_map(|(_, held)| {
        Some(match held {
            Held::By(_) => return None,
            Held::Missing => codes::APPROVAL_MISSING,
            Held::Expired(_) => codes::APPROVAL_EXPIRED,
            Held::Revoked(_) => codes::APPROVAL_REVOKED,
            Held::Voided(_) => codes::APPROVAL_VOIDED,
            Held::SamePerson(_) => codes::APPROVAL_ONE_PERSON,
        })
    })
}

fn label(standing: &Standing) -> &'static str {
    match code(standing) {
        Some(codes::APPROVAL_EXPIRED) => "approval expired",
        Some(codes::APPROVAL_REVOKED) => "approval taken back",
        Some(codes::APPROVAL_VOIDED) => "edited since it was approved",
        Some(codes::APPROVAL_ONE_PERSON) => "approved by one person alone",
        _ => "not approved",
    }
}

/// Who has to do what.
fn mend(standing: &Standing, command: &str) -> String {
    let roles: Vec<String> = standing.missing().iter().map(|authority| format!("`{}`", authority.role())).collect();
    let other = standing.held.iter().find_map(|(_, held)| match held {
        Held::By(given) => Some(given.by.as_str()),
        _ => None,
    });
    let who = match (roles.as_slice(), other) {
        ([one], Some(other)) => format!("somebody other than `{other}` whose key has the role {one} runs"),
        ([one], None) => format!("somebody whose key has the role {one} runs"),
        _ => format!("two people whose keys have the roles {} run, each for themselves,", roles.join(" and ")),
    };
    format!("{who} `{command}`; `proffer policy approvals DIR` on its folder shows how everything stands")
}
