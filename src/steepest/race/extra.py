"""The packages that a race needs beyond the base installation."""

from types import TracebackType

from steepest.errors import MissingExtra

_PACKAGES = {"torch", "sklearn", "scipy", "plotly", "rich", "optuna", "sqlalchemy", "pyarrow"}


class NeedsExtra:
    """Turns a missing package into a message to type: `with NeedsExtra(): import plotly`."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Raise MissingExtra if an import of one of our packages failed; let every other error pass."""
        package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
        if package in _PACKAGES:
            raise MissingExtra(f"The race needs {package}, which is not installed: pip install 'steepest[race]'") from error
