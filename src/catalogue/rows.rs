//! Rows of a sheet to the same tree that the other formats become: one row is one variant, and rows of one offer are
//! put together. Judges no value but amounts, whose currency stands in another cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{self, About, Column, MONEY};
use super::decode;
use super::sheet::{Row, Sheet};
use super::tree::{Node, Spot, short};
use crate::domain::Currency;

/// What a sheet holds.
#[derive(Debug)]
pub(super) struct Content {
    /// Whether it is about offers.
    pub offers: bool,
    /// One tree for each offer or campaign.
    pub nodes: Vec<Node>,
    /// What is wrong.
    pub wrong: Vec<(Spot, String)>,
}

/// One offer or campaign: its cells by column, each where it was said first, and its variants.
#[derive(Default)]
struct Group {
    id: String,
    line: usize,
    cells: BTreeMap<usize, (usize, String)>,
    variants: Vec<Node>,
    /// The line of each variant.
    lines: BTreeMap<String, usize>,
}

/// What is known of a currency.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    /// It is this one.
    Is(Currency),
    /// None is named: each amount has its own.
    Not,
    /// It is wrong or missing, and that is told already.
    Wrong,
}

impl Named {
    fn known(self) -> Option<Currency> {
        if let Self::Is(currency) = self { Some(currency) } else { None }
    }
}

struct Rows<'s> {
    about: About,
    header: &'s [Arc<str>],
    columns: Vec<Column>,
    wrong: Vec<(Spot, String)>,
}

/// Reads a sheet.
pub(super) fn read(sheet: &Sheet) -> Content {
    let line = |line: usize| Spot { line, column: 0, field: None };
    let mut wrong: Vec<(Spot, String)> = sheet.wrong.iter().map(|(at, message)| (line(*at), message.clone())).collect();
    if sheet.header.is_empty() {
        if wrong.is_empty() {
            wrong.push((line(1), "the file is empty: its first line names the columns, such as `offer_id`".into()));
        }
        return Content { offers: true, nodes: Vec::new(), wrong };
    }
    let (about, columns, misnamed) = columns::read(&sheet.header);
    wrong.extend(misnamed.into_iter().map(|(name, message)| {
        let field = sheet.header.contains(&name).then_some(name);
        (Spot { line: sheet.line, column: 0, field }, message)
    }));
    let mut rows = Rows { about, header: &sheet.header, columns, wrong };
    let id = rows.position(about.columns().first().copied().unwrap_or_default());
    let groups = id.map_or_else(Vec::new, |id| rows.groups(&sheet.rows, id));
    let nodes = groups.into_iter().map(|group| rows.node(group)).collect();
    Content { offers: about == About::Offers, nodes, wrong: rows.wrong }
}

