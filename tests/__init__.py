"""Tests by package, and acceptance, contract, simulation, security, network and mutation tests beside them."""
