//! Tidiness: what every file must look like. Judges no design; layout within a line is left to rustfmt.

use std::collections::BTreeSet;

use crate::harness::source::{
    Source, code_only, files, files_with, item_end, line_of, mod_lines, name_at, occurrences, package, reached,
    rust_files, strings,
};

const LINE_COLUMNS_MAX: usize = 120;
const FILE_LINES_MAX: usize = 450;
/// A ratchet: it may be lowered, never raised.
const FUNCTION_LINES_MAX: usize = 100;

/// Words that promise work instead of doing it.
const PROMISES: [&str; 4] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X"), concat!("HA", "CK")];

/// Attributes that switch a check off without a reason.
const SILENCERS: [(&str, &str); 4] = [
    ("#[ignore", "a test that does not run holds nothing: make it fast, or make it an argument"),
    ("#[allow(", "write `#[expect(lint, reason = \"...\")]`"),
    ("#![allow(", "write `#[expect(lint, reason = \"...\")]` on the smallest item"),
    ("#[path", "a module lives where its name says"),
];

/// Folders of one machine, which no other machine has.
const MACHINE_FOLDERS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

const RUST_FOLDERS: [&str; 3] = ["src", "tests", "benches"];

#[test]
fn every_rust_file_is_tidy() {
    let mut found = Vec::new();
    for file in RUST_FOLDERS.iter().flat_map(|folder| rust_files(folder)) {
        found.extend(breaches(&file.path, &file.text));
    }
    assert!(found.is_empty(), "untidy:\n{}", found.join("\n"));
}

#[test]
fn every_rust_file_is_reached_by_a_mod_line() {
    let read = |path: &str| std::fs::read_to_string(package().join(path)).ok();
    let roots = ["src/lib.rs", "src/main.rs", "tests/it/main.rs"];
    let known: BTreeSet<String> =
        roots.iter().flat_map(|root| reached(root, &read)).map(|(path, _test)| path).collect();
    let orphans: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .map(|file| file.path)
        .filter(|path| !known.contains(path))
        .collect();
    assert!(orphans.is_empty(), "no `mod` line reaches these, so they are never compiled: {orphans:?}");
}

#[test]
fn every_page_is_mounted_and_every_link_in_the_readme_leads_to_a_file() {
    let mounts = std::fs::read_to_string(package().join("src/docs/mod.rs")).unwrap();
    for page in files_with("md", "src/docs") {
        let name = page.path.trim_start_matches("src/docs/");
        assert!(mounts.contains(&format!("include_str!(\"{name}\")")), "{}: mount it in src/docs/mod.rs", page.path);
    }
    let readme = std::fs::read_to_string(package().join("README.md")).unwrap();
    for target in link_targets(&readme) {
        assert!(package().join(target).exists(), "README.md links to `{target}`, which does not exist");
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    let read = |path: &str| std::fs::read_to_string(package().join(path)).ok();
    let listed = mod_lines(&code_only(&read("src/lib.rs").unwrap()));
    let mut missing = Vec::new();
    for page in files_with("md", "src/docs") {
        for (line, file, test) in named_tests(&page.text) {
            // A page may be ahead of a module that `lib.rs` does not list yet.
            let module = file.trim_start_matches("src/").split('/').next().unwrap_or_default();
            let planned = file.starts_with("src/") && !listed.iter().any(|mod_line| mod_line.name == module);
            let exists = read(file).is_some_and(|text| !occurrences(&text, &format!("fn {test}")).is_empty());
            if !planned && !exists {
                missing.push(format!("{}:{line}: {file} has no test `{test}`", page.path));
            }
        }
    }
    assert!(missing.is_empty(), "pages promise tests that are not there:\n{}", missing.join("\n"));
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let mut tracked: Vec<Source> = ["README.md", "NOTICE", "Cargo.toml", "clippy.toml", ".gitignore"]
        .iter()
        .flat_map(|f| files(f, |_| true))
        .collect();
    for folder in ["src", "tests", "benches", ".ci", "policies", "simulators", "migrations"] {
        tracked.extend(files(folder, |_| true));
    }
    let found: Vec<String> = tracked.iter().flat_map(|file| machine_folders(&file.path, &file.text)).collect();
    assert!(found.is_empty(), "paths of one machine:\n{}", found.join("\n"));
}

/// What one Rust file breaks.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let code = code_only(text);
    let mut found = Vec::from_iter(first_lines(path, text));
    found.extend(lines(path, text));
    found.extend(words(path, text, &code));
    found.extend(functions(path, &code));
    found
}

