"""The tiny bundled `demo` model and the sample conversations that it can transcribe.

The model is a genuine Whisper of 2.7 M parameters, made from nothing on synthetic speech by
``python -m tools.demo_model build`` (see tools/demo_model/README.md). It knows the sentences of
its own small grammar, in Brazilian Portuguese and English, and nothing else: it exists so that
every step of the pipeline can be run and tested offline, within seconds, without a download.
"""

from __future__ import annotations

from pathlib import Path

#: Folder that ``faster_whisper.WhisperModel`` loads (INT8 CTranslate2 files).
MODEL_DIR = Path(__file__).parent / "model"
#: Folder of the sample conversations: ``<language>.flac``, ``.txt``, ``.rttm`` and ``.ctm``.
SAMPLES_DIR = Path(__file__).parent / "samples"
#: Languages of the model and of the samples.
LANGUAGES = ("pt", "en")
