"""The look: a gradio theme that is made of the design tokens of `assets/gpr.css`.

The tokens have one value in light and one in dark; all of gradio's own colours refer to them.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).resolve().parents[2] / "assets"

_GROUND, _GROUND_DARK, _TEXT, _TEXT_DARK = "#f6f7f9", "#12151c", "#1a1f2b", "#e7eaf1"
"""The only colours outside of the tokens: the page has them before its style sheet is there."""

_COLOURS = {
    "background_fill_primary": "surface",
    "background_fill_secondary": "sunken",
    "border_color_accent": "accent",
    "border_color_accent_subdued": "line",
    "border_color_primary": "line",
    "body_text_color_subdued": "muted",
    "color_accent_soft": "accent-soft",
    "link_text_color": "accent",
    "link_text_color_active": "accent",
    "link_text_color_hover": "accent",
    "link_text_color_visited": "accent",
    "code_background_fill": "sunken",
    "block_border_color": "line",
    "block_info_text_color": "muted",
    "block_label_background_fill": "surface",
    "block_label_border_color": "line",
    "block_label_text_color": "muted",
    "block_title_text_color": "text",
    "panel_background_fill": "surface",
    "panel_border_color": "line",
    "accordion_text_color": "text",
    "table_text_color": "text",
    "table_border_color": "line",
    "table_even_background_fill": "surface",
    "table_odd_background_fill": "surface",
    "checkbox_background_color": "surface",
    "checkbox_background_color_hover": "surface",
    "checkbox_background_color_focus": "surface",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "edge",
    "checkbox_border_color_hover": "accent",
    "checkbox_border_color_focus": "accent",
    "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "surface",
    "checkbox_label_background_fill_hover": "sunken",
    "checkbox_label_background_fill_selected": "accent-soft",
    "checkbox_label_border_color": "edge",
    "checkbox_label_border_color_hover": "accent",
    "checkbox_label_border_color_selected": "accent",
    "checkbox_label_text_color": "text",
    "checkbox_label_text_color_selected": "text",
    "error_background_fill": "bad-soft",
    "error_border_color": "bad",
    "error_text_color": "bad",
    "error_icon_color": "bad",
    "input_background_fill": "surface",
    "input_background_fill_focus": "surface",
    "input_background_fill_hover": "surface",
    "input_border_color": "edge",
    "input_border_color_focus": "accent",
    "input_border_color_hover": "edge",
    "input_placeholder_color": "muted",
    "loader_color": "accent",
    "slider_color": "accent",
    "button_primary_background_fill": "action",
    "button_primary_background_fill_hover": "action-hover",
    "button_primary_border_color": "action",
    "button_primary_border_color_hover": "action-hover",
    "button_primary_text_color": "on-action",
    "button_primary_text_color_hover": "on-action",
    "button_secondary_background_fill": "surface",
    "button_secondary_background_fill_hover": "sunken",
    "button_secondary_border_color": "edge",
    "button_secondary_border_color_hover": "edge",
    "button_secondary_text_color": "text",
    "button_secondary_text_color_hover": "text",
    "button_cancel_background_fill": "surface",
    "button_cancel_background_fill_hover": "bad-soft",
    "button_cancel_border_color": "bad",
    "button_cancel_border_color_hover": "bad",
    "button_cancel_text_color": "bad",
    "button_cancel_text_color_hover": "bad",
}
"""gradio's name -> token."""

_SHAPES = {
    "block_background_fill": "transparent",
    "block_border_width": "0px",
    "block_label_border_width": "0px",
    "block_padding": "0px",
    "block_radius": "var(--gpr-radius)",
    "block_shadow": "none",
    "block_title_text_size": "var(--gpr-small)",
    "block_title_text_weight": "600",
    "block_info_text_size": "var(--gpr-small)",
    "body_text_size": "var(--gpr-base)",
    "button_large_padding": "9px 18px",
    "button_large_radius": "var(--gpr-radius)",
    "button_large_text_size": "var(--gpr-base)",
    "button_large_text_weight": "600",
    "button_medium_padding": "8px 14px",
    "button_medium_radius": "var(--gpr-radius)",
    "button_medium_text_size": "var(--gpr-base)",
    "button_small_padding": "6px 12px",
    "button_small_radius": "var(--gpr-radius)",
    "button_small_text_size": "var(--gpr-small)",
    "button_border_width": "1px",
    "button_primary_shadow": "none",
    "button_secondary_shadow": "none",
    "checkbox_label_padding": "8px 14px",
    "checkbox_label_shadow": "none",
    "checkbox_shadow": "none",
    "container_radius": "var(--gpr-radius)",
    "form_gap_width": "0px",
    "input_border_width": "1px",
    "input_padding": "9px 12px",
    "input_radius": "var(--gpr-radius)",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 3px var(--gpr-ring)",
    "input_text_size": "var(--gpr-base)",
    "layout_gap": "var(--gpr-4)",
    "panel_border_width": "0px",
    "section_header_text_weight": "600",
}


class _Generic(gr.themes.Font):
    """A font of the system, whose name must stand without quotes. Nothing is fetched."""

    def __str__(self) -> str:
        return self.name


class GPRTheme(gr.themes.Base):
    """The theme of the page."""

    def __init__(self) -> None:
        text = ("system-ui", "-apple-system", "'Segoe UI'", "Roboto", "'Noto Sans'", "'Noto Sans SC'", "sans-serif")
        code = ("ui-monospace", "'SF Mono'", "Menlo", "Consolas", "monospace")
        super().__init__(font=[_Generic(name) for name in text], font_mono=[_Generic(name) for name in code])
        self.name = "gpr"
        values = {name: f"var(--gpr-{token})" for name, token in _COLOURS.items()} | _SHAPES
        # A variable that refers to another one is resolved where it is declared: once for light, once for dark.
        values |= {f"{name}_dark": value for name, value in values.items() if hasattr(self, f"{name}_dark")}
        self.set(
            body_background_fill=_GROUND,
            body_background_fill_dark=_GROUND_DARK,
            body_text_color=_TEXT,
            body_text_color_dark=_TEXT_DARK,
            **values,
        )

    def _get_theme_css(self) -> str:
        """With our own style sheet.

        As `css` of launch() gradio would rewrite its selectors, and the login would not get it; as the theme's
        `custom_css` it would stand in a variable as well.
        """
        return f"{super()._get_theme_css()}\n{(ASSETS / 'gpr.css').read_text(encoding='utf-8')}"


def scripts() -> str:
    """The scripts of the page's head: the keyboard, the language, the map, the address, the start screen, the tour."""
    names = ("keys.js", "language.js", "belief.js", "link.js", "start.js", "tour.js")
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)
