// Writes one picture under many masks out as pictures, for operators that cannot read through masks.
#include bindings
#include masked_input
#include thread

struct Params {
    input: u32,
    output: u32,
    fill: u32,
    masks: u32,
    masks_stride: u32,
    masks_shared: u32,
    in_blocks: u32,
    threads: u32,
    extent: vec2<u32>,
}

fn run(i: u32) {
    let pixel = i / p.in_blocks;
    let line = pixel / p.extent.y;
    let row = line / p.extent.x;
    let place = vec2(line - row * p.extent.x, pixel - line * p.extent.y);
    store(p.output + i, masked_input(row, place, p.extent, i - pixel * p.in_blocks));
}
