//! A graph in words that a person can follow: one line per node, then what is delivered.
//! Made from the serialised form, so that nothing in it can be left out here.

use std::fmt;

use serde_json::Value;

use super::ungroup;
use crate::graph::{Graph, Named, Op};

impl fmt::Display for Graph {
    /// `n3 = filter frame=n0 condition=n2`, with `# file:line` where the study says it; then the variables by name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, kind) in &self.parameters {
            writeln!(f, "parameter {name}: {kind}")?;
        }
        for (node, op) in self.nodes() {
            write!(f, "n{} = {}", node.0, self.line(op))?;
            match self.source(node) {
                Some(source) => writeln!(f, "  # {source}")?,
                None => writeln!(f)?,
            }
        }
        for variable in &self.dataset.variables {
            let hidden = if variable.hidden { " (hidden)" } else { "" };
            writeln!(f, "{} = n{}{hidden}", variable.name, variable.series.0.0)?;
        }
        writeln!(f, "population = n{}", self.dataset.population.0.0)?;
        let list =
            |named: &[Named]| named.iter().map(|one| format!("{}:n{}", one.name, one.series.0.0)).collect::<Vec<_>>();
        for sum in &self.grouped_sums {
            let (of, by) = (list(&sum.numerators).join(" "), list(&sum.group_by).join(" "));
            writeln!(f, "{} = grouped_sum of=[{of}] by=[{by}] denominator=n{}", sum.name, sum.denominator.0.0)?;
        }
        for counts in &self.event_counts {
            let distinct: Vec<String> = counts.distinct.iter().map(|key| format!("n{}", key.0.0)).collect();
            let (frame, by, patients) = (counts.frame.0.0, list(&counts.group_by).join(" "), counts.patients.0.0);
            let distinct = distinct.join(" ");
            writeln!(
                f,
                "{} = event_counts frame=n{frame} distinct=[{distinct}] by=[{by}] patients=n{patients}",
                counts.name
            )?;
        }
        Ok(())
    }
}

impl Graph {
    fn line(&self, op: &Op) -> String {
        if let Op::Codelist { codelist } = op {
            let list = self.codelists.get(codelist);
            let words =
                list.map_or_else(String::new, |list| format!(" of {}, {} codes", list.system, list.items.len()));
            return format!("codelist {}{words}", codelist.get(..12).unwrap_or(codelist));
        }
        let form = ungroup(serde_json::to_value(op).unwrap_or_default());
        let object = form.as_object();
        let mut line = object.and_then(|o| o.get("op")).and_then(Value::as_str).unwrap_or_default().to_owned();
        for (key, value) in object.into_iter().flatten().filter(|(key, _)| *key != "op") {
            // the usual case goes without saying
            let plain = key == "collation" && value == "exact";
            let empty = key == "ties" && value.as_array().is_some_and(Vec::is_empty);
            if !plain && !empty {
                line.push_str(&format!(" {key}={}", word(key, value)));
            }
        }
        line
    }
}

/// A number stands for a node, unless it counts something.
fn word(key: &str, value: &Value) -> String {
    match value {
        Value::Number(number) if !matches!(key, "days" | "digits") => format!("n{number}"),
        Value::String(text) if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c)) => {
            text.clone()
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| word(key, item)).collect();
            format!("[{}]", items.join(" "))
        }
        // a typed value, a condition with its value, a pair of columns
        Value::Object(parts) => {
            let parts: Vec<String> = parts.iter().map(|(key, value)| format!("{key}:{}", word(key, value))).collect();
            parts.join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    #[test]
    fn a_graph_in_words() {
        let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
        let index = b.parameter("index_date", Type::Date);
        b.at(Some("analysis/study_definition.py:7".into()));
        let events = b.table("CodedEvent");
        let (code, date) = (b.column(events, "CTV3Code"), b.column(events, "ConsultationDate"));
        let list = b.codelist("ctv3", ["a", "b"]);
        let listed = b.is_in(code, list, Collation::Ci);
        let events = b.filter(events, listed);
        let day = b.day(date);
        let before = b.lt(day, index);
        let events = b.filter(events, before);
        b.at(None);
        let day = b.column(events, "ConsultationDate");
        let day = b.day(day);
        let episodes = b.count_episodes(day, 14);
        let many = b.value(5);
        let over = b.gt(episodes, many);
        let kind = b.str("more than \"five\"");
        let kind = b.case([(over, kind)], None);
        b.variable("kind", kind, false);
        b.variable("episodes", episodes, true);
        let all = b.value(true);
        let words = b.finish(all).to_string();
        // sha256 of {"items":["a","b"],"system":"ctv3"}
        let expected = r#"parameter index_date: date
n0 = parameter name=index_date
n1 = table table=CodedEvent  # analysis/study_definition.py:7
n2 = column frame=n1 column=CTV3Code  # analysis/study_definition.py:7
n3 = column frame=n1 column=ConsultationDate  # analysis/study_definition.py:7
n4 = codelist 79a7ef25dfff of ctv3, 2 codes  # analysis/study_definition.py:7
n5 = in left=n2 right=n4 collation=ci  # analysis/study_definition.py:7
n6 = filter frame=n1 condition=n5  # analysis/study_definition.py:7
n7 = day of=n3  # analysis/study_definition.py:7
n8 = lt left=n7 right=n0  # analysis/study_definition.py:7
n9 = filter frame=n6 condition=n8  # analysis/study_definition.py:7
n10 = column frame=n9 column=ConsultationDate
n11 = day of=n10
n12 = count_episodes of=n11 days=14
n13 = value value=int:5
n14 = gt left=n12 right=n13
n15 = value value=str:"more than \"five\""
n16 = case cases=[when:n14 then:n15]
n17 = value value=bool:true
kind = n16
episodes = n12 (hidden)
population = n17
"#;
        assert_eq!(words, expected);
    }
}
