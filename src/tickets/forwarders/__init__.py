"""Handing tickets to other ticket stores. Start at contract.py.

Each kind of store has two modules: `<kind>_settings.py` with a `TargetSettings` whose `kind` is a Literal
(`RequestTrackerSettings`), and `<kind>.py` with the forwarder, made as `RequestTracker(settings, call, now)`: `call` is
a `tickets.forwarders.http.Call`, `now` gives the time in UTC. `gateway.forward_targets` names them all.
"""
