//! What the user names: images, arrays, models, labels.

use std::path::{Path, PathBuf};

use npyz::NpyFile;
use pellucid::{
    Error, Result, Tensor, backend::Segmentation, limits, network::labels, picture::Picture, session::Session,
};

/// What is wrong with an array in column order, and the way out.
const FORTRAN: &str = "is in Fortran order, which numpy.ascontiguousarray changes";

/// The most bytes of an array's header, as for numpy.
const LONGEST_HEADER: u32 = 10_000;
/// How many brackets its text may have in each other: even a list of fields with shapes of their own has no more.
const DEEPEST_HEADER: usize = 4;

/// What the network is to be run on.
pub struct Input {
    /// `[C, H, W]`, normalised.
    pub tensor: Tensor,
    /// The same as a picture, to lay a map over.
    pub picture: Picture,
    /// What a reader of results should know of the file.
    pub notes: Vec<String>,
}

/// Reads a file.
pub fn read(path: &PathBuf) -> Result<Vec<u8>> {
    let unreadable = |e: std::io::Error| Error::Io(format!("{} cannot be read: {e}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    limits::check("the file's size in bytes", size, limits::MODEL_BYTES)?;
    std::fs::read(path).map_err(unreadable)
}

/// Reads labels, in whatever form they are.
pub fn read_labels(path: &PathBuf) -> Result<Vec<String>> {
    labels::read(&read(path)?).map_err(|error| match error {
        Error::Argument(why) => Error::Argument(format!("{}: {why}", path.display())),
        other => other,
    })
}

/// Reads an image, or an array that is already normalised.
pub fn load(session: &Session, path: &PathBuf) -> Result<Input> {
    let bytes = read(path)?;
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
        let tensor = read_array(&bytes, path)?;
        let picture = session.preprocessing().denormalise(&tensor)?;
        return Ok(Input { tensor, picture, notes: vec![] });
    }
    let mut notes = vec![];
    let whole = Picture::decode_noting(&bytes, &mut notes)?;
    notes.extend(session.outside(&whole)?);
    let (picture, tensor) = session.see(&whole)?;
    Ok(Input { tensor, picture, notes })
}

/// Reads segments: int32 (or numpy's own int64), `[H, W]`.
pub fn read_segments(path: &PathBuf) -> Result<Segmentation> {
    segments(&read(path)?, path)
}

/// The segments of a `.npy` file's bytes.
pub fn segments(bytes: &[u8], path: &Path) -> Result<Segmentation> {
    let bad = |why: String| {
        Error::Argument(format!("{} {why}; save it with numpy.save as int32 [H,W]", path.display()))
    };
    let ([height, width], file) = matrix(bytes, &bad)?;
    let labels = if file.dtype().descr().contains("i8") {
        file.into_vec::<i64>()
    } else {
        file.into_vec::<i32>().map(|labels| labels.into_iter().map(i64::from).collect())
    };
    Segmentation::new(height, width, &labels.map_err(|e| bad(format!("does not hold int32 numbers ({e})")))?)
}

/// Reads samples: uint8, `[n, S]`.
pub fn read_samples(path: &PathBuf) -> Result<Vec<Vec<u8>>> {
    samples(&read(path)?, path)
}

/// The samples of a `.npy` file's bytes.
pub fn samples(bytes: &[u8], path: &Path) -> Result<Vec<Vec<u8>>> {
    let bad = |why: String| {
        Error::Argument(format!("{} {why}; save it with numpy.save as uint8 [n,S]", path.display()))
    };
    let ([_, width], file) = matrix(bytes, &bad)?;
    let values = file.into_vec::<u8>().map_err(|e| bad(format!("does not hold uint8 numbers ({e})")))?;
    Ok(values.chunks(width.max(1)).map(<[u8]>::to_vec).collect())
}

/// Opens an array. What its reader does for a header is bounded first: it reserves as many bytes as the file says that
/// the header has, and each brace in another one triples what its parser does, years for a file of one kilobyte.
fn array(bytes: &[u8]) -> std::result::Result<NpyFile<&[u8]>, String> {
    let (length, text) = match bytes {
        [_, _, _, _, _, _, 1, _, low, high, text @ ..] => (u16::from_le_bytes([*low, *high]).into(), text),
        [_, _, _, _, _, _, _, _, a, b, c, d, text @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), text),
        _ => (0, &[][..]),
    };
    if length > LONGEST_HEADER {
        return Err(format!("its header has {length} bytes, of at most {LONGEST_HEADER}"));
    }
    let text = &text[..text.len().min(length as usize)];
    let mut depth = 0usize;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_HEADER {
            return Err("its header has too many brackets in each other".into());
        }
    }
    NpyFile::new(bytes).map_err(|e| e.to_string())
}

