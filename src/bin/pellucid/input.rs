//! Files that the user names: images, arrays, models, labels.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use pellucid::{
    Error, Result, Tensor, backend::Segmentation, limits, network::labels, npy, picture::Picture,
    session::Session,
};

/// The name that stands for stdin.
const STDIN: &str = "-";
/// The first bytes of numpy's files.
const NUMPY: &[u8] = b"\x93NUMPY";

/// The image that the network is to be run on.
pub struct Input {
    /// `[C, H, W]`, normalised.
    pub tensor: Tensor,
    /// The same as a picture, to lay a map over.
    pub picture: Picture,
    /// Notes on the file for a reader of results.
    pub notes: Vec<String>,
    /// The part of the file's picture that the network sees; see [`Session::crop`]. None for an array.
    pub crop: Option<[f64; 4]>,
}

/// Reads a file.
pub fn read(path: &PathBuf) -> Result<Vec<u8>> {
    if path.as_os_str() == STDIN {
        return read_stdin();
    }
    let unreadable = |e: std::io::Error| Error::Io(format!("{} cannot be read: {e}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    limits::check("the file's size in bytes", size, limits::MODEL_BYTES)?;
    std::fs::read(path).map_err(unreadable)
}

/// Reads all of stdin, unless it is too much.
fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let most = limits::MODEL_BYTES;
    let read = std::io::stdin().take(most + 1).read_to_end(&mut bytes);
    let size = read.map_err(|e| Error::Io(format!("stdin cannot be read: {e}")))?;
    limits::check("what stdin has, in bytes,", size as u64, most)?;
    Ok(bytes)
}

/// Reads labels, in whatever form they are.
pub fn read_labels(path: &PathBuf) -> Result<Vec<String>> {
    labels::read(&read(path)?).map_err(|error| match error {
        Error::Argument(why) => Error::Argument(format!("{}: {why}", path.display())),
        other => other,
    })
}

/// True of a picture, which is prepared for the network; an array is so already.
pub fn is_picture(path: &Path) -> bool {
    !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"))
}

/// Reads an image, or an array that is already normalised.
pub fn load(session: &Session, path: &PathBuf) -> Result<Input> {
    let bytes = read(path)?;
    // Stdin has no name, so its content tells an array.
    if !is_picture(path) || bytes.starts_with(NUMPY) {
        let tensor = read_array(&bytes, path)?;
        let picture = session.preprocessing().denormalise(&tensor)?;
        return Ok(Input { tensor, picture, notes: vec![], crop: None });
    }
    let mut notes: Vec<String> = session.guess().map(Into::into).into_iter().collect();
    let whole = Picture::decode_noting(&bytes, &mut notes)?;
    notes.extend(session.outside(&whole)?);
    let (picture, tensor) = session.see(&whole)?;
    Ok(Input { tensor, picture, notes, crop: Some(session.crop(&whole)?) })
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
    let ([height, width], file) = npy::open(bytes, limits::IMAGE_PIXELS, &bad)?;
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
    let ([_, width], file) = npy::open(bytes, limits::IMAGE_PIXELS, &bad)?;
    let values = file.into_vec::<u8>().map_err(|e| bad(format!("does not hold uint8 numbers ({e})")))?;
    Ok(values.chunks(width.max(1)).map(<[u8]>::to_vec).collect())
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

/// Several image files as the network sees them.
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
    let (shape, file) = npy::open::<4>(bytes, limits::IMAGE_PIXELS * 3, &bad)?;
    let values = file.into_vec::<f32>().map_err(|e| bad(format!("does not hold float32 numbers ({e})")))?;
    let tensor = Tensor::new(shape, values)?;
    tensor.check_finite(value)?;
    Ok(tensor)
}
