//! Maps against element-by-element definitions, and their adjoints against the definition of an adjoint.

use rand::RngExt;

use super::*;
use crate::{graph::reference::Array, rng::for_sample};

/// The elements of `input` where a map puts them.
pub fn rearranged(map: &IndexMap, input: &Array) -> Array {
    let count = map.shape().iter().product();
    let of = |place| map.source(place).map_or(map.fill().into(), |source| input.data[source]);
    Array::new(map.shape(), (0..count).map(of).collect())
}

/// Maps of every kind, each with its input's shape.
pub fn maps() -> Vec<(Vec<usize>, IndexMap)> {
    let shape = vec![3, 4, 5];
    let pads = [[1, 2], [0, 0], [2, 3]];
    let mut maps: Vec<_> = [PadMode::Constant(0.0), PadMode::Edge, PadMode::Reflect, PadMode::Wrap]
        .map(|mode| (shape.clone(), IndexMap::pad(&shape, &pads, mode)))
        .into();
    maps.extend([
        (shape.clone(), IndexMap::pad(&shape, &[[-1, 0], [1, -2], [0, -1]], PadMode::Constant(0.0))),
        (shape.clone(), IndexMap::transpose(&shape, &[2, 0, 1])),
        (shape.clone(), IndexMap::transpose(&shape, &[0, 2, 1])),
        (shape.clone(), IndexMap::take(&shape, 1, [3, 1])),
        (shape.clone(), IndexMap::take(&shape, 2, [4, 4, 0, 2, 0])),
        (shape.clone(), IndexMap::take(&shape, 0, (0..3).rev())),
        (vec![3, 1, 5], IndexMap::expand(&[3, 1, 5], &[3, 4, 5])),
        (vec![5], IndexMap::expand(&[5], &[2, 3, 5])),
        (shape.clone(), IndexMap::tile(&shape, &[2, 1, 3])),
        (vec![8, 2, 3], IndexMap::reordered(&[2, 2, 2, 2, 3], &[2, 3, 0, 4, 1], &[2, 4, 6])),
    ]);
    maps
}

#[test]
fn a_value_is_rearranged_as_its_elements_are() {
    for (shape, map) in maps() {
        let input: Vec<f32> = (0..shape.iter().product::<usize>()).map(|i| i as f32 + 1.0).collect();
        let mut got = vec![-7.0; map.shape().iter().product()];
        map.apply(&input, &mut got, map.fill());
        let want = rearranged(&map, &Array::new(&shape, input.iter().map(|v| f64::from(*v)).collect()));
        assert_eq!(got, want.data.iter().map(|v| *v as f32).collect::<Vec<_>>(), "{map:?}");
    }
}

/// `<A x, y> = <x, A' y>`.
#[test]
fn gradients_go_back_where_elements_came_from() {
    for (shape, map) in maps() {
        let mut rng = for_sample(5, 0);
        let mut random = |count: usize| (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (x, y) = (random(shape.iter().product()), random(map.shape().iter().product()));
        let mut forward = vec![0.0; y.len()];
        map.apply(&x, &mut forward, 0.0);
        let (sums, back) = map.adjoint();
        let mut g = y.clone();
        for sums in sums {
            let mut summed = vec![0.0; sums.outer * sums.groups.len() * sums.inner];
            sums.apply(&g, &mut summed);
            // The adjoint of the sums themselves: each element gets its sum's.
            let mut spread = vec![0.0; g.len()];
            IndexMap::adjoint_of(&sums).apply(&summed, &mut spread, 0.0);
            let [a, b] = [(&summed, &summed), (&g, &spread)]
                .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
            assert!((a - b).abs() < 1e-3 * a.abs().max(1.0), "{a} {b}");
            g = summed;
        }
        let mut gradient = vec![0.0; x.len()];
        back.apply(&g, &mut gradient, 0.0);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (there, here) = (dot(&forward, &y), dot(&x, &gradient));
        assert!((there - here).abs() < 1e-4, "{there} {here}: {map:?}");
    }
}

#[test]
fn maps_that_move_nothing_are_views() {
    assert!(IndexMap::transpose(&[1, 3, 1, 5], &[1, 0, 3, 2]).is_view());
    assert!(IndexMap::transpose(&[3, 1, 5], &[1, 0, 2]).is_view());
    assert!(IndexMap::take(&[3, 4], 1, 0..4).is_view());
    assert!(!IndexMap::take(&[3, 4], 1, 0..3).is_view());
    assert!(!IndexMap::expand(&[3, 1], &[3, 2]).is_view());
    assert!(!IndexMap::transpose(&[3, 4], &[1, 0]).is_view());
}

#[test]
fn neighbours_become_one_factor() {
    assert_eq!(IndexMap::transpose(&[2, 3, 4, 5], &[2, 3, 0, 1]).terms().len(), 2);
    assert_eq!(IndexMap::take(&[2, 3, 4], 2, [2, 0]).terms().len(), 2);
}
