"""The schema of the store, one file per change; applied by `Store.open`."""
