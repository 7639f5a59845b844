"""Tests of the providers, over fake transports."""
