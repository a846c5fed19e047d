//! Text that goes into a page, and text that already is a piece of one.
//! The only place that escapes: a string becomes HTML here or not at all.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Safe};

/// A finished piece of HTML. Only rooms that draw pages make one, from templates or with [`push_text`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Takes what a template wrote. The caller says that every text in it went through the escaper.
    pub fn trusted(html: impl Into<String>) -> Self {
        Self(html.into())
    }

    /// A piece that shows exactly this text.
    pub fn text(text: &str) -> Self {
        let mut html = String::with_capacity(text.len());
        push_text(&mut html, text);
        Self(html)
    }

    /// Writes a template. A template that fails, which happens only when memory for formatting ends or a value refuses
    /// to be shown, leaves what was written so far.
    pub fn of(template: &impl askama::Template) -> Self {
        let mut html = String::with_capacity(512);
        let _cut = template.render_into(&mut html);
        Self(html)
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The HTML, owned.
    pub fn into_string(self) -> String {
        self.0
    }

    /// For templates: `{{ piece.raw() }}`. A piece cannot be shown in another way, and no string has this, so that neither
    /// is taken for the other: `{{ piece }}` does not compile.
    pub fn raw(&self) -> Safe<&str> {
        Safe(&self.0)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a piece behind this one.
    pub fn push(&mut self, more: &Html) {
        self.0.push_str(&more.0);
    }
}

/// The escaper of all templates (`askama.toml`): HTML's own characters become references, and characters that hide, or
/// turn the direction of text, become a visible sign (site.md 15 and 19).
#[derive(Debug, Clone, Copy, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        write_text(&mut dest, text)
    }
}

/// Appends a text as HTML, for content and for quoted attribute values alike.
pub fn push_text(html: &mut String, text: &str) {
    // A `String` never refuses.
    let _always_ok = write_text(html, text);
}

/// Appends a text as content between elements, where quotes stand for themselves. Never for an attribute.
pub(crate) fn push_content(html: &mut String, text: &str) {
    for piece in text.split_inclusive(['"', '\'']) {
        match piece.strip_suffix(['"', '\'']) {
            Some(before) => {
                push_text(html, before);
                html.push_str(&piece[before.len()..]);
            }
            None => push_text(html, piece),
        }
    }
}

fn write_text(dest: &mut impl Write, text: &str) -> fmt::Result {
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        // The first byte of every character that is not written as it is; most texts have none.
        if !matches!(byte, 0..0x20 | b'"' | b'&' | b'\'' | b'<' | b'>' | 0x7f | 0xc2 | 0xd8 | 0xe2 | 0xef | 0xf3) {
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let Some(sign) = sign(c) else { continue };
        dest.write_str(&text[done..at])?;
        sign.write(dest)?;
        done = at + c.len_utf8();
    }
    dest.write_str(&text[done..])
}

/// What is written for a character that cannot stand for itself.
enum Sign {
    Reference(&'static str),
    /// A picture of a control character, such as ␀.
    Picture(char),
    /// The number of the character in angle brackets, for what has no picture.
    Number(char),
}

impl Sign {
    fn write(&self, dest: &mut impl Write) -> fmt::Result {
        match self {
            Self::Reference(name) => dest.write_str(name),
            Self::Picture(c) => dest.write_char(*c),
            Self::Number(c) => write!(dest, "⟨U+{:04X}⟩", u32::from(*c)),
        }
    }
}

fn sign(c: char) -> Option<Sign> {
    Some(match c {
        '&' => Sign::Reference("&amp;"),
        '<' => Sign::Reference("&lt;"),
        '>' => Sign::Reference("&gt;"),
        '"' => Sign::Reference("&quot;"),
        '\'' => Sign::Reference("&#39;"),
        '\t' | '\n' => return None,
        '\0'..='\u{1f}' => Sign::Picture(char::from_u32(0x2400 + u32::from(c))?),
        '\u{7f}' => Sign::Picture('\u{2421}'),
        c if hides(c) => Sign::Number(c),
        _ => return None,
    })
}

/// Characters that show nothing, or change how their neighbours are shown: C1 controls, soft hyphen, marks and
/// overrides of direction, zero-width characters, separators of lines, the byte order mark, tags. The joiner of emoji
/// (U+200D) and variation selectors stay: names with emoji are to look as they are.
fn hides(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_shown_and_never_acts() {
        assert_eq!(Html::text("a <b> & \"c\" 'd'").as_str(), "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
        assert_eq!(Html::text("line\n\tnext").as_str(), "line\n\tnext");
        assert_eq!(Html::text("nul\0 bell\u{7} del\u{7f} cr\r").as_str(), "nul␀ bell␇ del␡ cr␍");
    }

    #[test]
    fn what_hides_is_named() {
        assert_eq!(Html::text("a\u{202e}txt.exe").as_str(), "a⟨U+202E⟩txt.exe");
        assert_eq!(Html::text("\u{feff}x\u{200b}y\u{85}").as_str(), "⟨U+FEFF⟩x⟨U+200B⟩y⟨U+0085⟩");
        assert_eq!(Html::text("é ü £ ع 日本 👩‍🔬 …").as_str(), "é ü £ ع 日本 👩‍🔬 …");
    }

    #[derive(askama::Template)]
    #[template(source = "<p title=\"{{ text }}\">{{ text }}</p>{{ html.raw() }}", ext = "html")]
    struct Both<'a> {
        text: &'a str,
        html: Html,
    }

    #[test]
    fn templates_use_this_escaper_and_take_pieces_as_they_are() {
        let page = Html::of(&Both { text: "\"\u{202e}<i>", html: Html::text("<") });
        assert_eq!(page.as_str(), "<p title=\"&quot;⟨U+202E⟩&lt;i&gt;\">&quot;⟨U+202E⟩&lt;i&gt;</p>&lt;");
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in any::<String>()) {
            let html = Html::text(&text);
            let acts = ['<', '>', '"', '\'', '\0', '\u{202e}', '\u{85}', '\u{7f}'];
            prop_assert!(!html.as_str().contains(acts));
            // Letter by letter gives the same as the fast way over the whole text.
            let slowly: String = text.chars().map(|c| Html::text(&c.to_string()).into_string()).collect();
            prop_assert_eq!(html.as_str(), slowly);
        }
    }
}
