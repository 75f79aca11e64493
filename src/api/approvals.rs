//! `/v1/approvals`: given, taken back, listed, with what the active bundle asks for. Judges none.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::openapi::shapes;
use super::problem::{At, Checks, Problem};
use super::query::Query;
use super::{App, auth, body};
use crate::domain::{AttributeId, Digest, Malformed, OfferId, PurposeId, Timestamp, VariantId};
use crate::policy::{
    Authority, Bundle, Given, Held, Matter, Needed, Standing, Use, UseCase, did_you_mean, needed, parse_hash,
    print_hash,
};
use crate::runtime::{Approval, Proposed, RuntimeError, authority_of};
use crate::store::Revoked;

/// What is approved: one of a use of an attribute (`attribute`, `purpose`, `use_case`, `definition`), an offer
/// (`offer_id`, `content`, and `variant_id` where it is about one variant alone) and a bundle (`bundle`).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an approval as a JSON object")]
#[schema(as = PostApproval)]
pub(super) struct ApprovalWire {
    /// The attribute whose use is approved.
    #[schema(example = "customer.tier")]
    attribute: Option<String>,
    /// What it is used for.
    #[schema(example = "offer_personalisation")]
    purpose: Option<String>,
    /// As what: `rule`, `feature`, `price`, `guard` or `measurement`.
    #[schema(example = "feature")]
    use_case: Option<String>,
    /// The hash of the attribute's definition, as `GET /v1/approvals` and `proffer policy approvals` show it.
    definition: Option<String>,
    /// The offer that is approved.
    offer_id: Option<String>,
    /// Its variant; every variant where absent.
    variant_id: Option<String>,
    /// The hash of what the offer promises and shows.
    content: Option<String>,
    /// The hash of the bundle that is approved as a whole.
    bundle: Option<String>,
    /// The approval counts before this instant, at most 366 days from now.
    #[schema(value_type = shapes::Instant)]
    expires: Timestamp,
    /// Why, or where that is written down.
    #[serde(default)]
    note: String,
}

/// Why an approval is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with a `note`")]
#[schema(as = RevokeApproval)]
pub(super) struct RevokeWire {
    /// Why, or where that is written down.
    note: String,
}

const NOTE_BYTES_MAX: usize = 1_000;

impl ApprovalWire {
    /// What is to be approved, or everything that is wrong.
    fn read(self) -> Result<Proposed, Problem> {
        let mut checks = Checks::default();
        if self.note.len() > NOTE_BYTES_MAX {
            checks.text("/note", "a note", Some(&self.note), NOTE_BYTES_MAX);
        }
        let given = [
            ("attribute", "use", &self.attribute),
            ("purpose", "use", &self.purpose),
            ("use_case", "use", &self.use_case),
            ("definition", "use", &self.definition),
            ("offer_id", "offer", &self.offer_id),
            ("variant_id", "offer", &self.variant_id),
            ("content", "offer", &self.content),
            ("bundle", "bundle", &self.bundle),
        ];
        let mut kinds: Vec<&str> =
            given.iter().filter(|(.., value)| value.is_some()).map(|(_, kind, _)| *kind).collect();
        kinds.dedup();
        let found = match kinds.as_slice() {
            ["use"] => self.of_use(&mut checks),
            ["offer"] => self.of_offer(&mut checks),
            ["bundle"] => {
                let pinned = need(&mut checks, "bundle", self.bundle.as_deref(), "its hash", parse_hash);
                pinned.map(|pinned| (Matter::Bundle, pinned))
            }
            kinds => {
                let what = match kinds {
                    [] => "nothing is named that is approved".to_owned(),
                    kinds => format!("fields of {} are given", kinds.join(" and of ")),
                };
                let message = format!(
                    "{what}: send either `attribute`, `purpose`, `use_case` and `definition`, or `offer_id` and \
                     `content`, or `bundle`"
                );
                checks.add("", message);
                None
            }
        };
        match found.filter(|_| checks.0.is_empty()) {
            Some((matter, pinned)) => Ok(Proposed { matter, pinned, expires: self.expires, note: self.note }),
            None => Err(Problem::invalid(checks.0)),
        }
    }

