//! Makes project.yaml files of a given size, the same bytes at every run.
//! Shapes follow what real files hold: long folded commands, several outputs, needs on earlier actions.

use std::fmt::Write;

/// A small generator with a fixed seed (xorshift64*), so that no run differs from another.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// A version 5 file with `actions` actions of about `bytes_each` bytes.
pub(crate) fn project(actions: usize, bytes_each: usize) -> String {
    let mut seeded = Seeded(0x5EED_0F10);
    let mut text = String::from("version: '5.0'\n\nactions:\n");
    for i in 0..actions {
        let before = text.len();
        put(&mut text, format_args!("  action_{i}:"));
        if i % 10 == 0 {
            put(
                &mut text,
                format_args!(
                    "    run: ehrql:v1 generate-dataset analysis/dataset_{i}.py --output output/cohort_{i}/input_{i}.csv.gz"
                ),
            );
            put(&mut text, format_args!("    outputs:\n      highly_sensitive:"));
            put(&mut text, format_args!("        cohort: output/cohort_{i}/input_{i}.csv.gz\n"));
            continue;
        }
        put(
            &mut text,
            format_args!(
                "    # action {i} of a generated file\n    run: >\n      python:v2 python analysis/step_{i}.py"
            ),
        );
        put(&mut text, format_args!("        --seed {} --output output/step_{i}", seeded.below(10_000)));
        let needs: Vec<String> =
            (0..seeded.below(3) + 1).map(|_| format!("action_{}", seeded.below(i as u64))).collect();
        let mut unique = needs.clone();
        unique.sort();
        unique.dedup();
        put(&mut text, format_args!("    needs: [{}]\n    outputs:\n      moderately_sensitive:", unique.join(", ")));
        let mut n = 0;
        while n == 0 || text.len() - before < bytes_each {
            put(
                &mut text,
                format_args!("        table_{n}: output/step_{i}/table_{n}_{}.csv", seeded.below(1_000_000)),
            );
            n += 1;
        }
        text.push('\n');
    }
    text
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
