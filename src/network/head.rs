//! The head of a classifier: the function that turns its logits into probabilities. Nothing else in Pellucid does.
//!
//! A file's last operators say which function it is; [`Ending`] finds it and splits it off. Where a file ends with
//! bare numbers, nothing tells the softmax of one class from the sigmoids of many: the caller or the file's metadata
//! may say, and a note says what is assumed otherwise.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Score;
use crate::{
    error::{Error, Result},
    graph::{Graph, Node, ValueId},
    ops::{
        affine::{Affine, Per},
        concat::Concat,
        log_softmax::LogSoftmax,
        smooth_activation::{Kind, SmoothActivation},
        softmax::Softmax,
    },
};

/// The function that turns logits into probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// One class of all is right: the probabilities sum to one.
    Softmax,
    /// Each class is right or not by itself.
    Sigmoid,
    /// There are scores, and no probabilities.
    None,
}

impl Head {
    /// Every head, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Softmax, Self::Sigmoid, Self::None];

    /// The name on the command line, in reports and in a file's metadata.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::None => "none",
        }
    }

    /// The probabilities of one image's logits, in double precision; nothing where there are only scores.
    #[must_use]
    pub fn probabilities(self, logits: &[f32]) -> Option<Vec<f64>> {
        match self {
            Self::Softmax => Some(softmax(logits)),
            Self::Sigmoid => Some(logits.iter().map(|&z| 1.0 / (1.0 + (-f64::from(z)).exp())).collect()),
            Self::None => None,
        }
    }

    /// One image's logits as the wanted score.
    ///
    /// # Errors
    /// [`Error::Argument`] when probabilities are wanted and there are none.
    pub fn scores(self, logits: &[f32], score: Score) -> Result<Vec<f32>> {
        match score {
            Score::Logit => Ok(logits.to_vec()),
            Score::Probability => {
                let probabilities = self.probabilities(logits).ok_or_else(no_probability)?;
                Ok(probabilities.into_iter().map(|p| p as f32).collect())
            }
        }
    }

    /// Which score is explained: the one that is asked for, or else a method's default where the head has it.
    ///
    /// # Errors
    /// [`Error::Argument`] when probabilities are asked for and there are none.
    pub fn score(self, asked: Option<Score>, default: Score) -> Result<Score> {
        match (self, asked) {
            (Self::None, Some(Score::Probability)) => Err(no_probability()),
            (Self::None, None) => Ok(Score::Logit),
            _ => Ok(asked.unwrap_or(default)),
        }
    }

    /// The wanted score as a value of the graph, for its gradient.
    pub(super) fn wire(self, graph: &mut Graph, logits: ValueId, score: Score) -> Result<ValueId> {
        const NAME: &str = "probabilities";
        match (score, self) {
            (Score::Logit, _) => Ok(logits),
            (Score::Probability, Self::Softmax) => graph.add(NAME, Softmax { axis: 0 }, &[logits]),
            (Score::Probability, Self::Sigmoid) => {
                graph.add(NAME, SmoothActivation { kind: Kind::Sigmoid }, &[logits])
            }
            (Score::Probability, Self::None) => Err(no_probability()),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Head {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        Self::ALL.into_iter().find(|h| h.id() == text).ok_or(())
    }
}

fn no_probability() -> Error {
    Error::Argument(
        "the model gives scores without probabilities; explain the logit, or choose the head softmax or sigmoid if \
         its scores are logits of one"
            .into(),
    )
}

/// The softmax in double precision.
#[must_use]
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.iter().map(|&z| (f64::from(z) - f64::from(top)).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|e| e / sum).collect()
}

/// How a file's output ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The value before the head; the output where the file ends with bare numbers.
    pub scores: ValueId,
    /// The head that the file's operators say, and the ONNX operator that says it.
    pub stated: Option<(Head, &'static str)>,
}

impl Ending {
    /// An ending that says nothing.
    pub fn bare(scores: ValueId) -> Self {
        Self { scores, stated: None }
    }

    /// Looks for a head behind what only renames, flattens or requantizes an output.
    pub fn of(graph: &Graph, output: ValueId) -> Self {
        let mut at = output;
        loop {
            let node = graph.node(at);
            match stated(graph, node) {
                // Its scores are what the file gives, since they are no logits before it.
                Some((Head::None, operator)) => {
                    return Self { scores: output, stated: Some((Head::None, operator)) };
                }
                Some(stated) => return Self { scores: node.inputs[0], stated: Some(stated) },
                None if is_transparent(node) => at = node.inputs[0],
                None => return Self::bare(output),
            }
        }
    }
}

/// The head that an operator is at the end of a network.
fn stated(graph: &Graph, node: &Node) -> Option<(Head, &'static str)> {
    let over_all = |axis: usize| {
        if node.shape.get(axis) == Some(&node.elements()) { Head::Softmax } else { Head::None }
    };
    if let Some(softmax) = node.as_op::<Softmax>() {
        return Some((over_all(softmax.axis), "Softmax"));
    }
    if let Some(softmax) = node.as_op::<LogSoftmax>() {
        return Some((over_all(softmax.axis), "LogSoftmax"));
    }
    match node.as_op::<SmoothActivation>().map(|c| c.kind) {
        Some(Kind::Sigmoid) => return Some((Head::Sigmoid, "Sigmoid")),
        Some(Kind::HardSigmoid { .. }) => return Some((Head::None, "HardSigmoid")),
        _ => {}
    }
    node.as_op::<Concat>()?;
    let heads = node.inputs.iter().any(|&input| Ending::of(graph, input).stated.is_some());
    heads.then_some((Head::None, "Concat"))
}

