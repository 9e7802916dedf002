//! Functions that a file defines for itself, put in where they are called.

use std::collections::HashMap;

use prost::Message;
use tract_onnx::pb::{FunctionProto, ModelProto, NodeProto};

use crate::{
    error::{Error, Result},
    limits,
    ops::onnx::short,
};

/// Puts the body of each function of a file in the place of each call of it.
///
/// # Errors
/// [`Error::Model`] where a function calls itself, is called wrongly, or is of another opset than the model;
/// [`Error::Limit`] where the calls come to more nodes than a model may have.
pub fn put_in(model: &mut ModelProto) -> Result<()> {
    if model.functions.is_empty() {
        return Ok(());
    }
    let functions = std::mem::take(&mut model.functions);
    for function in &functions {
        check_opset(model, function)?;
    }
    let by_name =
        functions.iter().map(|f| ((f.domain.as_deref().unwrap_or(""), f.name.as_deref().unwrap_or("")), f));
    let own = model.graph.as_ref().map_or(0, |graph| graph.node.iter().map(Message::encoded_len).sum());
    let most_bytes = limits::LISTS_BYTES + own as u64;
    let mut expansion =
        Expansion { functions: by_name.collect(), made: vec![], bytes: 0, most_bytes, calls: vec![] };
    if let Some(graph) = &mut model.graph {
        for node in std::mem::take(&mut graph.node) {
            expansion.add(node)?;
        }
        graph.node = expansion.made;
    }
    Ok(())
}

fn check_opset(model: &ModelProto, function: &FunctionProto) -> Result<()> {
    let is_default = |domain: &str| matches!(domain, "" | "ai.onnx");
    let own = function.opset_import.iter().find(|o| is_default(&o.domain)).map(|o| o.version);
    let all = model.opset_import.iter().find(|o| is_default(&o.domain)).map(|o| o.version);
    match own.is_none() || own == all {
        true => Ok(()),
        false => Err(Error::Model(format!(
            "function {:?} is of opset {own:?}, the model of {all:?}; export it again with one opset",
            short(function.name.as_deref().unwrap_or(""))
        ))),
    }
}

struct Expansion<'a> {
    functions: HashMap<(&'a str, &'a str), &'a FunctionProto>,
    made: Vec<NodeProto>,
    /// The size of what was made, as a file has it, and what it may come to.
    bytes: u64,
    most_bytes: u64,
    /// The functions that are being put in, the outermost first.
    calls: Vec<*const FunctionProto>,
}

