"""[train]: keys belong to methods; what another method would ignore is refused."""

import pytest
from pydantic import ValidationError

from tunesmith.core.errors import ConfigError
from tunesmith.training.section import COMMON_KEYS, OWN_KEYS, TrainSection
from tunesmith.workflows.config import load

VALUES = {
    "lora_dropout": 0.0,
    "target_modules": ["q_proj"],
    "prompt_tuning_init": "RANDOM",
    "prompt_tuning_init_text": "Sort.",
    "lora_alpha": 32,
}


def value(key: str) -> object:
    return VALUES.get(key, TrainSection.model_fields[key].default or 1)


@pytest.mark.parametrize("method", OWN_KEYS)
@pytest.mark.parametrize("key", sorted({key for keys in OWN_KEYS.values() for key in keys}))
def test_a_key_of_another_method_is_refused_even_with_its_default(method, key):
    if key in OWN_KEYS[method]:
        return
    with pytest.raises(ValidationError, match=f'method "{method}" has no use for it'):
        TrainSection(method=method, **{key: value(key)})


def test_the_message_names_file_line_key_and_the_methods_that_take_it(tmp_path):
    path = tmp_path / "tunesmith.toml"
    path.write_text('[task]\nfamily = "classification"\n[train]\nmethod = "full"\nuse_dora = true\n')
    with pytest.raises(ConfigError) as error:
        load(path, environment={})
    assert str(error.value) == (
        'tunesmith.toml, line 5: [train] use_dora = true: method "full" has no use for it. Take it out, or choose '
        'method "lora" or "qlora".'
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt_tuning_init": "TEXT"}, "needs a text here"),
        ({"prompt_tuning_init_text": "Sort."}, 'only prompt_tuning_init = "TEXT" begins with a text'),
        ({"method": "prefix-tuning", "encoder_hidden_size": 8}, "only prefix_projection = true has"),
    ],
)
def test_keys_that_need_each_other(settings, message):
    with pytest.raises(ValidationError, match=message):
        TrainSection(**{"method": "prompt-tuning", **settings})


@pytest.mark.parametrize("method", OWN_KEYS)
def test_what_is_written_is_read_again_as_the_same_recipe(method):
    section = TrainSection(method=method)
    again = TrainSection.model_validate_json(section.model_dump_json())
    assert again.recipe == section.recipe


def test_every_key_stands_in_the_recipe_of_its_methods_and_moves_the_digest():
    known = {
        "method",
        "learning_rate_multiplier",
        "checkpoint_seconds",
        "trackers",
        "rehearsal_file",
        "preferences",
        "prompt",
        "start",
        *COMMON_KEYS,
        *(key for keys in OWN_KEYS.values() for key in keys),
    }
    assert known == set(TrainSection.model_fields)
    plain = TrainSection(method="qlora")
    assert set(plain.recipe) == {"method", *OWN_KEYS["qlora"], *COMMON_KEYS}
    changed = [{"use_dora": True}, {"use_rslora": True}, {"bnb_4bit_use_double_quant": False}]
    changed += [{"gradient_checkpointing": True}, {"r": 8}, {"target_modules": ("q_proj",)}]
    assert len({TrainSection(method="qlora", **each).digest for each in changed} | {plain.digest}) == len(changed) + 1


def test_a_default_that_is_written_down_is_another_recipe_than_one_that_is_chosen():
    assert TrainSection(epochs=3.0).digest != TrainSection().digest, "the rule may choose other epochs"
    assert TrainSection(warmup_ratio=0.1).digest == TrainSection().digest, "nobody chooses that"


def test_the_scale_is_twice_the_rank_where_none_is_set():
    assert TrainSection(r=64).lora_alpha == 128
    assert TrainSection(r=64, lora_alpha=64).lora_alpha == 64


def test_the_learning_rate_is_the_methods_own_where_none_is_set():
    assert TrainSection().learning_rate == 1e-3
    assert TrainSection(method="full").learning_rate == 2e-5
    assert TrainSection(method="full", learning_rate=1e-4).learning_rate == 1e-4


def test_lists_are_read_from_the_file(tmp_path):
    text = '[task]\nfamily = "classification"\n[train]\ntarget_modules = ["q_proj", "v_proj"]\ntrackers = ["mlflow"]\n'
    (tmp_path / "tunesmith.toml").write_text(text)
    section = load(tmp_path / "tunesmith.toml", environment={}).train
    assert section.target_modules == ("q_proj", "v_proj")
    assert section.trackers == ("mlflow",)
    flags = ["train.target_modules=q_proj,o_proj"]
    assert load(tmp_path / "tunesmith.toml", flags, {}).train.target_modules == ("q_proj", "o_proj")
