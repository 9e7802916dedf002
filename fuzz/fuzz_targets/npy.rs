//! Arrays, segments and samples, as the command line reads them.

#![cfg_attr(fuzzing, no_main)]

#[expect(dead_code, reason = "the command line uses the rest")]
#[path = "../../src/bin/pellucid/input.rs"]
mod input;

use std::path::Path;

pellucid_fuzz::fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("a.npy");
    let _ = input::read_array(bytes, path);
    let _ = input::segments(bytes, path);
    let _ = input::samples(bytes, path);
});
