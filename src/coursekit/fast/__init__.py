"""The fast forms of what the other modules say plainly, each tested equal to its plain form.

Chapters show the plain forms; `train`, the layers and the experiments run these where they exist.
"""
