//! Code inside documents: the chunks of R Markdown and Quarto, the cells of notebooks.
//! Spec jobs.md 17.

use super::{Reference, Start, python, rlang};

/// The references of every chunk, and the documents it takes in as children.
pub(super) fn in_markdown(text: &str) -> Vec<Reference> {
    let mut references = Vec::new();
    // The fence that ends the chunk, whether it is Python, and its code.
    let mut chunk: Option<(String, bool, String)> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        match &mut chunk {
            Some((fence, is_python, code)) => {
                if trimmed != fence.as_str() {
                    code.push_str(line);
                    code.push('\n');
                    continue;
                }
                if *is_python {
                    references.extend(python::references(code));
                } else {
                    references.extend(rlang::references(code, Start::BesideThenRoot));
                }
                chunk = None;
            }
            None => {
                let ticks = trimmed.len() - trimmed.trim_start_matches('`').len();
                let Some(header) = trimmed[ticks..].strip_prefix('{').filter(|_| ticks >= 3) else { continue };
                let language = header.split([' ', ',', '}']).next().unwrap_or("");
                if matches!(language, "r" | "R" | "python") {
                    references.extend(children(header));
                    chunk = Some(("`".repeat(ticks), language == "python", String::new()));
                }
            }
        }
    }
    references
}

/// `child = "part.Rmd"`, or several of them in `c(…)`, in the header of a chunk.
fn children(header: &str) -> Vec<Reference> {
    use super::lex::Token;
    let tokens = super::lex::r(header);
    let start = tokens.windows(2).position(|w| w[0] == Token::Word("child".into()) && w[1] == Token::Mark('='));
    let Some(start) = start else { return Vec::new() };
    let rest = match &tokens[start + 2..] {
        [Token::Word(c), Token::Mark('('), rest @ ..] if c == "c" => rest,
        rest => &rest[..rest.len().min(1)],
    };
    let within = rest.iter().take_while(|token| **token != Token::Mark(')'));
    let texts = within.filter_map(|token| if let Token::Text(text) = token { Some(text) } else { None });
    texts.map(|path| Reference::File { path: path.clone(), from: Start::BesideThenRoot }).collect()
}

/// The references of every code cell.
pub(super) fn in_json(text: &str) -> Vec<Reference> {
    let Ok(document) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let metadata = &document["metadata"];
    let named = [&metadata["language_info"]["name"], &metadata["kernelspec"]["language"]];
    let is_r = named.iter().any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case("r")));
    let mut references = Vec::new();
    for cell in document["cells"].as_array().into_iter().flatten() {
        if cell["cell_type"] != "code" {
            continue;
        }
        let source = match &cell["source"] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(lines) => lines.iter().filter_map(|line| line.as_str()).collect(),
            _ => continue,
        };
        if is_r {
            references.extend(rlang::references(&source, Start::BesideThenRoot));
            continue;
        }
        let mut code = String::new();
        for line in source.lines() {
            match line.trim_start().strip_prefix('%') {
                Some(magic) => references.extend(run_magic(magic)),
                None if line.trim_start().starts_with('!') => {}
                None => code += line,
            }
            code.push('\n');
        }
        references.extend(python::references(&code));
    }
    references
}

/// `run script.py`, the ending may be left out.
fn run_magic(magic: &str) -> Option<Reference> {
    let mut words = magic.split_whitespace();
    if words.next() != Some("run") {
        return None;
    }
    let path = words.find(|word| !word.starts_with('-'))?.trim_matches(['"', '\'']);
    let has_ending = path.ends_with(".py") || path.ends_with(".ipynb");
    let path = if has_ending { path.to_owned() } else { format!("{path}.py") };
    Some(Reference::File { path, from: Start::BesideThenRoot })
}
