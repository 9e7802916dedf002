//! Rows of bits: what shows under each mask.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Rows of as many bits each, packed into 32-bit words from the lowest bit up; a row starts a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitRows {
    bits: usize,
    rows: usize,
    words: Vec<u32>,
}

impl BitRows {
    /// No rows, each of which will have `bits` bits.
    #[must_use]
    pub fn new(bits: usize) -> Self {
        Self { bits, rows: 0, words: vec![] }
    }

    /// Rows as callers give them: a 1 for what shows, a 0 for what is hidden.
    ///
    /// # Errors
    /// [`Error::Argument`] when rows are of several lengths or empty, there are none, or hold something else.
    pub fn from_samples(rows: &[Vec<u8>]) -> Result<Self> {
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|r| r.len() != width || r.iter().any(|&z| z > 1)) {
            return Err(Error::Argument(
                "the samples must be rows of one length that say 1 (shown) or 0 (hidden) for each segment"
                    .into(),
            ));
        }
        let mut bits = Self::new(width);
        rows.iter().for_each(|row| bits.push(row.iter().map(|&z| z == 1)));
        Ok(bits)
    }

    /// Adds a row; bits that `row` does not give are unset, and those that it has too many are dropped.
    pub fn push(&mut self, row: impl IntoIterator<Item = bool>) {
        let start = self.words.len();
        self.words.resize(start + self.bits.div_ceil(32), 0);
        for (i, bit) in row.into_iter().take(self.bits).enumerate() {
            self.words[start + i / 32] |= u32::from(bit) << (i % 32);
        }
        self.rows += 1;
    }

    /// Adds a row of which runs of bits, each given by its first place and its length, are set; what reaches past the
    /// row is dropped.
    pub fn push_runs(&mut self, runs: &[(usize, usize)]) {
        let start = self.words.len();
        self.words.resize(start + self.bits.div_ceil(32), 0);
        let words = &mut self.words[start..];
        let within = runs.iter().map(|&(from, length)| (from, (from + length).min(self.bits)));
        for (from, to) in within.filter(|(from, to)| from < to) {
            // The run takes a part of the first and of the last word, and all of those between.
            let (first, last) = (from / 32, (to - 1) / 32);
            let (head, tail) = (u32::MAX << (from % 32), u32::MAX >> (31 - (to - 1) % 32));
            if first == last {
                words[first] |= head & tail;
            } else {
                words[first] |= head;
                words[first + 1..last].fill(u32::MAX);
                words[last] |= tail;
            }
        }
        self.rows += 1;
    }

    /// How many bits a row has.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether all rows are there, which those of a job that came from elsewhere may not be.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.words.len() == self.rows * self.bits.div_ceil(32)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// A row's words.
    #[must_use]
    pub fn words(&self, row: usize) -> &[u32] {
        let n = self.bits.div_ceil(32);
        &self.words[row * n..(row + 1) * n]
    }

    /// 32 of a row's bits from any place on, the first of them lowest; what is past the row may be anything.
    #[must_use]
    pub fn word_at(&self, row: usize, first: usize) -> u32 {
        let words = &self.words(row)[first / 32..];
        let [low, high] = [0, 1].map(|i| u64::from(words.get(i).copied().unwrap_or(0)));
        ((low | high << 32) >> (first % 32)) as u32
    }

    /// A row's bits.
    pub fn row(&self, row: usize) -> impl Iterator<Item = bool> + '_ {
        let words = self.words(row);
        (0..self.bits).map(move |i| words[i / 32] >> (i % 32) & 1 == 1)
    }

    /// The rows of a range.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        let n = self.bits.div_ceil(32);
        Self { bits: self.bits, rows: rows.len(), words: self.words[rows.start * n..rows.end * n].to_vec() }
    }
}
