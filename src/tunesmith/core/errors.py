"""Every error a user can meet, in one flat tree.

    TunesmithError            anything that Tunesmith says in words                          exit 1
    ├── UserError             the user's input is wrong (also a ValueError)                  exit 2
    │   ├── ConfigError       tunesmith.toml, a flag, an environment variable
    │   ├── DataError         a row, a file, a column
    │   ├── LeakError         a training row also stands in the eval set
    │   ├── SealError         no seal, a broken seal, an eval set that cannot be sealed
    │   └── ModelError        a model that cannot be named, fetched, loaded or rendered
    ├── MissingExtraError        a dependency that an extra brings (also an ImportError)        exit 2
    ├── TrainingError         a run that had to stop: disk full, child died                  exit 1
    │   └── DivergedError     its loss or its gradients are not finite any more
    └── ProviderError         a provider that refuses, fails or cannot be reached            exit 1

A message names what was found, what was expected and the command or change that helps.
A gate that says no is not an error: it is a verdict, and exit code 3.
"""

import difflib


class TunesmithError(Exception):
    exit_code = 1


class UserError(TunesmithError, ValueError):
    exit_code = 2


class ConfigError(UserError):
    pass


class DataError(UserError):
    pass


class LeakError(UserError):
    pass


class SealError(UserError):
    pass


class ModelError(UserError):
    pass


class MissingExtraError(TunesmithError, ImportError):
    exit_code = 2


class TrainingError(TunesmithError, RuntimeError):
    pass


class DivergedError(TrainingError):
    pass


class ProviderError(TunesmithError, RuntimeError):
    pass


def nearest(word: str, known: list[str]) -> str:
    """`" (did you mean 'x'?)"` for the known word nearest to `word`, or an empty string."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""
