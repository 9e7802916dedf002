// Reads one picture under many masks. Only the picture, the fill that hides it, and the masks are stored. `Params` of
// the kernel has their places: `input`, `fill`, `masks`, `masks_stride`, `masks_shared` and `in_blocks`.
//
// ENCODING: how the masks lie in memory.
// 1, rectangles: (top, left, bottom, right) of what each row hides.
// 2, segments: shared, a label for each pixel; a row is one bit per label.
// 3, grids: shared, (rows, columns, and twice the height and the width of the enlarged grid); a row is its shift,
//    then for each cell four shares (its own, the right one's, the one's below, the one's below right).
// 4, elements: a row is four bits per pixel, one per channel, for each block of channels, which begins a word.
fn masked_input(row: u32, place: vec2<u32>, extent: vec2<u32>, block: u32) -> vec4<f32> {
    let mask = p.masks + row * p.masks_stride;
    let pixel = place.x * extent.y + place.y;
    let at = pixel * p.in_blocks + block;
#if ENCODING == 1
    let hidden = arena[mask];
    let covered = all(place >= hidden.xy) && all(place < hidden.zw);
    return load(select(p.input, p.fill, covered) + at);
#end
#if ENCODING == 2
    let label = arena[p.masks_shared + (pixel >> 2u)][pixel & 3u];
    let bit = (arena[mask + (label >> 7u)][(label >> 5u) & 3u] >> (label & 31u)) & 1u;
    return load(select(p.fill, p.input, bit == 1u) + at);
#end
#if ENCODING == 3
    let grid = arena[p.masks_shared];
    let twice = vec2<f32>(grid.zw);
    // Whole numbers up to the last division, so that no place depends on rounding.
    let centre = vec2<f32>((2u * (place + arena[mask].xy) + 1u) * grid.xy) - 0.5 * twice;
    let point = clamp(centre, vec2(0.0), vec2<f32>(grid.xy - 1u) * twice);
    let cell = floor(point / twice);
    let part = (point - cell * twice) / twice;
    let corners = load(mask + 1u + u32(cell.x) * grid.y + u32(cell.y));
    let across = corners.xy * (1.0 - part.x) + corners.zw * part.x;
    let share = across.x * (1.0 - part.y) + across.y * part.y;
    return share * load(p.input + at) + (1.0 - share) * load(p.fill + at);
#end
#if ENCODING == 4
    let word = block * ((extent.x * extent.y + 7u) >> 3u) + (pixel >> 3u);
    let bits = arena[mask + (word >> 2u)][word & 3u] >> ((pixel & 7u) * 4u);
    let shown = (vec4(bits) & vec4(1u, 2u, 4u, 8u)) != vec4(0u);
    return select(load(p.fill + at), load(p.input + at), shown);
#end
}
