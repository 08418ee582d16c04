"""The runtime that ships to the functions: contracts, steps, ledger, adapters. Never imports pulumi or the sandbox."""
