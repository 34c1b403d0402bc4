"""The file that `accelerate config` writes → how a run's processes are started. Without torch.

What would change the run without a word is refused: mixed precision (Tunesmith chooses the base's), compilation, other
engines. accelerate's own launcher then reads the same file.
"""

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from tunesmith.core.errors import ConfigError, MissingExtraError, nearest
from tunesmith.core.record import Record

LAUNCHED = "TUNESMITH_LAUNCHED_BY"  # the process that waits for the run
MAKE = "Make the file with `accelerate config --config_file accelerate.yaml`, or mend that key."
KINDS = ("MULTI_CPU", "MULTI_GPU", "FSDP")
INERT = {  # without effect on what is trained, or for other machines and left empty
    "compute_environment", "debug", "downcast_bf16", "enable_cpu_affinity", "gpu_ids", "ipex_config",
    "main_training_function", "rdzv_backend", "same_network", "tpu_env", "tpu_name", "tpu_zone", "tpu_use_cluster",
    "tpu_use_sudo", "command_file", "commands", "tpu_vm",
}  # fmt: skip
REFUSED = {
    "deepspeed_config": "DeepSpeed is not wired; a model that no GPU holds is spread by distributed_type: FSDP",
    "megatron_lm_config": "Megatron-LM is not wired; a model that no GPU holds is spread by distributed_type: FSDP",
    "parallelism_config": "tensor and context parallelism are not wired",
    "dynamo_config": "compilation would replace the attention that shares prefixes",
    "dynamo_backend": "compilation would replace the attention that shares prefixes",
    "fp8_config": "8-bit products would change the gradients",
    "mpirun_config": "processes are started by torch, not by MPI: answer no to `mpirun` in `accelerate config`",
}


class Spread(Record):
    """`fsdp_config`, as far as it decides anything here; other keys are about what FSDP does not do for an adapter."""

    fsdp_version: Literal[2]
    fsdp_reshard_after_forward: bool = True
    fsdp_offload_params: bool = False
    fsdp_cpu_ram_efficient_loading: Literal[False] = False
    fsdp_activation_checkpointing: Literal[False] = False
    fsdp_auto_wrap_policy: Literal["TRANSFORMER_BASED_WRAP"] = "TRANSFORMER_BASED_WRAP"
    fsdp_state_dict_type: str | None = None
    fsdp_transformer_layer_cls_to_wrap: None = None


class Launch(Record):
    """Which processes train together, and which of them are this machine's."""

    file: Path
    distributed_type: Literal["MULTI_CPU", "MULTI_GPU", "FSDP"]
    num_processes: int = Field(ge=2)
    num_machines: int = Field(default=1, ge=1)
    machine_rank: int = Field(default=0, ge=0)
    main_process_ip: str | None = None
    main_process_port: int | None = Field(default=None, ge=0, le=65535)
    mixed_precision: Literal["no", "bf16"] = "no"
    use_cpu: bool = False
    fsdp_config: Spread | None = None

    @property
    def on_cpu(self) -> bool:
        return self.use_cpu or self.distributed_type == "MULTI_CPU"

    def command(self, folder: Path, *given: str) -> list[str]:
        """accelerate's launcher on this file, for the run in `folder`."""
        options = ["--config_file", str(self.file)]
        if self.distributed_type == "MULTI_CPU":  # accelerate has MPI start these; its other launcher is torch's
            options.append("--multi_gpu")
        if self.num_machines == 1 and self.main_process_port is None:
            options += ["--main_process_port", "0"]  # a free one, so that two runs on one machine do not meet
        module = ["-m", "tunesmith.training", str(folder), *given]
        return [sys.executable, "-m", "accelerate.commands.launch", *options, *module]

    def environment(self) -> dict[str, str]:
        return {LAUNCHED: str(os.getpid()), "ACCELERATE_USE_CPU": str(self.on_cpu).lower()}


def read_launch(path: Path) -> Launch:
    """Raises ConfigError, which names file and key, what was expected and what was found."""
    values = _read(path)
    compute = values.get("compute_environment", "LOCAL_MACHINE")
    if compute != "LOCAL_MACHINE":
        raise _fault(path, "compute_environment", "LOCAL_MACHINE, on each machine that takes part", compute)
    for key, why in REFUSED.items():
        if values.get(key) not in (None, {}, "", "NO", "no"):
            raise ConfigError(f"{path}: {key} is set, but {why}. Take it out.")
    known = (set(Launch.model_fields) - {"file"}) | INERT | set(REFUSED)
    if odd := [key for key in values if key not in known]:
        raise ConfigError(f"{path}: unknown key {odd[0]}{nearest(str(odd[0]), sorted(known))}. {MAKE}")
    _refuse_kind(path, values)
    given = {key: value for key, value in values.items() if key in Launch.model_fields and value is not None}
    try:
        launch = Launch(**given, file=path.resolve())
    except ValidationError as error:
        raise _invalid(path, error) from None
    _refuse_machines(path, launch)
    return launch


def _read(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError('--launch FILE needs accelerate. Install it: pip install "tunesmith[train]"') from None
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"--launch {path}: there is no such file. Name the file of `accelerate config --config_file "
            "accelerate.yaml`, or one of: sky, modal."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: this is no YAML. {MAKE}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected the keys of `accelerate config`, found {_shown(values)}. {MAKE}")
    return values


def _refuse_kind(path: Path, values: dict[str, Any]) -> None:
    kind, spread = values.get("distributed_type"), values.get("fsdp_config")
    if kind == "NO" or values.get("num_processes") == 1:
        raise ConfigError(
            f"{path}: one process alone needs no --launch. Run `tunesmith train`, or raise num_processes and set "
            "distributed_type."
        )
    if kind not in KINDS:
        raise _fault(path, "distributed_type", ", ".join(KINDS[:-1]) + f" or {KINDS[-1]}", kind)
    if kind == "FSDP" and not isinstance(spread, dict):
        raise _fault(path, "fsdp_config", "its settings, with fsdp_version: 2", spread)
    if kind != "FSDP" and spread:
        raise _fault(path, "distributed_type", "FSDP, since fsdp_config is set", kind)


def _refuse_machines(path: Path, launch: Launch) -> None:
    if launch.num_processes % launch.num_machines:
        raise _fault(path, "num_processes", f"a multiple of num_machines ({launch.num_machines})", launch.num_processes)
    if launch.machine_rank >= launch.num_machines:
        expected = f"this machine's number, 0 to {launch.num_machines - 1}"
        raise _fault(path, "machine_rank", expected, launch.machine_rank)
    if launch.num_machines > 1 and not launch.main_process_ip:
        raise _fault(path, "main_process_ip", "the address of the machine whose machine_rank is 0", None)
    if launch.num_machines > 1 and not launch.main_process_port:
        raise _fault(path, "main_process_port", "a port of that machine that the others reach", None)


def _invalid(path: Path, error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = list(Spread.model_fields)
        return ConfigError(f"{path}: unknown key {key}{nearest(str(first['loc'][-1]), known)}. {MAKE}")
    if first["type"] == "missing":
        return _fault(path, key, "a value", None)
    return _fault(path, key, first["msg"].removeprefix("Input should be "), first["input"])


def _fault(path: Path, key: str, expected: str, found: Any) -> ConfigError:
    return ConfigError(f"{path}: {key}: expected {expected}; found {_shown(found)}. {MAKE}")


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)
