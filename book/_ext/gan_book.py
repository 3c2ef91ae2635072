"""Sphinx extension of the book: the table of contents at the top, the labs, launch buttons, an honest cache.

Jupyter Book looks for `_toc.yml` and for pages beside each other only, always draws launch buttons for a
repository of its own, and keeps executed notebooks although the library under them has changed. Each is
mended here.
"""

import hashlib
import importlib.util
import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlencode

import lab_pages
from sphinx.errors import ConfigError

# This page asks for a hub's address and fills in the rest itself.
HUB_FORM = "https://nbgitpuller.readthedocs.io/en/latest/link.html"
STAMP = "gantools.sha256"


def use_top_level_toc(app, config):
    """Read `_toc.yml` above the pages in place of the stub beside them."""
    pages = Path(app.srcdir).resolve()
    toc = pages.parent / "_toc.yml"
    if toc.is_file() and Path(config.external_toc_path or "").resolve() == pages / "_toc.yml":
        config.external_toc_path = str(toc)


def drop_launch_buttons_without_repository(app, config):
    """Without `repository.url` a launch button would lead nowhere, so there is none."""
    options = config.html_theme_options
    if not (options.get("repository_url") or "").strip():
        options.pop("repository_url", None)
        options["launch_buttons"] = {}


def library_hash() -> str:
    """SHA-256 of every source file of the installed gantools; ConfigError if there is none."""
    spec = importlib.util.find_spec("gantools")
    if spec is None:
        raise ConfigError("gantools is not installed here: run `pip install -e '.[book]'` in the repository.")
    digest = hashlib.sha256()
    for folder in spec.submodule_search_locations:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in {".py", ".js", ".css", ".json"}:
                name = path.relative_to(folder).as_posix().encode()
                digest.update(name + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def follow_library(app, config):
    """Drop executed notebooks made with another state of the library, and have every page read again."""
    config.gantools_sha256 = current = library_hash()
    cache = Path(config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")
    stamp = cache / STAMP
    if stamp.is_file() and stamp.read_text() == current:
        return
    if cache.is_dir():
        shutil.rmtree(cache)
    cache.mkdir(parents=True)
    stamp.write_text(current)


def complete_launch_buttons(app, pagename, templatename, context, doctree):
    """Offer JupyterHub even where no hub's address is configured, and of labs nothing but the students' version.

    A repository that holds the labs' sources holds their solutions, so no button leads there from a lab's page.
    """
    groups = context.get("header_buttons", [])
    for group in list(groups):
        if group.get("label") != "launch-buttons":
            continue
        options = app.config.html_theme_options
        if not options["launch_buttons"].get("jupyterhub_url"):
            group["buttons"].append(hub_form_button(options, pagename))
        if pagename.startswith("labs/") and (Path(app.srcdir).parent / "labs" / "source").is_dir():
            groups.remove(group)
        for button in group["buttons"]:
            button["url"] = to_release(button["url"])


def to_release(url: str) -> str:
    """The pages of the labs are copies below book/: where a link to one should lead."""
    return re.sub(r"/book/labs/([\w-]+)\.ipynb", r"/labs/release/\1/\1.ipynb", url)


def drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out Thebe, which nobody uses here and which Jupyter Book loads twice, and thus with an error."""
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind] if "thebe" not in described(asset)]


def described(asset) -> str:
    """The address and the text of a script or a style sheet, in lower case."""
    return f"{asset.filename} {asset.attributes.get('body', '')}".lower()


def hub_form_button(options: dict, pagename: str) -> dict:
    """A JupyterHub button that leads to a form with everything but the hub's address filled in."""
    url = options["repository_url"].rstrip("/")
    query = {
        "repo": url,
        "branch": options.get("repository_branch") or "main",
        "urlpath": f"lab/tree/{url.rsplit('/', 1)[1]}/book/{pagename}.ipynb",
    }
    return {
        "type": "link",
        "text": "JupyterHub",
        "tooltip": "Launch on a JupyterHub of yours",
        "icon": "_static/images/logo_jupyterhub.svg",
        "url": f"{HUB_FORM}?{urlencode(query, safe='/')}",
    }


def setup(app):
    os.environ["TQDM_DISABLE"] = "1"  # for the kernels: a page has no use for progress bars
    app.add_config_value("gantools_sha256", "", "env")  # "env": every page is read again when it changes
    # Before 900, where sphinx-external-toc reads its file.
    for handler in (use_top_level_toc, lab_pages.make_pages, drop_launch_buttons_without_repository, follow_library):
        app.connect("config-inited", handler, priority=100)
    # After 501, where the theme makes its buttons.
    app.connect("html-page-context", complete_launch_buttons, priority=600)
    app.connect("html-page-context", drop_thebe, priority=990)
    app.connect("build-finished", lab_pages.hand_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
