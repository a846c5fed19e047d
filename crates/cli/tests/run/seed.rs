//! The pipeline of seeds/004 as a user runs it, with the real environment from the locked list.
//! Issue A, "It holds when".

use crate::rig::Study;

#[test]
fn seed_004_runs_from_query_to_report() {
    let study = Study::copy_of("ons-cis-short-data-report");
    study.run(&["run_all"]).done().says("3 jobs succeeded");
    assert_eq!(study.read("output/raw/visit_num.csv").replace("\r\n", "\n"), study.read("analysis/visit_num.csv"));
    // The first row of the dummy data has 1843; to the nearest 5 that is 1845, and 7 is hidden.
    let safe = study.read("output/safe/visit_num.csv");
    assert!(
        safe.starts_with("visit_num,visit_status,visit_type,num_rows\n0,1,1,1845\n0,2,1,95\n0,3,1,[REDACTED]\n"),
        "{safe}"
    );
    assert!(study.read("output/report.html").contains("1845"));
    for file in ["visit_num.log", "make_safe.log", "render_report.log", "manifest.json"] {
        assert!(study.has(&format!("metadata/{file}")), "{file}");
    }
    study.run(&["run_all"]).done().says("nothing to run");

    study.write("analysis/visit_num.csv", &study.read("analysis/visit_num.csv").replace("0,1,1,1843", "0,1,1,2003"));
    let ran = study.run(&["run_all"]).done();
    assert_eq!(ran.ran(), ["visit_num", "make_safe", "render_report"]);
    let report = study.read("output/report.html");
    assert!(report.contains("2005") && !report.contains("1845"), "{report}");
}