    fn of_use(&self, checks: &mut Checks) -> Option<(Matter, Digest)> {
        let attribute = need(checks, "attribute", self.attribute.as_deref(), "what is read", AttributeId::parse);
        let purpose =
            need(checks, "purpose", self.purpose.as_deref(), "what it is read for", |text| PurposeId::new(text));
        let use_case = need(checks, "use_case", self.use_case.as_deref(), "as what it is read", use_case);
        let shown = "its hash, as `GET /v1/approvals` shows it";
        let pinned = need(checks, "definition", self.definition.as_deref(), shown, parse_hash);
        Some((Matter::Use(Use { attribute: attribute?, purpose: purpose?, use_case: use_case? }), pinned?))
    }

    fn of_offer(&self, checks: &mut Checks) -> Option<(Matter, Digest)> {
        let offer_id = need(checks, "offer_id", self.offer_id.as_deref(), "which offer", |text| OfferId::new(text));
        let shown = "its hash, as `GET /v1/approvals` shows it";
        let pinned = need(checks, "content", self.content.as_deref(), shown, parse_hash);
        let variant_id = match self.variant_id.as_deref() {
            Some(text) => Some(checks.ok("/variant_id", VariantId::new(text))?),
            None => None,
        };
        Some((Matter::Offer { offer_id: offer_id?, variant_id }, pinned?))
    }
}

/// A use case by its name.
pub(super) fn use_case(text: &str) -> Result<UseCase, Malformed> {
    UseCase::ALL.iter().find(|(_, name)| *name == text).map(|(use_case, _)| *use_case).ok_or_else(|| {
        let names = UseCase::ALL.map(|(_, name)| name);
        let meant = did_you_mean(text, names);
        Malformed(format!("unknown use case `{text}`: expected one of `{}`{meant}", names.join("`, `")))
    })
}

fn need<T>(
    checks: &mut Checks,
    name: &str,
    given: Option<&str>,
    what: &str,
    parse: impl FnOnce(&str) -> Result<T, Malformed>,
) -> Option<T> {
    let pointer = format!("/{name}");
    let Some(text) = given else {
        checks.add(pointer, format!("`{name}` is missing: say {what}"));
        return None;
    };
    checks.ok(&pointer, parse(text))
}

/// `POST /v1/approvals`.
pub(super) async fn approve(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let key = auth::key(&request).ok_or_else(|| Problem::unauthorised("no API key was sent"))?;
    authority_of(&key).map_err(Problem::forbidden)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let proposed = body::parse::<ApprovalWire>(&bytes)?.read()?;
    match app.approve(&key, proposed).await? {
        Ok(Approval { given, standing }) => Ok(HttpResponse::Ok().json(json!({
            "approval": told(&given, given.at), "standing": stands(&standing, &[]),
        }))),
        Err(told) if told.contains("`expires`") => Err(Problem::invalid(vec![At::new("/expires", told)])),
        Err(told) => Err(Problem::conflict(told)),
    }
}

/// `POST /v1/approvals/{id}:revoke`.
pub(super) async fn revoke(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let number = id.parse::<u32>().map_err(|_| {
        Problem::invalid_id(format!(
            "`{id}` is not the id of an approval, such as `17`; `GET /v1/approvals` lists them"
        ))
    })?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let RevokeWire { note } = body::parse(&bytes)?;
    let mut checks = Checks::default();
    checks.text("/note", "a note", Some(&note), NOTE_BYTES_MAX);
    if !checks.0.is_empty() {
        return Err(Problem::invalid(checks.0));
    }
    let revoked = app.revoke_approval(number.into(), &note, &auth::caller(&request)).await?;
    let status = match revoked {
        Revoked::Now => "revoked",
        Revoked::Before => "revoked_before",
        Revoked::Unknown => {
            return Err(Problem::not_found(format!("there is no approval {number}; `GET /v1/approvals` lists them")));
        }
    };
    Ok(HttpResponse::Ok().json(json!({"id": number, "status": status})))
}

