//! Rust source as text for the house rules: files, code without comments and strings, tests blanked, `mod` lines.
//! Knows no grammar beyond that; every blank keeps its line, so that a finding can name where it is.

use std::path::{Path, PathBuf};

/// A source file with its path relative to the package, `/` between folders.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// The folder that holds `Cargo.toml`.
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, or `folder` itself where it is a file, whose name `wanted` accepts, in order of path.
/// Files that are not text are left out; a folder that does not exist holds none.
pub fn files(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<Source> {
    let mut waiting: Vec<PathBuf> = vec![package().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            waiting.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        let name = path.strip_prefix(package()).unwrap().to_string_lossy().replace('\\', "/");
        if let Some(text) = std::fs::read(&path).ok().filter(|_| wanted(&name)).and_then(|b| String::from_utf8(b).ok())
        {
            found.push(Source { path: name, text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every file below `folder` with this extension.
pub fn files_with(extension: &str, folder: &str) -> Vec<Source> {
    files(folder, |name| Path::new(name).extension().is_some_and(|found| found == extension))
}

/// Every `.rs` file below `folder`.
pub fn rust_files(folder: &str) -> Vec<Source> {
    files_with("rs", folder)
}

/// The line, counted from one, that holds the byte `at`.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// True for what may stand within a name.
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Start of every place where `words` stands as such, not as part of a longer name.
pub fn occurrences(code: &str, words: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let edge = |at: Option<&u8>| at.is_none_or(|byte| !is_name_byte(*byte));
    let open_end = words.bytes().last().is_some_and(|byte| !is_name_byte(byte));
    code.match_indices(words)
        .map(|(at, _)| at)
        .filter(|at| edge(at.checked_sub(1).and_then(|before| bytes.get(before))))
        .filter(|at| open_end || edge(bytes.get(at + words.len())))
        .collect()
}

/// The text with comments, strings and characters blanked; as long as before, with every line end kept.
pub fn code_only(text: &str) -> String {
    let mut code = text.as_bytes().to_vec();
    for (start, end) in no_code(text) {
        blank(&mut code, start, end);
    }
    String::from_utf8(code).unwrap()
}

/// Where the string literals of the text start and end.
pub fn strings(text: &str) -> Vec<(usize, usize)> {
    no_code(text).into_iter().filter(|(start, _)| matches!(text.as_bytes()[*start], b'"' | b'r')).collect()
}

/// Where comments, strings and characters start and end.
fn no_code(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => find(bytes, at, b"\n").unwrap_or(bytes.len()),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' if raw_string(bytes, at).is_some() => raw_string(bytes, at).unwrap(),
            b'\'' => char_end(bytes, at).unwrap_or(at + 1),
            _ => {
                at += 1;
                continue;
            }
        };
        found.push((at, end));
        at = end;
    }
    found
}

/// Code, as [`code_only`] gives it, with every item behind `#[cfg(test)]` blanked.
pub fn without_tests(code: &str) -> String {
    let mut kept = code.as_bytes().to_vec();
    for (start, end) in test_items(code) {
        blank(&mut kept, start, end);
    }
    String::from_utf8(kept).unwrap()
}

/// Where the items behind `#[cfg(test)]` start and end.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let mut items: Vec<(usize, usize)> = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        if items.last().is_none_or(|(_, end)| start >= *end) {
            items.push((start, item_end(code.as_bytes(), start + attribute.len())));
        }
    }
    items
}

/// The end of the item that starts at `from`: its `;` outside brackets or the brace that closes its first one.
pub fn item_end(code: &[u8], from: usize) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' => depth -= 1,
            b'}' => {
                depth -= 1;
                if depth <= 0 {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// A `mod name;` line: a module in a file of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct ModLine {
    pub name: String,
    /// Behind `#[cfg(test)]`.
    pub test: bool,
}

/// Every `mod name;` line of some code.
pub fn mod_lines(code: &str) -> Vec<ModLine> {
    let tests = test_items(code);
    let lines = occurrences(code, "mod").into_iter().filter_map(|at| {
        let (name, rest) = name_at(&code[at + 3..]);
        let test = tests.iter().any(|(start, end)| (*start..*end).contains(&at));
        (!name.is_empty() && rest.trim_start().starts_with(';')).then(|| ModLine { name: name.to_owned(), test })
    });
    lines.collect()
}

/// Splits off the name that the text starts with, after white space.
pub fn name_at(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// Files reached by `mod` lines from `root`, each with whether only tests reach it. `read` gives a file's text.
pub fn reached(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<(String, bool)> {
    let mut found = vec![(root.to_owned(), false)];
    let mut next = 0;
    while let Some((path, in_test)) = found.get(next).cloned() {
        next += 1;
        let stem = path.strip_suffix(".rs").unwrap_or(&path);
        let is_root = path == root || stem.ends_with("/mod");
        let folder = if is_root { stem.rsplit_once('/').map_or("", |(folder, _)| folder) } else { stem };
        for line in read(&path).map(|text| mod_lines(&code_only(&text))).unwrap_or_default() {
            let candidates = [format!("{folder}/{}.rs", line.name), format!("{folder}/{}/mod.rs", line.name)];
            if let Some(file) = candidates.into_iter().find(|file| read(file).is_some()) {
                found.push((file, in_test || line.test));
            }
        }
    }
    found
}

fn blank(code: &mut [u8], start: usize, end: usize) {
    for byte in &mut code[start..end] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    bytes[from..].windows(needle.len()).position(|window| window == needle).map(|at| from + at)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `r"..."`, `r#"..."#` and so on; nothing where `r` starts a name.
fn raw_string(bytes: &[u8], start: usize) -> Option<usize> {
    // `br"..."` and `cr"..."` are strings too; another name byte before `r` means a name that ends in it.
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let within_name = before.is_some_and(is_name_byte) && !matches!(before, Some(b'b' | b'c'));
    let marks = bytes[start + 1..].iter().take_while(|byte| **byte == b'#').count();
    if within_name || bytes.get(start + 1 + marks) != Some(&b'"') {
        return None;
    }
    let closing: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', marks)).collect();
    Some(find(bytes, start + 2 + marks, &closing).map_or(bytes.len(), |at| at + closing.len()))
}

/// The end of a character literal; nothing where the quote starts a lifetime.
fn char_end(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start + 1) == Some(&b'\\') {
        return find(bytes, start + 3, b"'").map(|at| at + 1);
    }
    let width = std::str::from_utf8(&bytes[start + 1..]).ok()?.chars().next()?.len_utf8();
    (bytes.get(start + 1 + width) == Some(&b'\'')).then_some(start + 2 + width)
}

#[test]
fn comments_strings_and_characters_are_not_code() {
    let check = |text: &str, expected: &str| {
        assert_eq!(code_only(text), expected, "{text}");
        assert_eq!(text.len(), expected.len());
    };
    check("a // b\nc", "a     \nc");
    check("a /* b /* c */ d */ e", "a                   e");
    check(r#"x("b \" c", d)"#, "x(        , d)");
    check("f(r#\"a \" b\"#, c)", "f(          , c)");
    check(r"m('\'', '{', b'x', &'a str)", r"m(    ,    , b   , &'a str)".replace("&'a", "& a").as_str());
    check("for r in b", "for r in b");
}

#[test]
fn test_items_are_blanked_and_the_rest_is_kept() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c(); }\n}\nfn d() {}\n#[cfg(test)] use e;\nfn f() {}";
    let blanked = without_tests(code);
    let kept: Vec<&str> = blanked.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(kept, ["fn a() {}", "fn d() {}", "fn f() {}"]);
}

#[test]
fn files_are_reached_through_mod_lines() {
    let read = |path: &str| {
        let text = match path {
            "src/lib.rs" => "pub mod a; // mod hidden;\n#[cfg(test)] mod t;",
            "src/a/mod.rs" => "mod b;",
            "src/a/b.rs" => "mod c;",
            "src/a/b/c.rs" | "src/t.rs" | "src/hidden.rs" => "",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let found = reached("src/lib.rs", &read);
    let expected = [("src/lib.rs", false), ("src/a/mod.rs", false), ("src/t.rs", true), ("src/a/b.rs", false)];
    assert_eq!(found[..4], expected.map(|(path, test)| (path.to_owned(), test)));
    assert_eq!(found[4..], [("src/a/b/c.rs".to_owned(), false)]);
}
