"""Configuration of the documentation, built by ``make docs``.

The build does not use the network: no remote images and no downloads. Links to the documentation of
other projects need their inventories, which Sphinx downloads only if `DOCS_INTERSPHINX=1` is set.
"""

import os

import matplotlib as mpl

import skimgcls

mpl.use("Agg")

project = "skimgcls"
author = "skimgcls developers"
project_copyright = "2026, skimgcls developers"
version = release = skimgcls.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "benchmarks_table.rst", "changelog"]
default_role = "literal"

# Optional, because a failed download is a warning and `make docs` treats warnings as errors.
intersphinx_mapping = {
    "numpy": ("https://numpy.org/doc/stable", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "python": ("https://docs.python.org/3", None),
    "skorch": ("https://skorch.readthedocs.io/en/stable", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
    "torch": ("https://docs.pytorch.org/docs/stable", None),
}
if os.environ.get("DOCS_INTERSPHINX") == "1":
    extensions.append("sphinx.ext.intersphinx")

autosummary_generate = True
# numpydoc renders Parameters and Attributes; the class template lists the methods.
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Show defaults in signatures as they are written in the source.
autodoc_preserve_defaults = True
autodoc_typehints = "none"

# All other references must resolve.
nitpick_ignore_regex = [
    # Other projects cannot be resolved without intersphinx, nor private names with it.
    (r"py:.*", r"(sklearn|skorch|torch|numpy|pandas|imblearn)\..*"),
    # numpydoc links attributes that are properties; they have no page, only an entry in the list.
    (r"py:obj", r"\w+_"),
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "backreferences_dir": None,
    "download_all_examples": False,
    "plot_gallery": "True",
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}

# The page contents list methods without the name of the class.
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = f"skimgcls {release}"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "use_edit_page_button": False,
}
# Pages without subpages need no navigation sidebar.
html_sidebars = {page: [] for page in ("index", "install", "benchmarks", "whats_new")}
