//! Picture files, of any format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pellucid::picture::Picture;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = Picture::decode(bytes) {
        assert_eq!(picture.rgb.len(), 3 * picture.width * picture.height);
    }
});
