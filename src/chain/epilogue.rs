//! The end of a kernel: a chain of functions, a sum and a gate, done to a result before it is stored.

use super::Step;

/// The derivative of a chain that is flat or straight: `g` where a mask of bits is set, else zero.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Guided backpropagation's rule: also zero where `g` is negative.
    pub positive_only: bool,
}

/// A chain that ends a kernel.
#[derive(Clone, Debug, Default)]
pub struct Epilogue {
    /// Functions, first to last.
    pub steps: Vec<Step>,
    /// Before which function another value is added.
    pub add_at: Option<usize>,
    /// The gate, last of all.
    pub gate: Option<Gate>,
}

impl Epilogue {
    /// A chain alone.
    #[must_use]
    pub fn of_chain(steps: &[Step]) -> Self {
        Self { steps: steps.to_vec(), ..Self::default() }
    }

    /// The sum with another value.
    #[must_use]
    pub fn sum() -> Self {
        Self { add_at: Some(0), ..Self::default() }
    }

    /// A gate alone.
    #[must_use]
    pub fn gate(gate: Gate) -> Self {
        Self { gate: Some(gate), ..Self::default() }
    }

    /// True if nothing is done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.inputs() == 0
    }

    /// The number of values it reads beside the one that it ends: one to add, then one to gate by.
    #[must_use]
    pub fn inputs(&self) -> usize {
        usize::from(self.add_at.is_some()) + usize::from(self.gate.is_some())
    }

    /// The epilogue that does this and then `next`, where one epilogue can: it holds one sum, and nothing
    /// after a gate.
    #[must_use]
    pub fn then(mut self, next: &Self) -> Option<Self> {
        if self.gate.is_some() || self.add_at.is_some() && next.add_at.is_some() {
            return None;
        }
        self.add_at = self.add_at.or(next.add_at.map(|at| self.steps.len() + at));
        self.steps.extend(next.steps.iter().cloned());
        self.gate = next.gate;
        Some(self)
    }
}
