//! The calls of backends and the line of directives to each: enrolment, hello, orders, facts, gauges, people.
//! Spec protocol.md 2, 3, 6, 7, 8. What facts mean for the tables is in `facts`.

mod alarm;
mod call;
mod code;
mod directives;
mod enrol;
mod epoch;
mod gauges;
mod hello;
mod key;
mod neighbours;
mod peers;
mod people;
mod restored;
mod send;
mod take;
mod tell;

use axum::handler::Handler;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;

use crate::access::Access;
use crate::web::Routes;

pub use enrol::{Code, EnrolError, confirm, fingerprint, make_code, rotate};
pub use epoch::{EpochError, Offered, confirm as confirm_epoch, offered};
pub(crate) use epoch::{propose, replace_keys};
pub use key::KeyError;
pub(crate) use neighbours::watch;
pub use peers::{Lines, Peer, Seen};
pub use send::{SendError, Sent, rights_changed, send};
pub(crate) use tell::commit;
pub use tell::tell;

/// The calls of backends. Those that take files or ask for rights of persons are in other rooms.
pub fn routes() -> Routes {
    // Both ways may be compressed; what a body may hold is counted behind that.
    let (answers, bodies) = (CompressionLayer::new, RequestDecompressionLayer::new);
    Routes::new()
        .post("/backend/v1/enrol", Access::Enrolling, enrol::enrol)
        .post("/backend/v1/hello", Access::Agent, hello::hello)
        .get("/backend/v1/directives", Access::Agent, directives::directives.layer(answers()))
        .post("/backend/v1/facts", Access::Agent, take::facts.layer(bodies()))
        .post("/backend/v1/gauges", Access::Agent, gauges::gauges.layer(bodies()))
        .get("/backend/v1/people", Access::Agent, people::people.layer(answers()))
}
