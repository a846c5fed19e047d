//! Enrolment, the lease, the line of directives, gauges and people, as a backend meets them. Spec protocol.md 2, 3, 6-8.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::time::Duration;

use axum::body::Body;
use common::{North, Rig, accepted, at, from, started, succeeded, text};
use http::{Method, Request, StatusCode};
use protocol::directive::envelope::open;
use protocol::fact::FactBody;
use protocol::fact::chain::Chain;
use protocol::keys::{Keys, SigningKey};
use protocol::text::ids::Ulid;
use serde_json::{Value, json};

async fn poll(rig: &Rig, north: &North, after: i64, wait: u64) -> (StatusCode, Value) {
    rig.call(north, Method::GET, &format!("directives?after={after}&wait={wait}"), "").await
}

async fn send(rig: &Rig, token: Option<&str>, version: &str, boot: &str) -> (StatusCode, Value) {
    let mut request = Request::get("/backend/v1/directives?after=0&wait=0").header("Host", "127.0.0.1");
    if let Some(token) = token {
        request = request.header("Authorization", token);
    }
    let request = request.header("Cloister-Protocol", version).header("Cloister-Boot", boot);
    rig.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn who_calls() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let (token, boot) = (format!("Bearer {}", north.token), north.boot.as_str().to_owned());
    let refused = |code: &str| json!({"code": code});
    assert_eq!(send(&rig, Some(&token), "1.0", &boot).await.0, StatusCode::NO_CONTENT);
    for wrong in [None, Some("Bearer"), Some("Bearer x"), Some(north.token.as_str()), Some("Basic x"), Some("")] {
        assert_eq!(send(&rig, wrong, "1.0", &boot).await, (StatusCode::UNAUTHORIZED, refused("unauthorised")));
    }
    assert_eq!(send(&rig, Some(&token), "one", &boot).await, (StatusCode::BAD_REQUEST, refused("malformed")));
    let other = json!({"code": "no_common_version", "versions": ["1.0"]});
    assert_eq!(send(&rig, Some(&token), "2.0", &boot).await, (StatusCode::UPGRADE_REQUIRED, other));
    assert_eq!(send(&rig, Some(&token), "1.0", "x").await, (StatusCode::BAD_REQUEST, refused("malformed")));
    // Another process that has not said hello.
    let second = Ulid::from_parts(1, 1);
    assert_eq!(send(&rig, Some(&token), "1.0", second.as_str()).await, (StatusCode::CONFLICT, refused("hello_first")));
    rig.run("UPDATE backend SET is_active = 0").await;
    assert_eq!(send(&rig, Some(&token), "1.0", &boot).await, (StatusCode::FORBIDDEN, refused("disabled")));
    rig.run("UPDATE backend SET is_active = 1; UPDATE backend_token SET expires_at = 1").await;
    assert_eq!(send(&rig, Some(&token), "1.0", &boot).await.0, StatusCode::UNAUTHORIZED);
    // Seven wrong ones were sent; from the twentieth on, nobody at this address is listened to.
    for _ in 0..13 {
        assert_eq!(send(&rig, None, "1.0", &boot).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(send(&rig, None, "1.0", &boot).await, (StatusCode::TOO_MANY_REQUESTS, refused("too_many")));
    rig.site.clock.advance(15 * 60);
    assert_eq!(send(&rig, None, "1.0", &boot).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_token_is_kept_as_it_is() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    rig.site.store.close().await;
    for entry in std::fs::read_dir(rig.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(north.token.len()).any(|window| window == north.token.as_bytes()));
    }
}

#[tokio::test]
async fn a_code_is_for_one_key_and_one_hour() {
    let rig = Rig::new().await;
    let enrol = async |code: &str, key: &SigningKey| {
        let body = json!({"code": code, "public_key": key.public().text()}).to_string();
        let request = Request::post("/backend/v1/enrol").header("Host", "127.0.0.1").body(Body::from(body)).unwrap();
        rig.send(request).await
    };
    let north = rig.enrolled("north", 1).await;
    let code = async || {
        let mut change = rig.site.store.change().await.unwrap();
        let code = site::line::make_code(&mut change, &rig.site, north.id).await.unwrap();
        change.commit().await.unwrap();
        code.reveal().to_owned()
    };
    let (mine, other) = (SigningKey::new(&[1; 32], text("x")), SigningKey::new(&[2; 32], text("x")));
    let first = code().await;
    let (status, one) = enrol(&first, &mine).await;
    assert_eq!((status, one["backend"].as_str()), (StatusCode::OK, Some("north")));
    // The answer was lost: the same key again gets another token, and the first one counts no more.
    let (status, two) = enrol(&first, &mine).await;
    assert_eq!((status, &two["key"]), (StatusCode::OK, &one["key"]));
    assert_ne!(one["token"], two["token"]);
    assert_eq!(enrol(&first, &other).await.0, StatusCode::UNAUTHORIZED);
    let again = code().await;
    assert_eq!(enrol(&first, &mine).await.0, StatusCode::UNAUTHORIZED);
    rig.site.clock.advance(3600);
    assert_eq!(enrol(&again, &mine).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(enrol("nonsense", &mine).await.0, StatusCode::BAD_REQUEST);
    // The words are those of both keys.
    let words = site::line::fingerprint(&rig.site, north.id).await.unwrap();
    let expected = protocol::keys::fingerprint(&text("north"), &mine.public(), &rig.site.line.public_key());
    assert_eq!(words, expected);
}

#[tokio::test]
async fn before_staff_confirm_nothing_counts_and_nothing_is_told() {
    let rig = Rig::new().await;
    let mut north = rig.enrolled("north", 1).await;
    assert_eq!(rig.hello(&mut north).await.0, StatusCode::OK);
    let _ = rig.request(&north, 1, &["a"]).await;
    let fact = north.fact(1, &FactBody::Mode(from(json!({"mode": "open"}))));
    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, json!({"code": "unavailable"}));
    assert_eq!(rig.facts(&north, std::slice::from_ref(&fact)).await, unavailable);
    assert_eq!(rig.call(&north, Method::GET, "people?after=0", "").await, unavailable);
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::NO_CONTENT);
    let mut change = rig.site.store.change().await.unwrap();
    site::line::confirm(&mut change, &rig.site, north.id, None).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(rig.facts(&north, &[fact]).await.0, StatusCode::OK);
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::OK);
}

