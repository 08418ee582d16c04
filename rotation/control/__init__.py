"""What the control function does: claim and record for the machines, and the verbs of people.

`desk` holds what it works with, `claims` and `records` are the phases it runs, `verbs` what people ask for.
"""
