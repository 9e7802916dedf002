// The bindings of every kernel. The arena holds floats, bits and bytes alike, so its type is bits;
// a bitcast costs nothing.
@group(0) @binding(0) var<storage, read_write> arena: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> constants: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> p: Params;

fn load(i: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(arena[i]);
}

fn store(i: u32, v: vec4<f32>) {
    arena[i] = bitcast<vec4<u32>>(v);
}
