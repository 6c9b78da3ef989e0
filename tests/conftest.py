"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("nb3d", deadline=None)  # tests never assert a time
settings.load_profile("nb3d")
