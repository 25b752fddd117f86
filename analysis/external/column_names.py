"""What the name of a column says about its role: words that metrics, settings and records use."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from analysis.external.sweep import Column, Objective, Role

_RECORD = {
    "name", "id", "run", "run id", "run name", "trial", "trial id", "trial name", "trial number",
    "run number", "uuid", "key", "state", "status", "notes", "note", "user", "username", "author",
    "tags", "tag", "sweep", "sweep id", "sweep name", "created", "created at", "updated",
    "updated at", "started", "started at", "finished at", "runtime", "duration", "hostname",
    "host", "node", "node ip", "pid", "gpu type", "gpu count", "gpu", "cpu count", "os", "python",
    "python version", "git commit", "git url", "git remote", "commit", "sha", "branch", "program",
    "command", "start time", "end time", "datetime start", "datetime complete", "timestamp",
    "date", "time", "heartbeat", "heartbeat at", "url", "link", "path", "directory", "dir",
    "logdir", "log dir", "save dir", "output dir", "out dir", "checkpoint", "checkpoint path",
    "ckpt path", "ckpt", "experiment id", "experiment tag", "experiment name", "job type", "group",
    "project", "entity", "description", "relative time process", "relative time wall", "wall time",
    "lifecycle stage", "artifact uri", "wandb version", "cli version", "index",
}  # fmt: skip
"""Columns that a tracker adds to a table, in lower case, punctuation as one space."""

_METRIC_WORDS = {
    "loss", "losses", "acc", "accuracy", "error", "err", "errors", "score", "scores", "psnr",
    "ssim", "lpips", "f1", "auc", "auroc", "auprc", "roc", "mse", "mae", "rmse", "mape", "mre",
    "r2", "nll", "ppl", "perplexity", "bpc", "bpd", "bpb", "bleu", "rouge", "wer", "cer", "fid",
    "iou", "miou", "dice", "recall", "reward", "rewards", "return", "returns", "regret", "elbo",
    "likelihood", "top1", "top5", "objective", "fitness", "fps", "second", "seconds", "elapsed",
    "flops", "macs", "logloss", "ndcg", "mrr", "bic", "aic", "brier", "ece", "mcc", "throughput",
    "latency",
}  # fmt: skip
_METRIC_OR_SETTING = {
    "precision", "map", "memory", "target", "rank", "success", "metric", "cost", "time", "duration",
    "runtime", "walltime",
}  # fmt: skip
"""Measured if their values are no whole numbers; doubtful in any case."""
_METRICS = {
    "metric value",
    "y", "value", "result", "utility", "epoch", "step", "iteration", "iter", "global step",
    "trainer global step", "training iteration", "steps done", "epochs trained", "timesteps total",
    "episodes total", "n params", "num params", "num parameters", "n parameters", "params",
    "trainable params", "grad norm", "gradient norm", "time total s", "fit time", "train time",
}  # fmt: skip
"""Names of outcomes as a whole, though not within longer ones."""
_SETTING_WORDS = {
    "weight", "weights", "weighting", "scale", "scaling", "coef", "coeff", "coefficient", "lambda",
    "alpha", "beta", "gamma", "factor", "fn", "func", "function", "type", "threshold", "thresh",
    "tol", "tolerance", "size", "interval", "every", "freq", "frequency", "split", "fraction",
    "frac", "num", "n", "batch", "lr", "learning", "clip", "decay", "smoothing", "mode", "steps",
    "epochs", "iters", "limit", "budget", "timeout", "patience", "seed", "momentum", "dropout",
    "warmup", "samples", "workers", "schedule", "penalty", "reg", "discount", "horizon", "use",
}  # fmt: skip
_OTHER_SETTING_WORDS = {
    "rate", "dim", "dims", "hidden", "layer", "layers", "depth", "width", "height", "unit", "units",
    "head", "heads", "channel", "channels", "filter", "filters", "kernel", "stride", "padding",
    "optimizer", "optim", "activation", "act", "eps", "epsilon", "tau", "c", "l1", "l2", "max",
    "min", "subsample", "colsample", "estimators", "leaf", "leaves", "child", "embed", "embedding",
    "noise", "temperature", "temp", "top", "k", "p", "crop", "rotation", "bins", "bandwidth",
    "degree", "nu", "init", "std", "sigma", "patch", "aug", "augment", "augmentation", "cutoff",
    "mixup", "gain", "wd", "bs", "model", "net", "config", "hparams", "beta1", "beta2", "rho",
    "eta", "mu", "order", "resolution", "voxel", "near", "far", "grad", "gradient", "norm", "trees",
    "neurons", "levels", "features", "window", "lag", "step", "bias", "drop", "prob", "ratio",
    "delta", "kappa", "strength", "power", "exponent", "start", "end", "low", "high",
    "parameter", "parameters",
}  # fmt: skip
"""Words of settings that no metric's name has as its last one, beside `_SETTING_WORDS`."""
_WEIGHTS = {"weight", "lambda", "alpha", "beta", "gamma", "coef", "coeff", "use"}
_OUTCOME_GROUPS = {
    "val",
    "valid",
    "validation",
    "eval",
    "evaluation",
    "dev",
    "test",
    "best",
    "final",
}
_TRAIN_GROUPS = {"train", "training"}
_PROGRESS = {"epoch", "step", "iteration", "iter"}


