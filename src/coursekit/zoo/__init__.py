"""Networks that made history, and what they cost.

Each is a `Sequential` of layers, which hold settings only: `alexnet()` is built in no time, and its 61 million numbers
exist only after `init`. `cost` counts params and multiplications from the settings alone.

>>> print(cost(lenet5(), (1, 28, 28)))
layer          output          params  multiply-adds
conv2d_0       6 x 28 x 28        156        117,600
relu_1         6 x 28 x 28          0              0
maxpool2d_2    6 x 14 x 14          0              0
conv2d_3       16 x 10 x 10     2,416        240,000
relu_4         16 x 10 x 10         0              0
maxpool2d_5    16 x 5 x 5           0              0
flatten_6      400                  0              0
dense_7        120             48,120         48,000
relu_8         120                  0              0
dense_9        84              10,164         10,080
relu_10        84                   0              0
dense_11       10                 850            840
total                          61,706        416,520
"""

from .._moved import moved
from .costs import Cost, CostRow, cost
from .mobilenet import mobilenetv2_params, mobilenetv2_trunk, prepare_for_mobilenetv2
from .nets import alexnet, alexnet_mini, lenet5, vgg16, vgg_mini
from .text import Vocabulary, char_rnn, next_character_examples, write_text

__all__ = [
    "Cost",
    "CostRow",
    "Vocabulary",
    "alexnet",
    "alexnet_mini",
    "char_rnn",
    "cost",
    "lenet5",
    "mobilenetv2_params",
    "mobilenetv2_trunk",
    "next_character_examples",
    "prepare_for_mobilenetv2",
    "vgg16",
    "vgg_mini",
    "write_text",
]

__getattr__ = moved(
    __name__, {"ledger": "coursekit.zoo.cost", "Ledger": "coursekit.zoo.Cost", "LedgerRow": "coursekit.zoo.CostRow"}
)
