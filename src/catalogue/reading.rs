//! Files to a draft of the catalogue and all mistakes at once. Judges nothing that the bundle or the store decides;
//! what they say is given its place here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::fields::Reader;
use super::tree::{Node, Raw, Spot};
use super::{Mistake, decode, items, rows, sheet, yaml};
use crate::domain::{AttributeId, CatalogueDraft, Placed};
use crate::policy::{AttributeSpec, CatalogueProblem};

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// An object with `campaigns` and `offers`, or a list of offers, as people write them.
    Yaml,
    /// The same as the HTTP API has it.
    Json,
    /// A sheet of offers, one row for each variant, or of campaigns.
    Csv,
}

impl FileFormat {
    /// By the ending of a file's name.
    pub fn of_path(path: &str) -> Option<Self> {
        let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())?;
        match ending.as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// By its media type, without parameters. The older names for YAML are known too.
    pub fn of_media_type(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/yaml" | "application/x-yaml" | "text/yaml" => Some(Self::Yaml),
            "text/csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Yaml => "application/yaml",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Csv => "CSV",
        }
    }
}

/// A file to read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name in messages; may be empty.
    pub path: String,
    /// What it is.
    pub format: FileFormat,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// What was read, with everything wrong so far.
#[derive(Debug, Default)]
pub struct Reading {
    /// What is to be judged. Not to be stored while anything is wrong: parts that could not be read are stood in for.
    pub draft: CatalogueDraft,
    /// Whether a file is not of its format at all.
    pub malformed: bool,
    files: Vec<Known>,
    mistakes: Vec<Mistake>,
}

/// What is known of a file.
#[derive(Debug)]
struct Known {
    path: String,
    format: FileFormat,
    places: BTreeMap<String, Spot>,
    hurt: BTreeSet<String>,
}

/// Reads files of a catalogue, all of them; the declared attributes say what a word without quotes is.
pub fn read(files: &[SourceFile], specs: &BTreeMap<AttributeId, AttributeSpec>) -> Reading {
    let mut reading = Reading::default();
    for file in files {
        reading.file(file, specs);
    }
    reading
}

impl Reading {
    /// Everything wrong, with what others found by the pointers of the draft; in the order of the files.
    pub fn mistakes(&self, problems: Vec<CatalogueProblem>) -> Vec<Mistake> {
        let mut all = self.mistakes.clone();
        all.extend(problems.into_iter().filter_map(|problem| self.placed(problem)));
        let position = |path: &str| self.files.iter().position(|file| file.path == path);
        let json = |mistake: &Mistake| mistake.line == 0 && mistake.field.is_empty();
        // JSON has no lines; there the order found is the order of the file.
        all.sort_by(|a, b| {
            let key = |m: &Mistake| (position(&m.path), m.line, m.column);
            key(a).cmp(&key(b)).then_with(|| if json(a) { std::cmp::Ordering::Equal } else { a.cmp(b) })
        });
        all.dedup();
        all
    }

    /// A problem with its place; nothing where the reader has told what led to it.
    fn placed(&self, problem: CatalogueProblem) -> Option<Mistake> {
        let slash = problem.pointer.find('/').unwrap_or(problem.pointer.len());
        let (file, pointer) = problem.pointer.split_at(slash);
        let file = self.files.get(file.parse::<usize>().unwrap_or(0))?;
        if file.is_hurt(pointer) {
            return None;
        }
        // A price stood in for is of no currency that anybody wrote.
        if let Some(offer) = pointer.strip_suffix("/campaign").filter(|_| problem.message.contains("one currency"))
            && file.is_hurt(&format!("{offer}/price"))
        {
            return None;
        }
        let mut place = pointer;
        let spot = loop {
            if let Some(spot) = file.places.get(place) {
                break spot.clone();
            }
            match place.rfind('/') {
                Some(end) => place = place.get(..end).unwrap_or_default(),
                None => break Spot::default(),
            }
        };
        Some(file.mistake(&spot, pointer, problem.message))
    }

    fn file(&mut self, source: &SourceFile, specs: &BTreeMap<AttributeId, AttributeSpec>) {
        let number = self.files.len();
        let mut known =
            Known { path: source.path.clone(), format: source.format, places: BTreeMap::new(), hurt: BTreeSet::new() };
        let mut wrong: Vec<(String, Spot, String)> = Vec::new();
        let root = self.root(source, &mut wrong);
        let mut reader = Reader {
            specs,
            strict: source.format == FileFormat::Json,
            zone: chrono_tz::UTC,
            places: BTreeMap::new(),
            wrong,
            hurt: Vec::new(),
        };
        if let Some(root) = root {
            self.items(&mut reader, number, &root);
        }
        known.places = reader.places;
        known.hurt = reader.hurt.into_iter().collect();
        self.mistakes.extend(reader.wrong.into_iter().map(|(at, spot, message)| known.mistake(&spot, &at, message)));
        self.files.push(known);
    }

