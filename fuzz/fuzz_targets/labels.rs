//! Label files: text, JSON, Python, CSV.

#![cfg_attr(fuzzing, no_main)]

use pellucid::network::labels;

pellucid_fuzz::fuzz_target!(|bytes: &[u8]| {
    if let Ok(names) = labels::read(bytes) {
        assert!(!names.is_empty() && names.iter().all(|name| !name.is_empty()));
    }
});
