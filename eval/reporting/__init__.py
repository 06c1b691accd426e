"""Reports of runs: one HTML file that asks nothing of any network, and one Markdown file with its plots."""

from eval.reporting.files import write_report

__all__ = ["write_report"]
