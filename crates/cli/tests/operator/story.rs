//! The story of `story.txt`, command by command: what each says, how it ends, and which rows it leaves in the audit log.

use std::collections::BTreeSet;
use std::process::Command;

use sqlx::Row;

use crate::rig::{North, Office, request};

/// One command and what is expected of it.
#[derive(Debug, Default)]
struct Step {
    line: usize,
    words: Vec<String>,
    /// How it ends.
    code: i32,
    /// Pieces that standard output has (or standard error, where it is refused).
    says: Vec<String>,
    /// Acts in the audit log.
    acts: Vec<String>,
}

/// Words as a shell splits them, with single quotes only.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '\'' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any {
                    all.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        all.push(word);
    }
    all
}

fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/operator/story.txt")).unwrap();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((mark, rest)) = line.split_once(' ') else { continue };
        match mark {
            "$" => steps.push(Step { line: number, words: words(rest), ..Step::default() }),
            "!" => steps.push(Step { line: number, words: words(rest), code: 1, ..Step::default() }),
            "?" => steps.push(Step { line: number, words: words(rest), code: 2, ..Step::default() }),
            ">" => steps.last_mut().unwrap().says.push(rest.to_owned()),
            "+" => steps.last_mut().unwrap().acts.push(rest.to_owned()),
            "#" => {}
            _ => panic!("story.txt:{number}: {line}"),
        }
    }
    steps
}

/// The acts behind a place, each of the operator of this machine.
async fn acts(site: &site::Site, behind: i64) -> (i64, Vec<String>) {
    let rows =
        sqlx::query("SELECT seq, action, actor, record FROM audit_event WHERE seq > ? ORDER BY seq").bind(behind);
    let rows = rows.fetch_all(site.store.readers()).await.unwrap();
    let mut found = Vec::new();
    for row in &rows {
        let record: serde_json::Value = serde_json::from_str(&row.try_get::<String, _>("record").unwrap()).unwrap();
        let (actor, action): (Option<i64>, String) = (row.try_get("actor").unwrap(), row.try_get("action").unwrap());
        // What a backend does by itself is of the backend.
        if record["actor"]["kind"] == "backend" {
            continue;
        }
        assert_eq!((actor, &record["actor"]["kind"]), (None, &"operator".into()), "{record}");
        assert!(record["actor"]["name"].as_str().unwrap().starts_with("operator@"), "{record}");
        found.push(action);
    }
    let last = rows.last().map_or(behind, |row| row.try_get("seq").unwrap());
    (last, found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_does_what_its_page_does() {
    let office = Office::open();
    let inside = office.inside().await;
    let (mut seen, mut last, mut north) = (0, String::new(), None);
    for step in steps() {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        match words[..] {
            ["enrol"] => {
                let code = last.lines().nth(1).unwrap().trim();
                north = Some(North::enrol(&office, code));
                continue;
            }
            ["hello"] => {
                north.as_ref().unwrap().hello(&office);
                continue;
            }
            // An administrator grants it on a page: the operator can be the second person.
            ["granted", username, role] => {
                let mut change = inside.store.change().await.unwrap();
                let sql = "INSERT INTO role_grant (account, role, scope, scope_id, reason, granted_by, created_at)
                     VALUES ((SELECT id FROM account WHERE username = ?), ?, 'site', 0, 'asked', 1, 1)";
                sqlx::query(sql).bind(username).bind(role).execute(&mut *change).await.unwrap();
                change.commit().await.unwrap();
                continue;
            }
            ["make", number] => {
                request(&inside, number.parse().unwrap(), &["tabulate", "plot"]).await;
                continue;
            }
            _ => {}
        }
        let kept: Vec<String> = last.split_whitespace().map(str::to_owned).collect();
        let typed: Vec<&str> = words
            .iter()
            .flat_map(|word| if *word == "WORDS" { kept.iter().map(String::as_str).collect() } else { vec![*word] })
            .collect();
        let said = office.run(&typed);
        let place = format!("story.txt:{}: {}", step.line, step.words.join(" "));
        assert_eq!(said.code, Some(step.code), "{place}\n{said:?}");
        let text = if step.code == 0 { &said.out } else { &said.err };
        for piece in &step.says {
            assert!(text.contains(piece.as_str()), "{place}\nsays\n{text}not\n{piece}");
        }
        if step.code == 1 {
            assert!(said.err.starts_with("error") && said.out.is_empty(), "{place}\n{said:?}");
        }
        let (now, found) = acts(&inside, seen).await;
        assert_eq!(found, step.acts, "{place}");
        seen = now;
        if step.code == 0 {
            last = said.out;
        }
    }
    site::audit::verify(&inside.store).await.unwrap();
}

/// The names below "Commands:".
fn commands(of: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_cloister")).arg("site").args(of).arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_story_has_every_command() {
    let told: BTreeSet<(String, String)> = steps()
        .iter()
        .filter(|step| step.code == 0)
        .map(|step| (step.words[0].clone(), step.words.get(1).cloned().unwrap_or_default()))
        .collect();
    // These are not twins of a page; other tests have them.
    let others = ["serve", "check-config", "backup", "restore", "import", "rebuild", "audit-verify"];
    let mut count = 0;
    for noun in commands(&[]).iter().filter(|noun| !others.contains(&noun.as_str())) {
        let verbs = commands(&[noun]);
        for verb in &verbs {
            assert!(told.contains(&(noun.clone(), verb.clone())), "story.txt has no `{noun} {verb}` that succeeds");
        }
        assert!(!verbs.is_empty() || told.iter().any(|(told, _)| told == noun), "story.txt has no `{noun}`");
        count += verbs.len().max(1);
    }
    assert!(count > 40, "only {count} commands were found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_from_here_wakes_the_backend_that_polls_the_serving_process() {
    let office = Office::open();
    let inside = office.inside().await;
    for words in [
        &["user", "add", "sample-r", "--name", "Sample Researcher"][..],
        &["project", "add", "winter", "--name", "Winter"],
        &["workspace", "add", "winter-chest", "--project", "winter", "--repo", "/srv/winter-chest"],
        &["backend", "add", "north", "--name", "North", "--flavour", "tpp", "--data-kind", "synthetic"],
    ] {
        let said = office.run(words);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let code = office.run(&["backend", "code", "north", "--json"]).out;
    let code: serde_json::Value = serde_json::from_str(&code).unwrap();
    let north = North::enrol(&office, code["code"].as_str().unwrap());
    let typed = office.run(&["backend", "words", "north"]).out;
    let typed: Vec<&str> = ["backend", "confirm", "north"].into_iter().chain(typed.split_whitespace()).collect();
    assert_eq!(office.run(&typed).code, Some(0));
    north.hello(&office);
    request(&inside, 812, &["tabulate", "plot"]).await;
    let order = north.poll(&office, 0);
    assert_eq!(order[0]["type"], "job_request", "{order:?}");
    let behind = order.last().unwrap()["cursor"].as_u64().unwrap();
    let next = std::thread::scope(|threads| {
        let polling = threads.spawn(|| north.poll(&office, behind));
        // The poll is under way, or comes to find it: either way it must not sleep until its end.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let said = office.run(&["cancel", "812", "plot", "--reason", "not needed"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        polling.join().unwrap()
    });
    assert_eq!(
        (&next[0]["type"], &next[0]["body"]["actions"]),
        (&"cancel".into(), &serde_json::json!(["plot"])),
        "{next:?}"
    );
    assert_eq!(next[0]["body"]["requested_by"], "operator@site");
}
