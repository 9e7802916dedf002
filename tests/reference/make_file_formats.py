"""Pictures in formats and forms that Pillow writes and Rust's image crate does not: tests/fixtures/pictures/."""

import sys
from pathlib import Path

from PIL import Image

SIDE = 96


def quadrants() -> Image.Image:
    """Red, green, blue and white quarters."""
    picture = Image.new("RGB", (SIDE, SIDE))
    colours = [(250, 20, 20), (20, 250, 20), (20, 20, 250), (250, 250, 250)]
    for i, colour in enumerate(colours):
        picture.paste(colour, [SIDE // 2 * (i % 2), SIDE // 2 * (i // 2)] + [SIDE // 2 * (1 + i % 2), SIDE // 2 * (1 + i // 2)])
    return picture


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    picture = quadrants()
    picture.save(out / "quadrants.avif", quality=90)
    picture.save(out / "quadrants.ico", sizes=[(SIDE, SIDE)])
    # A quarter turn that only the file's tag undoes.
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.resize((SIDE, SIDE // 2)).save(out / "turned.tiff", compression="tiff_lzw", exif=turned)
    # Smooth, so that all scans of a progressive file have something to refine.
    gradient = Image.radial_gradient("L").resize((120, 88))
    photo = Image.merge("RGB", [gradient, gradient.rotate(90), gradient.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    photo.save(out / "progressive.jpg", quality=85, progressive=True, subsampling="4:2:0")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