#[tokio::test]
async fn orders_come_signed_in_order_and_asking_acknowledges() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let mut ids = Vec::new();
    for number in 1..=103 {
        ids.push(rig.request(&north, number, &["a"]).await.0);
    }
    let (status, answer) = poll(&rig, &north, 0, 0).await;
    let list = answer["directives"].as_array().unwrap();
    assert_eq!((status, list.len()), (StatusCode::OK, 100));
    let keys = Keys::from([(text("site-1"), rig.site.line.public_key())]);
    for (n, directive) in list.iter().enumerate() {
        let found = open(directive, &text("north"), &keys, rig.site.clock.now()).unwrap();
        assert_eq!((found.cursor.get() as usize, &found.id), (n + 1, &ids[n]));
        assert_eq!(directive["critical"], json!(["permissions"]));
    }
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM directive WHERE delivered_at IS NOT NULL").await, 0);
    let (_, answer) = poll(&rig, &north, 100, 0).await;
    assert_eq!(answer["directives"].as_array().unwrap().len(), 3);
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM directive WHERE delivered_at IS NOT NULL").await, 100);
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM job_request WHERE delivery = 'delivered'").await, 100);
    assert_eq!(poll(&rig, &north, 103, 0).await.0, StatusCode::NO_CONTENT);
    for bad in
        ["directives", "directives?after=-1", "directives?after=x&wait=1", "directives?after=99999999999999999999"]
    {
        assert_eq!(rig.call(&north, Method::GET, bad, "").await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn a_new_order_wakes_the_open_poll() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    // The poll waits 50 s unless it is woken; the test is not that patient.
    let (polled, _) = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(poll(&rig, &north, 0, 50), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            rig.request(&north, 1, &["a"]).await
        })
    })
    .await
    .unwrap();
    assert_eq!(polled.0, StatusCode::OK);
    assert_eq!(polled.1["directives"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_end_of_the_site_and_a_take_over_end_the_open_poll() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let next = North {
        boot: Ulid::from_parts(1_900_000_000_000, 1),
        token: north.token.clone(),
        slug: "north".into(),
        id: north.id,
        chain: north.chain.clone(),
        key: SigningKey::new(&[b'n'; 32], north.key.id().clone()),
    };
    let hello = |take_over: bool| {
        let mut body = json!({"versions": ["1.0"], "features": [], "program": "1.4.0", "boot": next.boot, "epoch": 1,
            "head": {"seq": 0, "hash": "0".repeat(64)}, "directive_cursor": 0, "now": at(0).to_string()});
        if take_over {
            body["take_over"] = json!(true);
        }
        body.to_string()
    };
    let refused = rig.call(&next, Method::POST, "hello", hello(false)).await;
    assert_eq!(refused, (StatusCode::CONFLICT, json!({"code": "already_connected"})));
    let (ended, _) = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(poll(&rig, &north, 0, 50), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(rig.call(&next, Method::POST, "hello", hello(true)).await.0, StatusCode::OK);
        })
    })
    .await
    .unwrap();
    assert_eq!(ended, (StatusCode::CONFLICT, json!({"code": "superseded"})));
    let (ended, ()) = tokio::time::timeout(Duration::from_secs(20), async {
        tokio::join!(poll(&rig, &next, 0, 50), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            rig.site.stop();
        })
    })
    .await
    .unwrap();
    assert_eq!(ended.0, StatusCode::NO_CONTENT);
}

