"""A freeze that names a secret which nobody knows is refused before the stack is asked to change anything."""

from __future__ import annotations

import pytest
from command_bench import Command, PutModel
from control_model import Secret

NAME = "payments/postgres"


@pytest.mark.parametrize("arguments", [("freeze", "--for", "1h"), ("unfreeze",)], ids=["freeze", "unfreeze"])
def test_nothing_is_asked_of_the_stack_but_whether_it_knows_them(
    command: Command, model: PutModel, arguments: tuple[str, ...]
) -> None:
    control = model(Secret(NAME, current="v1"))
    assert command(*arguments, NAME, "payments/mysql", "--reason", "x").code == 3
    assert control.asked == ["status"]
