//! Nothing that a file can hold makes its reader panic: thousands of damaged models, pictures and arrays, each made
//! from a good one by a seeded generator. `fuzz/` has the same entry points for a fuzzer that learns.

#[allow(dead_code, reason = "the command line's reader; here only what reads bytes")]
#[path = "../src/bin/pellucid/input.rs"]
mod input;
mod support;

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use image::{DynamicImage, ImageFormat, RgbImage};
use npyz::WriterBuilder;
use pellucid::{
    graph::Rule,
    network::{Network, Program, Score},
    picture::Picture,
    rng,
};
use rand::{Rng, RngExt};
use support::{bytes, fixture};

/// What makes lengths lie.
const WORDS: [u32; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/// A damaged copy: cut, spliced, or with a few bits, bytes or words changed.
fn damaged(good: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        // Headers are where the lies are.
        let at = if rng.random_bool(0.5) { at % 256 } else { at };
        match rng.random_range(0..7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + rng.random_range(1..32)).min(bytes.len()))),
            2 => {
                let part = bytes[at..(at + rng.random_range(1..64)).min(bytes.len())].to_vec();
                let to = rng.random_range(0..=bytes.len());
                bytes.splice(to..to, part);
            }
            3 => {
                let word = WORDS[rng.random_range(0..WORDS.len())];
                let word = if rng.random_bool(0.5) { word.to_le_bytes() } else { word.to_be_bytes() };
                bytes.iter_mut().skip(at).zip(word).for_each(|(b, w)| *b = w);
            }
            4 => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << rng.random_range(0..8)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b = rng.random()),
        }
        if bytes.is_empty() {
            return bytes;
        }
    }
    bytes
}

/// Feeds `count` damaged copies of each of `seeds` to a reader, which says whether it took one; returns how many
/// were refused.
fn feed(what: &str, seeds: &[Vec<u8>], count: u64, reader: impl Fn(&[u8]) -> bool) -> usize {
    let mut refused = 0;
    for (seed, good) in seeds.iter().enumerate() {
        assert!(reader(good), "{what} {seed} is good and refused");
        for i in 0..count {
            let bad = damaged(good, &mut rng::for_sample(seed as u64, i));
            match catch_unwind(AssertUnwindSafe(|| reader(&bad))) {
                Ok(taken) => refused += usize::from(!taken),
                Err(_) => panic!("{what} {seed}, damaged with seed {i}, makes its reader panic"),
            }
        }
    }
    refused
}

#[test]
fn models_never_panic() {
    let names = ["int8", "networks/lite", "networks/resnet", "networks/densenet", "networks/mobilenet_v3"];
    let seeds = names.map(|n| bytes(&fixture(n).join("model.onnx")));
    let refused = feed("model", &seeds, 1200, |bytes| {
        let Ok(network) = Network::from_onnx(bytes) else { return false };
        for layer in [None, network.default_layer().map(|l| l.value)] {
            let _ = network.graph_for(&Program::Forward { layer });
            let _ = network.graph_for(&Program::Gradient { score: Score::Logit, layer, rule: Rule::Guided });
        }
        true
    });
    assert!(refused > 100, "only {refused} damaged models were refused");
}

/// Small graphs of one node: damage hits attributes and shapes far more often than in a whole network.
#[test]
fn single_operators_never_panic() {
    let mut folders: Vec<_> =
        std::fs::read_dir(fixture("node")).unwrap().map(|e| e.unwrap().path().join("model.onnx")).collect();
    folders.retain(|p| p.is_file());
    folders.sort();
    let seeds: Vec<_> = folders.iter().map(|p| bytes(p)).collect();
    assert!(seeds.len() > 100);
    feed("operator", &seeds, 200, |bytes| {
        let _ = Network::from_onnx(bytes);
        true
    });
}

#[test]
fn pictures_never_panic() {
    let mut state = rng::for_sample(0, 0);
    let pixels: Vec<u8> = (0..3 * 37 * 29).map(|i| (i / 7) as u8 ^ (state.random::<u8>() & 15)).collect();
    let image = DynamicImage::ImageRgb8(RgbImage::from_raw(37, 29, pixels).unwrap());
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ];
    let mut seeds = formats.map(|format| {
        let mut file = Cursor::new(vec![]);
        image.write_to(&mut file, format).unwrap();
        file.into_inner()
    });
    seeds.reverse();
    let refused = feed("picture", &seeds, 1500, |bytes| match Picture::decode(bytes) {
        Err(_) => false,
        Ok(picture) => {
            assert_eq!(picture.rgb.len(), 3 * picture.width * picture.height);
            true
        }
    });
    assert!(refused > 100, "only {refused} damaged pictures were refused");
}

fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], value: T) -> Vec<u8> {
    let mut file = vec![];
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut file).begin_nd().unwrap();
    writer.extend(std::iter::repeat_n(value, shape.iter().product::<u64>() as usize)).unwrap();
    writer.finish().unwrap();
    file
}

#[test]
fn arrays_never_panic() {
    let path = Path::new("a.npy");
    let arrays = [npy(&[1, 3, 5, 7], 0.5f32)];
    let refused = feed("array", &arrays, 2000, |bytes| input::read_array(bytes, path).is_ok());
    assert!(refused > 100, "only {refused} damaged arrays were refused");
    feed("segments", &[npy(&[6, 4], 0i32), npy(&[6, 4], 0i64)], 1000, |b| input::segments(b, path).is_ok());
    feed("samples", &[npy(&[6, 4], 1u8)], 1000, |bytes| input::samples(bytes, path).is_ok());
}

/// Found by fuzzing: each brace in another one triples what the parser of headers does, and as many bytes are reserved
/// for a header as the file says that it has.
#[test]
fn headers_that_cost_much_are_refused_at_once() {
    let header = |text: &str| {
        let mut file = b"\x93NUMPY\x01\0".to_vec();
        file.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        file.extend(text.bytes());
        input::read_array(&file, Path::new("a.npy")).unwrap_err().to_string()
    };
    for text in ["{".repeat(60), format!("{{'shape': {}", "(".repeat(9000)), " ".repeat(60_000)] {
        let why = header(&text);
        assert!(why.contains("header has") && why.contains("numpy.save"), "{why}");
    }
    let endless = b"\x93NUMPY\x03\0\xff\xff\xff\xff{}";
    let why = input::read_array(endless, Path::new("a.npy")).unwrap_err().to_string();
    assert!(why.contains("header has 4294967295 bytes"), "{why}");
    let empty = header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 5000, 7000), }\n");
    assert!(empty.contains("ends before its 105000000 values do"), "{empty}");
    // As deep as any header is, and still read by the parser.
    let fields = "{'descr': [('a', '<f4', (2, 2))], 'fortran_order': False, 'shape': (1, 3, 2, 2), }\n";
    assert!(!header(fields).contains("header has"), "{}", header(fields));
}

/// Canary: a reader that panics is found out.
#[test]
fn a_panic_is_found() {
    let found = catch_unwind(|| {
        feed("bytes", &[vec![7; 40]], 100, |bytes| {
            assert!(bytes.len() >= 40, "cut");
            true
        })
    });
    assert!(found.is_err());
}
