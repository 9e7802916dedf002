#!/usr/bin/env bash
# Makes tests/fixtures anew from the reference libraries, in pinned versions, and says what differs from the committed
# files. Nothing here runs during the tests.
#
# usage: tests/reference/make.sh OUTDIR      (Python 3.11; torch and TensorFlow take several GB of disk; about twenty minutes)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
mkdir -p "$1/fixtures"
cd "$1"

[ -d venv ] || python3 -m venv venv
venv/bin/pip -q install -r "$here/requirements.txt"

python=venv/bin/python
$python "$here/node_tests.py" fixtures/node
$python "$here/make_networks.py" fixtures/networks
$python "$here/make_shipped.py" fixtures/quantized
$python "$here/make_int8.py" fixtures/int8
$python "$here/make_integers.py" fixtures/integers
$python "$here/make_heads.py" fixtures/heads
$python "$here/make_operators.py" fixtures/operators
$python "$here/make_perturbation.py" fixtures/networks fixtures
$python "$here/make_files.py" fixtures
$python "$here/make_preprocessing.py" > fixtures/preprocessing.json
$python "$here/make_file_formats.py" fixtures/pictures
$python "$here/architectures/make_torch.py" torchvision fixtures/architectures
$python "$here/architectures/make_torch.py" timm fixtures/architectures
$python "$here/architectures/make_torch.py" transformers fixtures/architectures
$python "$here/architectures/make_converters.py" fixtures/architectures
[ -d venv-keras ] || python3 -m venv venv-keras
venv-keras/bin/pip -q install -r "$here/architectures/requirements.txt"
venv-keras/bin/python "$here/architectures/make_keras.py" fixtures/architectures
$python "$here/make_tutorial.py" fixtures/architectures/keras fixtures/tutorial

# Rounding differs between processors: another machine's files may differ in their last bits.
diff -rq fixtures "$here/../fixtures" && echo "fixtures: identical"
