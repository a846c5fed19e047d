//! The requests of a demo, made as a researcher's own program would make them: by the API, with a token.
//! Spec site.md 13.

use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use site::access::TokenScope;
use site::people::{By, tokens};
use site::{Opened, SiteError};

use crate::Asked;
use crate::town::Town;
use crate::way::InProcess;
use crate::{DemoError, studies, town};

/// Makes one request that will end well, one that takes its time and one that fails; then, if asked, one of each other
/// study, on the backend where its published request ran. Gives their addresses.
pub(crate) async fn ask(site: &Opened, way: &InProcess, town: &Town, asked: Asked) -> Result<Vec<String>, DemoError> {
    let mut change = site.store.change().await.map_err(SiteError::from)?;
    let scopes = [TokenScope::RequestRun];
    let new = tokens::New { name: "the demo's own requests", scopes: &scopes, days: 1, projects: &[] };
    let token = tokens::make(&mut change, &By::operator(), town.researcher, new).await?;
    change.commit().await.map_err(site::store::StoreError::from).map_err(SiteError::from)?;
    let mut addresses = Vec::new();
    let [(tpp, ..), (emis, ..)] = town::BACKENDS;
    let shown = studies::SHOWN;
    let mut wanted = vec![(shown, studies::BRANCH, tpp), (shown, studies::SLOW, tpp), (shown, studies::BROKEN, emis)];
    if asked == Asked::All {
        let others = studies::names().into_iter().filter(|study| *study != shown);
        wanted.extend(others.map(|study| (study, studies::BRANCH, if study == studies::OF_EMIS { emis } else { tpp })));
    }
    for (study, branch, backend) in wanted {
        let body = json!({
            "workspace": town::workspace(study, branch),
            "backend": backend,
            "actions": ["run_all"],
        });
        let request = Request::post(format!("{}/api/v1/job-requests", site.settings.origin))
            .header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()))
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", format!("demo-{study}-{branch}"))
            .body(Bytes::from(body.to_string()))
            .map_err(|fault| DemoError::Fault(fault.to_string()))?;
        let answer = way.ask(request).await.map_err(|fault| DemoError::Fault(fault.to_string()))?;
        let says: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        match (answer.status(), says["number"].as_i64()) {
            (StatusCode::OK | StatusCode::CREATED, Some(number)) => {
                addresses.push(format!("{}/job-requests/{number}/", site.settings.origin));
            }
            (status, _) => return Err(DemoError::NotAsked { status: status.as_u16(), says: says.to_string() }),
        }
    }
    Ok(addresses)
}
