//! What the tests share: two keys, a site's pen, a log on the disk and one in memory.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::path::Path;
use std::sync::Arc;

use backend::log::{Beginning, Log, Memory, Who};
use protocol::directive::DirectiveBody;
use protocol::directive::body::Cancel;
use protocol::directive::envelope::Draft;
use protocol::fact::FactBody;
use protocol::fact::backend::{DataKind, Flavour, Mode, ModeChanged};
use protocol::keys::{Keys, SigningKey};
use protocol::text::ids::Ulid;
use protocol::text::names::BackendSlug;
use protocol::text::time::Moment;
use serde_json::Value;

pub fn moment(second: i64) -> Moment {
    Moment::from_microseconds(1_800_000_000_000_000 + second * 1_000_000).unwrap()
}

pub fn key(byte: u8, id: &str) -> SigningKey {
    SigningKey::new(&[byte; 32], id.parse().unwrap())
}

pub fn keys(key: &SigningKey) -> Keys {
    Keys::from([(key.id().clone(), key.public())])
}

pub fn north() -> BackendSlug {
    "north".parse().unwrap()
}

pub fn who() -> Who {
    Who { backend: north(), key: key(1, "north-1"), next: None, site: keys(&key(2, "site-1")) }
}

pub fn beginning() -> Beginning {
    let flavour = Flavour::Tpp;
    Beginning { at: moment(0), data_kind: DataKind::Synthetic, flavour, version: "1.4.0".parse().unwrap() }
}

pub async fn on_disk(state: &Path) -> Log {
    let log = Log::open(state, who()).await.unwrap();
    log.begin(&beginning()).await.unwrap();
    log
}

pub async fn in_memory(shelf: &Arc<Memory>) -> Log {
    let log = Log::on(shelf.clone(), who()).await.unwrap();
    log.begin(&beginning()).await.unwrap();
    log
}

pub fn mode(mode: Mode) -> FactBody {
    ModeChanged { mode, kind: None, ends_at: None }.into()
}

pub fn id(n: u64) -> Ulid {
    Ulid::from_parts(n, 0)
}

/// A cancel: the smallest directive for the desk.
pub fn cancel(action: &str) -> DirectiveBody {
    let actions = vec![action.parse().unwrap()].try_into().unwrap();
    let (request, by) = ("m4qz7kd2hu5xw3np".parse().unwrap(), "sample-r".parse().unwrap());
    Cancel { request, actions, requested_by: by, at: moment(0) }.into()
}

pub fn draft(cursor: u64, body: DirectiveBody) -> Draft {
    Draft {
        cursor: cursor.try_into().unwrap(),
        id: id(cursor),
        backend: north(),
        at: moment(0),
        expires_at: moment(1000),
        critical: vec![],
        body,
    }
}

pub fn signed(draft: &Draft) -> Value {
    serde_json::from_str(&draft.sign(&key(2, "site-1")).unwrap()).unwrap()
}
