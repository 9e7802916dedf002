//! Label files: text, JSON, Python, CSV.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pellucid::network::labels;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(names) = labels::read(bytes) {
        assert!(!names.is_empty() && names.iter().all(|name| !name.is_empty()));
    }
});