fn first_lines(path: &str, text: &str) -> Option<String> {
    let opening: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let sentences = opening.join(" ").split(['.', '?', '!']).filter(|part| part.contains(char::is_alphabetic)).count();
    if opening.is_empty() {
        Some(format!("{path}:1: starts with no `//!`: say what the file is, then what it does not do"))
    } else if sentences < 2 && path.starts_with("src/") {
        Some(format!("{path}:1: has one sentence: say what the file is, then what it does not do"))
    } else {
        None
    }
}

fn lines(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let strings = strings(text);
    let mut start = 0;
    for (number, line) in (1..).zip(text.split('\n')) {
        let columns = line.chars().count();
        // A snapshot of what people read is as wide as what people read.
        let in_string = strings.iter().any(|(from, to)| *from < start && start < *to);
        start += line.len() + 1;
        if columns > LINE_COLUMNS_MAX && !in_string {
            found.push(format!("{path}:{number}: {columns} columns: at most {LINE_COLUMNS_MAX}"));
        }
        if line.contains('\t') {
            found.push(format!("{path}:{number}: a tab: use spaces, or `\\t` in a string"));
        }
        if line.ends_with([' ', '\r']) {
            found.push(format!("{path}:{number}: blanks at the end of the line"));
        }
    }
    let count = text.lines().count();
    if count > FILE_LINES_MAX {
        found.push(format!("{path}:{FILE_LINES_MAX}: {count} lines: at most {FILE_LINES_MAX}, so split it by idea"));
    }
    if !text.ends_with('\n') || text.ends_with("\n\n") {
        found.push(format!("{path}:{count}: ends with one line end, not with none or several"));
    }
    found
}

fn words(path: &str, text: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in PROMISES {
        for at in occurrences(text, word) {
            found.push(format!("{path}:{}: `{word}`: do it now, or open an issue", line_of(text, at)));
        }
    }
    for (silencer, cure) in SILENCERS {
        for (at, _) in code.match_indices(silencer) {
            found.push(format!("{path}:{}: `{silencer}`: {cure}", line_of(code, at)));
        }
    }
    found
}

fn functions(path: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in occurrences(code, "fn") {
        let (name, _) = name_at(&code[at + 2..]);
        if name.is_empty() {
            continue;
        }
        let line = line_of(code, at);
        let length = line_of(code, item_end(code.as_bytes(), at)) - line + 1;
        if length > FUNCTION_LINES_MAX {
            found.push(format!("{path}:{line}: `{name}` has {length} lines: at most {FUNCTION_LINES_MAX}"));
        }
    }
    found
}

fn machine_folders(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in MACHINE_FOLDERS {
        // Behind a letter it is part of something else, such as the tail of a URL.
        let starts = |at: &usize| !text[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '.');
        for at in text.match_indices(folder).map(|(at, _)| at).filter(starts) {
            found.push(format!("{path}:{}: `{folder}`: exists on one machine only", line_of(text, at)));
        }
    }
    found
}

/// Table rows that end in the cells `` `file.rs` | `test` ``: line, file and test.
fn named_tests(page: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        if let [.., file, test, ""] = cells[..]
            && file.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs")
        {
            found.push((number, file, test));
        }
    }
    found
}

/// Targets of `[text](target)` within the package, without what follows `#`.
fn link_targets(markdown: &str) -> Vec<&str> {
    let targets = markdown.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let inside = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    inside.map(|target| target.split('#').next().unwrap_or(target)).collect()
}

