//! Why a job has not begun.
//! Spec site.md 4.3 (why it waits), 4.8.

use serde_json::Value;
use ui::time::At;

use super::{Around, Said, unknown};

pub(super) fn said(code: &str, weight: i64, params: &Value, around: &Around) -> Said {
    let backend = &around.backend;
    let since = if around.mode_since.is_empty() { String::new() } else { format!(" since {}", around.mode_since) };
    let planned = match around.mode_kind.as_str() {
        "scheduled" => ", as planned",
        _ => "",
    };
    match code {
        "created" => Said::just("Accepted, and not looked at yet."),
        "paused" => Said::just(format!("The {backend} backend is paused{since}{planned}."))
            .then("Nothing to do: it starts by itself when the backend opens again."),
        "waiting_db_maintenance" => {
            Said::just(format!("The database of the {backend} backend is in maintenance{since}{planned}."))
                .then("Nothing to do: it starts by itself afterwards. If it had begun, it starts from the beginning.")
        }
        "waiting_on_reboot" => Said::just(format!("The server of the {backend} backend is being restarted."))
            .then("Nothing to do: it starts by itself afterwards. If it had begun, it starts from the beginning."),
        "waiting_on_dependencies" => Said::just("Waiting for the jobs that it reads from:").about(params),
        "waiting_on_workers" => place("a free place", weight, around),
        "waiting_on_db_workers" => place("a free place at the database", weight, around),
        "waiting_on_new_task" => again(params),
        "waiting_on_image" => Said::just(format!(
            "The image {} cannot be reached{}.",
            params["image"].as_str().unwrap_or("that it needs"),
            from(params)
        ))
        .then("Nothing to do: it is tried again by itself."),
        "waiting_on_code" => Said::just(format!("The study's code cannot be reached{}.", from(params)))
            .then("Nothing to do: it is tried again by itself."),
        "waiting_on_disk" => Said::just(format!("The {backend} backend is short of disk space{}.", from(params)))
            .then("Nothing to do: its operators are told."),
        "legacy" => Said::default(),
        code => unknown(code),
    }
}

fn place(what: &str, weight: i64, around: &Around) -> Said {
    let position = if around.position.is_empty() { String::new() } else { format!(": {} in line", around.position) };
    let since = if around.since.is_empty() { String::new() } else { format!(", since {}", around.since) };
    let heavy = if weight > 1 { format!(" It is a heavy job, which takes {weight} places.") } else { String::new() };
    Said::just(format!("Waiting for {what}{position}{since}.{heavy}"))
}

fn again(params: &Value) -> Said {
    let attempt = params["attempt"].as_i64();
    let of = params["attempts"].as_i64();
    let ended = match (attempt, of) {
        (Some(attempt), Some(of)) => format!("Attempt {attempt} of {of} ended for a passing reason."),
        (Some(attempt), None) => format!("Attempt {attempt} ended for a passing reason."),
        _ => "The last attempt ended for a passing reason.".to_owned(),
    };
    let next = params["retry_at"]
        .as_i64()
        .and_then(|at| at.checked_mul(1_000_000))
        .map(|at| format!(" The next one begins at {}.", At(at).exact()))
        .unwrap_or_default();
    Said::just(ended + &next).then("Nothing to do: it is tried again by itself.")
}

/// `since` of a passing fault: a moment as the protocol writes it.
fn from(params: &Value) -> String {
    let Some(text) = params["since"].as_str() else { return String::new() };
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => format!(" since {}", At(at.as_microsecond()).exact()),
        Err(_) => String::new(),
    }
}
