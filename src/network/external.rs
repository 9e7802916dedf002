//! Tensors that an ONNX file keeps in other files beside it, as every exporter does above 2 GB and PyTorch's does always.

use std::collections::{BTreeSet, HashMap};

use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, tensor_proto::DataLocation,
};

use crate::{
    error::{Error, Result},
    limits,
    ops::onnx::short,
};

/// The files beside a model. Names are relative, and lead nowhere but down.
pub trait Files {
    /// The length of a file in bytes; `None` where there is none of this name.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn length(&self, name: &str) -> Result<Option<u64>>;

    /// A part of a file, which lies within its length.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>>;
}

/// Files by their names without folders: so a page gets them.
impl Files for HashMap<String, Vec<u8>> {
    fn length(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.get(last(name)).map(|bytes| bytes.len() as u64))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).ok();
        let bytes =
            self.get(last(name)).zip(start).and_then(|(bytes, start)| bytes.get(start..)?.get(..length));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::Io(format!("{name:?} ends too early")))
    }
}

/// A name without its folders.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Fills in the tensors that are kept in other files. `size` is that of the model's own file, in bytes.
///
/// # Errors
/// [`Error::MissingData`] that names every file that is not there, [`Error::Model`] where a tensor's place is no place in a
/// file beside the model, [`Error::Limit`], and what `files` fails with.
pub fn put_in(model: &mut ModelProto, files: &dyn Files, size: u64) -> Result<()> {
    let Some(graph) = &mut model.graph else { return Ok(()) };
    let mut reading = Reading { files, total: size, missing: BTreeSet::new() };
    reading.graph(graph)?;
    if reading.missing.is_empty() {
        Ok(())
    } else {
        Err(Error::MissingData(reading.missing.into_iter().collect()))
    }
}

struct Reading<'a> {
    files: &'a dyn Files,
    /// How many bytes the model has so far.
    total: u64,
    missing: BTreeSet<String>,
}

impl Reading<'_> {
    /// Graphs in attributes are as deep as the decoder takes them.
    fn graph(&mut self, graph: &mut GraphProto) -> Result<()> {
        graph.initializer.iter_mut().try_for_each(|tensor| self.tensor(tensor))?;
        graph.node.iter_mut().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &mut NodeProto) -> Result<()> {
        node.attribute.iter_mut().try_for_each(|attribute| self.attribute(attribute))
    }

    fn attribute(&mut self, attribute: &mut AttributeProto) -> Result<()> {
        attribute.t.iter_mut().chain(&mut attribute.tensors).try_for_each(|tensor| self.tensor(tensor))?;
        attribute.g.iter_mut().chain(&mut attribute.graphs).try_for_each(|graph| self.graph(graph))
    }

    fn tensor(&mut self, tensor: &mut TensorProto) -> Result<()> {
        if tensor.data_location != Some(DataLocation::External as i32) {
            return Ok(());
        }
        let place = Place::of(tensor)?;
        let Some(held) = self.files.length(&place.file)? else {
            // A file that asks for many names still gets a short answer.
            if self.missing.len() < MOST_TOLD {
                self.missing.insert(place.file);
            }
            return Ok(());
        };
        let length = place.length.or(held.checked_sub(place.offset));
        let end = length.and_then(|length| place.offset.checked_add(length));
        let (Some(length), Some(_)) = (length, end.filter(|&end| end <= held)) else {
            return Err(place.refused(
                tensor,
                &format!("which has {held} bytes; it is cut short or of another model, so download or export both again"),
            ));
        };
        self.total = self.total.saturating_add(length);
        limits::check("the size of the model and its data in bytes", self.total, limits::MODEL_BYTES)?;
        let length = usize::try_from(length).map_err(|_| place.refused(tensor, "which is too long"))?;
        tensor.raw_data = self.files.read(&place.file, place.offset, length)?;
        tensor.external_data.clear();
        tensor.data_location = None;
        Ok(())
    }
}

/// Most missing files that are named.
const MOST_TOLD: usize = 8;

/// A part of a file.
struct Place {
    file: String,
    offset: u64,
    /// `None` for all that follows.
    length: Option<u64>,
}

impl Place {
    fn of(tensor: &TensorProto) -> Result<Self> {
        let refused = |why: String| {
            Error::Model(format!(
                "the data of tensor {:?} cannot be read: {why}; export it again",
                short(&tensor.name)
            ))
        };
        let get = |key: &str| {
            let mut found = tensor.external_data.iter().filter(|entry| entry.key == key);
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(refused(format!("{key} is given twice"))),
                (entry, None) => Ok(entry.map(|entry| entry.value.as_str())),
            }
        };
        let number = |key: &str| {
            let bad = |text: &str| refused(format!("{key} {:?} is no number of bytes", short(text)));
            get(key)?.map(|text| text.parse::<u64>().map_err(|_| bad(text))).transpose()
        };
        let file = get("location")?.ok_or_else(|| refused("it names no file".into()))?;
        let outside = || {
            refused(format!(
                "{:?} is no file in the model's folder, and data is never read from elsewhere",
                short(file)
            ))
        };
        Ok(Self {
            file: relative(file).ok_or_else(outside)?,
            offset: number("offset")?.unwrap_or(0),
            length: number("length")?,
        })
    }

    fn refused(&self, tensor: &TensorProto, why: &str) -> Error {
        let end = match self.length {
            Some(length) => format!("{length} bytes from byte {} on", self.offset),
            None => format!("the bytes from {} on", self.offset),
        };
        Error::Model(format!("tensor {:?} is {end} of {:?}, {why}", short(&tensor.name), short(&self.file)))
    }
}

