//! Attacks on sign-in, sessions, forms and addresses (spec site.md 20.4).

use std::sync::Arc;

use crate::world::{Browser, HOST, ORIGIN, PASSWORD, Pairs, World};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use site::access::{Account, Object, Permission, Person, Place, RequestId, Role, TokenScope, Viewer};
use site::people::{By, accounts, codes, roles};
use site::settings::Chosen;
use site::{Settings, Site};

async fn with_password(world: &World, username: &str) -> i64 {
    let id = world.account(username).await;
    let kept = accounts::kept(username, PASSWORD.to_owned()).await.unwrap();
    world.operate(async |change, by| accounts::set_password(change, by, id, &kept, None).await.unwrap()).await;
    id
}

#[tokio::test]
async fn the_set_up_link_makes_one_administrator_once() {
    let world = World::new().await;
    let link = codes::setup_link(&world.site).await.unwrap().unwrap();
    let path = link.strip_prefix(ORIGIN).unwrap();
    let nobody = Browser::default();
    assert_eq!(world.get(&nobody, path).await.status, StatusCode::OK);
    let code = path.split_once('=').unwrap().1;
    let typed = [("code", code), ("username", "ann"), ("fullname", "Ann Example"), ("password", PASSWORD)];
    let weak = [("code", code), ("username", "ann"), ("fullname", "Ann Example"), ("password", "password1234")];
    let refused = world.post(&nobody, "/welcome/", &weak).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Ann Example") && !refused.text.contains("password1234"));
    let done = world.post(&nobody, "/welcome/", &typed).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let csrf = world.csrf_of(done.cookie()).await;
    let ann = Browser { cookie: done.cookie().to_owned(), csrf, token: String::new() };
    let settings = world.get(&ann, "/settings/").await.text;
    assert!(settings.contains("SiteAdministrator") && settings.contains("StaffAreaAdministrator"));
    assert_eq!(world.post(&nobody, "/welcome/", &typed).await.status, StatusCode::CONFLICT);
    assert_eq!(codes::setup_link(&world.site).await.unwrap(), None);
}

