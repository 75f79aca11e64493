//! Catalogues in and out, whole: `POST /v1/offers:import` and `GET /v1/offers:export`, as JSON, YAML or CSV. Reads and
//! writes no format itself and judges no margin.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::problem::{At, Problem};
use super::query::Query;
use super::{App, auth, body};
use crate::catalogue::{FileFormat, SourceFile, read, write_campaigns_csv, write_json, write_offers_csv, write_yaml};
use crate::runtime::CatalogueKept;

/// The format of a body by its header. Without one it is JSON, and so it is under the type that `curl --data` sends.
fn format(request: &HttpRequest) -> Result<FileFormat, Problem> {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(FileFormat::Json) };
    let text = value.to_str().unwrap_or_default();
    let name = text.split(';').next().unwrap_or_default().trim();
    if name.is_empty() || name.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(FileFormat::Json);
    }
    FileFormat::of_media_type(name).ok_or_else(|| {
        Problem::unsupported(format!(
            "`Content-Type: {name}` is not read here: send `application/json`, `application/yaml` or `text/csv`"
        ))
    })
}

/// `POST /v1/offers:import`.
pub async fn import(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let format = format(&request)?;
    let bytes = body::read(payload, app.settings.import_bytes_max).await?;
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::malformed(format!("the body is empty: send {}", format.name())));
    }
    let source = SourceFile { path: String::new(), format, bytes: bytes.to_vec() };
    let bundle = app.snapshot().bundle.clone();
    let reading = read(&[source], &bundle.attributes);
    if !reading.mistakes(Vec::new()).is_empty() {
        // What could be read is checked too, so that a second attempt does not meet the next mistake.
        let problems = app.check_catalogue(&reading.draft);
        return Err(match reading.mistakes(Vec::new()).first() {
            Some(first) if reading.malformed => malformed(first),
            _ => refused(&reading, problems),
        });
    }
    let draft = &reading.draft;
    let kept = app.import_catalogue(draft, &auth::caller(&request)).await?;
    let CatalogueKept { catalogue, tally, .. } = kept.map_err(|problems| refused(&reading, problems))?;
    let mut answer = json!({
        "catalogue": catalogue.revision, "offers": draft.offers.len(), "campaigns": draft.campaigns.len(),
        "created": tally.created, "changed": tally.changed, "unchanged": tally.unchanged,
    });
    let warnings = app.missing_fallbacks();
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    Ok(HttpResponse::Ok().json(answer))
}

fn refused(reading: &crate::catalogue::Reading, problems: Vec<crate::policy::CatalogueProblem>) -> Problem {
    Problem::invalid(reading.mistakes(problems).into_iter().map(At::from).collect())
}

/// What is not of its format at all has one mistake worth telling.
fn malformed(mistake: &crate::catalogue::Mistake) -> Problem {
    let place = match (mistake.line, mistake.column) {
        (0, _) => String::new(),
        (line, 0) => format!("line {line}"),
        (line, column) => format!("line {line} column {column}"),
    };
    let message = &mistake.message;
    Problem::malformed(match message.strip_prefix("not well-formed JSON: ") {
        Some(message) => format!("{message} at {place}"),
        None if place.is_empty() => message.clone(),
        None => format!("{place}: {message}"),
    })
}

/// Formats by the words of `as`.
const FORMATS: [(&str, FileFormat); 3] =
    [("json", FileFormat::Json), ("yaml", FileFormat::Yaml), ("csv", FileFormat::Csv)];

/// `GET /v1/offers:export`.
pub async fn export(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["as", "of", "revision"]);
    let format = query.choice("as", &FORMATS).unwrap_or(FileFormat::Json);
    let campaigns = query.choice("of", &[("offers", false), ("campaigns", true)]);
    let revision = query.number("revision", 0, i64::MAX.unsigned_abs());
    query.done()?;
    if campaigns == Some(true) && format != FileFormat::Csv {
        let message = "`of` chooses what a CSV holds: JSON and YAML hold campaigns and offers together";
        return Err(Problem::invalid(vec![At::new("?of", message)]));
    }
    let newest = app.snapshot().catalogue.clone();
    let catalogue = match revision {
        Some(revision) if revision > newest.revision => {
            let at = newest.revision;
            return Err(Problem::not_found(format!("the catalogue has no revision {revision}; it is at {at} now")));
        }
        Some(revision) => app.catalogue_at(revision).await?,
        None => newest,
    };
    let text = match format {
        FileFormat::Json => write_json(&catalogue),
        FileFormat::Yaml => write_yaml(&catalogue),
        FileFormat::Csv if campaigns == Some(true) => write_campaigns_csv(&catalogue),
        FileFormat::Csv => write_offers_csv(&catalogue, &app.snapshot().bundle.attributes),
    };
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((header::ETAG, format!("\"{}\"", catalogue.revision)))
        .body(text))
}
