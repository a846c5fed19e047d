//! A full disk: the action says so and ends, no result is there in part, nothing temporary is left, and older results stand.
//! The study lies on a small file system in mounts of the test's own, which root and whoever may make a user namespace have.

use std::fs;
use std::process::{Command, Stdio};

use crate::kinds::{self, Kind};
use crate::rig::{Age, Files, Ran, Rig, files, ran};

/// What is used up.
#[derive(Debug, Clone, Copy)]
enum Full {
    /// All but so many pages.
    Pages(u64),
    /// No file can be made.
    Names,
}

/// $1 is where the small file system goes, $2 what lies on it, $3 where it is copied to afterwards, $4 where the program
/// runs; then pages to be left free, or `names`; then the program and its words.
const INSIDE: &str = r#"
small=$1 from=$2 after=$3 work=$4 free=$5
shift 5
mount -t tmpfs -o size=32m,nr_inodes=64 none "$small" && cp -a "$from/." "$small" && mkdir "$small/filler" || exit 99
if [ "$free" = names ]; then
    n=0
    while touch "$small/filler/$n" 2>/dev/null; do n=$((n + 1)); done
else
    dd if=/dev/zero of="$small/filler/all" bs=4096 2>/dev/null
    truncate -s "-$((free * 4096))" "$small/filler/all" || exit 99
fi
cd "$work" || exit 99
"$@"
code=$?
cp -a "$small/." "$after" || exit 99
exit $code
"#;

/// Runs the action where the study is full, or where temporary files go; gives what stands there afterwards.
fn filled(rig: &Rig, full: Full, temporary: bool) -> (Ran, Files) {
    let [small, after, nothing, tmp] = ["small", "after", "nothing", "tmp"].map(|name| rig.home().join(name));
    let _ = fs::remove_dir_all(&after);
    [&small, &after, &nothing].into_iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
    let (small, from, work) = if temporary { (&tmp, &nothing, &rig.study()) } else { (&small, &rig.study(), &small) };
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let action = rig.command();
    command.args(["sh", "-c", INSIDE, "sh"]).args([small, from, &after, work]);
    command.arg(match full {
        Full::Pages(free) => free.to_string(),
        Full::Names => "names".to_owned(),
    });
    if !rustix::process::geteuid().is_root() {
        // The program itself is an ordinary user's again: root makes its sandboxes in another way.
        command.args(["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]);
    }
    command.arg(action.get_program()).args(action.get_args()).env_clear();
    command.envs(action.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdout(Stdio::null());
    let ended = ran(&mut command);
    assert!(
        !matches!(ended.code, Some(99) | None) && !ended.err.contains("unshare:"),
        "this test needs root, or a user who may make namespaces and mount in them: {}",
        ended.err
    );
    let mut left = files(&after);
    left.retain(|name, _| !name.starts_with("filler/"));
    (ended, left)
}

fn pages(files: &Files) -> u64 {
    files.values().map(|bytes| bytes.len().div_ceil(4096) as u64).sum()
}

/// One fault, one message, and a code that is not of success.
fn says_so(ended: &Ran, when: &str) {
    let errors: Vec<_> = ended.err.lines().filter(|line| line.starts_with("error")).collect();
    let [error] = errors.as_slice() else { panic!("{when}: one fault, one message:\n{}", ended.err) };
    assert!(error.starts_with("error[out_of_space]: "), "{when}: {}", ended.err);
    assert_eq!(ended.code, Some(1), "{when}: {}", ended.err);
    assert!(!ended.err.contains("panicked"), "{when}: {}", ended.err);
}

fn disk(kind: &'static Kind) {
    let rig = Rig::new(kind);
    let old = rig.whole(Age::Old);
    let new = rig.whole(Age::New);
    let all = pages(&new);
    assert!(all > 1, "results so small show nothing");
    for (full, replaces) in [
        (Full::Pages(0), false),
        (Full::Pages(all / 2), false),
        // One page short of all.
        (Full::Pages(all - 1), false),
        (Full::Names, false),
        (Full::Pages(0), true),
        (Full::Pages(all - 1), true),
        (Full::Names, true),
    ] {
        rig.replace_results(replaces.then_some(&old));
        let before = files(&rig.study());
        let (ended, left) = filled(&rig, full, false);
        says_so(&ended, &format!("{full:?}"));
        let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
        assert!(left == before, "{full:?}: {:?} became {:?}", names(&before), names(&left));
    }
    // With that much room it works: what was refused above was for the want of it.
    rig.replace_results(None);
    let (ended, left) = filled(&rig, Full::Pages(all + 64), false);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(new.iter().all(|(name, bytes)| left.get(name) == Some(bytes)));
}

/// A study is read in a copy, which lies where temporary files go.
#[test]
fn no_room_to_read_a_study() {
    let rig = Rig::new(&kinds::COHORT_CSV);
    rig.put(Age::New);
    let before = files(&rig.study());
    // From no name and no room at all to room enough: each step of the reading ends it once.
    let mut refused = 0;
    for full in [Full::Names].into_iter().chain((0..512).map(Full::Pages)) {
        let (ended, left) = filled(&rig, full, true);
        assert!(left.is_empty(), "{full:?}: {:?}", left.keys());
        if ended.code == Some(0) {
            break;
        }
        says_so(&ended, &format!("{full:?}"));
        assert!(files(&rig.study()) == before, "{full:?}");
        refused += 1;
    }
    assert!((8..512).contains(&refused), "{refused}");
}

#[test]
fn rows_to_a_full_stdout() {
    let rig = Rig::new(&kinds::SQL_CSV);
    rig.put(Age::New);
    let words = ["sqlrunner", "--dummy-data-file=in/dummy.csv", "in/query.sql"];
    let mut command = rig.action(&rig.study(), &words);
    let ended = ran(command.stdout(fs::File::options().write(true).open("/dev/full").unwrap()));
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("error[out_of_space]: "), "{}", ended.err);
    assert!(rig.temporary().is_empty());
}

macro_rules! full {
    ($($name:ident: $kind:ident,)*) => { $(
        #[test]
        fn $name() {
            disk(&kinds::$kind);
        }
    )* };
}

kinds::each!(full);
