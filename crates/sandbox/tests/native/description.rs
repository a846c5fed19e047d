//! One program that looks at everything a run can see, compared with one stored description per user (spec sandbox.md 14):
//! a new mount, variable, device or privilege shows as a difference, and has to be argued for in `seen/`.

use crate::rig::{Rig, Who, everyone};

#[test]
fn a_run_sees_what_is_described() {
    for who in everyone() {
        let script = include_str!("seen/look.py");
        let lines = Rig::new(who, &["/usr/bin/python3", "look.py"]).file("look.py", script).run().succeeded().lines;
        let described = include_str!("seen/native.txt");
        // `root:` or `ordinary:` before a line: for that user only.
        let (mine, other) = match who {
            Who::Root => ("root: ", "ordinary: "),
            Who::Ordinary => ("ordinary: ", "root: "),
        };
        let expected: Vec<&str> = described
            .lines()
            .filter(|line| !line.starts_with('#') && !line.starts_with(other))
            .map(|line| line.strip_prefix(mine).unwrap_or(line))
            .collect();
        let missing: Vec<&&str> = expected.iter().filter(|line| !lines.iter().any(|seen| seen == **line)).collect();
        let new: Vec<&String> = lines.iter().filter(|line| !expected.contains(&line.as_str())).collect();
        assert!(
            missing.is_empty() && new.is_empty(),
            "{who:?}\ndescribed, not seen: {missing:#?}\nseen, not described: {new:#?}"
        );
    }
}
