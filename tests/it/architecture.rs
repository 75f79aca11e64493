//! Architecture: modules use only lower floors, and pure floors never touch the outside world.
//! Reads the source as text; what types and visibility can prove is left to the compiler.

use crate::harness::source::{
    code_only, is_name_byte, item_end, line_of, name_at, occurrences, package, reached, without_tests,
};

/// Every module of the library and its floor. Modules of one floor are blind to each other; 9 is the binary.
const FLOORS: [(&str, u8); 20] = [
    ("domain", 0),
    ("attribution", 1),
    ("bandit", 1),
    ("evaluation", 1),
    ("policy", 1),
    ("transparency", 1),
    ("catalogue", 2),
    ("decision", 2),
    ("learning", 2),
    ("audit", 3),
    ("engine", 3),
    ("report", 3),
    ("simulation", 4),
    ("store", 5),
    ("config", 6),
    ("telemetry", 6),
    ("runtime", 7),
    ("api", 8),
    ("commands", 9),
    ("main", 9),
];

/// The highest floor that is a function of its arguments.
const PURE_FLOOR_MAX: u8 = 4;

/// What a pure floor never names, with the cure.
const OUTSIDE: [(&str, &str); 30] = [
    ("std::fs", "a file is read at the boundary and handed in as bytes"),
    ("std::net", "the network belongs to api and runtime"),
    ("std::env", "settings are read by config and handed in"),
    ("std::thread", "threads belong to runtime"),
    ("std::process", "processes belong to the binary"),
    ("SystemTime", "time is an argument: take `now: Timestamp`"),
    ("Instant", "time is an argument: take `now: Timestamp`"),
    ("Utc::now", "time is an argument: take `now: Timestamp`"),
    ("Local::now", "time is an argument: take `now: Timestamp`"),
    ("now_v7", "ids are minted by runtime from its clock and handed in"),
    ("new_v4", "random bytes are an argument"),
    ("tokio", "async belongs to runtime: return an effect instead"),
    ("async", "async belongs to runtime: return an effect instead"),
    ("sqlx", "databases belong to store: return an effect instead"),
    ("actix_web", "HTTP belongs to api"),
    ("ureq", "HTTP belongs to the binary"),
    ("indicatif", "progress is shown by the binary"),
    ("tracing", "a pure function returns what it has to say; its caller logs"),
    ("println", "a pure function returns what it has to say; the binary prints"),
    ("eprintln", "a pure function returns what it has to say; the binary prints"),
    ("print", "a pure function returns what it has to say; the binary prints"),
    ("eprint", "a pure function returns what it has to say; the binary prints"),
    ("getrandom", "random bytes are an argument"),
    ("rand::rng", "chance is an argument: draw from a seed with a purpose mixed in"),
    ("rand::random", "chance is an argument: draw from a seed with a purpose mixed in"),
    ("OsRng", "chance is an argument: draw from a seed with a purpose mixed in"),
    ("SysRng", "chance is an argument: draw from a seed with a purpose mixed in"),
    ("HashMap", "its order differs between runs: use `BTreeMap`"),
    ("HashSet", "its order differs between runs: use `BTreeSet`"),
    ("thread_local", "hidden state is no argument: pass it in"),
];

