"""tunesmith.toml: what is accepted, and in which words the rest is refused."""

from pathlib import Path

import pytest

from tunesmith.core.errors import ConfigError
from tunesmith.training.section import TrainSection
from tunesmith.workflows import config, reference

MINIMAL = '[task]\nfamily = "classification"\n'


def load(tmp_path: Path, text: str, flags: tuple[str, ...] = (), environment: dict[str, str] | None = None):
    path = tmp_path / config.FILE
    path.write_text(text, encoding="utf-8")
    return config.load(path, flags, environment or {})


def refusal(tmp_path: Path, text: str, **extra) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, **extra)
    return str(caught.value)


def test_a_minimal_file_has_the_defaults_of_every_section(tmp_path):
    loaded = load(tmp_path, MINIMAL)
    assert loaded.task.family == "classification"
    assert loaded.data.input == "input"
    assert loaded.model.base == "smollm2-135m-instruct"


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path):
    text = MINIMAL + "[train]\nepochs = 1\nseed = 1\nr = 4\n"
    environment = {"TUNESMITH_TRAIN_EPOCHS": "2", "TUNESMITH_TRAIN_SEED": "2"}
    loaded = load(tmp_path, text, flags=("train.epochs=3",), environment=environment)
    assert (loaded.train.epochs, loaded.train.seed, loaded.train.r) == (3, 2, 4)


def test_text_lists_and_numbers_are_read_from_flags(tmp_path):
    flags = ("data.input=true", "data.files=data/a.csv, data/b.csv", "data.validation=0.2")
    loaded = load(tmp_path, MINIMAL, flags=flags)
    assert loaded.data.input == "true"
    assert loaded.data.files == ("data/a.csv", "data/b.csv")
    assert loaded.data.validation == 0.2


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one(tmp_path):
    said = refusal(tmp_path, MINIMAL + "\n[train]\nepoch = 3\n")
    assert said == "tunesmith.toml, line 5: [train] has no key 'epoch' (did you mean 'epochs'?)."


def test_a_key_of_another_section_is_sent_there(tmp_path):
    assert "[model] has no key 'epochs'; it belongs under [train]" in refusal(
        tmp_path, MINIMAL + "[model]\nepochs = 3\n"
    )
    assert "'epochs' stands outside the sections; put it under [train]" in refusal(tmp_path, "epochs = 3\n" + MINIMAL)


def test_an_unknown_section_is_refused_with_the_nearest(tmp_path):
    assert "line 3: there is no section [trian] (did you mean 'train'?)" in refusal(tmp_path, MINIMAL + "[trian]\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('epochs = "three"', 'line 4: [train] epochs = "three": expected a number.'),
        ('seed = "3"', 'line 4: [train] seed = "3": expected a whole number.'),
        ("seed = 3.0", "line 4: [train] seed = 3.0: expected a whole number."),
        ("r = true", "line 4: [train] r = true: expected a whole number."),
        ("r = 0", "line 4: [train] r = 0: expected a number of at least 1."),
        ("lora_dropout = 1", "line 4: [train] lora_dropout = 1: expected a number below 1."),
        ('method = "lola"', "line 4: [train] method = \"lola\": expected one of 'lora', 'qlora', 'full', "),
        ("learning_rate = 1979-05-27", "line 4: [train] learning_rate"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_its_line(tmp_path, line, expected):
    said = refusal(tmp_path, MINIMAL + "[train]\n" + line + "\n")
    assert expected in said
    assert "pydantic" not in said
    assert "\n" not in said


def test_every_fault_is_said_at_once(tmp_path):
    said = refusal(tmp_path, MINIMAL + '[train]\nepochs = "x"\nfoo = 1\n[data]\ninput = 5\n')
    assert len(said.splitlines()) == 3


def test_a_list_where_an_item_is_wrong_names_the_item(tmp_path):
    said = refusal(tmp_path, MINIMAL + '[baselines]\nwhich = ["majority", "promt"]\n')
    assert "(item 2)" in said
    assert "did you mean 'prompt'" in said


def test_a_fault_between_keys_is_said_in_the_words_of_its_section(tmp_path):
    said = refusal(tmp_path, MINIMAL + "[data]\nvalidation = 0.6\neval = 0.5\n")
    assert "leave no rows to train on" in said


def test_a_missing_task_is_asked_for(tmp_path):
    assert "has no [task] section" in refusal(tmp_path, "")
    assert "family is missing" in refusal(tmp_path, "[task]\n")


def test_faulty_toml_names_its_line(tmp_path):
    assert "at line 3" in refusal(tmp_path, MINIMAL + "[model\n")


def test_bytes_that_are_not_text_are_refused(tmp_path):
    path = tmp_path / config.FILE
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(path, (), {})


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("epochs=2", "expected SECTION.KEY=VALUE"),
        ("train.epochs", "expected SECTION.KEY=VALUE"),
        ("trian.epochs=2", "did you mean 'train'"),
        ("train.epoch=2", "did you mean 'epochs'"),
        ("train.epochs=many", '--set train.epochs: [train] epochs = "many": expected a number'),
    ],
)
def test_a_wrong_flag_is_refused(tmp_path, flag, expected):
    assert expected in refusal(tmp_path, MINIMAL, flags=(flag,))


