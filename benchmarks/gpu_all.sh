#!/usr/bin/env bash
# Every figure that needs a GPU, by one command from the repository root:
#
#     benchmarks/gpu_all.sh OUT [PATH_TO_NERF_PYTORCH]
#
# Writes what each command prints to OUT/NAME.txt, and the GPU's used memory every 5 s to OUT/memory.csv.
# The last studies are of the scenes in NERF_STUDY_DATA, if it is set.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
out=${1:?usage: benchmarks/gpu_all.sh OUT [PATH_TO_NERF_PYTORCH]}
peer=(${2:+--peer "$2"})

if ! python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "not measured on a GPU: torch finds none here"
    exit 2
fi
mkdir -p "$out"
failed=0
record() { # NAME COMMAND...
    local name=$1
    shift
    echo "== $*"
    { echo "\$ $*"; time "$@"; } 2>&1 | tee "$out/$name.txt" || failed=1
}

nvidia-smi >"$out/device.txt"
nvidia-smi --query-gpu=timestamp,memory.used --format=csv --loop=5 >"$out/memory.csv" &
memory=$!
trap 'kill "$memory"' EXIT
record steps python benchmarks/gpu.py "${peer[@]}" --json "$out/steps.json"
record packing python benchmarks/packing.py --json "$out/packing.json"
record default_study python study/run_sweep.py --studies "$out/studies" --name default \
    --explore 96 --optimize 32 --gpus-per-trial 1 --pack auto
# Two hundred short trials, one after another in one process a GPU: a leak of its memory shows in memory.csv.
record leak python study/run_sweep.py --studies "$out/studies" --name leak \
    --explore 200 --optimize 0 --replicates 0 --steps 100 --gpus-per-trial 1
for scene in "${NERF_STUDY_DATA:-}"/tiny_lego.npz "${NERF_STUDY_DATA:-}"/lego_200; do
    [ -e "$scene" ] || continue
    name=$(basename "$scene" .npz)
    record "$name" python study/run_sweep.py --scene "$scene" --studies "$out/studies" --name "$name" \
        --gpus-per-trial auto
    record "$name-quality" python benchmarks/gpu.py --quality --scene "$scene"
done
exit $failed
