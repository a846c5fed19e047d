//! The work half of a backend from directive to facts, over real records, logs and repositories. The site's book must
//! take every fact. Spec protocol.md 1, 3, 4; jobs.md 4-9, 13.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]

#[path = "../common/mod.rs"]
mod common;

mod code;
mod double;
mod rig;

use protocol::directive::DirectiveBody;
use serde_json::json;

use rig::{Rig, project};

const FIRST: &str = "m4qz7kd2hu5xw3np";
const SECOND: &str = "aaaaaaaaaaaaaaaa";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_runs_to_its_last_fact() {
    let mut rig = Rig::new().await;
    let yaml = project(&[("extract", "ok", &[]), ("tabulate", "ok", &["extract"])]);
    let commit = rig.push(&yaml);
    rig.start();
    rig.send(DirectiveBody::JobRequest(rig.order(FIRST, &commit, &yaml, &["tabulate"]))).await;
    assert_eq!(rig.answer(FIRST).await, "accepted");
    assert_eq!(rig.ending(FIRST, "extract").await, json!({"code": "succeeded", "params": {}}));
    assert_eq!(rig.ending(FIRST, "tabulate").await, json!({"code": "succeeded", "params": {}}));
    // The runtime of the double: a second and a half, told in whole seconds.
    assert_eq!(rig.finished(FIRST, "tabulate").unwrap().runtime_s.unwrap().get(), 1);
    assert_eq!(std::fs::read_to_string(rig.medium("output/tabulate.csv")).unwrap(), "a,b\n1,ok\n");
    rig.end().await;
}
