"""Finds every provider that can be pretended: the modules of this package that end with `SERVICE = Service(...)`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

import simulator
from simulator.place import Account, Ports, Provider, Service


def services() -> list[Service]:
    """Every service, by the names of their modules."""
    names = sorted(each.name for each in pkgutil.iter_modules(simulator.__path__))
    modules = (importlib.import_module(f"simulator.{name}") for name in names)
    return [service for module in modules if isinstance(service := getattr(module, "SERVICE", None), Service)]


def providers(accounts: Sequence[Account], ports: Ports | None = None) -> list[Provider]:
    """A pretended provider for every account whose kind is known here, in their order; the others need none."""
    service_of = {kind: service for service in services() for kind in service.kinds}
    groups: dict[int, tuple[Service, list[Account]]] = {}
    for account in accounts:
        if (service := service_of.get(account.kind)) is not None:
            groups.setdefault(id(service), (service, []))[1].append(account)
    return [one for service, mine in groups.values() for one in service.providers(mine, ports or Ports())]
