//! The processes below a given one, as the kernel lists children.
//! A list is old the moment it is made: it serves for counting, and for killing until nobody is left.

use std::fs;

/// All below `process`, itself left out. Empty where the kernel does not list children.
pub(super) fn below(process: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut waiting = vec![process];
    while let Some(process) = waiting.pop() {
        for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let children: Vec<i32> = children.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
            waiting.extend(&children);
            found.extend(children);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_children_are_below() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 30 & wait"]).spawn().unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        let child = i32::try_from(shell.id()).unwrap();
        while below(child).is_empty() {
            std::thread::yield_now();
        }
        let all = below(me);
        assert!(all.contains(&child) && all.contains(&below(child)[0]));
        for process in below(child) {
            rustix::process::kill_process(
                rustix::process::Pid::from_raw(process).unwrap(),
                rustix::process::Signal::KILL,
            )
            .unwrap();
        }
        shell.wait().unwrap();
    }
}
