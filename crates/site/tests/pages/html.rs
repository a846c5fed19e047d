//! What a test sees of a page: its text, its elements, whether they nest.

/// Elements without an end.
const VOID: [&str; 8] = ["meta", "link", "br", "hr", "input", "img", "path", "rect"];
/// Elements whose end may be left out.
const OPTIONAL: [&str; 9] = ["li", "dt", "dd", "p", "tr", "td", "th", "thead", "option"];

/// One element as it begins: name and attributes.
pub(crate) struct Element<'a> {
    pub(crate) name: &'a str,
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Element<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}

/// All elements of a page, in order. Panics where elements do not nest, or an attribute cannot be read.
pub(crate) fn elements(html: &str) -> Vec<Element<'_>> {
    let mut all = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if rest.starts_with('!') {
            continue;
        }
        if let Some(end) = rest.strip_prefix('/') {
            let name = end.split('>').next().unwrap();
            while let Some(last) = open.pop() {
                if last == name {
                    break;
                }
                assert!(OPTIONAL.contains(&last), "</{name}> ends <{last}>");
            }
            continue;
        }
        let (element, after, closed) = begin(rest);
        if !closed && !VOID.contains(&element.name) && element.name != "use" {
            open.push(element.name);
        }
        all.push(element);
        rest = after;
    }
    assert!(open.iter().all(|name| OPTIONAL.contains(name)), "left open: {open:?}");
    all
}

fn begin(text: &str) -> (Element<'_>, &str, bool) {
    let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap();
    let mut element = Element { name: &text[..end], attributes: Vec::new() };
    assert!(element.name.bytes().all(|b| b.is_ascii_alphanumeric()), "<{}", &text[..end.min(40)]);
    let mut rest = &text[end..];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return (element, after, true);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (element, after, false);
        }
        let stop = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap();
        assert!(stop > 0, "attribute of <{}>: {}", element.name, &rest[..rest.len().min(60)]);
        let name = &rest[..stop];
        rest = &rest[stop..];
        let Some(value) = rest.strip_prefix('=') else {
            element.attributes.push((name, ""));
            continue;
        };
        if let Some(quoted) = value.strip_prefix('"') {
            let end = quoted.find('"').unwrap();
            element.attributes.push((name, &quoted[..end]));
            rest = &quoted[end + 1..];
        } else {
            let end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap();
            assert!(!value[..end].contains(['"', '\'', '`', '<', '=']), "{name}={}", &value[..end]);
            element.attributes.push((name, &value[..end]));
            rest = &value[end..];
        }
    }
}

/// What people read between heading and footer: one line for each block, without what only eyes or machines use.
pub(crate) fn text(html: &str) -> String {
    let mut main = html[html.find("<main").unwrap()..html.find("</main>").unwrap()].to_owned();
    // The file has tests of its own.
    if let Some((from, to)) = main.find("<pre class=yaml").zip(main.find("</pre>")) {
        main.replace_range(from..to, "<pre>(the file)");
    }
    let mut text = String::new();
    let mut rest = main.as_str();
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let end = rest[at..].find('>').unwrap() + at;
        let name = rest[at + 1..end].trim_start_matches('/').split([' ', '>']).next().unwrap();
        let block = [
            "div", "p", "li", "dt", "dd", "h1", "h2", "h3", "section", "tr", "summary", "ul", "ol", "dl", "caption",
            "option", "form", "text",
        ];
        text.push_str(if block.contains(&name) {
            "\n"
        } else if ["td", "th"].contains(&name) {
            " | "
        } else {
            ""
        });
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    let lines =
        text.lines().map(|line| line.trim().trim_start_matches("| ").to_owned()).filter(|line| !line.is_empty());
    lines.filter(|line| !moves(line)).collect::<Vec<_>>().join("\n")
}

/// Lines that tell how much time has passed since the page's own moments: the test itself takes some.
fn moves(line: &str) -> bool {
    let bar = line.rsplit_once(' ').is_some_and(|(_, last)| last.len() == 8 && last.matches(':').count() == 2);
    bar && !line.contains('·') || line.contains("so far") || line.contains("As it was at")
}