#[test]
fn modules_use_only_lower_floors_and_pure_floors_touch_no_outside_world() {
    let read = |path: &str| std::fs::read_to_string(package().join(path)).ok();
    let mut found = order_breaches(&read("src/lib.rs").unwrap());
    for root in ["src/lib.rs", "src/main.rs"] {
        for (path, test) in reached(root, &read) {
            found.extend(breaches(&path, &read(&path).unwrap(), test));
        }
    }
    assert!(found.is_empty(), "the house rules are broken:\n{}", found.join("\n"));
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// The path of the module that a file holds, the crate's root being empty: `src/a/mod.rs` and `src/a.rs` hold `a`.
fn module_path(path: &str) -> Vec<&str> {
    let mut names: Vec<&str> = path.trim_start_matches("src/").trim_end_matches(".rs").split('/').collect();
    names.pop_if(|name| *name == "mod" || *name == "lib");
    names
}

/// What one file breaks. `test` says that only tests reach it, so that it may touch the outside world.
fn breaches(path: &str, text: &str, test: bool) -> Vec<String> {
    let names = module_path(path);
    let Some(module) = names.first().filter(|name| **name != "docs") else { return Vec::new() };
    let Some(floor) = floor_of(module) else {
        return vec![format!("{path}:1: module `{module}` has no floor; give it one in tests/it/architecture.rs")];
    };
    let code = code_only(text);
    let mut found = Vec::new();
    if floor < 9 {
        found.extend(upward(path, &code, module, floor));
        found.extend(climbing(path, &code, names.len()));
    }
    if floor <= PURE_FLOOR_MAX && !test {
        found.extend(outside(path, &without_tests(&code), module, floor));
    }
    found
}

/// Paths through `crate::` that do not point downwards.
fn upward(path: &str, code: &str, module: &str, floor: u8) -> Vec<String> {
    let mut found = Vec::new();
    for (at, named) in paths(code) {
        let Some(target) = named.strip_prefix("crate::").map(|rest| name_at(rest).0) else { continue };
        let why = match floor_of(target) {
            _ if target == module => continue,
            Some(below) if below < floor => continue,
            Some(same) if same == floor => format!("modules of floor {floor} are blind to each other"),
            Some(above) => {
                format!("`{module}` is on floor {floor} and `{target}` on floor {above}, which is not lower")
            }
            None => "name the module that owns it: the crate's root holds modules only".to_owned(),
        };
        found.push(format!("{path}:{}: `{named}`: {why}", line_of(code, at)));
    }
    found
}

/// Paths that climb through `super::` to the crate's root, where the check above would not see them.
fn climbing(path: &str, code: &str, depth: usize) -> Vec<String> {
    let inline: Vec<(usize, usize)> = occurrences(code, "mod")
        .into_iter()
        .filter(|at| name_at(&code[at + 3..]).1.trim_start().starts_with('{'))
        .map(|at| (at, item_end(code.as_bytes(), at)))
        .collect();
    let climbs = |(at, named): &(usize, String)| {
        let supers = named.split("::").take_while(|name| *name == "super").count();
        let nested = inline.iter().filter(|(start, end)| (start..end).contains(&at)).count();
        supers >= depth + nested && supers > 0 && named.split("::").count() > supers
    };
    let said = |(at, named): (usize, String)| {
        format!("{path}:{}: `{named}`: climbs to the crate's root; write `crate::`", line_of(code, at))
    };
    paths(code).into_iter().filter(climbs).map(said).collect()
}

/// Names of the outside world.
fn outside(path: &str, code: &str, module: &str, floor: u8) -> Vec<String> {
    let mut found = Vec::new();
    for (at, named) in paths(code) {
        let wrapped = format!("::{named}::");
        for (banned, cure) in OUTSIDE.iter().filter(|(banned, _)| wrapped.contains(&format!("::{banned}::"))) {
            let line = line_of(code, at);
            found.push(format!("{path}:{line}: `{banned}`: `{module}` on floor {floor} is pure; {cure}"));
        }
    }
    found
}

/// Modules of `lib.rs` that do not stand under the comment `// floor N` of their floor, floors ascending.
fn order_breaches(lib: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = None;
    for (number, line) in (1..).zip(lib.lines().map(str::trim)) {
        if let Some(floor) = line.strip_prefix("// floor ").map(|rest| name_at(rest).0.parse::<u8>().ok()) {
            if floor <= current {
                found.push(format!("src/lib.rs:{number}: `{line}`: floors are listed from the lowest up, once each"));
            }
            current = floor;
        }
        let item = line.strip_prefix("pub ").unwrap_or(line);
        let Some(name) = item.strip_prefix("mod ").map(|rest| name_at(rest).0).filter(|name| *name != "docs") else {
            continue;
        };
        let said = match floor_of(name) {
            Some(floor) if current == Some(floor) => continue,
            Some(floor) => format!("belongs under the comment `// floor {floor}`"),
            None => "has no floor; give it one in tests/it/architecture.rs".to_owned(),
        };
        found.push(format!("src/lib.rs:{number}: `{line}`: {said}"));
    }
    found
}

/// Every path that code names, where it stands: `use a::{b, c::d}` names `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<(usize, String)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !is_name_byte(bytes[at]) {
            at += 1;
            continue;
        }
        let end = chain_end(bytes, at);
        if &code[at..end] == "use" {
            let stop = code[end..].find(';').map_or(bytes.len(), |length| end + length);
            use_tree(code, end, stop, "", &mut found);
            at = stop;
        } else {
            found.push((at, code[at..end].to_owned()));
            at = end;
        }
    }
    found
}

/// The end of `name::name::name`.
fn chain_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        while bytes.get(at).is_some_and(|byte| is_name_byte(*byte)) {
            at += 1;
        }
        if bytes.get(at..at + 2) != Some(b"::") || !bytes.get(at + 2).is_some_and(|byte| is_name_byte(*byte)) {
            return at;
        }
        at += 2;
    }
}

/// The paths of one `use`, between two bytes of the code, behind what stands before its braces.
fn use_tree(code: &str, start: usize, stop: usize, prefix: &str, found: &mut Vec<(usize, String)>) {
    let mut depth = 0_usize;
    let mut from = start;
    for at in start..=stop {
        match code.as_bytes().get(at).filter(|_| at < stop) {
            Some(b'{') => depth += 1,
            Some(b'}') => depth = depth.saturating_sub(1),
            Some(b',') | None if depth == 0 => {
                branch(code, from, at, prefix, found);
                from = at + 1;
            }
            _ => {}
        }
    }
}

