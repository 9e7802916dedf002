//! Seeded random numbers: the same seed gives the same numbers on every platform.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator that every sampled method draws from.
pub type Rng = ChaCha8Rng;

/// A generator for sample `index` of a run with `seed`. Each sample has a stream of its own, so the numbers
/// do not depend on how samples are grouped into batches or spread over workers.
#[must_use]
pub fn for_sample(seed: u64, index: u64) -> Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}
