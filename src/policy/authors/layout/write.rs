//! A file written anew from its tree, with its own letters for every value and every comment. Judges no field.
//!
//! Two spaces per level, dashes below the name of their list and two further in, one space around what is in one line,
//! one blank line at most, the fields of a thing in the order of its table.

use super::order;
use super::text::{End, Letters};
use crate::policy::syntax::{Key, Node, Yaml};

/// Columns that a list or a mapping in brackets may take, when it was spread over several lines.
const COLUMNS: usize = 100;

struct Writer<'a> {
    path: &'a str,
    letters: Letters,
    out: Vec<String>,
    /// The first line that was not yet written.
    next: usize,
}

/// One entry of a mapping, or one item of a list, with the lines that lead to it.
struct Lead {
    lines: Vec<String>,
}

/// The whole file. Nothing where it holds something that this cannot write.
pub(super) fn document(path: &str, text: &str, root: &Node) -> Option<String> {
    let mut writer = Writer { path, letters: Letters::of(text), out: Vec::new(), next: 0 };
    let Yaml::Map(entries) = &root.value else { return None };
    if writer.flow(root) {
        return None;
    }
    writer.map(entries, 0, "", None)?;
    let left: Vec<usize> = (writer.next..writer.letters.lines.len()).collect();
    let lead = writer.lead_of(&left);
    writer.put_lead(&lead, 0);
    while writer.out.last().is_some_and(String::is_empty) {
        writer.out.pop();
    }
    Some(writer.out.join("\n") + "\n")
}

fn start(node: &Node) -> End {
    (node.place.line.saturating_sub(1), node.place.column.saturating_sub(1))
}

fn key_start(key: &Key) -> End {
    (key.place.line.saturating_sub(1), key.place.column.saturating_sub(1))
}

/// The letters of a name; nothing where it runs over several lines.
fn key_length(key: &Key) -> Option<usize> {
    Some(key.place.length).filter(|length| *length < usize::MAX)
}

