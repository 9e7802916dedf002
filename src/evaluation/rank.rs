//! How alike two maps are, by the order of their values alone.

/// Spearman's rank correlation: 1 when both order their values alike, -1 when one is the other reversed, near 0
/// when they have nothing to do with each other. Equal values share the mean of their ranks; a map that is flat
/// is correlated with nothing.
#[must_use]
pub fn spearman(a: &[f32], b: &[f32]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let size = (dot(&a, &a) * dot(&b, &b)).sqrt();
    if size > 0.0 { dot(&a, &b) / size } else { 0.0 }
}

/// The rank of each value, less the mean rank.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mean = (values.len() as f64 - 1.0) / 2.0;
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    // Zero and minus zero are equal, and so are neighbours in the order.
    for equal in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let rank = first as f64 + (equal.len() as f64 - 1.0) / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank - mean);
        first += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::spearman;

    #[test]
    fn only_the_order_counts() {
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[-5.0, 0.0, 0.1]), 1.0);
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[7.0, 7.0, 7.0]), 0.0);
    }

    /// By hand: ranks 1, 2.5, 2.5, 4, 5 and 2, 1, 3.5, 3.5, 5, whose covariance over deviations is 7.25 / 9.5.
    #[test]
    fn ties_share_their_rank() {
        let got = spearman(&[1.0, 2.0, 2.0, 4.0, 5.0], &[2.0, 1.0, 3.0, 3.0, 9.0]);
        assert!((got - 0.763_157_894_736_842).abs() < 1e-12, "{got}");
        assert_eq!(spearman(&[0.0, -0.0, 1.0], &[1.0, 1.0, 2.0]), 1.0);
    }
}