/// Checks one small file: it breaks exactly the rules whose messages contain the given words.
fn check(path: &str, text: &str, expected: &[&str]) {
    let found = breaches(path, text);
    assert_eq!(found.len(), expected.len(), "{path}: {text}\n{found:?}");
    for (message, words) in found.iter().zip(expected) {
        assert!(message.contains(words), "`{message}` does not say `{words}`");
    }
}

const HEAD: &str = "//! Caps: counts contacts. Reserves nothing.\n";

#[test]
fn a_file_that_does_not_say_what_it_is_is_found() {
    check("src/a.rs", "fn a() {}\n", &["src/a.rs:1: starts with no `//!`"]);
    check("src/a.rs", "//! Caps.\nfn a() {}\n", &["has one sentence"]);
    check("tests/a.rs", "//! Caps.\nfn a() {}\n", &[]);
    check("src/a.rs", "//! Caps: counts contacts.\n//!\n//! Reserves nothing.\n", &[]);
    check("src/a.rs", HEAD, &[]);
}

#[test]
fn long_lines_and_files_tabs_and_trailing_blanks_are_found() {
    let with = |rest: &str| format!("{HEAD}{rest}");
    check("src/a.rs", &with(&format!("// {}\n", "é".repeat(117))), &[]);
    check("src/a.rs", &with(&format!("// {}\n", "é".repeat(118))), &["src/a.rs:2: 121 columns"]);
    let wide = "b".repeat(130);
    check("src/a.rs", &with(&format!("const A: &str = \"\n{wide}\";\n")), &[]);
    check("src/a.rs", &with(&format!("const A: &str = \"{wide}\";\n")), &["src/a.rs:2: 149 columns"]);
    check("src/a.rs", &with("\tfn a() {}\n"), &["a tab"]);
    check("src/a.rs", &with("fn a() {} \n"), &["src/a.rs:2: blanks"]);
    check("src/a.rs", &with(&"//\n".repeat(450)), &["451 lines"]);
    check("src/a.rs", &with("fn a() {}"), &["ends with one line end"]);
}

#[test]
fn promises_silencers_and_long_functions_are_found() {
    let with = |rest: &str| format!("{HEAD}{rest}");
    check("src/a.rs", &with(&format!("// {}: later\n", PROMISES[0])), &["src/a.rs:2:"]);
    check("src/a.rs", &with(&format!("// a{}b\n", PROMISES[2])), &[]);
    check("src/a.rs", &with("#[ignore = \"slow\"]\nfn a() {}\n"), &["`#[ignore`"]);
    check("src/a.rs", &with("#[allow(dead_code)]\nfn a() {}\n"), &["`#[allow(`"]);
    check("src/a.rs", &with("const A: &str = \"#[allow(x)]\"; // #[ignore\n"), &[]);
    check("src/a.rs", &with(&format!("fn a() {{\n{}}}\n", "b();\n".repeat(98))), &[]);
    check("src/a.rs", &with(&format!("fn a() {{\n{}}}\n", "b();\n".repeat(99))), &["`a` has 101 lines"]);
    check("src/a.rs", &with(&format!("trait A {{\nfn a();\n{}}}\n", "\n".repeat(200))), &[]);
}

#[test]
fn folders_of_one_machine_named_tests_and_links_are_found() {
    let folder = MACHINE_FOLDERS[2];
    assert_eq!(
        machine_folders("a", &format!("\nsee {folder}x")),
        [format!("a:2: `{folder}`: exists on one machine only")]
    );
    assert!(machine_folders("a", &format!("https://shop.example{folder}banner and /home_banner")).is_empty());
    assert_eq!(named_tests("| law | file |\n| x | `src/a.rs` | `b_is_c` |"), [(2, "src/a.rs", "b_is_c")]);
    assert_eq!(link_targets("[a](src/a.md#b) [c](https://d) [e](#f)"), ["src/a.md"]);
}
