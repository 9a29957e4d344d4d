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
# On a light page, on a dark one.
SHADES = {
    "body_background_fill": ("#faf8f5", "#14130f"),
    "background_fill_primary": ("#ffffff", "#1c1b17"),
    "block_background_fill": ("#ffffff", "#1c1b17"),
    "block_border_color": ("#e3ded6", "#38352e"),
    "input_background_fill": ("#ffffff", "#14130f"),
    "input_border_color": ("#b9b2a6", "#5a554a"),
    "button_primary_background_fill": ("*primary_500", "*primary_500"),
    "button_primary_background_fill_hover": ("*primary_600", "*primary_600"),
    "button_primary_text_color": ("#ffffff", "#ffffff"),
    "button_secondary_background_fill": ("#ffffff", "#26241f"),
    "button_secondary_background_fill_hover": ("#f0ece5", "#322f29"),
    "button_border_width": ("1px", "1px"),
    "button_secondary_border_color": ("#cfc8bc", "#4a463d"),
    "body_text_color": ("#211f1b", "#ece8e0"),
    "body_text_color_subdued": ("#625c52", "#a9a294"),
    "block_label_text_color": ("#625c52", "#b9b2a4"),
    "block_title_text_color": ("#3a362f", "#d8d2c6"),
    "link_text_color": ("#00639b", "#7fbce5"),
}


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
    light = {name: shade for name, (shade, _) in SHADES.items()}
    dark = {f"{name}_dark": shade for name, (_, shade) in SHADES.items()}
    return base.set(block_border_width="1px", block_shadow="none", **light, **dark)
