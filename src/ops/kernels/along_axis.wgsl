// Kernels whose threads each go through the elements along one axis, a group. CHANNELS: the axis is the channels, and a
// group is a pixel's vec4s; else it is another axis, and a group is a line of vec4s, whose lanes are groups of their own.
// `AlongAxis` in along_axis.rs writes `channels`, `blocks`, `plane`, `count`, `step` and `targets` of `Params`.

// The first vec4 of a thread's group.
fn first_of(thread: u32) -> u32 {
#if CHANNELS
    return thread * p.blocks;
#else
    // Outer axes, then inner axes, then blocks.
    let pixel = thread / p.blocks;
    return ((pixel / p.step) * p.count * p.step + pixel % p.step) * p.blocks + thread % p.blocks;
#end
}

// How much farther back the group lies in the second input, whose rows several rows of the first share.
fn back_of(thread: u32) -> u32 {
#if CHANNELS
    let row = thread / p.plane;
#else
    let row = thread / p.blocks / (p.plane / p.count);
#end
    return (row - row / p.targets) * p.plane * p.blocks;
}

// From the first vec4 of a group to its k-th.
fn along(k: u32) -> u32 {
#if CHANNELS
    return k;
#else
    return k * p.step * p.blocks;
#end
}

// True for each lane of a group's k-th vec4 that exists.
fn there(k: u32) -> vec4<bool> {
#if CHANNELS
    return vec4(k * 4u) + vec4(0u, 1u, 2u, 3u) < vec4(p.channels);
#else
    return vec4(true);
#end
}

// A group's sum, from the sums of its lanes.
fn total(lanes: vec4<f32>) -> vec4<f32> {
#if CHANNELS
    return vec4(lanes.x + lanes.y + lanes.z + lanes.w);
#else
    return lanes;
#end
}
