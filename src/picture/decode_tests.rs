use image::{GrayImage, ImageBuffer, Luma, LumaA, Rgb, Rgba, RgbaImage};

use super::super::test_files::{encode, file, noise, with_exif};
use super::*;

/// [`Picture::decode`] without notes.
fn decode(bytes: &[u8]) -> Result<Picture> {
    super::decode(bytes, &mut vec![])
}

const LOSSLESS: [ImageFormat; 3] = [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp];

/// The message of the [`Error::Image`] that `bytes` must give.
fn refusal(bytes: &[u8]) -> String {
    match decode(bytes) {
        Err(Error::Image(message)) => message,
        other => panic!("expected an image error, got {other:?}"),
    }
}

#[test]
fn every_format_is_read() {
    let picture = noise(9, 5);
    for format in LOSSLESS {
        assert_eq!(decode(&file(&picture, format)).unwrap(), picture, "{format:?}");
    }
    let jpeg = decode(&file(&Picture::plain(9, 5, [200, 100, 50]), ImageFormat::Jpeg)).unwrap();
    assert_eq!((jpeg.width, jpeg.height), (9, 5));
    assert!(jpeg.rgb.chunks_exact(3).all(|p| p[0].abs_diff(200) < 4 && p[2].abs_diff(50) < 4));
    let gif = decode(&file(&Picture::plain(3, 4, [255, 0, 0]), ImageFormat::Gif)).unwrap();
    assert_eq!(gif, Picture::plain(3, 4, [255, 0, 0]));
}

#[test]
fn odd_sizes_and_one_pixel() {
    for (width, height) in [(1, 1), (1, 7), (13, 1), (16_384, 1), (31, 33)] {
        let picture = noise(width, height);
        assert_eq!(decode(&file(&picture, ImageFormat::Png)).unwrap(), picture);
        let jpeg = decode(&file(&picture, ImageFormat::Jpeg)).unwrap();
        assert_eq!((jpeg.width, jpeg.height), (width, height));
    }
}

#[test]
fn transparency_lies_over_white() {
    let pixels = vec![10, 20, 30, 0, 10, 20, 30, 255, 0, 100, 200, 128];
    let png = encode(RgbaImage::from_raw(3, 1, pixels).unwrap(), ImageFormat::Png);
    assert_eq!(decode(&png).unwrap().rgb, [255, 255, 255, 10, 20, 30, 127, 177, 227]);
    let grey = ImageBuffer::<LumaA<u8>, _>::from_raw(2, 1, vec![0_u8, 0, 7, 255]).unwrap();
    assert_eq!(decode(&encode(grey, ImageFormat::Png)).unwrap().rgb, [255, 255, 255, 7, 7, 7]);
}

#[test]
fn grey_and_sixteen_bits() {
    let grey = GrayImage::from_raw(2, 1, vec![0, 77]).unwrap();
    assert_eq!(decode(&encode(grey, ImageFormat::Png)).unwrap().rgb, [0, 0, 0, 77, 77, 77]);
    let deep = ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![0_u16, 257 * 100, 65_535]).unwrap();
    assert_eq!(decode(&encode(deep, ImageFormat::Png)).unwrap().rgb, [0, 100, 255]);
    let deep = ImageBuffer::<Luma<u16>, _>::from_raw(1, 1, vec![257 * 9_u16]).unwrap();
    assert_eq!(decode(&encode(deep, ImageFormat::Png)).unwrap().rgb, [9, 9, 9]);
    let deep = ImageBuffer::<Rgba<u16>, _>::from_raw(1, 1, vec![0_u16, 0, 0, 0]).unwrap();
    assert_eq!(decode(&encode(deep, ImageFormat::Png)).unwrap().rgb, [255, 255, 255]);
}