/// Each call, with an object of its own, of another backend, and of nobody.
#[tokio::test]
async fn no_backend_touches_what_is_not_its_own() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let mut south = rig.backend("south").await;
    let (directive, order) = rig.request(&north, 1, &["a"]).await;
    rig.tell(&mut north, vec![(1, accepted(&directive, &order)), (2, started(1, "a", 1))]).await;
    let cancel = rig.cancel(&north, &order, &["a"]).await;
    let before: Vec<String> = dump(&rig).await;
    let done = |directive: &Ulid| {
        FactBody::CancelDone(from(json!({"request": order.request, "directive": directive,
        "actions": {"a": "stopped"}})))
    };
    // South tells of north's request, job and cancel, and of what nobody has.
    rig.tell(
        &mut south,
        vec![
            (3, accepted(&directive, &order)),
            (3, succeeded(1, "a", 1)),
            (3, done(&cancel)),
            (3, succeeded(77, "a", 1)),
            (3, done(&Ulid::from_parts(5, 5))),
            (3, from_rejected(1)),
        ],
    )
    .await;
    assert_eq!(dump(&rig).await, before);
    let apart: i64 = rig.one("SELECT count(*) FROM backend_fact WHERE backend = 2 AND not_applied IS NOT NULL").await;
    assert_eq!(apart, 5, "a rejected directive is a word about its own line");
    // Facts of north by south's token, and the other way round.
    let fact = north.fact(3, &succeeded(1, "a", 1));
    let (status, answer) = rig.facts(&south, std::slice::from_ref(&fact)).await;
    assert_eq!((status, answer), (StatusCode::FORBIDDEN, json!({"code": "wrong_backend"})));
    assert_eq!(dump(&rig).await, before);
    // South's line has nothing of north's.
    assert_eq!(poll(&rig, &south, 0, 0).await.0, StatusCode::NO_CONTENT);
    let (_, people) = rig.call(&south, Method::GET, "people?after=0", "").await;
    assert_eq!((&people["users"], &people["workspaces"]), (&json!([]), &json!({})));
    // And its own fact of its own job is taken.
    assert_eq!(rig.facts(&north, &[fact]).await.0, StatusCode::OK);
    assert_eq!(rig.one::<String>("SELECT status FROM job").await, "succeeded");
}

fn from_rejected(cursor: u64) -> FactBody {
    FactBody::DirectiveRejected(from(json!({"cursor": cursor, "code": "malformed"})))
}

async fn dump(rig: &Rig) -> Vec<String> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT json_array(number, status, reason, news_at) FROM job_request UNION ALL
         SELECT json_array(identifier, status, code, finished_at) FROM job UNION ALL
         SELECT json_array(id, answered_at, rejected) FROM directive UNION ALL
         SELECT json_array(action, result) FROM cancellation",
    )
    .fetch_all(rig.site.store.readers())
    .await
    .unwrap();
    rows.into_iter().map(|(row,)| row).collect()
}

