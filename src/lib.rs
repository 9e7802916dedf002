//! Pellucid shows why an image classifier said what it said: attribution maps straight from an ONNX file, float
//! or 8-bit, on a GPU through WGSL compute shaders or on the CPU through tract.
//!
//! # From a file to a map
//!
//! A [`Session`] holds a model on a backend. It takes a [`Picture`], gives the classes, and explains one of them with
//! any of the [`attribution::METHODS`]. [`render`] draws the map over what the network saw.
//!
//! ```
//! use pellucid::{Display, Options, Picture, Request, Session, attribution::Silent, render};
//!
//! # fn main() -> pellucid::Result<()> {
//! # let model = include_bytes!("../models/efficientnet-lite0-int8.onnx");
//! # let file = include_bytes!("../www/samples/cat.jpg");
//! # pollster::block_on(async {
//! // `model` has the bytes of an ONNX file, `file` those of a JPEG, PNG, WebP, GIF or BMP.
//! let mut session = Session::open(model, Options::default()).await?;
//! let (seen, image) = session.see(&Picture::decode(file)?)?;
//!
//! let classes = session.classify(&image).await?;
//! assert!(classes[0].target.label.contains("cat"));
//!
//! let request = Request { method: "grad-cam".into(), ..Request::default() };
//! let explanation = session.explain(&image, &request, &mut Silent).await?;
//! let map = &explanation.targets[0].map;
//! assert_eq!(map.values.shape(), [7, 7]);
//!
//! let drawn = render::render_map(map, &seen, &Display::for_map(true, false))?;
//! let png: Vec<u8> = render::write_png(&drawn)?;
//! # assert_eq!(png[..4], *b"\x89PNG");
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! `cargo run --example explain -- MODEL.onnx PICTURE` is the same as a program.
//!
//! # Conventions
//!
//! A [`Picture`] is 8-bit sRGB; an *image* is the float tensor `[channels, height, width]` that the network reads. Maps
//! are signed `f32` in the unit that [`attribution::Map::unit`] names, and are neither scaled nor clipped before they
//! are drawn. Every fallible function returns [`Error`], whose [`Error::code`] is stable.
//!
//! A session is used by one thread: its futures are not `Send`, because in a browser nothing is. Natively they never
//! wait for anything but the GPU, so an executor as small as `pollster::block_on` runs them.
//!
//! # Features
//!
//! `cli`, on by default, builds the command line program and its dependencies. Crates that depend on this one turn it
//! off with `default-features = false`.
//!
//! # Modules
//!
//! The first row is for users; the others are its machinery, public for tests and benches, and change without notice.
//!
//! | modules | what they hold |
//! |---|---|
//! | [`session`] [`picture`] [`attribution`] [`render`] [`evaluation`] [`error`] [`tensor`] | opening, asking, drawing |
//! | [`network`] [`backend`] | ONNX files as graphs and their derivatives; where they run |
//! | [`chain`] [`graph`] [`ops`] [`gpu`] | the graph, its operators, their kernels |
//! | [`limits`] [`rng`] [`npy`] | bounds on input, seeded random numbers, numpy's files |

mod bilinear;
pub mod error;
mod json;
pub mod limits;
pub mod npy;
pub mod rng;
mod simd;
pub mod tensor;

pub mod picture;

pub mod chain;
pub mod gpu;
pub mod graph;
pub mod ops;

pub mod network;

pub mod backend;

pub mod attribution;

pub mod evaluation;

pub mod render;

pub mod session;

#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, Result};
pub use picture::Picture;
pub use render::Display;
pub use session::{Explanation, Options, Request, Session};
pub use tensor::Tensor;
