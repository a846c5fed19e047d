//! Codelists of arguments: of the right system, not empty, made of texts.
//! Spec study-definitions.md 6; faults SD401-SD404.

use super::call::Call;
use super::shown;
use crate::fault::Fault;
use crate::model::{Codes, System};
use crate::recording::{Codelist, CodelistItems, Value};

impl Call<'_, '_> {
    /// A codelist that must be given.
    pub(super) fn codes(&mut self, name: &str) -> Option<Codes> {
        if matches!(self.value(name), Value::Null) {
            self.fault(
                Fault::new("SD402", "the codelist is missing")
                    .argument(name)
                    .fix("give a list made by `codelist`, `codelist_from_csv` or `combine_codelists`"),
            );
            return None;
        }
        self.maybe_codes(name)?
    }

    /// A codelist that may be left out; the outer `None` when it is faulty.
    pub(super) fn maybe_codes(&mut self, name: &str) -> Option<Option<Codes>> {
        let value = self.value(name).clone();
        let allowed: &[System] = self.function.parameter(name).map_or(&[], |p| &p.systems);
        let names: Vec<&str> = allowed.iter().map(|s| s.name()).collect();
        let id = match value {
            Value::Null => return Some(None),
            Value::Codelist(id) => id,
            other => {
                let message = format!("{} is no codelist with a system", shown(&other));
                self.fault(Fault::new("SD402", message).argument(name).fix(format!(
                    "write `codelist([…], system=\"{}\")`, or read it with `codelist_from_csv`",
                    names.first().unwrap_or(&"snomed")
                )));
                return None;
            }
        };
        let Some(list) = self.scope.recording.codelists.get(&id) else {
            self.fault(Fault::new("SD402", "the codelist is not in the recording").argument(name));
            return None;
        };
        let sound = match self.scope.lists.get(&id) {
            Some(sound) => *sound,
            None => {
                let sound = self.look_at(list, name);
                self.scope.lists.insert(id.clone(), sound);
                sound
            }
        };
        let system = System::of(&list.system).filter(|system| allowed.contains(system));
        let Some(system) = system else {
            let message = format!("a codelist of {} stands where one of {} is needed", list.system, names.join(" or "));
            self.fault(Fault::new("SD402", message).argument(name).fix(wrong_system(list, &names)));
            return None;
        };
        if sound
            && self.scope.odd.insert(id.clone())
            && let Some(words) = crate::lint::codelist(list, system)
        {
            let from = list.origin.first().and_then(|origin| origin.file.as_deref());
            let fix =
                from.map_or_else(|| "compare the codes with their source".to_owned(), |file| format!("look at {file}"));
            self.fault(Fault::new("SD917", words).argument(name).fix(fix));
        }
        sound.then_some(Some(Codes { list: id, system }))
    }

    /// The recorded list behind codes.
    pub(super) fn list(&self, codes: &Codes) -> Option<&Codelist> {
        self.scope.recording.codelists.get(&codes.list)
    }

    /// What is wrong with a list wherever it is used, told where it is used first.
    fn look_at(&mut self, list: &Codelist, argument: &str) -> bool {
        let (stray, empty) = match &list.items {
            CodelistItems::Plain(codes) => (codes.iter().find(|c| !is_text(c)), codes.is_empty()),
            CodelistItems::Categorised(pairs) => {
                (pairs.iter().map(|(code, _)| code).find(|c| !is_text(c)), pairs.is_empty())
            }
        };
        if empty {
            self.fault(Fault::new("SD401", "the codelist is empty").argument(argument).fix("give at least one code"));
        } else if let Some(code) = stray {
            let message = format!("the code {} is no text", shown(code));
            self.fault(Fault::new("SD403", message).argument(argument).fix("write codes in quotes"));
        }
        !empty && stray.is_none()
    }
}

const fn is_text(value: &Value) -> bool {
    matches!(value, Value::Str(_))
}

fn wrong_system(list: &Codelist, allowed: &[&str]) -> String {
    let from = list.origin.first().and_then(|origin| origin.file.as_deref());
    let expected = allowed.join("\" or \"");
    match from {
        Some(file) => format!(
            "use a list of {}; if {file} holds such codes, read it with system=\"{expected}\"",
            allowed.join(" or ")
        ),
        None => format!("use a list made with system=\"{expected}\""),
    }
}
