//! Constants of a model: weights, biases, shapes. Integers stay integers until a kernel needs floats.

/// The elements of a [`Constant`], in the type that the file has.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "variants are named for their types")]
pub enum Elements {
    F32(Vec<f32>),
    I8(Vec<i8>),
    U8(Vec<u8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

impl Elements {
    fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
        }
    }

    /// Fills `into` with a function of the elements from `first` on: one loop per type, which compilers make vectors of.
    fn each_f64(&self, first: usize, into: &mut [f32], of: impl Fn(f64) -> f32) {
        macro_rules! fill {
            ($v:expr, $real:expr) => {
                into.iter_mut().zip(&$v[first..]).for_each(|(o, &x)| *o = of($real(x)))
            };
        }
        match self {
            Self::F32(v) => fill!(v, f64::from),
            Self::I8(v) => fill!(v, f64::from),
            Self::U8(v) => fill!(v, f64::from),
            Self::I32(v) => fill!(v, f64::from),
            Self::I64(v) => fill!(v, |x| x as f64),
        }
    }

    fn get(&self, i: usize) -> f64 {
        match self {
            Self::F32(v) => v[i].into(),
            Self::I8(v) => v[i].into(),
            Self::U8(v) => v[i].into(),
            Self::I32(v) => v[i].into(),
            Self::I64(v) => v[i] as f64,
        }
    }
}

/// How integers stand for real numbers: `(q - zero_point) * scale`, one pair for the whole tensor or one for
/// each index of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantization {
    /// The axis that the scales run along; of no consequence when there is one.
    pub axis: usize,
    /// One scale, or one an index of the axis.
    pub scales: Vec<f32>,
    /// The zero points, one per scale.
    pub zero_points: Vec<i32>,
}

/// A tensor that the file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The extents, batch-like first axis included: a constant has no implied axis.
    pub shape: Vec<usize>,
    /// The elements, row-major.
    pub elements: Elements,
    /// The reals that integers stand for, once a DequantizeLinear has said so.
    pub quantization: Option<Quantization>,
}

impl Constant {
    /// A float constant.
    #[must_use]
    pub fn floats(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        Self { shape: shape.into(), elements: Elements::F32(values), quantization: None }
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// True if there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element `i` as the real number that it stands for.
    #[must_use]
    pub fn real(&self, i: usize) -> f64 {
        let raw = self.elements.get(i);
        let Some(q) = &self.quantization else { return raw };
        let k = if q.scales.len() == 1 {
            0
        } else {
            let inner: usize = self.shape[q.axis + 1..].iter().product();
            i / inner % self.shape[q.axis]
        };
        (raw - f64::from(q.zero_points[k])) * f64::from(q.scales[k])
    }

    /// All elements as real numbers in f32: what DequantizeLinear makes of them.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        if let (Elements::F32(values), None) = (&self.elements, &self.quantization) {
            return values.clone();
        }
        let Some(q) = &self.quantization else { return self.raw_f32() };
        let inner = if q.scales.len() == 1 { self.len() } else { self.shape[q.axis + 1..].iter().product() };
        let mut values = vec![0.0; self.len()];
        for (i, run) in values.chunks_mut(inner.max(1)).enumerate() {
            let k = i % q.scales.len();
            let (scale, zero_point) = (f64::from(q.scales[k]), f64::from(q.zero_points[k]));
            self.elements.each_f64(i * inner, run, |v| ((v - zero_point) * scale) as f32);
        }
        values
    }

    /// All elements as integers; `None` when they are floats.
    #[must_use]
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        match &self.elements {
            Elements::F32(_) => None,
            Elements::I8(v) => Some(v.iter().map(|&x| x.into()).collect()),
            Elements::U8(v) => Some(v.iter().map(|&x| x.into()).collect()),
            Elements::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            Elements::I64(v) => Some(v.clone()),
        }
    }

    /// The elements as they stand in the file, in f32, without what they stand for.
    #[must_use]
    pub fn raw_f32(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.len()];
        self.elements.each_f64(0, &mut values, |v| v as f32);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All at once they are what each is alone, whatever axis the scales run along.
    #[test]
    fn floats_are_the_reals_of_each_element() {
        let elements = || Elements::I8((-12..12).collect());
        for (axis, count) in [(0, 2), (1, 3), (2, 4), (0, 1), (2, 1)] {
            let scales = (0..count).map(|k| 0.1 + k as f32).collect();
            let zero_points = (0..count).map(|k| k - 1).collect();
            let quantization = Some(Quantization { axis, scales, zero_points });
            let constant = Constant { shape: vec![2, 3, 4], elements: elements(), quantization };
            let each: Vec<f32> = (0..24).map(|i| constant.real(i) as f32).collect();
            assert_eq!(constant.to_f32(), each, "axis {axis}, {count} scales");
        }
        let raw = Constant { shape: vec![24], elements: elements(), quantization: None };
        assert_eq!(raw.to_f32(), raw.raw_f32());
        assert_eq!(raw.to_f32()[..2], [-12.0, -11.0]);
    }
}
