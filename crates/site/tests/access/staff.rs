//! Staff at work: what they do by pages is done, written down, and shown as text whatever it is.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use sha2::{Digest, Sha256};
use site::access::{Permission, Place, Role};
use site::audit;
use site::people::{accounts, lists, roles};

use crate::world::{Browser, ORIGIN, Pairs, World};

const MARK: &str = "\"><script>x</script>'&";

async fn staff(world: &World) -> Browser {
    world.alone().await;
    let id = world.account("staff").await;
    for role in [
        Role::StaffAreaAdministrator,
        Role::ServiceAdministrator,
        Role::SiteAdministrator,
        Role::DataAuthority,
        Role::Auditor,
    ] {
        world.role(id, role, Place::Site).await;
    }
    world.sign_in("staff").await
}

async fn done(world: &World, browser: &Browser, path: &str, fields: &[(&str, &str)]) {
    let answer = world.post(browser, path, fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.text);
}

async fn acts(world: &World) -> Vec<String> {
    let sql = "SELECT action FROM audit_event ORDER BY seq";
    sqlx::query_scalar(sql).fetch_all(world.site.store.readers()).await.unwrap()
}

#[tokio::test]
async fn a_site_is_filled_by_pages_alone_and_every_act_is_written_down() {
    let world = World::new().await;
    let staff = staff(&world).await;
    let before = acts(&world).await.len();
    done(&world, &staff, "/staff/users/", &[("username", "ann"), ("fullname", MARK)]).await;
    done(&world, &staff, "/staff/orgs/", &[("slug", "northfield"), ("name", MARK), ("description", MARK)]).await;
    done(&world, &staff, "/staff/orgs/northfield/members/", &[("username", "ANN")]).await;
    let project =
        [("name", MARK), ("slug", "winter"), ("category", "approved"), ("org", "northfield"), ("number", "172")];
    done(&world, &staff, "/staff/projects/", &project).await;
    let member = [("username", "ann"), ("role", "ProjectDeveloper"), ("reason", MARK), ("expires", "2999-01-01")];
    done(&world, &staff, "/staff/projects/winter/members/", &member).await;
    let backend = [("slug", "north"), ("name", MARK), ("flavour", "emis"), ("data_kind", "synthetic")];
    done(&world, &staff, "/staff/backends/", &backend).await;
    done(&world, &staff, "/staff/backends/north/members/", &[("username", "ann")]).await;
    done(&world, &staff, "/staff/backends/north/alert/", &[("alert_after", "600")]).await;
    let permission =
        [("project", "winter"), ("code", "icnarc"), ("reason", MARK), ("evidence", "https://example.org/a")];
    done(&world, &staff, "/staff/permissions/", &permission).await;
    let alert = [("title", MARK), ("message", MARK), ("level", "warning"), ("audience", "staff")];
    done(&world, &staff, "/staff/alerts/", &alert).await;
    let code = world.post(&staff, "/staff/backends/north/code/", &[]).await;
    assert_eq!(code.status, StatusCode::OK);
    let ann = world.sign_in("ann").await;
    let workspace = [("name", "Snow"), ("repo", "/srv/study"), ("branch", "main"), ("purpose", MARK)];
    done(&world, &ann, "/winter/new-workspace/", &workspace).await;
    done(&world, &ann, "/winter/edit/", &[("status", "postponed"), ("note", MARK)]).await;
    done(&world, &ann, "/winter/snow/edit/", &[("branch", "next"), ("purpose", MARK), ("notify", "yes")]).await;
    done(&world, &ann, "/winter/snow/archive/", &[("archived", "yes"), ("reason", MARK)]).await;
    let written = acts(&world).await.split_off(before);
    assert_eq!(
        written,
        [
            "user_added",
            "org_added",
            "org_member_added",
            "project_added",
            "role_granted",
            "backend_added",
            "backend_member_added",
            "backend_edited",
            "permission_proposed",
            "alert_shown",
            "backend_code_made",
            "signed_in_as_persona",
            "workspace_added",
            "project_status_set",
            "workspace_edited",
            "workspace_archived",
        ]
    );
    assert_eq!(audit::verify(&world.site.store).await.unwrap().records as usize, before + written.len());
    for path in [
        "/staff/",
        "/staff/?q=ann",
        "/staff/?q=%22%3E",
        "/staff/users/",
        "/staff/users/?show=none",
        "/staff/users/ann/",
        "/staff/orgs/",
        "/staff/orgs/northfield/",
        "/staff/projects/",
        "/staff/projects/winter/",
        "/staff/workspaces/",
        "/staff/permissions/",
        "/staff/backends/",
        "/staff/backends/north/",
        "/staff/requests/",
        "/staff/requests/?show=stale",
        "/staff/audit/",
        "/staff/audit/?actor=staff&action=user_added&from=2020-01-01&to=2999-01-01",
        "/staff/audit/verify/",
        "/staff/alerts/",
        "/settings/",
    ] {
        let page = world.get(&staff, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(
            !page.text.contains("<script>x") && !page.text.contains(" style=") && !page.text.contains(" onclick"),
            "{path}"
        );
        let mut ids: Vec<&str> =
            page.text.split(" id=").skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path} has an id twice: {ids:?}");
        assert_eq!(page.text.matches("<h1>").count(), 1, "{path}");
    }
    assert!(world.get(&staff, "/staff/audit/").await.text.contains("workspace_archived"));
    // Somebody else can walk the chain with what is exported.
    let (mut prev, mut walked) = ("0".repeat(64), 0);
    for line in world.get(&staff, "/staff/audit/export/").await.text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let (record, hash) = (line["record"].as_str().unwrap(), line["hash"].as_str().unwrap());
        let sum = Sha256::digest(format!("{prev}{record}").as_bytes());
        assert_eq!(data_encoding::HEXLOWER.encode(&sum), hash);
        (prev, walked) = (hash.to_owned(), walked + 1);
    }
    assert_eq!(walked, before + written.len());
    let store = &world.site.store;
    let users = lists::users(store).await.unwrap();
    assert_eq!(users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ann", "staff"]);
    let id = lists::account(store, "ANN").await.unwrap();
    let held = lists::roles(store, Some(id), world.site.clock.microseconds()).await.unwrap();
    assert_eq!((held.len(), held[0].place.as_str(), held[0].waits), (1, "project/winter", false));
    for (kind, slug) in [
        (lists::Kind::Org, "northfield"),
        (lists::Kind::Project, "winter"),
        (lists::Kind::Workspace, "snow"),
        (lists::Kind::Backend, "north"),
    ] {
        let things = lists::things(store, kind).await.unwrap();
        assert_eq!((things.len(), things[0].slug.as_str()), (1, slug));
        assert!(lists::named(store, kind, slug).await.is_ok() && lists::named(store, kind, "nothing").await.is_err());
    }
    assert!(lists::place(store, "project/winter").await.is_ok() && lists::place(store, "winter").await.is_err());
}

