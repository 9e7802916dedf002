//! What the user names: images, arrays, models, labels.

use std::path::{Path, PathBuf};

use npyz::NpyFile;
use pellucid::{
    Error, Result, Tensor, limits, network::metadata::parse_labels, picture::Picture, session::Session,
};

/// What the network is to be run on.
pub struct Input {
    /// `[C, H, W]`, normalised.
    pub tensor: Tensor,
    /// The same as a picture, to lay a map over.
    pub picture: Picture,
}

/// Reads a file.
pub fn read(path: &PathBuf) -> Result<Vec<u8>> {
    let unreadable = |e: std::io::Error| Error::Io(format!("{} cannot be read: {e}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    limits::check("the file's size in bytes", size, limits::MODEL_BYTES)?;
    std::fs::read(path).map_err(unreadable)
}

/// Reads labels, one a line.
pub fn read_labels(path: &PathBuf) -> Result<Vec<String>> {
    let text = String::from_utf8(read(path)?);
    let labels = text.map(|t| parse_labels(&t));
    labels.map_err(|_| {
        Error::Argument(format!("{} is not UTF-8 text; save the labels as UTF-8", path.display()))
    })
}

/// Reads an image, or an array that is already normalised.
pub fn load(session: &Session, path: &PathBuf) -> Result<Input> {
    let bytes = read(path)?;
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
        let tensor = read_array(&bytes, path)?;
        let picture = session.preprocessing().denormalise(&tensor)?;
        return Ok(Input { tensor, picture });
    }
    let (picture, tensor) = session.see(&Picture::decode(&bytes)?)?;
    Ok(Input { tensor, picture })
}

/// A `[1, C, H, W]` float32 array as `[C, H, W]`.
fn read_array(bytes: &[u8], path: &Path) -> Result<Tensor> {
    let bad = |why: String| {
        Error::Image(format!("{} {why}; save it with numpy.save as float32 [1,C,H,W]", path.display()))
    };
    let file = NpyFile::new(bytes).map_err(|e| bad(format!("is not a .npy file ({e})")))?;
    let shape: Vec<u64> = file.shape().to_vec();
    let &[1, c, h, w] = shape.as_slice() else { return Err(bad(format!("has the shape {shape:?}"))) };
    let count = [c, h, w].iter().try_fold(1u64, |n, &d| n.checked_mul(d)).unwrap_or(u64::MAX);
    limits::check("the number of values", count, limits::IMAGE_PIXELS * 3)?;
    if file.order() != npyz::Order::C {
        return Err(bad("is in Fortran order".into()));
    }
    let values = file.into_vec::<f32>().map_err(|e| bad(format!("does not hold float32 numbers ({e})")))?;
    let extent = |d: u64| usize::try_from(d).map_err(|_| bad(format!("has the shape {shape:?}")));
    let tensor = Tensor::new([extent(c)?, extent(h)?, extent(w)?], values)?;
    tensor.check_finite("a value of the input")?;
    Ok(tensor)
}
