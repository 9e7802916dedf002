//! A decoded ONNX file to a graph, node by node; what it may ask for is bounded here.

use std::{
    collections::{HashMap, HashSet},
    iter,
    sync::Arc,
};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto};

use super::reading::InputSize;
use crate::{
    error::{Error, Result, UnsupportedNode},
    graph::{Elements, Graph, Node, ValueId},
    limits,
    ops::{
        fold::Inputs,
        max_pool::MaxPool,
        of_constants,
        onnx::{self, Operand, Reader, attributes, short},
        reader_of,
        rearrange::{is_for_maxima, transposed},
    },
};

/// A graph with the names that the file gives to its values.
#[derive(Debug)]
pub struct Imported {
    /// The graph; its inputs are the file's, those with an initial value left out.
    pub graph: Graph,
    /// The value or constant of each name of an output or a node.
    pub names: HashMap<String, Operand>,
    /// The ONNX operator that each value of the graph was read from, as the file spells it.
    pub operators: HashMap<ValueId, String>,
    /// Notes for readers on choices that were made.
    pub notes: Vec<String>,
    /// Whether the file leaves the height or width of its image open.
    pub is_size_open: bool,
}

/// Imports a decoded file to a graph, whatever its inputs and outputs are.
///
/// # Errors
/// [`Error::Unsupported`] names every node that cannot be honoured.
pub fn import(model: &mut ModelProto) -> Result<Imported> {
    import_for(model, None, InputSize::default())
}

/// Imports the nodes that a value needs; others never refuse the file. The file's tensors are taken
/// from it one by one, so that the weights of a large file are not held twice.
///
/// # Errors
/// As [`import`]'s.
pub fn import_for(model: &mut ModelProto, wanted: Option<&str>, size: InputSize) -> Result<Imported> {
    let Some(file) = &mut model.graph else {
        return Err(Error::Model("the file holds no graph; export it again".into()));
    };
    limits::check("the number of the model's nodes", file.node.len() as u64, limits::MODEL_NODES)?;
    let opset = opset_of(&model.opset_import)?;
    let mut importer = Importer::new(size, names_read(file, wanted));
    importer.initializers(std::mem::take(&mut file.initializer))?;
    importer.inputs(file)?;
    let needed = wanted.map(|name| needed(file, name));
    for (i, node) in file.node.iter().enumerate() {
        if needed.as_ref().is_none_or(|needed| needed[i]) {
            importer.node(node, opset)?;
        }
    }
    if !importer.unsupported.is_empty() {
        let error = Error::Unsupported(importer.unsupported);
        return Err(match importer.assumed_size {
            Some(size) => Error::AtAssumedSize { size, error: error.into() },
            None => error,
        });
    }
    importer.check_cost()?;
    let mut names: HashMap<String, Operand> =
        importer.values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    for (name, value) in importer.nodes {
        names.entry(name).or_insert(value);
    }
    Ok(Imported {
        graph: importer.graph,
        names,
        operators: importer.operators,
        notes: importer.notes,
        is_size_open: importer.is_size_open,
    })
}

/// The version of ONNX's own operators that the file is of.
fn opset_of(imports: &[OperatorSetIdProto]) -> Result<i64> {
    let own = imports.iter().find(|o| o.domain.is_empty() || o.domain == "ai.onnx");
    let opset = own.map_or(1, |o| o.version);
    if opset < 1 {
        return Err(Error::Model(format!(
            "the file is of opset {opset}, and there is none below 1; export it again"
        )));
    }
    Ok(opset)
}

/// Which nodes the value called `name` depends on. Nodes stand after what they read; a node that does not is found
/// when it is read.
pub fn needed(file: &GraphProto, name: &str) -> Vec<bool> {
    let mut names = HashSet::from([name]);
    let mut needed = vec![false; file.node.len()];
    for (i, node) in file.node.iter().enumerate().rev() {
        if node.output.iter().any(|output| names.contains(output.as_str())) {
            needed[i] = true;
            read(node, &mut names);
        }
    }
    needed
}