fn branch(code: &str, start: usize, stop: usize, prefix: &str, found: &mut Vec<(usize, String)>) {
    let text = &code[start..stop];
    let at = start + (text.len() - text.trim_start().len());
    match text.find('{') {
        Some(brace) => {
            let inner = format!("{prefix}{}", text[..brace].trim().trim_start_matches("::"));
            let close = text.rfind('}').map_or(stop, |close| start + close);
            use_tree(code, start + brace + 1, close, &inner, found);
        }
        None if text.trim().is_empty() => {}
        None => {
            let named = text.split_whitespace().next().unwrap_or_default().trim_start_matches("::");
            found.push((at, format!("{prefix}{named}")));
        }
    }
}

/// Checks one small file: it breaks exactly the rules whose messages contain the given words.
fn check(path: &str, text: &str, expected: &[&str]) {
    let found = breaches(path, text, false);
    assert_eq!(found.len(), expected.len(), "{path}: {text}\n{found:?}");
    for (message, words) in found.iter().zip(expected) {
        assert!(message.contains(words), "`{message}` does not say `{words}`");
    }
}

#[test]
fn an_upward_or_sideways_use_is_found_with_its_line() {
    check("src/bandit/a.rs", "\nuse crate::decision::decide;", &["src/bandit/a.rs:2: `crate::decision::decide`"]);
    check("src/bandit/a.rs", "use crate::policy::Rule;", &["floor 1 are blind to each other"]);
    check("src/bandit/a.rs", "use crate::{domain::Money, store::{Store, Row}};", &["crate::store::Store", "Row"]);
    check("src/bandit/a.rs", "fn f() { crate::engine::step() }", &["on floor 3, which is not lower"]);
    check("src/bandit/a.rs", "#[cfg(test)]\nmod tests { use crate::api::x; }", &["a.rs:2: `crate::api::x`"]);
    check("src/bandit/a.rs", "fn f() -> crate::Engine {}", &["the crate's root holds modules only"]);
    check("src/bandit/mod.rs", "use super::engine::step;", &["climbs to the crate's root"]);
    check("src/bandit/a.rs", "mod b { use super::super::super::engine::step; }", &["climbs to the crate's root"]);
    check("src/parser/mod.rs", "", &["module `parser` has no floor"]);
}

#[test]
fn a_downward_use_a_comment_and_a_string_are_allowed() {
    check("src/engine/a.rs", "use crate::{decision::decide, domain};\nuse crate::engine::b;\nuse super::c;", &[]);
    check("src/bandit/mod.rs", "pub(super) fn a() {}\n#[cfg(test)] mod tests { use super::*; }", &[]);
    check("src/bandit/a.rs", "// crate::engine::step\n/// [`crate::api`]\nconst A: &str = \"std::fs\";", &[]);
    check("src/main.rs", "use crate::commands::serve; use proffer::api; use std::env;", &[]);
    check("src/commands/serve.rs", "use crate::commands; use std::fs;", &[]);
    check("src/store/mod.rs", "use std::fs; use crate::domain::Money; async fn a() {}", &[]);
}

#[test]
fn the_outside_world_on_a_pure_floor_is_found_and_in_its_tests_it_is_not() {
    check("src/engine/a.rs", "use std::{fmt, fs};", &["src/engine/a.rs:1: `std::fs`: `engine` on floor 3 is pure"]);
    check("src/engine/a.rs", "use std::time::{Duration, Instant};", &["`Instant`"]);
    check("src/engine/a.rs", "fn f() { std::env::var(NAME); chrono::Utc::now(); }", &["`std::env`", "`Utc::now`"]);
    check("src/engine/a.rs", "async fn f() { tokio::spawn(g()); }", &["`async`", "`tokio`"]);
    check("src/engine/a.rs", "fn f(a: HashMap<u8, u8>) { println!(); }", &["`HashMap`", "`println`"]);
    check("src/engine/a.rs", "use rand::{Rng, rng};", &["`rand::rng`"]);
    check("src/engine/a.rs", "fn f() { rand::rngs::ChaCha8Rng::from_seed(s); my_tokio(); InstantX; }", &[]);
    check("src/engine/a.rs", "#[cfg(test)]\nmod tests { use std::fs; }", &[]);
    assert_eq!(breaches("src/engine/a_tests.rs", "use std::fs;", true), Vec::<String>::new());
}

#[test]
fn lib_rs_lists_floors_from_the_lowest_up() {
    let check = |lib: &str, expected: Option<&str>| {
        let found = order_breaches(lib);
        let said = found.first().map(String::as_str);
        assert_eq!(said.is_some(), expected.is_some(), "{lib}: {found:?}");
        assert!(expected.is_none_or(|words| said.unwrap().contains(words)), "{found:?}");
    };
    check("pub mod docs;\n// floor 0\npub mod domain;\n\n// floor 1\npub mod policy;\npub mod bandit;", None);
    check("// floor 0\npub mod domain;\npub mod policy;", Some("src/lib.rs:3: `pub mod policy;`: belongs under"));
    check("// floor 1\npub mod policy;\n// floor 0\npub mod domain;", Some("from the lowest up"));
    check("pub mod domain;", Some("`// floor 0`"));
    check("// floor 0\npub mod parser;", Some("has no floor"));
}