def test_a_wrong_environment_variable_is_named(tmp_path):
    said = refusal(tmp_path, MINIMAL, environment={"TUNESMITH_TRAIN_R": "big"})
    assert said.startswith("The environment variable TUNESMITH_TRAIN_R: [train] r")
    assert "did you mean 'epochs'" in refusal(tmp_path, MINIMAL, environment={"TUNESMITH_TRAIN_EPOCH": "1"})
    load(tmp_path, MINIMAL, environment={"TUNESMITH_CACHE": "/x", "TUNESMITH_DEBUG": "1", "TUNESMITH_DATA": "/y"})


def test_the_file_that_init_writes_is_read_back_and_shows_every_key_of_its_method(tmp_path):
    text = reference.toml({"task": {"family": "classification"}, "data": {"input": 'a "quoted" column'}})
    assert load(tmp_path, text).data.input == 'a "quoted" column'
    for name, record in config.SECTIONS.items():
        assert f"[{name}]" in text
        for key in TrainSection.keys_of("lora") if name == "train" else record.model_fields:
            assert f"{key} = " in text
    assert "num_virtual_tokens" not in text
    other = reference.toml({"task": {"family": "classification"}, "train": {"method": "prefix-tuning"}})
    assert load(tmp_path, other).train.method == "prefix-tuning"
    assert "num_virtual_tokens" in other


def test_every_default_that_is_shown_can_be_uncommented(tmp_path):
    text = reference.toml({"task": {"family": "classification"}})
    lines = []
    for line in text.splitlines():
        key = line.removeprefix("# ").split(" = ")[0]
        shown = line.startswith("# ") and " = " in line and "…" not in line
        known = any(key in record.model_fields for record in config.SECTIONS.values())
        lines.append(line.removeprefix("# ") if shown and known and not line.endswith("= 0") else line)
    defaults = load(tmp_path, MINIMAL)
    assert load(tmp_path, "\n".join(lines)).train == defaults.train


def test_the_reference_page_is_current():
    page = Path(__file__).parents[2] / "docs" / "reference" / "tunesmith-toml.md"
    assert page.read_text(encoding="utf-8") == reference.page(), (
        "run python -m tunesmith.workflows.reference docs/reference/tunesmith-toml.md"
    )


PROVIDER = '[providers.lab]\nbase_url = "http://gpu:8000/v1"\napi_key_env = "LAB_KEY"\n'


def test_providers_stand_under_names_of_their_own(tmp_path):
    second = PROVIDER.replace("lab", "other-lab").replace("LAB_KEY", "OTHER_KEY")
    loaded = load(tmp_path, MINIMAL + PROVIDER + second)
    assert {name: each.api_key_env for name, each in loaded.providers.items()} == {
        "lab": "LAB_KEY",
        "other-lab": "OTHER_KEY",
    }


def test_flags_and_variables_reach_a_provider(tmp_path):
    flags = ("providers.lab.at_once=9", "providers.new.base_url=https://n/v1", "providers.new.api_key_env=NEW_KEY")
    environment = {"TUNESMITH_PROVIDERS_LAB_BASE_URL": "https://elsewhere/v1"}
    loaded = load(tmp_path, MINIMAL + PROVIDER, flags=flags, environment=environment)
    assert (loaded.providers["lab"].base_url, loaded.providers["lab"].at_once) == ("https://elsewhere/v1", 9)
    assert loaded.providers["new"].api_key_env == "NEW_KEY"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PROVIDER.replace("api_key_env", "api_key"),
            "line 5: [providers.lab] has no key 'api_key' (did you mean 'api_key_env'?)",
        ),
        (
            PROVIDER.replace("http://gpu:8000/v1", "gpu:8000"),
            'line 4: [providers.lab] base_url = "gpu:8000": expected an address',
        ),
        ('[providers.lab]\nbase_url = "https://a/v1"\n', "[providers.lab] api_key_env is missing"),
        ('[providers]\nbase_url = "https://a/v1"\n', "expected a section [providers.NAME] of its own"),
        (PROVIDER.replace("http://gpu:8000/v1", "http://me:secret@gpu/v1"), "without a user, a password"),
    ],
)
def test_a_faulty_provider_is_refused_with_its_line(tmp_path, text, expected):
    assert expected in refusal(tmp_path, MINIMAL + text)


def test_a_key_that_was_pasted_into_the_file_is_not_repeated(tmp_path):
    for text in (
        PROVIDER.replace("http://gpu", "http://me:sk-secret@gpu"),
        PROVIDER.replace("LAB_KEY", "sk-secret"),
        PROVIDER.replace("api_key_env", "api_key").replace("LAB_KEY", "sk-secret"),
    ):
        assert "sk-secret" not in refusal(tmp_path, MINIMAL + text)


def test_what_a_file_sets_is_known_from_what_is_left_to_its_default(tmp_path):
    assert load(tmp_path, MINIMAL + "[train]\nepochs = 3\n").train.model_fields_set == {"epochs"}
    assert load(tmp_path, MINIMAL).train.model_fields_set == set()
