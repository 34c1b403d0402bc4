"""What pyproject.toml cannot say: the sample projects of examples/ travel inside the package, as tunesmith/examples."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

EXAMPLES = Path(__file__).parent / "examples"


class BuildWithExamples(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # an editable install finds them in the checkout
            target = Path(self.build_lib) / "tunesmith" / "examples"
            ignore = shutil.ignore_patterns(".tunesmith", "__pycache__", "split")
            shutil.copytree(EXAMPLES, target, ignore=ignore, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithExamples})
