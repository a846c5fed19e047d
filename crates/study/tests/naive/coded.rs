//! Codelists: which codes, which category, and what VmpMapping links with them (section 6).

use std::collections::{BTreeMap, BTreeSet};

use study::model::Codes;
use study::recording::{CodelistItems, Value};

use super::{Patient, World, expressions::fold};

/// Codes with their categories.
pub type List = BTreeMap<String, Option<String>>;

impl World<'_> {
    pub fn list(&self, codes: &Codes) -> List {
        let text = |value: &Value| match value {
            Value::Str(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        };
        match &self.recording.codelists[&codes.list].items {
            CodelistItems::Plain(items) => items.iter().map(|code| (text(code).unwrap(), None)).collect(),
            CodelistItems::Categorised(items) => items.iter().map(|(c, k)| (text(c).unwrap(), text(k))).collect(),
        }
    }

    /// Pairs of VmpMapping: a code, and the one that it replaced.
    fn replaced(&self) -> Vec<(String, String)> {
        let rows = self.all("VmpMapping");
        rows.iter().filter_map(|row| Some((fold(row.text("id")?), fold(row.text("prev_id")?)))).collect()
    }

    /// The listed code that a drug's code is, or is linked with in any number of steps, whichever way.
    pub fn listed(&self, code: &str, list: &List) -> Option<String> {
        let listed: BTreeMap<String, &String> = list.keys().map(|c| (fold(c), c)).collect();
        if let Some(same) = listed.get(&fold(code)) {
            return Some((*same).clone());
        }
        let pairs = self.replaced();
        let reach = |start: &str, both: bool| {
            let mut found = BTreeSet::from([start.to_owned()]);
            loop {
                let before = found.len();
                for (new, old) in &pairs {
                    if found.contains(new) {
                        found.insert(old.clone());
                    } else if both && found.contains(old) {
                        found.insert(new.clone());
                    }
                }
                if found.len() == before {
                    return found;
                }
            }
        };
        let linked = reach(&fold(code), true);
        let candidates: Vec<&String> = listed.keys().filter(|c| linked.contains(*c)).collect();
        // the newest: no other candidate replaced it
        let replaced = |c: &String| {
            candidates.iter().any(|o| *o != c && reach(o, false).contains(c) && !reach(c, false).contains(*o))
        };
        let newest = candidates.iter().filter(|c| !replaced(c)).max()?;
        Some(listed[*newest].clone())
    }
}

impl Patient<'_> {
    pub fn is_listed(&self, code: Option<&str>, codes: &Codes) -> bool {
        code.is_some_and(|code| self.world.list(codes).contains_key(code))
    }
}
