"""The viewer: `real3d view` serves a page on which a photo becomes a head that moves."""
