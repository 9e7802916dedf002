"""Pictures as transformers, timm, torchvision and Keras prepare them, for src/picture/libraries_tests.rs:
python make_preprocessing.py > ../fixtures/preprocessing.json

Each entry has the configuration, or the name of a preset, or a resize and an interpolation; the size of a picture of noise
(the generator of src/picture/test_files.rs), the size of what the library makes of it, and of that the mean and some
values. transformers' processors are those on Pillow. Keras's `load_img` is Pillow's resize with the nearest pixel, and
its `preprocess_input` the formulas below, which are those of its `imagenet_utils`.
"""
import json

import numpy as np
import transformers
from PIL import Image
from timm.data import create_transform
from timm.data.transforms import CenterCropOrPad, ResizeKeepRatio, str_to_pil_interp
from torchvision.transforms import functional

# Of a tall picture Pillow 13 resizes the columns first, which Pellucid does not: values are rounded to others there.
SIZES = [(97, 61), (40, 40), (300, 200)]
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
TRANSFORMERS = [
    ("ViTImageProcessor", {"size": {"height": 32, "width": 32}, "resample": 2, **IMAGENET}),
    ("ViTImageProcessor", {"size": {"height": 24, "width": 40}, "resample": 0, "do_normalize": False}),
    ("ViTImageProcessor", {"size": {"height": 32, "width": 32}, "resample": 1, "do_rescale": False, **IMAGENET}),
    ("CLIPImageProcessor", {"size": {"shortest_edge": 37}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "resample": 3, **IMAGENET}),
    ("CLIPImageProcessor", {"size": {"shortest_edge": 30}, "crop_size": {"height": 33, "width": 33}, "do_center_crop": True, "resample": 3, **IMAGENET}),
    ("DeiTImageProcessor", {"size": {"height": 37, "width": 37}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "resample": 3, **IMAGENET}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 32}, "crop_pct": 0.875, "resample": 3, **IMAGENET}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}, "crop_pct": 0.875, "resample": 2, **IMAGENET}),
    ("MobileViTImageProcessor", {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "do_flip_channel_order": True, "resample": 2}),
    ("EfficientNetImageProcessor", {"size": {"height": 32, "width": 32}, "resample": 2, "do_center_crop": False, "include_top": True, **IMAGENET}),
]
TIMM = [
    {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center"},
    {"input_size": [3, 32, 32], "interpolation": "bilinear", "crop_pct": 0.9, "crop_mode": "squash"},
    {"input_size": [3, 32, 48], "interpolation": "bilinear", "crop_pct": 1.0, "crop_mode": "squash"},
    {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "border"},
]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
INTERPOLATIONS = ["bilinear", "bicubic", "lanczos", "nearest"]
SIDE = 32


def noise(width, height):
    state, values = 1, []
    for _ in range(3 * width * height):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return Image.fromarray(np.array(values, np.uint8).reshape(height, width, 3))


def cropped(picture, resized, interpolation):
    """torchvision's Resize of the short side, and its CenterCrop."""
    resized = functional.resize(picture, resized, str_to_pil_interp(interpolation))
    return functional.center_crop(resized, [SIDE, SIDE])


def presets(picture):
    """Channels last, by the preset's name."""
    seven_eighths = int(SIDE / 0.875)
    pixels = lambda made: np.asarray(made, np.float64)
    usual = pixels(cropped(picture, seven_eighths, "bilinear"))
    bicubic = pixels(cropped(picture, seven_eighths, "bicubic"))
    keras = pixels(picture.resize((SIDE, SIDE), Image.Resampling.NEAREST))
    return {
        "torchvision": (usual / 255 - MEAN) / STD,
        "keras-tf": keras / 127.5 - 1,
        "keras-caffe": keras[..., ::-1] - [103.939, 116.779, 123.68],
        "keras-torch": (keras / 255 - MEAN) / STD,
        "unit": usual / 255,
        "raw": usual,
        "efficientnet-lite": (bicubic - 127) / 128,
        "clip": (pixels(cropped(picture, SIDE, "bicubic")) / 255 - CLIP_MEAN) / CLIP_STD,
    }


def resizes(picture):
    """Pixels by the resize and the interpolation: Pillow's resize, and timm's into a border of the mean's colour."""
    border = CenterCropOrPad((SIDE, SIDE), fill=tuple(round(255 * m) for m in MEAN))
    for name in INTERPOLATIONS:
        method = str_to_pil_interp(name).value
        yield "squash", name, picture.resize((SIDE, SIDE), method)
        yield "pad", name, border(ResizeKeepRatio((SIDE, SIDE), longest=1.0, interpolation=name)(picture))
        yield str(SIDE + 5), name, cropped(picture, SIDE + 5, name)


def entry(said, size, output):
    output = np.asarray(output, np.float64)
    flat = output.reshape(-1)
    picks = [int(i) for i in np.linspace(0, flat.size - 1, 24)]
    values = [float(np.float32(flat[i])) for i in picks]
    return {**said, "picture": size, "shape": output.shape, "mean": float(flat.mean()), "places": picks, "values": values}


def slow(kind):
    return getattr(transformers, kind + "Pil", None) or getattr(transformers, kind)


def main():
    entries = []
    for size in SIZES:
        for kind, config in TRANSFORMERS:
            processor = slow(kind)(**config)
            made = processor(noise(*size), return_tensors="np", input_data_format="channels_last")["pixel_values"][0]
            said = {**config, "image_processor_type": kind}
            entries.append(entry({"config": said}, size, made))
        for config in TIMM:
            transform = create_transform(**config, mean=MEAN, std=STD)
            said = {"config": {**config, "mean": MEAN, "std": STD}}
            entries.append(entry(said, size, transform(noise(*size))))
        for name, made in presets(noise(*size)).items():
            entries.append(entry({"preset": name}, size, made.transpose(2, 0, 1)))
        for resize, name, made in resizes(noise(*size)):
            entries.append(entry({"resize": resize, "interpolation": name}, size, np.asarray(made).transpose(2, 0, 1)))
    print("[" + ",\n".join(json.dumps(entry) for entry in entries) + "]")


main()