impl Rows<'_> {
    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| matches!(column, Column::Field(known) if *known == name))
    }

    fn spot(&self, line: usize, column: usize) -> Spot {
        Spot { line, column: 0, field: self.header.get(column).cloned() }
    }

    /// Rows of one id put together; a row without an id belongs to the row above.
    fn groups(&mut self, rows: &[Row], id: usize) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut current = None;
        for row in rows {
            let name = row.cells.get(id).map(|cell| cell.trim()).unwrap_or_default();
            if !name.is_empty() || current.is_none() {
                let next = groups.len();
                let at = *known.entry(name.to_owned()).or_insert(next);
                if at == next {
                    groups.push(Group { id: name.to_owned(), line: row.line, ..Group::default() });
                } else if self.about == About::Campaigns {
                    let first = groups.get(at).map_or(0, |group| group.line);
                    let message =
                        format!("campaign `{name}` stands in line {first} already: one line for each campaign");
                    self.wrong.push((self.spot(row.line, id), message));
                    continue;
                }
                current = Some(at);
            }
            let Some(group) = current.and_then(|at| groups.get_mut(at)) else { continue };
            for (column, cell) in row.cells.iter().enumerate() {
                self.cell(group, row.line, column, cell);
            }
            if self.about == About::Offers {
                self.variant(group, row);
            }
        }
        groups
    }

    /// A cell of the offer itself, which other rows may leave empty or repeat.
    fn cell(&mut self, group: &mut Group, line: usize, column: usize, cell: &str) {
        let own = match self.columns.get(column) {
            Some(Column::Field(name)) => !["variant_id", "content"].contains(name),
            Some(Column::Attribute(_)) => true,
            _ => false,
        };
        if !own || cell.trim().is_empty() {
            return;
        }
        match group.cells.get(&column) {
            None => {
                group.cells.insert(column, (line, cell.to_owned()));
            }
            Some((_, first)) if first.trim() == cell.trim() => {}
            Some((at, first)) => {
                let message = format!(
                    "`{}` contradicts `{}` in line {at} about offer `{}`: write the same in both lines, or leave \
                     one empty",
                    short(cell.trim()),
                    short(first.trim()),
                    short(&group.id)
                );
                let spot = self.spot(line, column);
                self.wrong.push((spot, message));
            }
        }
    }

    fn variant(&mut self, group: &mut Group, row: &Row) {
        let whole = Spot { line: row.line, column: 0, field: None };
        let at = self.position("variant_id");
        let name = at.and_then(|at| row.cells.get(at)).map(|cell| cell.trim()).unwrap_or_default();
        let spot = at.map_or_else(|| whole.clone(), |at| self.spot(row.line, at));
        let id = if name.is_empty() {
            if at.is_some() {
                let message = "the row names no variant: each row is one, so give it a name such as `a`";
                self.wrong.push((spot.clone(), message.into()));
            }
            Node::refused(&spot)
        } else if let Some(first) = group.lines.get(name) {
            let message = format!(
                "variant `{}` of offer `{}` stands in line {first} already: give this one another name, or remove it",
                short(name),
                short(&group.id)
            );
            self.wrong.push((spot, message));
            return;
        } else {
            group.lines.insert(name.to_owned(), row.line);
            Node::text(name, &spot)
        };
        let content = self.content(row, &whole);
        group.variants.push(Node::map(vec![("variant_id".into(), id), ("content".into(), content)], &whole));
    }

    /// `content.NAME` as text, and what the column `content` adds in JSON.
    fn content(&mut self, row: &Row, whole: &Spot) -> Node {
        let mut fields: Vec<(String, Node)> = Vec::new();
        for (column, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()) {
            let spot = self.spot(row.line, column);
            match self.columns.get(column) {
                Some(Column::Content(name)) => fields.push((name.clone(), Node::text(cell.as_str(), &spot))),
                Some(Column::Field("content")) => fields.extend(self.json(cell, &spot)),
                _ => {}
            }
        }
        self.no_name_twice(&mut fields);
        Node::map(fields, whole)
    }

    /// The fields of a cell that holds a JSON object.
    fn json(&mut self, cell: &str, spot: &Spot) -> Vec<(String, Node)> {
        if let Ok(fields) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(cell) {
            return fields.into_iter().map(|(name, json)| (name, Node::from_json(json, spot))).collect();
        }
        let message = format!(
            "`{}` is not a JSON object such as `{{\"badge\": 3}}`: plain text has a column of its own, such as \
             `content.headline`",
            short(cell)
        );
        self.wrong.push((spot.clone(), message));
        Vec::new()
    }

    fn no_name_twice(&mut self, fields: &mut Vec<(String, Node)>) {
        let mut seen: Vec<String> = Vec::new();
        fields.retain(|(name, node)| {
            if seen.contains(name) {
                let message = format!("`{name}` is given in a column of its own too: keep one of them");
                self.wrong.push((node.spot.clone(), message));
                return false;
            }
            seen.push(name.clone());
            true
        });
    }

    fn node(&mut self, group: Group) -> Node {
        let whole = Spot { line: group.line, column: 0, field: None };
        let currency = self.currency(&group);
        let (mut fields, mut attributes) = (Vec::new(), Vec::new());
        for (column, (line, cell)) in &group.cells {
            let spot = self.spot(*line, *column);
            match self.columns.get(*column) {
                Some(Column::Attribute(name)) => attributes.push((name.clone(), Node::plain(cell.as_str(), &spot))),
                Some(Column::Field("attributes")) => attributes.extend(self.json(cell, &spot)),
                Some(Column::Field("currency")) => {}
                Some(Column::Field(name)) => {
                    let name = *name;
                    fields.push((name.to_owned(), self.value(name, cell, &spot, currency)));
                }
                _ => {}
            }
        }
        // A column that the header should have had is reported there.
        let missing = ["price", "owner"].into_iter().filter(|name| self.about.columns().contains(name));
        for name in missing.filter(|name| self.position(name).is_none()) {
            fields.push((name.to_owned(), Node::refused(&whole)));
        }
        if !attributes.is_empty() {
            self.no_name_twice(&mut attributes);
            fields.push(("attributes".into(), Node::map(attributes, &whole)));
        }
        if self.about == About::Offers {
            let raw = super::tree::Raw::List(group.variants);
            fields.push(("variants".into(), Node { spot: whole.clone(), raw }));
        }
        Node::map(fields, &whole)
    }

    /// The currency of an offer's or campaign's amounts. One that is wrong or missing is told once and not at each of
    /// them.
    fn currency(&mut self, group: &Group) -> Named {
        let named = self.position("currency");
        if let Some((column, (line, cell))) = named.and_then(|at| group.cells.get_key_value(&at)) {
            let spot = self.spot(*line, *column);
            let read = decode::currency_code(cell.trim());
            let read = read.map_err(|error| self.wrong.push((spot, error.to_string())));
            return read.map_or(Named::Wrong, Named::Is);
        }
        let bare =
            |cell: &str| decode::money(cell, None).is_err() && decode::money(cell, Currency::parse("USD").ok()).is_ok();
        let mut amounts = group.cells.iter().filter(
            |(column, _)| matches!(self.columns.get(**column), Some(Column::Field(name)) if MONEY.contains(name)),
        );
        let Some((column, (line, cell))) = amounts.find(|(_, (_, cell))| bare(cell)) else { return Named::Not };
        let message = decode::money(cell, None).err().map(|error| error.to_string()).unwrap_or_default();
        self.wrong.push((self.spot(*line, *column), message));
        Named::Wrong
    }

    fn value(&mut self, name: &str, cell: &str, spot: &Spot, currency: Named) -> Node {
        let items = || cell.split('|').map(str::trim).filter(|item| !item.is_empty());
        let list = |nodes: Vec<Node>| Node { spot: spot.clone(), raw: super::tree::Raw::List(nodes) };
        match name {
            "stock" => Node::plain(cell.trim(), spot),
            "name" | "owner" => Node::text(cell, spot),
            "more_categories" => list(items().map(|item| Node::text(item, spot)).collect()),
            "pauses" => list(items().map(|item| self.pause(item, spot)).collect()),
            name if MONEY.contains(&name) => match decode::money(cell, currency.known()) {
                Ok(money) => {
                    let (amount, currency) = (money.amount(), money.currency.to_string());
                    let fields = [("amount", amount), ("currency", currency)];
                    Node::map(fields.map(|(name, text)| (name.to_owned(), Node::text(text, spot))).into(), spot)
                }
                // An amount is not blamed for a currency that is wrong itself.
                Err(_) if currency == Named::Wrong => Node::refused(spot),
                Err(error) => {
                    self.wrong.push((spot.clone(), error.to_string()));
                    Node::refused(spot)
                }
            },
            _ => Node::text(cell.trim(), spot),
        }
    }

    fn pause(&mut self, item: &str, spot: &Spot) -> Node {
        let Some((from, until)) = item.split_once('/') else {
            let message = format!(
                "`{}` is not a pause: expected its beginning, `/` and its end, such as `2026-12-24/2026-12-27`; put \
                 `|` between several",
                short(item)
            );
            self.wrong.push((spot.clone(), message));
            return Node::refused(spot);
        };
        let ends = [("from", from), ("until", until)];
        Node::map(ends.map(|(name, text)| (name.to_owned(), Node::text(text.trim(), spot))).into(), spot)
    }
}
