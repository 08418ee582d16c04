"""The command: what people ask of a stack, answered in tables for them and in JSON for programs.

It starts runs and reads how they go, through the control function only; it never touches a store or the ledger. The
sandbox is its second trade: the embedded cloud that stack `local` lives in.
"""