#[tokio::test]
async fn a_set_up_link_ends_after_half_an_hour() {
    let world = World::new().await;
    let link = codes::setup_link(&world.site).await.unwrap().unwrap();
    world.site.clock.advance(30 * 60 - 1);
    assert_eq!(world.get(&Browser::default(), link.strip_prefix(ORIGIN).unwrap()).await.status, StatusCode::OK);
    world.site.clock.advance(1);
    assert_eq!(world.get(&Browser::default(), link.strip_prefix(ORIGIN).unwrap()).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_sign_in_reads_the_same() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    let gone = with_password(&world, "ben").await;
    world.operate(async |change, by| accounts::disable(change, by, gone, "left").await.unwrap()).await;
    world.account("cat").await;
    let nobody = Browser::default();
    let mut said = Vec::new();
    for (name, password) in
        [("ann", "wrong wrong wrong"), ("nobody", PASSWORD), ("ben", PASSWORD), ("cat", ""), ("\u{202e}", "x")]
    {
        let answer = world.post(&nobody, "/login/", &[("username", name), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert_eq!(answer.header("set-cookie"), "");
        let start = answer.text.find("role=alert").unwrap();
        said.push(answer.text[start..].split("</ul>").next().unwrap().to_owned());
    }
    assert!(said.windows(2).all(|two| two[0] == two[1]), "{said:?}");
    let answer = world.post(&nobody, "/login/", &[("username", "ANN"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_guessed_account_waits_and_so_does_a_name_that_nobody_has() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    for name in ["ann", "nobody"] {
        let typed = [("username", name), ("password", "wrong wrong wrong")];
        for _ in 0..5 {
            assert_eq!(
                world.post(&Browser::default(), "/login/", &typed).await.status,
                StatusCode::UNPROCESSABLE_ENTITY
            );
        }
        let typed = [("username", name), ("password", PASSWORD)];
        let answer = world.post(&Browser::default(), "/login/", &typed).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(!answer.header("retry-after").is_empty());
    }
}

#[tokio::test]
async fn an_address_that_guesses_is_stopped() {
    let world = World::with(|settings| settings.rates.sign_in_tries = 3).await;
    for (at, name) in ["a", "b", "c", "d"].iter().enumerate() {
        let answer = world.post(&Browser::default(), "/login/", &[("username", name), ("password", "x")]).await;
        let expected = if at < 3 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(answer.status, expected);
    }
}

#[tokio::test]
async fn a_session_id_that_the_browser_brought_is_never_taken() {
    let world = World::new().await;
    world.account("ann").await;
    let brought = Browser { cookie: format!("cloister={}", "a".repeat(43)), ..Browser::default() };
    let answer = world.post(&brought, "/login/persona/", &[("username", "ann")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_ne!(answer.cookie(), brought.cookie);
    for mark in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(answer.header("set-cookie").contains(mark));
    }
    assert_eq!(world.get(&brought, "/settings/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_of_before_and_signing_out_ends_it_at_the_server() {
    let world = World::new().await;
    world.account("ann").await;
    let first = world.sign_in("ann").await;
    let answer = world.post(&first, "/login/persona/", &[("username", "ann")]).await;
    assert_eq!(world.get(&first, "/settings/").await.status, StatusCode::SEE_OTHER);
    let csrf = world.csrf_of(answer.cookie()).await;
    let second = Browser { cookie: answer.cookie().to_owned(), csrf, token: String::new() };
    assert_eq!(world.get(&second, "/settings/").await.status, StatusCode::OK);
    let out = world.post(&second, "/logout/", &[]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(world.get(&second, "/settings/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn sessions_end_when_unused_and_after_a_week_and_sooner_for_staff() {
    let world = World::new().await;
    world.alone().await;
    let (ann, bob) = (world.account("ann").await, world.account("bob").await);
    world.role(bob, Role::Auditor, Place::Site).await;
    let (person, staff) = (world.sign_in("ann").await, world.sign_in("bob").await);
    let hour = 3_600;
    world.site.clock.advance(2 * hour + 1);
    assert_eq!(world.get(&staff, "/settings/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.get(&person, "/settings/").await.status, StatusCode::OK);
    world.site.clock.advance(12 * hour - 1);
    assert_eq!(world.get(&person, "/settings/").await.status, StatusCode::OK);
    world.site.clock.advance(12 * hour);
    assert_eq!(world.get(&person, "/settings/").await.status, StatusCode::SEE_OTHER);
    let person = world.sign_in("ann").await;
    for _ in 0..15 {
        world.site.clock.advance(11 * hour);
        assert_eq!(world.get(&person, "/settings/").await.status, StatusCode::OK);
    }
    world.site.clock.advance(3 * hour);
    assert_eq!(world.get(&person, "/settings/").await.status, StatusCode::SEE_OTHER);
    let _ = ann;
}

#[tokio::test]
async fn a_disabled_person_is_out_at_once() {
    let world = World::new().await;
    let ann = world.account("ann").await;
    let browser = world.sign_in("ann").await;
    let token = world.token(ann, &[TokenScope::Read], &[]).await;
    world.operate(async |change, by| accounts::disable(change, by, ann, "left").await.unwrap()).await;
    assert_eq!(world.get(&browser, "/settings/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.get(&token, "/api/v1/nothing").await.status, StatusCode::UNAUTHORIZED);
    let again = world.post(&Browser::default(), "/login/persona/", &[("username", "ann")]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_role_counts_until_it_ends_or_is_revoked() {
    let world = World::new().await;
    let ann = world.account("ann").await;
    let project = world.project("winter").await;
    let expires_at = Some(world.site.clock.microseconds() + 60_000_000);
    let new = roles::New {
        account: ann,
        role: Role::ProjectDeveloper,
        place: Place::Project(project),
        reason: "r",
        expires_at,
    };
    world.operate(async |change, by| roles::grant(change, by, new).await.unwrap()).await;
    let browser = world.sign_in("ann").await;
    assert_eq!(world.get(&browser, "/winter/edit/").await.status, StatusCode::OK);
    world.site.clock.advance(60);
    let refused = world.get(&browser, "/winter/edit/").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("project_manage"));
    let answer = world.post(&browser, "/winter/edit/", &[("status", "retired")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn one_projects_developer_is_nobody_in_another() {
    let world = World::new().await;
    let ann = world.account("ann").await;
    let (own, other) = (world.project("winter").await, world.project("summer").await);
    world.workspace(own, "snow").await;
    world.workspace(other, "sun").await;
    world.role(ann, Role::ProjectDeveloper, Place::Project(own)).await;
    let browser = world.sign_in("ann").await;
    assert_eq!(world.get(&browser, "/winter/snow/edit/").await.status, StatusCode::OK);
    assert_eq!(world.get(&browser, "/summer/sun/edit/").await.status, StatusCode::FORBIDDEN);
    // A workspace under a project that it is not in is no address at all, whoever asks.
    for path in ["/winter/sun/edit/", "/summer/snow/edit/", "/nothing/snow/edit/", "/winter/nothing/edit/"] {
        assert_eq!(world.get(&browser, path).await.status, StatusCode::NOT_FOUND, "{path}");
        let archived =
            world.post(&browser, &path.replace("edit", "archive"), &[("archived", "yes"), ("reason", "r")]).await;
        assert_eq!(archived.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_form_of_elsewhere_changes_nothing_and_what_was_typed_is_kept() {
    let world = World::new().await;
    world.account("ann").await;
    let browser = world.sign_in("ann").await;
    let typed = |csrf: &str| format!("csrf={csrf}&fullname=Long+typed+name&password=hidden-word");
    let own = [("origin", ORIGIN)];
    let other_session = world.sign_in("ann").await.csrf;
    let cases: [(&str, String, Pairs); 9] = [
        ("no token", "fullname=Long+typed+name".to_owned(), &own),
        ("a wrong token", typed("wrong"), &own),
        ("another session's token", typed(&other_session), &own),
        ("no origin", typed(&browser.csrf), &[]),
        ("another origin", typed(&browser.csrf), &[("origin", "https://evil.example")]),
        ("an opaque origin", typed(&browser.csrf), &[("origin", "null")]),
        ("another port of this machine", typed(&browser.csrf), &[("origin", "http://127.0.0.1:8001")]),
        (
            "another site by its fetch mark",
            typed(&browser.csrf),
            &[("origin", ORIGIN), ("sec-fetch-site", "cross-site")],
        ),
        ("a neighbour by its fetch mark", typed(&browser.csrf), &[("sec-fetch-site", "same-site")]),
    ];
    for (what, body, headers) in cases {
        let answer = world.send(&browser, "/settings/profile/", body, headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
        assert!(answer.text.contains("Long typed name"), "{what}");
        assert!(!answer.text.contains("hidden-word"), "{what}");
    }
    assert!(!world.get(&browser, "/settings/").await.text.contains("Long typed name"));
    let ours =
        world.send(&browser, "/settings/profile/", typed(&browser.csrf), &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(ours.status, StatusCode::SEE_OTHER);
    // Signing somebody in from elsewhere is forged too, though nobody has a session yet.
    let answer = world.send(&Browser::default(), "/login/persona/", "username=ann".to_owned(), &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn signing_in_comes_back_to_this_site_only() {
    let world = World::new().await;
    world.account("ann").await;
    let asked = world.get(&Browser::default(), "/settings/?done=x").await;
    assert_eq!(asked.header("location"), "/login/?next=%2Fsettings%2F%3Fdone%3Dx");
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
    {
        let answer = world.post(&Browser::default(), "/login/persona/", &[("username", "ann"), ("next", next)]).await;
        assert_eq!(answer.header("location"), "/", "{next}");
        let browser = Browser { cookie: answer.cookie().to_owned(), ..Browser::default() };
        let coded: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        assert_eq!(world.get(&browser, &format!("/login/?next={coded}")).await.header("location"), "/", "{next}");
    }
    let answer =
        world.post(&Browser::default(), "/login/persona/", &[("username", "ann"), ("next", "/status/?a=b")]).await;
    assert_eq!(answer.header("location"), "/status/?a=b");
    // A form that was sent without a session comes back to its page, if that was one of ours.
    for (referer, back) in [
        ("http://127.0.0.1:8000/x/y/?z", "%2Fx%2Fy%2F%3Fz"),
        ("https://evil.example/x/", "%2F"),
        ("http://127.0.0.1:8000@evil.example/", "%2F"),
    ] {
        let answer = world
            .send(&Browser::default(), "/settings/profile/", String::new(), &[("origin", ORIGIN), ("referer", referer)])
            .await;
        assert_eq!(answer.header("location"), format!("/login/?next={back}"));
    }
}

#[tokio::test]
async fn only_own_host_names_are_answered() {
    let world = World::new().await;
    for (host, expected) in [
        (HOST, 200),
        ("localhost:8000", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("evil.example:8000", 400),
    ] {
        let answer =
            world.ask(&Browser::default(), Method::GET, "/health/live", Body::empty(), &[("host", host)]).await;
        assert_eq!(answer.status.as_u16(), expected, "{host}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let world = World::new().await;
    for (path, status) in [
        ("/health/live", 200),
        ("/login/", 200),
        ("/settings/", 303),
        ("/nothing/at/all", 404),
        ("/login/?x=%ff", 400),
        ("/api/v1/nothing", 404),
    ] {
        let answer = world.get(&Browser::default(), path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {part}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert_eq!(answer.header("x-request-id").len(), 16);
        assert_eq!(answer.header("strict-transport-security"), "");
        assert!(!answer.text.contains("<script>") && !answer.text.contains(" style="), "{path}");
    }
    let https = World::with(|settings| {
        settings.origin = "https://jobs.example.org".to_owned();
        settings.listen = "0.0.0.0:443".parse().unwrap();
        settings.personas = false;
    })
    .await;
    let answer =
        https.ask(&Browser::default(), Method::GET, "/login/", Body::empty(), &[("host", "jobs.example.org")]).await;
    assert!(!answer.header("strict-transport-security").is_empty());
}

#[tokio::test]
async fn cookies_are_bound_to_https_where_there_is_https() {
    let world = World::with(|settings| {
        settings.origin = "https://jobs.example.org".to_owned();
        settings.listen = "0.0.0.0:443".parse().unwrap();
        settings.personas = false;
    })
    .await;
    with_password(&world, "ann").await;
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("username", "ann"), ("password", PASSWORD)])
        .finish();
    let headers = [("host", "jobs.example.org"), ("origin", "https://jobs.example.org")];
    let answer = world.send(&Browser::default(), "/login/", body, &headers).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-cloister=") && cookie.contains("; Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
}

#[tokio::test]
async fn people_to_pick_from_do_not_exist_on_a_real_site() {
    let world = World::with(|settings| settings.personas = false).await;
    world.account("ann").await;
    assert!(!world.get(&Browser::default(), "/login/").await.text.contains("Pick a person"));
    let answer = world.post(&Browser::default(), "/login/persona/", &[("username", "ann")]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let folder = tempfile::tempdir().unwrap();
    let chosen = Chosen { data: Some(folder.path().to_owned()), ..Chosen::default() };
    let settings = Settings::read(None, chosen).unwrap();
    let settings = Settings {
        personas: true,
        listen: "0.0.0.0:8000".parse().unwrap(),
        origin: "https://a.example".into(),
        ..settings
    };
    assert!(Site::open(settings).await.is_err());
}

#[tokio::test]
async fn tokens_are_refused_in_addresses_and_reach_no_pages() {
    let world = World::new().await;
    let ann = world.account("ann").await;
    let token = world.token(ann, TokenScope::ALL, &[]).await;
    for path in [
        format!("/login/?token={}", token.token),
        format!("/{}/", token.token),
        format!("/login/?clo_b{}", "a".repeat(49)),
    ] {
        let answer = world.get(&Browser::default(), &path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!answer.text.contains(&token.token));
    }
    assert_eq!(world.get(&token, "/settings/").await.status, StatusCode::SEE_OTHER);
    let wrong = Browser { token: format!("{}x", &token.token[..token.token.len() - 1]), ..Browser::default() };
    assert_eq!(world.get(&wrong, "/api/v1/nothing").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.get(&token, "/api/v1/nothing").await.status, StatusCode::NOT_FOUND);
    world.site.clock.advance(24 * 3_600);
    assert_eq!(world.get(&token, "/api/v1/nothing").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    world.account("ann").await;
    let browser = world.sign_in("ann").await;
    let made = world
        .post(
            &browser,
            "/settings/tokens/",
            &[("name", "n"), ("days", "90"), ("scopes", "read"), ("scopes", "request:run")],
        )
        .await;
    let at = made.text.find("clo_p").unwrap();
    let token = made.text[at..at + 54].to_owned();
    assert!(site::access::secret::is_token(site::access::secret::Kind::Person, &token));
    let later = world.get(&browser, "/settings/").await.text;
    assert!(!later.contains(&token) && later.contains(&token[..8]) && later.contains("read request:run"));
    let bytes = std::fs::read(world.site.settings.database()).unwrap();
    let log = std::fs::read(world.site.settings.database().with_extension("sqlite-wal")).unwrap_or_default();
    for bytes in [bytes, log] {
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
    for (days, name) in [("0", "n"), ("366", "n"), ("x", "n"), ("90", "")] {
        let refused =
            world.post(&browser, "/settings/tokens/", &[("name", name), ("days", days), ("scopes", "read")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{days} {name}");
    }
}

#[tokio::test]
async fn nobody_revokes_or_ends_what_is_anothers() {
    let world = World::new().await;
    let ann = world.account("ann").await;
    world.account("eve").await;
    let token = world.token(ann, &[TokenScope::Read], &[]).await;
    let (anns, eves) = (world.sign_in("ann").await, world.sign_in("eve").await);
    assert_eq!(world.post(&eves, "/settings/tokens/revoke/", &[("token", "1")]).await.status, StatusCode::CONFLICT);
    assert_eq!(world.get(&token, "/api/v1/nothing").await.status, StatusCode::NOT_FOUND);
    let id = anns.cookie.strip_prefix("cloister=").unwrap();
    let hash = data_encoding::HEXLOWER.encode(&site::access::secret::hash(id));
    world.post(&eves, "/settings/sessions/end/", &[("session", &hash)]).await;
    assert_eq!(world.get(&anns, "/settings/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_text_or_too_large_is_refused() {
    let world = World::new().await;
    world.account("ann").await;
    let browser = world.sign_in("ann").await;
    for path in ["/login/?next=%00", "/login/?next=%ff", "/%ff/", "/a%00b/", "/login/?x=%zz"] {
        assert_eq!(world.get(&Browser::default(), path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let own = [("origin", ORIGIN)];
    let with = |value: &str| format!("csrf={}&fullname={value}", browser.csrf);
    assert_eq!(world.send(&browser, "/settings/profile/", with("%00"), &own).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.send(&browser, "/settings/profile/", with("%ff"), &own).await.status, StatusCode::BAD_REQUEST);
    let large = with(&"a".repeat(1024 * 1024));
    assert_eq!(world.send(&browser, "/settings/profile/", large, &own).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = world
        .ask(
            &browser,
            Method::POST,
            "/settings/profile/",
            Body::from("{}"),
            &[("content-type", "application/json"), ("origin", ORIGIN)],
        )
        .await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(
        world.ask(&browser, Method::DELETE, "/settings/", Body::empty(), &own).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn pages_are_limited_by_address_and_by_person() {
    let world =
        World::with(|settings| settings.rates.pages = site::access::rate::Rate { per_second: 0.001, burst: 4.0 }).await;
    world.account("ann").await;
    // Two of the four: signing in, and the page that tells the token.
    let browser = world.sign_in("ann").await;
    let nobody = Browser::default();
    let told =
        [world.get(&nobody, "/login/").await, world.get(&nobody, "/login/").await, world.get(&nobody, "/login/").await];
    assert_eq!(told.each_ref().map(|answer| answer.status.as_u16()), [200, 200, 200]);
    let answer = world.get(&nobody, "/login/").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    for _ in 0..3 {
        assert_eq!(world.get(&browser, "/settings/").await.status, StatusCode::OK);
    }
    assert_eq!(world.get(&browser, "/settings/").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn two_people_make_a_checker_and_nobody_makes_themselves_one() {
    let world = World::new().await;
    let (ann, ben, cat) = (world.account("ann").await, world.account("ben").await, world.account("cat").await);
    for id in [ann, ben] {
        let grant = world.role(id, Role::SiteAdministrator, Place::Site).await;
        // The operator granted it, so the operator is not also the second person.
        let mut change = world.site.store.change().await.unwrap();
        assert!(roles::approve(&mut change, &By::operator(), grant).await.is_err());
        sqlx::query("UPDATE role_grant SET approved_at = 1 WHERE id = ?1")
            .bind(grant)
            .execute(&mut *change)
            .await
            .unwrap();
        change.commit().await.unwrap();
    }
    let (ann_by, ben_by) = (by(&world, "ann").await, by(&world, "ben").await);
    let new = |account, role| roles::New { account, role, place: Place::Site, reason: "r", expires_at: None };
    let mut change = world.site.store.change().await.unwrap();
    assert!(roles::grant(&mut change, &ann_by, new(ann, Role::OutputChecker)).await.is_err());
    assert!(roles::grant(&mut change, &by(&world, "cat").await, new(ben, Role::Auditor)).await.is_err());
    let roles::Granted::Waits(grant) = roles::grant(&mut change, &ann_by, new(cat, Role::OutputChecker)).await.unwrap()
    else {
        panic!("a checker counts by one person's word")
    };
    assert!(roles::approve(&mut change, &ann_by, grant).await.is_err());
    assert!(roles::approve(&mut change, &By::operator(), grant).await.is_err());
    change.commit().await.unwrap();
    assert!(!holds(&world, "cat", Permission::ReleaseFileUpload).await);
    let mut change = world.site.store.change().await.unwrap();
    roles::approve(&mut change, &ben_by, grant).await.unwrap();
    change.commit().await.unwrap();
    assert!(holds(&world, "cat", Permission::ReleaseFileUpload).await);
    // What one of them could do to be alone is refused too.
    let mut change = world.site.store.change().await.unwrap();
    assert!(roles::set_two_people(&mut change, &ann_by, false).await.is_err());
}

async fn viewer(world: &World, username: &str) -> Viewer {
    let id = accounts::find(&world.site.store, username).await.unwrap().unwrap();
    let now = world.site.clock.microseconds();
    let account = Account::load(&world.site.store, id, now).await.unwrap().unwrap();
    Viewer::Person(Arc::new(Person { account, csrf: String::new(), session: [0; 32], strong_auth_at: now }))
}

async fn by(world: &World, username: &str) -> By {
    By::viewer(&viewer(world, username).await, &RequestId("test".to_owned()))
}

async fn holds(world: &World, username: &str, permission: Permission) -> bool {
    viewer(world, username).await.can(permission, &Object::SITE)
}
