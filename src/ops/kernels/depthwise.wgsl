// Convolution of each channel on its own: each thread makes LINES rows of PIXELS neighbouring outputs of one block
// of four channels. It walks down the rows that these reach, loads the SPAN inputs of each once, and adds them to all
// lines: the first meets a row with one row of weights, the next with that of STEP rows before.
//
// TAPS, STRIDE, DILATION: of the columns. SPAN: inputs that the thread's outputs reach in a row.
// STEP: input rows from one line to the next. HISTORY: earlier rows of weights that are kept in
// registers; the weights are padded with as many rows of zeros.
// WHOLE: outputs are the grid's; else every out_stride-th (a phase of a transposed convolution).
#include bindings
#include epilogue
#include grid
#include thread

struct Params {
    input: u32,
    output: u32,
    zeros: u32,
    weights: u32,
    bias: u32,
    out_blocks: u32,
    strips: u32,
    threads: u32,
    epilogue: Epilogue,
    grid: Grid,
    steps: array<vec4<u32>, ${STEPS + 1}>,
}

fn run(thread: u32) {
    let strip = thread / p.out_blocks;
    let block = thread - strip * p.out_blocks;
    let band = strip / p.strips;
    let first = (strip - band * p.strips) * ${PIXELS}u;
    let bands = (p.grid.cells.x + ${LINES - 1}u) / ${LINES}u;
    let row = band / bands;
    let y = (band - row * bands) * ${LINES}u;

    let left = i32(first * ${STRIDE}u) + p.grid.offset.y;
#for j in 0..SPAN
    let column${j} = u32(left + ${j});
    let inside${j} = column${j} < p.grid.extent.y;
#end
    let bias = constants[p.bias + block];
#for l in 0..LINES
#for i in 0..PIXELS
    var sum${l}_${i} = bias;
#end
#end
#for h in 0..HISTORY + 1
#for t in 0..TAPS
    var w${h}_${t} = vec4(0.0);
#end
#end
    var w = p.weights + block;
    for (var tap = 0u; tap < p.grid.taps.x + ${HISTORY}u; tap++) {
        let source = u32(i32(y * p.grid.stride.x) + p.grid.offset.x + i32(tap) * p.grid.dilation.x);
        let within = source < p.grid.extent.x;
        let base = p.input + (row * p.grid.extent.x + source) * p.grid.extent.y * p.out_blocks + block;
#for j in 0..SPAN
        let x${j} = load(select(p.zeros, base + column${j} * p.out_blocks, within && inside${j}));
#end
#for t in 0..TAPS
        w0_${t} = constants[w + ${t}u * p.out_blocks];
#for l in 0..LINES
#for i in 0..PIXELS
        sum${l}_${i} += w${l * STEP}_${t} * x${i * STRIDE + t * DILATION};
#end
#end
#for h in 0..HISTORY
        w${HISTORY - h}_${t} = w${HISTORY - h - 1}_${t};
#end
#end
        w += ${TAPS}u * p.out_blocks;
    }

#for l in 0..LINES
#for i in 0..PIXELS
    if (first + ${i}u < p.grid.cells.y && y + ${l}u < p.grid.cells.x) {
#if WHOLE
        let out = (row * p.grid.cells.x + y + ${l}u) * p.grid.cells.y + first + ${i}u;
#else
        let cell = vec2(y + ${l}u, first + ${i}u) * p.grid.out_stride + p.grid.out_offset;
        let out = (row * p.grid.out_extent.x + cell.x) * p.grid.out_extent.y + cell.y;
#end
        store(p.output + out * p.out_blocks + block, finish(sum${l}_${i}, out, block));
    }
#end
#end
}