impl Expansion<'_> {
    fn add(&mut self, node: NodeProto) -> Result<()> {
        let Some(&function) = self.functions.get(&(node.domain.as_str(), node.op_type.as_str())) else {
            self.bytes += node.encoded_len() as u64;
            self.made.push(node);
            let what = "the number of bytes of functions where they are called";
            limits::check(what, self.bytes, self.most_bytes)?;
            return limits::check(
                "the number of the model's nodes",
                self.made.len() as u64,
                limits::MODEL_NODES,
            );
        };
        limits::check("the depth of functions that call functions", self.calls.len() as u64, limits::CALLS)?;
        let damaged = |why: &str| {
            Err(Error::Model(format!("function {:?} {why}; export it again", short(&node.op_type))))
        };
        if self.calls.contains(&std::ptr::from_ref(function)) {
            return damaged("calls itself");
        }
        if node.input.len() > function.input.len() || node.output.len() > function.output.len() {
            return damaged("is called with more inputs or outputs than it has");
        }
        self.calls.push(std::ptr::from_ref(function));
        let prefix = if node.name.is_empty() {
            node.output.first().cloned().unwrap_or_default()
        } else {
            node.name.clone()
        };
        let mut names: HashMap<&str, String> = HashMap::new();
        for (i, inner) in function.input.iter().enumerate() {
            names.insert(inner, node.input.get(i).cloned().unwrap_or_default());
        }
        for (inner, outer) in function.output.iter().zip(&node.output).filter(|(_, outer)| !outer.is_empty())
        {
            names.insert(inner, outer.clone());
        }
        for part in &function.node {
            let part = self.instance(part, &node, &names, &prefix)?;
            self.add(part)?;
        }
        self.calls.pop();
        Ok(())
    }

    /// A node of a function's body as it is in one call.
    fn instance(
        &self,
        part: &NodeProto,
        call: &NodeProto,
        names: &HashMap<&str, String>,
        prefix: &str,
    ) -> Result<NodeProto> {
        // Names and attributes inside such a graph would need the same translation; untranslated they may meet others.
        if part.attribute.iter().any(|a| a.g.is_some() || !a.graphs.is_empty()) {
            let (function, operator) = (short(&call.op_type), short(&part.op_type));
            return Err(Error::Model(format!(
                "function {function:?} holds a node with a graph of its own ({operator}), which is not supported; \
                 export without functions"
            )));
        }
        let own = |name: &String| match names.get(name.as_str()) {
            Some(outer) => outer.clone(),
            None if name.is_empty() => String::new(),
            None => format!("{prefix}/{name}"),
        };
        let mut made = part.clone();
        made.input = part.input.iter().map(own).collect();
        made.output = part.output.iter().map(own).collect();
        made.name = if part.name.is_empty() { String::new() } else { format!("{prefix}/{}", part.name) };
        for attribute in made.attribute.iter_mut().filter(|a| !a.ref_attr_name.is_empty()) {
            let given = call.attribute.iter().find(|a| a.name == attribute.ref_attr_name);
            let name = std::mem::take(&mut attribute.name);
            *attribute = given.cloned().ok_or_else(|| {
                let (function, missing) = (short(&call.op_type), short(&attribute.ref_attr_name));
                Error::Model(format!(
                    "function {function:?} is called without its attribute {missing:?}; export it again"
                ))
            })?;
            attribute.name = name;
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{AttributeProto, GraphProto};

    use super::*;

    fn node(operator: &str, input: &[&str], output: &[&str]) -> NodeProto {
        let texts = |list: &[&str]| list.iter().map(|&t| t.to_owned()).collect();
        NodeProto { op_type: operator.into(), input: texts(input), output: texts(output), ..<_>::default() }
    }

    fn function(name: &str, input: &[&str], output: &[&str], node: Vec<NodeProto>) -> FunctionProto {
        let texts = |list: &[&str]| list.iter().map(|&t| t.to_owned()).collect();
        FunctionProto {
            name: Some(name.into()),
            input: texts(input),
            output: texts(output),
            node,
            ..<_>::default()
        }
    }

    fn put_in_to(functions: Vec<FunctionProto>, node: Vec<NodeProto>) -> Result<Vec<NodeProto>> {
        let graph = Some(GraphProto { node, ..<_>::default() });
        let mut model = ModelProto { graph, functions, ..<_>::default() };
        put_in(&mut model)?;
        Ok(model.graph.unwrap().node)
    }

    #[test]
    fn calls_in_calls_become_nodes_with_names_of_their_own() {
        let mut scaled = node("Elu", &["t"], &["y"]);
        scaled.attribute =
            vec![AttributeProto { name: "alpha".into(), ref_attr_name: "slope".into(), ..<_>::default() }];
        let inner = function("inner", &["x"], &["y"], vec![node("Relu", &["x"], &["t"]), scaled]);
        let mut call = node("inner", &["a"], &["b"]);
        call.attribute = vec![AttributeProto { name: "slope".into(), f: 0.5, ..<_>::default() }];
        let outer = function("outer", &["a"], &["b"], vec![call]);
        let calls = vec![node("outer", &["image"], &["one"]), node("outer", &["one"], &["two"])];
        let made = put_in_to(vec![inner, outer], calls).unwrap();
        let names: Vec<_> =
            made.iter().map(|n| (n.op_type.as_str(), n.input[0].as_str(), n.output[0].as_str())).collect();
        let wanted = [
            ("Relu", "image", "one/t"),
            ("Elu", "one/t", "one"),
            ("Relu", "one", "two/t"),
            ("Elu", "two/t", "two"),
        ];
        assert_eq!(names, wanted);
        assert_eq!((made[1].attribute[0].name.as_str(), made[1].attribute[0].f), ("alpha", 0.5));
    }

    #[test]
    fn recursion_and_doubling_are_refused() {
        let own = function("f", &["x"], &["y"], vec![node("f", &["x"], &["y"])]);
        let why = put_in_to(vec![own], vec![node("f", &["a"], &["b"])]).unwrap_err().to_string();
        assert!(why.contains("calls itself"), "{why}");
        let doubling = |levels: usize| {
            let level = |i: usize| {
                let next = format!("f{}", i + 1);
                let body = vec![node(&next, &["x"], &["t"]), node(&next, &["t"], &["y"])];
                function(&format!("f{i}"), &["x"], &["y"], body)
            };
            let mut functions: Vec<_> = (0..levels).map(level).collect();
            functions.push(function(
                &format!("f{levels}"),
                &["x"],
                &["y"],
                vec![node("Relu", &["x"], &["y"])],
            ));
            put_in_to(functions, vec![node("f0", &["a"], &["b"])]).unwrap_err().to_string()
        };
        let why = doubling(20);
        assert!(why.contains("nodes"), "{why}");
        let why = doubling(40);
        assert!(why.contains("depth"), "{why}");
    }

    #[test]
    fn graphs_inside_a_function_are_refused() {
        let mut choice = node("If", &["c"], &["y"]);
        let branch =
            AttributeProto { name: "then_branch".into(), g: Some(GraphProto::default()), ..<_>::default() };
        choice.attribute = vec![branch];
        let why =
            put_in_to(vec![function("f", &["c"], &["y"], vec![choice])], vec![node("f", &["a"], &["b"])]);
        assert!(why.unwrap_err().to_string().contains("If"));
    }

    #[test]
    fn what_a_call_lacks_is_named() {
        let mut scaled = node("Elu", &["x"], &["y"]);
        scaled.attribute =
            vec![AttributeProto { name: "alpha".into(), ref_attr_name: "slope".into(), ..<_>::default() }];
        let why =
            put_in_to(vec![function("f", &["x"], &["y"], vec![scaled])], vec![node("f", &["a"], &["b"])]);
        assert!(why.unwrap_err().to_string().contains("\"slope\""));
    }
}
