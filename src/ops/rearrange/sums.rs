//! Sums of groups of elements: what the adjoint of a rearrangement needs where elements are read more than once.

/// Sums of groups of elements along the middle of three axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The extent of what stands before.
    pub outer: usize,
    /// The extent that is read.
    pub from: usize,
    /// The extent of what stands behind.
    pub inner: usize,
    /// For each index of the result the indices that are summed; each index is in at most one group.
    pub groups: Vec<Vec<usize>>,
}

impl Sums {
    /// Adds up what `input`, `[outer, from, inner]`, has in each group to `output`, `[outer, groups, inner]`, of zeros.
    pub fn apply(&self, input: &[f32], output: &mut [f32]) {
        let (read, made) = (self.from * self.inner, self.groups.len() * self.inner);
        for (from, to) in input.chunks_exact(read.max(1)).zip(output.chunks_exact_mut(made.max(1))) {
            for (group, to) in self.groups.iter().zip(to.chunks_exact_mut(self.inner)) {
                for &i in group {
                    let row = &from[i * self.inner..(i + 1) * self.inner];
                    to.iter_mut().zip(row).for_each(|(to, v)| *to += v);
                }
            }
        }
    }
}
