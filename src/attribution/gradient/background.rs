//! The images that expected gradients compare with, unless others are given.

/// Twelve photographs, as JPEG. They are part of the native binary; the page fetches its own when it needs them.
#[cfg(not(target_arch = "wasm32"))]
pub const PHOTOGRAPHS: &[&[u8]] = &[
    include_bytes!("../../../models/background/astronaut.jpg"),
    include_bytes!("../../../models/background/brick.jpg"),
    include_bytes!("../../../models/background/camera.jpg"),
    include_bytes!("../../../models/background/cat.jpg"),
    include_bytes!("../../../models/background/clock.jpg"),
    include_bytes!("../../../models/background/coffee.jpg"),
    include_bytes!("../../../models/background/coins.jpg"),
    include_bytes!("../../../models/background/galaxies.jpg"),
    include_bytes!("../../../models/background/grass.jpg"),
    include_bytes!("../../../models/background/gravel.jpg"),
    include_bytes!("../../../models/background/retina.jpg"),
    include_bytes!("../../../models/background/rocket.jpg"),
];

/// None: most visitors never need them, so the page fetches them when they are asked for.
#[cfg(target_arch = "wasm32")]
pub const PHOTOGRAPHS: &[&[u8]] = &[];
