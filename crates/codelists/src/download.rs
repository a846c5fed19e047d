//! Fetching codelists, several at a time, and judging what came.
//! Spec cli.md 7.2: C401, C402, C403.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::content::table;
use crate::fault::Fault;
use crate::folder::LARGEST;
use crate::http::{Ask, Asking, Client};
use crate::id::Id;
use crate::site::Site;

/// Downloads all of them. After a failure no further one is begun.
///
/// # Errors
/// Every fault that came up, in the order of the ids; then there is no result at all.
pub(crate) fn download(ids: &[&Id], site: &Site, asking: &Asking) -> Result<Vec<Vec<u8>>, Vec<Fault>> {
    let client = Client::new(asking);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let came = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..asking.parallel.clamp(1, 64).min(ids.len()) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(id) = ids.get(n) else { break };
                    let result = one(id, site, &client);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    came.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((n, result));
                }
            });
        }
    });
    let (mut contents, mut faults) = (Vec::new(), Vec::new());
    let mut came = came.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    came.sort_by_key(|(n, _)| *n);
    for (_, result) in came {
        match result {
            Ok(content) => contents.push(content),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(contents) } else { Err(faults) }
}

fn one(id: &Id, site: &Site, client: &Client) -> Result<Vec<u8>, Fault> {
    let source = site.source(id);
    let address = source.to_string();
    let answer = client.ask(&source, Ask::Get, LARGEST).map_err(|failure| Fault::Download {
        address: address.clone(),
        why: failure.why,
        unreached: failure.unreached,
    })?;
    if answer.media != "text/csv" && says_draft(&answer.bytes) {
        return Err(Fault::Draft { id: id.to_string() });
    }
    if !answer.status.is_success() {
        let why = match answer.status.as_u16() {
            404 => "there is no such version (status 404)".to_owned(),
            code => format!("the site answered with status {code}"),
        };
        return Err(Fault::Download { address, why, unreached: false });
    }
    let refused = |why: String| Fault::NotACodelist { address: address.clone(), why };
    if answer.media != "text/csv" {
        return Err(refused(match answer.media.as_str() {
            "" => "has no media type, which must be text/csv".to_owned(),
            media => format!("is `{}`, not text/csv", crate::text::shown(media)),
        }));
    }
    table(&answer.bytes).map_err(|why| refused(why.to_owned()))?;
    Ok(answer.bytes)
}

/// Whether a page says that the version is a draft, in the words of the site.
fn says_draft(page: &[u8]) -> bool {
    let page = String::from_utf8_lossy(&page[..page.len().min(1 << 20)]).to_ascii_lowercase();
    page.contains("this version is a draft")
}
