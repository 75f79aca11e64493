//! A tree of values that know their place: what every format becomes before it is read. Knows no field.

use std::sync::Arc;

use serde_json::Value as Json;

/// Where a value stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// From 1; 0 in JSON.
    pub line: usize,
    /// From 1; 0 in JSON and CSV.
    pub column: usize,
    /// The column of a CSV file by its name.
    pub field: Option<Arc<str>>,
}

/// A value with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub spot: Spot,
    pub raw: Raw,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Raw {
    /// Nothing: as good as absent.
    Null,
    Bool(bool),
    Number(serde_json::Number),
    /// Text; `plain` where what is expected decides whether it is a number, a truth or text.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// Names with their places, in order.
    Map(Vec<(String, Spot, Node)>),
    /// Something already reported; readers pass over it in silence.
    Refused,
}

impl Node {
    /// A JSON value, all of it at one place.
    pub(super) fn from_json(json: Json, spot: &Spot) -> Self {
        let raw = match json {
            Json::Null => Raw::Null,
            Json::Bool(truth) => Raw::Bool(truth),
            Json::Number(number) => Raw::Number(number),
            Json::String(text) => Raw::Text { text, plain: false },
            Json::Array(items) => Raw::List(items.into_iter().map(|item| Self::from_json(item, spot)).collect()),
            Json::Object(fields) => Raw::Map(
                fields.into_iter().map(|(name, value)| (name, spot.clone(), Self::from_json(value, spot))).collect(),
            ),
        };
        Self { spot: spot.clone(), raw }
    }

    /// Text in quotes, or a cell that is text whatever it says.
    pub(super) fn text(text: impl Into<String>, spot: &Spot) -> Self {
        Self { spot: spot.clone(), raw: Raw::Text { text: text.into(), plain: false } }
    }

    /// Text whose kind its reader decides.
    pub(super) fn plain(text: impl Into<String>, spot: &Spot) -> Self {
        Self { spot: spot.clone(), raw: Raw::Text { text: text.into(), plain: true } }
    }

    /// Something already reported.
    pub(super) fn refused(spot: &Spot) -> Self {
        Self { spot: spot.clone(), raw: Raw::Refused }
    }

    /// Fields of one place.
    pub(super) fn map(fields: Vec<(String, Node)>, spot: &Spot) -> Self {
        let fields = fields.into_iter().map(|(name, node)| (name, node.spot.clone(), node)).collect();
        Self { spot: spot.clone(), raw: Raw::Map(fields) }
    }

    /// Whether nothing stands here.
    pub(super) fn is_absent(&self) -> bool {
        match &self.raw {
            Raw::Null => true,
            Raw::Text { text, plain: true } => ["", "~", "null"].contains(&text.as_str()),
            _ => false,
        }
    }

    /// What was found, for messages.
    pub(super) fn found(&self) -> String {
        match &self.raw {
            Raw::Null | Raw::Refused => "null".to_owned(),
            Raw::Bool(truth) => format!("`{truth}`"),
            Raw::Number(number) => format!("the number `{number}`"),
            Raw::Text { text, plain: true } => format!("`{}`", short(text)),
            Raw::Text { text, plain: false } => format!("the text {:?}", short(text)),
            Raw::List(_) => "a list".to_owned(),
            Raw::Map(_) => "an object".to_owned(),
        }
    }

    /// The value as JSON: plain text is a number or a truth where JSON would have it so.
    pub(super) fn to_json(&self) -> Json {
        match &self.raw {
            _ if self.is_absent() => Json::Null,
            Raw::Null | Raw::Refused => Json::Null,
            Raw::Bool(truth) => Json::Bool(*truth),
            Raw::Number(number) => Json::Number(number.clone()),
            Raw::Text { text, plain: false } => Json::String(text.clone()),
            Raw::Text { text, plain: true } => match text.as_str() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                text => serde_json::from_str::<serde_json::Number>(text)
                    .map_or_else(|_| Json::String(text.to_owned()), Json::Number),
            },
            Raw::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Raw::Map(fields) => {
                Json::Object(fields.iter().map(|(name, _, node)| (name.clone(), node.to_json())).collect())
            }
        }
    }
}

/// As much of a text as a message shows.
pub(super) fn short(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= SHOWN_MAX {
        return line;
    }
    let head: String = line.chars().take(SHOWN_MAX).collect();
    format!("{head}...")
}
