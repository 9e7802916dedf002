// Sums of groups of elements along one axis. Each thread makes one vec4 of the result.
//
// The result's index is (outer, group, inner). The members of group g are the numbers from starts[g] to starts[g + 1] of
// the list of members.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    in_blocks: u32,
    in_plane: u32,
    out_blocks: u32,
    out_plane: u32,
    channels: u32,
    threads: u32,
    groups: u32,
    inner: u32,
    extent: u32,
    starts: u32,
    members: u32,
}

fn number(first: u32, i: u32) -> u32 {
    return u32(constants[first + i / 4u][i % 4u]);
}

fn run(i: u32) {
    let pixel = i / p.out_blocks;
    let block = i - pixel * p.out_blocks;
    let row = pixel / p.out_plane;
    let place = pixel - row * p.out_plane;
    var v = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        if (block * 4u + c < p.channels) {
            let element = (block * 4u + c) * p.out_plane + place;
            let inner = element % p.inner;
            let own = element / p.inner % p.groups;
            let outer = element / p.inner / p.groups;
            let end = number(p.starts, own + 1u);
            var sum = 0.0;
            for (var k = number(p.starts, own); k < end; k++) {
                let source = (outer * p.extent + number(p.members, k)) * p.inner + inner;
                let channel = source / p.in_plane;
                let start = p.input + (row * p.in_plane + source % p.in_plane) * p.in_blocks + channel / 4u;
                sum += bitcast<f32>(arena[start][channel % 4u]);
            }
            v[c] = sum;
        }
    }
    store(p.output + i, v);
}