#[tokio::test]
async fn a_rejected_order_is_a_failed_request() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let _ = rig.request(&north, 1, &["a"]).await;
    let _ = rig.request(&north, 2, &["a"]).await;
    let expired = FactBody::DirectiveRejected(from(json!({"cursor": 1, "code": "expired"})));
    rig.tell(&mut north, vec![(1, expired), (1, from_rejected(2))]).await;
    let reasons: Vec<(String, String)> = sqlx::query_as("SELECT status, reason FROM job_request ORDER BY number")
        .fetch_all(rig.site.store.readers())
        .await
        .unwrap();
    let expected = [("failed", "expired_before_start"), ("failed", "malformed")];
    assert_eq!(reasons, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[tokio::test]
async fn hello_tells_where_both_stand() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    rig.tell(&mut north, vec![(1, FactBody::Mode(from(json!({"mode": "open"}))))]).await;
    let _ = rig.request(&north, 1, &["a"]).await;
    let (status, answer) = rig.hello(&mut north).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["head"], json!({"epoch": 1, "seq": 1, "hash": north.chain.head.hash}));
    assert_eq!(
        (&answer["directive_cursor"], &answer["limits"]),
        (&json!(1), &json!({"facts": 500, "bytes": 1048576, "wait": 55}))
    );
    // Another history at a known place.
    north.chain.head.hash = protocol::text::hashes::Sha256Hex::of(&[b"x"]);
    assert_eq!(rig.hello(&mut north).await, (StatusCode::CONFLICT, json!({"code": "chain_conflict"})));
}

/// Spec protocol.md 7.1, row 5: the site was restored and lost requests.
#[tokio::test]
async fn lost_requests_are_made_again_from_what_facts_repeat() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    // The backend has three directives of which this site knows nothing any more.
    let body = json!({"versions": ["1.0"], "features": [], "program": "1.4.0", "boot": north.boot, "epoch": 1,
        "head": {"seq": 0, "hash": "0".repeat(64)}, "directive_cursor": 3, "directive_id": Ulid::from_parts(3, 3), "now": at(0).to_string()});
    let (status, answer) = rig.call(&north, Method::POST, "hello", body.to_string()).await;
    assert_eq!((status, &answer["directive_cursor"]), (StatusCode::OK, &json!(3)));
    let order = common::order(41, &["a", "b"]);
    rig.tell(&mut north, vec![(1, accepted(&Ulid::from_parts(2, 2), &order)), (2, started(41, "a", 1))]).await;
    let row: (i64, String, String, i64) =
        sqlx::query_as("SELECT number, status, branch, (SELECT count(*) FROM job) FROM job_request")
            .fetch_one(rig.site.store.readers())
            .await
            .unwrap();
    assert_eq!(row, (41, "running".into(), "main".into(), 2));
    // The next order goes behind all that the backend has seen.
    let _ = rig.request(&north, 42, &["a"]).await;
    let (_, answer) = poll(&rig, &north, 3, 0).await;
    assert_eq!(answer["directives"][0]["cursor"], json!(4));
}

/// `hello` of a backend that has stored directives up to this one.
async fn hello_at(rig: &Rig, north: &North, cursor: u64, id: Option<&Ulid>) -> (StatusCode, Value) {
    let mut body = json!({"versions": ["1.0"], "features": [], "program": "1.4.0", "boot": north.boot, "epoch": 1,
        "head": {"seq": 0, "hash": "0".repeat(64)}, "directive_cursor": cursor, "now": at(0).to_string()});
    if let Some(id) = id {
        body["directive_id"] = json!(id);
    }
    rig.call(north, Method::POST, "hello", body.to_string()).await
}

fn copy(from: &'static str, to: &'static str) -> impl FnOnce(&std::path::Path) {
    move |folder| {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.join(format!("{to}{end}")));
        }
        std::fs::copy(folder.join(from), folder.join(to)).unwrap();
    }
}

