"""`make crash-full`: functions of the sandbox are killed with SIGKILL at every effect of a run; every run ends well.

Nothing of this ships in a function's zip. The functions reach AWS, stores and targets through proxies of this package,
as their own environment and catalogue say; when the chosen request passes, the process at the other end of its
connection is killed: before the request goes on, or after its answer came back and before anybody hears of it.
Not here: crash points on the model, in one process, which are more (`tests/unit/crash`).
"""