#[test]
fn all_eight_orientations() {
    // A corner each: A B / C D, seen upright for EXIF orientation 1 to 8 (Exif 2.32, tag 0x0112).
    let upright = ["ABCD", "BADC", "DCBA", "CDAB", "ACBD", "CADB", "DBCA", "BDAC"]
        .map(|s| s.chars().collect::<Vec<_>>());
    let colours = [('A', [250, 0, 0]), ('B', [0, 250, 0]), ('C', [0, 0, 250]), ('D', [250, 250, 250])];
    let (width, height) = (32, 16);
    let mut stored = Picture::plain(width, height, [0; 3]);
    for (i, pixel) in stored.rgb.chunks_exact_mut(3).enumerate() {
        let corner = 2 * usize::from(i / width >= height / 2) + usize::from(i % width >= width / 2);
        pixel.copy_from_slice(&colours[corner].1);
    }
    let jpeg = file(&stored, ImageFormat::Jpeg);
    for (orientation, expected) in (1..).zip(upright) {
        let seen = decode(&with_exif(&jpeg, orientation)).unwrap();
        let turned = orientation > 4;
        assert_eq!((seen.width, seen.height), if turned { (height, width) } else { (width, height) });
        let (w, h) = (seen.width - 1, seen.height - 1);
        let corners = [(0, 0), (w, 0), (0, h), (w, h)].map(|(x, y)| {
            let near = |c: &[u8; 3]| c.iter().zip(seen.pixel(x, y)).all(|(a, b)| a.abs_diff(b) < 40);
            colours.iter().find(|(_, c)| near(c)).map_or('?', |(name, _)| *name)
        });
        assert_eq!(corners.to_vec(), expected, "orientation {orientation}");
    }
    // Values that mean nothing leave the picture as it is stored.
    for orientation in [0, 9, 255] {
        assert_eq!(decode(&with_exif(&jpeg, orientation)).unwrap().width, width);
    }
}

/// The first 33 bytes of a PNG: signature and header, with the header's checksum.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut sum = u32::MAX;
    for &byte in &header {
        sum ^= u32::from(byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    let mut out = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    out.extend(header);
    out.extend((!sum).to_be_bytes());
    out
}

#[test]
fn a_small_file_that_claims_a_huge_picture_fails_fast() {
    let data = b"\0\0\0\x0fIDAT\x78\x9c\x03\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0";
    for (width, height, got) in
        [(100_000, 100_000, 100_000), (16_000, 16_000, 256_000_000), (1, 20_000, 20_000)]
    {
        let mut png = png_header(width, height);
        png.extend(data);
        let start = std::time::Instant::now();
        match decode(&png) {
            Err(Error::Limit { got: found, .. }) => assert_eq!(found, got),
            other => panic!("expected a limit, got {other:?}"),
        }
        assert!(start.elapsed().as_millis() < 500);
    }
    let mut gif = b"GIF89a".to_vec();
    gif.extend([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0]);
    gif.extend(b",\0\0\0\0\xff\xff\xff\xff\0\x02\x00\x3b");
    assert_eq!(decode(&gif).unwrap_err().code(), "limit");
}

#[test]
fn a_lying_png_or_jpeg_is_refused() {
    let mut png = png_header(4000, 4000);
    png.extend(&file(&noise(4, 4), ImageFormat::Png)[33..]);
    assert!(refusal(&png).contains("PNG"));
    let mut jpeg = file(&noise(16, 16), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w[0] == 0xFF && (0xC0..=0xC2).contains(&w[1])).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x1F, 0x40, 0x1F, 0x40]);
    assert!(refusal(&jpeg).contains("8000 x 8000"));
}

#[test]
fn cut_files_are_refused() {
    let picture = noise(24, 20);
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Bmp] {
        let whole = file(&picture, format);
        // PNG's last 12 bytes are an empty end chunk, JPEG's last two its end marker, and WebP's last one may be padding:
        // every pixel is there.
        let spare = [(ImageFormat::Png, 12), (ImageFormat::Jpeg, 2), (ImageFormat::WebP, 1)];
        let needed = whole.len() - spare.iter().find(|(f, _)| *f == format).map_or(0, |(_, n)| *n);
        for length in 0..needed {
            assert!(!refusal(&whole[..length]).is_empty(), "{format:?} cut to {length}");
        }
    }
    let gif = file(&picture, ImageFormat::Gif);
    refusal(&gif[..gif.len() / 2]);
    let thumbnail = with_exif(&file(&picture, ImageFormat::Jpeg), 1);
    assert!(refusal(&thumbnail[..thumbnail.len() - 3]).contains("cut short"));
}

