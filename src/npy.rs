//! numpy's `.npy` files, version 1.0: written for the page and the command line alike, and read by the command line.

/// A number that arrays are written of.
pub trait Number: Copy {
    /// The type as numpy writes it, little-endian.
    const TYPE: &'static str;
    /// The number's bytes, little-endian.
    fn bytes(self) -> [u8; 4];
}

impl Number for f32 {
    const TYPE: &'static str = "<f4";
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Number for i32 {
    const TYPE: &'static str = "<i4";
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

/// The bytes of a file that holds an array, row-major.
#[must_use]
pub fn write<T: Number>(shape: &[usize], values: &[T]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", T::TYPE);
    // The values start at a multiple of 64 bytes; magic, version and length take 10, the line break 1.
    header.extend(std::iter::repeat_n(' ', (64 - (header.len() + 11) % 64) % 64));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(values.iter().flat_map(|v| v.bytes()));
    file
}

#[cfg(feature = "cli")]
mod read {
    use npyz::{NpyFile, Order};

    use crate::{
        error::{Error, Result},
        limits,
    };

    /// The most bytes of an array's header, as for numpy.
    const LONGEST_HEADER: u32 = 10_000;
    /// How many brackets its text may have in each other: even a list of fields with shapes of their own has no more.
    const DEEPEST_HEADER: usize = 4;

    /// Opens an array of `AXES` axes and at most `most` values, row-major, whose file holds all of them.
    ///
    /// # Errors
    /// [`Error::Limit`]; else what `bad` makes of a text that says what the file is or has.
    pub fn open<'a, const AXES: usize>(
        bytes: &'a [u8],
        most: u64,
        bad: &dyn Fn(String) -> Error,
    ) -> Result<([usize; AXES], NpyFile<&'a [u8]>)> {
        let file = parsed(bytes).map_err(|why| bad(format!("is not a .npy file ({why})")))?;
        let refuse = || bad(format!("has the shape {:?}", file.shape()));
        let shape: [u64; AXES] = file.shape().try_into().map_err(|_| refuse())?;
        let count = limits::product(&shape.map(|d| usize::try_from(d).unwrap_or(usize::MAX)));
        limits::check("the number of values", count, most)?;
        let size = file.dtype().num_bytes().unwrap_or(1) as u64;
        if count.saturating_mul(size) > bytes.len() as u64 {
            return Err(bad(format!("ends before its {count} values do")));
        }
        if file.order() != Order::C {
            return Err(bad("is in Fortran order, which numpy.ascontiguousarray changes".into()));
        }
        let mut extents = [0; AXES];
        for (extent, &d) in extents.iter_mut().zip(&shape) {
            *extent = usize::try_from(d).map_err(|_| refuse())?;
        }
        Ok((extents, file))
    }

    /// Parses the header, of which two things are bounded first: the parser reserves as many bytes as the file says that
    /// it has, and each brace in another one triples what it does, years for a file of one kilobyte.
    fn parsed(bytes: &[u8]) -> std::result::Result<NpyFile<&[u8]>, String> {
        let (length, text) = match bytes {
            [_, _, _, _, _, _, 1, _, low, high, text @ ..] => {
                (u16::from_le_bytes([*low, *high]).into(), text)
            }
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
}

#[cfg(feature = "cli")]
pub use read::open;
