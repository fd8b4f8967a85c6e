"""Networks in onnxruntime, on one thread; imported where one is asked for, in a worker."""

from pathlib import Path
from typing import Any

from transcrevai_core.errors import ModelAbsent, ModelError, reason
from transcrevai_core.models.catalogue import locate


def fetched(name: str) -> Path:
    """Return the file of a voice model; raises ModelAbsent where it is not on this computer."""
    if file := locate(name):
        return file
    raise ModelAbsent(
        "The voice model {name} is not on this computer; transcrevai models pull {name} gets it, "
        "and the embedding voice would work without it.",
        name=name,
    )


def session(file: Path, name: str) -> Any:
    """Return the network of a file; raises ModelError with one sentence."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep the largest batch for ever
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each of a dozen reasons
        raise ModelError(
            "{model} cannot be read as an ONNX model ({reason}); a complete .onnx file would "
            "be right.",
            model=name,
            reason=str(reason(error)).strip().rstrip("."),
        ) from None
