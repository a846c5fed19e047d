//! Markdown that people write about projects and organisations, as HTML by an allow-list.
//! Spec site.md 3: no raw HTML, no images, links `rel="nofollow noopener"`.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::html::{Html, push_text};

/// The most bytes of Markdown that are shown.
const LONGEST: usize = 64 * 1024;
/// The deepest nesting of elements; what is deeper is shown as text without its own elements.
const DEEPEST: usize = 16;

/// Shows Markdown: paragraphs, headings (one rank lower, for a page has its own), lists, quotes, code, emphasis, links
/// to `https:` and `http:` addresses and to paths of this site. All else is shown as text.
pub fn shown(text: &str) -> Html {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut html = String::new();
    let mut open: Vec<&'static str> = Vec::new();
    for event in Parser::new_ext(&text[..end], Options::empty()) {
        match event {
            Event::Start(tag) => open.push(if open.len() < DEEPEST { start(&mut html, &tag) } else { "" }),
            Event::End(end) => {
                let _expected: TagEnd = end;
                html.push_str(open.pop().unwrap_or_default());
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => push_text(&mut html, &text),
            Event::Code(text) => {
                html.push_str("<code>");
                push_text(&mut html, &text);
                html.push_str("</code>");
            }
            Event::SoftBreak => html.push('\n'),
            Event::HardBreak => html.push_str("<br>"),
            Event::Rule => html.push_str("<hr>"),
            _ => {}
        }
    }
    Html::trusted(html)
}

/// Opens an element that is allowed; gives what closes it.
fn start(html: &mut String, tag: &Tag<'_>) -> &'static str {
    let (open, close) = match tag {
        Tag::Paragraph => ("<p>", "</p>"),
        Tag::Heading { .. } => ("<h3>", "</h3>"),
        Tag::BlockQuote(_) => ("<blockquote>", "</blockquote>"),
        Tag::CodeBlock(_) => ("<pre>", "</pre>"),
        Tag::List(None) => ("<ul>", "</ul>"),
        Tag::List(Some(_)) => ("<ol>", "</ol>"),
        Tag::Item => ("<li>", "</li>"),
        Tag::Emphasis => ("<em>", "</em>"),
        Tag::Strong => ("<strong>", "</strong>"),
        Tag::Link { dest_url, .. } if is_allowed(dest_url) => {
            html.push_str("<a rel=\"nofollow noopener\" href=\"");
            push_text(html, dest_url);
            ("\">", "</a>")
        }
        _ => ("", ""),
    };
    html.push_str(open);
    close
}

/// Addresses on the web, and paths of this site.
fn is_allowed(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let plain = !address.chars().any(|c| c.is_control() || c == '\\');
    plain
        && (lower.starts_with("https://")
            || lower.starts_with("http://")
            || (lower.starts_with('/') && !lower.starts_with("//")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_allowed_is_shown_and_the_rest_is_text() {
        for (text, html) in [
            ("A *b* **c** `d<`", "<p>A <em>b</em> <strong>c</strong> <code>d&lt;</code></p>"),
            ("# H\n\n- a\n- b", "<h3>H</h3><ul><li>a</li><li>b</li></ul>"),
            ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
            ("[a](javascript:alert(1))", "<p>a</p>"),
            ("[a](//evil.example)", "<p>a</p>"),
            ("![a](https://x.example/i.png)", "<p>a</p>"),
            ("[a](/p/\"x)", "<p><a rel=\"nofollow noopener\" href=\"/p/&quot;x\">a</a></p>"),
        ] {
            assert_eq!(shown(text).as_str(), html, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_element_comes_from_the_text(text in "[<>a-z/\"'()\\[\\]!*_#\\-`\n &;:=]{0,80}") {
            let html = shown(&text).into_string();
            for tag in html.split('<').skip(1) {
                let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
                prop_assert!(["p", "h3", "blockquote", "pre", "ul", "ol", "li", "em", "strong", "a", "code", "br", "hr"].contains(&name), "{html}");
            }
            prop_assert!(!html.contains("href=\"javascript"));
        }
    }
}
