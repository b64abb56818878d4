"""The admin's theme, in the portal's colours: settings of django-unfold."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "옷장 Otjang",
    "SITE_HEADER": "옷장 Otjang",
    "SITE_SYMBOL": "checkroom",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("icon.svg")}],
    "STYLES": [
        lambda _request: static("css/tokens.css"),
        lambda _request: static("css/fonts.css"),
        lambda _request: static("admin/theme.css"),
    ],
    "SITE_URL": "/",
    "LOGIN": {"form": "accounts.forms.AdminLoginForm"},
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "config.sidebar.sidebar"},
    "COLORS": {
        # the portal's accent, by its tokens
        "primary": {
            "50": "#eef2ff",
            "100": "#dfe5ff",
            "200": "#c4ceff",
            "300": "#b6c3ff",
            "400": "var(--brand-light)",
            "500": "light-dark(#3b52f0, var(--brand-light))",
            "600": "var(--brand)",
            "700": "var(--brand-strong)",
            "800": "#1c2a8f",
            "900": "#1a2570",
            "950": "#141b4d",
        },
    },
}
