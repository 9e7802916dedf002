//! Picture files, of any format.

#![cfg_attr(fuzzing, no_main)]

use pellucid::picture::Picture;

pellucid_fuzz::fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = Picture::decode(bytes) {
        assert_eq!(picture.rgb.len(), 3 * picture.width * picture.height);
    }
});
