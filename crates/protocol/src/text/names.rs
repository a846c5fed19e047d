//! Names that people or project.yaml gave: actions, workspaces, projects, users, repositories.
//! Spec protocol.md 3.4, 4.5; jobs.md 2.

use super::text;

text!(
    /// An action of a project.yaml. Hostile text: never part of a path, always escaped where it is shown.
    ActionName: "action name" from "project.yaml", 200,
    r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029/\\-][^\x00-\x1f\x7f-\x9f\u2028\u2029/\\]*$",
    "1 to 200 characters on one line without slashes, not beginning with `-`"
);
text!(
    /// The command of a job after reusable actions and `config` are resolved: derived from public code alone.
    RunCommand: "run command" from "project.yaml", 65536, r"^[^\x00-\x08\x0b-\x1f\x7f]+$",
    "1 to 65,536 characters without control characters other than tab and line feed"
);
text!(
    /// An image as project.yaml names it: `python:v2`.
    ImageName: "image name" from "project.yaml", 255, "^[A-Za-z0-9][A-Za-z0-9._/:@-]*$",
    "letters, digits and `._/:@-`"
);
text!(
    /// A workspace.
    WorkspaceName: "workspace name" from "order", 100, "^[-a-zA-Z0-9_]+$", "1 to 100 of letters, digits, `-` and `_`"
);
text!(
    /// A backend by its short name.
    BackendSlug: "backend name" from "enrolment", 63, "^[a-z0-9][a-z0-9-]*$", "lower-case letters, digits and `-`"
);
text!(
    /// A project by its short name.
    ProjectSlug: "project name" from "order", 255, "^[-a-zA-Z0-9_]+$", "letters, digits, `-` and `_`"
);
text!(
    /// A project's number: `POS-2026-0412`.
    ProjectNumber: "project number" from "order", 50, "^[A-Za-z0-9][A-Za-z0-9-]*$", "letters, digits and `-`"
);
text!(
    /// A project's title or a person's name, as the site shows it. Goes down, and up only as the echo of an order.
    DisplayName: "display name" from "order", 255, r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$",
    "1 to 255 characters on one line"
);
text!(
    /// An organisation by its short name.
    OrgSlug: "organisation name" from "order", 255, "^[-a-zA-Z0-9_]+$", "letters, digits, `-` and `_`"
);
text!(
    /// A user of the site.
    Username: "username" from "roster", 150, "^[A-Za-z0-9][A-Za-z0-9_.@+-]*$", "letters, digits and `_.@+-`"
);
text!(
    /// Where code comes from. What is allowed is decided by the backend's own list.
    RepoUrl: "repository address" from "order", 500, "^[!-~]+$", "1 to 500 printable ASCII characters without spaces"
);
text!(
    /// A branch by its short name.
    Branch: "branch name" from "order", 200, r"^[^\x00-\x20\x7f~^:?*\[\\-][^\x00-\x20\x7f~^:?*\[\\]*$",
    "1 to 200 characters without spaces and `~^:?*[\\`, not beginning with `-`"
);
text!(
    /// What a project may use: `appointments`. Which codes exist is the backend's own policy.
    PermissionCode: "permission code" from "order", 100, "^[a-z0-9_]+$", "lower-case letters, digits and `_`"
);
text!(
    /// The code of a fault in a project.yaml: `P205`. Its text is made by the site from its own copy.
    FaultCode: "fault code" from "code enum of pipeline", 4, "^P[0-9]{3}$", "`P` and three digits"
);
text!(
    /// The operator's label of the data, the only word about the data that leaves.
    DataVersion: "data version label" from "operator's settings", 60, "^[A-Za-z0-9][A-Za-z0-9._-]*$",
    "1 to 60 of letters, digits and `._-`"
);
text!(
    /// A version of the program or of an engine: `1.4.0`.
    ProgramVersion: "program version" from "the program", 40, r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}(-[a-z0-9.]{1,18})?$",
    "three numbers with points, perhaps `-` and a suffix of at most 18 characters"
);
text!(
    /// A way to behave of a built-in action: `v0.0.48`.
    ProfileName: "profile of a built-in action" from "the program", 40, r"^v[0-9]{1,4}(\.[0-9]{1,4}){0,2}( era-[0-9]{4})?$",
    "`v` and up to three numbers with points, perhaps ` era-` and a year"
);
text!(
    /// A tag of an allowed runtime: `v2`.
    RuntimeTag: "runtime tag" from "operator's settings", 60, "^[A-Za-z0-9][A-Za-z0-9._-]*$",
    "1 to 60 of letters, digits and `._-`"
);
text!(
    /// A runtime's name: `python`.
    RuntimeName: "runtime name" from "operator's settings", 60, "^[a-z0-9][a-z0-9._/-]*$",
    "lower-case letters, digits and `._/-`"
);
text!(
    /// The context of a distributed trace (W3C traceparent).
    TraceParent: "traceparent" from "order", 55, "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    "`00-`, 32, 16 and 2 hexadecimal digits with `-` between"
);
text!(
    /// A feature that both sides may have beyond the agreed version.
    Feature: "feature name" from "the program", 40, "^[a-z][a-z0-9-]*$", "lower-case letters, digits and `-`"
);
text!(
    /// A bearer token. Never part of anything that is kept or shown; `Debug` hides nothing, so it is not logged.
    TokenText: "token" from "made by the site", 200, "^[A-Za-z0-9._~+/=-]{20,}$", "20 to 200 characters of a bearer token"
);
text!(
    /// A released file's name: relative, with `/`, no part empty, `.` or `..`.
    ReleasedPath: "released file name" from "approved release request", 1000,
    r"^(?:\.{0,2}[^./\x00-\x1f\x7f-\x9f\\][^/\x00-\x1f\x7f-\x9f\\]*|\.{3,}[^/\x00-\x1f\x7f-\x9f\\]*)(?:/(?:\.{0,2}[^./\x00-\x1f\x7f-\x9f\\][^/\x00-\x1f\x7f-\x9f\\]*|\.{3,}[^/\x00-\x1f\x7f-\x9f\\]*))*$",
    "a relative path with `/`, no part empty, `.` or `..`, no control characters"
);

impl ActionName {
    /// Whether it stands for every action.
    pub fn is_run_all(&self) -> bool {
        self.as_str() == "run_all"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_the_grammars() {
        for (good, longer) in
            [("a".repeat(100), "a".repeat(101)), ("-_A9".into(), "a b".into()), ("x".into(), "".into())]
        {
            assert!(good.parse::<WorkspaceName>().is_ok(), "{good}");
            assert!(longer.parse::<WorkspaceName>().is_err(), "{longer}");
        }
        for good in ["a", "a/b.csv", "..a", "...", ".a/b", "é/x y", "a.."] {
            assert!(good.parse::<ReleasedPath>().is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\\b", "a\nb", "a\u{7f}"] {
            assert!(bad.parse::<ReleasedPath>().is_err(), "{bad}");
        }
        for bad in ["-x", "a b", "a:b", "", "a\u{0}"] {
            assert!(bad.parse::<Branch>().is_err(), "{bad}");
        }
        assert!("é".repeat(200).parse::<ActionName>().is_ok());
        assert!("é".repeat(201).parse::<ActionName>().is_err());
        assert!("a\u{2028}b".parse::<ActionName>().is_err());
        assert!("python a.py\n\t--x".parse::<RunCommand>().is_ok());
        assert!("a\u{1b}[2J".parse::<RunCommand>().is_err());
    }
}
