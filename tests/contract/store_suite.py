"""The promises of every secret store, inherited by one test class per store.

A subclass gives a `bench` fixture and may add tests of its own, but not redefine these: that is refused when the
class is made. What an emulator does not do is declared in its `gaps`, test name to reason, and becomes a strict
expected failure (`conftest`). The budgets are those that the design counted for each store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from store_crashes import StoreCrashes
from store_moving import StoreMoving
from store_pointing import StorePointing
from store_staging import StoreStaging
from store_surveying import StoreSurveying


class StoreContract(StoreStaging, StoreMoving, StorePointing, StoreSurveying, StoreCrashes):
    """Everything a store promises."""

    # test name to the reason why this emulator cannot show it
    gaps: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = {name for base in cls.__mro__[1:] for name in vars(base) if name.startswith("test_")}
        redefined = sorted(inherited & set(vars(cls)))
        if redefined:
            raise TypeError(f"{cls.__name__} redefines promises that it inherits: {redefined}")
        unknown = [name for name in cls.gaps if not hasattr(cls, name)]
        if unknown:
            raise TypeError(f"{cls.__name__} declares gaps in tests that do not exist: {unknown}")


def promises() -> list[str]:
    """The names of the contract's tests."""
    return [name for name in dir(StoreContract) if name.startswith("test_")]
