//! What is the same for all simulated patients of a study: wishes, dates, codes and purposes of dice.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::Request;
use super::dice::{Dice, Purpose};
use super::person::Person;
use super::solve::Demands;
use super::wish::{Wish, as_of, wishes};
use crate::expectations::Settings as Run;
use crate::expectations::dates::day_number;
use crate::expectations::draw::Draw;
use crate::expectations::weighted::{Weighted, population_ages};
use crate::model::{Codes, Query, Study};
use crate::recording::{CodelistId, CodelistItems, Recording, Value};

pub(crate) struct Scene<'a> {
    pub(crate) study: &'a Study,
    /// One per index date.
    pub(crate) runs: Vec<Run>,
    pub(crate) wishes: Vec<Wish<'a>>,
    /// Day for which people have their ages, unless the study says another.
    pub(crate) as_of: i32,
    pub(crate) earliest_index: i32,
    /// Ages of the country, where no variable expects any.
    pub(crate) country: Option<Weighted>,
    pub(crate) base: Purpose,
    pub(crate) death: Purpose,
    pub(crate) places: Purpose,
    pub(crate) solving: Purpose,
    pub(crate) mess: Purpose,
    pub(crate) mess_share: f64,
    /// Patients of value files; others are numbered beyond them.
    pub(crate) listed: Vec<i64>,
    codes: HashMap<&'a CodelistId, Vec<(&'a str, String)>>,
    /// By code: lists that have it, each with the first wish for it. Only codes of several lists.
    listing: HashMap<&'a str, Vec<(&'a str, usize)>>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(study: &'a Study, recording: &'a Recording, request: &Request, listed: Vec<i64>) -> Self {
        let run = |index_date: Option<Date>| Run {
            index_date,
            today: request.today,
            patients: request.patients,
            seed: request.seed,
        };
        let runs: Vec<Run> = match request.index_dates.is_empty() {
            true => vec![run(study.index_date)],
            false => request.index_dates.iter().map(|day| run(Some(*day))).collect(),
        };
        let wishes = wishes(study, recording, &runs, request.seed);
        let as_of = as_of(&wishes, &runs, request.today);
        let earliest_index = runs.iter().filter_map(|run| run.index_date).min().map_or(as_of, day_number);
        let purpose = |name| Purpose::new(request.seed, name);
        let codes = recording.codelists.iter().map(|(id, list)| {
            let text = |value: &'a Value| if let Value::Str(text) = value { Some(text.as_str()) } else { None };
            let items = match &list.items {
                CodelistItems::Plain(codes) => {
                    codes.iter().filter_map(|code| Some((text(code)?, String::new()))).collect()
                }
                CodelistItems::Categorised(items) => {
                    let label = |value: &Value| match value {
                        Value::Str(text) => text.clone(),
                        Value::Int(number) => number.to_string(),
                        _ => String::new(),
                    };
                    items.iter().filter_map(|(code, category)| Some((text(code)?, label(category)))).collect()
                }
            };
            (id, items)
        });
        let codes: HashMap<&CodelistId, Vec<(&str, String)>> = codes.collect();
        let listing = listing(&wishes, &codes);
        Self {
            study,
            wishes,
            as_of,
            earliest_index,
            country: Weighted::new(&population_ages()),
            base: purpose("base"),
            death: purpose("death"),
            places: purpose("places"),
            solving: purpose("solving"),
            mess: purpose("mess"),
            mess_share: request.mess,
            listed,
            codes,
            listing,
            runs,
        }
    }

    /// Whether this patient has a value of a wish: as the population demands, else by chance.
    pub(crate) fn present(&self, wish: &Wish, person: &Person, demands: &Demands) -> bool {
        let demanded = demands.get(&wish.id).and_then(|demand| demand.present);
        demanded.unwrap_or_else(|| wish.has(person.number))
    }

    /// A text about a person, from the first variable that asks for it, within the demands; '' where it has no value.
    /// `salt` keeps facts apart that no variable asks for.
    pub(crate) fn labelled(
        &self,
        person: &Person,
        demands: &Demands,
        salt: u64,
        asks: impl Fn(&Query) -> bool,
        otherwise: impl Fn(&mut Dice) -> String,
    ) -> String {
        let mut dice = self.places.of(person.number.wrapping_add(salt << 48));
        let Some(wish) = self.wishes.iter().find(|wish| asks(&wish.variable.query)) else {
            return otherwise(&mut dice);
        };
        if !self.present(wish, person, demands) {
            return String::new();
        }
        let demand = demands.get(&wish.id);
        let mut own = wish.what.of(person.number);
        let mut label = String::new();
        for _ in 0..100 {
            let drawn = wish.values.as_ref().and_then(|values| values.label(own.bits()));
            label = drawn.unwrap_or_else(|| otherwise(&mut dice));
            let fits = demand.is_none_or(|demand| {
                let number = demand.numbers.is_empty() || label.trim().parse().is_ok_and(|number| demand.takes(number));
                number && demand.takes_text(&label) && !(label.is_empty() && demand.present == Some(true))
            });
            if fits {
                break;
            }
        }
        label
    }

    /// Codes of a list with their categories.
    pub(crate) fn codes(&self, codes: &Codes) -> &[(&'a str, String)] {
        self.codes.get(&codes.list).map_or(&[], Vec::as_slice)
    }

    /// A code of a list; one that a label means, if there is such a code or category. Rather one that stands in no list
    /// of which this patient is to have nothing.
    pub(crate) fn code(
        &self,
        codes: &Codes,
        label: Option<&str>,
        person: &Person,
        demands: &Demands,
        dice: &mut Dice,
    ) -> &'a str {
        let all = self.codes(codes);
        let meant: Vec<&str> = all
            .iter()
            .filter(|(code, category)| label.is_some_and(|l| l == *code || l == category))
            .map(|(code, _)| *code)
            .collect();
        let meant = if meant.is_empty() { all.iter().map(|(code, _)| *code).collect() } else { meant };
        let fits = |code: &str| {
            let others = self.listing.get(code).map_or(&[][..], Vec::as_slice);
            others
                .iter()
                .all(|(list, wish)| *list == codes.list.0 || self.present(&self.wishes[*wish], person, demands))
        };
        let mut code = "";
        for _ in 0..12 {
            code = dice.often(&meant).copied().unwrap_or("");
            if fits(code) {
                return code;
            }
        }
        meant.iter().find(|code| fits(code)).copied().unwrap_or(code)
    }

    /// The first values of a kind that a group's variables draw, for the rows they share.
    pub(crate) fn shared(&self, group: &str, of: impl Fn(&Draw) -> bool) -> Option<(&Wish<'a>, &Draw)> {
        let mut drawing = self
            .wishes
            .iter()
            .filter(|wish| wish.group == group)
            .filter_map(|wish| Some((wish, wish.values.as_ref()?)));
        drawing.find(|(_, draw)| of(draw))
    }
}

fn listing<'a>(
    wishes: &[Wish<'a>],
    codes: &HashMap<&'a CodelistId, Vec<(&'a str, String)>>,
) -> HashMap<&'a str, Vec<(&'a str, usize)>> {
    let mut listing: HashMap<&str, Vec<(&str, usize)>> = HashMap::new();
    let mut seen = HashSet::new();
    for (place, wish) in wishes.iter().enumerate() {
        let list = match &wish.variable.query {
            Query::ClinicalEvents(rows) | Query::Medications(rows) => &rows.codes.list,
            Query::RecordedValue { codes, .. } => &codes.list,
            _ => continue,
        };
        if !seen.insert(list) {
            continue;
        }
        let distinct: HashSet<&str> = codes.get(list).into_iter().flatten().map(|(code, _)| *code).collect();
        distinct.into_iter().for_each(|code| listing.entry(code).or_default().push((list.0.as_str(), place)));
    }
    listing.retain(|_, lists| lists.len() > 1);
    listing
}
