"""Voice vectors from neural networks: any ONNX speaker model, and the encoder of resemblyzer.

Both come with extras, and nothing of theirs is imported before it is asked for.
"""

import contextlib
import importlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from transcrevai_core.diarization.embeddings import hub, onnx
from transcrevai_core.diarization.embeddings.features import FRAME_STEP, Read, level
from transcrevai_core.diarization.embeddings.windows import frames_of, in_batches, with_samples
from transcrevai_core.errors import ModelError, SettingError
from transcrevai_core.types import SAMPLE_RATE, Region

_BATCH = 2  # windows: a ResNet keeps 60 MB of each, and more are no faster on one thread
_GE2E_BATCH = 64  # a small network, which gains from more
_MEL_BINS = 80  # where the model does not say
_QUIET = 10 ** (-30 / 20)  # level, as a share of full scale, that resemblyzer raises sound to


class OnnxEmbedding:
    """The vectors of an ONNX speaker model: WeSpeaker, CAM++, 3D-Speaker, ECAPA, TitaNet.

    `model` is the path of an .onnx file or a Hugging Face id (see `hub.fetch`). The shapes of its
    inputs say which features it needs: (batch, frames, bins) is Kaldi's filter bank minus its mean
    over the window, as WeSpeaker and 3D-Speaker have it; (batch, bins, frames) NVIDIA NeMo's, each
    bin z-scored; (batch, samples) or (batch, 1, samples) sound in -1 to 1. A second input is taken
    to be the lengths. Metadata as sherpa-onnx writes it (https://github.com/k2-fsa/sherpa-onnx)
    overrules this. Raises SettingError or ModelError with one sentence.
    """

    window = 1.5
    hop = 0.5
    between: np.ndarray | None = None

    def __init__(self, model: str) -> None:
        self.name = model
        self._session = onnx.session(hub.fetch(model), model)
        self._read_inputs()

    def _read_inputs(self) -> None:
        """Read from inputs, outputs and metadata which features the model needs."""
        metadata = self._session.get_modelmeta().custom_metadata_map
        rate = metadata.get("sample_rate", "")
        if rate not in ("", str(SAMPLE_RATE)):
            raise SettingError(
                "{model} hears sound of {rate} Hz; a model for {right} Hz would be right.",
                model=self.name, rate=rate, right=SAMPLE_RATE,
            )  # fmt: skip
        sound, *others = self._session.get_inputs()
        shape = [size if isinstance(size, int) else None for size in sound.shape]
        nemo = metadata.get("framework") == "nemo"
        self._length = others[0] if others else None
        self._channel = len(shape) == 3 and shape[1] == 1
        self._waves = len(shape) == 2 or self._channel
        self._batch = shape[0] or _BATCH if shape else 0
        length_type = self._length.type if self._length else ""
        # where the bins are: the model says their number, or asks for lengths as NeMo's do
        middle, end = (shape[1], shape[2]) if len(shape) == 3 else (None, None)
        self._transposed = not self._waves and (
            nemo
            or (end is None and (middle is not None or length_type == "tensor(int64)"))
            or (middle == _MEL_BINS != end)
        )
        if (
            sound.type != "tensor(float)"
            or len(shape) not in (2, 3)
            or len(others) > 1
            or length_type not in ("", "tensor(int64)", "tensor(float)")
        ):
            raise SettingError(
                "{model} has the inputs {inputs}; a float (batch, frames, {bins}), (batch, {bins}, "
                "frames) or (batch, samples) would be right, with lengths at most.",
                model=self.name,
                inputs=", ".join(f"{i.name} {i.type} {list(i.shape)}" for i in (sound, *others)),
                bins=_MEL_BINS,
            )
        # frames or samples, where the model takes windows of one length only
        self._fixed = shape[-1] if self._waves or self._transposed else middle
        self._normal = metadata.get(
            "feature_normalize_type", "per_feature" if self._transposed else "global-mean"
        )
        if not self._waves:
            bins = middle if self._transposed else end
            self._fbank = filter_bank(
                bins or int(metadata.get("feat_dim", _MEL_BINS)),
                nemo=self._transposed,
                window=metadata.get("window_type", "hann" if self._transposed else "povey"),
                whole=metadata.get("normalize_samples", "0") == "0" and not self._transposed,
                name=self.name,
            )
        outputs = self._session.get_outputs()
        named = [out.name for out in outputs if "emb" in out.name.lower()]
        self._output = (named or [outputs[-1].name])[0]  # NeMo's first one is of classes

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """See `Embedding`; as many dimensions as the model has."""
        found = []
        for samples, spans in with_samples(read, windows):
            if self._waves:
                pieces = [samples[a:b] for a, b in spans]
            else:
                frames = self._fbank(samples)
                pieces = [self._normalised(frames[frames_of(a, b)]) for a, b in spans]
            if self._fixed:
                pieces = [np.resize(piece, (self._fixed, *piece.shape[1:])) for piece in pieces]
            found.append(in_batches(pieces, self._run, self._batch))
        return np.concatenate(found)

    def _normalised(self, frames: np.ndarray) -> np.ndarray:
        if self._normal:
            frames = frames - frames.mean(axis=0)
        if self._normal == "per_feature":
            frames = frames / (frames.std(axis=0) + 1e-5)
        return frames

    def _run(self, batch: np.ndarray) -> np.ndarray:
        length = batch.shape[1]
        if self._transposed:
            batch = batch.transpose(0, 2, 1)  # (batch, bins, frames)
        if self._channel:
            batch = batch[:, None]  # (batch, 1, samples)
        sound, *_ = self._session.get_inputs()
        feed = {sound.name: np.ascontiguousarray(batch, np.float32)}
        if self._length is not None:  # frames, or SpeechBrain's shares of the longest
            counted = self._length.type == "tensor(int64)"
            feed[self._length.name] = np.full(
                len(batch), length if counted else 1.0, np.int64 if counted else np.float32
            )
        try:
            (vectors,) = self._session.run([self._output], feed)
        except Exception as error:
            raise ModelError(
                "{model} refuses windows of shape {shape} ({reason}); a speaker model for windows "
                "of any length would be right.",
                model=self.name, shape=str(batch.shape), reason=_reason(error),
            ) from None  # fmt: skip
        vectors = np.asarray(vectors, np.float32).reshape(len(batch), -1)
        if not np.isfinite(vectors).all():
            raise ModelError(
                "{model} gives vectors that are not numbers; a whole model would be right.",
                model=self.name,
            )
        return vectors


