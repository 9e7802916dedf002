//! Counts of tests, read from what their runners print.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Tally {
    /// One check of our own.
    pub fn of(passed: bool) -> Self {
        if passed { Self { passed: 1, ..Self::default() } } else { Self { failed: 1, ..Self::default() } }
    }

    /// Adds what one line of `cargo test` says, if it is a summary.
    pub fn read_cargo(&mut self, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("test result: ") else { return };
        let Some((_, counts)) = rest.split_once(". ") else { return };
        for part in counts.split(';') {
            match part.trim().split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                Some((count, "ignored")) => self.skipped += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Adds what one line of Node's test runner says, if it belongs to its summary.
    pub fn read_node(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("\u{2139} ") else { return };
        match rest.trim().split_once(' ') {
            Some(("pass", count)) => self.passed += count.parse().unwrap_or(0),
            Some(("fail" | "cancelled", count)) => self.failed += count.parse().unwrap_or(0),
            Some(("skipped" | "todo", count)) => self.skipped += count.parse().unwrap_or(0),
            _ => {}
        }
    }

    /// Takes the runner's own verdict into account: one that failed without naming a test counts as one.
    pub fn with_verdict(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cargo() {
        let mut tally = Tally::default();
        tally.read_cargo("running 3 tests");
        tally.read_cargo(
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.1s",
        );
        tally.read_cargo(
            "test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        );
        assert_eq!(tally, Tally { passed: 13, failed: 3, skipped: 2 });
    }

    #[test]
    fn reads_node() {
        let mut tally = Tally::default();
        for line in [
            "\u{2714} pass 9 things",
            "\u{2139} tests 7",
            "\u{2139} pass 4",
            "\u{2139} fail 2",
            "\u{2139} cancelled 1",
        ] {
            tally.read_node(line);
        }
        assert_eq!(tally, Tally { passed: 4, failed: 3, skipped: 0 });
    }

    #[test]
    fn a_runner_that_fell_over_is_a_failure() {
        assert_eq!(Tally::default().with_verdict(false).failed, 1);
        assert_eq!(Tally { failed: 3, ..Tally::default() }.with_verdict(false).failed, 3);
        assert_eq!(Tally::default().with_verdict(true).failed, 0);
    }
}