/// Refuses an array whose file cannot hold its values, before room is made for them.
fn whole(file: &NpyFile<&[u8]>, count: u64, bytes: &[u8]) -> std::result::Result<(), String> {
    let size = file.dtype().num_bytes().unwrap_or(1) as u64;
    if count.saturating_mul(size) > bytes.len() as u64 {
        return Err(format!("ends before its {count} values do"));
    }
    Ok(())
}

/// The extents of an array of two axes, and the array.
fn matrix<'a>(bytes: &'a [u8], bad: &dyn Fn(String) -> Error) -> Result<([usize; 2], NpyFile<&'a [u8]>)> {
    let file = array(bytes).map_err(|why| bad(format!("is not a .npy file ({why})")))?;
    let &[rows, columns] = file.shape() else {
        return Err(bad(format!("has the shape {:?}", file.shape())));
    };
    let count = rows.saturating_mul(columns);
    limits::check("the number of values", count, limits::IMAGE_PIXELS)?;
    whole(&file, count, bytes).map_err(bad)?;
    if file.order() != npyz::Order::C {
        return Err(bad(FORTRAN.into()));
    }
    let extent = |d: u64| usize::try_from(d).map_err(|_| bad(format!("has the shape {:?}", file.shape())));
    Ok(([extent(rows)?, extent(columns)?], file))
}

/// Reads the images that expected gradients compare with, `[N, C, H, W]`, normalised: an array, a folder, or images in
/// their order.
pub fn load_background(session: &Session, paths: &[PathBuf]) -> Result<Tensor> {
    if let [path] = paths
        && !path.extension().is_some_and(is_image)
    {
        return match path.is_dir() {
            true => stack(session, &images_in(path)?),
            false => read_batch(&read(path)?, path, "[N,C,H,W]", "a value of the background"),
        };
    }
    stack(session, paths)
}

/// What the network sees of several image files.
fn stack(session: &Session, files: &[PathBuf]) -> Result<Tensor> {
    let images = files.iter().map(|file| Ok(session.see(&Picture::decode(&read(file)?)?)?.1));
    Tensor::stack(&images.collect::<Result<Vec<_>>>()?)
}

/// The image files of a folder.
fn images_in(path: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e: std::io::Error| Error::Io(format!("{} cannot be read: {e}", path.display()));
    let mut files = vec![];
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.retain(|file| file.extension().is_some_and(is_image));
    // Folders have no order of their own.
    files.sort();
    if files.is_empty() {
        return Err(Error::Argument(format!(
            "{} holds no PNG, JPEG, WebP, GIF, BMP or TIFF image",
            path.display()
        )));
    }
    Ok(files)
}

fn is_image(extension: &std::ffi::OsStr) -> bool {
    let known = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"];
    extension.to_str().is_some_and(|e| known.contains(&e.to_ascii_lowercase().as_str()))
}

/// A `[1, C, H, W]` float32 array as `[C, H, W]`.
pub fn read_array(bytes: &[u8], path: &Path) -> Result<Tensor> {
    let batch = read_batch(bytes, path, "[1,C,H,W]", "a value of the input")?;
    if batch.shape()[0] == 1 {
        return Ok(batch.at(0));
    }
    Err(Error::Image(format!(
        "{} has the shape {:?}; save one image, [1,C,H,W]",
        path.display(),
        batch.shape()
    )))
}

/// A float32 array of `[N, C, H, W]`, of which errors say what it is and how it should be.
fn read_batch(bytes: &[u8], path: &Path, wanted: &str, value: &str) -> Result<Tensor> {
    let bad = |why: String| {
        Error::Image(format!("{} {why}; save it with numpy.save as float32 {wanted}", path.display()))
    };
    let file = array(bytes).map_err(|why| bad(format!("is not a .npy file ({why})")))?;
    let shape: Vec<u64> = file.shape().to_vec();
    let &[n, c, h, w] = shape.as_slice() else { return Err(bad(format!("has the shape {shape:?}"))) };
    let count = [n, c, h, w].iter().try_fold(1u64, |n, &d| n.checked_mul(d)).unwrap_or(u64::MAX);
    limits::check("the number of values", count, limits::IMAGE_PIXELS * 3)?;
    whole(&file, count, bytes).map_err(bad)?;
    if file.order() != npyz::Order::C {
        return Err(bad(FORTRAN.into()));
    }
    let values = file.into_vec::<f32>().map_err(|e| bad(format!("does not hold float32 numbers ({e})")))?;
    let extents: Option<Vec<usize>> = shape.iter().map(|&d| usize::try_from(d).ok()).collect();
    let tensor = Tensor::new(extents.ok_or_else(|| bad(format!("has the shape {shape:?}")))?, values)?;
    tensor.check_finite(value)?;
    Ok(tensor)
}
