"""Settings that change nothing beside the others, and why, said below each."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from transcrevai_core import ui
from transcrevai_core.i18n import _
from transcrevai_core.tuning import parameters


class IdleNotes:
    """Places below the settings of speakers, filled once it is known what all of them are."""

    def __init__(self) -> None:
        self._places: dict[str, DeltaGenerator] = {}

    def below(self, name: str) -> None:
        """Keep a place below a setting that has just been drawn."""
        self._places[name] = st.container()

    def tell(self, values: Mapping[str, Any]) -> None:
        """Say which of the settings that were drawn have no effect; `values` are all settings."""
        for name, reason in parameters.idle(values).items():
            if name in self._places:
                said = _("No effect: {reason}.", reason=ui.say(reason))
                self._places[name].caption(f":material/info: {said}")