#[tokio::test]
async fn what_breaks_a_rule_is_said_at_its_field_and_what_was_typed_stays() {
    let world = World::new().await;
    let staff = staff(&world).await;
    world.project("winter").await;
    let cases: [(&str, Pairs, &str); 8] = [
        ("/staff/users/", &[("username", "a b"), ("fullname", "Kept")], "Kept"),
        ("/staff/users/", &[("username", "STAFF"), ("fullname", "Kept")], "Kept"),
        ("/staff/orgs/", &[("slug", "Bad Slug"), ("name", "Kept")], "Kept"),
        ("/staff/projects/", &[("name", "Kept"), ("slug", "staff"), ("category", "approved")], "Kept"),
        ("/staff/projects/", &[("name", "Kept"), ("slug", "winter"), ("category", "approved")], "Kept"),
        ("/staff/backends/", &[("slug", "A"), ("name", "Kept"), ("flavour", "tpp"), ("data_kind", "real")], "Kept"),
        (
            "/staff/projects/winter/members/",
            &[("username", "nobody"), ("role", "ProjectDeveloper"), ("reason", "Kept")],
            "Kept",
        ),
        (
            "/staff/permissions/",
            &[("project", "winter"), ("code", "icnarc"), ("reason", "Kept"), ("expires", "2001-01-01")],
            "Kept",
        ),
    ];
    let before = acts(&world).await.len();
    for (path, fields, kept) in cases {
        let answer = world.post(&staff, path, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {fields:?}");
        assert!(
            answer.text.contains("role=alert") && answer.text.contains("class=err") && answer.text.contains(kept),
            "{path}"
        );
    }
    assert_eq!(acts(&world).await.len(), before);
}

#[tokio::test]
async fn who_is_not_let_into_the_staff_area_is_written_down() {
    let world = World::new().await;
    world.account("eve").await;
    let eve = world.sign_in("eve").await;
    assert_eq!(world.get(&eve, "/staff/users/").await.status, StatusCode::FORBIDDEN);
    assert_eq!(acts(&world).await.last().unwrap(), "staff_denied");
}

#[tokio::test]
async fn a_link_for_a_password_makes_nobody_into_two_people() {
    let world = World::new().await;
    let staff = staff(&world).await;
    let (ann, cat) = (world.account("ann").await, world.account("cat").await);
    world.role(cat, Role::OutputChecker, Place::Site).await;
    assert_eq!(world.post(&staff, "/staff/users/cat/link/", &[]).await.status, StatusCode::FORBIDDEN);
    let page = world.post(&staff, "/staff/users/ann/link/", &[]).await;
    let at = page.text.find("/welcome/?code=").unwrap();
    let path = page.text[at..].split('<').next().unwrap().to_owned();
    let nobody = Browser::default();
    assert_eq!(world.get(&nobody, &path).await.status, StatusCode::OK);
    let code = path.split_once('=').unwrap().1;
    done(&world, &nobody, "/welcome/", &[("code", code), ("password", "violet harbour tuesday")]).await;
    done(&world, &nobody, "/login/", &[("username", "ann"), ("password", "violet harbour tuesday")]).await;
    assert_eq!(world.get(&nobody, &path).await.status, StatusCode::CONFLICT);
    let _ = ann;
}

#[tokio::test]
async fn nobody_touches_own_roles_or_goes_beyond_their_own_reach() {
    let world = World::new().await;
    world.alone().await;
    let (eve, ann) = (world.account("eve").await, world.account("ann").await);
    world.role(eve, Role::StaffAreaAdministrator, Place::Site).await;
    let auditor = world.role(ann, Role::Auditor, Place::Site).await;
    let browser = world.sign_in("eve").await;
    let own = [("role", "BackendOperator"), ("place", "backend/north"), ("reason", "r")];
    world.backend("north").await;
    assert_eq!(world.post(&browser, "/staff/users/eve/roles/", &own).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Who manages people gives roles at backends and projects; for the whole site only a site administrator does.
    let site = [("role", "Auditor"), ("place", ""), ("reason", "r")];
    assert_eq!(world.post(&browser, "/staff/users/ann/roles/", &site).await.status, StatusCode::FORBIDDEN);
    done(&world, &browser, "/staff/users/ann/roles/", &own).await;
    let revoke = format!("/staff/roles/{auditor}/revoke/");
    assert_eq!(world.post(&browser, &revoke, &[("reason", "r")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world.post(&browser, "/staff/users/eve/disable/", &[("reason", "r")]).await.status,
        StatusCode::FORBIDDEN
    );
    let now = world.site.clock.microseconds();
    let account = site::access::Account::load(&world.site.store, eve, now).await.unwrap().unwrap();
    assert!(!account.grants.anywhere(Permission::JobMetricsView));
}

#[tokio::test]
async fn the_last_site_administrator_stays() {
    let world = World::new().await;
    world.alone().await;
    let (ann, ben) = (world.account("ann").await, world.account("ben").await);
    let grants = [
        world.role(ann, Role::SiteAdministrator, Place::Site).await,
        world.role(ben, Role::SiteAdministrator, Place::Site).await,
    ];
    let browser = world.sign_in("ann").await;
    done(&world, &browser, &format!("/staff/roles/{}/revoke/", grants[1]), &[("reason", "left")]).await;
    world.operate(async |change, by| accounts::disable(change, by, ben, "left").await.unwrap()).await;
    let own = world.post(&browser, &format!("/staff/roles/{}/revoke/", grants[0]), &[("reason", "left")]).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    world.operate(async |change, by| roles::revoke(change, by, grants[0], "the operator may").await.unwrap()).await;
}

#[tokio::test]
async fn old_addresses_of_a_renamed_project_lead_to_the_new_ones_for_a_year() {
    let world = World::new().await;
    let staff = staff(&world).await;
    let project = world.project("winter").await;
    world.workspace(project, "snow").await;
    let renamed = [("name", "Summer"), ("slug", "summer"), ("category", "internal")];
    done(&world, &staff, "/staff/projects/winter/", &renamed).await;
    let old = world.get(&Browser::default(), "/winter/snow/logs/?page=2").await;
    assert_eq!((old.status, old.header("location")), (StatusCode::PERMANENT_REDIRECT, "/summer/snow/logs/?page=2"));
    let other = world.get(&Browser::default(), "/winters/snow/logs/").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    // A second change of name leads from both old ones straight to the newest.
    let again = [("name", "Summer"), ("slug", "autumn"), ("category", "internal")];
    done(&world, &staff, "/staff/projects/summer/", &again).await;
    for old in ["/winter/edit/", "/summer/edit/"] {
        assert_eq!(world.get(&staff, old).await.header("location"), "/autumn/edit/");
    }
    world.site.clock.advance(366 * 24 * 3_600);
    assert_eq!(world.get(&Browser::default(), "/winter/snow/logs/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_make_staff_act() {
    let world = World::new().await;
    let staff = staff(&world).await;
    let body = format!("csrf={}&username=mallory&fullname=M", staff.csrf);
    for headers in [[("origin", "https://evil.example")], [("origin", "null")]] {
        assert_eq!(world.send(&staff, "/staff/users/", body.clone(), &headers).await.status, StatusCode::FORBIDDEN);
    }
    let simple = [("origin", ORIGIN), ("content-type", "text/plain")];
    let answer = world.ask(&staff, Method::POST, "/staff/users/", Body::from(body), &simple).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(accounts::find(&world.site.store, "mallory").await.unwrap().is_none());
}

/// Spec protocol.md 7.4: the operator opens an epoch, staff compare the words and agree to what they saw.
#[tokio::test]
async fn a_new_epoch_is_confirmed_on_its_backends_page() {
    use protocol::fact::{FactBody, chain::Chain};
    use protocol::keys::SigningKey;
    use protocol::text::time::Moment;
    use serde_json::json;

    let world = World::new().await;
    let staff = staff(&world).await;
    let backend = world.backend("north").await;
    let old = SigningKey::new(&[7; 32], "north-1".parse().unwrap());
    let new = SigningKey::new(&[8; 32], "north-2".parse().unwrap());
    let body = json!({"epoch": 2, "reason": "new_key", "data_kind": "synthetic", "version": "1.4.1",
        "public_key": new.public().text()});
    let opened: FactBody = FactBody::Opened(serde_json::from_value(body).unwrap());
    let at = Moment::from_microseconds(1_800_000_000_000_000).unwrap();
    let mut chain = Chain::new("north".parse().unwrap(), serde_json::from_value(json!(2)).unwrap());
    let fact = chain.append(at, &opened, &new).unwrap();
    assert!(!world.get(&staff, "/staff/backends/north/").await.text.contains("new epoch"));
    let mut change = world.site.store.change().await.unwrap();
    sqlx::query(
        "INSERT INTO backend_key (backend, key_id, public_key, epoch, from_seq, confirmed_at)
         VALUES (?, 'north-1', ?, 1, 1, 1)",
    )
    .bind(backend)
    .bind(old.public().text().as_str())
    .execute(&mut *change)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO backend_epoch (backend, epoch, state, head_seq, head_hash, opened, opened_at)
         VALUES (?1, 1, 'open', 0, ?2, NULL, 1), (?1, 2, 'proposed', 0, ?2, ?3, 5)",
    )
    .bind(backend)
    .bind("0".repeat(64))
    .bind(fact.text())
    .execute(&mut *change)
    .await
    .unwrap();
    change.commit().await.unwrap();

    let page = world.get(&staff, "/staff/backends/north/").await;
    let ours = protocol::keys::fingerprint(&"north".parse().unwrap(), &new.public(), &world.site.line.public_key());
    let seen = format!("name=\"seen\" value=\"{}\"", fact.hash);
    for text in ["A new epoch waits for you", &ours.join(" "), "the old one was lost", "nowhere", "1.4.1", &seen] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    let (path, zeros) = ("/staff/backends/north/epoch/", "0".repeat(64));
    let changed = world.post(&staff, path, &[("seen", &zeros)]).await;
    assert_eq!(changed.status, StatusCode::CONFLICT, "{}", changed.text);
    assert_eq!(world.post(&staff, path, &[("seen", "x")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_ne!(acts(&world).await.last().unwrap(), "backend_epoch_confirmed");
    done(&world, &staff, path, &[("seen", fact.hash.as_str())]).await;
    assert_eq!(acts(&world).await.last().unwrap(), "backend_epoch_confirmed");
    let states: Vec<(i64, String)> = sqlx::query_as("SELECT epoch, state FROM backend_epoch ORDER BY epoch")
        .fetch_all(world.site.store.readers())
        .await
        .unwrap();
    assert_eq!(states, [(1, "closed".to_owned()), (2, "open".to_owned())]);
    assert_eq!(world.post(&staff, path, &[("seen", fact.hash.as_str())]).await.status, StatusCode::CONFLICT);
    assert!(!world.get(&staff, "/staff/backends/north/").await.text.contains("new epoch"));
}

/// Spec protocol.md 3.3: a wish is words of a closed set, and goes to the operator.
#[tokio::test]
async fn staff_ask_an_operator_to_pause() {
    let world = World::new().await;
    let staff = staff(&world).await;
    let backend = world.backend("north").await;
    let page = "/staff/backends/north/";
    assert!(!world.get(&staff, page).await.text.contains("Ask its operator"), "it never made contact");
    let mut change = world.site.store.change().await.unwrap();
    sqlx::query("UPDATE backend SET last_contact_at = 5 WHERE id = ?")
        .bind(backend)
        .execute(&mut *change)
        .await
        .unwrap();
    change.commit().await.unwrap();
    assert!(world.get(&staff, page).await.text.contains("Ask its operator"));
    let path = "/staff/backends/north/wish/";
    for wrong in [[("wish", "stop"), ("reason", "incident")], [("wish", "pause"), ("reason", "because")]] {
        assert_eq!(world.post(&staff, path, &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    done(&world, &staff, path, &[("wish", "pause"), ("reason", "incident")]).await;
    assert_eq!(acts(&world).await.last().unwrap(), "backend_wish_sent");
    let (kind, text): (String, String) =
        sqlx::query_as("SELECT kind, text FROM directive").fetch_one(world.site.store.readers()).await.unwrap();
    let body = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["body"];
    assert_eq!(
        (kind.as_str(), body),
        ("pause_wish", &serde_json::json!({"wish": "pause", "by": "staff", "reason": "incident"}))
    );
}