/// Spec protocol.md 7.1: a site that goes back to a copy of a history which it had left gives no place of the line twice.
#[tokio::test]
async fn a_restored_site_gives_no_place_of_the_line_twice() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let (first, _) = rig.request(&north, 1, &["a"]).await;
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::OK);
    assert_eq!(poll(&rig, &north, 1, 0).await.0, StatusCode::NO_CONTENT);
    let rig = rig.again(copy("site.sqlite", "early")).await;
    let (second, _) = rig.request(&north, 2, &["a"]).await;
    let rig = rig.again(copy("site.sqlite", "late")).await;

    // Back to the early copy, in which the second request never was. Another one gets its place, and is taken.
    let rig = rig.again(copy("early", "site.sqlite")).await;
    let (third, third_order) = rig.request(&north, 3, &["a"]).await;
    assert_eq!(poll(&rig, &north, 1, 0).await, (StatusCode::CONFLICT, json!({"code": "hello_first"})));
    assert_eq!(hello_at(&rig, &north, 1, Some(&first)).await.0, StatusCode::OK);
    let (_, answer) = poll(&rig, &north, 1, 0).await;
    assert_eq!((&answer["directives"][0]["cursor"], &answer["directives"][0]["id"]), (&json!(2), &json!(third)));

    // Now to the late copy, which has the second request at that place.
    let rig = rig.again(copy("late", "site.sqlite")).await;
    let (fourth, _) = rig.request(&north, 4, &["a"]).await;
    let (status, answer) = hello_at(&rig, &north, 2, Some(&third)).await;
    // 1 to 3 were given by this history; the first, second and fourth order, none of them answered, go behind them.
    assert_eq!((status, &answer["directive_cursor"]), (StatusCode::OK, &json!(6)));
    let (_, answer) = poll(&rig, &north, 2, 0).await;
    let keys = Keys::from([(text("site-1"), rig.site.line.public_key())]);
    let list = answer["directives"].as_array().unwrap();
    let found: Vec<_> =
        list.iter().map(|one| open(one, &text("north"), &keys, rig.site.clock.now()).unwrap()).collect();
    let places: Vec<u64> = found.iter().map(|one| one.cursor.get()).collect();
    assert_eq!(places, [3, 4, 5, 6, 7, 8]);
    assert_eq!((list[0]["type"].as_str(), &list[0]["body"]["users"]), (Some("rights_changed"), &json!([])));
    let ids: Vec<&Ulid> = found[1..4].iter().map(|one| &one.id).collect();
    assert_eq!(ids, [&first, &second, &fourth]);
    // What it may have told in the history that it left is told anew, as it is now.
    assert_eq!((&list[4]["type"], &list[5]["type"]), (&json!("permissions"), &json!("workspace")));
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM audit_event WHERE action = 'site_restored'").await, 1);

    // A restored backend that asks from the beginning finds a directive at every place.
    let (_, answer) = poll(&rig, &north, 0, 0).await;
    let places: Vec<u64> =
        answer["directives"].as_array().unwrap().iter().map(|one| one["cursor"].as_u64().unwrap()).collect();
    assert_eq!(places[..2], [1, 2]);

    // What was rejected at a former place is known by its id, and what was lost comes back; a rebuild makes the same of it.
    let mut north = north;
    let expired = json!({"cursor": 2, "directive": second, "code": "expired"});
    let facts = vec![(1, accepted(&third, &third_order)), (2, FactBody::DirectiveRejected(from(expired)))];
    rig.tell(&mut north, facts).await;
    let requests =
        "SELECT json_group_array(json_array(number, status, reason)) FROM (SELECT * FROM job_request ORDER BY number)";
    let expected = json!([
        [1, "pending", null],
        [2, "failed", "expired_before_start"],
        [3, "pending", null],
        [4, "pending", null]
    ]);
    assert_eq!(serde_json::from_str::<Value>(&rig.one::<String>(requests).await).unwrap(), expected);
    let before = dump(&rig).await;
    site::facts::rebuild(&rig.site).await.unwrap();
    assert_eq!(dump(&rig).await, before);
}

#[tokio::test]
async fn a_backend_that_claims_to_be_too_far_uses_up_no_places() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let (status, answer) = hello_at(&rig, &north, 9_007_199_254_740_991, Some(&Ulid::from_parts(1, 1))).await;
    assert_eq!((status, answer), (StatusCode::CONFLICT, json!({"code": "chain_conflict"})));
    assert_eq!(rig.one::<i64>("SELECT line_last FROM backend").await, 0);
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM audit_event WHERE action = 'backend_too_far'").await, 1);
}

