"""The nouns of dialogkit. No input or output happens here."""