@dataclass(frozen=True)
class Convention:
    """Prefixes by which a tool separates settings from outcomes in the columns of a table.

    outcomes: empty if all numbers that are no settings are outcomes
    needs: patterns of names one of which the table must have, as proof of the tool; none if empty
    objective: pattern of the columns that the tool optimised; empty if it does not say
    direction: of all of these; None if the tool does not say
    """

    tool: str
    settings: str
    outcomes: str = ""
    needs: tuple[str, ...] = ()
    objective: str = ""
    direction: Literal["maximize", "minimize"] | None = None

    def find_objectives(self, names: Collection[str]) -> tuple[Objective, ...]:
        """The metrics that the tool optimised, among the names of columns."""
        found = [name for name in names if fnmatchcase(name, self.objective)]
        return tuple(Objective(name, self.direction) for name in found)


CONVENTIONS = (
    Convention("", "config.", "summary."),
    Convention("Ray Tune", "config/"),
    Convention("MLflow", "params.", "metrics.", ("run_id", "status")),
    Convention("Optuna", "params_", "", ("number", "datetime_start"), "value"),
    # A scorer of scikit-learn is higher where a model is better, also one of a loss.
    Convention("scikit-learn", "param_", "", ("mean_test_*",), "mean_test_*", "maximize"),
)


def find_convention(names: Collection[str]) -> Convention | None:
    """The convention that a table's column names follow, if one."""
    for convention in CONVENTIONS:
        has_settings = any(name.startswith(convention.settings) for name in names)
        proven = not convention.needs or any(
            fnmatchcase(name, pattern) for name in names for pattern in convention.needs
        )
        if has_settings and proven:
            return convention
    return None


def judge_name(name: str, whole: bool) -> Column | None:
    """What the name says of a column; None if nothing, as of most settings.

    whole: all values are whole numbers, such as those of a precision in bits
    """
    if name.startswith("_") or re.fullmatch(r"unnamed: \d+|column \d+", name.lower()):
        return Column(name, "other", "by its name")
    words = split_words(name)
    phrase = " ".join(words)
    if phrase in _RECORD:
        return Column(name, "other", "by its name")
    if phrase in _METRICS:
        return Column(name, "outcome", "by its name")
    measured = [place for place, word in enumerate(words) if word in _METRIC_WORDS]
    modified = [place for place, word in enumerate(words) if word in _SETTING_WORDS]
    if measured and not modified:
        return Column(name, "outcome", "by its name")
    if measured:
        # `loss_weight` is set and `batch_loss` is measured: the last of the two words decides.
        if measured[-1] < modified[-1]:
            return Column(name, "setting", "by its name", doubtful="/" in name)
        return Column(
            name, "outcome", "by its name", doubtful=any(words[m] in _WEIGHTS for m in modified)
        )
    if words and words[-1] in _METRIC_OR_SETTING and not modified:
        role: Role = "setting" if whole else "outcome"
        return Column(name, role, "by its name and values", doubtful=True)
    return _judge_group(name, words, bool(modified))


def is_setting_name(name: str) -> bool:
    """Whether a name has a word of a known setting, as `hidden_dim` has and `foo` has not."""
    known = _SETTING_WORDS | _OTHER_SETTING_WORDS
    words = split_words(name)
    return any(word in known or word.rstrip("0123456789") in known for word in words)


def is_fitted_name(name: str) -> bool:
    """Whether a name ends as those that scikit-learn gives to what it fitted, such as `n_iter_`.

    `lambda_` and `type_` end so because the bare word means something to Python.
    """
    bare = name.removesuffix("_")
    if bare == name or not bare or name.startswith("_"):
        return False
    return not (keyword.iskeyword(bare) or hasattr(builtins, bare))


def _judge_group(name: str, words: list[str], modified: bool) -> Column | None:
    """Of `val/x`, `train_x` and the like, where x is no metric that is known."""
    if len(words) < 2 or words[0] not in _OUTCOME_GROUPS | _TRAIN_GROUPS:
        return None
    reason = f"by the group {words[0]!r}"
    if words[-1] in _PROGRESS and words[0] in _OUTCOME_GROUPS:
        return Column(name, "outcome", "by its name")
    if modified:
        return Column(name, "setting", "by its name", doubtful="/" in name)
    measured = words[0] in _OUTCOME_GROUPS or "/" in name
    sure = words[0] in _OUTCOME_GROUPS and "/" in name
    return Column(name, "outcome" if measured else "setting", reason, doubtful=not sure)


def split_words(name: str) -> list[str]:
    """`valLoss/best_top-5` as val, loss, best, top, 5."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]
