//! Any bytes as what a recorder left behind: never a panic, and what is taken points only to what is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use study::recording::Recording;

fuzz_target!(|bytes: &[u8]| {
    match Recording::parse(bytes) {
        Ok(recording) => {
            let places = recording.sources.len();
            let study = recording.study.iter();
            let variables = study.flat_map(|study| study.variables.iter().chain([&study.population]));
            assert!(variables.into_iter().all(|variable| (variable.src.0 as usize) < places), "a place that is not there");
            assert!(!recording.file.starts_with('/') && !recording.file.split('/').any(|part| part == ".."));
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control), "a control character in a message"),
    }
});
