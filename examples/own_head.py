"""A head of your own: attention pooling over the last hidden states instead of the encoder's own head."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

from fastbert import DataBunch, Learner, Predictor

DATA = Path(__file__).parent / "data" / "feedback"


class AttentionPooling(nn.Module):
    """Weigh the tokens of a text by a learned score, then classify their sum."""

    def __init__(self, hidden_size: int, num_labels: int) -> None:
        super().__init__()
        self.score = nn.Linear(hidden_size, 1)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(hidden_size, num_labels)

    def forward(self, hidden_WLD: torch.Tensor, attention_mask_WL: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (W, labels)."""
        scores_WL = self.score(hidden_WLD).squeeze(-1).masked_fill(attention_mask_WL == 0, -1e4)
        pooled_WD = (scores_WL.softmax(-1).unsqueeze(-1) * hidden_WLD).sum(1)
        return self.classifier(self.dropout(pooled_WD))


def main(out: Path, *, encoder: str = "minilm", epochs: float = 12) -> Learner:
    """Train with the head, save, and open the bundle again; the head is passed there, too."""
    data = DataBunch.from_files(DATA / "train.csv", DATA / "val.csv")
    learner = Learner(data, encoder=encoder, head=AttentionPooling)
    learner.fit(epochs=epochs)
    learner.save(out, overwrite=True)
    model = Predictor.load(out, head=AttentionPooling)
    print(model(["Since the update the app crashes whenever I attach a photo."])[0].labels)
    return learner


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("own-head-model"))
