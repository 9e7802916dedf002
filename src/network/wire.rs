//! The cost of decoding a model file, told from its wire format before anything is decoded: a message of two bytes
//! becomes a structure of hundreds.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use tract_onnx::pb::{AttributeProto, FunctionProto, NodeProto, TensorProto, ValueInfoProto};

use crate::{error::Result, limits};

/// Fields of `ModelProto`, `GraphProto` and `NodeProto`, as `onnx.proto` numbers them.
const GRAPH: u32 = 7;
const FUNCTION: u32 = 25;
const NODE: u32 = 1;
const INITIALIZER: u32 = 5;
const VALUES: [u32; 3] = [11, 12, 13];
const INPUT_AND_OUTPUT: [u32; 2] = [1, 2];
const ATTRIBUTE: u32 = 5;
/// The graph of an `AttributeProto`, and the list of them.
const ATTRIBUTE_GRAPHS: [u32; 2] = [6, 11];
/// How deep graphs of attributes are counted; prost decodes none that are much deeper.
const DEPTH: usize = 100;
/// The nodes of a `FunctionProto`, and its lists of names.
const FUNCTION_NODE: u32 = 7;
const FUNCTION_NAMES: [u32; 3] = [4, 5, 6];

/// The lengths of a file's lists.
#[derive(Debug, Default)]
struct Tally {
    nodes: u64,
    /// Bytes of the structures that the lists' messages become.
    bytes: u64,
}

/// Fails where a file has more nodes than are read, or lists that take more memory than its size explains.
///
/// # Errors
/// [`Error::Limit`](crate::Error::Limit).
pub fn check(file: &[u8]) -> Result<()> {
    let mut tally = Tally::default();
    // If the walk ends early the file is damaged, and decoding it ends there too, with words for it.
    let _ = walk(file, &mut |field, graph| match field {
        GRAPH => tally.count_graph(graph, 0),
        FUNCTION => tally.count_function(graph),
        _ => Some(()),
    });
    limits::check("the number of the model's nodes", tally.nodes, limits::MODEL_NODES)?;
    let allowed = limits::LISTS_BYTES + file.len() as u64;
    limits::check("the number of bytes that the model's lists take", tally.bytes, allowed)
}

impl Tally {
    fn count_graph(&mut self, graph: &[u8], depth: usize) -> Option<()> {
        walk(graph, &mut |field, part| self.count(field, part, depth))
    }

    fn count(&mut self, field: u32, part: &[u8], depth: usize) -> Option<()> {
        self.bytes += match field {
            NODE => size_of::<NodeProto>(),
            INITIALIZER => size_of::<TensorProto>(),
            value if VALUES.contains(&value) => size_of::<ValueInfoProto>(),
            _ => 0,
        } as u64;
        match field {
            NODE => self.count_node(part, depth),
            _ => Some(()),
        }
    }

    fn count_function(&mut self, function: &[u8]) -> Option<()> {
        self.bytes += size_of::<FunctionProto>() as u64;
        walk(function, &mut |field, part| {
            match field {
                FUNCTION_NODE => {
                    self.bytes += size_of::<NodeProto>() as u64;
                    return self.count_node(part, 0);
                }
                name if FUNCTION_NAMES.contains(&name) => self.bytes += size_of::<String>() as u64,
                _ => {}
            }
            Some(())
        })
    }

    fn count_node(&mut self, node: &[u8], depth: usize) -> Option<()> {
        self.nodes += 1;
        walk(node, &mut |field, part| {
            if field == ATTRIBUTE && depth < DEPTH {
                self.count_attribute(part, depth)?;
            }
            self.bytes += match field {
                ATTRIBUTE => size_of::<AttributeProto>(),
                name if INPUT_AND_OUTPUT.contains(&name) => size_of::<String>(),
                _ => 0,
            } as u64;
            Some(())
        })
    }

    fn count_attribute(&mut self, attribute: &[u8], depth: usize) -> Option<()> {
        walk(attribute, &mut |field, part| match ATTRIBUTE_GRAPHS.contains(&field) {
            true => self.count_graph(part, depth + 1),
            false => Some(()),
        })
    }
}

/// Calls `f(field, bytes)` for each field with a length; none where the bytes are no protobuf.
fn walk(mut bytes: &[u8], f: &mut dyn FnMut(u32, &[u8]) -> Option<()>) -> Option<()> {
    while !bytes.is_empty() {
        let (field, kind) = decode_key(&mut bytes).ok()?;
        if kind != WireType::LengthDelimited {
            skip_field(kind, field, &mut bytes, DecodeContext::default()).ok()?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
        let (part, rest) = bytes.split_at_checked(length)?;
        f(field, part)?;
        bytes = rest;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tract_onnx::pb::{GraphProto, ModelProto};

    use super::*;

    fn refusal(graph: GraphProto) -> Option<String> {
        let model = ModelProto { graph: Some(graph), ..Default::default() };
        check(&model.encode_to_vec()).err().map(|e| e.to_string())
    }

    #[test]
    fn empty_messages_are_counted_before_they_are_decoded() {
        let nodes = |count| GraphProto { node: vec![NodeProto::default(); count], ..Default::default() };
        assert_eq!(refusal(nodes(65_536)), None);
        assert!(refusal(nodes(65_537)).unwrap().contains("nodes is 65537"));
        let initializer = vec![TensorProto::default(); 1_000_000];
        let why = refusal(GraphProto { initializer, ..Default::default() }).unwrap();
        assert!(why.contains("lists"), "{why}");
        let attribute = vec![AttributeProto::default(); 1_000_000];
        let node = vec![NodeProto { attribute, ..Default::default() }];
        let why = refusal(GraphProto { node, ..Default::default() }).unwrap();
        assert!(why.contains("lists"), "{why}");
        check(b"hello").unwrap();
    }
}
