"""How each framework composes its optimizers from our transforms: functions of plain numbers, no framework needed.

One file a framework. The same name means different mathematics in different frameworks: where the learning rate
enters, where eps stands, what weight decay is. Here each difference is a link of the chain in another place, and can
be read, compared and converted. The faces (`steepest.torch`, `steepest.keras`, `steepest.optax`) put their
framework's names and machinery around these functions.

All of them use the neutral names of arguments (lr, b1, b2, eps, decay, momentum, ...); `NAMES` in each file says
what the framework calls its optimizers and their arguments.
"""

CLASSES = {
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
    "adabelief": "AdaBelief",
    "lion": "Lion",
}
"""What PyTorch and Keras call their classes."""
