"""FLOP and saved bytes read off a model, against torch's own counter and published figures."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from fastbert.models.freezing import freeze_to
from fastbert.models.heads import EncoderWithHead
from fastbert.models.work import Work, measure_work, near_pairs
from fastbert.runtime import Runtime
from tests.helpers import FAMILIES, tiny_encoder

FP32 = Runtime(torch.device("cpu"), "fp32", "asked for")
BF16 = Runtime(torch.device("cpu"), "bf16", "asked for")
NAMES = ("input_ids", "attention_mask")


def classifier(folder: Path, family: str, attention: str = "eager", **options: object) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(tiny_encoder(folder, family), attn_implementation=attention, **options)
    model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config)
    return model


def without_weights(family: str, **options: object) -> PreTrainedModel:
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(family, **options))
    return model


def counted_by_torch(model: nn.Module, windows: int, length: int) -> tuple[int, int]:
    """Return FLOP forward and in all, as torch counts them while it computes."""
    ids = torch.full((windows, length), 7)
    with FlopCounterMode(display=False) as forward:
        total = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.sum()
    with FlopCounterMode(display=False) as backward:
        total.backward()
    return forward.get_total_flops(), forward.get_total_flops() + backward.get_total_flops()


# --- FLOP -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_trained", [0, 2, -1], ids=["all trained", "lower part frozen", "head alone"])
@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "modernbert"])
def test_flop_are_those_that_torch_counts(family: str, first_trained: int, tmp_path: Path) -> None:
    model = classifier(tmp_path, family)
    freeze_to(model, first_trained)

    work = measure_work(model, FP32, NAMES)

    expected = counted_by_torch(model, 3, 40)
    assert (work.forward.of([40] * 3), work.training.of([40] * 3)) == pytest.approx(expected, rel=1e-9)


def test_flop_of_local_attention_are_those_that_torch_counts_within_its_reach(tmp_path: Path) -> None:
    model = classifier(tmp_path, "modernbert")  # of two layers one looks 8 positions far

    work = measure_work(model, FP32, NAMES)

    expected = counted_by_torch(model, 3, 9)
    assert (work.forward.of([9] * 3), work.training.of([9] * 3)) == pytest.approx(expected, rel=1e-9)


def test_local_attention_counts_no_pair_beyond_its_reach(tmp_path: Path) -> None:
    """Torch computes them all and masks them out: 40 * 40 pairs where 40 * 17 - 8 * 9 are near, 4 FLOP a width."""
    work = measure_work(classifier(tmp_path, "modernbert"), FP32, NAMES)

    computed, _ = counted_by_torch(classifier(tmp_path, "modernbert"), 1, 40)

    assert computed - work.forward.of([40]) == 4 * 32 * (40 * 40 - (40 * 17 - 8 * 9))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_flop_do_not_depend_on_how_attention_is_computed(attention: str, tmp_path: Path) -> None:
    work = measure_work(classifier(tmp_path, "bert", attention), FP32, NAMES)

    # 2 layers x (4 projections of 32 x 32, 2 of 32 x 64), pooler and head of 2 classes, queries with keys and values
    assert work.forward == Work(0, 2 * (32 * 32 + 32 * 2), 2 * 2 * (4 * 32 * 32 + 2 * 32 * 64), 2 * 4 * 32)


@pytest.mark.parametrize(
    ("family", "options", "expected"),
    [
        ("bert", {}, (513, 524, 566)),
        ("distilbert", {}, (257, 262, 283)),
        ("electra", {}, (58, 61, 76)),
        (
            "bert",
            {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536, "num_attention_heads": 12},
            (65, 67, 78),
        ),
    ],
    ids=["BERT-base", "DistilBERT", "ELECTRA-small", "MiniLM-L6"],
)
def test_training_flop_of_a_token_match_the_formula_of_the_field(
    family: str, options: dict[str, object], expected: tuple[int, int, int]
) -> None:
    """Source: 6 * weights without embeddings + 12 * layers * width * length, in MFLOP at 32, 128 and 512 tokens."""
    work = measure_work(without_weights(family, **options), FP32, NAMES).training

    found = tuple(work.of([length]) / length / 1e6 for length in (32, 128, 512))

    assert found == pytest.approx(expected, rel=0.01)


def test_shared_layers_count_at_each_application() -> None:
    sizes = {"hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 128, "embedding_size": 16}
    one, three = (without_weights("albert", num_hidden_layers=count, **sizes) for count in (1, 3))

    first, all_three = (measure_work(model, FP32, NAMES).forward for model in (one, three))

    layer = 2 * (4 * 64 * 64 + 2 * 64 * 128)
    assert (first.per_token, all_three.per_token) == (2 * 16 * 64 + layer, 2 * 16 * 64 + 3 * layer)


def test_position_products_of_a_pass_do_not_grow_with_its_windows() -> None:
    """DeBERTa projects its 2 * 16 relative positions twice a layer, once a pass."""
    sizes = {"hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 128, "num_hidden_layers": 3}
    relative = {"relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]}
    options = {**sizes, **relative, "share_att_key": True, "pad_token_id": None}  # else it looks for padding

    work = measure_work(without_weights("deberta-v2", **options), FP32, NAMES)

    assert work.forward.per_pass == 3 * 2 * 2 * (2 * 16) * 64 * 64


def test_near_pairs_are_those_of_a_band() -> None:
    positions = torch.arange(12)
    band = (positions[:, None] - positions).abs() <= 3

    assert near_pairs(12, 3) == int(band.sum())


# --- memory -----------------------------------------------------------------------------------------


def test_a_measured_model_can_be_freed(tmp_path: Path) -> None:
    """Each fit measures its model: 340 MB of MiniLM stayed behind after each, held by what autograd had saved."""
    model = classifier(tmp_path, "bert")
    held = [weakref.ref(parameter) for parameter in model.parameters()]

    measure_work(model, BF16, NAMES)
    del model
    gc.collect()

    assert [parameter for parameter in held if parameter() is not None] == []


class Sum(nn.Module):
    """A head of the user's own."""

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.linear = nn.Linear(width, labels)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.linear(self.norm((hidden * mask[..., None]).sum(1)))  # type: ignore[no-any-return]


