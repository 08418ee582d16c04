"""The ledger: claims, write-ahead intents, outcomes and history, as rows of one table.

`rows` is the narrow table it needs, `dynamo` that table on DynamoDB, `memory` the same in a process;
`ledger` gives the rows their meaning.
"""
