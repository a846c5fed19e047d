//! Serves the pages of the tests, every state of each, to be looked at in a browser.
//! The address is printed, with the cookie of a member and of staff; it ends with the process.

#[path = "../tests/pages/gallery.rs"]
mod gallery;
#[path = "../tests/pages/world.rs"]
mod world;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let site = gallery::open("full", folder.path()).await;
    for (who, account) in [("a member of the projects", 1), ("staff", 10)] {
        println!("{who}: {}", gallery::cookie(&site, account).await);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8702").await?;
    println!("http://{}/ (tests/pages/visits.txt lists the pages)", listener.local_addr()?);
    axum::serve(listener, site::router(site).into_make_service()).await?;
    Ok(())
}
