//! What stands above a request: messages of the operators, upkeep of its backend, silence, cancellation, later runs.
//! Spec site.md 4.1, in that order.

use ui::html::{Html, push_text};
use ui::page::{Notice, Tone};
use ui::time::At;

use super::super::{shell, words};
use super::View;

impl View<'_> {
    pub(super) fn notices(&self) -> Vec<Notice> {
        let mut notices = shell::notices(&self.request.alerts);
        if self.request.is_import {
            let words =
                "This is an old record, imported from an earlier site. What that site did not keep is not known here.";
            notices.push(Notice::text(Tone::Info, words));
        }
        notices.extend(self.upkeep());
        if let Some(since) = self.silent_since() {
            let words = format!(
                "There is no news of this request from the {} backend since {}. What is shown below may have changed.",
                self.request.backend.name,
                At(since).exact()
            );
            notices.push(Notice::text(Tone::Warning, &words));
        }
        notices.extend(self.cancelling());
        notices.extend(self.superseded());
        notices
    }

    fn upkeep(&self) -> Option<Notice> {
        if self.is_final() {
            return None;
        }
        let said = match self.request.mode.as_deref()? {
            "db_maintenance" => "The database of this backend is in maintenance",
            "paused" => "This backend is paused",
            _ => return None,
        };
        let since = self.request.mode_since.map(|at| format!(" since {}", At(at).exact())).unwrap_or_default();
        let kind = if self.request.mode_kind.as_deref() == Some("scheduled") { ", as planned" } else { "" };
        Some(Notice::text(Tone::Warning, &format!("{said}{since}{kind}. Work that waits starts by itself afterwards.")))
    }

    fn cancelling(&self) -> Option<Notice> {
        let first = self.request.cancellations.iter().min_by_key(|c| c.at)?;
        let left = self.request.cancellations.iter().filter(|c| c.answered_at.is_none()).count();
        let by = first.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let mut words = format!("Cancellation was asked for at {}{by}", At(first.at).exact());
        if first.reason.is_empty() {
            words.push('.');
        } else {
            words.push_str(&format!(": “{}”.", first.reason));
        }
        match left {
            0 => words.push_str(" The backend has answered for every action."),
            1 => words.push_str(" One action is still to be stopped."),
            left => words.push_str(&format!(" {left} actions are still to be stopped.")),
        }
        Some(Notice::text(if left > 0 { Tone::Warning } else { Tone::Info }, &words))
    }

    fn superseded(&self) -> Option<Notice> {
        let later = self.request.superseded_by?;
        Some(Notice::html(
            Tone::Info,
            Html::trusted(format!(
                "<p>Actions that failed here were run again by <a href=\"../{later}/\">job request {later}</a>.</p>"
            )),
        ))
    }

    /// The reason of the request's status, with what to do.
    pub(super) fn reason(&self) -> Option<words::Said> {
        let code = self.request.reason.as_deref()?;
        let said = words::reason(code, &self.request.backend.name);
        (!said.sentence.is_empty()).then_some(said)
    }

    /// Where the reason lies: what the backend's answer or an old record names, never a sentence of study code.
    pub(super) fn detail(&self) -> Html {
        let Some(detail) = self.request.detail.as_deref().filter(|d| !d.is_empty() && *d != "{}") else {
            return Html::default();
        };
        let mut html = String::new();
        match serde_json::from_str::<serde_json::Value>(detail) {
            Ok(serde_json::Value::Object(fields)) => {
                for (name, value) in &fields {
                    let shown = value.as_str().map_or_else(|| plain(value), String::from);
                    html.push_str("<p>");
                    push_text(&mut html, &words::neutral(name));
                    html.push_str(": <code>");
                    push_text(&mut html, &shown);
                    html.push_str("</code></p>");
                }
            }
            _ => {
                html.push_str("<pre>");
                push_text(&mut html, detail);
                html.push_str("</pre>");
            }
        }
        Html::trusted(html)
    }
}

/// A value of a reason without the signs of JSON: lists by commas.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
