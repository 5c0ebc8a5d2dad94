"""The shared package: contracts, the two ports with their adapters, the catalogue and the command line.

Services import `dam`; `dam` imports no service.
"""
