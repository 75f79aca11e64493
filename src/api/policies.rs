//! `/v1/policies`: bundles checked, published, put in force, taken back, compared. Judges no rule itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::problem::{At, Problem};
use super::query::Query;
use super::{App, auth, body};
use crate::decision::trial::{Trial, try_all};
use crate::domain::{Digest, Malformed};
use crate::policy::{Bundle, COMPILER, Finding, Rule, Source, Tests, compile_with_tests, difference};
use crate::runtime::{Activated, NotFound, failing, hash_text};
use crate::store::{Activation, By};

/// Activations and bundles told at most.
const TOLD_MAX: usize = 100;

/// The files of a bundle.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `files`")]
#[schema(as = PolicyFiles)]
pub(super) struct FilesWire {
    /// Every file by its path within the bundle, such as `rules/10-consent.yaml`, with its text.
    files: BTreeMap<String, String>,
    /// Check it, run its tests and keep nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Which bundle is taken back; an empty body means the active one.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object, which may hold `from`")]
#[schema(as = RollbackRequest)]
pub(super) struct RollbackWire {
    /// Take this bundle back: where it is no longer the active one nothing is changed, so that it may be sent again.
    from: Option<String>,
}

fn not_found(not: &NotFound) -> Problem {
    match not {
        NotFound::Malformed(_) => Problem::invalid_id(not.to_string()),
        NotFound::Several(..) => Problem::conflict(not.to_string()),
        NotFound::Unknown(_) => Problem::not_found(format!(
            "{not}: `GET /v1/policies` lists those that are, `POST /v1/policies` publishes one"
        )),
    }
}

async fn find(app: &App, text: &str) -> Result<Digest, Problem> {
    app.bundles().find(text).await?.map_err(|not| not_found(&not))
}

fn told_activation(activation: &Activation) -> Value {
    json!({
        "bundle": hash_text(activation.hash), "at": activation.at, "by": activation.by,
        "control_sequence": activation.sequence,
    })
}

/// `GET /v1/policies`.
pub(super) async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[]).done()?;
    let standing = app.bundles().standing().await?;
    let bundles = standing.published.iter().map(|bundle| {
        let last = standing.activations.iter().find(|activation| activation.hash == bundle.hash);
        json!({
            "bundle": hash_text(bundle.hash), "published_at": bundle.at, "published_by": bundle.by,
            "active": standing.control.bundle == Some(bundle.hash), "last_activated_at": last.map(|last| last.at),
        })
    });
    Ok(HttpResponse::Ok().json(json!({
        "active": standing.active().map(told_activation),
        "activations": standing.activations.iter().take(TOLD_MAX).map(told_activation).collect::<Vec<_>>(),
        "bundles": bundles.collect::<Vec<_>>(),
        "switches": standing.control.switch_revision,
        "nodes": standing.nodes,
    })))
}

fn told_rule(rule: &Rule) -> Value {
    let (path, line) = &rule.place;
    json!({
        "id": rule.id, "list": rule.kind.list(), "why": rule.why, "owner": rule.owner,
        "severity": rule.severity.name(), "overridable": rule.overridable,
        "effective": Some(&rule.effective.text).filter(|text| !text.is_empty()),
        "place": (*line > 0).then(|| format!("{path}:{line}")),
    })
}

fn told_tests(trial: &Trial) -> Value {
    let failed = trial
        .failed()
        .map(|case| json!({"name": case.name, "path": case.path, "line": case.line, "sentences": case.to_string()}));
    let uncovered = trial.gaps().map(|(cover, gap)| json!({"rule": cover.rule, "gap": gap}));
    json!({
        "holds": failing(trial).is_none(), "cases": trial.cases.len(), "failed": failed.collect::<Vec<_>>(),
        "uncovered": uncovered.collect::<Vec<_>>(),
    })
}

/// A bundle with its tests, tried.
struct Checked {
    bundle: Arc<Bundle>,
    trial: Trial,
}

/// Compiles files and tries their tests, away from the threads that answer.
async fn checked(sources: Vec<Source>) -> Result<Result<Checked, Vec<Finding>>, Problem> {
    let checked = web::block(move || {
        compile_with_tests(&sources).map(|(bundle, tests): (Bundle, Tests)| {
            let bundle = Arc::new(bundle);
            Checked { trial: try_all(&bundle, &tests), bundle }
        })
    });
    checked.await.map_err(|_| Problem::busy("policies cannot be checked now"))
}

