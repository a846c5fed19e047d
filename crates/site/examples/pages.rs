//! Serves the public pages over the small world of their tests, to be looked at in a browser.
//! The address is printed; it ends with the process.

#[path = "../tests/pages/world.rs"]
mod world;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let site = world::open(folder.path()).await;
    world::every_state(&site).await;
    // The world's own time: a little after its last request.
    let real = site.clock.microseconds() / 1_000_000;
    site.clock.advance(world::MORNING + 15 * 60 - real);
    let settings = site.settings.clone();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8702").await?;
    println!("http://{}{}", listener.local_addr()?, settings.data.display());
    axum::serve(listener, site::router(site).into_make_service()).await?;
    Ok(())
}
