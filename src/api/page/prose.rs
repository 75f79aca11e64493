//! Text as HTML: escaped, with the little Markdown that descriptions use. Knows no document.

use serde_json::Value;

/// Text that can stand anywhere in a page, in an attribute too.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Paragraphs, with `code` and **strong**.
pub fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", inline(paragraph))).collect::<Vec<_>>().concat()
}

/// The same within a line.
pub fn inline(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(at, piece)| if at % 2 == 1 { format!("<code>{}</code>", escape(piece)) } else { strong(piece) })
        .collect()
}

fn strong(text: &str) -> String {
    let pieces = text.split("**").enumerate();
    pieces
        .map(|(at, piece)| if at % 2 == 1 { format!("<strong>{}</strong>", escape(piece)) } else { escape(piece) })
        .collect()
}

/// A block that can be copied as it stands.
pub fn code(text: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escape(text))
}

/// The longest line of JSON that is not broken up.
const COLUMNS_MAX: usize = 88;

/// JSON in as few lines as are easy to read.
pub fn json(value: &Value, indent: usize) -> String {
    let inline = one_line(value);
    if inline.len() + indent <= COLUMNS_MAX {
        return inline;
    }
    let (open, close, items): (char, char, Vec<String>) = match value {
        Value::Array(items) => ('[', ']', items.iter().map(|item| json(item, indent + 2)).collect()),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), json(value, indent + 2))
            };
            ('{', '}', fields.iter().map(field).collect())
        }
        _ => return inline,
    };
    let pad = " ".repeat(indent);
    let items: Vec<String> = items.iter().map(|item| format!("{pad}  {item}")).collect();
    format!("{open}\n{}\n{pad}{close}", items.join(",\n"))
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| format!("{}: {}", Value::from(name.as_str()), one_line(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_markup_but_code_and_strong() {
        assert_eq!(inline("a `<b>` & **c \"d\"**"), "a <code>&lt;b&gt;</code> &amp; <strong>c &quot;d&quot;</strong>");
        assert_eq!(paragraphs("one\ntwo\n\n<script>"), "<p>one\ntwo</p>\n<p>&lt;script&gt;</p>\n");
        assert_eq!(code("'x' > 1"), "<pre><code>&#39;x&#39; &gt; 1</code></pre>\n");
    }

    #[test]
    fn json_is_broken_where_it_is_too_long_and_reads_back_the_same() {
        let short = serde_json::json!({"a": [1, null], "b \"": "c"});
        assert_eq!(json(&short, 0), r#"{"a": [1, null], "b \"": "c"}"#);
        let long = serde_json::json!({"list": ["x".repeat(50), "y".repeat(50)], "short": short});
        let printed = json(&long, 0);
        assert_eq!(printed.lines().count(), 7, "{printed}");
        assert!(printed.lines().all(|line| line.len() <= COLUMNS_MAX), "{printed}");
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), long);
    }
}