    /// The tree of a file: a list of offers, or an object with `campaigns` and `offers`.
    fn root(&mut self, source: &SourceFile, wrong: &mut Vec<(String, Spot, String)>) -> Option<Node> {
        let (text, problem) = decode::text(&source.bytes, source.format.name());
        let unreadable = text.is_empty() && problem.is_some();
        wrong.extend(problem.map(|(line, message)| (String::new(), Spot { line, column: 0, field: None }, message)));
        if unreadable {
            self.malformed = true;
            return None;
        }
        let mut tell = |found: Vec<(Spot, String)>| {
            wrong.extend(found.into_iter().map(|(spot, message)| (String::new(), spot, message)));
        };
        let root = match source.format {
            FileFormat::Yaml => {
                let (root, found) = yaml::parse(&text);
                tell(found);
                root
            }
            FileFormat::Json => match serde_json::from_str(&text) {
                Ok(json) => Some(Node::from_json(json, &Spot::default())),
                Err(error) => {
                    let spot = Spot { line: error.line(), column: error.column().max(1), field: None };
                    let sentence = error.to_string();
                    let end = sentence.rfind(" at line ").unwrap_or(sentence.len());
                    tell(vec![(spot, format!("not well-formed JSON: {}", sentence.get(..end).unwrap_or_default()))]);
                    None
                }
            },
            FileFormat::Csv => {
                let content = rows::read(&sheet::parse(&text));
                tell(content.wrong);
                let name = if content.offers { "offers" } else { "campaigns" };
                let spot = Spot { line: 1, column: 0, field: None };
                let list = Node { spot: spot.clone(), raw: Raw::List(content.nodes) };
                Some(Node::map(vec![(name.to_owned(), list)], &spot))
            }
        };
        self.malformed |= root.is_none();
        root
    }

    fn items(&mut self, reader: &mut Reader<'_>, number: usize, root: &Node) {
        let expected = if reader.strict {
            "an import is a list of offers, or an object with the lists `campaigns` and `offers`"
        } else {
            "a catalogue is a list of offers, or has `campaigns:` and `offers:`"
        };
        let known = ["campaigns", "offers", "time_zone"];
        let known = known.get(..if reader.strict { 2 } else { 3 }).unwrap_or_default();
        let well_formed = reader.wrong.is_empty();
        let lists = match &root.raw {
            Raw::Map(fields) => fields.iter().map(|(_, _, node)| node).collect(),
            _ => vec![root],
        };
        let count: usize =
            lists.iter().map(|node| if let Raw::List(items) = &node.raw { items.len() } else { 0 }).sum();
        if count > ITEMS_MAX {
            let message = format!("{count} offers and campaigns were sent: expected 1 to {ITEMS_MAX}");
            reader.add("", &root.spot, message);
            return;
        }
        match &root.raw {
            Raw::List(offers) => self.offers(reader, number, "", offers),
            // Nothing, or one item alone, is no catalogue.
            Raw::Map(fields) if !fields.is_empty() && fields.iter().all(|(name, _, _)| !is_id(name)) => {
                let Some(fields) = reader.open("", root, expected, known) else { return };
                reader.zone = fields.zone;
                for name in ["campaigns", "offers"] {
                    let Some(node) = fields.get(name) else { continue };
                    let at = format!("/{name}");
                    match &node.raw {
                        Raw::List(items) if name == "offers" => self.offers(reader, number, &at, items),
                        Raw::List(items) => self.campaigns(reader, number, &at, items),
                        Raw::Refused => {}
                        _ => reader.add(&at, &node.spot, format!("expected a list, found {}", node.found())),
                    }
                }
            }
            Raw::Refused => {}
            _ => {
                self.malformed = true;
                reader.add("", &root.spot, expected);
            }
        }
        if count == 0 && well_formed && reader.wrong.is_empty() {
            let message = format!("0 offers and campaigns were sent: expected 1 to {ITEMS_MAX}");
            reader.add("", &root.spot, message);
        }
    }

    fn offers(&mut self, reader: &mut Reader<'_>, number: usize, at: &str, nodes: &[Node]) {
        for (position, node) in nodes.iter().enumerate() {
            let at = format!("{at}/{position}");
            let offer = items::offer(reader, &at, node);
            self.draft.offers.extend(offer.map(|offer| Placed::new(format!("{number}{at}"), offer)));
        }
    }

    fn campaigns(&mut self, reader: &mut Reader<'_>, number: usize, at: &str, nodes: &[Node]) {
        for (position, node) in nodes.iter().enumerate() {
            let at = format!("{at}/{position}");
            match items::campaign(reader, &at, node) {
                Some(campaign) => self.draft.campaigns.push(Placed::new(format!("{number}{at}"), campaign)),
                None => self.draft.campaigns_unread.extend(items::campaign_named(node)),
            }
        }
    }
}

fn is_id(name: &str) -> bool {
    ["offer_id", "campaign_id"].contains(&name)
}

/// Offers and campaigns in one file at most.
pub const ITEMS_MAX: usize = 10_000;

impl Known {
    fn mistake(&self, spot: &Spot, pointer: &str, message: String) -> Mistake {
        Mistake {
            path: self.path.clone(),
            line: spot.line,
            column: spot.column,
            field: spot.field.as_deref().unwrap_or_default().to_owned(),
            pointer: if self.format == FileFormat::Csv { String::new() } else { pointer.to_owned() },
            message,
        }
    }

    /// Whether something at, above or below a pointer is known to be wrong.
    fn is_hurt(&self, pointer: &str) -> bool {
        let above = pointer.match_indices('/').map(|(at, _)| at).skip(1).chain([pointer.len()]);
        let below = format!("{pointer}/");
        above.filter_map(|end| pointer.get(..end)).any(|prefix| self.hurt.contains(prefix))
            || self
                .hurt
                .range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded))
                .next()
                .is_some_and(|hurt| hurt.starts_with(&below))
    }
}