#[tokio::test]
async fn a_new_epoch_waits_for_staff() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let old = north.fact(1, &FactBody::Mode(from(json!({"mode": "open"}))));
    assert_eq!(rig.facts(&north, std::slice::from_ref(&old)).await.0, StatusCode::OK);
    let key = SigningKey::new(&[42; 32], text("north-2"));
    let opened = FactBody::Opened(from(json!({"epoch": 2, "continues": {"epoch": 1, "seq": 1, "hash": old.hash},
        "reason": "new_key", "data_kind": "real", "version": "1.4.1", "public_key": key.public().text()})));
    let mut chain = Chain::new(text("north"), from(json!(2)));
    let first = chain.append(at(5), &opened, &key).unwrap();
    let waiting = (StatusCode::CONFLICT, json!({"code": "wrong_epoch", "epoch": 1}));
    assert_eq!(rig.facts(&north, std::slice::from_ref(&first)).await, waiting);
    // Asking again is no other proposal; staff agree to what they have seen and to nothing else.
    assert_eq!(rig.facts(&north, std::slice::from_ref(&first)).await, waiting);
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM audit_event WHERE action = 'backend_epoch_proposed'").await, 1);
    let offered = site::line::offered(&rig.site, north.id).await.unwrap().unwrap();
    assert_eq!(offered.words, protocol::keys::fingerprint(&text("north"), &key.public(), &rig.site.line.public_key()));
    let mut change = rig.site.store.change().await.unwrap();
    let other = site::line::confirm_epoch(&mut change, &rig.site, north.id, &old.hash, None).await;
    assert!(matches!(other, Err(site::line::EpochError::Changed)), "{other:?}");
    let found = site::line::confirm_epoch(&mut change, &rig.site, north.id, &offered.hash, None).await.unwrap();
    change.commit().await.unwrap();
    assert!(found.new_key && found.lost_by_backend == 0);
    assert!(site::line::offered(&rig.site, north.id).await.unwrap().is_none());
    let second = chain.append(at(6), &FactBody::Mode(from(json!({"mode": "paused"}))), &key).unwrap();
    let (status, answer) = rig.facts(&north, &[first, second]).await;
    assert_eq!((status, &answer["epoch"], &answer["through"]), (StatusCode::OK, &json!(2), &json!(2)));
    assert_eq!(rig.one::<String>("SELECT data_kind || ' ' || mode FROM backend").await, "real paused");
    // The old key counts no more, the old epoch is closed.
    let late = north.fact(7, &FactBody::Mode(from(json!({"mode": "open"}))));
    assert_eq!(rig.facts(&north, &[late]).await, (StatusCode::CONFLICT, json!({"code": "wrong_epoch", "epoch": 2})));
}

#[tokio::test]
async fn a_key_changes_in_the_chain_and_a_token_by_directive() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let key = SigningKey::new(&[43; 32], text("north-next"));
    let changed = FactBody::Key(from(json!({"key": "north-next", "public_key": key.public().text()})));
    rig.tell(&mut north, vec![(1, changed)]).await;
    let old = std::mem::replace(&mut north.key, key);
    let mut branch = north.chain.clone();
    let by_old = branch.append(at(2), &FactBody::Mode(from(json!({"mode": "open"}))), &old).unwrap();
    assert_eq!(rig.facts(&north, &[by_old]).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    rig.tell(&mut north, vec![(2, FactBody::Mode(from(json!({"mode": "open"}))))]).await;

    let mut change = rig.site.store.change().await.unwrap();
    let sent = site::line::rotate(&mut change, &rig.site, north.id).await.unwrap();
    change.commit().await.unwrap();
    rig.site.line.wake(&sent);
    let (_, answer) = poll(&rig, &north, 0, 0).await;
    let new = answer["directives"][0]["body"]["token"].as_str().unwrap().to_owned();
    let old = std::mem::replace(&mut north.token, new);
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::OK);
    // An hour after the first use of the new one the old one is over.
    rig.site.clock.advance(3599);
    let new = std::mem::replace(&mut north.token, old);
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::OK);
    rig.site.clock.advance(2);
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::UNAUTHORIZED);
    north.token = new;
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::OK);
}

