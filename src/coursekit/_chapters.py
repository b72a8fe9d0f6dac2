"""The chapters: the one list from which everything that counts them is derived.

Files and modules of a chapter carry its number or its name: `chapters/08_name.md`, `exercises/08_name.md`,
`experiments/name.py`, `plotting/name.py`, `explorers/name.py`, `ledger/name.py`, `quizzes/08.json`, `ledger/08.json`.
`python tools/new_chapter.py` adds a line here and makes these files.
"""

CHAPTERS = {
    "01": "backpropagation",
    "02": "losses",
    "03": "activations",
    "04": "preprocessing",
    "05": "initialization",
    "06": "batch_normalization",
    "07": "optimizers",
    "08": "learning_rate_and_batch_size",
    "09": "regularization",
    "10": "hyperparameter_search",
    "11": "watching_training",
    "12": "convolution",
    "13": "cnn_architectures",
    "14": "recurrent_networks",
    "15": "transfer_learning",
}
