//! Errors as `application/problem+json` (RFC 9457). Logs nothing.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::catalogue::Mistake;
use crate::decision;
use crate::domain::Malformed;
use crate::policy::{CatalogueProblem, Finding, SwitchMistake};
use crate::runtime::{NotActivated, RuntimeError};

/// Something at one place of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct At {
    /// RFC 6901 pointer into the request.
    pub pointer: String,
    /// The line of a body that has lines, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column of a YAML body in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The column of a CSV body by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The code of a finding in policies, which `proffer policy explain` explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What was wrong, what was expected, how to mend it.
    pub message: String,
}

impl At {
    /// Something at a pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), ..Self::default() }
    }
}

impl From<Mistake> for At {
    fn from(mistake: Mistake) -> Self {
        let Mistake { path: _, line, column, field, pointer, message } = mistake;
        let number = |number: usize| Some(number).filter(|number| *number > 0);
        let field = Some(field).filter(|field| !field.is_empty());
        Self { pointer, line: number(line), column: number(column), field, code: None, message }
    }
}

impl From<Finding> for At {
    /// Placed in the text of a file among `files`.
    fn from(finding: Finding) -> Self {
        let message = finding.told();
        let Finding { code, path, line, column, .. } = finding;
        let number = |number: usize| Some(number).filter(|number| *number > 0);
        let pointer = format!("/files/{}", path.replace('~', "~0").replace('/', "~1"));
        Self { pointer, line: number(line), column: number(column), field: None, code: Some(code), message }
    }
}

impl From<SwitchMistake> for At {
    fn from(SwitchMistake { pointer, code, message }: SwitchMistake) -> Self {
        Self { code, ..Self::new(pointer, message) }
    }
}

impl From<CatalogueProblem> for At {
    fn from(problem: CatalogueProblem) -> Self {
        Self::new(problem.pointer, problem.message)
    }
}

/// Everything wrong with a request, gathered instead of stopping at the first mistake.
#[derive(Debug, Default)]
pub struct Checks(pub Vec<At>);

impl Checks {
    /// Notes a mistake at a place.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(At::new(pointer, message));
    }

    /// The value, or a note of why there is none.
    pub fn ok<T>(&mut self, pointer: &str, result: Result<T, Malformed>) -> Option<T> {
        result.map_err(|error| self.add(pointer, error.to_string())).ok()
    }

    /// Notes a list that is too long.
    pub fn at_most(&mut self, pointer: &str, what: &str, count: usize, max: usize) {
        if count > max {
            self.add(pointer, format!("{count} {what} are too many: at most {max}"));
        }
    }

    /// Notes a time zone that there is not.
    pub fn time_zone(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|name| name.parse::<chrono_tz::Tz>().is_err()) {
            self.add("/time_zone", format!("`{name}` is not an IANA time zone: expected such as `Europe/Berlin`"));
        }
    }

    /// Notes a text that is empty or too long.
    pub fn text(&mut self, pointer: &str, what: &str, text: Option<&str>, bytes_max: usize) {
        if let Some(text) = text
            && (text.is_empty() || text.len() > bytes_max)
        {
            self.add(pointer, format!("{what} has 1 to {bytes_max} bytes; this one has {}", text.len()));
        }
    }
}