/// Spec protocol.md 3.3: `workspace` and `permissions`, to the backends that run it and to no other.
#[tokio::test]
async fn what_changed_is_told_to_those_who_run_it() {
    let rig = Rig::new().await;
    let (north, south) = (rig.backend("north").await, rig.backend("south").await);
    let _ = rig.request(&north, 1, &["a"]).await;
    let told = async |after: i64| {
        let (status, answer) = poll(&rig, &north, after, 0).await;
        assert_eq!(status, StatusCode::OK);
        let list = answer["directives"].as_array().unwrap().clone();
        assert_eq!(list.len(), 1, "{list:?}");
        (list[0]["type"].as_str().unwrap().to_owned(), list[0]["body"].clone())
    };
    let state = |archived: bool, retired: bool| {
        let body = json!({"name": "winter-chest", "archived": archived, "project_retired": retired});
        ("workspace".to_owned(), body)
    };
    rig.run("UPDATE workspace SET archived_at = 5, archived_by = 1, archive_reason = 'x'").await;
    assert_eq!(told(1).await, state(true, false));
    rig.run("UPDATE project SET status = 'retired'").await;
    assert_eq!(told(2).await, state(true, true));
    // What changes nothing for a backend is not told.
    rig.run("UPDATE workspace SET archived_at = NULL, archived_by = NULL; UPDATE project SET status = 'ongoing', name = 'New'").await;
    assert_eq!(told(3).await, state(false, false));
    rig.run("UPDATE project SET status = 'postponed'; UPDATE workspace SET branch = 'next'").await;
    assert_eq!(poll(&rig, &north, 4, 0).await.0, StatusCode::NO_CONTENT);

    rig.run(
        "INSERT INTO permission_grant (id, project, permission_kind, reason, proposed_at)
         VALUES (1, 1, (SELECT id FROM permission_kind WHERE code = 'icnarc'), 'x', 1)",
    )
    .await;
    assert_eq!(poll(&rig, &north, 4, 0).await.0, StatusCode::NO_CONTENT, "a proposal is no permission");
    rig.run("UPDATE permission_grant SET approved_at = 7").await;
    let (kind, body) = told(4).await;
    assert_eq!((kind.as_str(), &body["project"]), ("permissions", &json!("winter-pressures")));
    let list = &body["permissions"];
    assert_eq!(
        (&list[0]["kind"], &list[0]["code"], list.as_array().unwrap().len()),
        (&json!("dataset"), &json!("icnarc"), 1)
    );
    rig.run("UPDATE permission_grant SET revoked_at = 8").await;
    assert_eq!(told(5).await.1["permissions"], json!([]));
    assert_eq!(poll(&rig, &south, 0, 0).await.0, StatusCode::NO_CONTENT);
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM to_tell").await, 0);
}

