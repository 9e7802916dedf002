//! Adebayo's sanity check: what a network has learnt is taken away from the top down. A map that explains the
//! network must change; one that hardly does shows the picture, not the reason. Adebayo et al. 2018,
//! "Sanity Checks for Saliency Maps", section 3.

use std::sync::Arc;

use rand_distr::{Distribution, Normal};

use crate::{
    error::{Error, Result},
    graph::{Constant, Elements, Operator, ValueId},
    network::Network,
    rng,
};

/// How many layers of a network have weights.
#[must_use]
pub fn weighted_layers(network: &Network) -> usize {
    weighted(network).len()
}

/// The network with the weights of its last `layers` convolutions and linear layers drawn anew: each output
/// channel's from a normal distribution of its own deviation, so that values keep their size. Integers stay
/// integers of the same scale. Biases, which in a folded network are the normalisation's, stay.
///
/// # Errors
/// [`Error::Model`] when a layer's weights have no deviation that can be drawn from.
pub fn randomised(network: &Network, layers: usize, seed: u64) -> Result<Network> {
    let mut graph = network.graph().clone();
    for (i, &value) in weighted(network).iter().rev().take(layers).enumerate() {
        let Some(op) = graph.node(value).operator() else { continue };
        let Some(weights) = op.weights() else { continue };
        let operator = op
            .with_weights(Arc::new(redrawn(weights, seed, i)?))
            .ok_or_else(|| Error::Model(format!("the weights of {} cannot be drawn anew", op.name())))?;
        graph.replace(value, operator)?;
    }
    network.with_graph(graph)
}

fn weighted(network: &Network) -> Vec<ValueId> {
    let has_weights = |op: &Arc<dyn Operator>| op.weights().is_some();
    network.graph().iter().filter(|(_, n)| n.operator().is_some_and(has_weights)).map(|(v, _)| v).collect()
}

/// Weights of the same shape, type and scale.
fn redrawn(weights: &Constant, seed: u64, layer: usize) -> Result<Constant> {
    let mut rng = rng::for_sample(seed, layer as u64);
    let old = weights.raw_f32();
    let mut new = Vec::with_capacity(old.len());
    for channel in old.chunks_exact((old.len() / weights.shape[0]).max(1)) {
        let n = channel.len() as f64;
        let mean = channel.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        // About zero where there is but one weight: a deviation from itself would be none.
        let centre = if channel.len() > 1 { mean } else { 0.0 };
        let square: f64 = channel.iter().map(|&v| (f64::from(v) - centre).powi(2)).sum();
        let normal = Normal::new(0.0, (square / n).sqrt())
            .map_err(|e| Error::Model(format!("a layer's weights cannot be drawn anew: {e}")))?;
        new.extend(channel.iter().map(|_| normal.sample(&mut rng)));
    }
    let integer = |v: &f64, low: f64, high: f64| v.round().clamp(low, high);
    let elements = match &weights.elements {
        Elements::F32(_) => Elements::F32(new.iter().map(|&v| v as f32).collect()),
        Elements::I8(_) => Elements::I8(new.iter().map(|v| integer(v, -127.0, 127.0) as i8).collect()),
        _ => return Err(Error::Model("weights of this type cannot be drawn anew".into())),
    };
    Ok(Constant { shape: weights.shape.clone(), elements, quantization: weights.quantization.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_layers_change() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        let network = Network::from_onnx(model).unwrap();
        assert_eq!(weighted_layers(&network), 50);
        let (changed, again) = (randomised(&network, 2, 1).unwrap(), randomised(&network, 2, 1).unwrap());
        let weights = |network: &Network, value: ValueId| -> Vec<f32> {
            network.graph().node(value).operator().unwrap().weights().unwrap().to_f32()
        };
        let layers = weighted(&network);
        for (i, &value) in layers.iter().enumerate() {
            let (old, new) = (weights(&network, value), weights(&changed, value));
            assert_eq!(old != new, i >= layers.len() - 2, "layer {i}");
            assert_eq!(new, weights(&again, value));
            let size = |w: &[f32]| w.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            assert!((0.8..1.25).contains(&(size(&new) / size(&old))), "layer {i}");
        }
    }
}
