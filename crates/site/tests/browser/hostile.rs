//! Hostile text in every column that a page may show, rendered everywhere by a real browser: nothing of it acts, no policy
//! is even asked, nothing sticks out on a phone. Spec site.md 19, 20.4.

use std::collections::{BTreeMap, BTreeSet};

use site::Opened;
use sqlx::Row;

use crate::driver::Scheme;
use crate::street::Street;
use crate::visits;

/// How a column is treated, and the expression for its value.
fn columns() -> BTreeMap<&'static str, (&'static str, Option<&'static str>)> {
    let lines = include_str!("../pages/hostile.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let one = |line: &'static str| {
        let mut words = line.splitn(2, char::is_whitespace);
        let (column, rest) = (words.next().unwrap(), words.next().unwrap().trim());
        let (how, value) = rest.split_once(' ').map_or((rest, None), |(how, value)| (how, Some(value.trim())));
        assert!(["shown", "kept", "fixed"].contains(&how), "{line}");
        (column, (how, value))
    };
    lines.map(one).collect()
}

/// The text for the column with this number: markup, script, links, hidden and turning characters, a formula, faces, and
/// three hundred letters without a place to break.
fn text(number: usize) -> String {
    let long = "x".repeat(300);
    format!(
        "=Z{number}Z\"><img src=x onerror=pwned()><script>pwned()</script>'-pwned()-'</script></style></title></textarea>\
         <svg onload=pwned()><a href=javascript:pwned()>a</a> [b](javascript:pwned()) [c](data:text/html;base64,PHNjcmlwdD4=) \
         ![d](https://evil.example/d.png) <https://evil.example/> \u{202e}\u{2066}\u{200f}\u{7}\u{1b}[31m\u{85}\u{2028} \
         👩‍🔬🏳️‍🌈 Z\u{301}\u{302}\u{303} {{{{7*7}}}} ${{7*7}} {long}"
    )
}

/// The columns of text of all tables.
async fn schema(site: &Opened) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT m.name || '.' || c.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.sql LIKE '%STRICT%' AND c.type = 'TEXT' ORDER BY m.rowid, c.cid",
    );
    let rows = rows.fetch_all(site.store.readers()).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn fill(site: &Opened) {
    let (columns, schema) = (columns(), schema(site).await);
    let unknown: Vec<&String> = schema.iter().filter(|column| !columns.contains_key(column.as_str())).collect();
    assert!(unknown.is_empty(), "say in hostile.txt what somebody could put into {unknown:?}");
    let gone: Vec<&&str> = columns.keys().filter(|column| !schema.contains(&(**column).to_owned())).collect();
    assert!(gone.is_empty(), "there is no such column: {gone:?}");
    let mut change = site.store.change().await.unwrap();
    for (number, (column, (how, value))) in columns.into_iter().enumerate().filter(|(_, (_, (how, _)))| *how != "fixed")
    {
        let (table, name) = column.split_once('.').unwrap();
        let value = value.map_or_else(|| format!("?1 || {name}"), str::to_owned);
        let update = format!("UPDATE {table} SET {name} = {value}");
        let done = sqlx::query(sqlx::AssertSqlSafe(update)).bind(text(number)).execute(&mut *change).await;
        let rows = done.unwrap_or_else(|error| panic!("{column}: {error}")).rows_affected();
        assert!(how != "shown" || rows > 0, "the gallery has no row for {column}");
    }
    change.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_acts_on_any_page() {
    let street = Street::open(&["full"], async |site| fill(site).await).await;
    street.browser.look(320, Scheme::Light).await;
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for visit in visits::all().iter().filter(|visit| visit.site == "full") {
        let status = street.visit(visit).await;
        if status >= 500 && visit.status < 500 {
            found.push(format!("{}: {status}", visit.line));
        }
        found.extend(street.complaints().await.into_iter().map(|line| format!("{}: {line}", visit.line)));
        found.extend(street.browser.sticks_out().await.map(|line| format!("{}: {line}", visit.line)));
        // What a browser made of the page: markup of the text would be elements by now.
        let made = "const all = [...document.querySelectorAll('img, script:not([src^=\"/static/live.\"]), style, iframe, \
                object, embed, base, a[href^=javascript], a[href^=data], [onerror], [onload], [style]')];
            const hidden = /[\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u0007\\u001b\\u0085]/.test(document.body.textContent);
            return [all.map(e => e.outerHTML.slice(0, 100)), hidden, document.documentElement.outerHTML.match(/Z\\d+Z/g) || []]";
        let made = street.browser.page.execute(made, vec![]).await.unwrap();
        let elements: Vec<String> = serde_json::from_value(made[0].clone()).unwrap();
        found.extend(elements.into_iter().map(|element| format!("{}: {element}", visit.line)));
        if made[1] == true {
            found.push(format!("{}: a hidden or turning character is in the page as it is", visit.line));
        }
        seen.extend(serde_json::from_value::<Vec<String>>(made[2].clone()).unwrap());
    }
    let numbered = columns().into_iter().enumerate();
    for (number, (column, (how, _))) in numbered.filter(|(_, (_, (how, _)))| *how != "fixed") {
        match (how, seen.contains(&format!("Z{number}Z"))) {
            ("shown", false) => found.push(format!("{column} is shown on no page: the gallery lacks one")),
            ("kept", true) => found.push(format!("{column} is shown; say so in hostile.txt")),
            _ => {}
        }
    }
    // The log as a table for other programs: no cell is a formula. `-` alone, for no runtime, is none.
    street.open_as("full", "-", "/event-log/").await;
    let cells = "const done = arguments[0]; fetch('/event-log.csv').then(a => a.text()).then(t => done(
        [t.length, t.replaceAll('\"\"', '').match(/(^|,)\"?(?!-\\r?$)[=+@\\t\\r-][^,]{0,40}/gm) || []]))";
    let cells = street.browser.page.execute_async(cells, vec![]).await.unwrap();
    assert!(cells[0].as_u64().unwrap() > 1_000, "{cells}");
    if cells[1].as_array().is_none_or(|lines| !lines.is_empty()) {
        found.push(format!("cells of the log's CSV are formulas: {}", cells[1]));
    }
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}
