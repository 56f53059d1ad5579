"""Where to start with the learning rate: a range test on your model, your data and any optimizer.

    range_test(model, optimizer, batches, loss)   the test; nothing that you give it is changed
    suggest(sweeps)                               what curves say, and how sure that is
    svg(result, title)                            the picture

`steepest tune` does the same for a task of the race, or one of your own. A suggestion is where to begin, no more: tune
around it, as `steepest race` does.
"""

from steepest.tune.picture import svg as svg
from steepest.tune.range_test import RangeTest as RangeTest
from steepest.tune.range_test import range_test as range_test
from steepest.tune.suggest import Suggestion as Suggestion
from steepest.tune.suggest import Sweep as Sweep
from steepest.tune.suggest import suggest as suggest
