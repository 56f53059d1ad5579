"""Everything that Steepest raises on purpose.

    SteepestError
    ├── HyperparameterError   (ValueError)    a setting that cannot be: lr=-1, betas=(1.0, 0.999)
    ├── TraceError            (TypeError)     a rule that cannot be turned into a kernel
    ├── TensorError           (ValueError)    a parameter or gradient that cannot be stepped
    ├── StateError            (ValueError)    a checkpoint that does not fit the optimizer
    ├── UnknownOptimizer      (LookupError)   a name that is not registered
    ├── TaskError             (ValueError)    a task of a race that is unknown or cannot be trained
    ├── GuideError            (ValueError)    a question to the guide that cannot be, or facts that do not hold together
    ├── MissingExtra          (ImportError)   a part of Steepest whose packages are not installed
    ├── TuneError             (ValueError)    a learning rate cannot be looked for in this way
    ├── ClaimError            (LookupError)   a claim that is not among those tested, or whose verdict is missing
    └── RaceError                             a race cannot start or go on: its arguments, its record, its storage

Each one is raised before anything has been changed, and says what came, why it cannot be and what to
type instead. Each also derives from the built-in error that a user of PyTorch would have caught.
"""


class SteepestError(Exception):
    """The root of every error that Steepest raises on purpose."""


class HyperparameterError(SteepestError, ValueError):
    """A hyperparameter has a value or a type that the rule cannot use.

    Where one field of one transform is to blame, `field` is its name, `value` what it was given and `why` what
    is wrong with it: a face says the same with its framework's name of the argument.
    """

    def __init__(self, message: str, field: str = "", value: object = None, why: str = "") -> None:
        super().__init__(message)
        self.field, self.value, self.why = field, value, why


class TraceError(SteepestError, TypeError):
    """A rule does something to a value that has no meaning inside a kernel."""


class TensorError(SteepestError, ValueError):
    """A parameter or a gradient cannot be stepped: sparse, overlapping, of another shape or dtype."""


class StateError(SteepestError, ValueError):
    """A checkpoint does not fit: other groups, other shapes, state that is missing or too much."""


class UnknownOptimizer(SteepestError, LookupError):
    """No optimizer is registered under the name that was asked for."""


class TaskError(SteepestError, ValueError):
    """A task of a race is unknown, or cannot be trained as it is."""


class GuideError(SteepestError, ValueError):
    """A question to the guide contradicts itself or cannot be, or facts do not hold together."""


class MissingExtra(SteepestError, ImportError):
    """A part of Steepest needs packages that the base installation leaves out."""


class TuneError(SteepestError, ValueError):
    """A learning rate cannot be looked for in this way."""


class ClaimError(SteepestError, LookupError):
    """A claim is not among those that are tested, or its verdict or record is not there."""


class RaceError(SteepestError):
    """A race cannot start or go on: its arguments, its record, its storage or its disk."""
