"""What all tests share: invented examples may take their time, on any machine."""

from hypothesis import settings

settings.register_profile("atlas", deadline=None)
settings.load_profile("atlas")
