"""How fast Aduan is: ratios to a baseline measured in the same run. `python -m bench` runs everything."""
