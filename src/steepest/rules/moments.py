"""Running means of gradients, their correction for starting at zero, and Nesterov's look-ahead: what Adam's family shares."""

from steepest.ops import Value


def running(decay: Value, mean: Value, new: Value) -> Value:
    """The exponential moving average, moved on by one value."""
    return decay * mean + (1 - decay) * new


def unbiased(mean: Value, decay: Value, count: Value) -> Value:
    """Corrected for the zero it began at. Kingma & Ba 2015, arXiv:1412.6980, section 3."""
    return mean / (1 - decay**count)


def looking_ahead(mean: Value, new: Value, decay: Value, count: Value) -> Value:
    """The corrected mean that one more step with the same gradient would give, without a schedule for `decay`.

    Dozat 2016, Incorporating Nesterov Momentum into Adam, Algorithm 2.
    """
    return decay * unbiased(mean, decay, count + 1) + (1 - decay) * unbiased(new, decay, count)
