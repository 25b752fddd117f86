"""The plan that a command's options describe."""

from __future__ import annotations

from study.cli.options import Options
from study.cli.plan import Plan
from study.cli.plan_new import plan_new
from study.cli.plan_saved import plan_extend, plan_resume


def make_plan(options: Options) -> Plan:
    """The plan that the options describe; raises `InputError` and changes nothing on disk.

    Only a study that is missing here and has a copy in `--storage` is restored from there.
    """
    if options.extend is not None:
        return plan_extend(options, options.extend)
    return plan_resume(options) if options.resume else plan_new(options)
