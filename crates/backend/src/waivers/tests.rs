//! Rules of waivers, one by one, and which jobs they cover.
//! Spec actions.md 7.5.

use super::*;

const REPOSITORY: &str = "https://example.org/studies/deaths";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn day(text: &str) -> Moment {
    format!("{text}T00:00:00.000000Z").parse().unwrap()
}

fn terms() -> Terms {
    Terms {
        workspace: "deaths".parse().unwrap(),
        repository: format!("{REPOSITORY}.git"),
        commit: COMMIT.parse().unwrap(),
        action: ActionName::new("query"),
        sql: Sha256Hex::of(&[b"SELECT 1"]),
        mode: Mode::ExcludedByView,
        reason: "written before the rule".to_owned(),
        proposed_by: "Ann".to_owned(),
        approved_by: "Ben".to_owned(),
        from: day("2026-01-01"),
        until: day("2027-01-01"),
    }
}

/// One for each rule of actions.md 7.5.
#[test]
fn terms_that_break_a_rule_are_refused() {
    let change = |change: fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        terms.check().map_err(|error| error.to_string())
    };
    assert_eq!(change(|_| ()), Ok(()));
    type Change = fn(&mut Terms);
    let rows: [(Change, &str); 7] = [
        (|t| t.approved_by = " ann ".to_owned(), "another person must"),
        (|t| t.reason = "  ".to_owned(), "a reason"),
        (|t| t.reason = "a\nb".to_owned(), "one line"),
        (|t| t.proposed_by = String::new(), "who proposes"),
        (|t| t.until = t.from, "before it begins"),
        (|t| t.until = day("2027-01-03"), "a year at most"),
        (|t| t.repository = "https://u:secret@example.org/a/b".to_owned(), "not the address of a repository"),
    ];
    for (broken, words) in rows {
        let error = change(broken).unwrap_err();
        assert!(error.contains(words) && !error.contains("secret"), "{error}");
    }
}

#[test]
fn a_waiver_covers_its_own_job_alone_and_only_while_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let waivers = Waivers::of_state(folder.path());
    let of = |terms: Terms| (terms.workspace, terms.commit, terms.action);
    let (workspace, commit, action) = of(terms());
    let asked =
        Asked { workspace: &workspace, repository: REPOSITORY, commit: &commit, action: &action, include: false };
    let now = day("2026-06-01");
    let found = |asked: &Asked<'_>, now| waivers.in_force(asked, now).unwrap().len();
    assert_eq!(found(&asked, now), 0, "a folder that is not there has none");

    let kept = waivers.add(terms()).unwrap();
    let sql = ObjectId::of(b"SELECT 1");
    assert_eq!(waivers.in_force(&asked, now).unwrap(), [Waived { sql, mode: Mode::ExcludedByView }]);
    assert_eq!(found(&asked, day("2026-01-01")), 1, "the first day counts");
    assert_eq!(found(&asked, day("2027-01-01")), 0, "the end does not");
    assert_eq!(found(&asked, day("2025-12-31")), 0);
    let other = "f".repeat(40).parse().unwrap();
    assert_eq!(found(&Asked { commit: &other, ..asked }, now), 0);
    let other = "births".parse().unwrap();
    assert_eq!(found(&Asked { workspace: &other, ..asked }, now), 0);
    let other = ActionName::new("query2");
    assert_eq!(found(&Asked { action: &other, ..asked }, now), 0);
    assert_eq!(found(&Asked { repository: "https://example.org/studies/births", ..asked }, now), 0);

    let why = Revoked { at: now, why: "mended".to_owned() };
    assert!(waivers.revoke(&kept.id, why.clone()).unwrap().revoked.is_some());
    assert!(matches!(waivers.revoke(&kept.id, why.clone()), Err(BadWaiver::Over { .. })));
    assert!(matches!(waivers.revoke("../secret", why), Err(BadWaiver::Unknown(_))));
    assert_eq!(found(&asked, now), 0);
    assert_eq!(waivers.all().unwrap().len(), 1, "what was waived stays known");
}

#[test]
fn including_needs_the_permission_too() {
    let folder = tempfile::tempdir().unwrap();
    let waivers = Waivers::of_state(folder.path());
    let (workspace, commit, action) = (terms().workspace, terms().commit, terms().action);
    waivers.add(Terms { mode: Mode::Include, ..terms() }).unwrap();
    for (include, expected) in [(false, 0), (true, 1)] {
        let asked = Asked { workspace: &workspace, repository: REPOSITORY, commit: &commit, action: &action, include };
        assert_eq!(waivers.in_force(&asked, day("2026-06-01")).unwrap().len(), expected);
    }
}

#[test]
fn a_damaged_file_is_told_and_waives_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let waivers = Waivers::of_state(folder.path());
    let kept = waivers.add(terms()).unwrap();
    std::fs::write(folder.path().join("waivers").join(format!("{}.revoked", kept.id)), "{").unwrap();
    assert!(waivers.all().unwrap_err().to_string().contains("is not a waiver"));
}
