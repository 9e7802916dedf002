// Convolution as an implicit matrix product, for adapters with workgroup memory of their own: a workgroup makes a tile
// of TY * PIXELS pixels by TX blocks of four channels, each thread PIXELS of one block. In each round all threads
// together bring DEPTH * SPLIT input blocks of the tile's pixels, and their weights, into workgroup memory, in the order
// in which these lie in the arena; while they multiply, the next ones are on their way into registers. A tap that falls
// into the padding, or a block behind the last one, reads a page of zeros.
//
// SPLIT: so many groups of TX * TY threads share the tile's sums, each with DEPTH blocks of a round; at the end they
// are added up. For layers of few pixels, whose sums are long and whose threads are few.
// X_PITCH: from one input block's pixels to the next one's. MEMORY: vec4s in all.
// POINTWISE, WHOLE, GROUPED, RAGGED: as in convolve.wgsl, which without SPLIT sums in the same order.
#include bindings
#include grid
#include convolution
#include epilogue

var<workgroup> memory: array<vec4<f32>, ${MEMORY}>;

@compute @workgroup_size(${TX * TY * SPLIT})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#if TILES_FIRST
    let tile = group.x;
    let first = group.y * ${TY * PIXELS}u;
#else
    let tile = group.y;
    let first = group.x * ${TY * PIXELS}u;
#end
    let tx = lane % ${TX}u;
    let ty = lane / ${TX}u % ${TY}u;
    let part = lane / ${TX * TY}u;
#if GROUPED
    let start = u32(constants[p.starts + tile].x);
#else
    let start = 0u;
#end

    // This thread brings some input blocks of some pixels, and some weights.
#for n in 0..X_LOADS
    let x_place${n} = lane + ${n * TX * TY * SPLIT}u;
    let x_block${n} = x_place${n} % ${DEPTH * SPLIT}u;
    let brought${n} = min(first + x_place${n} / ${DEPTH * SPLIT}u, p.pixels - 1u);
    let x_to${n} = x_block${n} * ${X_PITCH}u + x_place${n} / ${DEPTH * SPLIT}u;
#if POINTWISE
    let at${n} = p.input + start + brought${n} * p.in_blocks + x_block${n};
#else
    let line${n} = brought${n} / p.grid.cells.y;
    let row${n} = line${n} / p.grid.cells.x;
    let cell${n} = vec2(line${n} - row${n} * p.grid.cells.x, brought${n} - line${n} * p.grid.cells.y);
    let corner${n} = vec2<i32>(cell${n} * p.grid.stride) + p.grid.offset;
#end
    var x_next${n} = vec4(0.0);
#end
#for n in 0..W_LOADS
    // They lie by input block, output block and input channel, and go by input block, input channel and output block.
    let w_place${n} = lane + ${n * TX * TY * SPLIT}u;
    let w_row${n} = w_place${n} / ${4 * TX}u * 4u + w_place${n} % 4u;
    let w_to${n} = ${DEPTH * SPLIT * X_PITCH}u + w_row${n} * ${TX}u + w_place${n} / 4u % ${TX}u;
    var w_next${n} = vec4(0.0);
#end

#if SPLIT == 1
    let bias = constants[p.bias + tile * ${TX}u + tx];
#else
    let bias = select(vec4(0.0), constants[p.bias + tile * ${TX}u + tx], part == 0u);
#end
#for i in 0..PIXELS
    var sum${i} = bias;