impl Writer<'_> {
    /// Whether it is written in brackets.
    fn flow(&self, node: &Node) -> bool {
        let (line, column) = start(node);
        matches!(&node.value, Yaml::List(_) | Yaml::Map(_)) && matches!(self.letters.at(line, column), Some('[' | '{'))
    }

    /// The comments and blank lines up to a line; blank ones at most one after another.
    fn lead(&mut self, until: usize) -> Lead {
        let lines: Vec<usize> = (self.next..until).collect();
        self.next = self.next.max(until);
        self.lead_of(&lines)
    }

    fn lead_of(&self, lines: &[usize]) -> Lead {
        let mut kept: Vec<String> = Vec::new();
        for line in lines {
            let text = self.letters.rest((*line, 0));
            if !(text.is_empty() && kept.last().is_some_and(String::is_empty)) {
                kept.push(text);
            }
        }
        Lead { lines: kept }
    }

    fn put_lead(&mut self, lead: &Lead, indent: usize) {
        for text in &lead.lines {
            if text.is_empty() {
                if self.out.last().is_some_and(|last| !last.is_empty()) {
                    self.out.push(String::new());
                }
            } else {
                self.out.push(format!("{:indent$}{text}", ""));
            }
        }
    }

    /// A mapping in lines. `dash` is the lead of the item that it is, where it is one: its first field stands behind
    /// the dash.
    fn map(&mut self, entries: &[(Key, Node)], indent: usize, list: &str, dash: Option<Lead>) -> Option<()> {
        let order = if dash.is_some() || indent == 0 { order(self.path, list) } else { Vec::new() };
        let mut written: Vec<(usize, Lead, Vec<String>)> = Vec::new();
        for (position, (key, node)) in entries.iter().enumerate() {
            let (line, _) = key_start(key);
            let mut lead = if position == 0 && dash.is_some() { Lead { lines: Vec::new() } } else { self.lead(line) };
            if dash.is_some() {
                // Between the fields of a thing there are comments and no gaps.
                lead.lines.retain(|text| !text.is_empty());
            }
            let before = std::mem::take(&mut self.out);
            let done = self.entry(key, node, indent);
            let lines = std::mem::replace(&mut self.out, before);
            done?;
            let rank = order.iter().position(|name| *name == key.text).unwrap_or(order.len());
            written.push((rank, lead, lines));
        }
        written.sort_by_key(|(rank, ..)| *rank);
        let mut dashed = dash.is_some();
        if let Some(lead) = dash {
            self.put_lead(&lead, indent.saturating_sub(2));
        }
        for (_, lead, lines) in written {
            self.put_lead(&lead, if dashed { indent.saturating_sub(2) } else { indent });
            for (at, text) in lines.into_iter().enumerate() {
                let rest = text.get(indent..).filter(|_| dashed && at == 0);
                let behind = rest.map(|rest| format!("{:1$}- {rest}", "", indent.saturating_sub(2)));
                self.out.push(behind.unwrap_or(text));
            }
            dashed = false;
        }
        Some(())
    }

    /// One field with its value.
    fn entry(&mut self, key: &Key, node: &Node, indent: usize) -> Option<()> {
        let (line, column) = key_start(key);
        let end = match self.letters.at(line, column)? {
            '"' | '\'' => self.letters.quoted((line, column))?,
            '?' | '[' | '{' => return None,
            _ => (line, column + key_length(key)?),
        };
        if end.0 != line {
            return None;
        }
        let colon = (end.1..self.letters.line(line).len()).find(|at| self.letters.at(line, *at) == Some(':'))?;
        let name = format!("{:indent$}{}:", "", self.letters.slice(line, column, end.1));
        self.value(&name, node, (line, colon + 1), indent, &key.text)
    }

    /// A value behind `head`, which stands in the line and ends at the column given.
    fn value(&mut self, head: &str, node: &Node, at: End, indent: usize, list: &str) -> Option<()> {
        let (line, _) = at;
        self.next = self.next.max(line + 1);
        let first = start(node);
        let behind = self.letters.rest(at);
        match &node.value {
            Yaml::Scalar { text, plain: true } if text.is_empty() => self.tail(head, &behind),
            Yaml::Scalar { .. } if behind.starts_with(['|', '>']) => self.block(head, &behind, first, indent),
            Yaml::Scalar { plain, .. } if first.0 == line => {
                let end = if *plain { Self::plain(node)? } else { self.letters.quoted(first)? };
                self.spread(head, first, end, indent)
            }
            Yaml::List(_) | Yaml::Map(_) if self.flow(node) && first.0 == line => {
                let end = self.letters.bracketed(first)?;
                let one = flat(&self.letters, node)?;
                let short = end.0 == line || head.chars().count() + 1 + one.chars().count() <= COLUMNS;
                if !short {
                    return self.spread(head, first, end, indent);
                }
                self.next = self.next.max(end.0 + 1);
                self.tail(&format!("{head} {one}"), &self.letters.rest(end))
            }
            Yaml::Map(entries) if !self.flow(node) && first.0 > line => {
                self.tail(head, &behind)?;
                self.map(entries, indent + 2, list, None)
            }
            Yaml::List(items) if !self.flow(node) && first.0 > line => {
                self.tail(head, &behind)?;
                self.list(items, indent + 2, list)
            }
            _ => None,
        }
    }

    /// A line with the comment behind it.
    fn tail(&mut self, head: &str, behind: &str) -> Option<()> {
        match behind {
            "" => self.out.push(head.to_owned()),
            comment if comment.starts_with('#') => self.out.push(format!("{head} {comment}")),
            _ => return None,
        }
        Some(())
    }

    /// The end of a value without quotes; of one over several lines that is not told by its place.
    fn plain(node: &Node) -> Option<End> {
        let (line, column) = start(node);
        column.checked_add(node.place.length).map(|end| (line, end))
    }

    /// A value with the line ends that its author gave it, moved as a whole.
    fn spread(&mut self, head: &str, first: End, end: End, indent: usize) -> Option<()> {
        let (line, column) = first;
        self.next = self.next.max(end.0 + 1);
        let behind = self.letters.rest(end);
        if end.0 == line {
            return self.tail(&format!("{head} {}", self.letters.slice(line, column, end.1)), &behind);
        }
        let head_line = format!("{head} {}", self.letters.slice(line, column, self.letters.line(line).len()));
        self.out.push(head_line.trim_end().to_owned());
        for at in line + 1..=end.0 {
            let until = if at == end.0 { end.1 } else { self.letters.line(at).len() };
            let text = self.letters.slice(at, 0, until);
            let text =
                if text.trim().is_empty() { String::new() } else { format!("{:1$}{2}", "", indent + 2, text.trim()) };
            self.out.push(text);
        }
        let last = self.out.pop()?;
        self.tail(&last, &behind)
    }

    /// Text in lines of its own, behind `|` or `>`.
    fn block(&mut self, head: &str, behind: &str, (first, column): End, indent: usize) -> Option<()> {
        let style = behind.split_whitespace().next()?;
        if style.chars().any(|letter| letter.is_ascii_digit()) {
            return None;
        }
        self.tail(&format!("{head} {style}"), behind.strip_prefix(style)?.trim())?;
        // Blank lines at the beginning belong to the text; those behind it to what follows.
        let begun = self.next;
        let mut end = first + 1;
        for line in first + 1..self.letters.lines.len() {
            if !self.letters.blank(line) {
                if self.letters.indent(line) < column {
                    break;
                }
                end = line + 1;
            }
        }
        for line in begun..end {
            let text: String = self.letters.line(line).get(column..).unwrap_or_default().iter().collect();
            let text = text.trim_end();
            self.out.push(if text.is_empty() { String::new() } else { format!("{:1$}{text}", "", indent + 2) });
        }
        self.next = end;
        Some(())
    }

    /// A list in lines with dashes.
    fn list(&mut self, items: &[Node], indent: usize, list: &str) -> Option<()> {
        for item in items {
            let (line, column) = start(item);
            let lead = self.lead(line);
            self.next = line;
            // Nothing but the dash stands before an item.
            let before = self.letters.slice(line, 0, column);
            if before.trim() != "-" {
                return None;
            }
            match &item.value {
                Yaml::Map(entries) if !self.flow(item) => self.map(entries, indent + 2, list, Some(lead))?,
                Yaml::List(_) if !self.flow(item) => return None,
                _ => {
                    self.put_lead(&lead, indent);
                    self.value(
                        &format!("{:indent$}-", ""),
                        item,
                        (line, before.trim_end().chars().count()),
                        indent,
                        "",
                    )?;
                }
            }
        }
        Some(())
    }
}

/// A value in one line, with one space behind commas and colons and none within brackets.
fn flat(letters: &Letters, node: &Node) -> Option<String> {
    let (line, column) = start(node);
    Some(match &node.value {
        Yaml::Scalar { text, plain: true } => {
            let written =
                letters.slice(line, column, column.saturating_add(node.place.length).min(letters.line(line).len()));
            // One that is absent, or runs over several lines, is not as it is written.
            if text.is_empty() || written != *text {
                return None;
            }
            written
        }
        Yaml::Scalar { .. } => {
            let end = letters.quoted((line, column))?;
            if end.0 != line {
                return None;
            }
            letters.slice(line, column, end.1)
        }
        Yaml::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| flat(letters, item)).collect();
            format!("[{}]", items?.join(", "))
        }
        Yaml::Map(entries) => {
            let entries: Option<Vec<String>> = entries
                .iter()
                .map(|(key, node)| {
                    let (line, column) = key_start(key);
                    let name = letters.slice(line, column, column + key_length(key)?);
                    Some(format!("{name}: {}", flat(letters, node)?))
                })
                .collect();
            format!("{{{}}}", entries?.join(", "))
        }
        Yaml::Refused => return None,
    })
}
