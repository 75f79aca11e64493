//! Suggestions for misspelt names. Corrects nothing: the author decides.

/// Words longer than this are not compared: nobody misspells them by a letter.
const WORD_CHARS_MAX: usize = 64;

/// `; did you mean ...?` for the nearest known name, or nothing if none is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The known name with the fewest slips between it and the word, if those are few for its length.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(WORD_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
    if word.len() > WORD_CHARS_MAX {
        return None;
    }
    known
        .into_iter()
        .filter_map(|name| {
            let letters: Vec<char> = name.chars().take(WORD_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
            let slips = slips(&word, &letters);
            let few = match letters.len() {
                0..=3 => 1,
                4..=7 => 2,
                _ => 3,
            };
            (slips <= few && slips < letters.len()).then_some((slips, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// Letters inserted, left out, replaced or swapped with their neighbour between two words.
fn slips(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_the_name_and_another_word_does_not() {
        let known = ["customer.tier", "customer.region", "web", "min_margin"];
        for (word, expected) in [
            ("customer.teir", Some("customer.tier")),
            ("Customer.Tier", Some("customer.tier")),
            ("minmargin", Some("min_margin")),
            ("wbe", Some("web")),
            ("email", None),
            ("customer.income", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
