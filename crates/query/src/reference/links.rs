//! Codes that replaced one another, and the member of a set that each leads to (`linked`).
//! Found once for all patients: neither the set nor the rows belong to anybody.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::frames::Row;
use super::patient::{Found, Patient};
use super::text::fold;
use crate::graph::{Collation, NodeId, Op};
use crate::value::Value;

/// The member of the set for each code that leads to one, by the form without case.
pub(super) type Links = Rc<BTreeMap<String, Value>>;

/// Codes by the code that replaced them, and the other way round.
type Steps = BTreeMap<String, BTreeSet<String>>;

impl<'a> Patient<'a> {
    pub(super) fn linked(&mut self, node: NodeId, op: &Op, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        let Op::Linked { of, .. } = op else { return self.unsound(node) };
        let code = match self.value(*of, row)? {
            Value::Str(code) => code,
            Value::Null => return Ok(Value::Null),
            _ => return self.unsound(node),
        };
        let links = match self.links.get(&node) {
            Some(links) => Rc::clone(links),
            None => {
                let links = self.find_links(node, op)?;
                self.links.insert(node, Rc::clone(&links));
                links
            }
        };
        Ok(links.get(form(&code).as_ref()).cloned().unwrap_or(Value::Null))
    }

    fn find_links(&mut self, node: NodeId, op: &Op) -> Found<Links> {
        let Op::Linked { set, frame, id, previous, .. } = op else { return self.unsound(node) };
        let mut members: BTreeMap<String, Value> = BTreeMap::new();
        let set = self.set(*set, Collation::Exact)?;
        let mut listed: Vec<&Value> = set.iter().collect();
        listed.sort_by(|a, b| a.order(b));
        for value in listed {
            match value {
                // of members that differ in case alone the least
                Value::Str(code) => drop(members.entry(form(code).into_owned()).or_insert_with(|| value.clone())),
                _ => return self.unsound(node),
            }
        }
        let (Ok(id), Ok(previous)) = (self.prepared.access(*frame, id)?, self.prepared.access(*frame, previous)?)
        else {
            return self.unsound(node);
        };
        let (mut older, mut both) = (Steps::new(), Steps::new());
        for row in self.rows(*frame)?.iter() {
            if let (Value::Str(id), Value::Str(previous)) = (row.cell(&id), row.cell(&previous)) {
                let (id, previous) = (form(&id).into_owned(), form(&previous).into_owned());
                older.entry(id.clone()).or_default().insert(previous.clone());
                both.entry(id.clone()).or_default().insert(previous.clone());
                both.entry(previous).or_default().insert(id);
            }
        }
        let mut links = members.clone();
        let mut seen = BTreeSet::new();
        for code in members.keys() {
            if seen.contains(code) {
                continue;
            }
            let family = reach(code, &both);
            let candidates: Vec<&String> = family.iter().filter(|c| members.contains_key(*c)).collect();
            if let Some(newest) = newest(&candidates, &older).and_then(|code| members.get(code)) {
                for code in family.iter().filter(|c| !members.contains_key(*c)) {
                    links.insert(code.clone(), newest.clone());
                }
            }
            seen.extend(family);
        }
        Ok(Rc::new(links))
    }
}

/// The greatest of those that no other one replaced; of a ring, each replaced each.
fn newest<'a>(candidates: &[&'a String], older: &Steps) -> Option<&'a String> {
    let replaced: BTreeMap<&String, BTreeSet<String>> = candidates.iter().map(|c| (*c, reach(c, older))).collect();
    let by = |new: &String, old: &String| new != old && replaced.get(new).is_some_and(|codes| codes.contains(old));
    let stands = |code: &&&String| !candidates.iter().any(|other| by(other, code) && !by(code, other));
    candidates.iter().filter(stands).max().copied()
}

/// A code and all that steps lead to from it.
fn reach(start: &str, steps: &Steps) -> BTreeSet<String> {
    let mut found = BTreeSet::from([start.to_owned()]);
    let mut open = vec![start.to_owned()];
    while let Some(code) = open.pop() {
        for next in steps.get(&code).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

fn form(code: &str) -> Cow<'_, str> {
    fold(code.trim_end_matches(' '))
}
