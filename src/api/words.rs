//! What a JSON reader says of a mistake, in words of those who call. Finds no mistake itself.

use crate::policy::did_you_mean;

/// A sentence about what was expected, what was found and what may have been meant.
pub fn reworded(sentence: &str) -> String {
    if let Some(rest) = sentence.strip_prefix("invalid type: ").or_else(|| sentence.strip_prefix("invalid value: "))
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        return format!("expected {}, found {}", wanted(expected), seen(found));
    }
    if let Some(name) = sentence.strip_prefix("missing field ") {
        return format!("the field {name} is missing");
    }
    if let Some(name) = sentence.strip_prefix("duplicate field ") {
        return format!("the field {name} appears twice");
    }
    if let Some(rest) = sentence.strip_prefix("unknown variant ") {
        return format!("unknown value {}", suggested(rest));
    }
    match sentence.strip_prefix("unknown field ") {
        Some(rest) => format!("unknown field {}", suggested(rest)),
        None => sentence.to_owned(),
    }
}

/// `` `a`, expected one of `b`, `c` `` with the name that was probably meant.
fn suggested(rest: &str) -> String {
    let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    match names.split_first() {
        Some((word, known)) => format!("{rest}{}", did_you_mean(word, known.iter().copied())),
        None => rest.to_owned(),
    }
}

fn wanted(expected: &str) -> &str {
    match expected {
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        other => other,
    }
}

fn seen(found: &str) -> String {
    for (kind, word) in [("string ", "the text "), ("integer ", "the number "), ("floating point ", "the number ")] {
        if let Some(value) = found.strip_prefix(kind) {
            return format!("{word}{value}");
        }
    }
    match found {
        "null" => "null",
        "sequence" => "a list",
        "map" => "an object",
        other => other.strip_prefix("boolean ").unwrap_or(other),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::reworded;

    #[test]
    fn mistakes_are_told_in_the_words_of_callers() {
        for (said, told) in [
            (
                "invalid type: string \"one\", expected u16",
                "expected a whole number from 0 to 65535, found the text \"one\"",
            ),
            ("invalid type: null, expected a string", "expected text, found null"),
            ("invalid type: boolean `true`, expected a sequence", "expected a list, found `true`"),
            ("missing field `type`", "the field `type` is missing"),
            ("duplicate field `type`", "the field `type` appears twice"),
            (
                "unknown field `plcement`, expected one of `placement`, `count`",
                "unknown field `plcement`, expected one of `placement`, `count`; did you mean `placement`?",
            ),
            ("unknown variant `yes`, expected `granted`", "unknown value `yes`, expected `granted`"),
            ("`x` is not a currency", "`x` is not a currency"),
        ] {
            assert_eq!(reworded(said), told);
        }
    }
}
