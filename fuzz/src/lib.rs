//! The way into a fuzz target: the fuzzer under `cargo fuzz`, and else a program that runs the target on the files that it
//! is given, such as those that a fuzzer has found.

#[cfg(fuzzing)]
pub use libfuzzer_sys::fuzz_target;

/// Makes a target a program of its own.
#[cfg(not(fuzzing))]
#[macro_export]
macro_rules! fuzz_target {
    (|$bytes:ident: &[u8]| $body:expr) => {
        fn main() -> std::io::Result<()> {
            $crate::replay(|$bytes: &[u8]| $body)
        }
    };
}

/// Runs a target on each file that the command line names.
///
/// # Errors
/// Those of reading the files.
#[cfg(not(fuzzing))]
pub fn replay(target: impl Fn(&[u8])) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        target(&std::fs::read(path)?);
    }
    Ok(())
}
