//! Who asks: bearer keys and webhook signatures. Decides nothing about what is asked.

use actix_web::{HttpMessage as _, HttpRequest};
use base64::Engine as _;

use super::problem::Problem;
use crate::domain::key::hmac_sha256;
use crate::runtime::{ApiKey, Core, Role};

/// How far the timestamp of a webhook may be off, in seconds.
pub const WEBHOOK_TOLERANCE_SECONDS: i64 = 300;

/// The key of a request, if it may do what one of the roles may.
pub fn authorise(core: &Core, request: &HttpRequest, roles: &[Role]) -> Result<ApiKey, Problem> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    // The name of the scheme knows no case (RFC 9110, section 11.1).
    let bearer =
        header.and_then(|header| header.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, bearer)) = bearer else {
        return Err(Problem::unauthorised(
            "no API key was sent: add the header `Authorization: Bearer KEY`; `proffer keys create` makes one",
        ));
    };
    let key = core.ring.key(bearer.trim());
    let key = key.ok_or_else(|| {
        Problem::unauthorised("the API key is unknown or was revoked: `proffer keys list` shows which are in force")
    })?;
    if roles.iter().any(|role| key.may(*role)) {
        return Ok(key);
    }
    let listed = |roles: &[Role], word: &str| {
        roles.iter().map(|role| format!("`{}`", role.name())).collect::<Vec<_>>().join(word)
    };
    Err(Problem::forbidden(format!(
        "key `{}` may {} and this needs the role {}: send another key; `proffer keys create` makes one",
        key.name,
        listed(&key.roles, " and "),
        listed(roles, " or ")
    )))
}

/// [`authorise`] where it matters who asks: a key that may do everything is nobody's own.
pub fn authorise_own(core: &Core, request: &HttpRequest, roles: &[Role]) -> Result<ApiKey, Problem> {
    let key = authorise(core, request, roles)?;
    if key.roles.iter().any(|role| roles.contains(role)) {
        return Ok(key);
    }
    let roles = roles.iter().map(|role| format!("`{}`", role.name())).collect::<Vec<_>>().join(" or ");
    Err(Problem::forbidden(format!(
        "key `{}` may do everything, and this is for a key that has the role {roles} itself: people approve, each with \
         a key of their own; `proffer keys create NAME --role ROLE` makes one",
        key.name
    )))
}

/// [`authorise`] where a signature would have done too.
pub fn authorise_unsigned(core: &Core, request: &HttpRequest, roles: &[Role]) -> Result<ApiKey, Problem> {
    if request.headers().contains_key("authorization") {
        return authorise(core, request, roles);
    }
    let roles = roles.iter().map(|role| format!("`{}`", role.name())).collect::<Vec<_>>().join(" or ");
    Err(Problem::unauthorised(format!(
        "sign the body (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`), or send an API key with the \
         role {roles}"
    )))
}

/// Whether the key that the request was let in with may do what a role may.
pub fn may(request: &HttpRequest, role: Role) -> bool {
    request.extensions().get::<ApiKey>().is_some_and(|key| key.may(role))
}

/// The key that the request was let in with; nothing where none was needed.
pub fn key(request: &HttpRequest) -> Option<ApiKey> {
    request.extensions().get::<ApiKey>().cloned()
}

/// The name of the key that the request was let in with; empty where none was needed.
pub fn caller(request: &HttpRequest) -> String {
    request.extensions().get::<ApiKey>().map(|key| key.name.clone()).unwrap_or_default()
}

/// Whether a request carries a webhook signature.
pub fn is_signed(request: &HttpRequest) -> bool {
    request.headers().contains_key("webhook-signature")
}

/// The source whose secret signed the body, as Standard Webhooks does: HMAC-SHA256 over `id.timestamp.body`.
pub fn signed_source(core: &Core, request: &HttpRequest, body: &[u8]) -> Result<String, Problem> {
    verify(core, request, body).map_err(|(reason, detail)| {
        core.metrics.signature_refused(reason);
        Problem::unauthorised(detail)
    })
}

/// The source, or the reason in a word and in a sentence.
fn verify(core: &Core, request: &HttpRequest, body: &[u8]) -> Result<String, (&'static str, String)> {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| ("header", format!("the header `{name}` is missing or not text")))
    };
    let (id, timestamp, signatures) =
        (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let sent: i64 = timestamp
        .parse()
        .map_err(|_| ("header", format!("`webhook-timestamp` `{timestamp}` is not a number of seconds")))?;
    let off = core.clock.now().0.div_euclid(1_000).saturating_sub(sent);
    if off.saturating_abs() > WEBHOOK_TOLERANCE_SECONDS {
        let way = if off > 0 { "behind" } else { "ahead of" };
        let detail = format!(
            "`webhook-timestamp` is {} seconds {way} the service's time: at most {WEBHOOK_TOLERANCE_SECONDS} are \
             accepted; sign it anew when sending it again",
            off.saturating_abs()
        );
        return Err(("timestamp", detail));
    }
    let given: Vec<Vec<u8>> = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
        .collect();
    for (source, secret) in core.ring.secrets() {
        let tag = hmac_sha256(&secret, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        if given.iter().any(|given| equal(given, &tag)) {
            return Ok(source);
        }
    }
    let detail = "the signature fits no source's secret: sign `webhook-id.webhook-timestamp.body` with HMAC-SHA256 and \
                  send `v1,BASE64`";
    Err(("signature", detail.to_owned()))
}

/// Compares without telling by its time where two tags differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (x, y)| different | (x ^ y)) == 0
}
