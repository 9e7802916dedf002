//! Products of a matrix and a vector on the CPU. They read each weight once, so memory decides how long they take: the
//! matrix stays as the file has it, and serves the product with its transpose as well.

use crate::simd;

/// Sums that run side by side, the same on every instruction set, so that results are.
const LANES: usize = 16;
/// Rows that are added to the output in one go, which saves reading and writing it between them.
const ROWS: usize = 4;

/// Adds the product of a matrix `[made.len(), x.len()]` and a vector to `made`.
pub fn rows_times(matrix: &[f32], x: &[f32], made: &mut [f32]) {
    simd::widest(
        #[inline(always)]
        || {
            for (row, made) in matrix.chunks_exact(x.len()).zip(made) {
                *made += dot(row, x);
            }
        },
    );
}

/// Adds the product of the transpose of a matrix `[x.len(), made.len()]` and a vector to `made`.
pub fn columns_times(matrix: &[f32], x: &[f32], made: &mut [f32]) {
    simd::widest(
        #[inline(always)]
        || {
            let width = made.len();
            let whole = x.len() / ROWS * ROWS;
            for (rows, x) in matrix.chunks_exact(width * ROWS).zip(x.chunks_exact(ROWS)) {
                let (a, rest) = rows.split_at(width);
                let (b, rest) = rest.split_at(width);
                let (c, d) = rest.split_at(width);
                for (o, made) in made.iter_mut().enumerate() {
                    *made += (a[o] * x[0] + b[o] * x[1]) + (c[o] * x[2] + d[o] * x[3]);
                }
            }
            for (row, &x) in matrix.chunks_exact(width).zip(x).skip(whole) {
                made.iter_mut().zip(row).for_each(|(made, w)| *made += w * x);
            }
        },
    );
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0] + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ops::cases::floats, rng::for_sample};

    /// Every size near those of the lanes and rows gives the plain product.
    #[test]
    fn products_are_sums_of_products() {
        let mut rng = for_sample(7, 0);
        for (outputs, inputs) in [(1, 1), (3, 15), (5, 16), (17, 33), (4, 70), (33, 5)] {
            let matrix = floats(&mut rng, outputs * inputs);
            let (x, g) = (floats(&mut rng, inputs), floats(&mut rng, outputs));
            let (mut made, mut back) = (vec![1.0; outputs], vec![-1.0; inputs]);
            rows_times(&matrix, &x, &mut made);
            columns_times(&matrix, &g, &mut back);
            let product = |i: usize, v: f32| f64::from(matrix[i]) * f64::from(v);
            for (o, made) in made.iter().enumerate() {
                let sum: f64 = x.iter().enumerate().map(|(i, &x)| product(o * inputs + i, x)).sum();
                assert!((f64::from(*made) - 1.0 - sum).abs() < 1e-4, "{outputs} x {inputs}");
            }
            for (i, made) in back.iter().enumerate() {
                let sum: f64 = g.iter().enumerate().map(|(o, &g)| product(o * inputs + i, g)).sum();
                assert!((f64::from(*made) + 1.0 - sum).abs() < 1e-4, "{outputs} x {inputs}");
            }
        }
    }

    #[test]
    fn every_set_makes_the_same() {
        let mut rng = for_sample(8, 0);
        let (matrix, x) = (floats(&mut rng, 37 * 53), floats(&mut rng, 53));
        crate::simd::tests::on_each_set("products", || {
            let (mut made, mut back) = (vec![0.0; 37], vec![0.0; 53]);
            rows_times(&matrix, &x, &mut made);
            columns_times(&matrix, &made, &mut back);
            made.iter().chain(&back).map(|v| v.to_bits()).collect()
        });
    }
}
