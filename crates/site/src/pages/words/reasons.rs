//! Why a request was refused, had nothing to do or is still checked, and why the plan holds what it holds.
//! Spec site.md 4.8 (request reasons), jobs.md 2 and 3.

use super::{Said, neutral};

/// The reason of a request's status.
pub fn reason(code: &str, backend: &str) -> Said {
    let (sentence, advice) = match code {
        "job_failure" => return Said::default(),
        "all_succeeded" => (
            "All requested actions have succeeded before, so there was nothing to run.",
            "Tick “force run dependencies”, or name the actions themselves, to run them again.",
        ),
        "already_scheduled" => ("All requested actions are already waiting or running for another request.", ""),
        "cancelled_before_start" => ("Cancelled before the backend collected it.", ""),
        "expired_before_start" => {
            ("The backend did not collect it in time.", "Ask again once the backend is in contact.")
        }
        "bad_request" => ("The backend could not read the request.", "This is a fault of the site; tell its staff."),
        "bad_workspace_name" => ("The name of the workspace is not allowed there.", "Use another workspace."),
        "unknown_backend" => {
            ("The request reached a backend that it is not for.", "This is a fault of the site; tell its staff.")
        }
        "unknown_database" => ("The backend has no such database.", "Choose another database or backend."),
        "repo_not_allowed" => {
            ("The backend does not take code from this repository.", "Ask its operators to allow the repository.")
        }
        "branch_missing" => ("The branch is no longer in the repository.", "Push the branch, or choose another."),
        "commit_not_found" => ("The commit is not in the repository.", "Push the commit, then ask again."),
        "commit_not_on_branch" => {
            ("The commit is not on the branch that was named.", "Choose a commit of that branch.")
        }
        "project_missing" => ("There is no project.yaml at this commit.", "Add one at the top of the repository."),
        "project_changed" => ("The project.yaml at this commit is not the one that was checked here.", "Ask again."),
        "project_invalid" => (
            "The project.yaml is not valid; its faults are listed below.",
            "Run “cloister check”, mend them, and ask again.",
        ),
        "unknown_action" => {
            ("A requested action is not in project.yaml.", "Compare the names with the pipeline below.")
        }
        "needs_cycle" => {
            ("Actions in project.yaml need each other in a circle.", "Break the circle; “cloister check” names it.")
        }
        "image_not_allowed" => {
            ("An action uses an image that the backend does not allow.", "Choose an allowed image in its “run” line.")
        }
        "image_not_found" => {
            ("An action uses a version of an image that does not exist.", "Check the tag in its “run” line.")
        }
        "reusable_action_error" => {
            ("A reusable action could not be used.", "Check its name and version in the “run” line.")
        }
        "codelists_stale" => {
            ("Codelists differ from their source.", "Run “cloister codelists update”, commit the files, and ask again.")
        }
        "not_permitted" => (
            "The project may not read this data on this backend.",
            "The permissions of the project are on its page; ask for the missing one.",
        ),
        "workspace_archived" => ("The workspace is archived.", "Unarchive it, or use another."),
        "too_large" => {
            ("The request, or the project, is larger than the backend allows.", "Ask for fewer actions at once.")
        }
        "inconsistent_request" => (
            "The same request reached the backend with different content.",
            "This is a fault of the site; tell its staff.",
        ),
        "code_unreachable" => ("The study's code could not be reached for too long.", "Ask again later."),
        "image_unreachable" => ("An image could not be reached for too long.", "Ask again later."),
        other => {
            return Said::just(format!(
                "The {backend} backend gives the reason “{other}”, which this site does not know."
            ));
        }
    };
    Said::just(sentence).then(advice)
}

/// Why a backend still checks a request.
pub fn checking(code: &str) -> String {
    match code {
        "code_unreachable" => "The backend cannot reach the study's code; it goes on trying.".to_owned(),
        "image_unreachable" => "The backend cannot reach an image; it goes on trying.".to_owned(),
        other => format!("The backend is checking it ({}).", neutral(other).to_lowercase()),
    }
}

/// Why the plan has a new job for an action, or none.
pub fn decided(code: &str) -> String {
    match code {
        "already_active" => "already waiting or running",
        "requested" => "requested",
        "forced" => "run again because dependencies are forced",
        "output_missing" => "its outputs are no longer there",
        "stale" => "out of date",
        "succeeded" => "succeeded before",
        "failed_before" => "failed before",
        "never_run" => "never run before",
        other => return neutral(other).to_lowercase(),
    }
    .to_owned()
}

/// How the outputs of reused work compare with what the code would make now.
pub fn staleness(code: &str) -> String {
    match code {
        "up_to_date" => "up to date".to_owned(),
        "stale" => "out of date with this commit".to_owned(),
        "possibly_stale" => "perhaps out of date with this commit".to_owned(),
        "unknown" => "not known whether up to date".to_owned(),
        other => neutral(other).to_lowercase(),
    }
}

/// What the site knows of the study's codelists at the commit.
pub fn codelists(code: &str) -> String {
    match code {
        "ok" => "As downloaded".to_owned(),
        "stale" => "Differ from their source".to_owned(),
        "unchecked" => "Not checked".to_owned(),
        other => neutral(other),
    }
}