class ResemblyzerEmbedding:
    """GE2E vectors (Wan et al. 2018, arXiv:1710.10467) by the encoder in resemblyzer's wheel.

    Raises SettingError with one sentence where the extra is missing. Mel spectra are
    resemblyzer's own: 40 bins, 25 ms every 10 ms, no logarithm.
    """

    name = "resemblyzer"
    window = 1.5
    hop = 0.25
    between: np.ndarray | None = None

    def __init__(self) -> None:
        with warnings.catch_warnings():  # its dependencies use what will be removed one day
            warnings.simplefilter("ignore")
            resemblyzer = _import_extra("resemblyzer", "resemblyzer", "resemblyzer")
            self._torch = _import_extra("torch", "resemblyzer", "resemblyzer")
            self._torch.set_num_threads(1)
            self._encoder = resemblyzer.VoiceEncoder("cpu", verbose=False).eval()
        self._spectrum = resemblyzer.wav_to_mel_spectrogram

    def embed(self, read: Read, regions: Sequence[Region], windows: np.ndarray) -> np.ndarray:
        """See `Embedding`; 256 dimensions, none below 0, length 1."""
        louder = max(1.0, _QUIET / max(level(read, regions), 1e-6))
        found = []
        for samples, spans in with_samples(read, windows):
            mels = self._spectrum(samples * np.float32(louder))  # (frames, 40), one a step
            pieces = [mels[a // FRAME_STEP : max(b // FRAME_STEP, 1)] for a, b in spans]
            found.append(in_batches(pieces, self._run, _GE2E_BATCH))
        return np.concatenate(found)

    def _run(self, batch: np.ndarray) -> np.ndarray:
        with self._torch.inference_mode():
            vectors = self._encoder(self._torch.from_numpy(batch)).numpy()
        # digital silence has a vector of zeros, and no direction
        found: np.ndarray = np.nan_to_num(vectors)
        return found


def filter_bank(
    bins: int, *, nemo: bool, window: str, whole: bool, name: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Return what turns samples, float32 in -1 to 1, into log filter energies, (frames, bins).

    No dither; a frame of 25 ms every 10 ms that lies whole in the samples. `whole` scales
    samples to 16 bits first, as Kaldi has them; `nemo` has librosa's filters from 0 Hz on.
    """
    knf = _import_extra("kaldi_native_fbank", "onnx", name)
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = window
    options.mel_opts.num_bins = bins
    if nemo:
        options.frame_opts.remove_dc_offset = False
        options.mel_opts.low_freq = 0.0
        options.mel_opts.is_librosa = True

    def energies(samples: np.ndarray) -> np.ndarray:
        bank = knf.OnlineFbank(options)
        bank.accept_waveform(SAMPLE_RATE, samples * np.float32(32768.0 if whole else 1.0))
        bank.input_finished()
        return np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])

    return energies


def _import_extra(module: str, extra: str, name: str) -> Any:
    """Import a module that comes with an extra; raises SettingError with one sentence."""
    try:
        with contextlib.redirect_stdout(None):
            return importlib.import_module(module)
    except ImportError as error:
        raise SettingError(
            "The embedding {name} needs `pip install transcrevai[{extra}]` ({reason}).",
            name=name, extra=extra, reason=_reason(error),
        ) from None  # fmt: skip


def _reason(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
