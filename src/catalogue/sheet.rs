//! CSV as rows of cells with their lines. Forgives what spreadsheets do to files; knows no column.

use std::sync::Arc;

/// A sheet: its header and its rows.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The line of the header.
    pub line: usize,
    /// Names of columns, trimmed.
    pub header: Vec<Arc<str>>,
    /// Rows that are not empty.
    pub rows: Vec<Row>,
    /// What is wrong with the form: line and message.
    pub wrong: Vec<(usize, String)>,
}

/// A row with as many cells as the header has.
#[derive(Debug)]
pub(super) struct Row {
    pub line: usize,
    pub cells: Vec<String>,
}

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let (body, skipped, given) = separator_line(text);
    let delimiter = given.unwrap_or_else(|| guess(body));
    let open = open_quote(body, delimiter).map(|line| line + skipped);
    if let Some(line) = open {
        let message = "a quote opens here and is never closed: close it at the end of the cell; a quote inside a cell \
                       in quotes is doubled (`\"\"`)";
        sheet.wrong.push((line, message.to_owned()));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(body.as_bytes());
    let (mut record, mut line, mut counted) = (csv::StringRecord::new(), 1 + skipped, 0);
    while let Ok(true) = reader.read_record(&mut record) {
        // The position is that of empty lines before the row; people count the line of its first letter.
        let start = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(counted);
        let rest = body.get(start..).unwrap_or_default();
        let start = start + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        line += body.get(counted..start).unwrap_or_default().matches('\n').count();
        counted = start.max(counted);
        let last = open.is_some_and(|open| {
            let end = usize::try_from(reader.position().byte()).unwrap_or(body.len());
            open >= line && end >= body.len()
        });
        if last || record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if sheet.header.is_empty() {
            sheet.line = line;
            sheet.header = record.iter().map(|name| Arc::from(name.trim())).collect();
            while sheet.header.last().is_some_and(|name| name.is_empty()) {
                sheet.header.pop();
            }
            continue;
        }
        row(&mut sheet, line, &record);
    }
    sheet
}

fn row(sheet: &mut Sheet, line: usize, record: &csv::StringRecord) {
    let columns = sheet.header.len();
    let mut cells: Vec<String> = record.iter().map(str::to_owned).collect();
    let used = cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
    if used > columns {
        let message = format!(
            "this line has {used} cells and the header {columns}: put a cell with a separator or a line break inside \
             between quotes, and write amounts with a decimal point"
        );
        sheet.wrong.push((line, message));
        return;
    }
    cells.resize(columns, String::new());
    sheet.rows.push(Row { line, cells });
}

/// A first line `sep=;`, as spreadsheets write and read it: what is behind it, the lines skipped and the separator.
fn separator_line(text: &str) -> (&str, usize, Option<u8>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.trim_end().as_bytes() {
        [b's', b'e', b'p', b'=', separator] => (rest, 1, Some(*separator)),
        _ => (text, 0, None),
    }
}

/// The separator of a file without a word about it: the one that stands most often in its header.
fn guess(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // Of equally many the comma, which stands last.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// The line of a quote that is never closed.
fn open_quote(text: &str, delimiter: u8) -> Option<usize> {
    let (mut line, mut opened, mut fresh) = (1, None, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        line += usize::from(byte == b'\n');
        match (byte, opened) {
            (b'"', Some(_)) if bytes.peek() == Some(&b'"') => {
                bytes.next();
            }
            (b'"', Some(_)) => opened = None,
            (b'"', None) if fresh => opened = Some(line),
            _ => {}
        }
        fresh = opened.is_none() && (byte == delimiter || byte == b'\n' || byte == b'\r');
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let sheet = parse(text);
        let row = |row: &Row| format!("{} {}", row.line, row.cells.join("|"));
        let mut lines = vec![format!("{} {}", sheet.line, sheet.header.join("|"))];
        lines.extend(sheet.rows.iter().map(row));
        lines.extend(sheet.wrong.iter().map(|(line, message)| format!("{line}: {}", message[..22].trim_end())));
        assert_eq!(lines.join("\n"), expected, "{text:?}");
    }

    #[test]
    fn what_spreadsheets_do_to_files_is_forgiven_and_lines_are_counted_as_people_count_them() {
        check("a,b\n1,2\n", "1 a|b\n2 1|2");
        check("a;b\r\n1;2,5\r\n\r\n\r\n3;4\r\n;\r\n\r\n", "1 a|b\n2 1|2,5\n5 3|4");
        check("a\tb\n1\t2", "1 a|b\n2 1|2");
        check("sep=;\r\na;b\r\n1;2\r\n", "2 a|b\n3 1|2");
        check("\n\na , b,,\n\"x\ny\"\"z\",2,,\n5\n", "3 a|b\n4 x\ny\"z|2\n6 5|");
        check("a;\"b,c,d\"\n1;2\n", "1 a;\"b|c|d\"\n2 1;2||");
    }

    #[test]
    fn a_row_that_is_too_long_and_a_quote_left_open_are_told_with_their_lines() {
        check("a,b\n1,2,3\n4,5\n", "1 a|b\n3 4|5\n2: this line has 3 cells");
        check("a,b\n1,\"2\n3,4\n", "1 a|b\n2: a quote opens here and");
        check("a,b\n\"x\ny\",2\n3,\"4\n", "1 a|b\n2 x\ny|2\n4: a quote opens here and");
    }
}
