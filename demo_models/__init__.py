"""The demo models: a tiny BLIP and a tiny CLIP trained from scratch on the drawn world.

`python -m demo_models.training` makes them, `python -m demo_models.scoring` scores a set. Nothing that is
deployed imports this package: what it leaves behind is `bentos/demo_models/`.
"""
