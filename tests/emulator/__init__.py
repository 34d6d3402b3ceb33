"""The emulator of Amazon ECS behind the demo and the tests: moto, patched, on a loopback port.

`from emulator.emulator import Emulator` in process, `python -m emulator` from a shell.
Nothing is imported here, so that the command can take over its signals before moto loads.
"""
