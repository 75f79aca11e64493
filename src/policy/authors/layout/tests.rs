//! Tests of the layout: that it changes no value and no comment, and that a file once laid out stays so. Tests no rule.

use proptest::prelude::*;

use super::{NotLaidOut, lay_out};
use crate::policy::sample::{STARTER, files};
use crate::policy::{Source, compile};

fn laid(path: &str, text: &str) -> Result<String, NotLaidOut> {
    lay_out(&Source { path: path.into(), text: text.into() })
}

/// Every file of a bundle of the project.
fn all() -> Vec<Source> {
    let more = [
        ("placements.yaml", include_str!("../../../../policies/placements.yaml")),
        ("tests/40-offers.test.yaml", include_str!("../../../../policies/tests/40-offers.test.yaml")),
    ];
    let more = STARTER.into_iter().chain(more).map(|(path, text)| Source { path: path.into(), text: text.into() });
    files().into_iter().chain(more).collect()
}

#[test]
fn the_files_here_stand_in_the_layout_and_stay_so() {
    for file in all() {
        let laid = lay_out(&file).unwrap_or_else(|error| panic!("{}: {error:?}", file.path));
        assert_eq!(laid, file.text, "{}", file.path);
    }
}

#[test]
fn a_file_is_laid_out_with_its_comments_and_its_values() {
    let text = "owner:   sales  # who\n\n\n\nexclusions:\n# First.\n- on_missing:   allow\n  # The condition.\n\
                \x20 when: >\n        a ==\n        b\n\n  why:    'because it is'   # said\n  id: one\n\n\n\
                -   {id: two,why: \"x, y\" ,  when: x == 1}\n\
                # Caps.\nfrequency_caps:\n    -   id:  cap\n        scope: [ customer,\n                 offer ]\n\
                \x20       window:\n            rolling: 24h\n        why: |-\n          two\n            lines\n\
                # The end.\n\n";
    insta::assert_snapshot!(laid("rules/a.yaml", text).unwrap(), @r#"
    owner: sales # who

    exclusions:
      # First.
      - id: one
        why: 'because it is' # said
        # The condition.
        when: >
          a ==
          b
        on_missing: allow

      - {id: two, why: "x, y", when: x == 1}
    # Caps.
    frequency_caps:
      - id: cap
        why: |-
          two
            lines
        scope: [customer, offer]
        window:
          rolling: 24h
    # The end.
    "#);
}

#[test]
fn what_has_mistakes_or_no_layout_is_left_alone() {
    assert!(matches!(laid("rules/a.yaml", "a: [b"), Err(NotLaidOut::Wrong(found)) if found.len() == 1));
    assert!(matches!(laid("rules/a.yaml", "a: &x b"), Err(NotLaidOut::Wrong(_))));
    for beyond in ["a: [b, # c\n  d]\n", "? a\n: b\n", "a: |2\n    b\n", "a:\n  - - b\n"] {
        assert_eq!(laid("rules/a.yaml", beyond), Err(NotLaidOut::Beyond), "{beyond}");
    }
    assert_eq!(laid("rules/a.yaml", "").as_deref(), Ok(""));
    assert_eq!(laid("rules/a.yaml", "# Nothing yet.\n").as_deref(), Ok("# Nothing yet.\n"));
}

#[test]
fn the_sample_bundle_says_the_same_after_its_layout_is_spoilt_and_mended() {
    let spoil = |line: &str| {
        if line.trim_start().starts_with('#') {
            return line.to_owned();
        }
        let deep = line.strip_prefix("    ").map(|line| format!("   {line}"));
        let dashed = line.strip_prefix("  - ").map(|line| format!("-  {line}"));
        deep.or(dashed).unwrap_or_else(|| line.to_owned()).replace(": ", ":   ").replace('{', "{ ")
    };
    let spoilt: Vec<Source> = files()
        .into_iter()
        .map(|file| Source { text: file.text.lines().map(|line| spoil(line) + "\n").collect(), ..file })
        .collect();
    let mended: Vec<Source> =
        spoilt.iter().map(|file| Source { text: lay_out(file).unwrap(), path: file.path.clone() }).collect();
    assert_eq!(compile(&mended).unwrap().hash, compile(&files()).unwrap().hash);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_laid_out_says_the_same_and_stays_as_it_is(
        which in 0_usize..22, at in 0_usize..4000, cut in 0_usize..4,
        put in prop::sample::select(vec![
            "", " ", "  ", "\n", "\n\n", "#", " # note\n", "- ", ": ", "[", "]", "{", "}", "'", "\"", "|\n", ">-\n",
            ",", "a", "\n  # in\n",
            "\n      deep: 1\n", "~",
        ]),
    ) {
        let files = all();
        let file = &files[which % files.len()];
        let mut letters: Vec<char> = file.text.chars().collect();
        let at = at % letters.len();
        letters.splice(at..(at + cut).min(letters.len()), put.chars());
        let spoilt = Source { path: file.path.clone(), text: letters.into_iter().collect() };
        // That values and comments are the same is checked on the way out; here, that it was the layout.
        if let Ok(once) = lay_out(&spoilt) {
            let again = lay_out(&Source { path: file.path.clone(), text: once.clone() });
            prop_assert_eq!(again.as_deref(), Ok(once.as_str()), "{}", spoilt.text);
            prop_assert!(once.lines().all(|line| !line.ends_with(' ')) || once.contains("  "), "{}", once);
        }
    }
}
