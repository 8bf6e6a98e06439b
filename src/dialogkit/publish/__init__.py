"""From accepted submissions to a release: what may be shown, in open formats, with its codebook and checksums."""
