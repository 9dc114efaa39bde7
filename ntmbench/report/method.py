"""How the report is to be read, in its own words."""

from __future__ import annotations

from ntmbench.evaluation.levels import SOLVED_BELOW
from ntmbench.report.controls import TOLERANCE
from ntmbench.report.outcomes import SOLVED_SEQUENCES

#: What stands above a table, by the table.
INTRODUCTIONS = {
    "summary": "Of wrong bits and loss the mean of the middle half of the seeds (interquartile "
    "mean), of lengths and sequences the median; each with its interval at 95%.",
    "scorecard": "Less is better throughout. Here: the median over seeds (interval or range). Of "
    "tasks without a row no figure was found.",
    "costs": "Medians over runs; time of training alone.",
}

METHOD = [
    "Seeds are the unit of replication: runs that differ in their seed alone are one model here. "
    "Models and tasks are named by the fewest settings that tell them from others of the same "
    "name, without the values that more of these have than any other; their commands have all. All "
    "intervals are at 95%.",
    f"A run has reached a task at the first validation with fewer than {SOLVED_BELOW} wrong bits "
    f"per sequence (on {SOLVED_SEQUENCES} sequences at least), and has solved it if all "
    "validations from some point to the end of a finished training are below that. Its sequences "
    "to solve are counted up to that point. Of validation data every 32 sequences share a length "
    "drawn at random, and the longest need not be among them: a run can have solved a task and yet "
    "make rare mistakes on test data.",
    "Where train.attempts is above 1, training begins anew, from other initial weights and on the "
    "data that follow, while the selected weights make mistakes on the validation data, those "
    "beyond the training lengths included; it ends with the first attempt that makes none. The "
    "sequences of all attempts count, and so do all of them as one run: whether and when it has "
    "solved the task is judged to the end of the last attempt, though the selected weights may be "
    "those of an earlier one. Of the suite's recipes those of the NTM on copy and repeat copy have "
    "attempts, and no others.",
    "The learning rates in the recipes of LSTM and encoder-decoder come from a search of five "
    "rates on every task, on seed 101, judged by the least wrong bits (n-grams: loss) on "
    "validation data: the experiments learning_rates/lstm and learning_rates/seq2seq.",
    "Solved: how many of all runs, and Wilson's interval of their share. Sequences to solve: the "
    "median of the Kaplan-Meier curve. Of an even number of runs it may lie between two of them, where "
    "no run is: then it is said by when one half has solved the task, and from when the other. "
    "Runs that did not solve the task are censored, not dropped: "
    "diverged ones at their budget, others where they ended.",
    "90% (99%) exact to, the effective length: the longest test length up to which 90% (99%) of "
    "the sequences have no wrong bit; the median over the seeds that were tested (of an even "
    "number the lower of the two in the middle) and its bootstrap interval. At the longest test "
    "length both are bounds: longer ones may be exact too.",
    "Wrong bits and loss over the optimum are per sequence, at the longest test length within "
    "training: the interquartile mean over seeds and its bootstrap interval. With 10 seeds such an "
    "interval holds the truth in about 93% of the cases, with 5 in 90%, if the values are spread "
    "out; where half of the seeds or more are at zero and the others far from it, with 5 in 75 to "
    "88%. Equal seeds "
    "give an interval without width; that is no proof that others would be equal too. An "
    "interquartile mean of 0 may leave out seeds that make mistakes: how many are at zero is said "
    "where not all are.",
    "Models are compared on the seeds on which both were tested, by a permutation test of the "
    "paired differences, with Holm's correction for all comparisons of the task; seeds that either "
    "was not tested on are left out. Where a model occurs with several settings and one of them "
    "goes by its bare name, the others are compared with that one alone, and it alone with other "
    "models. Where a p-value is the least that so few pairs can give, it says so: it would be the same "
    "however far apart the models were. Where a score is not finite there is no difference to test, and the models are not "
    "compared. Detectable is the true difference that so many pairs of this spread would find four "
    "times in five after the correction (as Bonferroni).",
    "Validation data (learning curves) have the lengths of training. Of the weights with the "
    "fewest wrong bits there, those are selected that do best on validation data of some longer "
    "lengths too (listed with each task); on n-grams, where wrong bits can not reach zero, those "
    "with the least loss. Up to those lengths, scores over length show no untouched extrapolation. "
    "Test data (scores over length) are never used in training or selection, and are scored with "
    "the selected weights.",
    "Learning curves show the median and the interquartile range over runs, and each run as a thin "
    "line. After its end a finished run counts with its last value, and a diverged one as "
    "infinitely bad; failed and unfinished runs count as far as they came. Scores over length show "
    "the median and the whole range, errors by step the median and the interquartile range.",
    "Wrong bits are thresholded bits that differ; loss bits are cross-entropy. Chance is the best "
    "constant answer, the optimum is the task's oracle. Numbers are never rounded to 0 or to 100%.",
    f"Controls: the oracle must have no wrong bit, but where the optimum itself makes mistakes its "
    f"loss must be within {TOLERANCE:.0%} of the optimum's; the constant must end within {TOLERANCE:.0%} of the best "
    f"constant's loss on validation data; the memoryless network must not be more than "
    f"{TOLERANCE:.0%} below that where the task needs memory. One that diverges fails, and so does "
    "one that finished without what it is judged by.",
    "The scorecard sets medians beside the literature, but where no mistake is claimed the worst "
    "run. It can not tell where our budget ends before theirs, if that is known, was spent and our "
    "figure is not the better one even so, and compares times at equal batch size and about equal "
    "parameters only.",
    "A command repeats a run into results/; a run that is finished there is reported as done, and "
    "rerun=true forces it. A run's name is a link where its folder was there when the report was "
    "written; the link works as long as the report lies beside the runs.",
]
