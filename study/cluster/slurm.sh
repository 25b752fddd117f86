#!/usr/bin/env bash
# A study under Slurm; study/guides/clusters.md says how to use it. Arguments are passed to run_sweep.py:
#
#   sbatch study/cluster/slurm.sh --name first --scene PATH --explore 256
#   sbatch study/cluster/slurm.sh --name first --resume
#
#SBATCH --job-name=nerf-study
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
# Trials save their checkpoints a minute before the time limit.
#SBATCH --signal=B:TERM@60
set -euo pipefail

export RAY_USAGE_STATS_ENABLED=0 OMP_NUM_THREADS=1
# An authentication token for the nodes of this job, unreadable to other users of the cluster.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$HOME/.ray/token-$SLURM_JOB_ID"
mkdir -p "$HOME/.ray"
(umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' >"$RAY_AUTH_TOKEN_PATH")
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000))
cpus=$SLURM_CPUS_PER_TASK

srun --nodes=1 --ntasks=1 --nodelist="$head" --overlap \
    ray start --head --block --port="$port" --num-cpus="$cpus" --include-dashboard=false &
for _ in {1..20}; do
    timeout 30 ray health-check --address "$head:$port" >/dev/null 2>&1 && break
    sleep 1
done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
    srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) \
        --exclude="$head" --overlap ray start --block --address="$head:$port" --num-cpus="$cpus" &
fi

# Not `exec`, which would lose the EXIT trap. TERM interrupts the first wait; the second one waits
# until the sweep has stopped its trials.
python study/run_sweep.py --plain --address "$head:$port" --gpus-per-trial 0.25 "$@" &
sweep=$!
trap 'kill -TERM $sweep' TERM
wait "$sweep" || wait "$sweep"
