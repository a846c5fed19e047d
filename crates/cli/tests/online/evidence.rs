//! What the cells of a published file were made of: kept where only the service looks, named by its hash in the manifest,
//! nowhere else. Spec actions.md 9, jobs.md 13, 14.

use jobs::ObjectId;
use serde_json::Value;

use crate::rig::{House, can_isolate, files, until};
use crate::tables::{number, rows};

const PROJECT: &str = "version: \"4.0\"
actions:
  query:
    run: sqlrunner:v0.4.37 --dummy-data-file analysis/rows.csv --output output/rows.csv analysis/query.sql
    outputs:
      highly_sensitive: {rows: output/rows.csv}
  report:
    run: dataset-report:v0.0.29 --input-files output/rows.csv --output-dir output
    needs: [query]
    outputs:
      moderately_sensitive: {report: output/rows.html}
";
const SQL: &str = "SELECT Patient_ID AS patient_id, 1 AS died FROM Patient
WHERE Patient_ID NOT IN (SELECT Patient_ID FROM PatientsWithTypeOneDissent)\n";

/// 23 patients, of whom 11 died.
fn patients() -> String {
    (0..23).fold("patient_id,died\n".to_owned(), |text, id| text + &format!("{id},{}\n", u8::from(id < 11)))
}

#[test]
fn evidence_is_kept_for_the_checks_alone() {
    if !can_isolate() {
        return;
    }
    let study = [("project.yaml", PROJECT), ("analysis/query.sql", SQL), ("analysis/rows.csv", &patients())]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .to_vec();
    let mut house = House::with(&[("evidence", study)], &[("evidence", "evidence")]);
    house.start_site();
    house.enrol(house.site_at);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    let request = house.request("evidence", &["run_all"]).unwrap();
    let over = format!("SELECT count(*) FROM job_request WHERE number = {request} AND status = 'succeeded'");
    until("the request has succeeded", 120, || number(&house.at_site(), &over) == 1);

    let jobs = format!("SELECT action, identifier FROM job WHERE job_request = {request} ORDER BY action");
    let jobs = rows(&house.at_site(), &jobs);
    let [query, report] = ["query", "report"].map(|name| &jobs.iter().find(|job| job[0] == name).unwrap()[1]);
    let kept = files(&house.path("high/evidence"));
    let expected = house.path("high/evidence").join(report).join("output/rows.html.json");
    assert_eq!(kept.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&expected], "{query} has none");

    let sidecar: Value = serde_json::from_slice(&kept[0].1).unwrap();
    assert_eq!(sidecar["schema"], "cloister.evidence/1");
    assert_eq!(sidecar["job_id"], **report);
    let input = ObjectId::of(&std::fs::read(house.path("high/workspaces/evidence/output/rows.csv")).unwrap()).hex();
    assert_eq!(sidecar["inputs"], serde_json::json!([{"path": "output/rows.csv", "sha256": input}]));
    let manifest = std::fs::read(house.path("medium/workspaces/evidence/metadata/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let entry = &manifest["outputs"]["output/rows.html"];
    assert_eq!(entry["content_hash"], sidecar["content_hash"]);
    assert_eq!(entry["cloister"]["evidence_hash"], ObjectId::of(&kept[0].1).hex());
    assert_eq!(entry["cloister"]["builtin"]["profile"], "v0.0.21");
    assert!(manifest["outputs"]["output/rows.csv"]["cloister"].get("evidence_hash").is_none());

    // The true number, which the report rounds, is nowhere else: not for reviewers, not at the site.
    assert!(sidecar["cells"].as_array().unwrap().iter().any(|cell| cell["n"] == 11), "{sidecar}");
    for folder in [house.path("medium"), house.at_site().parent().unwrap().to_owned()] {
        let told =
            files(&folder).into_iter().find(|(_, bytes)| bytes.windows(SCHEMA.len()).any(|window| window == SCHEMA));
        assert!(told.is_none(), "{:?}", told.map(|(path, _)| path));
    }
}

const SCHEMA: &[u8] = b"cloister.evidence";
