//! The one error type, with stable codes that reach the command line and JavaScript.
//!
//! A message says what happened and what to do, in one sentence that can be shown as it is. Programs go by
//! [`Error::code`]; an operator that cannot be honoured is an [`UnsupportedNode`], and all of a file are told at once.

use std::collections::HashMap;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An ONNX node that the network reader cannot honour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedNode {
    /// The ONNX operator, with its domain where that is not the default one.
    pub operator: String,
    /// The node's name in the file (its first output where it has none).
    pub node: String,
    /// The part of it that is not supported.
    pub reason: String,
}

/// The kind of a GPU's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuFault {
    /// No adapter, or none that is allowed.
    Unavailable,
    /// The device was lost (driver reset, GPU process crash, unplugged).
    Lost,
    /// An allocation failed.
    OutOfMemory,
    /// A command was refused: a fault of ours or of the driver.
    Validation,
}

/// Every way in which Pellucid can fail. Each message says what happened and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The image cannot be read.
    #[error("{0}")]
    Image(String),
    /// The model file cannot be read, or contradicts itself.
    #[error("{0}")]
    Model(String),
    /// Files in which the model keeps its weights are not there: their names.
    #[error(
        "the model keeps its weights in {}, which is missing; put it into the model's folder, or choose or drop both together", quoted(.0)
    )]
    MissingData(Vec<String>),
    /// The model uses operators, or settings of them, that are not supported; all of them at once.
    #[error("the model uses what Pellucid does not support: {}; {}", list(.0), advice(.0, "export it with supported operators"))]
    Unsupported(Vec<UnsupportedNode>),
    /// The same of a network that is known to be of a kind, as "a vision transformer".
    #[error("this is {what}, and uses what Pellucid does not support: {}; {}", list(.nodes), advice(.nodes, "choose a convolutional classifier"))]
    UnsupportedIn {
        /// The kind, with its article.
        what: String,
        /// All of them.
        nodes: Vec<UnsupportedNode>,
    },
    /// Either of the two, where the file leaves the size of its image open: another may fit.
    #[error(
        "{error}. Or the size does not fit: the file leaves it open, and {0}x{1} (height x width) was tried; choose the one \
         that the model was trained with (--size HxW on the command line)", .size[0], .size[1]
    )]
    AtAssumedSize {
        /// Height and width.
        size: [usize; 2],
        /// The fault at this size.
        error: Box<Self>,
    },
    /// Something is larger than is safe to take.
    #[error("{what} is {got}, and at most {allowed} is allowed; {advice}")]
    Limit {
        /// The quantity that was measured, with its unit.
        what: &'static str,
        /// Its size.
        got: u64,
        /// The bound.
        allowed: u64,
        /// The advice to the reader.
        advice: &'static str,
    },
    /// The GPU is not there, or failed.
    #[error("{detail}")]
    Gpu {
        /// The kind of failure.
        fault: GpuFault,
        /// The driver's words, and what to do.
        detail: String,
    },
    /// A value is infinite or not a number.
    #[error("{0} is infinite or not a number; the model or the input is damaged")]
    NotFinite(String),
    /// The caller asked to stop.
    #[error("stopped on request")]
    Cancelled,
    /// An unknown method, layer, label or parameter, or a value outside its range.
    #[error("{0}")]
    Argument(String),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(String),
}

impl Error {
    /// The stable code: lower-case words joined by hyphens, the same in JSON, JavaScript and on stderr.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Image(_) => "image",
            Self::Model(_) => "model",
            Self::MissingData(_) => "missing-data",
            Self::Unsupported(_) | Self::UnsupportedIn { .. } => "unsupported",
            Self::AtAssumedSize { error, .. } => error.code(),
            Self::Limit { .. } => "limit",
            Self::Gpu { fault, .. } => match fault {
                GpuFault::Unavailable => "gpu-unavailable",
                GpuFault::Lost => "gpu-lost",
                GpuFault::OutOfMemory => "gpu-memory",
                GpuFault::Validation => "gpu-validation",
            },
            Self::NotFinite(_) => "not-finite",
            Self::Cancelled => "cancelled",
            Self::Argument(_) => "argument",
            Self::Io(_) => "io",
        }
    }

    /// A GPU error from its kind and a text.
    pub fn gpu(fault: GpuFault, detail: impl Into<String>) -> Self {
        Self::Gpu { fault, detail: detail.into() }
    }
}

/// Names in quotes.
fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" and ")
}

/// Most kinds of faults that a message names.
const MOST_TOLD: usize = 12;

/// The nodes, those together that lack the same: how many, and the first of them.
fn list(nodes: &[UnsupportedNode]) -> String {
    let mut places = HashMap::new();
    let mut groups: Vec<(&UnsupportedNode, usize)> = vec![];
    for node in nodes {
        let place = *places.entry((&node.operator, &node.reason)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => groups.push((node, 1)),
        }
    }
    let tell = |&(UnsupportedNode { operator, node, reason }, count): &(&UnsupportedNode, usize)| match count
    {
        1 => format!("{operator} (node {node:?}: {reason})"),
        _ => format!("{operator} ({count} nodes, first {node:?}: {reason})"),
    };
    let mut told: Vec<String> = groups.iter().take(MOST_TOLD).map(tell).collect();
    if let Some(rest) = groups.len().checked_sub(MOST_TOLD).filter(|&rest| rest > 0) {
        told.push(format!("and {rest} more"));
    }
    told.join(", ")
}

/// The way out of them: `otherwise`, where they do not tell.
fn advice(nodes: &[UnsupportedNode], otherwise: &str) -> String {
    let is_integer =
        |n: &UnsupportedNode| n.operator.starts_with("QLinear") || n.operator.ends_with("Integer");
    if nodes.iter().any(|n| n.operator.starts_with("com.microsoft.nchwc")) {
        "onnxruntime has laid it out for one kind of processor: save it with graph_optimization_level ORT_ENABLE_EXTENDED \
         or below, or take the file that it was made of"
            .into()
    } else if nodes.iter().any(is_integer) {
        "quantize it in the QDQ format (QuantizeLinear and DequantizeLinear), not with integer operators"
            .into()
    } else {
        format!("{otherwise}, or open an issue")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_names_every_node() {
        let node = |operator: &str, node: &str| UnsupportedNode {
            operator: operator.into(),
            node: node.into(),
            reason: "no such operator".into(),
        };
        let nodes = vec![node("Loop", "a"), node("com.x.Magic", "b"), node("Loop", "c")];
        let error = Error::Unsupported(nodes);
        let text = error.to_string();
        assert!(
            text.contains(r#"Loop (2 nodes, first "a": no"#) && text.contains(r#"com.x.Magic (node "b": no"#),
            "{text}"
        );
        assert!(text.ends_with("or open an issue"), "{text}");
        assert_eq!(error.code(), "unsupported");
        let laid_out = Error::Unsupported(vec![node("com.microsoft.nchwc.Conv", "a")]).to_string();
        assert!(laid_out.contains("ORT_ENABLE_EXTENDED"), "{laid_out}");
        let integers = Error::Unsupported(vec![node("QLinearConv", "a")]).to_string();
        assert!(integers.contains("QDQ"), "{integers}");
    }
}
