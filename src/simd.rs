//! Loops compiled for several instruction sets, the widest of which is chosen at run time.
//!
//! A release build may use only what every processor of its architecture has; of x86-64's vector instructions that is
//! SSE2. A loop that is run by [`widest`] is compiled for AVX2 and AVX-512 too. On other architectures it is compiled
//! once, as it stands: which vectors the page and arm64 have is known when they are built.
//!
//! Results are equal to the bit on all of them. Each element goes through the same IEEE operations, and Rust never
//! contracts a product and a sum into one rounding. So the number of lanes must not decide the order in which a loop
//! adds; `tests::on_each_set` holds that.

#[cfg(target_arch = "x86_64")]
use fearless_simd::{
    Level, Simd as _,
    x86::{Avx2, Avx512},
};

/// The instruction set that a loop is compiled for.
#[derive(Clone, Copy, Debug)]
enum InstructionSet {
    /// The instructions that every processor of the architecture has.
    Baseline,
    /// Vectors of eight floats.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// Vectors of sixteen floats, on processors from Ice Lake and Zen 4 on.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl InstructionSet {
    fn widest() -> Self {
        #[cfg(test)]
        if let Some(set) = tests::CHOSEN.get() {
            return set;
        }
        #[cfg(target_arch = "x86_64")]
        match Level::new() {
            Level::Avx512(set) => return Self::Avx512(set),
            Level::Avx2(set) => return Self::Avx2(set),
            _ => {}
        }
        Self::Baseline
    }
}

/// Runs a loop, compiled for the widest vectors that this processor has. It is compiled for them only as far as it is
/// inlined here: the closure and all that it calls must be `#[inline(always)]`.
#[inline(always)]
pub fn widest<R>(work: impl FnOnce() -> R) -> R {
    match InstructionSet::widest() {
        InstructionSet::Baseline => work(),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2(set) => set.vectorize(work),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512(set) => set.vectorize(work),
    }
}

#[cfg(test)]
pub mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// The set that this thread's loops run on, instead of the widest.
        pub(super) static CHOSEN: Cell<Option<InstructionSet>> = const { Cell::new(None) };
    }

    /// Does the same on each set that this processor has, and holds what it makes against the baseline's, bit by bit.
    pub fn on_each_set(what: &str, make: impl Fn() -> Vec<u32>) {
        let on = |set| {
            CHOSEN.set(Some(set));
            let made = make();
            CHOSEN.set(None);
            made
        };
        let baseline = on(InstructionSet::Baseline);
        for set in wider() {
            let made = on(set);
            assert_eq!(made.len(), baseline.len(), "{what}");
            if let Some(i) = (0..made.len()).find(|&i| made[i] != baseline[i]) {
                let [a, b] = [made[i], baseline[i]].map(|bits| (bits, f32::from_bits(bits)));
                panic!("{what}: element {i} is {a:x?} on {set:?} and {b:x?} on the baseline");
            }
        }
    }

    fn wider() -> Vec<InstructionSet> {
        #[cfg(target_arch = "x86_64")]
        {
            let level = Level::new();
            let sets =
                [level.as_avx2().map(InstructionSet::Avx2), level.as_avx512().map(InstructionSet::Avx512)];
            sets.into_iter().flatten().collect()
        }
        #[cfg(not(target_arch = "x86_64"))]
        vec![]
    }

    /// A sum whose order the lanes decide, which no loop of ours may be: it must be found out.
    #[test]
    fn a_loop_that_depends_on_the_set_is_found_out() {
        if wider().is_empty() {
            return;
        }
        let depends = || match InstructionSet::widest() {
            InstructionSet::Baseline => vec![1.0f32.to_bits()],
            _ => vec![1.0f32.next_up().to_bits()],
        };
        assert!(std::panic::catch_unwind(|| on_each_set("planted", depends)).is_err());
        CHOSEN.set(None);
    }
}
