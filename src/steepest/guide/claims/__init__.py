"""The textbook's claims about optimizers, each tested: hypothesis, design, data, verdict, interval.

    catalogue    the claims as data, written down before anything was run
    experiments  the races that they are read from; tasks and optimizers: what those train, and with what
    record       what a race has measured, as the measures read it
    measures     from runs to the values of one figure; estimate: its mean and interval
    verdict      the fixed rule
    judging      from claim and record to verdict; the verdicts that are shipped
    running      runs the experiments again
    text         what is printed; command: `steepest claims`

>>> from steepest.guide.claims import verdicts
>>> verdicts()[0].id
'adam-fast-early'
"""

from steepest.guide.claims.judging import verdicts as verdicts
from steepest.guide.claims.slips import SLIPS as SLIPS
from steepest.guide.claims.slips import Slip as Slip
from steepest.guide.claims.verdict import Beside as Beside
from steepest.guide.claims.verdict import Verdict as Verdict
