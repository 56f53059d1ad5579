"""What a model is, whoever made it.

inventory    what it is made of: arrays, their dtypes, who is trained; of torch, Keras, trees of shapes, or flags
families     from its parts to its family
memory       weights, gradients and optimizer state in bytes
"""
