"""Handing tickets to other ticket stores. Start at contract.py; each kind of store has a module of its own."""
