"""How the Space looks: a theme without a font from elsewhere, and its style sheet."""

from pathlib import Path

import gradio as gr

STYLE = Path(__file__).with_name("style.css")
SCRIPT = Path(__file__).with_name("page.js")
SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
BLUE = gr.themes.Color(
    name="notclip",
    c50="#eef6fc",
    c100="#d9ebf8",
    c200="#b3d7f0",
    c300="#7fbce5",
    c400="#4a9fd8",
    c500="#0072b2",
    c600="#00639b",
    c700="#005282",
    c800="#024368",
    c900="#06344f",
    c950="#041f30",
)


def theme() -> gr.themes.Base:
    """Okabe and Ito's blue on warm white, or on near black; NotCLIP's figures use the same colours."""
    base = gr.themes.Base(
        primary_hue=BLUE,
        secondary_hue=BLUE,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        font=list(SANS),
        font_mono=list(MONO),
    )
    return base.set(
        body_background_fill="#faf8f5",
        body_background_fill_dark="#14130f",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1c1b17",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1c1b17",
        block_border_width="1px",
        block_border_color="#e3ded6",
        block_border_color_dark="#38352e",
        block_shadow="none",
        input_background_fill="#ffffff",
        input_background_fill_dark="#14130f",
        input_border_color="#b9b2a6",
        input_border_color_dark="#5a554a",
        button_primary_background_fill="*primary_500",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f0ece5",
        button_secondary_background_fill_dark="#26241f",
        button_secondary_background_fill_hover_dark="#322f29",
        button_border_width="1px",
        button_border_width_dark="1px",
        button_secondary_border_color="#cfc8bc",
        button_secondary_border_color_dark="#4a463d",
        body_text_color="#211f1b",
        body_text_color_dark="#ece8e0",
        body_text_color_subdued="#625c52",
        body_text_color_subdued_dark="#a9a294",
        block_label_text_color="#625c52",
        block_label_text_color_dark="#b9b2a4",
        block_title_text_color="#3a362f",
        block_title_text_color_dark="#d8d2c6",
        link_text_color="#00639b",
        link_text_color_dark="#7fbce5",
    )
