//! Maps for looking up names and paths: a quick hash, seeded anew in each process so that no file can aim at it.
//! Files have at most 8 MiB, which bounds what even a lucky guess could cost (spec project-yaml.md 14, 16).

use foldhash::quality::RandomState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
