"""Reports to the regulator: read from the store, laid out by a mapping file, written, frozen and called to mind."""