/// Adds the names that a node reads, in the graphs of its attributes too.
pub(super) fn read<'a>(node: &'a NodeProto, names: &mut HashSet<&'a str>) {
    names.extend(node.input.iter().map(String::as_str));
    for graph in node.attribute.iter().filter_map(|a| a.g.as_ref()) {
        names.extend(graph.output.iter().map(|output| output.name.as_str()));
        graph.node.iter().for_each(|node| read(node, names));
    }
}

/// The names of all values that a node reads, and of those that the caller wants; of all outputs where it names none.
fn names_read(file: &GraphProto, wanted: Option<&str>) -> HashSet<String> {
    let mut names = HashSet::new();
    file.node.iter().for_each(|node| read(node, &mut names));
    match wanted {
        Some(name) => names.extend([name]),
        None => names.extend(file.output.iter().map(|output| output.name.as_str())),
    }
    names.into_iter().map(str::to_owned).collect()
}

pub(super) struct Importer {
    pub(super) graph: Graph,
    /// How many images the file was exported for; 1 where it leaves that open.
    pub(super) batch: usize,
    pub(super) size: InputSize,
    pub(super) is_size_open: bool,
    /// The image's height and width, where nothing tells them.
    pub(super) assumed_size: Option<[usize; 2]>,
    /// By name; `None` where the node that makes it is not supported.
    values: HashMap<String, Option<Operand>>,
    /// The first output of each node, by the node's name: names of nodes and of values do not meet.
    nodes: Vec<(String, Operand)>,
    /// How many values the file's own constants have.
    held: u64,
    /// How many values the constants have that the file only says the shape of.
    filled: u64,
    /// How many values constants were repeated to.
    repeated: u64,
    /// How many products and sums constants took.
    constant_work: u64,
    operators: HashMap<ValueId, String>,
    /// The dequantized value of each value of integers that has one.
    reals: HashMap<ValueId, ValueId>,
    /// The values without a batch axis in front.
    unbatched: HashSet<ValueId>,
    /// The names of all values that a node or the caller reads.
    is_read: HashSet<String>,
    pub(super) notes: Vec<String>,
    unsupported: Vec<UnsupportedNode>,
}

impl Importer {
    fn new(size: InputSize, is_read: HashSet<String>) -> Self {
        Self {
            graph: Graph::new(),
            batch: 1,
            size,
            is_size_open: false,
            assumed_size: None,
            values: HashMap::new(),
            nodes: vec![],
            operators: HashMap::new(),
            held: 0,
            filled: 0,
            repeated: 0,
            constant_work: 0,
            reals: HashMap::new(),
            unbatched: HashSet::new(),
            is_read,
            notes: vec![],
            unsupported: vec![],
        }
    }

    fn initializers(&mut self, tensors: Vec<TensorProto>) -> Result<()> {
        for tensor in tensors {
            let constant = onnx::constant(&tensor).map_err(Error::Model)?;
            if let Elements::F32(values) = &constant.elements
                // A lone infinity may be a bound of a Clip.
                && values.iter().any(|v| v.is_nan() || v.is_infinite() && values.len() > 1)
            {
                return Err(Error::NotFinite(format!("a weight in {:?}", tensor.name)));
            }
            self.held += constant.len() as u64;
            self.define(&tensor.name, Some(Operand::Constant(Arc::new(constant))))?;
        }
        Ok(())
    }

