"""Writes the results page, analysis/results/README.md, from the tables beside it.

    python analysis/published/page.py [--figures svg]

It also writes the findings on the front page, README.md, and with --figures the page's figures.

Every number on the page is computed from the tables; a test generates the page again and compares.
A study that is missing is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from analysis.published.breaking_sections import breaking_sections
from analysis.published.front_page import replace_findings
from analysis.published.page_figures import write_page_figures
from analysis.published.parameter_sections import parameter_sections
from nerf.common.command_line import Parser, exit_status
from nerf.common.files import write_atomically

RESULTS = Path(__file__).parents[1] / "results"

_INTRODUCTION = """\
# Results

Written by `python analysis/published/page.py --figures svg` from the tables in these folders;
numbers in brackets are 95 % intervals. A run *breaks* if it collapses or shows nothing, which is to
end no better than the best trivial image. Shares, curves and best values are of runs that trained.
`python analysis/report.py analysis/results/NAME` writes the full report of a study."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser(
        "Write the page of published results, and the findings in README.md, from committed tables."
    )
    parser.add_argument("--figures", choices=("svg",), help="also write the page's figures")
    options = parser.parse(arguments)
    page = RESULTS / "README.md"
    write_atomically(page, render_results_page(RESULTS).encode())
    print(page)
    readme = RESULTS.parents[1] / "README.md"
    write_atomically(readme, replace_findings(readme.read_text(encoding="utf-8"), RESULTS).encode())
    print(readme)
    if options.figures:
        print(*write_page_figures(RESULTS, options.figures), sep="\n")
    return 0


def render_results_page(results: Path) -> str:
    """The page about the studies in `results`, as Markdown."""
    sections = [_INTRODUCTION, *breaking_sections(results), *parameter_sections(results)]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    sys.exit(main())
