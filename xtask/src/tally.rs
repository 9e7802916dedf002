//! Counts of tests, read from what their runners print.

use std::fmt;
use std::ops::AddAssign;

/// The word that Node's runner gives for a test that a filter leaves out; that is no skipped test.
const FILTERED_OUT: &str = "test name does not match pattern";

/// How many tests passed and failed, and which were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: Vec<Skipped>,
}

/// A test that was not run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub name: String,
    pub why: String,
}

impl Tally {
    /// One check of our own.
    pub fn of(passed: bool) -> Self {
        if passed { Self { passed: 1, ..Self::default() } } else { Self { failed: 1, ..Self::default() } }
    }

    /// How many tests were run.
    pub fn run(&self) -> usize {
        self.passed + self.failed
    }

    /// Adds what one line of `cargo test` says: a summary of one program, or a test that was left out.
    pub fn read_cargo(&mut self, line: &str) {
        let line = line.trim();
        if let Some((name, why)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored"))
        {
            self.skip(name, why.trim_start_matches(", "));
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split(';') {
            match part.trim().split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Adds what one line of Node's test runner says: a part of its summary, or a test that was left out.
    pub fn read_node(&mut self, line: &str) {
        if let Some((name, why)) =
            line.trim_start().strip_prefix("\u{fe63} ").and_then(|rest| rest.rsplit_once(" # "))
            && why != FILTERED_OUT
        {
            self.skip(name.rsplit_once(" (").map_or(name, |(name, _time)| name), why);
        }
        let Some(rest) = line.strip_prefix("\u{2139} ") else { return };
        match rest.trim().split_once(' ') {
            Some(("pass", count)) => self.passed += count.parse().unwrap_or(0),
            // A test that is still to be written or mended holds nothing, so it counts as one that fails.
            Some(("fail" | "cancelled" | "todo", count)) => self.failed += count.parse().unwrap_or(0),
            _ => {}
        }
    }

    fn skip(&mut self, name: &str, why: &str) {
        let why = if why.is_empty() || why == "SKIP" { "no reason given" } else { why };
        self.skipped.push(Skipped { name: name.into(), why: why.into() });
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
        self.skipped.extend(other.skipped);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(name: &str, why: &str) -> Skipped {
        Skipped { name: name.into(), why: why.into() }
    }

    #[test]
    fn reads_cargo() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test ops::tests::every_integer ... ignored, slow: takes 90 s",
            "test ops::tests::bare ... ignored",
            "test ops::tests::ignored_files ... ok",
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.1s",
            "test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ] {
            tally.read_cargo(line);
        }
        let left_out = vec![
            skipped("ops::tests::every_integer", "slow: takes 90 s"),
            skipped("ops::tests::bare", "no reason given"),
        ];
        assert_eq!(tally, Tally { passed: 13, failed: 3, skipped: left_out });
    }

    #[test]
    fn reads_node() {
        let mut tally = Tally::default();
        for line in [
            "\u{2714} pass 9 things",
            "  \u{fe63} a child (of another) (0.14ms) # slow: takes 90 s",
            "\u{fe63} other (0.1ms) # test name does not match pattern",
            "\u{2139} tests 8",
            "\u{2139} pass 4",
            "\u{2139} fail 2",
            "\u{2139} cancelled 1",
            "\u{2139} skipped 2",
            "\u{2139} todo 1",
        ] {
            tally.read_node(line);
        }
        let left_out = vec![skipped("a child (of another)", "slow: takes 90 s")];
        assert_eq!(tally, Tally { passed: 4, failed: 4, skipped: left_out });
    }

    #[test]
    fn a_runner_that_fell_over_is_a_failure() {
        assert_eq!(Tally::default().with_verdict(false).failed, 1);
        assert_eq!(Tally { failed: 3, ..Tally::default() }.with_verdict(false).failed, 3);
        assert_eq!(Tally::default().with_verdict(true).failed, 0);
    }
}
