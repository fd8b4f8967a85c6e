"""Who speaks when: speech regions -> windows -> voice vectors -> clusters -> turns.

Everything here is numpy and scipy on one thread; `pipeline.diarize` runs the steps.
"""
