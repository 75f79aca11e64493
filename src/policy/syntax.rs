//! Syntax: the text of a file as a small tree in which every value knows its line and column. Knows no field.
//!
//! The only place that touches the YAML parser. Values stay text, so that `15%`, `200.00` and `NO` arrive as written.

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::codes;
use super::finding::{Place, Report};

/// A value with its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Yaml,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Yaml {
    /// Text as written; `plain` where it had no quotes.
    Scalar { text: String, plain: bool },
    /// `[a, b]` or lines with dashes.
    List(Vec<Node>),
    /// `{a: b}` or lines with colons.
    Map(Vec<(Key, Node)>),
    /// Something already reported; readers pass over it in silence.
    Refused,
}

/// The name of a field with its place.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// The name of a merge key, which is reported and then only excuses what it would have brought.
pub(crate) const MERGE: &str = "<<";

/// Nesting that no policy file needs.
const NESTING_MAX: usize = 32;

/// Reads one file. `None` if nothing of it can be trusted; what is wrong stands in the report.
pub(crate) fn parse(report: &mut Report<'_>, file: usize, text: &str) -> Option<Node> {
    if tabs(report, file, text) {
        return None;
    }
    let mut options = Options::default();
    options.disallow_directives = true;
    options.emit_unresolved_aliases = true;
    options.emit_anchor_events = true;
    options.set_emit_comments(false);
    options.flow_nesting_limit = NESTING_MAX;
    options.block_nesting_limit = NESTING_MAX;
    let mut builder = Builder { events: Parser::new_from_str_with_options(text, options), file, report };
    match builder.document() {
        Ok(node) => Some(node),
        Err(error) => {
            builder.syntax(&error);
            None
        }
    }
}

fn tabs(report: &mut Report<'_>, file: usize, text: &str) -> bool {
    let mut any = false;
    for (at, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(column) = line[..indent].find('\t').filter(|_| indent < line.len()) {
            let place = Place { file, line: at + 1, column: column + 1, length: indent - column };
            report
                .add(codes::TAB, place, "a tab indents this line", "a tab")
                .with_help("indent with spaces, two per level");
            any = true;
        }
    }
    any
}

struct Builder<'a, 'r, 's> {
    events: Parser<'a, StrInput<'a>>,
    file: usize,
    report: &'r mut Report<'s>,
}

impl<'a> Builder<'a, '_, '_> {
    fn document(&mut self) -> Result<Node, ScanError> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    let place = self.place(span);
                    self.report
                        .add(codes::DOCUMENTS, place, "a second YAML document begins here", "one document per file")
                        .with_help("remove the `---` or move what follows into a file of its own");
                    break;
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span)?),
            }
        }
        let start = Place { file: self.file, line: 1, column: 1, length: 1 };
        Ok(root.unwrap_or(Node { place: start, value: Yaml::Scalar { text: String::new(), plain: true } }))
    }

    /// The next event; anchors are reported on the way.
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, ScanError> {
        loop {
            match self.events.next_event().transpose()? {
                Some((Event::Anchor(_, name), span)) => {
                    let place = self.place(span);
                    self.report
                        .add(codes::ANCHOR, place, format!("anchor `&{name}`"), "anchors are not allowed")
                        .with_help("write the value out wherever it counts, so that each rule can be read alone");
                }
                event => return Ok(event),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, ScanError> {
        let place = self.place(span);
        let tagged = event.tag().is_some();
        if let Some(tag) = event.tag() {
            let shown = tag.original();
            let place = span.tag_span().map_or(place, |span| self.place(span));
            self.report.add(codes::TAG, place, format!("tag `{shown}`"), "tags are not allowed").with_help(
                "remove the tag: the field says what type it holds; text that begins with `!` goes into quotes",
            );
        }
        let value = match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                // An absent value arrives as `~` of no length.
                let absent = plain && span.start.index() == span.end.index();
                if absent && tagged {
                    // The tag took what was meant as the value.
                    return Ok(Node { place, value: Yaml::Refused });
                }
                Yaml::Scalar { text: if absent { String::new() } else { text.into_owned() }, plain }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                while let Some((event, span)) = self.next()? {
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, span)?);
                }
                Yaml::List(items)
            }
            Event::MappingStart(..) => self.entries()?,
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.report
                    .add(
                        codes::ANCHOR,
                        place,
                        "an alias stands for a value written elsewhere",
                        "aliases are not allowed",
                    )
                    .with_help("write the value out here; text that begins with `*` goes into quotes");
                Yaml::Refused
            }
            _ => Yaml::Refused,
        };
        Ok(Node { place, value })
    }

    fn entries(&mut self) -> Result<Yaml, ScanError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        while let Some((event, span)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span)?;
            let Some((event, span)) = self.next()? else { break };
            let mut node = self.node(event, span)?;
            let (text, plain) = match key.value {
                Yaml::Scalar { text, plain } => (text, plain),
                Yaml::Refused => continue,
                Yaml::List(_) | Yaml::Map(_) => {
                    self.report.add(
                        codes::SYNTAX,
                        key.place,
                        "the name of a field is a list or a mapping",
                        "expected a name followed by a colon",
                    );
                    continue;
                }
            };
            if matches!(&node.value, Yaml::Scalar { text, plain: true } if text.is_empty()) {
                // The parser places an absent value on a later line; authors look at the name.
                node.place = key.place;
            }
            if plain && text == MERGE {
                self.report
                    .add(codes::ANCHOR, key.place, "merge key `<<`", "merge keys are not allowed")
                    .with_help("write the fields out, so that each rule can be read alone");
                entries.push((Key { place: key.place, text }, Node { place: node.place, value: Yaml::Refused }));
            } else if let Some((first, _)) = entries.iter().find(|(known, _)| known.text == text) {
                let label = format!("first given in line {}", first.place.line);
                self.report
                    .add(codes::FIELD_TWICE, key.place, format!("field `{text}` is given twice"), label)
                    .with_help("keep one of them");
            } else {
                entries.push((Key { place: key.place, text }, node));
            }
        }
        Ok(Yaml::Map(entries))
    }

    fn place(&self, span: Span) -> Place {
        let (start, end) = (span.start, span.end);
        // What runs over several lines is pointed at to the end of its first.
        let length = if end.line() == start.line() { end.col().saturating_sub(start.col()) } else { usize::MAX };
        Place { file: self.file, line: start.line().max(1), column: start.col() + 1, length: length.max(1) }
    }

    fn syntax(&mut self, error: &ScanError) {
        let marker = error.marker();
        let place = Place { file: self.file, line: marker.line().max(1), column: marker.col() + 1, length: 1 };
        self.report
            .add(codes::SYNTAX, place, format!("not well-formed YAML: {}", plainly(&error.info())), "here")
            .with_help(
                "look at the indentation of this line and the one above, and at quotes and brackets left open; \
                 text with `: ` or ` #` inside goes into quotes",
            );
    }
}