def saved_by(model: nn.Module, shape: tuple[int, int]) -> int:
    """Return the bytes that autograd keeps for a real pass, weights not among them."""
    own = {parameter.data_ptr() for parameter in model.parameters()}
    sizes: dict[int, int] = {}
    held = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        held.append(tensor)
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    ids = torch.full(shape, 7)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = model(input_ids=ids, attention_mask=torch.ones_like(ids))
    del outputs
    return sum(size for place, size in sizes.items() if place not in own)


@pytest.mark.parametrize("family", ["bert", "deberta-v2"])
def test_saved_bytes_are_those_of_a_real_pass(family: str, tmp_path: Path) -> None:
    model = classifier(tmp_path, family, "eager").train()

    work = measure_work(model, FP32, NAMES)

    # a map of positions that all windows share (DeBERTa) is counted once a window: 5 % here, less in wider models
    assert work.saved.of([40] * 5) == pytest.approx(saved_by(model, (5, 40)), rel=0.01 if family == "bert" else 0.05)


def test_fused_attention_keeps_no_map_of_pairs(tmp_path: Path) -> None:
    """As models are loaded here: torch has no fused attention with dropout on a processor."""
    maps, fused = (
        classifier(tmp_path, "bert", attention, attention_probs_dropout_prob=0.0) for attention in ("eager", "sdpa")
    )

    assert measure_work(maps, FP32, NAMES).saved.per_pair > 0
    assert measure_work(fused, FP32, NAMES).saved.per_pair == 0


def test_bfloat16_keeps_less_a_token_and_frozen_layers_keep_less_still(tmp_path: Path) -> None:
    model = classifier(tmp_path, "bert")
    full, half = (measure_work(model, runtime, NAMES).saved.per_token for runtime in (FP32, BF16))
    freeze_to(model, 2)

    assert measure_work(model, BF16, NAMES).saved.per_token < half < full


def test_measuring_leaves_the_model_and_random_numbers_alone(encoder: str) -> None:
    bert = AutoModelForSequenceClassification.from_pretrained(encoder).base_model
    model = EncoderWithHead(bert, Sum(32, 2)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()

    work = measure_work(model, FP32, NAMES)

    assert work.forward.per_window == 2 * (32 * 32 + 32 * 2)  # BERT's own pooler, and the head
    assert not model.training
    assert torch.equal(state, torch.get_rng_state())
    assert [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])] == []
    assert all(parameter.grad is None for parameter in model.parameters())