/// `GET /v1/policies/{hash}`.
pub(super) async fn show(app: App, request: HttpRequest, text: web::Path<String>) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[]).done()?;
    let maker = app.bundles();
    let hash = find(&app, &text).await?;
    let bundle = maker.read(hash).await?;
    let standing = maker.standing().await?;
    let reports = app.store.bundle_reports(hash).await.map_err(crate::runtime::RuntimeError::from)?;
    let nodes = reports.iter().map(|report| {
        json!({"node": report.holder.node, "ready": report.failed.is_none(), "why_not": report.failed, "at": report.at})
    });
    let published = standing.published.iter().find(|bundle| bundle.hash == hash);
    let activations = standing.activations.iter().filter(|activation| activation.hash == hash).map(told_activation);
    let tests = match checked(bundle.sources.clone()).await? {
        Ok(checked) => told_tests(&checked.trial),
        Err(findings) => {
            let findings: Vec<At> = findings.into_iter().map(At::from).collect();
            json!({"holds": false, "cases": 0, "failed": [], "uncovered": [], "findings": findings})
        }
    };
    let files = bundle.sources.iter().map(|file| (file.path.clone(), Value::from(file.text.as_str())));
    Ok(HttpResponse::Ok().json(json!({
        "bundle": hash_text(hash),
        "name": bundle.name,
        "compiler": COMPILER,
        "active": standing.control.bundle == Some(hash),
        "published_at": published.and_then(|bundle| bundle.at),
        "published_by": published.and_then(|bundle| bundle.by.as_ref()),
        "activations": activations.collect::<Vec<_>>(),
        "files": files.collect::<serde_json::Map<_, _>>(),
        "placements": bundle.placements.keys().collect::<Vec<_>>(),
        "rules": bundle.rules.iter().map(told_rule).collect::<Vec<_>>(),
        "tests": tests,
        "nodes": nodes.collect::<Vec<_>>(),
    })))
}

/// `POST /v1/policies`.
pub(super) async fn publish(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.import_bytes_max).await?;
    let FilesWire { files, dry_run } = body::parse(&bytes)?;
    let sources = files.into_iter().map(|(path, text)| Source { path, text }).collect();
    let Checked { bundle, trial } =
        checked(sources).await?.map_err(|findings| Problem::invalid(findings.into_iter().map(At::from).collect()))?;
    let maker = app.bundles();
    let new = if dry_run {
        app.store.bundle(bundle.hash).await.map_err(crate::runtime::RuntimeError::from)?.is_none()
    } else {
        let by = auth::caller(&request);
        maker.publish_as(&bundle, By { key: &by, at: app.clock.now() }).await?
    };
    Ok(HttpResponse::Ok().json(json!({
        "bundle": bundle.hash_text(), "name": bundle.name, "new": new, "dry_run": dry_run,
        "rules": bundle.rules.iter().filter(|rule| rule.place.1 > 0).count(), "tests": told_tests(&trial),
    })))
}

async fn put_in_force(app: &App, request: &HttpRequest, hash: Digest) -> Result<HttpResponse, Problem> {
    let bundle = app.bundles().read(hash).await?;
    let activated = app.activate(&bundle, &auth::caller(request)).await?;
    Ok(told_in_force(hash, &activated?))
}

fn told_in_force(hash: Digest, Activated { control, changed, unheard }: &Activated) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "bundle": hash_text(hash), "changed": changed, "control_sequence": control.sequence, "unheard": unheard,
    }))
}

/// `POST /v1/policies/{hash}:activate`.
pub(super) async fn activate(app: App, request: HttpRequest, text: web::Path<String>) -> Result<HttpResponse, Problem> {
    let hash = find(&app, &text).await?;
    put_in_force(&app, &request, hash).await
}

/// `POST /v1/policies:rollback`.
pub(super) async fn rollback(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let empty = bytes.trim_ascii().is_empty();
    let wire: RollbackWire = if empty { RollbackWire::default() } else { body::parse(&bytes)? };
    let maker = app.bundles();
    let control = app.store.control().await.map_err(crate::runtime::RuntimeError::from)?;
    if let Some(from) = &wire.from {
        let from = find(&app, from).await?;
        if let Some(active) = control.bundle.filter(|active| *active != from) {
            return Ok(told_in_force(active, &Activated { control, changed: false, unheard: Vec::new() }));
        }
    }
    let Some(before) = maker.before(control.bundle).await? else {
        return Err(Problem::conflict("no other bundle was active before: `GET /v1/policies` shows the history"));
    };
    put_in_force(&app, &request, before).await
}

/// `GET /v1/policies/{hash}/diff`.
pub(super) async fn diff(app: App, request: HttpRequest, text: web::Path<String>) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["with"]);
    let with: Option<String> = query.parsed("with", |text| Ok::<_, Malformed>(text.to_owned()));
    query.done()?;
    let maker = app.bundles();
    let after = find(&app, &text).await?;
    let before = match with.as_deref() {
        Some(with) if with != "active" => find(&app, with).await?,
        _ => {
            let control = app.store.control().await.map_err(crate::runtime::RuntimeError::from)?;
            control.bundle.unwrap_or(after)
        }
    };
    let changes = difference(&maker.read(before).await?, &maker.read(after).await?);
    Ok(HttpResponse::Ok().json(json!({
        "before": hash_text(before), "after": hash_text(after), "same": before == after, "changes": changes,
    })))
}
