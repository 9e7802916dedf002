// The grid of outputs that windows make, and the inputs that they gather: rows, then columns. `GridParams` in axis.rs
// writes it, in the same order.
struct Grid {
    cells: vec2<u32>,
    extent: vec2<u32>,
    taps: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<i32>,
    offset: vec2<i32>,
    out_extent: vec2<u32>,
    out_stride: vec2<u32>,
    out_offset: vec2<u32>,
    unused: vec2<u32>,
}
