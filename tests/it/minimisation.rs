//! Minimisation: rules and features are handed what was minimised and nothing else. Reads the source as text; that
//! nobody else makes a [`Seen`](proffer::policy::Seen) with something in it is left to the compiler.

use crate::harness::source::{code_only, line_of, occurrences, package, reached, without_tests};

/// Who may touch the attributes of a request, and what for. Whoever is not listed takes a `Seen`.
const MAY: [(&str, &str); 4] = [
    ("src/decision/check.rs", "refuses what is not declared"),
    ("src/decision/known.rs", "completes the request with what is kept"),
    ("src/decision/personas.rs", "lays a persona's over the account's"),
    ("src/policy/minimise.rs", "keeps what may be seen"),
];

/// How a request's attributes are named in code.
const RAW: [&str; 3] = ["customer.attributes", "request.context", "persona.attributes"];

/// Who may see what only guards of audiences see.
const GUARDED: [&str; 5] = [
    "src/policy/kinds/guards.rs",
    "src/policy/minimise.rs",
    "src/policy/declared/observed.rs",
    "src/decision/decide.rs",
    "src/decision/trial/told.rs",
];

/// The floors on which rules are asked and features made.
const FLOORS: [&str; 3] = ["src/policy/", "src/decision/", "src/bandit/"];

#[test]
fn nobody_but_minimisation_hands_rules_and_features_what_a_request_says() {
    let read = |path: &str| std::fs::read_to_string(package().join(path)).ok();
    let (mut found, mut raw) = (Vec::new(), 0);
    for (path, only_tests) in reached("src/lib.rs", &read) {
        if only_tests || !FLOORS.iter().any(|floor| path.starts_with(floor)) {
            continue;
        }
        let code = without_tests(&code_only(&read(&path).unwrap()));
        for words in RAW {
            for at in occurrences(&code, words) {
                raw += 1;
                if !MAY.iter().any(|(allowed, _)| *allowed == path) {
                    found.push(format!("{path}:{}: `{words}`: take a `Seen`", line_of(&code, at)));
                }
            }
        }
        for words in ["guarded", "for_guards"] {
            let calls = occurrences(&code, words).into_iter().filter(|at| code[..*at].ends_with('.'));
            if !GUARDED.contains(&path.as_str()) {
                found.extend(calls.map(|at| format!("{path}:{}: `{words}` is for guards", line_of(&code, at))));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(raw >= MAY.len(), "the words no longer find what they are to find");
}
