//! Nothing secret is in the log, whatever is asked (spec site.md 11.6, 20.4). A test binary's log is its own, so this test
//! sets it for the whole process and looks at all that the others write too.

use std::io::Write;
use std::sync::{Arc, Mutex};

use site::access::TokenScope;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{Browser, PASSWORD, World};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_ever_in_the_log() {
    let kept = Kept::default();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(kept.clone()).finish();
    let guard = tracing::subscriber::set_default(log);
    let world = World::new().await;
    let ann = world.account("ann").await;
    let token = world.token(ann, TokenScope::ALL, &[]).await;
    let link = world
        .operate(async |change, by| site::people::codes::password_link(change, &world.site, by, ann).await.unwrap())
        .await;
    let code = link.split_once("code=").unwrap().1.to_owned();
    let nobody = Browser::default();
    world.get(&nobody, &format!("/welcome/?code={code}")).await;
    world.post(&nobody, "/welcome/", &[("code", &code), ("password", PASSWORD)]).await;
    world.post(&nobody, "/login/", &[("username", "ann"), ("password", "wrong-secret-word")]).await;
    let begun = world.post(&nobody, "/login/", &[("username", "ann"), ("password", PASSWORD)]).await;
    let csrf = world.csrf_of(begun.cookie()).await;
    let browser = Browser { cookie: begun.cookie().to_owned(), csrf: csrf.clone(), token: String::new() };
    world.get(&token, "/api/v1/nothing").await;
    world.get(&nobody, &format!("/{}/", token.token)).await;
    world.get(&nobody, &format!("/event-log/?q={}", token.token)).await;
    let wrong = Browser { token: format!("{}x", token.token), ..Browser::default() };
    world.get(&wrong, "/api/v1/nothing").await;
    let made = world.post(&browser, "/settings/tokens/", &[("name", "n"), ("days", "9"), ("scopes", "read")]).await;
    let at = made.text.find("clo_p").unwrap();
    drop(guard);
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("answered") && text.contains("/welcome/"), "nothing was logged: {text}");
    let id = begun.cookie().split_once('=').unwrap().1;
    for secret in [&token.token, &code, PASSWORD, "wrong-secret-word", &csrf, id, &made.text[at..at + 54]] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}
