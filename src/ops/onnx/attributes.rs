//! The attributes that ONNX operators have, and the versions that have them. A file's other attributes are refused,
//! because they may change what the operator means.

use tract_onnx::pb::{AttributeProto, NodeProto, attribute_proto::AttributeType};

/// An attribute of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: AttributeType,
    /// The first version of the default operator set that has it.
    pub since: i64,
    /// The last version that has it.
    pub until: i64,
}

impl Attribute {
    const fn new(name: &'static str, kind: AttributeType) -> Self {
        Self { name, kind, since: 1, until: i64::MAX }
    }

    /// Only from a version on.
    pub const fn since(self, since: i64) -> Self {
        Self { since, ..self }
    }

    /// Only up to a version.
    pub const fn until(self, until: i64) -> Self {
        Self { until, ..self }
    }
}

/// An integer.
pub const fn int(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeType::Int)
}

/// Integers.
pub const fn ints(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeType::Ints)
}

/// A float.
pub const fn float(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeType::Float)
}

/// Floats.
pub const fn floats(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeType::Floats)
}

/// A text.
pub const fn text(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeType::String)
}

/// A tensor.
pub const fn tensor(name: &'static str) -> Attribute {
    Attribute::new(name, AttributeType::Tensor)
}

/// Fails where a node has an attribute that its operator does not have in this version, one of another type, or one
/// twice. A version of `None` is that of another domain, whose operators have all attributes.
pub fn check(node: &NodeProto, known: &[Attribute], opset: Option<i64>) -> Result<(), String> {
    // More than the operator has cannot all differ.
    for (i, given) in node.attribute.iter().enumerate().take(known.len() + 1) {
        let name = &given.name;
        let Some(attribute) = known.iter().find(|a| a.name == name) else {
            return Err(format!("attribute {:?} is unknown", super::short(name)));
        };
        if opset.is_some_and(|v| v < attribute.since || v > attribute.until) {
            let version = opset.unwrap_or_default();
            return Err(format!(
                "attribute {name:?} is not one of opset {version}; export with a newer opset"
            ));
        }
        if !is_of_kind(given, attribute.kind) {
            return Err(format!("attribute {name:?} should be of type {}", attribute.kind.as_str_name()));
        }
        if node.attribute[..i].iter().any(|other| other.name == *name) {
            return Err(format!("attribute {name:?} is given twice"));
        }
    }
    Ok(())
}

/// True if the value is there. Files of the first versions do not state its type.
fn is_of_kind(given: &AttributeProto, kind: AttributeType) -> bool {
    let stated = given.r#type == kind as i32 || given.r#type == AttributeType::Undefined as i32;
    let is_number = match kind {
        AttributeType::Float => !given.f.is_nan(),
        AttributeType::Floats => !given.floats.iter().any(|v| v.is_nan()),
        AttributeType::Tensor => given.t.is_some(),
        _ => true,
    };
    stated && is_number && given.ref_attr_name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(attributes: Vec<AttributeProto>, opset: i64) -> Option<String> {
        let node = NodeProto { attribute: attributes, ..Default::default() };
        let known = [int("axis").until(6), ints("pads"), float("alpha")];
        check(&node, &known, Some(opset)).err()
    }

    fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
        AttributeProto { name: name.into(), r#type: kind as i32, ..Default::default() }
    }

    #[test]
    fn what_an_operator_does_not_have_is_refused() {
        let axis = || attribute("axis", AttributeType::Int);
        assert_eq!(refusal(vec![axis(), attribute("pads", AttributeType::Undefined)], 6), None);
        let refused = |attributes, opset, word: &str| {
            let why = refusal(attributes, opset).unwrap_or_default();
            assert!(why.contains(word), "{why:?} lacks {word:?}");
        };
        refused(vec![axis()], 7, "opset 7");
        refused(vec![axis(), axis()], 6, "twice");
        refused(vec![attribute("axes", AttributeType::Int)], 6, "unknown");
        refused(vec![attribute("axis", AttributeType::Ints)], 6, "INT");
        refused(vec![AttributeProto { f: f32::NAN, ..attribute("alpha", AttributeType::Float) }], 6, "FLOAT");
        let outer = AttributeProto { ref_attr_name: "outer".into(), ..axis() };
        refused(vec![outer], 6, "INT");
    }
}
