//! What is the same for all simulated patients of a study: wishes, dates, codes and purposes of dice.

use std::collections::{HashMap, HashSet};

use query::Value as Cell;

use super::Request;
use super::births::Births;
use super::census::{Census, Trait, runs};
use super::dice::{Dice, Purpose};
use super::solve::Demands;
use super::wish::{Wish, as_of, wishes};
use crate::expectations::Settings as Run;
use crate::expectations::dates::day_number;
use crate::model::{Codes, ColumnType, Query, Study};
use crate::recording::{CodelistId, CodelistItems, Recording, Value};

pub(crate) struct Scene<'a> {
    pub(crate) study: &'a Study,
    /// Of the recording.
    pub(crate) module: &'a str,
    /// One per index date, those of other files too, ascending.
    pub(crate) runs: Vec<Run>,
    /// Places of the runs that are asked for.
    pub(crate) asked: Vec<usize>,
    pub(crate) wishes: Vec<Wish<'a>>,
    /// "Now": nothing happens later.
    pub(crate) as_of: i32,
    pub(crate) earliest_index: i32,
    pub(crate) births: Births,
    pub(crate) census: Census,
    pub(crate) base: Purpose,
    pub(crate) death: Purpose,
    pub(crate) places: Purpose,
    pub(crate) moves: Purpose,
    pub(crate) background: Purpose,
    pub(crate) solving: Purpose,
    pub(crate) mess: Purpose,
    pub(crate) mess_share: f64,
    pub(crate) traits: [Purpose; 8],
    /// Patients of value files; others are numbered beyond them.
    pub(crate) listed: Vec<i64>,
    lists: HashMap<&'a CodelistId, List>,
    /// By code: lists that have it, each with the first wish for it. Only codes of several lists.
    listing: HashMap<&'a str, Vec<(&'a str, usize)>>,
}

/// The codes of a list.
struct List {
    codes: Vec<Cell>,
    /// Places of the codes of a category; a code is a category of its own.
    labels: HashMap<String, Vec<Cell>>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(study: &'a Study, recording: &'a Recording, request: &Request, listed: Vec<i64>) -> Self {
        let (runs, asked) = all_runs(study, request);
        let wishes = wishes(study, recording, &runs, request.seed);
        let as_of = as_of(&wishes, &runs, request.today);
        let earliest_index = runs.iter().filter_map(|run| run.index_date).min().map_or(as_of, day_number);
        let mut census = request.census.clone();
        census.add(&wishes, &runs, &recording.module);
        let purpose = |name: &str| Purpose::new(request.seed, name);
        let listing = listing(&wishes, recording);
        Self {
            study,
            module: &recording.module,
            births: births(&wishes, &runs, as_of, request.seed),
            wishes,
            as_of,
            earliest_index,
            census,
            base: purpose("base"),
            death: purpose("death"),
            places: purpose("places"),
            moves: purpose("moves"),
            background: purpose("background"),
            solving: purpose("solving"),
            mess: purpose("mess"),
            mess_share: request.mess,
            traits: [
                Trait::Sex,
                Trait::Region,
                Trait::Stp,
                Trait::PracticeMsoa,
                Trait::Imd,
                Trait::Rural,
                Trait::Msoa,
                Trait::CareHome,
            ]
            .map(|of| purpose(&format!("{of:?}"))),
            listed,
            lists: recording.codelists.iter().map(|(id, list)| (id, List::new(&list.items))).collect(),
            listing,
            runs,
            asked,
        }
    }

    /// Whether this patient has a value of a wish: as the population demands, else by chance.
    pub(crate) fn present(&self, wish: &Wish, key: u64, demands: &Demands) -> bool {
        let demanded = demands.get(&wish.id).and_then(|demand| demand.present);
        demanded.unwrap_or_else(|| wish.has(key))
    }

    /// Whether some list has a code.
    pub(crate) fn lists_code(&self, code: &str) -> bool {
        self.lists.values().any(|list| list.labels.contains_key(code))
    }

