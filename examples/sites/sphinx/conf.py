"""A Sphinx site with explanations in it."""

project = "Pellucid in Sphinx"
extensions = ["nbsphinx"]
html_theme = "furo"
html_static_path = ["_static"]
html_js_files = [("pellucid/www/tag/pellucid-explainer.js", {"type": "module"})]
nbsphinx_execute = "never"