/// `GET /v1/approvals`.
pub(super) async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["bundle", "state"]);
    let hash = query.parsed("bundle", parse_hash);
    let states = ["in_force", "expired", "revoked"].map(|state| (state, state));
    let wanted = query.choice("state", &states);
    query.done()?;
    let (snapshot, now) = (app.snapshot(), app.clock.now());
    let bundle = match hash {
        None => snapshot.bundle.clone(),
        Some(hash) => {
            if app.store.bundle(hash).await.map_err(RuntimeError::from)?.is_none() {
                let hash = print_hash(hash);
                let message = format!("no bundle {hash} is published here: `proffer policy status` lists them");
                return Err(Problem::not_found(message));
            }
            app.bundle_at(hash, None).await?
        }
    };
    let given = app.store.approvals().await.map_err(RuntimeError::from)?;
    let needed = needed(&bundle, &snapshot.catalogue, &given, now);
    let needed: Vec<Value> = needed.iter().map(|Needed { standing, used_by }| stands(standing, used_by)).collect();
    let listed = given.iter().rev().filter(|given| wanted.is_none_or(|wanted| state(given, now) == wanted));
    Ok(HttpResponse::Ok().json(json!({
        "bundle": bundle.hash_text(), "at": now, "asks": asks(&bundle), "needed": needed,
        "approvals": listed.map(|given| told(given, now)).collect::<Vec<_>>(),
    })))
}

/// What a bundle asks to be approved.
fn asks(bundle: &Bundle) -> Value {
    let names = |authorities: &std::collections::BTreeSet<Authority>| -> Vec<&str> {
        authorities.iter().map(|authority| authority.name()).collect()
    };
    let classes: Vec<&str> = bundle.demands.attributes.iter().map(|class| class.name()).collect();
    json!({"attributes": classes, "offers": names(&bundle.demands.offers), "bundle": names(&bundle.demands.bundle)})
}

fn state(given: &Given, now: Timestamp) -> &'static str {
    match &given.revoked {
        Some(_) => "revoked",
        None if given.expires <= now => "expired",
        None => "in_force",
    }
}

/// What something is about, as fields.
fn about(matter: &Matter, pinned: Digest) -> Value {
    let mut shown = json!({
        "kind": "bundle", "attribute": null, "purpose": null, "use_case": null, "offer_id": null, "variant_id": null,
        "pinned": print_hash(pinned),
    });
    match matter {
        Matter::Use(of) => {
            shown["kind"] = json!("use");
            shown["attribute"] = json!(of.attribute);
            shown["purpose"] = json!(of.purpose);
            shown["use_case"] = json!(of.use_case.name());
        }
        Matter::Offer { offer_id, variant_id } => {
            shown["kind"] = json!("offer");
            shown["offer_id"] = json!(offer_id);
            shown["variant_id"] = json!(variant_id);
        }
        Matter::Bundle => {}
    }
    shown
}

/// An approval as answers show it.
fn told(given: &Given, now: Timestamp) -> Value {
    let mut shown = about(&given.matter, given.pinned);
    shown["id"] = json!(given.id);
    shown["authority"] = json!(given.authority.name());
    shown["by"] = json!(given.by);
    shown["at"] = json!(given.at);
    shown["expires"] = json!(given.expires);
    shown["note"] = json!(given.note);
    shown["state"] = json!(state(given, now));
    shown["revoked"] = given
        .revoked
        .as_ref()
        .map_or(Value::Null, |revoked| json!({"at": revoked.at, "by": revoked.by, "note": revoked.note}));
    shown
}

/// How something stands, as answers show it.
fn stands(standing: &Standing, used_by: &[String]) -> Value {
    let held = |(authority, held): &(Authority, Held)| {
        json!({
            "authority": authority.name(), "state": held.word(), "by": held.given().map(|given| &given.by),
            "expires": held.given().map(|given| given.expires), "sentence": held.told(*authority),
        })
    };
    let mut shown = about(&standing.matter, standing.pinned);
    shown["approved"] = json!(standing.is_approved());
    shown["until"] = json!(standing.until());
    shown["held"] = standing.held.iter().map(held).collect();
    shown["used_by"] = json!(used_by);
    shown
}
