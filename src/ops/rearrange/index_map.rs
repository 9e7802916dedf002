//! Which element of a value each element of a rearranged value is.

use std::ops::Range;

use super::sums::Sums;

/// Most terms of a factor that is made of two: each is listed.
const LONGEST_JOINED: usize = 1 << 20;

/// One axis of the output, after its axes were split or joined so that each reads at most one axis of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// The input's axis; none where the input is repeated.
    pub axis: Option<usize>,
    /// For each index of the output the index along the input's axis; none where it is the fill.
    pub indices: Vec<Option<usize>>,
}

/// A rearrangement: what Transpose, Slice, Pad, Expand, Tile, Gather of constants and DepthToSpace do to places.
///
/// Input and output are row-major. Both have axes of the map's own (factors), whose products are their counts of
/// elements; each factor of the output reads one of the input, so the index of an element is a sum of one term per
/// factor. A factor of the input that none of the output reads has extent 1.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexMap {
    input: Vec<usize>,
    factors: Vec<Factor>,
    shape: Vec<usize>,
    fill: f32,
}

/// How Pad continues a value beyond its edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// With one number.
    Constant(f32),
    /// With the last element.
    Edge,
    /// With the elements in reverse order, the last one not repeated.
    Reflect,
    /// With the elements from the other end.
    Wrap,
}

impl Factor {
    fn identity(axis: usize, extent: usize) -> Self {
        Self { axis: Some(axis), indices: (0..extent).map(Some).collect() }
    }

    fn repeat(times: usize) -> Self {
        Self { axis: None, indices: vec![Some(0); times] }
    }

    fn is_identity(&self, extent: usize) -> bool {
        self.indices.len() == extent && self.indices.iter().enumerate().all(|(i, at)| *at == Some(i))
    }

    /// Whether no element of the input is read twice along this axis.
    fn is_injective(&self) -> bool {
        if self.axis.is_none() {
            return self.indices.len() == 1;
        }
        let mut read: Vec<usize> = self.indices.iter().flatten().copied().collect();
        read.sort_unstable();
        read.windows(2).all(|pair| pair[0] != pair[1])
    }
}

impl IndexMap {
    /// The map that changes nothing.
    fn identity(shape: &[usize]) -> Self {
        let factors =
            shape.iter().enumerate().map(|(axis, &extent)| Factor::identity(axis, extent)).collect();
        Self { input: shape.to_vec(), factors, shape: shape.to_vec(), fill: 0.0 }
    }

    /// Axis `i` of the output is axis `order[i]` of the input; `order` is a permutation.
    #[must_use]
    pub fn transpose(shape: &[usize], order: &[usize]) -> Self {
        let mut map = Self::identity(shape);
        map.factors = order.iter().map(|&axis| Factor::identity(axis, shape[axis])).collect();
        map.shape = order.iter().map(|&axis| shape[axis]).collect();
        map
    }

    /// The elements along one axis are those at `indices`, or the fill.
    #[must_use]
    pub fn take_or_fill(shape: &[usize], axis: usize, indices: Vec<Option<usize>>) -> Self {
        let mut map = Self::identity(shape);
        map.shape[axis] = indices.len();
        map.factors[axis].indices = indices;
        map
    }

    /// The elements along one axis are those at `indices`, in that order.
    #[must_use]
    pub fn take(shape: &[usize], axis: usize, indices: impl IntoIterator<Item = usize>) -> Self {
        Self::take_or_fill(shape, axis, indices.into_iter().map(Some).collect())
    }

    /// Each axis is continued by some elements before and behind, or shortened where their number is negative.
    #[must_use]
    pub fn pad(shape: &[usize], margins: &[[isize; 2]], mode: PadMode) -> Self {
        let mut map = Self::identity(shape);
        for (axis, &[before, behind]) in margins.iter().enumerate() {
            let extent = shape[axis].cast_signed();
            let indices: Vec<_> = (-before..extent + behind).map(|at| mode.source(at, extent)).collect();
            map.shape[axis] = indices.len();
            map.factors[axis].indices = indices;
        }
        if let PadMode::Constant(fill) = mode {
            map.fill = fill;
        }
        map
    }

    /// Axes of extent 1 are repeated to the extents of `to`, which has at least as many axes; last axes are aligned.
    #[must_use]
    pub fn expand(shape: &[usize], to: &[usize]) -> Self {
        let mut map = Self::identity(shape);
        let lead = to.len() - shape.len();
        let of = |(i, &extent): (usize, &usize)| match i.checked_sub(lead) {
            Some(axis) if shape[axis] == extent => Factor::identity(axis, extent),
            _ => Factor::repeat(extent),
        };
        map.factors = to.iter().enumerate().map(of).collect();
        map.shape = to.to_vec();
        map
    }

