// Convolution as an implicit matrix product: each thread makes PIXELS consecutive pixels by BLOCKS blocks of
// four channels, in registers alone. Taps run outside, input channels inside; a tap that falls into the
// padding reads a page of zeros, so the inner loop has no tests.
//
// POINTWISE: each output reads the input of its own place (1 x 1, or a fully connected layer).
// WHOLE: output pixels are the grid's; else every out_stride-th (a phase of a transposed convolution).
// GROUPED: each tile of channels reads inputs from a start of its own.
// ENCODING: the input is one picture under masks of this encoding; 0 for none.
// ALONG_CHANNELS: neighbouring threads make neighbouring channels, not pixels: for few pixels.
// TILES_FIRST: neighbouring workgroups make neighbouring channels of the same pixels, which caches then hold;
// else the other way round, for more pixels than a dispatch has workgroups along its second axis.
// RAGGED: the last tile has fewer than BLOCKS blocks.
#include bindings
#include grid
#include convolution
#include epilogue
#if ENCODING
#include masked_input
#include prologue
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#if ALONG_CHANNELS
    let tile = group.x * ${LANES}u + lane;
    let first = group.y * ${PIXELS}u;
    if (tile >= p.tiles) {
        return;
    }
#else
#if TILES_FIRST
    let tile = group.x;
    let first = (group.y * ${LANES}u + lane) * ${PIXELS}u;
#else
    let tile = group.y;
    let first = (group.x * ${LANES}u + lane) * ${PIXELS}u;
#end
    if (first >= p.pixels) {
        return;
    }
#end
#if GROUPED
    let start = u32(constants[p.starts + tile].x);
#else
    let start = 0u;
#end
#for q in 0..BLOCKS
    let bias${q} = constants[p.bias + tile * ${BLOCKS}u + ${q}u];
#end
#for i in 0..PIXELS
#for q in 0..BLOCKS
    var sum${i}_${q} = bias${q};
#end
    // Past the end the last pixel is made again, and not stored.
    let pixel${i} = min(first + ${i}u, p.pixels - 1u);
#if POINTWISE
    let at${i} = p.input + start + pixel${i} * p.in_blocks;
#else
    let line${i} = pixel${i} / p.grid.cells.y;
    let row${i} = line${i} / p.grid.cells.x;
    let cell${i} = vec2(line${i} - row${i} * p.grid.cells.x, pixel${i} - line${i} * p.grid.cells.y);
    let corner${i} = vec2<i32>(cell${i} * p.grid.stride) + p.grid.offset;
#end
#end

    var w = p.weights + tile * (p.grid.taps.x * p.grid.taps.y * p.depth * ${4 * BLOCKS}u);
#if !POINTWISE
    for (var tap = vec2<u32>(0u); tap.x < p.grid.taps.x; tap.x++) {
    for (tap.y = 0u; tap.y < p.grid.taps.y; tap.y++) {
        let reach = vec2<i32>(tap) * p.grid.dilation;
#for i in 0..PIXELS
        let place${i} = vec2<u32>(corner${i} + reach);
        let inside${i} = place${i}.x < p.grid.extent.x && place${i}.y < p.grid.extent.y;
#if ENCODING == 0
        let source${i} = p.input + ((row${i} * p.grid.extent.x + place${i}.x) * p.grid.extent.y + place${i}.y) * p.in_blocks;
        let at${i} = select(p.zeros, source${i} + start, inside${i});
#end
#end
#end
        for (var k = 0u; k < p.depth; k++) {
#for i in 0..PIXELS
#if ENCODING
            let shown${i} = masked_input(row${i}, min(place${i}, p.grid.extent - 1u), p.grid.extent, start + k);
            let x${i} = select(vec4(0.0), begin(shown${i}, start + k), inside${i});
#else
            let x${i} = load(at${i} + k);
#end
#end
#for q in 0..BLOCKS
            let a${q} = constants[w + ${4 * q}u];
            let b${q} = constants[w + ${4 * q + 1}u];
            let c${q} = constants[w + ${4 * q + 2}u];
            let d${q} = constants[w + ${4 * q + 3}u];
#for i in 0..PIXELS
            sum${i}_${q} += a${q} * x${i}.x + b${q} * x${i}.y + c${q} * x${i}.z + d${q} * x${i}.w;
#end
#end
            w += ${4 * BLOCKS}u;
        }
#if !POINTWISE
    }
    }
#end

    let block = (p.first_tile + tile) * ${BLOCKS}u;
#for i in 0..PIXELS
    if (first + ${i}u < p.pixels) {
#if WHOLE
        let out = pixel${i};
#else
        let out_cell = cell${i} * p.grid.out_stride + p.grid.out_offset;
        let out = (row${i} * p.grid.out_extent.x + out_cell.x) * p.grid.out_extent.y + out_cell.y;
#end
        let to = p.output + out * p.out_blocks + block;
#for q in 0..BLOCKS
#if RAGGED
        if (block + ${q}u < p.out_blocks) {
            store(to + ${q}u, finish(sum${i}_${q}, out, block + ${q}u));
        }
#else
        store(to + ${q}u, finish(sum${i}_${q}, out, block + ${q}u));
#end
#end
    }
#end
}
