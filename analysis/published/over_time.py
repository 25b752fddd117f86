"""Table of shares and of the order of trials at steps of training."""

from __future__ import annotations

import pandas as pd

from analysis.claims.wording import format_part
from analysis.findings.tables import format_markdown_table
from analysis.importance.over_time import SharesOverTime
from analysis.importance.shares import SobolShare

_MAX_PARAMETERS = 4


def tabulate_over_time(over: SharesOverTime) -> str:
    """The largest shares and the rank correlation with the final PSNR at steps of training."""
    strongest = over.at_steps[-1].importance.shares[:_MAX_PARAMETERS]
    rows = [
        {
            "step": at_step.step,
            **{share.label: _format_share(at_step.share(share.path)) for share in strongest},
            "rank correlation with the final PSNR": f"{at_step.agreement:.2f} "
            f"[{at_step.agreement_low:.2f}, {at_step.agreement_high:.2f}]",
            "loss from keeping the best third": f"{at_step.psnr_lost:.2f} dB",
        }
        for at_step in over.at_steps
    ]
    return format_markdown_table(pd.DataFrame(rows))


def _format_share(share: SobolShare | None) -> str:
    if share is None:
        return "not ranked"
    return format_part(share.share, share.share_low, share.share_high)
