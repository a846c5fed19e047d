//! Small programs and how each ends: the same for every runtime and user (spec sandbox.md 14), and real programs under the
//! filter. A new program is a line of `programs.toml`.

use sandbox::IsolationLevel;
use serde::Deserialize;

use crate::rig::{Rig, everyone};

#[derive(Deserialize)]
struct Table {
    program: Vec<Program>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    argv: Vec<String>,
    #[serde(default)]
    code: i32,
    signal: Option<i32>,
    /// The whole log, if it is told.
    says: Option<String>,
}

#[test]
fn the_same_end_on_every_runtime() {
    let table: Table = toml::from_str(include_str!("programs.toml")).unwrap();
    assert!(table.program.len() >= 30);
    for who in everyone() {
        for level in [IsolationLevel::Full, IsolationLevel::None] {
            for program in &table.program {
                let argv: Vec<&str> = program.argv.iter().map(String::as_str).collect();
                let rig = Rig::new(who, &argv).file("given", "given\n").with(|spec| spec.isolation = level);
                let done = rig.run();
                let told = format!("{who:?} {level:?} {argv:?}\n{}", done.text());
                assert_eq!((done.exit.code, done.exit.signal), (program.code, program.signal), "{told}");
                if let Some(says) = &program.says {
                    assert_eq!(done.text(), says.trim_end(), "{told}");
                }
            }
        }
    }
}

/// Real interpreters with threads, processes and sockets of their own.
#[test]
fn real_programs_run_under_the_filter() {
    let programs: [(&str, &str, &str); 4] = [
        (
            "Rscript",
            "library(parallel); cluster <- makePSOCKcluster(2); print(sum(unlist(parLapply(cluster, 1:4, function(n) n * n))))",
            "[1] 30",
        ),
        ("Rscript", "print(sum(unlist(parallel::mclapply(1:4, function(n) n * n, mc.cores = 2))))", "[1] 30"),
        ("perl", "my $pid = fork; if (!$pid) { exit 3 } waitpid $pid, 0; print $? >> 8", "3"),
        ("bash", "echo $(( $(seq 3 | sort -r | head -1) * 2 ))", "6"),
    ];
    for who in everyone() {
        for (program, script, says) in programs {
            let option = if program == "bash" { "-c" } else { "-e" };
            let lines = Rig::new(who, &[program, option, script]).run().succeeded().lines;
            assert_eq!(lines.last().unwrap(), says, "{who:?} {program}");
        }
    }
}

/// A runtime with a compiler, a collector and signal handlers of its own.
#[test]
fn java_runs_under_the_filter() {
    for who in everyone() {
        let lines = Rig::new(who, &["java", "-XX:+PrintFlagsFinal", "-version"]).run().succeeded().lines;
        assert!(lines.iter().any(|line| line.contains("MaxHeapSize")), "{who:?} {lines:?}");
    }
}