/// A JPEG file's picture and notes.
fn noted(bytes: &[u8]) -> Result<(Picture, Vec<String>)> {
    let mut notes = vec![];
    Picture::decode_noting(bytes, &mut notes).map(|picture| (picture, notes))
}

/// Whole but for its end marker, or half of it, a JPEG is shown and told of; one byte less and it is refused, whatever
/// its tables, subsampling and scans are.
#[test]
fn a_jpeg_without_its_end_is_read_with_a_note() {
    let photo = include_bytes!("../../www/samples/cat.jpg");
    let progressive = include_bytes!("../../tests/fixtures/pictures/progressive.jpg");
    let files = [
        file(&noise(24, 20), ImageFormat::Jpeg),
        with_exif(&file(&noise(17, 9), ImageFormat::Jpeg), 6),
        encode(GrayImage::from_fn(40, 24, |x, y| Luma([(x * y) as u8])), ImageFormat::Jpeg),
        photo.to_vec(),
        progressive.to_vec(),
    ];
    for (i, whole) in files.iter().enumerate() {
        let (picture, silent) = noted(whole).unwrap();
        assert!(silent.is_empty() && whole.ends_with(&[0xFF, 0xD9]), "{i}");
        let n = whole.len();
        for cut in [1, 2] {
            let (shown, notes) = noted(&whole[..n - cut]).unwrap_or_else(|e| panic!("{i}, {cut} cut: {e}"));
            assert!(
                shown == picture && notes.len() == 1 && notes[0].contains("end marker"),
                "{i}: {notes:?}"
            );
        }
        for cut in [4, 8, 40, n / 10, n / 2, n - 30] {
            assert!(noted(&whole[..n - cut]).is_err(), "{i} with {cut} bytes cut is shown");
        }
    }
}

#[test]
fn tiff_is_read_with_its_orientation() {
    let picture = noise(9, 5);
    assert_eq!(decode(&file(&picture, ImageFormat::Tiff)).unwrap(), picture);
    let deep = ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![0_u16, 257 * 100, 65_535]).unwrap();
    assert_eq!(decode(&encode(deep, ImageFormat::Tiff)).unwrap().rgb, [0, 100, 255]);
    // Twice as wide as high, and turned by its tag: blue, red on top, then white, green.
    let turned = decode(include_bytes!("../../tests/fixtures/pictures/turned.tiff")).unwrap();
    assert_eq!((turned.width, turned.height), (48, 96));
    let corners = [(2, 2), (45, 2), (2, 93), (45, 93)].map(|(x, y)| turned.pixel(x, y));
    assert_eq!(corners, [[20, 20, 250], [250, 20, 20], [250, 250, 250], [20, 250, 20]]);
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    assert!(refusal(b"").contains("empty"));
    assert!(refusal(b"<!doctype html><title>404</title>").contains("not an image"));
    assert!(refusal(b"II*\0\x08\0\0\0").contains("TIFF"));
    assert!(refusal(b"\0\0\0\x1cftypavif\0\0\0\0").contains("AVIF images cannot be read"));
    for (start, is_read) in
        [(&b"\xff\xd8\xff\xe0"[..], true), (b"\0\0\0\x1cftypavif", false), (b"", false), (b"text", false)]
    {
        assert_eq!(Picture::is_format_read(start), is_read, "{start:?}");
    }
    assert!(refusal(b"\x89PNG\r\n\x1a\n").contains("PNG"));
}

#[test]
fn damaged_bytes_never_panic() {
    let picture = noise(12, 10);
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ];
    for format in formats {
        let whole = file(&picture, format);
        let whole = if format == ImageFormat::Jpeg { with_exif(&whole, 6) } else { whole };
        for round in 0..400 {
            let mut bytes = whole.clone();
            // Place and value of the damage come from noise; the headers, where most decisions are made, twice as
            // often.
            let dice = noise(4, 1 + round).rgb[12 * round..12 * round + 12].to_vec();
            for pair in dice.chunks_exact(4).take(1 + round % 3) {
                let place = usize::from(pair[0]) << 8 | usize::from(pair[1]);
                let span = if round % 2 == 0 { bytes.len().min(80) } else { bytes.len() };
                bytes[place % span] = pair[2] ^ pair[3];
            }
            if let Ok(picture) = decode(&bytes) {
                picture.check().unwrap();
            }
        }
    }
}