/// True if an operator keeps the numbers, but for where they stand and the grid that they lie on.
fn is_transparent(node: &Node) -> bool {
    node.operator().is_some_and(|op| {
        op.is_view() || op.chain().is_some_and(|steps| steps.iter().all(|s| s.quantizer().is_some()))
    })
}

/// The origin of a choice of head, for the error when it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chooser {
    /// The caller.
    Caller,
    /// The file's metadata.
    Metadata,
}

impl Chooser {
    fn refuse(self, head: Head, why: &str) -> Error {
        match self {
            Self::Caller => Error::Argument(format!("the head cannot be {head}: {why}")),
            Self::Metadata => Error::Model(format!(
                "the model's metadata pellucid.head is {:?}: {why}; write another there, or remove it",
                head.id()
            )),
        }
    }
}

/// A head that has been decided on.
#[derive(Debug)]
pub(super) struct Settled {
    pub head: Head,
    /// `[classes]`.
    pub logits: ValueId,
    /// A note for readers on the choice.
    pub note: Option<String>,
}

/// Decides on the head: what the file's operators say, or else what was chosen, or else a guess with a note. The
/// ending's scores are `[n]` by now.
pub(super) fn settle(graph: &mut Graph, ending: Ending, chosen: Option<(Head, Chooser)>) -> Result<Settled> {
    let outputs = graph.node(ending.scores).elements();
    let head = decide(ending, outputs, chosen)?;
    let note = note(ending.stated, chosen.is_some(), head, outputs);
    let logits = if is_two(head, outputs) { two_answers(graph, ending.scores)? } else { ending.scores };
    Ok(Settled { head, logits, note })
}

/// The head alone.
pub(super) fn decide(ending: Ending, outputs: usize, chosen: Option<(Head, Chooser)>) -> Result<Head> {
    if let Some((head, chooser)) = chosen {
        match ending.stated {
            Some((stated, operator)) if stated != head => {
                let why = format!("the file ends in {operator}, so it is {stated}; leave the choice out");
                return Err(chooser.refuse(head, &why));
            }
            None if head == Head::Softmax && outputs == 1 => {
                let why = "a softmax over one output is 1 whatever the network says; choose sigmoid or none";
                return Err(chooser.refuse(head, why));
            }
            _ => {}
        }
    }
    Ok(match (ending.stated, chosen, outputs) {
        (Some((head, _)), ..) | (None, Some((head, _)), _) => head,
        (None, None, 1) => Head::None,
        (None, None, _) => Head::Softmax,
    })
}

/// True if one output makes two answers.
pub(super) fn is_two(head: Head, outputs: usize) -> bool {
    head == Head::Sigmoid && outputs == 1
}

/// `[-z, z]` of the only logit `z`: the sigmoid of the first is one minus that of the second. Built from operators
/// without weights, so that nothing takes it for a layer that has learnt something.
fn two_answers(graph: &mut Graph, logit: ValueId) -> Result<ValueId> {
    let name = graph.node(logit).name.clone();
    let minus = Affine { scale: vec![-1.0], shift: vec![0.0], per: Per::Channel };
    let not = graph.add(format!("{name}/not"), minus, &[logit])?;
    graph.add(format!("{name}/two"), Concat, &[not, logit])
}

fn note(stated: Option<(Head, &'static str)>, chosen: bool, head: Head, outputs: usize) -> Option<String> {
    let text = match (stated, head, outputs) {
        (_, Head::Sigmoid, 1) => {
            "The model has one output behind a sigmoid, which makes two answers: class 1 with its probability p, and \
             class 0, which is \"not\", with 1 - p and the negative logit."
        }
        (Some((_, operator)), Head::Softmax, 1) => {
            return Some(format!("The model's {operator} has one output, so its probability is always 1."));
        }
        (Some((_, operator)), Head::None, _) => {
            let what = match operator {
                "HardSigmoid" => "a HardSigmoid, which is no probability of a softmax or a sigmoid",
                "Concat" => "several heads beside each other",
                _ => "a softmax over only a part of its outputs",
            };
            return Some(format!(
                "The model ends in {what}: its outputs are shown as scores, without probabilities."
            ));
        }
        (None, _, _) if chosen => return None,
        (None, Head::None, _) => {
            "The model has one output and no sigmoid: it is shown as a score, without a probability. If it is a logit, \
             choose the head sigmoid (--head sigmoid, in the page under Model)."
        }
        (None, _, _) => {
            "The file does not say how its outputs become probabilities; a softmax over all classes is assumed. \
             Choose the head sigmoid for classes that can be right together, none for scores (--head, in the page \
             under Model)."
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// The labels of two answers from one output's: two labels name both, one names class 1.
#[must_use]
pub(crate) fn two_labels(labels: Vec<String>) -> Vec<String> {
    match <[String; 1]>::try_from(labels) {
        Ok([label]) => vec![format!("not {label}"), label],
        Err(labels) => labels,
    }
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