    /// A code of a list; one that a label means, if there is such a code or category. Rather one that stands in no list
    /// of which this patient is to have nothing.
    pub(crate) fn code(
        &self,
        codes: &Codes,
        label: Option<&str>,
        key: u64,
        demands: &Demands,
        dice: &mut Dice,
    ) -> Cell {
        let Some(list) = self.lists.get(&codes.list) else { return Cell::text("") };
        let meant = label.and_then(|label| list.labels.get(label)).unwrap_or(&list.codes);
        let fits = |code: &Cell| {
            let Cell::Str(text) = code else { return true };
            let others = self.listing.get(&**text).map_or(&[][..], Vec::as_slice);
            others.iter().all(|(list, wish)| *list == codes.list.0 || self.present(&self.wishes[*wish], key, demands))
        };
        let mut code = None;
        for _ in 0..12 {
            code = dice.often(meant);
            if code.is_none_or(fits) {
                break;
            }
        }
        let code = match code {
            Some(code) if !fits(code) => meant.iter().find(|code| fits(code)).or(Some(code)),
            code => code,
        };
        code.cloned().unwrap_or(Cell::text(""))
    }
}

impl List {
    fn new(items: &CodelistItems) -> Self {
        let text = |value: &Value| if let Value::Str(text) = value { Some(Cell::text(text)) } else { None };
        let mut labels: HashMap<String, Vec<Cell>> = HashMap::new();
        let codes: Vec<Cell> = match items {
            CodelistItems::Plain(codes) => codes.iter().filter_map(text).collect(),
            CodelistItems::Categorised(items) => {
                let coded = items.iter().filter_map(|(code, category)| Some((text(code)?, category)));
                coded
                    .map(|(code, category)| {
                        let category = match category {
                            Value::Str(text) => text.clone(),
                            Value::Int(number) => number.to_string(),
                            _ => String::new(),
                        };
                        labels.entry(category).or_default().push(code.clone());
                        code
                    })
                    .collect()
            }
        };
        for code in &codes {
            if let Cell::Str(text) = code {
                let alike = labels.entry(text.to_string()).or_default();
                if !alike.contains(code) {
                    alike.push(code.clone());
                }
            }
        }
        Self { codes, labels }
    }
}

/// The runs of all files of a study, and which of them are asked for.
fn all_runs(study: &Study, request: &Request) -> (Vec<Run>, Vec<usize>) {
    let own = runs(study, &request.index_dates, request.today);
    let mut all = own.clone();
    all.extend(request.other_dates.iter().flat_map(|day| runs(study, &[*day], request.today)));
    all.sort_by_key(|run| run.index_date);
    all.dedup();
    let asked = own.iter().filter_map(|run| all.iter().position(|known| known == run)).collect();
    (all, asked)
}

/// People of the ages that the first variable about ages expects on its day.
fn births(wishes: &[Wish], runs: &[Run], as_of: i32, seed: u64) -> Births {
    let aged = wishes.iter().find_map(|wish| match &wish.variable.query {
        Query::AgeAsOf(day) if wish.variable.kind == ColumnType::Int => Some((day, wish.values.as_ref()?)),
        _ => None,
    });
    let reference = aged.and_then(|(day, _)| {
        let run = runs.first()?;
        day.resolve(run.index_date, run.today).ok().flatten()
    });
    let reference = reference.unwrap_or_else(|| super::person::day_of(as_of));
    Births::new(seed, reference, aged.map(|(_, ages)| ages))
}

fn listing<'a>(wishes: &[Wish<'a>], recording: &'a Recording) -> HashMap<&'a str, Vec<(&'a str, usize)>> {
    let mut listing: HashMap<&str, Vec<(&str, usize)>> = HashMap::new();
    let mut seen = HashSet::new();
    for (place, wish) in wishes.iter().enumerate() {
        let list = match &wish.variable.query {
            Query::ClinicalEvents(rows) | Query::Medications(rows) => &rows.codes.list,
            Query::RecordedValue { codes, .. } => &codes.list,
            _ => continue,
        };
        let Some((id, items)) = recording.codelists.get_key_value(list).filter(|_| seen.insert(list)) else { continue };
        let text = |value: &'a Value| if let Value::Str(text) = value { Some(text.as_str()) } else { None };
        let distinct: HashSet<&str> = match &items.items {
            CodelistItems::Plain(codes) => codes.iter().filter_map(text).collect(),
            CodelistItems::Categorised(items) => items.iter().filter_map(|(code, _)| text(code)).collect(),
        };
        distinct.into_iter().for_each(|code| listing.entry(code).or_default().push((id.0.as_str(), place)));
    }
    listing.retain(|_, lists| lists.len() > 1);
    listing
}