/// Mistakes shown of one request at most: a large import with one slip in every line stays readable.
const ERRORS_SHOWN_MAX: usize = 100;

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
    /// What is there instead of what was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<serde_json::Value>,
    /// The revision of what is there.
    #[serde(skip)]
    revision: Option<u64>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
    #[serde(skip)]
    allow: Option<String>,
    /// Whether the store is to blame.
    #[serde(skip)]
    store: bool,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:proffer:problem:{kind}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            current: None,
            revision: None,
            retry_after_seconds: None,
            allow: None,
            store: false,
        }
    }

    /// The body is not JSON.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "the body is not the JSON expected", detail)
    }

    /// The body is JSON but says something that cannot be.
    pub fn invalid(mut errors: Vec<At>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.message.clone(),
            all if all.len() > ERRORS_SHOWN_MAX => {
                format!("{} things are wrong; `errors` shows the first {ERRORS_SHOWN_MAX}", all.len())
            }
            all => format!("{} things are wrong; see `errors`", all.len()),
        };
        errors.truncate(ERRORS_SHOWN_MAX);
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "the request says something that cannot be", detail);
        problem.errors = errors;
        problem
    }

    /// An id in the path that cannot be one.
    pub fn invalid_id(detail: impl Into<String>) -> Self {
        let title = "the request says something that cannot be";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail)
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

    /// A body of a kind that is not read here.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        let title = "the body is of a kind that is not read here";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported", title, detail)
    }

    /// Nothing there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is no such thing", detail)
    }

    /// A path that knows other methods.
    pub fn method_not_allowed(detail: impl Into<String>, allow: &str) -> Self {
        let title = "the path does not know this method";
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title, detail);
        problem.allow = Some(allow.to_owned());
        problem
    }

    /// What was asked for comes by itself, soon.
    pub fn not_yet(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::CONFLICT, "not-yet", "it is not there yet", detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// A decision id that names another request.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "the id names something else", detail)
    }

    /// What is asked for would be against what holds now; with every reason.
    pub fn refused(detail: impl Into<String>, errors: Vec<At>) -> Self {
        let mut problem = Self::new(StatusCode::CONFLICT, "refused", "it is not put in force", detail);
        problem.errors = errors;
        problem
    }

    /// A bundle that people have not approved; every lack with its place in the bundle.
    fn unapproved(bundle: &str, findings: &[Finding]) -> Self {
        let errors = findings.iter().map(|finding| {
            let number = |number: usize| Some(number).filter(|number| *number > 0);
            let way_out = finding.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
            At {
                pointer: format!("/{}", finding.path),
                line: number(finding.line),
                column: number(finding.column),
                message: format!("{}: {}{way_out}", finding.code, finding.message),
                ..At::default()
            }
        });
        let detail = format!(
            "bundle {bundle} may not be put in force before it is approved; `errors` has what is missing and who can \
             mend it"
        );
        let mut problem = Self::new(StatusCode::CONFLICT, "unapproved", "people have not approved it", detail);
        problem.errors = errors.take(ERRORS_SHOWN_MAX).collect();
        problem
    }

    /// Something else is there than a change expects; with its revision, as it is.
    pub fn precondition_failed(detail: impl Into<String>, there: Option<(u64, serde_json::Value)>) -> Self {
        let (status, title) = (StatusCode::PRECONDITION_FAILED, "something else is there than the change expects");
        let mut problem = Self::new(status, "precondition-failed", title, detail);
        (problem.revision, problem.current) = there.unzip();
        problem
    }

    /// Too much to do.
    pub fn overloaded() -> Self {
        let detail = "too many requests wait already; send it again after a moment";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "the service is overloaded", detail);
        problem.retry_after_seconds = Some(1);
        problem
    }

    /// Enough of one kind of work is going on.
    pub fn busy(what: &str) -> Self {
        let mut problem = Self::overloaded();
        problem.detail = format!("{what}; ask again after a moment");
        problem
    }

    /// [`Problem::unavailable`], seen by the call itself.
    pub fn store_away(detail: impl Into<String>) -> Self {
        Self { store: true, ..Self::unavailable(detail) }
    }

    /// Whether there was no room, so that a moment later there may be.
    pub fn is_overload(&self) -> bool {
        self.kind.ends_with(":overloaded")
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// How long to wait before sending it again, where that helps.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// A line of a stream that was not even looked at.
    pub fn long_line(limit: usize) -> Self {
        let detail = format!("the line is longer than {limit} bytes: it was passed over; send less in it");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the line is too long", detail)
    }

    /// The same of a line of a stream, whose place is told beside it.
    #[must_use]
    pub fn of_a_line(mut self) -> Self {
        self.detail = self.detail.replace(" at line 1 column ", " at column ");
        self
    }

    /// Whether the store failed the call that ended like this.
    pub fn is_of_the_store(&self) -> bool {
        self.store
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
        Self::invalid(problems.into_iter().map(|problem| At::new(problem.pointer, problem.message)).collect())
    }
}

impl From<NotActivated> for Problem {
    fn from(not: NotActivated) -> Self {
        match &not {
            NotActivated::Tests(_) | NotActivated::Unfair(_) => Self::refused(not.to_string(), Vec::new()),
            NotActivated::Nodes(nodes) => {
                let errors = nodes.iter().map(|(node, why)| At::new("", format!("node `{node}`: {why}")));
                Self::refused(not.to_string(), errors.collect())
            }
            NotActivated::Unapproved { bundle, findings } => Self::unapproved(bundle, findings),
        }
    }
}

impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Store(crate::store::StoreError::Unavailable(cause)) => {
                tracing::warn!(%cause, "the store did not answer");
                Self::store_away("the store does not answer; nothing is lost by sending the request again")
            }
            RuntimeError::Takeover { .. } => Self::unavailable(format!("{error}; ask another node")),
            RuntimeError::NotActivated(not) => not.into(),
            other => {
                tracing::error!(error = %other, "a request failed");
                Self { store: matches!(other, RuntimeError::Store(_)), ..Self::internal() }
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
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"proffer\""));
        }
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if let Some(revision) = self.revision {
            response.insert_header((header::ETAG, format!("\"{revision}\"")));
        }
        let body = serde_json::to_string(self).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}