/// Spec protocol.md 2: a token lives 90 days; nobody has to remember that.
#[tokio::test]
async fn a_token_is_renewed_in_its_last_month() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    rig.site.clock.advance(59 * 86_400);
    assert_eq!(poll(&rig, &north, 0, 0).await.0, StatusCode::NO_CONTENT);
    rig.site.clock.advance(2 * 86_400);
    let (_, answer) = poll(&rig, &north, 0, 0).await;
    assert_eq!(answer["directives"][0]["type"], "credential");
    assert_eq!(poll(&rig, &north, 1, 0).await.0, StatusCode::NO_CONTENT, "once");
    assert_eq!(rig.one::<i64>("SELECT count(*) FROM audit_event WHERE action = 'backend_token_renewed'").await, 1);
    let new = answer["directives"][0]["body"]["token"].as_str().unwrap().to_owned();
    rig.site.clock.advance(30 * 86_400);
    assert_eq!(poll(&rig, &north, 1, 0).await.0, StatusCode::UNAUTHORIZED);
    north.token = new;
    assert_eq!(poll(&rig, &north, 1, 0).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn gauges_of_the_newest_start_count() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    let gauges = |boot: &Ulid, seconds: i64, running: u64| {
        json!({"at": at(seconds).to_string(), "boot": boot, "mode": "open", "version": "1.4.0",
        "pools": [{"pool": "db", "capacity": 6, "running": running, "waiting": 2, "weight_running": running}],
        "queue": [{"job": common::job_id(1, "a"), "pool": "db", "position": 2}], "disk": "ok", "directive_cursor": 0,
        "fact_head": {"epoch": 1, "seq": 0}})
        .to_string()
    };
    assert_eq!(rig.call(&north, Method::POST, "gauges", gauges(&north.boot, 5, 3)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(rig.call(&north, Method::POST, "gauges", gauges(&north.boot, 4, 9)).await.0, StatusCode::NO_CONTENT);
    let seen = rig.site.line.seen(north.id);
    assert_eq!(seen.gauges.unwrap().pools.as_ref().unwrap()[0].running.get(), 3);
    let other = Ulid::from_parts(1, 1);
    assert_eq!(rig.call(&north, Method::POST, "gauges", gauges(&other, 9, 1)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(rig.call(&north, Method::POST, "gauges", "{}").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_roster_has_members_their_roles_and_their_workspaces() {
    let rig = Rig::new().await;
    let north = rig.backend("north").await;
    rig.run(
        "INSERT INTO account (id, username, username_key, fullname, kind, created_at, disabled_at) VALUES
             (2, 'checker-1', 'checker-1', 'First Checker', 'human', 1, NULL),
             (3, 'gone', 'gone', 'Gone Person', 'human', 1, 5),
             (4, 'stranger', 'stranger', 'Stranger', 'human', 1, NULL);
         INSERT INTO backend_member (backend, account, created_at) VALUES (1, 1, 1), (1, 2, 1), (1, 3, 1);
         INSERT INTO role_grant (account, role, scope, scope_id, reason, created_at, approved_at, expires_at, revoked_at) VALUES
             (1, 'ProjectDeveloper', 'project', 1, 'x', 1, NULL, 4000000000000000, NULL),
             (1, 'ProjectCollaborator', 'project', 1, 'x', 1, NULL, 5, NULL),
             (2, 'OutputChecker', 'site', 0, 'x', 1, 2, NULL, NULL),
             (2, 'OutputChecker', 'backend', 1, 'not approved', 1, NULL, NULL, NULL),
             (2, 'TechSupport', 'site', 0, 'x', 1, NULL, NULL, 7);",
    )
    .await;
    let (status, roster) = rig.call(&north, Method::GET, "people?after=0", "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        roster["users"],
        json!([
            {"username": "checker-1", "fullname": "First Checker", "disabled": false,
             "roles": [{"role": "output_checker", "scope": "site"}]},
            {"username": "gone", "fullname": "Gone Person", "disabled": true, "roles": []},
            {"username": "sample-r", "fullname": "Sample Researcher", "disabled": false,
             "roles": [{"role": "project_developer", "scope": {"project": "winter-pressures"}, "ends_at": "2096-10-02T07:06:40.000000Z"}]},
        ])
    );
    assert_eq!(
        roster["workspaces"],
        json!({"winter-chest": {"archived": false, "project_details": {"name": "POS-2026-0412 - Winter pressures", "ongoing": true, "orgs": ["northfield"]}}})
    );
    let revision = roster["revision"].as_i64().unwrap();
    let path = format!("people?after={revision}");
    assert_eq!(rig.call(&north, Method::GET, &path, "").await.0, StatusCode::NO_CONTENT);
    rig.run("UPDATE role_grant SET revoked_at = 9 WHERE account = 1").await;
    let (status, roster) = rig.call(&north, Method::GET, &path, "").await;
    assert_eq!((status, &roster["users"][2]["roles"]), (StatusCode::OK, &json!([])));
}

/// Facts and orders may be packed; a small packet that unfolds to more than a batch is no batch.
#[tokio::test]
async fn bodies_may_be_packed_both_ways() {
    let rig = Rig::new().await;
    let mut north = rig.backend("north").await;
    let fact = north.fact(1, &FactBody::Mode(from(json!({"mode": "open"}))));
    let pack = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let post = async |body: Vec<u8>, kind: &str| {
        let request = Request::post("/backend/v1/facts")
            .header("Host", "127.0.0.1")
            .header("Authorization", format!("Bearer {}", north.token))
            .header("Cloister-Protocol", "1.0")
            .header("Cloister-Boot", north.boot.as_str())
            .header("Content-Encoding", kind);
        rig.send(request.body(Body::from(body)).unwrap()).await
    };
    let batch = format!("{{\"facts\":[{}]}}", fact.text());
    assert_eq!(post(pack(&batch), "gzip").await.0, StatusCode::OK);
    let bomb = pack(&" ".repeat(3 * 1024 * 1024));
    assert!(bomb.len() < 10_000);
    assert_eq!(post(bomb, "gzip").await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post(b"no packet".to_vec(), "gzip").await.0, StatusCode::BAD_REQUEST);
}