/// A location as a path that leads nowhere but down, with `/` between its parts, whichever system wrote it; `None` where
/// it is none.
fn relative(location: &str) -> Option<String> {
    let is_bad = |part: &&str| *part == ".." || part.is_empty() || part.contains([':', '\0']);
    let parts: Vec<&str> = location.split(['/', '\\']).filter(|part| *part != ".").collect();
    let fine = !parts.is_empty() && !parts.iter().any(is_bad);
    fine.then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::StringStringEntryProto;

    use super::*;

    fn model(entries: &[(&str, &str)]) -> ModelProto {
        let entry =
            |&(key, value): &(&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
        let tensor = TensorProto {
            name: "w".into(),
            data_location: Some(DataLocation::External as i32),
            external_data: entries.iter().map(entry).collect(),
            ..Default::default()
        };
        let graph = GraphProto { initializer: vec![tensor], ..Default::default() };
        ModelProto { graph: Some(graph), ..Default::default() }
    }

    fn read(entries: &[(&str, &str)]) -> Result<Vec<u8>> {
        let files = HashMap::from([("a.data".to_owned(), (0..10).collect::<Vec<u8>>())]);
        let mut model = model(entries);
        put_in(&mut model, &files, 100)?;
        Ok(model.graph.unwrap().initializer.remove(0).raw_data)
    }

    #[test]
    fn a_part_of_a_file_is_read() {
        assert_eq!(read(&[("location", "a.data")]).unwrap(), (0..10).collect::<Vec<u8>>());
        assert_eq!(read(&[("location", "./a.data"), ("offset", "7")]).unwrap(), [7, 8, 9]);
        assert_eq!(
            read(&[("location", "sub\\a.data"), ("offset", "2"), ("length", "3")]).unwrap(),
            [2, 3, 4]
        );
        assert_eq!(read(&[("location", "a.data"), ("offset", "10")]).unwrap(), Vec::<u8>::new());
    }

    #[test]
    fn places_outside_the_folder_or_the_file_are_refused() {
        for location in
            ["", "../a.data", "x/../../a.data", "/a.data", "C:\\a.data", "\\\\host\\a.data", "a\0", "."]
        {
            let why = read(&[("location", location)]).unwrap_err();
            assert!(
                why.code() == "model" && why.to_string().contains("in the model's folder"),
                "{location}: {why}"
            );
        }
        let huge = u64::MAX.to_string();
        for (offset, length) in
            [("11", None), ("5", Some("6")), (&huge, Some("1")), ("1", Some(&*huge)), ("0", Some("11"))]
        {
            let mut entries = vec![("location", "a.data"), ("offset", offset)];
            entries.extend(length.map(|length| ("length", length)));
            let why = read(&entries).unwrap_err().to_string();
            assert!(
                why.contains("which has 10 bytes") && why.contains("a.data"),
                "{offset} {length:?}: {why}"
            );
        }
        for number in ["-1", "x", "1.5", "", "99999999999999999999"] {
            let why = read(&[("location", "a.data"), ("offset", number)]).unwrap_err().to_string();
            assert!(why.contains("offset") && why.contains("no number of bytes"), "{why}");
        }
        assert!(read(&[]).unwrap_err().to_string().contains("names no file"));
        let twice = [("location", "a.data"), ("location", "b.data")];
        assert!(read(&twice).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn missing_files_are_named() {
        let missing = read(&[("location", "model.onnx.data")]).unwrap_err();
        assert_eq!(missing.code(), "missing-data");
        assert!(missing.to_string().contains("\"model.onnx.data\""), "{missing}");
    }

    /// A small file may name one part of another a thousand times.
    #[test]
    fn the_total_is_bounded() {
        struct Endless;
        impl Files for Endless {
            fn length(&self, _: &str) -> Result<Option<u64>> {
                Ok(Some(u64::MAX))
            }
            fn read(&self, _: &str, _: u64, _: usize) -> Result<Vec<u8>> {
                Ok(vec![])
            }
        }
        let mut model = model(&[("location", "a"), ("length", "100000000")]);
        let graph = model.graph.as_mut().unwrap();
        graph.initializer = vec![graph.initializer[0].clone(); 1000];
        assert_eq!(put_in(&mut model, &Endless, 0).unwrap_err().code(), "limit");
    }

    /// Constant nodes and branches keep tensors too.
    #[test]
    fn tensors_of_attributes_are_found() {
        let mut outer = model(&[("location", "a.data"), ("offset", "8")]);
        let inner = outer.graph.take().unwrap();
        let attribute =
            AttributeProto { t: Some(inner.initializer[0].clone()), g: Some(inner), ..Default::default() };
        let node = NodeProto { attribute: vec![attribute], ..Default::default() };
        outer.graph = Some(GraphProto { node: vec![node], ..Default::default() });
        let files = HashMap::from([("a.data".to_owned(), vec![1; 10])]);
        put_in(&mut outer, &files, 0).unwrap();
        let attribute = &outer.graph.unwrap().node[0].attribute[0];
        assert_eq!(attribute.t.as_ref().unwrap().raw_data, [1, 1]);
        assert_eq!(attribute.g.as_ref().unwrap().initializer[0].raw_data, [1, 1]);
    }
}