#end

    let steps = (p.depth + ${DEPTH * SPLIT - 1}u) / ${DEPTH * SPLIT}u;
    let rounds = p.grid.taps.x * p.grid.taps.y * steps;
    let weights = p.weights + tile * (p.grid.taps.x * p.grid.taps.y * p.depth * ${4 * TX}u);
    let x_from = part * ${DEPTH * X_PITCH}u + ty;
    let w_from = ${DEPTH * SPLIT * X_PITCH}u + part * ${4 * DEPTH * TX}u + tx;
    var tap = vec2(0u);
    var step = 0u;
    // One round more than there is to multiply: the first only brings, the last only multiplies.
    for (var round = 0u; round <= rounds; round++) {
        if (round > 0u) {
            workgroupBarrier();
#for n in 0..X_LOADS
#if (n + 1) * TX * TY * SPLIT <= X_TOTAL
            memory[x_to${n}] = x_next${n};
#else
            if (x_place${n} < ${X_TOTAL}u) {
                memory[x_to${n}] = x_next${n};
            }
#end
#end
#for n in 0..W_LOADS
#if (n + 1) * TX * TY * SPLIT <= W_TOTAL
            memory[w_to${n}] = w_next${n};
#else
            if (w_place${n} < ${W_TOTAL}u) {
                memory[w_to${n}] = w_next${n};
            }
#end
#end
            workgroupBarrier();
        }
        if (round < rounds) {
            let k = step * ${DEPTH * SPLIT}u;
#if !POINTWISE
            let reach = vec2<i32>(tap) * p.grid.dilation;
#end
#for n in 0..X_LOADS
#if POINTWISE
            x_next${n} = load(select(p.zeros, at${n} + k, k + x_block${n} < p.depth));
#else
            let place${n} = vec2<u32>(corner${n} + reach);
            let inside${n} = k + x_block${n} < p.depth && place${n}.x < p.grid.extent.x && place${n}.y < p.grid.extent.y;
            let source${n} = ((row${n} * p.grid.extent.x + place${n}.x) * p.grid.extent.y + place${n}.y) * p.in_blocks;
            x_next${n} = load(select(p.zeros, p.input + source${n} + start + k + x_block${n}, inside${n}));
#end
#end
            let w = weights + ((tap.x * p.grid.taps.y + tap.y) * p.depth + k) * ${4 * TX}u;
#for n in 0..W_LOADS
            w_next${n} = constants[w + w_place${n}];
#end
            step++;
            if (step == steps) {
                step = 0u;
                tap.y++;
                if (tap.y == p.grid.taps.y) {
                    tap = vec2(tap.x + 1u, 0u);
                }
            }
        }
        if (round > 0u) {
#for k in 0..DEPTH
#for i in 0..PIXELS
            let x${k}_${i} = memory[x_from + ${k * X_PITCH + i * TY}u];
#end
            let a${k} = memory[w_from + ${4 * k * TX}u];
            let b${k} = memory[w_from + ${(4 * k + 1) * TX}u];
            let c${k} = memory[w_from + ${(4 * k + 2) * TX}u];
            let d${k} = memory[w_from + ${(4 * k + 3) * TX}u];
#for i in 0..PIXELS
            sum${i} += a${k} * x${k}_${i}.x + b${k} * x${k}_${i}.y + c${k} * x${k}_${i}.z + d${k} * x${k}_${i}.w;
#end
#end
        }
    }

    let block = (p.first_tile + tile) * ${TX}u + tx;
#for i in 0..PIXELS
    let pixel${i} = first + ty + ${i * TY}u;
#if WHOLE
    let out${i} = pixel${i};
#else
    let out_line${i} = pixel${i} / p.grid.cells.y;
    let out_row${i} = out_line${i} / p.grid.cells.x;
    let grid_cell${i} = vec2(out_line${i} - out_row${i} * p.grid.cells.x, pixel${i} - out_line${i} * p.grid.cells.y);
    let out_cell${i} = grid_cell${i} * p.grid.out_stride + p.grid.out_offset;
    let out${i} = (out_row${i} * p.grid.out_extent.x + out_cell${i}.x) * p.grid.out_extent.y + out_cell${i}.y;
#end
#if SPLIT > 1
    workgroupBarrier();
    memory[lane] = sum${i};
    workgroupBarrier();
    // Each group of threads adds up, and stores, what is its turn.
    let mine${i} = part == ${i % SPLIT}u;
    sum${i} = memory[lane % ${TX * TY}u];
#for z in 1..SPLIT
    sum${i} += memory[lane % ${TX * TY}u + ${z * TX * TY}u];
#end
#else
    let mine${i} = true;
#end
#if RAGGED
    if (mine${i} && pixel${i} < p.pixels && block < p.out_blocks) {
#else
    if (mine${i} && pixel${i} < p.pixels) {
#end
        store(p.output + out${i} * p.out_blocks + block, finish(sum${i}, out${i}, block));
    }
#end
}