    /// Axis `i` is repeated as a whole `repeats[i]` times.
    #[must_use]
    pub fn tile(shape: &[usize], repeats: &[usize]) -> Self {
        let mut map = Self::identity(shape);
        let each =
            |(axis, &times): (usize, &usize)| [Factor::repeat(times), Factor::identity(axis, shape[axis])];
        map.factors = repeats.iter().enumerate().flat_map(each).collect();
        map.shape = shape.iter().zip(repeats).map(|(extent, times)| extent * times).collect();
        map
    }

    /// A reshape to `split`, a transpose of that, and a reshape to `shape`: DepthToSpace and its kin.
    #[must_use]
    pub fn reordered(split: &[usize], order: &[usize], shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), ..Self::transpose(split, order) }
    }

    /// The same elements, row-major, under another shape.
    #[must_use]
    pub fn with_shape(self, shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), ..self }
    }

    /// The map of one image, of a map of a shape with a batch of one in front that stays there.
    #[must_use]
    pub fn of_image(mut self) -> Self {
        self.shape.remove(0);
        self.input.remove(0);
        self.factors.retain(|factor| factor.axis != Some(0));
        for factor in &mut self.factors {
            factor.axis = factor.axis.map(|axis| axis - 1);
        }
        self
    }

    /// The order of the input's axes, if axes in another order are all that the map makes.
    #[must_use]
    pub fn order(&self) -> Option<Vec<usize>> {
        let axis = |factor: &Factor| factor.axis.filter(|&axis| factor.is_identity(self.input[axis]));
        let order: Vec<usize> = self.factors.iter().map(axis).collect::<Option<_>>()?;
        let shape: Vec<usize> = order.iter().map(|&axis| self.input[axis]).collect();
        (shape == self.shape && order.len() == self.input.len()).then_some(order)
    }

    /// The input's axes.
    #[must_use]
    pub fn input(&self) -> &[usize] {
        &self.input
    }

    /// The output's shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many places are listed, over all axes.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.factors.iter().map(|factor| factor.indices.len()).sum()
    }

    /// How many elements the input has.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    /// The value that stands where no element of the input does.
    #[must_use]
    pub fn fill(&self) -> f32 {
        self.fill
    }

    /// Whether every element stays where it is.
    #[must_use]
    pub fn is_view(&self) -> bool {
        let extents: Vec<usize> = self.input.iter().copied().filter(|&extent| extent != 1).collect();
        let factors: Vec<&Factor> = self.factors.iter().filter(|f| f.indices != [Some(0)]).collect();
        let axes = (0..self.input.len()).filter(|&axis| self.input[axis] != 1);
        factors.len() == extents.len()
            && factors
                .iter()
                .zip(axes)
                .all(|(f, axis)| f.axis == Some(axis) && f.is_identity(self.input[axis]))
    }

    /// For each factor the terms of the index of an element in the input; none is the fill. Neighbours that read
    /// neighbouring axes as they are become one.
    #[must_use]
    pub fn terms(&self) -> Vec<Vec<Option<usize>>> {
        let mut strides = vec![1; self.input.len()];
        for axis in (1..self.input.len()).rev() {
            strides[axis - 1] = strides[axis] * self.input[axis];
        }
        let mut terms: Vec<Vec<Option<usize>>> = vec![];
        let mut last = None;
        for factor in self.factors.iter().filter(|f| f.indices != [Some(0)]) {
            let stride = factor.axis.map_or(0, |axis| strides[axis]);
            let own: Vec<_> = factor.indices.iter().map(|at| at.map(|at| at * stride)).collect();
            let axis = factor.axis.filter(|&axis| factor.is_identity(self.input[axis]));
            match (last, axis, terms.last_mut()) {
                (Some(before), Some(axis), Some(joined))
                    if self.follows(before, axis) && joined.len() * own.len() <= LONGEST_JOINED =>
                {
                    *joined =
                        joined.iter().flat_map(|a| own.iter().map(move |b| Some((*a)? + (*b)?))).collect();
                }
                _ => terms.push(own),
            }
            last = axis;
        }
        if terms.is_empty() {
            terms.push(vec![Some(0)]);
        }
        terms
    }

    /// Whether only axes of extent 1 stand between two axes of the input.
    fn follows(&self, before: usize, axis: usize) -> bool {
        before < axis && self.input[before + 1..axis].iter().all(|&extent| extent == 1)
    }

    /// Calls `f(place, source)` for runs of the output, in order: `source` is where the run's elements stand in the input,
    /// `step` apart; none where they are the fill.
    fn runs(&self, mut f: impl FnMut(Range<usize>, Option<usize>, usize)) {
        let terms = self.terms();
        let Some((inner, outer)) = terms.split_last() else { return };
        let runs = split_runs(inner);
        let mut at = vec![0; outer.len()];
        let mut place = 0;
        let rows: usize = outer.iter().map(Vec::len).product();
        for _ in 0..rows {
            let base = outer.iter().zip(&at).try_fold(0, |sum, (terms, &i)| terms[i].map(|term| sum + term));
            for (range, start, step) in &runs {
                f(place + range.start..place + range.end, base.zip(*start).map(|(a, b)| a + b), *step);
            }
            place += inner.len();
            for (i, terms) in at.iter_mut().zip(outer).rev() {
                *i += 1;
                if *i < terms.len() {
                    break;
                }
                *i = 0;
            }
        }
    }

    /// Writes the output for an input; both have as many elements as the map says.
    pub fn apply<T: Copy>(&self, input: &[T], output: &mut [T], fill: T) {
        self.runs(|to, source, step| match (source, step) {
            (None, _) => output[to].fill(fill),
            (Some(from), 1) => output[to.clone()].copy_from_slice(&input[from..from + to.len()]),
            (Some(from), 0) => output[to].fill(input[from]),
            (Some(from), _) => {
                let values = input[from..].iter().step_by(step);
                output[to].iter_mut().zip(values).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// The source of the element at `place`, digit by digit: slow, and plain.
    #[cfg(test)]
    pub fn source(&self, mut place: usize) -> Option<usize> {
        let mut at = vec![0; self.input.len()];
        for factor in self.factors.iter().rev() {
            let digit = place % factor.indices.len();
            place /= factor.indices.len();
            let index = factor.indices[digit]?;
            if let Some(axis) = factor.axis {
                at[axis] = index;
            }
        }
        Some(at.iter().zip(&self.input).fold(0, |flat, (index, extent)| flat * extent + index))
    }

    /// How a gradient goes back through sums: each element that was summed gets its sum's.
    #[must_use]
    pub fn adjoint_of(sums: &Sums) -> Self {
        let mut indices = vec![None; sums.from];
        for (group, members) in sums.groups.iter().enumerate() {
            members.iter().for_each(|&i| indices[i] = Some(group));
        }
        Self::take_or_fill(&[sums.outer, sums.groups.len(), sums.inner], 1, indices)
    }

    /// How a gradient goes back: sums along factors where elements of the input are read more than once, and a map of what
    /// they come to, to which no element is read twice.
    #[must_use]
    pub fn adjoint(&self) -> (Vec<Sums>, Self) {
        let mut extents: Vec<usize> = self.factors.iter().map(|f| f.indices.len()).collect();
        let mut sums = vec![];
        let mut back = vec![Factor::repeat(1); self.input.len()];
        for (i, factor) in self.factors.iter().enumerate() {
            let extent = factor.axis.map_or(1, |axis| self.input[axis]);
            let mut readers = vec![vec![]; extent];
            for (place, at) in factor.indices.iter().enumerate() {
                if let Some(at) = at {
                    readers[*at].push(place);
                }
            }
            let mut indices: Vec<_> = readers.iter().map(|places| places.first().copied()).collect();
            if !factor.is_injective() {
                let (outer, inner) = (extents[..i].iter().product(), extents[i + 1..].iter().product());
                sums.push(Sums { outer, from: extents[i], inner, groups: readers });
                extents[i] = extent;
                indices = (0..extent).map(Some).collect();
            }
            if let Some(axis) = factor.axis {
                back[axis] = Factor { axis: Some(i), indices };
            }
        }
        (sums, Self { input: extents, factors: back, shape: self.input.clone(), fill: 0.0 })
    }
}

impl PadMode {
    /// The place along an axis from which the element at `at`, which may be outside, is taken.
    fn source(self, at: isize, extent: isize) -> Option<usize> {
        let inside = (0..extent).contains(&at);
        let source = match self {
            _ if inside => at,
            Self::Constant(_) => return None,
            Self::Edge => at.clamp(0, extent - 1),
            Self::Wrap => at.rem_euclid(extent),
            Self::Reflect if extent == 1 => 0,
            Self::Reflect => {
                let period = 2 * (extent - 1);
                let place = at.rem_euclid(period);
                place.min(period - place)
            }
        };
        Some(source.unsigned_abs())
    }
}

/// Terms as runs of one step: places, where the first stands, and how far apart they are.
fn split_runs(terms: &[Option<usize>]) -> Vec<(Range<usize>, Option<usize>, usize)> {
    let mut runs: Vec<(Range<usize>, Option<usize>, usize)> = vec![];
    for (i, &term) in terms.iter().enumerate() {
        match runs.last_mut() {
            Some((range, None, _)) if term.is_none() => range.end += 1,
            Some((range, Some(start), step))
                if term.is_some_and(|t| continues(t, *start, range.len(), *step)) =>
            {
                if range.len() == 1 {
                    *step = term.map_or(0, |t| t - *start);
                }
                range.end += 1;
            }
            _ => runs.push((i..i + 1, term, 0)),
        }
    }
    runs
}

/// Whether a term goes on with a run that has `length` terms from `start` on; the second may be anything not before it.
fn continues(term: usize, start: usize, length: usize, step: usize) -> bool {
    match length {
        1 => term >= start,
        _ => term == start + length * step,
    }
}
