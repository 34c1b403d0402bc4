"""Templates of pages: whatever one prints is escaped, after `visible` has named the characters that hide or mislead.

Imported by what renders a page alone, since it loads jinja2.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tunesmith.core import markup, units


def template(package: str, name: str, **filters: Callable[..., Any]) -> Template:
    """The template `name` beside the modules of `package`, with `filters` of its own."""
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: markup.visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(breakable=markup.breakable, prose=markup.prose, count=units.count, percent=units.share)
    environment.filters.update(filters)
    return environment.get_template(name)