/// What the parser says of itself, in words about the file; as it is where there are none.
fn plainly(info: &str) -> &str {
    const WORDS: [(&str, &str); 13] = [
        ("block mapping, did not find expected key", "this line is in line with no field above it"),
        ("did not find expected '-'", "this line is neither an item with a dash nor in line with the fields above it"),
        ("entries are not allowed", "a dash stands where no item can"),
        ("mapping values are not allowed", "a `: ` stands where no field can"),
        ("illegal placement of ':'", "a `: ` stands where no field can"),
        ("flow sequence", "a bracket `[` is not closed, or a comma is missing before this"),
        ("flow mapping", "a brace `{` is not closed, or a comma is missing before this"),
        ("unclosed bracket", "a bracket or a brace is not closed"),
        ("unclosed quote", "a quote is not closed"),
        ("trailing content after", "something stands behind a closed quote"),
        ("unknown escape character", "a backslash in double quotes that means nothing; write single quotes"),
        ("invalid indentation", "this line is indented too little"),
        ("wrongly indented", "this line is indented too little"),
    ];
    let known = WORDS.into_iter().find(|(words, _)| info.contains(words));
    known.map_or(info.trim_end_matches('.'), |(_, plain)| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;

    #[test]
    fn every_value_knows_its_line_and_column() {
        let sources = [Source { path: "a.yaml".into(), text: "a: [x, 'y z']\nb:\n  - c: |\n      t\n    d:\n".into() }];
        let mut report = Report::new(&sources);
        let root = parse(&mut report, 0, &sources[0].text).unwrap();
        let mut seen = Vec::new();
        walk(&root, &mut seen);
        assert_eq!(seen, ["x 1:5+1", "y z 1:8+5", "t\n 4:7+1", " 5:5+1"]);
        assert!(report.finish().is_empty());
    }

    fn walk(node: &Node, seen: &mut Vec<String>) {
        match &node.value {
            Yaml::Scalar { text, .. } => {
                let length = if node.place.length == usize::MAX { 1 } else { node.place.length };
                seen.push(format!("{text} {}:{}+{length}", node.place.line, node.place.column));
            }
            Yaml::List(items) => items.iter().for_each(|item| walk(item, seen)),
            Yaml::Map(entries) => entries.iter().for_each(|(_, node)| walk(node, seen)),
            Yaml::Refused => {}
        }
    }
}