    /// Gives a value its name, which no other may have.
    fn define(&mut self, name: &str, value: Option<Operand>) -> Result<()> {
        match self.values.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(Error::Model(format!(
                "two values of the model are called {:?}; the file is damaged, export it again",
                short(name)
            ))),
        }
    }

    /// Fails where a small file asks for more than anybody would wait for.
    fn check_cost(&self) -> Result<()> {
        let elements = |sum: u64, node: &crate::graph::Node| sum.saturating_add(limits::product(&node.shape));
        let elements = self.graph.nodes().iter().fold(0, elements);
        limits::check("the number of elements of all activations", elements, limits::NETWORK_ELEMENTS)?;
        limits::check("the number of products and sums an image", self.graph.work(), limits::WORK)
    }

    fn inputs(&mut self, file: &GraphProto) -> Result<()> {
        let initialized: HashSet<String> = self.values.keys().cloned().collect();
        for input in file.input.iter().filter(|input| !initialized.contains(&input.name)) {
            let shape = self.input_shape(input)?;
            let what = "the number of elements of an image of the model's input";
            limits::check(what, limits::product(&shape), limits::VALUE_ELEMENTS)?;
            let id = self.image(&input.name, shape)?;
            self.define(&input.name, Some(Operand::Value(id)))?;
        }
        Ok(())
    }

    fn node(&mut self, proto: &NodeProto, opset: i64) -> Result<()> {
        let first_output = proto.output.first().cloned().unwrap_or_default();
        let name = if proto.name.is_empty() { first_output.clone() } else { proto.name.clone() };
        if first_output.is_empty() {
            return Err(Error::Model(format!("node {:?} makes nothing; export it again", short(&name))));
        }
        if proto.op_type == "If" && matches!(proto.domain.as_str(), "" | "ai.onnx") {
            return self.condition(proto, &name, opset);
        }
        let before = self.graph.nodes().len();
        let made = match self.read(proto, &name, opset)?.and_then(|made| self.only_maxima(before, made)) {
            Ok(made) => made,
            Err(reason) => {
                let default_domain = matches!(proto.domain.as_str(), "" | "ai.onnx");
                let operator = match default_domain {
                    true if proto.op_type.is_empty() => "a node without an operator".into(),
                    true => short(&proto.op_type),
                    false => short(&format!("{}.{}", proto.domain, proto.op_type)),
                };
                self.unsupported.push(UnsupportedNode { operator, node: short(&name), reason });
                None
            }
        };
        let made = made.unwrap_or_default();
        for operand in &made {
            let Operand::Value(value) = operand else { continue };
            // Below a transpose that the node was moved across, it made another value.
            let own = match transposed(&self.graph, *value) {
                Some((below, _)) if proto.op_type != "Transpose" && below.index() >= before => below,
                _ => *value,
            };
            let is_unbatched = [own, *value].iter().any(|value| self.unbatched.contains(value));
            if own.index() >= before && !is_unbatched {
                self.operators.insert(own, proto.op_type.clone());
            }
        }
        self.nodes.extend(made.first().map(|first| (name, first.clone())));
        for (i, output) in proto.output.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
            self.define(output, made.get(i).cloned())?;
        }
        Ok(())
    }

    /// Refuses what was read from node `before` on where it reads a value that only maxima can be taken of.
    fn only_maxima<T>(&self, before: usize, made: T) -> Result<T, String> {
        let reads = |node: &Node| node.inputs.iter().any(|&input| is_for_maxima(self.graph.node(input)));
        let is_maximum = |node: &Node| node.as_op::<MaxPool>().is_some();
        match self.graph.nodes()[before..].iter().any(|node| reads(node) && !is_maximum(node)) {
            true => {
                Err("its input is padded with minus infinity, which is supported in front of MaxPool".into())
            }
            false => Ok(made),
        }
    }

    /// Reads the branch of an If that its condition chooses: a constant, as it follows from the file's shapes.
    fn condition(&mut self, proto: &NodeProto, name: &str, opset: i64) -> Result<()> {
        let condition = proto.input.first().and_then(|input| self.values.get(input));
        let chosen = match condition {
            Some(Some(Operand::Constant(c))) if c.len() == 1 => {
                let branch = if c.real(0) != 0.0 { "then_branch" } else { "else_branch" };
                proto.attribute.iter().find(|a| a.name == branch).and_then(|a| a.g.as_ref())
            }
            _ => None,
        };
        let Some(graph) = chosen.filter(|graph| graph.output.len() >= proto.output.len()) else {
            // An unsupported node may well give a condition that holds.
            if !matches!(condition, Some(None)) {
                let reason = "its condition depends on the image, and should follow from shapes".into();
                self.unsupported.push(UnsupportedNode { operator: "If".into(), node: short(name), reason });
            }
            return proto.output.iter().try_for_each(|output| self.define(output, None));
        };
        self.initializers(graph.initializer.clone())?;
        for node in &graph.node {
            self.node(node, opset)?;
        }
        for (outer, inner) in proto.output.iter().zip(&graph.output).filter(|(outer, _)| !outer.is_empty()) {
            let value = self.values.get(&inner.name).cloned().ok_or_else(|| {
                Error::Model(format!(
                    "branch of node {:?} does not make {:?}; export it again",
                    short(name),
                    short(&inner.name)
                ))
            })?;
            self.define(outer, value)?;
        }
        Ok(())
    }

    /// Reads one node. The inner `None` is for a node that reads what an unsupported one makes: it may be
    /// fine, so it is not reported.
    fn read(
        &mut self,
        proto: &NodeProto,
        name: &str,
        opset: i64,
    ) -> Result<Result<Option<Vec<Operand>>, String>> {
        let Some(entry) = reader_of(&proto.domain, &proto.op_type) else {
            let is_loop = proto.attribute.iter().any(|a| a.g.is_some());
            let reason =
                if is_loop { "it repeats a subgraph, and loops are not read" } else { "no such operator" };
            return Ok(Err(reason.into()));
        };
        let version = matches!(proto.domain.as_str(), "" | "ai.onnx").then_some(opset);
        if let Err(reason) = attributes::check(proto, entry.attributes, version) {
            return Ok(Err(reason));
        }
        let Some(inputs) = self.inputs_of(proto, name)? else { return Ok(Ok(None)) };
        let mut reading = Reader {
            name: name.to_owned(),
            opset,
            inputs,
            graph: &mut self.graph,
            repeated: &mut self.repeated,
            constant_work: &mut self.constant_work,
            most_repeated: limits::REPEATED + 2 * (self.held + self.filled),
            filled: self.filled,
            over: None,
            batch: self.batch,
            reals: &mut self.reals,
            unbatched: &mut self.unbatched,
            layer: None,
            others: vec![],
            is_read: &self.is_read,
            proto,
        };
        let folded = entry.fold.and_then(|fold| Some(fold(&reading, &Inputs::of(&reading)?)));
        let read = match folded {
            None => of_constants::read(&mut reading, entry),
            Some(constant) => constant.and_then(|constant| {
                match proto.op_type.as_str() {
                    "ConstantOfShape" => self.filled += constant.len() as u64,
                    _ => reading.repeat(constant.len())?,
                }
                Ok(Operand::Constant(Arc::new(constant)))
            }),
        };
        if let Some(over) = reading.over {
            return Err(over);
        }
        let others = std::mem::take(&mut reading.others);
        if let Some(layer) = reading.layer {
            self.operators.insert(layer, proto.op_type.clone());
        }
        let unmade = (others.len() + 1..proto.output.len()).any(|i| reading.makes(i));
        match read {
            Ok(_) if unmade => Ok(Err("only its first output is supported".into())),
            read => Ok(read.map(|first| Some(iter::once(first).chain(others).collect()))),
        }
    }

    /// The operands of a node, input by input; nothing where one of them could not be read.
    fn inputs_of(&self, proto: &NodeProto, name: &str) -> Result<Option<Vec<Option<Operand>>>> {
        let mut inputs = Vec::with_capacity(proto.input.len());
        for input in &proto.input {
            if input.is_empty() {
                inputs.push(None);
                continue;
            }
            match self.values.get(input) {
                Some(Some(value)) => inputs.push(Some(value.clone())),
                Some(None) => return Ok(None),
                None => {
                    return Err(Error::Model(format!(
                        "node {:?} reads {:?}, which nothing before it makes; export it again",
                        short(name),
                        short(input)
                    )));
                }
            }
        }
        Ok(Some(inputs))
    }
}
