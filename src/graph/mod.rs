//! The SSA graph.
