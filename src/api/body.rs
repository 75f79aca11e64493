//! Bodies read, bounded and parsed, with the place of every mistake. Knows no route.

use actix_web::web;
use serde::de::DeserializeOwned;

use super::problem::{At, Problem};
use super::words;

/// Reads a body of at most `limit` bytes.
pub async fn read(payload: web::Payload, limit: usize) -> Result<web::Bytes, Problem> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Problem::malformed(format!("the body could not be read: {error}"))),
        Err(_) => Err(Problem::too_large(limit)),
    }
}

/// Parses JSON strictly: an unknown field is an error with a pointer to it.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::malformed("the body is empty: send JSON"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        describe(&pointer, error.inner())
    })?;
    json.end().map_err(|error| describe("", &error))?;
    Ok(value)
}

/// Parses one value that was taken out of a larger body; on failure its pointer below that value, and the message.
pub fn parse_value_at<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(value).map_err(|error| (pointer(error.path()), tidy(error.inner())))
}

fn describe(pointer: &str, error: &serde_json::Error) -> Problem {
    let message = tidy(error);
    if error.is_data() {
        Problem::invalid(vec![At::new(pointer.to_owned(), message)])
    } else {
        Problem::malformed(format!("{message} at line {} column {}", error.line(), error.column()))
    }
}

/// serde's sentence without its place, which stands elsewhere.
fn tidy(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Only what was read from text has a place behind it.
    let end = if error.line() > 0 { text.rfind(" at line ") } else { None };
    words::reworded(&text[..end.unwrap_or(text.len())])
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}
