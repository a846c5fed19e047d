//! How much may be sent at once, how long may be waited, how deep a message may be.
//! Spec protocol.md 6, 7.2, 11.

use crate::json::Limits;

/// Directives in one answer.
pub const DIRECTIVES: usize = 100;
/// Bytes of one directive.
pub const DIRECTIVE_BYTES: usize = 4 * 1024 * 1024;
/// Facts in one batch.
pub const FACTS: usize = 500;
/// Bytes of one batch of facts.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Bytes of one fact.
pub const FACT_BYTES: usize = 256 * 1024;
/// Rows of the queue in a gauge.
pub const QUEUE: usize = 1_000;
/// Files of a release.
pub const RELEASE_FILES: usize = 1_000;
/// Seconds that a poll is held open.
pub const POLL_SECONDS: u64 = 55;
/// Seconds between gauges.
pub const HEARTBEAT_SECONDS: i64 = 30;
/// Seconds of the lease that makes one process the writer.
pub const LEASE_SECONDS: i64 = 90;
/// Seconds without contact after which a backend is missing.
pub const MISSING_SECONDS: i64 = 5 * 60;
/// Seconds that an order may be late: clocks differ.
pub const EXPIRY_TOLERANCE_SECONDS: i64 = 5 * 60;
/// Seconds until an order expires.
pub const ORDER_SECONDS: i64 = 14 * 24 * 3600;
/// Unanswered orders from which a backend is said to be behind.
pub const BEHIND: usize = 1_000;

/// Levels of lists and objects in any message.
const DEPTH: usize = 12;

/// A batch of facts.
pub const BATCH: Limits = Limits { bytes: BATCH_BYTES, depth: DEPTH, values: 200_000 };
/// One fact.
pub const FACT: Limits = Limits { bytes: FACT_BYTES, depth: DEPTH, values: 50_000 };
/// An answer with directives: one that is as large as may be, or several that together are no larger.
pub const DIRECTIVES_ANSWER: Limits = Limits { bytes: DIRECTIVE_BYTES + 1024, depth: DEPTH, values: 500_000 };
/// One directive.
pub const DIRECTIVE: Limits = Limits { bytes: DIRECTIVE_BYTES, depth: DEPTH, values: 100_000 };
/// Any other message.
pub const SMALL: Limits = Limits { bytes: 1024 * 1024, depth: DEPTH, values: 50_000 };
/// The roster: every user and workspace of a backend.
pub const ROSTER: Limits = Limits { bytes: 16 * 1024 * 1024, depth: DEPTH, values: 1_000_000 };
/// A declaration of a release with its signed decision record.
pub const RELEASE: Limits = Limits { bytes: 2 * 1024 * 1024, depth: DEPTH, values: 100_000 };
