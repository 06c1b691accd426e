"""How the page looks: Gradio's plainest theme with our colours, and fonts of the reader's own machine."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

STYLE = [Path(__file__).with_name(name) for name in ("style.css", "library.css")]
SCRIPT = Path(__file__).with_name("page.js")

_PAPER = gr.themes.Color(
    c50="#faf9f6",
    c100="#f3f1ec",
    c200="#e4e1da",
    c300="#cfcbc2",
    c400="#a5a199",
    c500="#716d66",
    c600="#57534d",
    c700="#3d3c3a",
    c800="#262728",
    c900="#1b1c1e",
    c950="#131416",
    name="paper",
)
"""Greys with a little warmth, as of paper and ink."""
_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"]


def theme() -> gr.themes.Base:
    """No font is fetched; both colour schemes keep a contrast of 4.5 to 1 or more for text."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue=_PAPER,
        font=_FONTS,
        font_mono=["ui-monospace", "Liberation Mono", "monospace"],
    ).set(
        background_fill_primary="#fdfcfa",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_800",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_600",
        input_border_width="1px",
        input_radius="*radius_md",
        block_label_text_color="*neutral_700",
        block_info_text_color="*neutral_600",
    )
