//! Text as HTML: escaped, with the little Markdown that descriptions use. Knows no document.

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
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", inline(paragraph))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_markup_but_code_and_strong() {
        assert_eq!(inline("a `<b>` & **c \"d\"**"), "a <code>&lt;b&gt;</code> &amp; <strong>c &quot;d&quot;</strong>");
        assert_eq!(paragraphs("one\ntwo\n\n<script>"), "<p>one\ntwo</p>\n<p>&lt;script&gt;</p>\n");
        assert_eq!(code("'x' > 1"), "<pre><code>&#39;x&#39; &gt; 1</code></pre>\n");
    }
}
