//! The mistakes of authors as golden text: bundles broken as `tests/golden/mistakes/*.diff` say, and beside each what
//! is told of it (`UPDATE_GOLDEN=1` writes that anew). Then the examples of `proffer policy explain`. Tries no right
//! bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proffer::decision::trial::try_all;
use proffer::domain::{Digest, Timestamp};
use proffer::policy::{
    Authority, Bundle, Demands, Example, Finding, Given, LINTS, Matter, Revocation, Source, codes, compile_with_tests,
    example, lacking, lint, weakened,
};

/// Codes of mistakes that no files kept here can have, each with the reason.
const NOT_IN_FILES: [(&str, &str); 1] = [(codes::RULES_MANY, "it takes 65,536 rules")];

/// Files by their path in a bundle.
type Files = BTreeMap<String, String>;

fn is_in_files(code: &str) -> bool {
    NOT_IN_FILES.iter().all(|(known, _)| *known != code)
}

fn is_of(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The files below a folder of the repository.
fn files(folder: &str) -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut folders) = (Files::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn sources(files: &Files) -> Vec<Source> {
    files.iter().map(|(path, text)| Source { path: path.clone(), text: text.clone() }).collect()
}

/// A bundle broken as a diff says: `== change PATH` with hunks of ` `, `-` and `+` lines below `@@`, each looked for
/// from the top, `== add PATH` with `+` lines, and `== remove PATH`; `== approve HOW` is read by [`unapproved`].
fn broken(diff: &str) -> Vec<Source> {
    let mut files = files("tests/data/policies");
    // A mistake in a rule is not to be told once more by the tests of the rule.
    if !diff.lines().any(|line| line.starts_with("== ") && line.contains(" tests/")) {
        files.retain(|path, _| !path.starts_with("tests/"));
    }
    let mut sources = Vec::new();
    for part in diff.split("\n== ").map(|part| part.trim_start_matches("== ")) {
        let (head, lines) = part.split_once('\n').unwrap_or((part, ""));
        let (what, path) = head.split_once(' ').unwrap();
        let lines = lines.strip_suffix('\n').unwrap_or(lines);
        match what {
            // Approvals stand in no file.
            "approve" => {}
            "remove" => assert!(files.remove(path).is_some(), "there is no {path}"),
            "add" => {
                let text = lines.lines().map(|line| line.strip_prefix('+').unwrap()).collect::<Vec<_>>().join("\n");
                sources.push(Source { path: path.to_owned(), text });
            }
            "change" => {
                let text = files.get_mut(path).unwrap();
                for hunk in lines.split("@@\n").skip(1) {
                    let side = |other: char| {
                        let kept = hunk.lines().filter(|line| !line.starts_with(other));
                        kept.map(|line| line.get(1..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
                    };
                    let (from, to) = (side('+'), side('-'));
                    assert!(format!("\n{text}\n").contains(&format!("\n{from}\n")), "{path} has no lines\n{from}");
                    let replaced = format!("\n{text}\n").replacen(&format!("\n{from}\n"), &format!("\n{to}\n"), 1);
                    *text = replaced[1..replaced.len() - 1].to_owned();
                }
            }
            other => panic!("`{other}` is no change"),
        }
    }
    sources.extend(self::sources(&files));
    sources
}

/// The instant at which everything is told.
fn now() -> Timestamp {
    Timestamp::parse("2026-03-02T12:00:00Z").unwrap()
}

/// What is told of a bundle that compiles where its approvals stand as `== approve HOW` says: `nothing` was given, all
/// were and then one came to an end, or the bundle in force asks for more.
fn unapproved(bundle: &Bundle, how: &str) -> Vec<Finding> {
    const HOUR: i64 = 3_600_000;
    let mut all = Vec::new();
    for of in bundle.uses.distinct().into_keys() {
        for (by, authority) in [("jane", Authority::Privacy), ("joe", Authority::Business)] {
            all.push(Given {
                id: all.len() as u64 + 1,
                matter: Matter::Use(of.clone()),
                pinned: bundle.definition(&of.attribute).unwrap(),
                authority,
                at: Timestamp(now().0 - 2 * HOUR),
                by: by.to_owned(),
                expires: Timestamp(now().0 + HOUR),
                note: String::new(),
                revoked: None,
            });
        }
    }
    let ended = Timestamp(now().0 - HOUR);
    match (how, all.get_mut(1)) {
        ("nothing", _) => all.clear(),
        ("expired", Some(of_business)) => of_business.expires = ended,
        ("edited", Some(of_business)) => of_business.pinned = Digest([7; 32]),
        ("one person", Some(of_business)) => "jane".clone_into(&mut of_business.by),
        ("revoked", Some(of_business)) => {
            let (by, note) = ("joe".to_owned(), "complaint 12".to_owned());
            of_business.revoked = Some(Revocation { sequence: 99, at: ended, by, note });
        }
        ("less", None) => {
            let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
            let asked = Demands::of(&[file(
                "bundle.yaml",
                "name: shop\nschema: 1\napprovers: {attributes: [personal], bundle: [privacy, business]}\n",
            )]);
            return weakened(bundle, &asked, &[], now());
        }
        (how, _) => panic!("`== approve {how}` says nothing of this bundle"),
    }
    lacking(bundle, &all, now())
}

#[test]
fn every_mistake_is_told_so_that_the_message_alone_is_enough_to_mend_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mistakes");
    let (mut shown, mut wrong, mut names) = (String::new(), Vec::new(), BTreeSet::new());
    for (name, diff) in files("tests/golden/mistakes").iter().filter(|(name, _)| is_of(name, "diff")) {
        let how = diff.lines().find_map(|line| line.strip_prefix("== approve "));
        let told = match (compile_with_tests(&broken(diff)), how) {
            (Ok((bundle, _)), Some(how)) => Err(unapproved(&bundle, how)),
            (compiled, _) => compiled,
        };
        let told = match told {
            Ok(_) => "it compiled\n".to_owned(),
            Err(findings) => findings.iter().map(|finding| format!("{finding}\n")).collect::<Vec<_>>().join("\n"),
        };
        let name = name.replace(".diff", ".txt");
        let path = folder.join(&name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        if golden != told {
            wrong.push(format!("{name}, expected:\n{golden}\ncame:\n{told}"));
        }
        shown.push_str(&told);
        names.insert(name);
    }
    assert!(wrong.is_empty(), "{}\n`UPDATE_GOLDEN=1` writes what came", wrong.join("\n"));
    assert!(!shown.contains("it compiled"), "a mistake that is none");
    assert!(names.len() >= 60, "{} mistakes", names.len());
    let orphans: Vec<PathBuf> = files("tests/golden/mistakes")
        .into_keys()
        .filter(|name| is_of(name, "txt") && !names.contains(name))
        .map(PathBuf::from)
        .collect();
    assert!(orphans.is_empty(), "golden texts of no mistake: {orphans:?}");
    let unseen = codes::CODES.iter().filter(|(code, _)| !shown.contains(&format!("error[{code}]")));
    let unseen: Vec<_> = unseen.filter(|(code, _)| is_in_files(code)).collect();
    assert!(unseen.is_empty(), "told by no golden text: {unseen:?}");
}

/// The bundle that `proffer policy init` writes, with one form of an example in it.
fn begun(example: &Example, form: &str) -> Vec<Source> {
    let mut files = files("src/commands/starter");
    let Example { path, right, .. } = *example;
    if path == "." {
        let kept: Files = right.lines().map(|name| (name.to_owned(), files.remove(name).unwrap())).collect();
        let text = |path: &str| kept.get(path).or(kept.values().next()).unwrap().clone();
        let named: Vec<Source> = form.lines().map(|path| Source { path: path.to_owned(), text: text(path) }).collect();
        return [named, sources(&files)].concat();
    }
    let parts = |form: &str| {
        let mut parts = vec![(path.to_owned(), String::new())];
        for line in form.split_inclusive('\n') {
            match line.strip_prefix("# ").filter(|name| is_of(name.trim_end(), "yaml")) {
                Some(name) => parts.push((name.trim_end().to_owned(), String::new())),
                None => parts.last_mut().unwrap().1.push_str(line),
            }
        }
        parts
    };
    let own = parts(right)[0].1.trim_end().to_owned();
    for (at, (path, lines)) in parts(form).into_iter().enumerate() {
        let text = files.entry(path).or_default();
        if at == 0 && text.contains(&own) {
            *text = text.replacen(&own, lines.trim_end(), 1);
        } else {
            text.push_str(&lines);
            text.push('\n');
        }
    }
    sources(&files)
}

/// Every code that is told of a bundle, with what is said.
fn told(files: &[Source]) -> (BTreeSet<&'static str>, String) {
    let findings = match compile_with_tests(files) {
        Err(findings) => findings,
        Ok((bundle, tests)) => {
            let bundle = Arc::new(bundle);
            let trial = try_all(&bundle, &tests);
            let gaps: Vec<_> = trial.gaps().map(|(cover, gap)| (cover.rule.clone(), gap)).collect();
            lint(&bundle, &tests, &gaps, now()).findings
        }
    };
    let said = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    (findings.iter().map(|finding| finding.code).collect(), said)
}

#[test]
fn every_code_has_an_example_that_it_tells_and_whose_right_form_it_does_not() {
    let mut wrong = Vec::new();
    for (code, meaning) in codes::CODES.iter().chain(LINTS) {
        // What mends it is no line of a file: each says the command.
        if code.starts_with("P05") {
            continue;
        }
        let Some(example) = example(code) else {
            wrong.push(format!("{code} has no example: {meaning}"));
            continue;
        };
        assert_eq!(example.code, *code);
        if is_in_files(code) {
            let (codes, said) = told(&begun(&example, example.wrong));
            if !codes.contains(code) {
                wrong.push(format!("{code}: the wrong form is told by {codes:?}\n{said}"));
            }
        }
        let (codes, said) = told(&begun(&example, example.right));
        if codes.iter().any(|told| told == code || told.starts_with('P')) {
            wrong.push(format!("{code}: the right form is told by {codes:?}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
