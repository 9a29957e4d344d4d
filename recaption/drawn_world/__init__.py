"""The drawn world: scenes of everyday objects drawn by our code, so that presence and absence are known exactly."""

from notclip.recaption.drawn_world.samples import Sample, make_sample
from notclip.recaption.drawn_world.scene import Scene, Thing, compose_scene, draw_scene
from notclip.recaption.drawn_world.vocabulary import OBJECTS, SETTINGS

__all__ = ["OBJECTS", "SETTINGS", "Sample", "Scene", "Thing", "compose_scene", "draw_scene", "make_sample"]
