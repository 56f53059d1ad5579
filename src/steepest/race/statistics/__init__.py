"""From the record of a race to what it says: pure functions of numbers, of trials and of `Race`; no torch, no files.

    values       what trials are worth as numbers; pairs and cells
    intervals    medians and bootstrap intervals, infinities included
    luck         how different a search might have ended
    comparing    paired tests over all pairs of entrants, Holm's correction, ties
    times        time to target by AlgoPerf's rule
    profiles     performance profiles and AlgoPerf's score
    speedups     over a fixed baseline: per task, and as a geometric mean
    sensitivity  to the learning rate, in multiples of each one's own best
    budget       the expected best of k trials
    boundary     best points at the edge of a search space
    costs        divergence, misses, memory, time of a step
    standings    the table
    verdict      two sentences and their limits
    words        numbers in sentences
    audit        the 20 points that a reviewer demands, checked on the record

Needs scipy, of `pip install 'steepest[race]'`.
"""

from steepest.race.statistics.audit import Finding as Finding, audit as audit
from steepest.race.statistics.boundary import Edge as Edge, all_edges as all_edges, edges as edges
from steepest.race.statistics.budget import (
    Budget as Budget,
    budget_curve as budget_curve,
    defaults_metric as defaults_metric,
    race_budget as race_budget,
    steps_budget as steps_budget,
)
from steepest.race.statistics.comparing import (
    Comparison as Comparison,
    between as between,
    compare as compare,
    compare_finals as compare_finals,
    holm as holm,
    tied_with as tied_with,
)
from steepest.race.statistics.costs import Costs as Costs, Rate as Rate, costs as costs, step_ratio as step_ratio
from steepest.race.statistics.intervals import (
    Interval as Interval,
    grouped_median_interval as grouped_median_interval,
    mean_interval as mean_interval,
    median as median,
    median_interval as median_interval,
)
from steepest.race.statistics.luck import lucks as lucks, search_luck as search_luck
from steepest.race.statistics.profiles import (
    TAUS as TAUS,
    Profile as Profile,
    profile as profile,
    profiles as profiles,
    ratios as ratios,
    score as score,
    scores as scores,
    with_variants as with_variants,
)
from steepest.race.statistics.sensitivity import Point as Point, Sensitivity as Sensitivity, sensitivity as sensitivity
from steepest.race.statistics.speedups import (
    Overall as Overall,
    SpeedUp as SpeedUp,
    geometric_mean as geometric_mean,
    overall as overall,
    speedups as speedups,
)
from steepest.race.statistics.standings import Standing as Standing, final_intervals as final_intervals, standings as standings
from steepest.race.statistics.times import (
    MEASURES as MEASURES,
    Measure as Measure,
    time_interval as time_interval,
    time_to_target as time_to_target,
    times_to_target as times_to_target,
    trial_times as trial_times,
)
from steepest.race.statistics.values import cost as cost, final_costs as final_costs, relative as relative
from steepest.race.statistics.verdict import Verdict as Verdict, verdict as verdict
