//! Any text as a `run:` command: it splits or is refused, and what it splits into survives being quoted and split again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(words) = pipeline::split_command(text) {
        let again = pipeline::split_command(&pipeline::quote_command(&words));
        assert_eq!(again.as_ref(), Ok(&words));
    }
});
