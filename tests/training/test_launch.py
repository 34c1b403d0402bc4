"""The file of `accelerate config`: what is read, and what is refused with file, key, expectation and finding."""

from pathlib import Path

import pytest
import yaml

from tunesmith.core.errors import ConfigError
from tunesmith.training.launch import read_launch

CPU = {  # word for word what `accelerate config` writes for two processes on a processor
    "compute_environment": "LOCAL_MACHINE",
    "debug": False,
    "distributed_type": "MULTI_CPU",
    "downcast_bf16": "no",
    "enable_cpu_affinity": False,
    "machine_rank": 0,
    "main_training_function": "main",
    "mixed_precision": "no",
    "num_machines": 1,
    "num_processes": 2,
    "rdzv_backend": "static",
    "same_network": True,
    "tpu_env": [],
    "tpu_use_cluster": False,
    "tpu_use_sudo": False,
    "use_cpu": True,
}
SPREAD = {
    "fsdp_version": 2,
    "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
    "fsdp_cpu_ram_efficient_loading": False,
    "fsdp_offload_params": False,
    "fsdp_reshard_after_forward": True,
    "fsdp_state_dict_type": "SHARDED_STATE_DICT",
    "fsdp_activation_checkpointing": False,
}
MACHINES = {"num_machines": 2, "main_process_ip": "10.0.0.1", "main_process_port": 29500}


def write(folder: Path, **changes) -> Path:
    path = folder / "accelerate.yaml"
    kept = {key: value for key, value in (CPU | changes).items() if value is not ...}
    path.write_text(yaml.safe_dump(kept), encoding="utf-8")
    return path


def test_processes_on_a_processor_are_started_by_torch_s_launcher(tmp_path):
    launch = read_launch(write(tmp_path))
    command = launch.command(tmp_path / "run", "--show-masks=0")
    assert command[1:5] == ["-m", "accelerate.commands.launch", "--config_file", str(tmp_path / "accelerate.yaml")]
    assert command[5:] == [
        *["--multi_gpu", "--main_process_port", "0"],
        *["-m", "tunesmith.training", str(tmp_path / "run"), "--show-masks=0"],
    ]
    assert launch.environment()["ACCELERATE_USE_CPU"] == "true"


def test_gpus_and_machines_are_taken_as_the_file_has_them(tmp_path):
    launch = read_launch(write(tmp_path, distributed_type="MULTI_GPU", use_cpu=False, gpu_ids="all", **MACHINES))
    assert launch.command(tmp_path)[5:] == ["-m", "tunesmith.training", str(tmp_path)]
    assert launch.environment()["ACCELERATE_USE_CPU"] == "false"
    spread = read_launch(write(tmp_path, distributed_type="FSDP", use_cpu=False, fsdp_config=SPREAD))
    assert spread.fsdp_config.fsdp_reshard_after_forward


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_processes": 1}, "one process alone needs no --launch"),
        ({"distributed_type": "NO"}, "one process alone needs no --launch"),
        (
            {"distributed_type": "DEEPSPEED"},
            "distributed_type: expected MULTI_CPU, MULTI_GPU or FSDP; found 'DEEPSPEED'",
        ),
        ({"distributed_type": ...}, "distributed_type: expected MULTI_CPU, MULTI_GPU or FSDP; found nothing"),
        ({"num_processes": ...}, "num_processes: expected a value; found nothing"),
        ({"num_processes": "many"}, "num_processes: expected a valid integer"),
        ({"num_proceses": 2}, "unknown key num_proceses (did you mean 'num_processes'?)"),
        ({"mixed_precision": "fp16"}, "mixed_precision: expected 'no' or 'bf16'; found 'fp16'"),
        ({"compute_environment": "AMAZON_SAGEMAKER"}, "compute_environment: expected LOCAL_MACHINE"),
        ({"deepspeed_config": {"zero_stage": 3}}, "deepspeed_config is set, but DeepSpeed is not wired"),
        ({"dynamo_config": {"dynamo_backend": "INDUCTOR"}}, "dynamo_config is set, but compilation"),
        ({"mpirun_config": {"mpirun_hostfile": "hosts"}}, "mpirun_config is set, but processes are started by torch"),
        ({"distributed_type": "FSDP"}, "fsdp_config: expected its settings, with fsdp_version: 2; found nothing"),
        (
            {"distributed_type": "FSDP", "fsdp_config": SPREAD | {"fsdp_version": 1}},
            "fsdp_config.fsdp_version: expected 2",
        ),
        (
            {"distributed_type": "FSDP", "fsdp_config": SPREAD | {"fsdp_cpu_ram_efficient_loading": True}},
            "fsdp_config.fsdp_cpu_ram_efficient_loading: expected False; found True",
        ),
        ({"fsdp_config": SPREAD}, "distributed_type: expected FSDP, since fsdp_config is set; found 'MULTI_CPU'"),
        (MACHINES | {"num_processes": 3}, "num_processes: expected a multiple of num_machines (2); found 3"),
        (MACHINES | {"machine_rank": 2}, "machine_rank: expected this machine's number, 0 to 1; found 2"),
        (MACHINES | {"main_process_ip": ...}, "main_process_ip: expected the address of the machine"),
        (MACHINES | {"main_process_port": ...}, "main_process_port: expected a port of that machine"),
    ],
)
def test_what_cannot_be_done_is_refused_with_file_and_key(changes, words, tmp_path):
    path = write(tmp_path, **changes)
    with pytest.raises(ConfigError) as told:
        read_launch(path)
    assert str(told.value).startswith(f"{path}: ")
    assert words in str(told.value)


def test_no_file_and_no_yaml(tmp_path):
    with pytest.raises(ConfigError, match=r"--launch .*gone.yaml: there is no such file\. .* or one of: sky, modal"):
        read_launch(tmp_path / "gone.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("num_processes: 2\n  distributed_type: [")
    with pytest.raises(ConfigError, match=r"broken.yaml, line 2: this is no YAML"):
        read_launch(broken)
    broken.write_text("2")
    with pytest.raises(ConfigError, match=r"expected the keys of `accelerate config`, found 2"):
        read_launch(broken)
