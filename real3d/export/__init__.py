"""Heads for other programs: a textured mesh with the 52 shapes, splats, a page, a turntable."""
