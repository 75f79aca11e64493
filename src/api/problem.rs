//! Errors as `application/problem+json` (RFC 9457). Logs nothing.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::decision;
use crate::runtime::RuntimeError;

/// Something at one place of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct At {
    /// RFC 6901 pointer into the request.
    pub pointer: String,
    /// What was wrong, what was expected, how to mend it.
    pub message: String,
}

/// An error for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable name of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What was wrong and what to do.
    detail: String,
    /// Every place that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<At>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:proffer:problem:{kind}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// The body is not JSON.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "the body is not the JSON expected", detail)
    }

    /// The body is JSON but says something that cannot be.
    pub fn invalid(errors: Vec<At>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.message.clone(),
            all => format!("{} things are wrong; see `errors`", all.len()),
        };
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "the request says something that cannot be", detail);
        problem.errors = errors;
        problem
    }

    /// The body is too large.
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes: send less at a time");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is too large", detail)
    }

    /// No valid key or signature.
    pub fn unauthorised(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorised", "the caller is not known", detail)
    }

    /// A key without the role.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "the key may not do this", detail)
    }

    /// Nothing there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is no such thing", detail)
    }

    /// A decision id that names another request.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "the id names something else", detail)
    }

    /// Too much to do.
    pub fn overloaded() -> Self {
        let detail = "too many requests wait already; send it again after a moment";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "the service is overloaded", detail);
        problem.retry_after_seconds = Some(1);
        problem
    }

    /// The store does not answer.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the store does not answer", detail);
        problem.retry_after_seconds = Some(1);
        problem
    }

    fn internal() -> Self {
        let detail = "the service failed; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the service failed", detail)
    }
}

impl From<Vec<decision::Problem>> for Problem {
    fn from(problems: Vec<decision::Problem>) -> Self {
        Self::invalid(
            problems.into_iter().map(|problem| At { pointer: problem.pointer, message: problem.message }).collect(),
        )
    }
}

impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Store(crate::store::StoreError::Unavailable(cause)) => {
                tracing::warn!(%cause, "the store did not answer");
                Self::unavailable("the store does not answer; nothing is lost by sending the request again")
            }
            other => {
                tracing::error!(error = %other, "a request failed");
                Self::internal()
            }
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        let body = serde_json::to_string(self).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}
