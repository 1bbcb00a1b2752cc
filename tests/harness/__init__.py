"""A real Aduan for tests: the real gateway and the real simulator on loopback, in one temporary folder."""

from harness.installation import Aduan, free_ports, start_aduan, until, write_config

__all__ = ["Aduan", "free_ports", "start_aduan", "until", "write_config"]
